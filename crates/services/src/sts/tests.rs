use super::authorization_message::{
    AuthorizationMessage, decode_authorization_message, encode_authorization_message,
};
use super::federated_user::{get_federation_token, get_federation_token_requirements};
use super::identity::{get_access_key_info, get_caller_identity};
use super::resources::StsResources;
use super::role::{assume_role, assume_role_requirements};
use super::session::{self, Issuer, NewSession};
use super::session_token::get_session_token;
use crate::authorization::{Requirement, caller_of};
use crate::caller::{Session, SessionKind};
use crate::iam::role::create_role;
use crate::service::Resources;
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{CreateRoleRequest, Role};
use palisade_model::sts::{
    AssumeRoleRequest, AssumeRoleResponse, Credentials, DecodeAuthorizationMessageRequest,
    GetAccessKeyInfoRequest, GetCallerIdentityRequest, GetFederationTokenRequest,
    GetSessionTokenRequest, PolicyDescriptorType, Tag,
};
use std::collections::BTreeMap;
use std::sync::Arc;

const OTHER: &str = "210987654321";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#;
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A session of a user without anything special.
pub(crate) fn plain_session() -> Session {
    Session {
        kind: SessionKind::SessionToken,
        access_key_id: "ASIAEXAMPLE".into(),
        secret_access_key: "secret".into(),
        account: ACCOUNT.into(),
        issuer_arn: "arn:aws:iam::123456789012:user/ana".into(),
        issuer_id: "AIDA1".into(),
        issuer_name: "ana".into(),
        issuer_path: "/".into(),
        name: String::new(),
        issued_at_millis: NOW.millis(),
        expires_at_millis: NOW.plus_seconds(900).millis(),
        policies: Vec::new(),
        policy_arns: Vec::new(),
        tags: BTreeMap::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        mfa_at_millis: None,
        chained: false,
        federation: BTreeMap::new(),
    }
}

fn make_role(lab: &Lab, name: &str, seconds: i32) -> Role {
    let input = CreateRoleRequest {
        path: Some("/team/".into()),
        role_name: name.into(),
        assume_role_policy_document: TRUST.into(),
        max_session_duration: Some(seconds),
        ..CreateRoleRequest::default()
    };
    lab.call(create_role, input).unwrap().role
}

fn assume(role: &Role) -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: role.arn.clone(),
        role_session_name: "nightly".into(),
        ..AssumeRoleRequest::default()
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

fn credentials(answer: AssumeRoleResponse) -> Credentials {
    answer.credentials.unwrap()
}

/// A lab called with the session of those credentials.
fn with(lab: &Lab, credentials: &Credentials) -> Lab {
    let token = &credentials.session_token;
    let session = session::open(&lab.plane, token, &credentials.access_key_id).unwrap();
    lab.called_by(caller_of(&Arc::new(session)))
}

fn actions(requirements: &[Requirement]) -> Vec<&str> {
    requirements.iter().map(|one| one.action.as_str()).collect()
}

#[test]
fn a_caller_learns_who_it_is() {
    let lab = Lab::new();
    let root = lab.call(get_caller_identity, GetCallerIdentityRequest::default()).unwrap();
    assert_eq!(root.user_id.as_deref(), Some(ACCOUNT));
    assert_eq!(root.arn.as_deref(), Some("arn:aws:iam::123456789012:root"));

    let role = make_role(&lab, "Builder", 3600);
    let user = lab.called_by_user("ana", "AIDA1");
    let assumed = credentials(user.call(assume_role, assume(&role)).unwrap());
    let answer =
        with(&lab, &assumed).call(get_caller_identity, GetCallerIdentityRequest::default());
    let answer = answer.unwrap();
    assert_eq!(answer.user_id, Some(format!("{}:nightly", role.role_id)));
    let arn = "arn:aws:sts::123456789012:assumed-role/Builder/nightly";
    assert_eq!(answer.arn.as_deref(), Some(arn));
}

#[test]
fn a_role_of_another_account_is_assumed() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let role = make_role(&other, "Builder", 7200);
    let input = AssumeRoleRequest {
        duration_seconds: Some(7200),
        tags: Some(vec![tag("team", "blue")]),
        policy: Some(ALLOW_ALL.into()),
        source_identity: Some("ana".into()),
        ..assume(&role)
    };
    let user = lab.called_by_user("ana", "AIDA1");
    let answer = user.call(assume_role, input).unwrap();
    assert!(answer.packed_policy_size.unwrap() > 0);
    assert_eq!(answer.source_identity.as_deref(), Some("ana"));
    let credentials = credentials(answer);
    assert_eq!(credentials.expiration, NOW.whole_seconds().plus_seconds(7200));
    let info = GetAccessKeyInfoRequest { access_key_id: credentials.access_key_id.clone() };
    let info = lab.call(get_access_key_info, info).unwrap();
    assert_eq!(info.account.as_deref(), Some(OTHER));

    let session =
        session::open(&lab.plane, &credentials.session_token, &credentials.access_key_id).unwrap();
    assert_eq!(session.secret_access_key, credentials.secret_access_key);
    assert_eq!((session.issuer_arn, session.issuer_id), (role.arn, role.role_id));
    assert_eq!(session.policies, [ALLOW_ALL]);
    assert_eq!(session.account, OTHER);
    assert!(!session.chained);
}

