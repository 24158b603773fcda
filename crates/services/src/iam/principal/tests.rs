use super::*;
use crate::caller::SessionKind;
use crate::iam::document::encoded;
use crate::iam::group::{add_user_to_group, create_group};
use crate::iam::principal_ids::{to_arns, to_ids};
use crate::iam::role::{create_role, delete_role, get_role};
use crate::iam::user::{create_user, delete_user, update_user};
use crate::iam::{access, attachment, inline_policy, policy, policy_version};
use crate::testing::{ACCOUNT, Lab};
use palisade_model::iam::{
    AddUserToGroupRequest, AttachGroupPolicyRequest, AttachUserPolicyRequest, CreateGroupRequest,
    CreatePolicyRequest, CreatePolicyVersionRequest, CreateRoleRequest, CreateUserRequest,
    DeleteRoleRequest, DeleteUserRequest, GetRoleRequest, PutGroupPolicyRequest,
    PutUserPolicyRequest, Tag, UpdateUserRequest, User,
};
use std::collections::BTreeMap;

const OTHER: &str = "210987654321";

fn document(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{
            "Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
    )
}

fn make_user(lab: &Lab, path: &str, name: &str) -> User {
    let input = CreateUserRequest {
        path: Some(path.to_owned()),
        user_name: name.to_owned(),
        tags: Some(vec![Tag { key: "team".to_owned(), value: "blue".to_owned() }]),
        permissions_boundary: None,
    };
    lab.call(create_user, input).unwrap().user.unwrap()
}

fn as_principal(user: &User) -> Principal {
    Principal::User {
        name: user.user_name.as_str().into(),
        path: user.path.as_str().into(),
        id: user.user_id.as_str().into(),
    }
}

fn identity_of(lab: &Lab, principal: &Principal) -> Option<Identity> {
    let snapshot = lab.plane.store.snapshot();
    identity(&mut Dependencies::new(&snapshot), ACCOUNT, principal).unwrap()
}

fn make_policy(lab: &Lab, name: &str, action: &str) -> String {
    let input = CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: document(action),
        ..CreatePolicyRequest::default()
    };
    lab.call(policy::create_policy, input).unwrap().policy.unwrap().arn.unwrap()
}

fn labels(identity: &Identity) -> Vec<&str> {
    identity.policies.iter().map(|policy| policy.label.as_str()).collect()
}

#[test]
fn an_identity_has_the_policies_of_the_user_and_its_groups() {
    let lab = Lab::new();
    let user = make_user(&lab, "/team/", "Ana");
    let (user_name, group_name) = ("Ana".to_owned(), "Blue".to_owned());
    lab.call(create_group, CreateGroupRequest { path: None, group_name: group_name.clone() })
        .unwrap();
    let arn = make_policy(&lab, "Managed", "sqs:*");
    let member =
        AddUserToGroupRequest { group_name: group_name.clone(), user_name: user_name.clone() };
    lab.call(add_user_to_group, member).unwrap();
    let inline = PutUserPolicyRequest {
        user_name: user_name.clone(),
        policy_name: "Own".to_owned(),
        policy_document: document("s3:*"),
    };
    lab.call(inline_policy::put_user_policy, inline).unwrap();
    let inline = PutGroupPolicyRequest {
        group_name: group_name.clone(),
        policy_name: "Shared".to_owned(),
        policy_document: document("sns:*"),
    };
    lab.call(inline_policy::put_group_policy, inline).unwrap();
    for policy_arn in [arn.clone(), "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()] {
        let group_name = group_name.clone();
        let attach = AttachGroupPolicyRequest { group_name, policy_arn };
        lab.call(attachment::attach_group_policy, attach).unwrap();
    }
    let attach = AttachUserPolicyRequest { user_name, policy_arn: arn.clone() };
    lab.call(attachment::attach_user_policy, attach).unwrap();
    let identity = identity_of(&lab, &as_principal(&user)).unwrap();
    assert_eq!(
        labels(&identity),
        [
            "inline:user/Ana/Own",
            "arn:aws:iam::123456789012:policy/Managed",
            "inline:group/Blue/Shared",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ]
    );
    assert_eq!(identity.policies[0].document, document("s3:*"));
    assert!(identity.policies[0].revision > 0 && !identity.policies[0].managed);
    assert_eq!((identity.policies[3].revision, identity.policies[3].managed), (0, true));
    assert_eq!(identity.tags, [("team".to_owned(), "blue".to_owned())]);
    assert_eq!(identity.boundary, None);
    // The default version counts, not the newest one.
    let version = CreatePolicyVersionRequest {
        policy_arn: arn,
        policy_document: document("kms:*"),
        set_as_default: Some(false),
    };
    lab.call(policy_version::create_policy_version, version.clone()).unwrap();
    let managed =
        |lab: &Lab| identity_of(lab, &as_principal(&user)).unwrap().policies[1].document.clone();
    assert_eq!(managed(&lab), document("sqs:*"));
    let version = CreatePolicyVersionRequest { set_as_default: Some(true), ..version };
    lab.call(policy_version::create_policy_version, version).unwrap();
    assert_eq!(managed(&lab), document("kms:*"));
}

