//! Handshakes: invitations, and from consolidated billing to all features.

use super::{Organization, all, call};
use crate::support::{Caller, Lab, Raw, Signature, each};
use serde_json::{Value, json};

const OUTSIDE: &str = "222233334444";

fn invite(organization: &Organization<'_>, target: Value) -> Value {
    let input = json!({ "Target": target, "Notes": "come in" });
    organization.ok("InviteAccountToOrganization", input)["Handshake"].clone()
}

fn to(account: &str) -> Value {
    json!({ "Id": account, "Type": "ACCOUNT" })
}

fn answer(caller: &Caller<'_>, operation: &str, handshake: &Value) -> Value {
    call(caller, operation, json!({ "HandshakeId": handshake["Id"] }))["Handshake"].clone()
}

fn refused(caller: &Caller<'_>, operation: &str, handshake: &Value, code: &str) {
    let input = json!({ "HandshakeId": handshake["Id"] });
    caller.refused(("organizations", operation), input, (code, 400));
}

#[test]
fn an_account_is_invited_and_joins() {
    let Some(lab) = Lab::start("an_account_is_invited_and_joins") else { return };
    let organization = Organization::new(&lab);
    let guest = lab.account(OUTSIDE);
    let sent = invite(&organization, to(OUTSIDE));
    let id = sent["Id"].as_str().unwrap();
    let (management, of) = (&organization.account, &organization.id);
    let arn = format!("arn:aws:organizations::{management}:handshake/{of}/invite/{id}");
    assert_eq!((&sent["Arn"], &sent["State"]), (&json!(arn), &json!("OPEN")));
    let parties = json!([
        { "Id": of, "Type": "ORGANIZATION" }, { "Id": OUTSIDE, "Type": "ACCOUNT" }
    ]);
    assert_eq!(sent["Parties"], parties);
    let about: Vec<&str> = each(&sent["Resources"], "Type");
    assert_eq!(about, ["ORGANIZATION", "ACCOUNT", "NOTES"]);
    let inside = each(&sent["Resources"][0]["Resources"], "Type");
    assert_eq!(inside, ["MASTER_EMAIL", "MASTER_NAME", "ORGANIZATION_FEATURE_SET"]);
    let seen = call(&guest, "ListHandshakesForAccount", json!({}))["Handshakes"].clone();
    assert_eq!(seen, json!([sent]));
    assert_eq!(answer(&guest, "DescribeHandshake", &sent), sent);

    let again = json!({ "Target": to(OUTSIDE) });
    organization.refused("InviteAccountToOrganization", again, "DuplicateHandshakeException");
    refused(&organization.management, "AcceptHandshake", &sent, "AccessDeniedException");
    refused(&guest, "CancelHandshake", &sent, "AccessDeniedException");
    let accepted = answer(&guest, "AcceptHandshake", &sent);
    assert_eq!(accepted["State"], "ACCEPTED");
    let member = organization.ok("DescribeAccount", json!({ "AccountId": OUTSIDE }));
    assert_eq!(member["Account"]["JoinedMethod"], "INVITED");
    refused(&guest, "AcceptHandshake", &sent, "HandshakeAlreadyInStateException");
    refused(&guest, "DeclineHandshake", &sent, "InvalidHandshakeTransitionException");
    let member = json!({ "Target": to(OUTSIDE) });
    let code = "HandshakeConstraintViolationException";
    let refusal = organization.refused("InviteAccountToOrganization", member, code);
    assert_eq!(refusal["reason"], "ALREADY_IN_AN_ORGANIZATION");
}

