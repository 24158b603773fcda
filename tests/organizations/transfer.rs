//! Responsibility transfers between two organizations.

use super::{Organization, call};
use crate::support::{Lab, Refusal};
use serde_json::{Value, json};

const OTHER: &str = "222233334444";

#[test]
fn a_bill_is_transferred_and_given_back() {
    let Some(lab) = Lab::start("a_bill_is_transferred_and_given_back") else { return };
    let organization = Organization::new(&lab);
    let other = lab.account(OTHER);
    call(&other, "CreateOrganization", json!({}));
    let offer = |start: &str| {
        json!({
            "Type": "BILLING", "Target": { "Id": OTHER, "Type": "ACCOUNT" },
            "StartTimestamp": start, "SourceName": "their bill",
        })
    };
    let operation = "InviteOrganizationToTransferResponsibility";
    let next = next_month(&lab);
    for (start, reason) in [
        ("2020-01-01T00:00:00Z".to_owned(), "START_DATE_TOO_EARLY"),
        (next.replace("-01T", "-02T"), "START_DATE_NOT_BEGINNING_OF_MONTH"),
        (next.replace("00:00:00", "01:00:00"), "START_DATE_NOT_BEGINNING_OF_DAY"),
        ("2199-01-01T00:00:00Z".to_owned(), "START_DATE_TOO_LATE"),
    ] {
        let refusal = organization.refused(operation, offer(&start), "InvalidInputException");
        assert_eq!(refusal["reason"], reason, "{start}");
    }
    let sent = organization.ok(operation, offer(&next))["Handshake"].clone();
    assert_eq!(sent["Action"], "TRANSFER_RESPONSIBILITY");
    organization.refused(operation, offer(&next), "DuplicateHandshakeException");
    let billing = json!({ "Type": "BILLING" });
    let inbound = |list: &Value| list["ResponsibilityTransfers"][0].clone();
    let seen = inbound(&organization.ok("ListInboundResponsibilityTransfers", billing.clone()));
    assert_eq!((&seen["Status"], &seen["Name"]), (&json!("REQUESTED"), &json!("their bill")));
    assert_eq!(seen["ActiveHandshakeId"], sent["Id"]);
    assert!(seen["Arn"].as_str().unwrap().contains("transfer/"), "{seen}");
    let id = json!({ "Id": seen["Id"] });
    let code = "InvalidResponsibilityTransferTransitionException";
    organization.refused("TerminateResponsibilityTransfer", id.clone(), code);
    call(&other, "AcceptHandshake", json!({ "HandshakeId": sent["Id"] }));
    let theirs = inbound(&call(&other, "ListOutboundResponsibilityTransfers", billing));
    assert_eq!((&theirs["Status"], &theirs["Id"]), (&json!("ACCEPTED"), &seen["Id"]));
    assert_eq!(theirs["Source"]["ManagementAccountId"], json!(OTHER));
    organization.refused("DeleteOrganization", json!({}), "ConstraintViolationException");
    let name = json!({ "Id": seen["Id"], "Name": "renamed" });
    organization.ok("UpdateResponsibilityTransfer", name);
    let told = organization.ok("DescribeResponsibilityTransfer", id.clone());
    assert_eq!(told["ResponsibilityTransfer"]["Name"], "renamed");
    let odd = json!({ "Id": seen["Id"], "EndTimestamp": "2199-01-15T00:00:00Z" });
    let refusal =
        organization.refused("TerminateResponsibilityTransfer", odd, "InvalidInputException");
    assert_eq!(refusal["reason"], "END_DATE_NOT_END_OF_MONTH");
    let ended = call(&other, "TerminateResponsibilityTransfer", id.clone());
    assert_eq!(ended["ResponsibilityTransfer"]["Status"], "WITHDRAWN");
    let code = "ResponsibilityTransferAlreadyInStatusException";
    organization.refused("TerminateResponsibilityTransfer", id, code);
    let ghost = json!({ "Id": "rt-aaaaaaaa" });
    let code = "ResponsibilityTransferNotFoundException";
    organization.refused("DescribeResponsibilityTransfer", ghost, code);
    // One that is declined is over.
    let again = organization.ok(operation, offer(&next))["Handshake"].clone();
    let declined: Result<Value, Refusal> =
        other.call("organizations", "DeclineHandshake", json!({ "HandshakeId": again["Id"] }));
    assert_eq!(declined.unwrap()["Handshake"]["State"], "DECLINED");
    organization.ok("DeleteOrganization", json!({}));
}

/// The first of the month after the server's now.
fn next_month(lab: &Lab) -> String {
    let (_, now) = lab.server.operator("GET", "clock", None);
    let now = now["now"].as_str().unwrap();
    let (year, month): (u32, u32) = (now[..4].parse().unwrap(), now[5..7].parse().unwrap());
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    format!("{year}-{month:02}-01T00:00:00Z")
}