#[test]
fn a_recreated_user_is_not_the_old_one() {
    let lab = Lab::new();
    let old = make_user(&lab, "/", "Ana");
    assert!(identity_of(&lab, &as_principal(&old)).is_some());
    lab.call(delete_user, DeleteUserRequest { user_name: "Ana".to_owned() }).unwrap();
    assert!(identity_of(&lab, &as_principal(&old)).is_none());
    let new = make_user(&lab, "/", "Ana");
    assert!(identity_of(&lab, &as_principal(&old)).is_none());
    assert!(identity_of(&lab, &as_principal(&new)).is_some());
    assert_eq!(identity_of(&lab, &Principal::Root), Some(Identity::default()));
    assert_eq!(identity_of(&lab, &Principal::Anonymous), None);
    assert_eq!(identity_of(&lab, &Principal::Service { name: "ec2.amazonaws.com".into() }), None);
}

#[test]
fn an_attached_policy_that_is_not_there_stops_the_decision() {
    let lab = Lab::new();
    let user = make_user(&lab, "/", "Ana");
    lab.write(|cx| {
        let mut access = access::load(cx, Kind::User, "Ana")?;
        access.attached.push("arn:aws:iam::123456789012:policy/gone".to_owned());
        access::save(cx, Kind::User, &access)
    })
    .unwrap();
    let snapshot = lab.plane.store.snapshot();
    let principal = as_principal(&user);
    let error = identity(&mut Dependencies::new(&snapshot), ACCOUNT, &principal).unwrap_err();
    assert_eq!(error.code.code, "InternalFailure");
}

#[test]
fn all_that_an_identity_is_made_of_is_noted() {
    let lab = Lab::new();
    let user = make_user(&lab, "/", "Ana");
    let snapshot = lab.plane.store.snapshot();
    let mut dependencies = Dependencies::new(&snapshot);
    identity(&mut dependencies, ACCOUNT, &as_principal(&user)).unwrap();
    let seen = dependencies.into_seen();
    let mut collections: Vec<_> = seen.iter().map(|(key, _)| key.as_key().collection).collect();
    collections.sort_unstable();
    assert_eq!(collections, ["iam/password-policy", "iam/user", "iam/user-access"]);
}

fn trust(principal: &str) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{{ \"Effect\": \"Allow\",\n    \
         \"Principal\": {principal},   \"Action\": \"sts:AssumeRole\" }}]\n}}"
    )
}

fn saved(lab: &Lab, principal: &str) -> Result<String, String> {
    let document = trust(principal);
    lab.write(move |cx| to_ids(cx, &document)).map_err(|error| error.to_string())
}

