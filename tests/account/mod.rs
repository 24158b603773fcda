//! Account Management with boto3.

use crate::organizations::{Organization, call as in_organizations};
use crate::support::{Caller, Lab, Refusal, each, policy};
use serde_json::{Value, json};

#[track_caller]
fn call(caller: &Caller<'_>, operation: &str, input: Value) -> Value {
    caller.ok("account", operation, input)
}

#[track_caller]
fn refused(caller: &Caller<'_>, operation: &str, input: Value, code: (&str, u64)) -> Refusal {
    caller.refused(("account", operation), input, code)
}

const MISSING: (&str, u64) = ("ResourceNotFoundException", 404);
const INVALID: (&str, u64) = ("ValidationException", 400);
const DENIED: (&str, u64) = ("AccessDeniedException", 403);

fn address() -> Value {
    json!({
        "FullName": "Ann Example", "AddressLine1": "1 Street", "City": "Town",
        "PostalCode": "12345", "CountryCode": "US", "PhoneNumber": "+1 555 0100",
        "StateOrRegion": "WA",
    })
}

#[test]
fn contacts_are_kept() {
    let Some(lab) = Lab::start("contacts_are_kept") else { return };
    let root = lab.root();
    refused(&root, "GetContactInformation", json!({}), MISSING);
    call(&root, "PutContactInformation", json!({ "ContactInformation": address() }));
    let told = call(&root, "GetContactInformation", json!({}));
    assert_eq!(told["ContactInformation"], address());
    let billing = json!({ "AlternateContactType": "BILLING" });
    refused(&root, "GetAlternateContact", billing.clone(), MISSING);
    let contact = json!({
        "AlternateContactType": "BILLING", "Name": "Bill", "Title": "CFO",
        "EmailAddress": "bill@example.com", "PhoneNumber": "+1 555 0101",
    });
    call(&root, "PutAlternateContact", contact.clone());
    let told = call(&root, "GetAlternateContact", billing.clone());
    assert_eq!(told["AlternateContact"], contact);
    refused(&root, "GetAlternateContact", json!({ "AlternateContactType": "SECURITY" }), MISSING);
    call(&root, "DeleteAlternateContact", billing.clone());
    refused(&root, "DeleteAlternateContact", billing, MISSING);
    let mut wrong = contact;
    wrong["EmailAddress"] = json!("no address");
    refused(&root, "PutAlternateContact", wrong, INVALID);
    let mut wrong = address();
    wrong["PhoneNumber"] = json!("555");
    refused(&root, "PutContactInformation", json!({ "ContactInformation": wrong }), INVALID);
    call(&root, "PutAccountName", json!({ "AccountName": "Renamed" }));
    let told = call(&root, "GetAccountInformation", json!({}));
    assert_eq!(
        (&told["AccountName"], &told["AccountState"]),
        (&json!("Renamed"), &json!("ACTIVE"))
    );
    assert_eq!(told["AccountId"], json!(lab.server.account_id()));
    refused(&root, "GetGovCloudAccountInformation", json!({}), MISSING);
}

