//! What a share lets whom do.

use super::*;
use crate::ram::resource_policy::{self, POLICIES};
use crate::service::ResourcePolicy;
use palisade_model::ram::GetResourcePoliciesRequest;

/// The policy that shares have made of the thing.
fn policy(lab: &Lab) -> Option<serde_json::Value> {
    let found = lab.read(|cx| cx.get(&POLICIES, THING_ARN)).unwrap();
    found.map(|written| serde_json::from_str(&written.document).unwrap())
}

#[test]
fn an_account_outside_uses_what_it_accepted_until_it_is_taken_back() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"), "before the invitation is accepted");
    assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(OTHER, "ASSOCIATING"));
    assert_eq!(statuses(&lab, &share, "RESOURCE"), of(THING_ARN, "ASSOCIATED"));
    assert!(names_of_shares(&other, "OTHER-ACCOUNTS").is_empty());

    accept(&other);
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
    assert!(!may(&lab, &other.caller, "s3:ListAccessGrants"), "the permission does not have it");
    let neighbour = "arn:aws:test:us-east-1:123456789012:thing/two";
    assert!(!may_on(&lab, &other.caller, "s3:GetDataAccess", neighbour));
    let third = lab.in_account("333333333333");
    assert!(!may(&lab, &third.caller, "s3:GetDataAccess"));
    assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(OTHER, "ASSOCIATED"));
    assert_eq!(names_of_shares(&other, "OTHER-ACCOUNTS"), ["share"]);
    assert!(names_of_shares(&lab, "OTHER-ACCOUNTS").is_empty());

    // From the call on, whatever has settled.
    take_out(&lab, &share, &[OTHER], &[]);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(OTHER, "DISASSOCIATING"));
    lab.run_jobs();
    assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(OTHER, "DISASSOCIATED"));
    assert!(names_of_shares(&other, "OTHER-ACCOUNTS").is_empty());
    assert_eq!(policy(&lab), None);
}

#[test]
fn a_resource_that_is_taken_out_and_a_share_that_is_deleted_give_nothing() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    accept(&other);
    take_out(&lab, &share, &[], &[THING_ARN]);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    lab.call(association::associate_resource_share, associate(&share, &[], &[THING_ARN])).unwrap();
    lab.run_jobs();
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
    let input = palisade_model::ram::DeleteResourceShareRequest {
        resource_share_arn: share.clone(),
        client_token: None,
    };
    lab.call(share::delete_resource_share, input.clone()).unwrap();
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    let refused = lab.refusal(share::delete_resource_share, input);
    assert!(refused.starts_with("UnknownResourceException"), "{refused}");
}

#[test]
fn who_is_named_alone_is_let_in_alone() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let role = format!("arn:aws:iam::{OTHER}:role/app");
    shared(&lab, &[&role]);
    let told = invitations(&other);
    assert_eq!(told[0].receiver_arn.as_ref(), Some(&role));
    accept(&other);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"), "root is not the role");
    let statement = &policy(&lab).unwrap()["Statement"][0];
    assert_eq!(statement["Principal"], serde_json::json!({ "AWS": [role] }));
    assert_eq!(statement["Resource"], THING_ARN);
}

#[test]
fn an_account_leaves_what_it_was_invited_to() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    accept(&other);
    let input = |principal: &str| DisassociateResourceShareRequest {
        resource_share_arn: share.clone(),
        principals: some(&[principal]),
        ..DisassociateResourceShareRequest::default()
    };
    let refused = other.refusal(leaving::disassociate_resource_share, input(ACCOUNT));
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
    other.call(leaving::disassociate_resource_share, input(OTHER)).unwrap();
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    let refused = other.refusal(leaving::disassociate_resource_share, input(OTHER));
    assert!(refused.starts_with("OperationNotPermittedException"), "{refused}");
}

