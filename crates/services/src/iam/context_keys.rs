//! Which context keys policies ask for, so that a simulation can be given them all.
//!
//! Source: IAM API reference, GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy.

use super::simulation::{Source, find_source, invalid_content};
use crate::context::Context;
use palisade_model::iam::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest,
};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::Result;
use std::collections::BTreeSet;

/// Lists the keys of policies that are handed in.
pub fn get_context_keys_for_custom_policy(
    _cx: &mut Context,
    input: GetContextKeysForCustomPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse> {
    let GetContextKeysForCustomPolicyRequest { policy_input_list } = input;
    let policies = parsed(&policy_input_list)?;
    Ok(answer(policies.iter()))
}

/// Lists the keys of a user's, group's or role's policies, its boundary included, and of those
/// handed in besides.
pub fn get_context_keys_for_principal_policy(
    cx: &mut Context,
    input: GetContextKeysForPrincipalPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse> {
    let GetContextKeysForPrincipalPolicyRequest { policy_source_arn, policy_input_list } = input;
    let source = find_source(cx, &policy_source_arn)?;
    let given = parsed(&policy_input_list.unwrap_or_default())?;
    let own = source.policies.iter().chain(&source.boundary).map(document);
    Ok(answer(own.chain(given.iter())))
}

fn document(source: &Source) -> &Policy {
    source.policy.document()
}

fn parsed(texts: &[String]) -> Result<Vec<Policy>> {
    let parse = |(index, text): (usize, &String)| {
        Policy::parse(text, DocumentKind::Identity).map_err(|_| invalid_content(index))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Each key once, as it is written first: key names ignore case.
fn answer<'p>(policies: impl Iterator<Item = &'p Policy>) -> GetContextKeysForPolicyResponse {
    let mut seen = BTreeSet::new();
    let names = policies.flat_map(Policy::context_key_names);
    let names = names.filter(|name| seen.insert(name.to_lowercase()));
    GetContextKeysForPolicyResponse { context_key_names: Some(names.collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples::make_all;
    use crate::iam::{inline_policy, user};
    use crate::testing::Lab;
    use palisade_model::iam::{PutUserPermissionsBoundaryRequest, PutUserPolicyRequest};

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":"s3:*","Resource":"arn:aws:s3:::app/${aws:username}/${*}",
        "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},
        "StringEquals":{"AWS:Username":"${aws:PrincipalTag/team, 'none'}"}}}]}"#;

    #[test]
    fn keys_are_listed_once_as_they_are_written() {
        let lab = Lab::new();
        let policy_input_list = vec![POLICY.to_owned(), POLICY.to_lowercase()];
        let input = GetContextKeysForCustomPolicyRequest { policy_input_list };
        let refusal = lab.refusal(get_context_keys_for_custom_policy, input);
        assert_eq!(refusal, "InvalidInput: Policy input list item 2 has invalid content");
        let policy_input_list = vec![POLICY.to_owned(), POLICY.to_owned()];
        let input = GetContextKeysForCustomPolicyRequest { policy_input_list };
        let answer = lab.call(get_context_keys_for_custom_policy, input).unwrap();
        let expected = ["aws:username", "aws:CurrentTime", "aws:PrincipalTag/team"];
        assert_eq!(answer.context_key_names.unwrap(), expected);
    }

    #[test]
    fn a_principals_own_keys_come_first() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        let document = POLICY.replace("aws:CurrentTime", "aws:EpochTime");
        let put = PutUserPolicyRequest {
            user_name: "ana".into(),
            policy_name: "own".into(),
            policy_document: document,
        };
        lab.call(inline_policy::put_user_policy, put).unwrap();
        let put = PutUserPermissionsBoundaryRequest {
            user_name: "ana".into(),
            permissions_boundary: "arn:aws:iam::aws:policy/IAMUserChangePassword".into(),
        };
        lab.call(user::put_user_permissions_boundary, put).unwrap();
        let ask = |arn: &str| GetContextKeysForPrincipalPolicyRequest {
            policy_source_arn: arn.to_owned(),
            policy_input_list: Some(vec![POLICY.to_owned()]),
        };
        let arn = "arn:aws:iam::123456789012:user/ana";
        let answer = lab.call(get_context_keys_for_principal_policy, ask(arn)).unwrap();
        let expected =
            ["aws:username", "aws:EpochTime", "aws:PrincipalTag/team", "aws:CurrentTime"];
        assert_eq!(answer.context_key_names.unwrap(), expected);
        let refusal = lab.refusal(
            get_context_keys_for_principal_policy,
            ask("arn:aws:iam::123456789012:user/bob"),
        );
        assert_eq!(refusal, "NoSuchEntity: Unable to retrieve specified IAM entity.");
    }
}
