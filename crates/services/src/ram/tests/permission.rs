//! Permissions of shares: what they allow is what the resources' policies say.

use super::*;
use crate::ram::permission::{self, PERMISSIONS, Permission, Version};
use crate::ram::share::SHARES;
use crate::ram::{from_policy, permission_version, replacement, share_permission};
use palisade_model::ram::{
    AssociateResourceSharePermissionRequest, CreatePermissionRequest,
    CreatePermissionVersionRequest, DeletePermissionRequest, DeletePermissionVersionRequest,
    DisassociateResourceSharePermissionRequest, PromotePermissionCreatedFromPolicyRequest,
    PromoteResourceShareCreatedFromPolicyRequest, ReplacePermissionAssociationsRequest,
};
use std::collections::BTreeMap;

const GET: &str = r#"{"Effect":"Allow","Action":["s3:GetDataAccess"]}"#;
const LIST: &str = r#"{"Effect":"Allow","Action":["s3:ListAccessGrants"]}"#;

fn permission(lab: &Lab, name: &str, template: &str) -> String {
    let input = CreatePermissionRequest {
        name: name.to_owned(),
        resource_type: "test:Thing".to_owned(),
        policy_template: template.to_owned(),
        ..CreatePermissionRequest::default()
    };
    let made = lab.call(permission::create_permission, input).unwrap();
    made.permission.unwrap().arn.unwrap()
}

fn grant(share: &str, arn: &str, replace: bool) -> AssociateResourceSharePermissionRequest {
    AssociateResourceSharePermissionRequest {
        resource_share_arn: share.to_owned(),
        permission_arn: arn.to_owned(),
        replace: Some(replace),
        ..AssociateResourceSharePermissionRequest::default()
    }
}

/// Who may get and who may list.
fn may_both(lab: &Lab, other: &Lab) -> (bool, bool) {
    let may = |action: &str| super::may(lab, &other.caller, action);
    (may("s3:GetDataAccess"), may("s3:ListAccessGrants"))
}

#[test]
fn a_share_allows_what_its_permission_does() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    accept(&other);
    assert_eq!(may_both(&lab, &other), (true, false));
    let own = permission(&lab, "list", LIST);
    let associate = share_permission::associate_resource_share_permission;
    let refused = lab.refusal(associate, grant(&share, &own, false));
    assert!(refused.starts_with("InvalidParameterException"), "{refused}");
    lab.call(associate, grant(&share, &own, true)).unwrap();
    assert_eq!(may_both(&lab, &other), (false, true));

    // A new version is for new shares; the old one keeps what it has until it is replaced.
    let input = CreatePermissionVersionRequest {
        permission_arn: own.clone(),
        policy_template: GET.to_owned(),
        client_token: None,
    };
    lab.call(permission_version::create_permission_version, input).unwrap();
    assert_eq!(may_both(&lab, &other), (false, true));
    let input = DeletePermissionVersionRequest {
        permission_arn: own.clone(),
        permission_version: 1,
        client_token: None,
    };
    let refused = lab.refusal(permission_version::delete_permission_version, input.clone());
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
    let work = ReplacePermissionAssociationsRequest {
        from_permission_arn: own.clone(),
        to_permission_arn: own.clone(),
        ..ReplacePermissionAssociationsRequest::default()
    };
    lab.call(replacement::replace_permission_associations, work).unwrap();
    lab.run_jobs();
    assert_eq!(may_both(&lab, &other), (true, false));
    lab.call(permission_version::delete_permission_version, input).unwrap();
    let input = DeletePermissionRequest { permission_arn: own.clone(), client_token: None };
    let refused = lab.refusal(permission::delete_permission, input.clone());
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");

    let out = DisassociateResourceSharePermissionRequest {
        resource_share_arn: share.clone(),
        permission_arn: own,
        client_token: None,
    };
    let disassociate = share_permission::disassociate_resource_share_permission;
    let refused = lab.refusal(disassociate, out.clone());
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
    take_out(&lab, &share, &[], &[THING_ARN]);
    lab.call(disassociate, out).unwrap();
    lab.call(permission::delete_permission, input).unwrap();
}

#[test]
fn what_was_made_of_a_policy_is_promoted() {
    let lab = Lab::new();
    let share = shared(&lab, &[ACCOUNT]);
    let arn = share.clone();
    // As if a service had told of a policy: this plane has none that does.
    lab.write(move |cx| {
        let made = Permission {
            name: "made".to_owned(),
            resource_type: "test:Thing".to_owned(),
            versions: BTreeMap::from([(1, Version::new(cx, TWO.to_owned()))]),
            default_version: 1,
            tags: Vec::new(),
            feature_set: "CREATED_FROM_POLICY".to_owned(),
            deleted_millis: None,
        };
        cx.put(&PERMISSIONS, &made)?;
        let mut share = share::own(cx, &arn)?;
        share.feature_set = "CREATED_FROM_POLICY".to_owned();
        for granted in share.permissions.values_mut() {
            granted.arn = made.arn(cx);
        }
        cx.put(&SHARES, &share)
    })
    .unwrap();
    let refused =
        lab.refusal(association::associate_resource_share, associate(&share, &[OTHER], &[]));
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
    let promote =
        PromoteResourceShareCreatedFromPolicyRequest { resource_share_arn: share.clone() };
    let call = from_policy::promote_resource_share_created_from_policy;
    let refused = lab.refusal(call, promote.clone());
    assert!(refused.starts_with("UnmatchedPolicyPermissionException"), "{refused}");
    let input = PromotePermissionCreatedFromPolicyRequest {
        permission_arn: format!("arn:aws:ram:us-east-1:{ACCOUNT}:permission/made"),
        name: "promoted".to_owned(),
        client_token: None,
    };
    lab.call(from_policy::promote_permission_created_from_policy, input.clone()).unwrap();
    let refused = lab.refusal(from_policy::promote_permission_created_from_policy, input);
    assert!(refused.contains("already exists"), "{refused}");
    lab.call(call, promote.clone()).unwrap();
    let promoted = lab.read(|cx| share::own(cx, &share)).unwrap();
    assert!(promoted.permissions["test:Thing"].arn.ends_with(":permission/promoted"));
    let refused = lab.refusal(call, promote);
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
}

const TWO: &str = r#"{"Effect":"Allow","Action":["s3:GetDataAccess","s3:ListAccessGrants"]}"#;
