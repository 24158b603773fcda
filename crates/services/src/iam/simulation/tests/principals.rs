//! Simulations of what a user, group or role has.

use super::*;
use crate::iam::samples::make_all;
use crate::iam::{inline_policy, user};

/// A lab where user ana has an inline policy and is in group ana, which has one too.
fn lab_with_ana() -> Lab {
    let lab = Lab::new();
    make_all(&lab, "ana");
    let (policy_name, policy_document) = ("Inline".to_owned(), ALLOW.to_owned());
    let put = PutUserPolicyRequest { user_name: "ana".into(), policy_name, policy_document };
    lab.call(inline_policy::put_user_policy, put).unwrap();
    let (policy_name, policy_document) = ("Inline".to_owned(), PUT.to_owned());
    let put = PutGroupPolicyRequest { group_name: "ana".into(), policy_name, policy_document };
    lab.call(inline_policy::put_group_policy, put).unwrap();
    let join = AddUserToGroupRequest { user_name: "ana".into(), group_name: "ana".into() };
    lab.call(crate::iam::group::add_user_to_group, join).unwrap();
    lab
}

#[test]
fn a_principals_policies_are_named_by_where_they_are() {
    let lab = lab_with_ana();
    let input = SimulatePrincipalPolicyRequest {
        action_names: strings(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
        policy_input_list: Some(strings(&[ALL])),
        ..principal("arn:aws:iam::123456789012:user/any/path/ANA")
    };
    let answer = lab.call(simulate_principal_policy, input).unwrap();
    let matched: Vec<Vec<String>> = answer
        .evaluation_results
        .unwrap()
        .into_iter()
        .map(|result| places(result.matched_statements))
        .collect();
    let own = "PolicyInputList.1 1:38-1:84".to_owned();
    let expected = [
        vec!["user_ana_Inline 1:38-1:95".to_owned(), own.clone()],
        vec!["group_ana_Inline 1:38-1:95".to_owned(), own.clone()],
        vec![own],
    ];
    assert_eq!(matched, expected);
}

#[test]
fn what_is_excluded_does_not_count() {
    let lab = lab_with_ana();
    let put = PutUserPermissionsBoundaryRequest {
        user_name: "ana".into(),
        permissions_boundary: "arn:aws:iam::aws:policy/IAMReadOnlyAccess".into(),
    };
    lab.call(user::put_user_permissions_boundary, put).unwrap();
    let of_type = |kind: &str| PolicyIdentifier {
        policy_type: Some(kind.to_owned()),
        ..PolicyIdentifier::default()
    };
    let inline = |owner: &str| PolicyIdentifier {
        inline_policy_identifier: Some(InlinePolicyIdentifierType {
            policy_name: "Inline".into(),
            attachment_type: "user".into(),
            attachment_name: owner.into(),
        }),
        ..PolicyIdentifier::default()
    };
    let cases = [
        (vec![], "implicitDeny"),
        (vec![of_type("permission-boundary")], "allowed"),
        (vec![of_type("permission-boundary"), of_type("inline")], "implicitDeny"),
        (vec![of_type("permission-boundary"), inline("a*")], "implicitDeny"),
        (vec![of_type("permission-boundary"), inline("b*")], "allowed"),
        (vec![of_type("permission-boundary"), of_type("aws-managed"), of_type("rcp")], "allowed"),
    ];
    for (exclusions, expected) in cases {
        let input = SimulatePrincipalPolicyRequest {
            policy_exclusion_list: Some(exclusions.clone()),
            ..principal(ANA)
        };
        let answer = lab.call(simulate_principal_policy, input).unwrap();
        let result = answer.evaluation_results.unwrap().remove(0);
        assert_eq!(result.eval_decision, expected, "{} exclusions", exclusions.len());
    }
    let bad =
        PolicyIdentifier { policy_arn: Some("arn:aws:s3:::not-a-policy".into()), ..of_type("scp") };
    for identifier in [PolicyIdentifier::default(), bad, inline("a*n*")] {
        let input = SimulatePrincipalPolicyRequest {
            policy_exclusion_list: Some(vec![identifier]),
            ..principal(ANA)
        };
        let refusal = lab.refusal(simulate_principal_policy, input);
        assert!(refusal.starts_with("InvalidInput: "), "{refusal}");
    }
}

#[test]
fn only_users_groups_and_roles_of_the_account_are_sources() {
    let lab = lab_with_ana();
    let cases = [
        (
            "arn:aws:iam::123456789012:root",
            "InvalidInput: Invalid ARN provided in the request: arn:aws:iam::123456789012:root",
        ),
        (
            "not-an-arn-but-long-enough",
            "InvalidInput: Invalid ARN provided in the request: not-an-arn-but-long-enough",
        ),
        (
            "arn:aws:iam::999999999999:user/ana",
            "InvalidInput: Invalid Policy Source Arn: caller's account 123456789012 does not have \
             access to policies in account 999999999999.",
        ),
        (
            "arn:aws:iam::123456789012:user/bob",
            "NoSuchEntity: Unable to retrieve specified IAM entity.",
        ),
        (
            "arn:aws:iam::123456789012:role/bob",
            "NoSuchEntity: Unable to retrieve specified IAM entity.",
        ),
    ];
    for (arn, expected) in cases {
        assert_eq!(lab.refusal(simulate_principal_policy, principal(arn)), expected);
    }
    for kind in ["group", "role"] {
        let arn = format!("arn:aws:iam::123456789012:{kind}/ana");
        lab.call(simulate_principal_policy, principal(&arn)).unwrap();
    }
}

#[test]
fn the_source_is_the_caller_unless_another_is_named() {
    let lab = lab_with_ana();
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket",
        "Resource":"*","Condition":{"StringEquals":{"aws:username":"ana",
        "aws:PrincipalArn":"arn:aws:iam::123456789012:user/ana"}}}]}"#;
    let ask = |caller: Option<&str>, source: &str| {
        let input = SimulatePrincipalPolicyRequest {
            action_names: strings(&["s3:ListBucket"]),
            policy_input_list: Some(strings(&[own])),
            caller_arn: caller.map(str::to_owned),
            ..principal(source)
        };
        let answer = lab.call(simulate_principal_policy, input).unwrap();
        answer.evaluation_results.unwrap().remove(0).eval_decision
    };
    assert_eq!(ask(None, ANA), "allowed");
    assert_eq!(ask(Some("arn:aws:iam::123456789012:user/bob"), ANA), "implicitDeny");
    assert_eq!(ask(None, "arn:aws:iam::123456789012:group/ana"), "implicitDeny");
    assert_eq!(ask(Some(ANA), "arn:aws:iam::123456789012:group/ana"), "allowed");
}
