//! AccessDenied in AWS's words.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use palisade_policy::{
    DocumentKind, NoKeys, Policies, Policy, PolicySet, Principal, Request, ResourceRule,
    access_denied_message, decide,
};
use std::sync::Arc;

const USER: &str = "arn:aws:iam::111122223333:user/ana";
const BUCKET: &str = "arn:aws:s3:::b/k";

fn set(label: &str, kind: DocumentKind, effect: &str) -> PolicySet {
    let principal = if kind.has_principal() { r#""Principal": "*","# } else { "" };
    let resource = if kind == DocumentKind::Trust { "" } else { r#", "Resource": "*""# };
    let action = if kind == DocumentKind::Trust { "sts:AssumeRole" } else { "s3:GetObject" };
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement":
        {{"Effect": "{effect}", {principal} "Action": "{action}"{resource}}}}}"#
    );
    PolicySet::of(label, &Policy::parse(&text, kind).unwrap().compile())
}

fn check(request: &Request<'_>, policies: &Policies<'_>, reason: &str) {
    let decision = decide(request, policies);
    let message = access_denied_message(request, &decision, &request.principal.arn);
    let (arn, action) = (&request.principal.arn, request.action);
    let on = match request.resource {
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    };
    assert_eq!(message, format!("User: {arn} is not authorized to perform: {action}{on} {reason}"));
}

#[test]
fn implicit() {
    let user = Principal::user(USER);
    let request = Request {
        principal: &user,
        action: "s3:GetObject",
        resource: BUCKET,
        resource_account: Some("111122223333"),
        rule: ResourceRule::Ordinary,
        keys: &NoKeys,
    };
    let none = Policies::default();
    check(&request, &none, "because no identity-based policy allows the s3:GetObject action");
    let list = Request { action: "s3:ListAllMyBuckets", resource: "*", ..request };
    check(&list, &none, "because no identity-based policy allows the s3:ListAllMyBuckets action");
    let empty = PolicySet::default();
    let boundary = Policies { boundary: Some(&empty), ..none };
    check(&request, &boundary, "because no permissions boundary allows the s3:GetObject action");
    let session = Policies { session: Some(&empty), ..none };
    check(&request, &session, "because no session policy allows the s3:GetObject action");
    let levels = [Arc::new(PolicySet::default())];
    let scps = Policies { scps: &levels, ..none };
    check(&request, &scps, "because no service control policy allows the s3:GetObject action");
    let endpoint = Policies { vpc_endpoint: Some(&empty), ..none };
    check(&request, &endpoint, "because no VPC endpoint policy allows the s3:GetObject action");
    let there = Request { resource_account: Some("444455556666"), ..request };
    let identity = set("inline", DocumentKind::Identity, "Allow");
    let across = Policies { identity: Some(&identity), ..none };
    check(&there, &across, "because no resource-based policy allows the s3:GetObject action");
    let role = "arn:aws:iam::111122223333:role/r";
    let rule = ResourceRule::TrustPolicy;
    let assume = Request { action: "sts:AssumeRole", resource: role, rule, ..request };
    check(&assume, &across, "because no role trust policy allows the sts:AssumeRole action");
}

#[test]
fn explicit() {
    let session = "arn:aws:sts::111122223333:assumed-role/Dev/ana";
    let caller = Principal::assumed_role(session, "arn:aws:iam::111122223333:role/Dev");
    let request = Request {
        principal: &caller,
        action: "s3:GetObject",
        resource: BUCKET,
        resource_account: Some("111122223333"),
        rule: ResourceRule::Ordinary,
        keys: &NoKeys,
    };
    let none = Policies::default();
    let arn = "arn:aws:iam::111122223333:policy/p";
    let managed = set(arn, DocumentKind::Identity, "Deny");
    let text = format!("with an explicit deny in an identity-based policy: {arn}");
    check(&request, &Policies { identity: Some(&managed), ..none }, &text);
    let revised = set(&format!("{arn}#17"), DocumentKind::Identity, "Deny");
    check(&request, &Policies { identity: Some(&revised), ..none }, &text);
    let inline = set("inline", DocumentKind::Identity, "Deny");
    let text = "with an explicit deny in an identity-based policy";
    check(&request, &Policies { identity: Some(&inline), ..none }, text);
    let boundary = set(arn, DocumentKind::Boundary, "Deny");
    let text = format!("with an explicit deny in a permissions boundary: {arn}");
    check(&request, &Policies { boundary: Some(&boundary), ..none }, &text);
    let own = set(arn, DocumentKind::Session, "Deny");
    let text = format!("with an explicit deny in a session policy: {arn}");
    check(&request, &Policies { session: Some(&own), ..none }, &text);
    let scp = "arn:aws:organizations::999988887777:policy/o-x/service_control_policy/p-y";
    let levels = [Arc::new(set(scp, DocumentKind::Scp, "Deny"))];
    let text = format!("with an explicit deny in a service control policy: {scp}");
    check(&request, &Policies { scps: &levels, ..none }, &text);
    let rcp = "arn:aws:organizations::999988887777:policy/o-x/resource_control_policy/p-y";
    let levels = [Arc::new(set(rcp, DocumentKind::Rcp, "Deny"))];
    let text = format!("with an explicit deny in a resource control policy: {rcp}");
    check(&request, &Policies { rcps: &levels, ..none }, &text);
    let resource = set(arn, DocumentKind::Resource, "Deny");
    let text = "with an explicit deny in a resource-based policy";
    check(&request, &Policies { resource: Some(&resource), ..none }, text);
    let endpoint = set(arn, DocumentKind::VpcEndpoint, "Deny");
    let text = "with an explicit deny in a VPC endpoint policy";
    check(&request, &Policies { vpc_endpoint: Some(&endpoint), ..none }, text);
    let trust = set(arn, DocumentKind::Trust, "Deny");
    let role = "arn:aws:iam::111122223333:role/r";
    let rule = ResourceRule::TrustPolicy;
    let assume = Request { action: "sts:AssumeRole", resource: role, rule, ..request };
    let text = "with an explicit deny in the role trust policy";
    check(&assume, &Policies { resource: Some(&trust), ..none }, text);
    let nobody = Principal::anonymous();
    let request = Request { principal: &nobody, ..request };
    let decision = decide(&request, &none);
    assert_eq!(access_denied_message(&request, &decision, ""), "Access Denied");
}