#[test]
fn a_service_comes_in_for_the_sources_of_the_share() {
    let lab = Lab::new();
    let share = shared(&lab, &["config.amazonaws.com"]);
    let condition = |lab: &Lab| policy(lab).unwrap()["Statement"][0]["Condition"].clone();
    let own = serde_json::json!({ "StringEquals": { "aws:SourceAccount": ACCOUNT } });
    assert_eq!(condition(&lab), own);
    let input = AssociateResourceShareRequest {
        resource_share_arn: share.clone(),
        sources: some(&["444444444444", "o-a1b2c3d4e5"]),
        ..AssociateResourceShareRequest::default()
    };
    lab.call(association::associate_resource_share, input).unwrap();
    lab.run_jobs();
    let statements = policy(&lab).unwrap()["Statement"].clone();
    let conditions: Vec<_> = (0..2).map(|at| statements[at]["Condition"].clone()).collect();
    let of_account =
        serde_json::json!({ "StringEquals": { "aws:SourceAccount": ["444444444444"] } });
    let of_org = serde_json::json!({ "StringEquals": { "aws:SourceOrgID": ["o-a1b2c3d4e5"] } });
    assert_eq!(conditions, [of_account, of_org]);
    let without = |sources: &[&str]| DisassociateResourceShareRequest {
        resource_share_arn: share.clone(),
        sources: some(sources),
        ..DisassociateResourceShareRequest::default()
    };
    lab.call(leaving::disassociate_resource_share, without(&["o-a1b2c3d4e5"])).unwrap();
    let refused = lab.refusal(leaving::disassociate_resource_share, without(&["444444444444"]));
    assert!(refused.contains("At least one source must remain"), "{refused}");
}

#[test]
fn a_type_refuses_principals_that_it_does_not_have() {
    let lab = Lab::new();
    let made = |principals: &[&str], resource: &str| {
        let input = CreateResourceShareRequest {
            name: "share".to_owned(),
            resource_arns: some(&[resource]),
            principals: some(principals),
            ..CreateResourceShareRequest::default()
        };
        lab.call(share::create_resource_share, input)
    };
    let role = format!("arn:aws:iam::{ACCOUNT}:role/app");
    made(&[&role], THING_ARN).unwrap();
    made(&[ACCOUNT], INSIDER_ARN).unwrap();
    for (principal, text) in
        [(OTHER, "can only be shared within your AWS Organization"), (&*role, "with IAM roles")]
    {
        let refused = made(&[principal], INSIDER_ARN).err().unwrap().to_string();
        assert!(refused.contains(text), "{principal}: {refused}");
    }
    for (resource, code) in [
        ("arn:aws:test:us-east-1:123456789012:thing/gone", "UnknownResourceException"),
        ("arn:aws:test:us-east-1:210987654321:thing/one", "UnknownResourceException"),
        ("arn:aws:test:eu-west-1:123456789012:thing/one", "UnknownResourceException"),
        ("arn:aws:test:us-east-1:123456789012:other/one", "MalformedArnException"),
        ("arn:aws:s3:us-east-1:123456789012:access-grants/default", "MalformedArnException"),
        ("arn:aws:kms:us-east-1:123456789012:key/one", "MalformedArnException"),
        ("thing/one", "MalformedArnException"),
    ] {
        let refused = made(&[], resource).err().unwrap().to_string();
        assert!(refused.starts_with(code), "{resource}: {refused}");
    }
}

#[test]
fn a_share_adds_to_the_policy_that_the_resource_has() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    shared(&lab, &[OTHER]);
    accept(&other);
    let own = ResourcePolicy {
        document: r#"{"Version":"2012-10-17","Statement":{"Sid":"Own","Effect":"Deny",
            "Principal":"*","Action":"s3:GetDataAccess","Resource":"*"}}"#
            .to_owned(),
        revision: 2,
        must_allow: true,
    };
    let both = lab
        .read(|cx| resource_policy::with_shares(cx, THING_ARN, Some(own.clone())))
        .unwrap()
        .unwrap();
    let document: serde_json::Value = serde_json::from_str(&both.document).unwrap();
    assert_eq!(document["Statement"].as_array().unwrap().len(), 2);
    assert_eq!(document["Statement"][0]["Sid"], "Own");
    assert!(both.revision > 2 && both.must_allow);
    let bucket = "arn:aws:s3:::bucket";
    let same = lab.read(|cx| resource_policy::with_shares(cx, bucket, Some(own))).unwrap().unwrap();
    assert_eq!(same.revision, 2, "what cannot be shared has its own policy alone");
}

#[test]
fn the_owner_reads_what_was_made() {
    let lab = Lab::new();
    shared(&lab, &[ACCOUNT]);
    let ask = |principal: Option<&str>| {
        let input = GetResourcePoliciesRequest {
            resource_arns: vec![THING_ARN.to_owned()],
            principal: principal.map(str::to_owned),
            ..GetResourcePoliciesRequest::default()
        };
        lab.read(|cx| resource_policy::get_resource_policies(cx, input)).unwrap().policies.unwrap()
    };
    assert_eq!(ask(None).len(), 1);
    assert_eq!(ask(Some(ACCOUNT)).len(), 1);
    assert!(ask(Some(OTHER)).is_empty());
}
