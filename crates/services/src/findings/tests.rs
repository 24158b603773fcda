use super::*;
use crate::iam::{access_key, group, inline_policy, login_profile, password_policy, policy, role};
use crate::iam::{samples, user};
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::*;

const ADMINISTRATOR: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// The resources that a check finds, as `ARN credential`.
fn found(lab: &Lab, id: &str) -> Vec<String> {
    let check = CHECKS.iter().find(|check| check.id == id).unwrap();
    let findings = lab.read(|cx| find(cx, &[check])).unwrap();
    let finding = &findings[0];
    let failed = finding.status == Status::Failed;
    assert_eq!(failed, !finding.resources.is_empty(), "{finding:?}");
    let told = finding.resources.iter();
    told.map(|one| match &one.credential {
        Some(credential) => format!("{} {credential}", one.arn),
        None => one.arn.clone(),
    })
    .collect()
}

fn make_user(lab: &Lab, name: &str) {
    let user_name = name.to_owned();
    lab.call(user::create_user, CreateUserRequest { user_name, ..Default::default() }).unwrap();
}

fn make_key(lab: &Lab, name: &str) -> String {
    let user_name = Some(name.to_owned());
    let input = CreateAccessKeyRequest { user_name };
    lab.call(access_key::create_access_key, input).unwrap().access_key.access_key_id
}

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

fn later(lab: &Lab, days: i64) -> Lab {
    lab.at(NOW.plus_seconds(days * 86_400))
}

#[test]
fn ids_are_unique_and_twelve_are_for_every_account() {
    let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CHECKS.len());
    assert_eq!(Lab::new().read(|cx| find(cx, CHECKS)).unwrap().len(), 12);
    assert!(CHECKS.iter().all(|check| !check.reads.is_empty()));
}

#[test]
fn keys_grow_old_and_idle() {
    let lab = Lab::new();
    make_user(&lab, "ana");
    let key = make_key(&lab, "ana");
    let told = format!("{} {key}", arn("user", "ana"));
    let edge = later(&lab, DAYS_MAX - 1);
    for id in ["key-rotation", "unused-credentials"] {
        assert_eq!(found(&edge, id), [""; 0], "{id}");
        assert_eq!(found(&later(&lab, DAYS_MAX + 1), id), std::slice::from_ref(&told), "{id}");
    }
    // Use makes a key no younger, but it is no longer idle.
    lab.plane.usage.note(&key, ACCOUNT, edge.request.at, "us-east-1", "iam");
    assert_eq!(found(&later(&lab, DAYS_MAX + 1), "unused-credentials"), [""; 0]);
    assert_eq!(found(&later(&lab, 2 * DAYS_MAX), "unused-credentials"), [told]);
    let status = "Inactive".to_owned();
    let user_name = Some("ana".to_owned());
    let off = UpdateAccessKeyRequest { user_name, access_key_id: key, status };
    lab.call(access_key::update_access_key, off).unwrap();
    for id in ["key-rotation", "unused-credentials"] {
        assert_eq!(found(&later(&lab, 200), id), [""; 0], "{id}");
    }
}

#[test]
fn a_user_without_credentials_is_idle_in_the_end() {
    let lab = Lab::new();
    make_user(&lab, "ana");
    assert_eq!(found(&later(&lab, DAYS_MAX - 1), "unused-credentials"), [""; 0]);
    let late = later(&lab, DAYS_MAX + 1);
    assert_eq!(found(&late, "unused-credentials"), [arn("user", "ana")]);
    let input = CreateLoginProfileRequest {
        user_name: Some("ana".to_owned()),
        password: Some("Correct-Horse-9-Battery".to_owned()),
        password_reset_required: None,
    };
    late.call(login_profile::create_login_profile, input).unwrap();
    assert_eq!(found(&late, "unused-credentials"), [""; 0]);
    let told = format!("{} password", arn("user", "ana"));
    assert_eq!(found(&later(&lab, 2 * DAYS_MAX + 2), "unused-credentials"), [told]);
    assert_eq!(found(&late, "mfa"), [arn("user", "ana")]);
}

#[test]
fn two_keys_in_use_are_shared_after_a_week() {
    let lab = Lab::new();
    make_user(&lab, "ana");
    let (older, younger) = (make_key(&lab, "ana"), make_key(&later(&lab, 1), "ana"));
    let use_at = |key: &str, days: i64| {
        lab.plane.usage.note(key, ACCOUNT, later(&lab, days).request.at, "us-east-1", "iam");
    };
    use_at(&younger, 2);
    use_at(&older, 7);
    assert_eq!(found(&later(&lab, 9), "delegation-by-roles"), [""; 0]);
    use_at(&older, 9);
    let told = format!("{} {older}", arn("user", "ana"));
    assert_eq!(found(&later(&lab, 9), "delegation-by-roles"), [told]);
}