#[test]
fn stored_policies_name_principals_by_id() {
    let lab = Lab::new();
    let ana = make_user(&lab, "/team/", "Ana");
    let bob = make_user(&lab.in_account(OTHER), "/", "Bob");
    let written = format!(
        r#"{{"AWS": ["{}",  "{}", "210987654321"], "Service": "ec2.amazonaws.com"}}"#,
        ana.arn, bob.arn
    );
    let stored = saved(&lab, &written).unwrap();
    let expected = format!(
        r#"{{"AWS": ["{}",  "{}", "{}"], "Service": "ec2.amazonaws.com"}}"#,
        ana.user_id, bob.user_id, "arn:aws:iam::210987654321:root"
    );
    assert_eq!(stored, trust(&expected));
    // Today's name and path are shown, whatever they were when the document was saved.
    let update = UpdateUserRequest {
        user_name: "Ana".to_owned(),
        new_path: Some("/new/".to_owned()),
        new_user_name: Some("Anne".to_owned()),
    };
    lab.call(update_user, update).unwrap();
    let shown = |lab: &Lab| {
        let stored = stored.clone();
        lab.write(move |cx| to_arns(cx, &stored)).unwrap()
    };
    assert!(shown(&lab).contains(r#""arn:aws:iam::123456789012:user/new/Anne""#));
    assert!(shown(&lab).contains(r#""arn:aws:iam::210987654321:user/Bob""#));
    lab.call(delete_user, DeleteUserRequest { user_name: "Anne".to_owned() }).unwrap();
    make_user(&lab, "/team/", "Ana");
    assert!(shown(&lab).contains(&format!("\"{}\"", ana.user_id)));
}

#[test]
fn a_principal_that_is_not_there_is_refused() {
    let lab = Lab::new();
    let ana = make_user(&lab, "/team/", "Ana");
    for unknown in [
        "arn:aws:iam::123456789012:user/Nobody",
        "arn:aws:iam::123456789012:role/Nothing",
        "arn:aws:iam::210987654321:user/team/Ana",
        "arn:aws:iam::123456789012:user/Ana",
        "arn:aws:iam::123456789012:user/team/ana",
        "AIDAAAAAAAAAAAAAAAAAA",
    ] {
        let text =
            format!("MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"{unknown}\"");
        assert_eq!(saved(&lab, &format!(r#"{{"AWS":"{unknown}"}}"#)), Err(text));
    }
    for known in [
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":"arn:aws:iam::999999999999:root"}"#,
        r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/Reader/session"}"#,
        r#"{"Federated":"accounts.google.com"}"#,
        &format!(r#"{{"AWS":"{}"}}"#, ana.user_id),
    ] {
        assert_eq!(saved(&lab, known), Ok(trust(known)), "{known}");
    }
}

#[test]
fn a_role_trusts_the_principal_and_not_its_name() {
    let lab = Lab::new();
    let ana = make_user(&lab, "/", "Ana");
    let role = |name: &str, principal: &str| CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust(&format!(r#"{{"AWS":"{principal}"}}"#)),
        ..CreateRoleRequest::default()
    };
    let first = lab.call(create_role, role("First", &ana.arn)).unwrap().role;
    lab.call(create_role, role("Second", &first.arn)).unwrap();
    let trusted = |name: &str| {
        let input = GetRoleRequest { role_name: name.to_owned() };
        let document = lab.call(get_role, input).unwrap().role.assume_role_policy_document;
        document.unwrap()
    };
    let shown = |principal: &str| encoded(&trust(&format!(r#"{{"AWS":"{principal}"}}"#)));
    assert_eq!(trusted("Second"), shown(&first.arn));
    lab.call(delete_role, DeleteRoleRequest { role_name: "First".to_owned() }).unwrap();
    assert_eq!(trusted("Second"), shown(&first.role_id));
}

#[test]
fn a_session_has_the_policies_of_its_issuer() {
    let session = |kind, name: &str| Session {
        kind,
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        account: ACCOUNT.to_owned(),
        issuer_arn: String::new(),
        issuer_id: "ID".to_owned(),
        issuer_name: name.to_owned(),
        issuer_path: "/".to_owned(),
        name: "session".to_owned(),
        issued_at_millis: 0,
        expires_at_millis: 1,
        policies: Vec::new(),
        policy_arns: Vec::new(),
        tags: BTreeMap::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        mfa_at_millis: None,
        chained: false,
        federation: BTreeMap::new(),
    };
    let user = Principal::User { name: "Ana".into(), path: "/".into(), id: "ID".into() };
    let role = Principal::AssumedRole {
        role: "Reader".into(),
        path: "/".into(),
        id: "ID".into(),
        session: "session".into(),
    };
    assert_eq!(issuer(&session(SessionKind::SessionToken, "Ana")), user);
    assert_eq!(issuer(&session(SessionKind::FederationToken, "Ana")), user);
    assert_eq!(issuer(&session(SessionKind::SessionToken, "")), Principal::Root);
    assert_eq!(issuer(&session(SessionKind::AssumeRoot, "")), Principal::Root);
    assert_eq!(issuer(&session(SessionKind::AssumeRole, "Reader")), role);
    assert_eq!(issuer(&session(SessionKind::AssumeRoleWithWebIdentity, "Reader")), role);
}
