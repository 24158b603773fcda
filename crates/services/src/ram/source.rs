//! Where service principals of a share may come from: accounts, resources, organizations or their
//! paths. What is read from them is the condition that the resource's policy has for the service.
//!
//! Source: RAM API reference, ListSourceAssociations, AssociateResourceShare `sources`.

use super::principal::is_account;
use super::{arn, association, list, received};
use crate::context::Context;
use palisade_model::ram::{
    AssociatedSource, INVALID_PARAMETER_EXCEPTION, ListSourceAssociationsRequest,
    ListSourceAssociationsResponse, resource_share_association_type as kind,
};
use palisade_policy::arn::Arn;
use palisade_shape::{Result, Timestamp};

/// What a source is, and the condition that holds a service to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceType {
    pub name: &'static str,
    pub operator: &'static str,
    pub key: &'static str,
}

pub static ACCOUNT: SourceType =
    SourceType { name: "ACCOUNT", operator: "StringEquals", key: "aws:SourceAccount" };
static RESOURCE: SourceType = SourceType { name: "ARN", operator: "ArnLike", key: "aws:SourceArn" };
static ORGANIZATION: SourceType =
    SourceType { name: "ORGANIZATION_ID", operator: "StringEquals", key: "aws:SourceOrgID" };
static PATH: SourceType = SourceType {
    name: "ORGANIZATION_PATH",
    operator: "ForAnyValue:StringLike",
    key: "aws:SourceOrgPaths",
};

/// All types, as a policy lists them.
pub static TYPES: [&SourceType; 4] = [&ACCOUNT, &RESOURCE, &ORGANIZATION, &PATH];

/// What a source is; none for what is no source.
pub fn of(text: &str) -> Option<&'static SourceType> {
    let is_id = |id: &str| {
        let id = id.strip_prefix("o-").unwrap_or_default();
        (10..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if is_account(text) {
        return Some(&ACCOUNT);
    }
    if text.contains('|') {
        return None;
    }
    if Arn::parse(text).is_some_and(|arn| !arn.service.is_empty() && !arn.resource.is_empty()) {
        return Some(&RESOURCE);
    }
    match text.split_once('/') {
        None if is_id(text) => Some(&ORGANIZATION),
        Some((id, rest)) if is_id(id) && rest.starts_with("r-") => Some(&PATH),
        _ => None,
    }
}

pub fn check(text: &str) -> Result<()> {
    match of(text) {
        Some(_) => Ok(()),
        None => Err(INVALID_PARAMETER_EXCEPTION
            .because(format!("Source {text} is malformed. Verify the source and try again."))),
    }
}

/// Lists the sources of the account's own shares.
pub fn list_source_associations(
    cx: &mut Context,
    input: ListSourceAssociationsRequest,
) -> Result<ListSourceAssociationsResponse> {
    let ListSourceAssociationsRequest {
        resource_share_arns,
        source_id,
        source_type,
        association_status,
        next_token,
        max_results,
    } = input;
    let known = |name: &String| TYPES.iter().any(|of| of.name == name);
    if let Some(name) = source_type.as_ref().filter(|name| !known(name)) {
        let text = format!("{name} is not a valid source type.");
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let mut items = Vec::new();
    for seen in received::seen(cx, true, resource_share_arns.as_deref())? {
        for one in association::of(cx, &seen.share.id, kind::SOURCE)? {
            let name = of(&one.entity).map(|of| of.name.to_owned());
            let wanted = source_id.as_ref().is_none_or(|id| *id == one.entity)
                && (source_type.is_none() || source_type == name)
                && association_status.as_ref().is_none_or(|status| *status == one.status);
            if wanted {
                let shown = AssociatedSource {
                    resource_share_arn: Some(arn::of(cx, arn::SHARE, &seen.share.id)),
                    source_id: Some(one.entity.clone()),
                    source_type: name,
                    status: Some(one.status.clone()),
                    last_updated_time: Some(Timestamp::from_millis(one.updated_millis)),
                    creation_time: Some(Timestamp::from_millis(one.created_millis)),
                    status_message: None,
                };
                items.push(((association::ASSOCIATIONS.key)(&one), shown));
            }
        }
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListSourceAssociationsResponse {
        source_associations: Some(page.items),
        next_token: page.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_by_its_form() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(of(text).map(|of| of.name), expected, "{text}");
        };
        check("111122223333", Some("ACCOUNT"));
        check("arn:aws:s3:::bucket", Some("ARN"));
        check("o-a1b2c3d4e5", Some("ORGANIZATION_ID"));
        check("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*", Some("ORGANIZATION_PATH"));
        for odd in ["", "o-", "1", "arn:aws", "o-a1b2c3d4e5/ou-a", "arn:aws:s3:::a|b"] {
            check(odd, None);
        }
    }
}