#[test]
fn administrators_are_found_where_they_should_not_be() {
    let lab = Lab::new();
    samples::make_all(&lab, "app");
    let none = found(&lab, "least-privilege");
    assert_eq!(none, [""; 0]);
    let policy_document = ADMINISTRATOR.to_owned();
    let input = CreatePolicyRequest { policy_document, ..samples::new_policy("all") };
    lab.call(policy::create_policy, input).unwrap();
    let put = PutGroupPolicyRequest {
        group_name: "app".to_owned(),
        policy_name: "all".to_owned(),
        policy_document: ADMINISTRATOR.replace("\"*\",", "[\"s3:*\", \"*\"],"),
    };
    lab.call(inline_policy::put_group_policy, put).unwrap();
    let attach = AttachRolePolicyRequest {
        role_name: "app".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
    };
    lab.call(crate::iam::attachment::attach_role_policy, attach).unwrap();
    let expected = [arn("policy", "all"), arn("group", "app"), arn("role", "app")];
    assert_eq!(found(&lab, "least-privilege"), expected);
}

#[test]
fn whoever_lets_strangers_in_asks_for_more() {
    let trust = |principal: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
               "Principal":{principal}{condition}}}]}}"#
        )
    };
    let condition = r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#;
    let cases = [
        (r#""*""#, "", true),
        (r#""*""#, condition, false),
        (r#"{"AWS":"210987654321"}"#, "", true),
        (r#"{"AWS":"210987654321"}"#, condition, false),
        (r#"{"AWS":"123456789012"}"#, "", false),
        (r#"{"Service":"ec2.amazonaws.com"}"#, "", false),
        (r#"{"Federated":"cognito-identity.amazonaws.com"}"#, "", true),
    ];
    for (principal, condition, open) in cases {
        let lab = Lab::new();
        let mut input = samples::new_role("app");
        input.assume_role_policy_document = trust(principal, condition);
        lab.in_account("210987654321");
        lab.call(role::create_role, input).unwrap();
        let expected: &[String] = if open { &[arn("role", "app")] } else { &[] };
        assert_eq!(found(&lab, "policy-conditions"), expected, "{principal} {condition}");
    }
}

#[test]
fn a_group_alone_makes_nobody_and_a_user_does() {
    let lab = Lab::new();
    let group_name = "all".to_owned();
    lab.call(group::create_group, CreateGroupRequest { group_name, ..Default::default() }).unwrap();
    assert_eq!(found(&lab, "individual-users"), [format!("arn:aws:iam::{ACCOUNT}:root")]);
    make_user(&lab, "ana");
    assert_eq!(found(&lab, "individual-users"), [""; 0]);
}

#[test]
fn a_password_policy_is_as_strong_as_its_weakest_rule() {
    let strong = UpdateAccountPasswordPolicyRequest {
        minimum_password_length: Some(14),
        require_symbols: Some(true),
        require_numbers: Some(true),
        require_uppercase_characters: Some(true),
        require_lowercase_characters: Some(true),
        allow_users_to_change_password: None,
        max_password_age: Some(90),
        password_reuse_prevention: Some(24),
        hard_expiry: None,
    };
    let weak = [
        UpdateAccountPasswordPolicyRequest { minimum_password_length: Some(13), ..strong.clone() },
        UpdateAccountPasswordPolicyRequest { require_symbols: None, ..strong.clone() },
        UpdateAccountPasswordPolicyRequest { require_numbers: Some(false), ..strong.clone() },
        UpdateAccountPasswordPolicyRequest { max_password_age: None, ..strong.clone() },
        UpdateAccountPasswordPolicyRequest { max_password_age: Some(91), ..strong.clone() },
        UpdateAccountPasswordPolicyRequest {
            password_reuse_prevention: Some(23),
            ..strong.clone()
        },
    ];
    let lab = Lab::new();
    let root = [format!("arn:aws:iam::{ACCOUNT}:root")];
    let set = |input: UpdateAccountPasswordPolicyRequest| {
        lab.call(password_policy::update_account_password_policy, input).unwrap();
        found(&lab, "strong-password-policy")
    };
    assert_eq!(found(&lab, "strong-password-policy"), root);
    for input in weak {
        assert_eq!(set(input), root);
    }
    assert_eq!(set(strong), [""; 0]);
}