#[test]
fn invitations_are_declined_canceled_and_listed() {
    let Some(lab) = Lab::start("invitations_are_declined_canceled_and_listed") else { return };
    let organization = Organization::new(&lab);
    let guest = lab.account(OUTSIDE);
    let email = json!({ "Id": format!("{OUTSIDE}@LOCALHOST.example"), "Type": "EMAIL" });
    let elsewhere = invite(&organization, email);
    assert_eq!(
        answer(&organization.management, "CancelHandshake", &elsewhere)["State"],
        "CANCELED"
    );
    let first = invite(&organization, to(OUTSIDE));
    assert_eq!(answer(&guest, "DeclineHandshake", &first)["State"], "DECLINED");
    let second = invite(&organization, to(OUTSIDE));
    assert_eq!(answer(&organization.management, "CancelHandshake", &second)["State"], "CANCELED");
    refused(&guest, "AcceptHandshake", &second, "InvalidHandshakeTransitionException");
    refused(
        &organization.management,
        "CancelHandshake",
        &second,
        "HandshakeAlreadyInStateException",
    );
    let listed = organization.pages("ListHandshakesForOrganization", json!({}), "Handshakes", 2);
    let mut states = all(&listed.0, "State");
    states.sort_unstable();
    assert_eq!((states, listed.1), (names(&["CANCELED", "CANCELED", "DECLINED"]), 2));
    let other = json!({ "Filter": { "ActionType": "ENABLE_ALL_FEATURES" } });
    let none = organization.ok("ListHandshakesForOrganization", other);
    assert_eq!(none["Handshakes"], json!([]));
    let cases = [
        (to("12"), "InvalidInputException"),
        (to("999988887777"), "AccountNotFoundException"),
        (json!({ "Id": "no address", "Type": "EMAIL" }), "InvalidInputException"),
        (json!({ "Id": organization.id, "Type": "ORGANIZATION" }), "InvalidInputException"),
    ];
    for (target, code) in cases {
        organization.refused("InviteAccountToOrganization", json!({ "Target": target }), code);
    }
    let ghost = json!({ "HandshakeId": "h-aaaaaaaa" });
    organization.refused("DescribeHandshake", ghost, "HandshakeNotFoundException");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A call by a client whose clock is ahead like the server's.
fn later(lab: &Lab, caller: &Caller<'_>, operation: &str, input: &Value, days: i64) -> Value {
    let target = format!("AWSOrganizationsV20161128.{operation}");
    let answer = lab.boto.raw(&Raw {
        method: "POST",
        path: "/",
        headers: &[("X-Amz-Target", &target), ("Content-Type", "application/x-amz-json-1.1")],
        body: input.to_string().as_bytes(),
        signature: Some(Signature {
            keys: &caller.keys,
            service: "organizations",
            moved_seconds: days * 86_400,
            in_query: false,
        }),
        ..Raw::default()
    });
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"))
}

#[test]
fn an_invitation_expires_and_is_forgotten() {
    let Some(lab) = Lab::start("an_invitation_expires_and_is_forgotten") else { return };
    let organization = Organization::new(&lab);
    let guest = lab.account(OUTSIDE);
    let sent = invite(&organization, to(OUTSIDE));
    let id = json!({ "HandshakeId": sent["Id"] });
    let advance = |days: i64| {
        let by = json!({ "advance": days * 86_400 });
        assert_eq!(lab.server.operator("PUT", "clock", Some(&by)).0, 200);
    };
    advance(16);
    let refusal = later(&lab, &guest, "AcceptHandshake", &id, 16);
    assert!(refusal.to_string().contains("InvalidHandshakeTransitionException"), "{refusal}");
    let told = later(&lab, &guest, "DescribeHandshake", &id, 16);
    assert_eq!(told["Handshake"]["State"], "EXPIRED");
    advance(31);
    let gone = later(&lab, &guest, "DescribeHandshake", &id, 47);
    assert!(gone.to_string().contains("HandshakeNotFoundException"), "{gone}");
}

#[test]
fn all_features_take_everybodys_consent() {
    let Some(lab) = Lab::start("all_features_take_everybodys_consent") else { return };
    let organization = Organization::of(&lab, "CONSOLIDATED_BILLING");
    let scp = json!({ "RootId": organization.root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    let code = "ConstraintViolationException";
    let refusal = organization.refused("EnablePolicyType", scp.clone(), code);
    assert_eq!(refusal["reason"], "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
    organization.new_account("made");
    let guest = lab.account(OUTSIDE);
    let invitation = invite(&organization, to(OUTSIDE));
    answer(&guest, "AcceptHandshake", &invitation);

    let request = organization.ok("EnableAllFeatures", json!({}))["Handshake"].clone();
    assert_eq!(request["State"], "REQUESTED");
    let code = "HandshakeConstraintViolationException";
    organization.refused("EnableAllFeatures", json!({}), code);
    let asked = call(
        &guest,
        "ListHandshakesForAccount",
        json!({ "Filter": { "ActionType": "ENABLE_ALL_FEATURES" } }),
    );
    let asked = asked["Handshakes"].as_array().unwrap().clone();
    assert_eq!(asked.len(), 1);
    refused(
        &organization.management,
        "AcceptHandshake",
        &request,
        "InvalidHandshakeTransitionException",
    );
    // One who declines ends it for all.
    answer(&guest, "DeclineHandshake", &asked[0]);
    let again = organization.ok("EnableAllFeatures", json!({}))["Handshake"].clone();
    let parts = json!({ "Filter": { "ParentHandshakeId": again["Id"] } });
    let parts = organization.ok("ListHandshakesForOrganization", parts)["Handshakes"].clone();
    answer(&guest, "AcceptHandshake", &parts[0]);
    let last = json!({ "Filter": { "ActionType": "APPROVE_ALL_FEATURES" } });
    let last = organization.ok("ListHandshakesForOrganization", last)["Handshakes"].clone();
    let features = || organization.ok("DescribeOrganization", json!({}))["Organization"].clone();
    assert_eq!(features()["FeatureSet"], "CONSOLIDATED_BILLING");
    answer(&organization.management, "AcceptHandshake", &last[0]);
    assert_eq!(features()["FeatureSet"], "ALL");
    organization.ok("EnablePolicyType", scp);
    guest.ok("iam", "GetRole", json!({ "RoleName": "AWSServiceRoleForOrganizations" }));
    let refusal = organization.refused("EnableAllFeatures", json!({}), code);
    assert_eq!(refusal["reason"], "ORGANIZATION_ALREADY_HAS_ALL_FEATURES");
}