#[test]
fn the_role_and_its_account_are_noted_for_the_trail() {
    let lab = Lab::new();
    let role = make_role(&lab.in_account(OTHER), "Builder", 3600);
    let user = lab.called_by_user("ana", "AIDA1");
    let notes = user.read(|cx| assume_role(cx, assume(&role)).map(|_| cx.notes.clone())).unwrap();
    assert_eq!(notes.shared_with, [OTHER]);
    assert_eq!(notes.resources[0].arn, role.arn);
    assert_eq!(notes.resources[0].account, OTHER);
}

#[test]
fn what_a_call_needs_to_be_allowed() {
    let lab = Lab::new();
    let role = make_role(&lab, "Builder", 3600);
    let user = lab.called_by_user("ana", "AIDA1");
    let plain = user.read(|cx| assume_role_requirements(cx, &assume(&role))).unwrap();
    assert_eq!(actions(&plain), ["sts:AssumeRole"]);
    assert_eq!((&*plain[0].kind, &*plain[0].resource), ("role", &*role.arn));

    let full = AssumeRoleRequest {
        external_id: Some("shared".into()),
        source_identity: Some("ana".into()),
        tags: Some(vec![tag("team", "blue")]),
        transitive_tag_keys: Some(vec!["team".into()]),
        ..assume(&role)
    };
    let needed = user.read(|cx| assume_role_requirements(cx, &full)).unwrap();
    assert_eq!(actions(&needed), ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
    for key in ["sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys"] {
        assert!(needed[0].keys.iter().any(|(known, _)| known == key), "{key}");
    }

    // What a session hands on needs the same permissions in the next role of the chain.
    let chained = with(&lab, &credentials(user.call(assume_role, full).unwrap()));
    let needed = chained.read(|cx| assume_role_requirements(cx, &assume(&role))).unwrap();
    assert_eq!(actions(&needed), ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
}

#[test]
fn a_chain_keeps_tags_and_source_and_is_short() {
    let lab = Lab::new();
    let (first, second) = (make_role(&lab, "First", 3600), make_role(&lab, "Second", 43_200));
    let user = lab.called_by_user("ana", "AIDA1");
    let input = AssumeRoleRequest {
        source_identity: Some("ana".into()),
        tags: Some(vec![tag("Team", "blue"), tag("own", "1")]),
        transitive_tag_keys: Some(vec!["team".into()]),
        ..assume(&first)
    };
    let chained = with(&lab, &credentials(user.call(assume_role, input).unwrap()));
    let next = with(&lab, &credentials(chained.call(assume_role, assume(&second)).unwrap()));
    let session = next.caller.session.clone().unwrap();
    assert!(session.chained);
    assert_eq!(session.source_identity.as_deref(), Some("ana"));
    assert_eq!(
        session.tags.clone().into_iter().collect::<Vec<_>>(),
        [("Team".into(), "blue".into())]
    );
    assert_eq!(session.transitive_tag_keys, ["team"]);

    let refused = |input| chained.refusal(assume_role, input);
    let long = AssumeRoleRequest { duration_seconds: Some(3601), ..assume(&second) };
    assert!(refused(long).contains("exceeds the 1 hour session limit"));
    let over = AssumeRoleRequest { tags: Some(vec![tag("TEAM", "red")]), ..assume(&second) };
    assert!(refused(over).starts_with("InvalidParameterValue: One of the specified transitive"));
    let other = AssumeRoleRequest { source_identity: Some("bob".into()), ..assume(&second) };
    assert!(refused(other).starts_with("InvalidParameterValue: The source identity"));
}

#[test]
fn what_is_wrong_with_a_call() {
    let lab = Lab::new();
    let role = make_role(&lab, "Builder", 3600);
    let user = lab.called_by_user("ana", "AIDA1");
    let base = || assume(&role);
    let arn = |arn: &str| PolicyDescriptorType { arn: Some(arn.into()) };
    let long_policy =
        ALLOW_ALL.replace("\"*\"}", &format!("\"arn:aws:s3:::{}\"}}", "a".repeat(2048)));
    let noise: Vec<Tag> = (0..50_u64)
        .map(|n| {
            let hash = |salt: u64| (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ salt);
            let value: String = (0..15).map(|salt| format!("{:016x}", hash(salt * 977))).collect();
            tag(&format!("key{n}"), &value)
        })
        .collect();
    let cases: Vec<(AssumeRoleRequest, &str)> = vec![
        (
            AssumeRoleRequest { role_arn: "arn:aws:iam::1:role/xxxx".into(), ..base() },
            "ValidationError: arn:aws:iam::1:role/xxxx is invalid",
        ),
        (
            AssumeRoleRequest {
                role_arn: "arn:aws:iam::123456789012:role/Builder".into(),
                ..base()
            },
            "AccessDenied: User: arn:aws:iam::123456789012:user/ana is not authorized to perform: \
             sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Builder",
        ),
        (
            AssumeRoleRequest { duration_seconds: Some(7200), ..base() },
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for \
             this role.",
        ),
        (AssumeRoleRequest { policy: Some("{".into()), ..base() }, "MalformedPolicyDocument: "),
        (
            AssumeRoleRequest { policy: Some(long_policy), ..base() },
            "PackedPolicyTooLarge: Packed policy consumes 1",
        ),
        (
            AssumeRoleRequest { tags: Some(noise), ..base() },
            "PackedPolicyTooLarge: Packed size of session tags consumes ",
        ),
        (
            AssumeRoleRequest {
                policy_arns: Some(vec![arn("arn:aws:iam::123456789012:policy/None")]),
                ..base()
            },
            "ValidationError: Policy ARN arn:aws:iam::123456789012:policy/None does not exist",
        ),
        (
            AssumeRoleRequest {
                policy_arns: Some(vec![arn("arn:aws:iam::aws:policy/ReadOnlyAccess"); 11]),
                ..base()
            },
            "ValidationError: 1 validation error detected: Value at 'policyArns'",
        ),
        (
            AssumeRoleRequest { tags: Some(vec![tag("a", "1"), tag("A", "2")]), ..base() },
            "InvalidParameterValue: Duplicate tag keys found.",
        ),
        (
            AssumeRoleRequest { tags: Some(vec![tag("AWS:a", "1")]), ..base() },
            "InvalidParameterValue: Tag keys starting with 'aws:'",
        ),
        (
            AssumeRoleRequest { transitive_tag_keys: Some(vec!["a".into()]), ..base() },
            "InvalidParameterValue: The specified transitive tag key must be included",
        ),
        (
            AssumeRoleRequest {
                serial_number: Some("arn:aws:iam::123456789012:mfa/ana".into()),
                token_code: Some("123456".into()),
                ..base()
            },
            "AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.",
        ),
    ];
    for (input, expected) in cases {
        let refusal = user.refusal(assume_role, input);
        assert!(refusal.starts_with(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn who_cannot_assume_roles() {
    let lab = Lab::new();
    let role = make_role(&lab, "Builder", 3600);
    let refused = |lab: &Lab| {
        lab.read(|cx| assume_role_requirements(cx, &assume(&role))).unwrap_err().to_string()
    };
    let root = "AccessDenied: Roles may not be assumed by root accounts.";
    assert_eq!(refused(&lab), root);
    let input = GetFederationTokenRequest { name: "bob".into(), ..Default::default() };
    let user = lab.called_by_user("ana", "AIDA1");
    let answer = user.call(get_federation_token, input).unwrap();
    let federated = with(&lab, &answer.credentials.unwrap());
    assert!(
        refused(&federated)
            .starts_with("AccessDenied: User: arn:aws:sts::123456789012:federated-user/bob")
    );
    // As a user with a session token may.
    let answer = user.call(get_session_token, GetSessionTokenRequest::default()).unwrap();
    let session = with(&lab, &answer.credentials.unwrap());
    assert!(session.read(|cx| assume_role_requirements(cx, &assume(&role))).is_ok());
}

#[test]
fn users_and_root_get_session_tokens_and_sessions_do_not() {
    let lab = Lab::new();
    let ask = |lab: &Lab, seconds| {
        let input = GetSessionTokenRequest { duration_seconds: seconds, ..Default::default() };
        lab.call(get_session_token, input).map(|answer| answer.credentials.unwrap())
    };
    let ends = |credentials: &Credentials| credentials.expiration.seconds() - NOW.seconds();
    assert_eq!(ends(&ask(&lab, None).unwrap()), 3600);
    assert_eq!(ends(&ask(&lab, Some(43_200)).unwrap()), 3600);
    let user = lab.called_by_user("ana", "AIDA1");
    let credentials = ask(&user, None).unwrap();
    assert_eq!(ends(&credentials), 43_200);
    let session = with(&lab, &credentials);
    assert_eq!(session.caller.arn, user.caller.arn);
    let error = ask(&session, None).err().unwrap().to_string();
    assert_eq!(error, "AccessDenied: Cannot call GetSessionToken with session credentials");
}

#[test]
fn a_federated_user_has_session_policies_and_tags() {
    let lab = Lab::new().called_by_user("ana", "AIDA1");
    let input = GetFederationTokenRequest {
        name: "bob".into(),
        policy: Some(ALLOW_ALL.into()),
        tags: Some(vec![tag("team", "blue")]),
        ..Default::default()
    };
    let needed = lab.read(|cx| get_federation_token_requirements(cx, &input)).unwrap();
    assert_eq!(actions(&needed), ["sts:GetFederationToken", "sts:TagSession"]);
    assert_eq!(needed[0].resource, "arn:aws:sts::123456789012:federated-user/bob");
    let answer = lab.call(get_federation_token, input).unwrap();
    let user = answer.federated_user.unwrap();
    assert_eq!(user.federated_user_id, "123456789012:bob");
    let session = with(&lab, &answer.credentials.unwrap()).caller.session.unwrap();
    assert_eq!((session.kind, &*session.name), (SessionKind::FederationToken, "bob"));
    assert_eq!(session.tags.len(), 1);
    assert!(session.transitive_tag_keys.is_empty());
}

#[test]
fn a_token_opens_for_its_own_key_and_plane_only() {
    let lab = Lab::new();
    let issue = |lab: &Lab| {
        let issuer = Issuer {
            account: ACCOUNT.into(),
            arn: "arn:aws:iam::123456789012:user/ana".into(),
            id: "AIDA1".into(),
            name: "ana".into(),
            path: "/".into(),
        };
        lab.read(|cx| session::issue(cx, NewSession::of(issuer, SessionKind::SessionToken, 900)))
            .unwrap()
    };
    let one = issue(&lab);
    let (token, id) = (one.session_token.as_str(), one.access_key_id.as_str());
    assert!(token.starts_with("PLSD1") && token.len() < 1024, "{}", token.len());
    assert!(session::open(&lab.plane, token, id).is_some());
    let two = issue(&lab);
    assert!(session::open(&lab.plane, token, &two.access_key_id).is_none());
    assert!(session::open(&lab.plane, "", id).is_none());
    assert!(session::open(&lab.plane, "PLSD1", id).is_none());
    assert!(session::open(&lab.plane, &"A".repeat(1 << 20), id).is_none());
    // No byte of it may change.
    for index in 0..token.len() {
        let mut forged = token.as_bytes().to_vec();
        forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(session::open(&lab.plane, &forged, id).is_none(), "{index}");
    }
}

#[test]
fn the_largest_session_makes_a_token_that_fits_a_header() {
    let lab = Lab::new();
    let role = make_role(&lab, "Builder", 3600);
    let resource = format!("arn:aws:s3:::{}", "abcdefghij".repeat(180));
    let tags = (0..50).map(|n| tag(&format!("{n:0>128}"), &"v".repeat(256))).collect();
    let input = AssumeRoleRequest {
        policy: Some(ALLOW_ALL.replace("\"*\"}", &format!("\"{resource}\"}}"))),
        tags: Some(tags),
        ..assume(&role)
    };
    let user = lab.called_by_user("ana", "AIDA1");
    let answer = credentials(user.call(assume_role, input).unwrap());
    assert!(answer.session_token.len() < 8192, "{}", answer.session_token.len());
    assert_eq!(with(&lab, &answer).caller.session.unwrap().tags.len(), 50);
}

#[test]
fn a_missing_role_trusts_nobody() {
    let lab = Lab::new();
    let role = make_role(&lab, "Builder", 3600);
    let policy = |arn: &str| lab.read(|cx| StsResources.policy(cx, "role", arn)).unwrap().unwrap();
    assert_eq!(policy(&role.arn).document, TRUST);
    let missing = policy("arn:aws:iam::123456789012:role/None");
    assert!(missing.must_allow);
    let kind = palisade_policy::DocumentKind::Trust;
    assert!(palisade_policy::Policy::parse(&missing.document, kind).is_ok());
}

#[test]
fn an_encoded_message_opens_in_its_account() {
    let lab = Lab::new();
    let message = AuthorizationMessage { explicit_deny: true, ..Default::default() };
    let encoded = encode_authorization_message(&lab.plane, ACCOUNT, &message).unwrap();
    let input = DecodeAuthorizationMessageRequest { encoded_message: encoded };
    let answer = lab.call(decode_authorization_message, input.clone()).unwrap();
    let text = answer.decoded_message.unwrap();
    assert_eq!(serde_json::from_str::<AuthorizationMessage>(&text).unwrap(), message);
    let start = r#"{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[]},"#;
    assert!(text.starts_with(start), "{text}");
    let elsewhere = lab.in_account(OTHER).refusal(decode_authorization_message, input);
    assert!(elsewhere.starts_with("InvalidAuthorizationMessageException"));
}