fn wait_for(caller: &Caller<'_>, region: &str, status: &str) {
    for _ in 0..300 {
        let told = call(caller, "GetRegionOptStatus", json!({ "RegionName": region }));
        if told["RegionOptStatus"] == status {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{region} is not {status} in time");
}

#[test]
fn a_disabled_region_refuses() {
    let Some(lab) = Lab::start("a_disabled_region_refuses") else { return };
    let root = lab.root();
    let who = || root.in_region("eu-south-1", "sts", "GetCallerIdentity", json!({}));
    let refusal = who().unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("InvalidClientTokenId", 403));
    let region = json!({ "RegionName": "eu-south-1" });
    call(&root, "EnableRegion", region.clone());
    wait_for(&root, "eu-south-1", "ENABLED");
    who().unwrap();
    call(&root, "DisableRegion", region);
    wait_for(&root, "eu-south-1", "DISABLED");
    who().unwrap_err();
    for name in ["us-east-1", "nowhere-1"] {
        let refusal = refused(&root, "DisableRegion", json!({ "RegionName": name }), INVALID);
        assert!(refusal.message.contains(name), "{}", refusal.message);
    }
    let (mut names, mut pages, mut input) = (Vec::new(), 0, json!({ "MaxResults": 20 }));
    loop {
        let answer = call(&root, "ListRegions", input.clone());
        names.extend(each(&answer["Regions"], "RegionName").into_iter().map(str::to_owned));
        pages += 1;
        match answer.get("NextToken") {
            Some(next) => input["NextToken"] = next.clone(),
            None => break,
        }
    }
    assert_eq!((names.len(), pages), (34, 2));
    assert!(names.is_sorted());
    let some = json!({ "RegionOptStatusContains": ["ENABLED_BY_DEFAULT"] });
    let some = call(&root, "ListRegions", some)["Regions"].clone();
    assert_eq!(some.as_array().unwrap().len(), 17);
}

#[test]
fn the_management_account_speaks_for_its_members() {
    let Some(lab) = Lab::start("the_management_account_speaks_for_its_members") else { return };
    let organization = Organization::new(&lab);
    let management = &organization.management;
    let account = organization.new_account("member");
    let of_member = json!({ "AccountId": account });
    refused(management, "GetPrimaryEmail", of_member.clone(), DENIED);
    let service = json!({ "ServicePrincipal": "account.amazonaws.com" });
    in_organizations(management, "EnableAWSServiceAccess", service);
    let told = call(management, "GetPrimaryEmail", of_member.clone());
    assert_eq!(told["PrimaryEmail"], "member@example.com");
    let inside = organization.inside(&account);
    refused(&inside, "GetPrimaryEmail", of_member, DENIED);
    for id in [organization.account.as_str(), "999988887777"] {
        refused(management, "GetPrimaryEmail", json!({ "AccountId": id }), DENIED);
    }
    let contact = json!({ "AccountId": account, "ContactInformation": address() });
    call(management, "PutContactInformation", contact);
    let told = call(&inside, "GetContactInformation", json!({}));
    assert_eq!(told["ContactInformation"], address());

    let new = json!({ "AccountId": account, "PrimaryEmail": "new@example.com" });
    let started = call(management, "StartPrimaryEmailUpdate", new.clone());
    assert_eq!(started["Status"], "PENDING");
    let (_, outbox) = lab.server.operator("GET", "outbox", None);
    let mail = outbox["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&mail["to"], &mail["kind"]),
        (&json!("new@example.com"), &json!("primary-email-update"))
    );
    let with = |code: &str| {
        let mut input = new.clone();
        input["Otp"] = json!(code);
        input
    };
    refused(management, "AcceptPrimaryEmailUpdate", with("000000"), INVALID);
    let mut other = with(mail["code"].as_str().unwrap());
    other["PrimaryEmail"] = json!("other@example.com");
    refused(management, "AcceptPrimaryEmailUpdate", other, MISSING);
    let accepted =
        call(management, "AcceptPrimaryEmailUpdate", with(mail["code"].as_str().unwrap()));
    assert_eq!(accepted["Status"], "ACCEPTED");
    let told = organization.ok("DescribeAccount", json!({ "AccountId": account }));
    assert_eq!(told["Account"]["Email"], "new@example.com");
    refused(management, "AcceptPrimaryEmailUpdate", with("000000"), MISSING);
    let own = json!({ "AccountId": account, "PrimaryEmail": "root@localhost" });
    refused(management, "StartPrimaryEmailUpdate", own, INVALID);
    let taken = json!({ "AccountId": account, "PrimaryEmail": "NEW@example.com" });
    refused(management, "StartPrimaryEmailUpdate", taken, ("ConflictException", 409));
}

#[test]
fn who_has_no_permission_changes_nothing() {
    let Some(lab) = Lab::start("who_has_no_permission_changes_nothing") else { return };
    let organization = Organization::new(&lab);
    let account = organization.account.clone();
    let root = lab.root();
    let nobody = lab.user(&root, "nobody", None);
    let member = json!({ "AccountId": "222233334444" });
    let mut email = member.clone();
    email["PrimaryEmail"] = json!("a@example.com");
    let mut code = email.clone();
    code["Otp"] = json!("abc123");
    let region = json!({ "RegionName": "eu-south-1" });
    let billing = json!({ "AlternateContactType": "BILLING" });
    let contact = json!({
        "AlternateContactType": "BILLING", "Name": "B", "Title": "T",
        "EmailAddress": "b@example.com", "PhoneNumber": "1",
    });
    let calls = [
        ("AcceptPrimaryEmailUpdate", code),
        ("DeleteAlternateContact", billing.clone()),
        ("DisableRegion", region.clone()),
        ("EnableRegion", region.clone()),
        ("GetAccountInformation", json!({})),
        ("GetAlternateContact", billing),
        ("GetContactInformation", json!({})),
        ("GetGovCloudAccountInformation", json!({})),
        ("GetPrimaryEmail", member),
        ("GetRegionOptStatus", region),
        ("ListRegions", json!({})),
        ("PutAccountName", json!({ "AccountName": "x" })),
        ("PutAlternateContact", contact),
        ("PutContactInformation", json!({ "ContactInformation": address() })),
        ("StartPrimaryEmailUpdate", email),
    ];
    for (operation, input) in calls {
        let message = refused(&nobody, operation, input, DENIED).message;
        let expected = format!("is not authorized to perform: account:{operation} on resource: ");
        assert!(message.contains(&expected), "{message}");
    }
    refused(&root, "GetContactInformation", json!({}), MISSING);
    // A policy names the account, and the region that it is about.
    let mut own = policy(
        "Allow",
        &["account:EnableRegion"],
        &[&format!("arn:aws:account::{account}:account")],
    );
    own["Statement"][0]["Condition"] =
        json!({ "StringEquals": { "account:TargetRegion": "eu-south-1" } });
    let ann = lab.user(&root, "ann", Some(own));
    call(&ann, "EnableRegion", json!({ "RegionName": "eu-south-1" }));
    refused(&ann, "EnableRegion", json!({ "RegionName": "af-south-1" }), DENIED);
}
