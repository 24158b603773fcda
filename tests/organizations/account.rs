//! Accounts: made, listed, moved, removed, closed and opened again.

use super::{Organization, all, call};
use crate::support::{Lab, Raw, Signature, each};
use serde_json::{Value, json};

#[test]
fn an_account_is_made_with_a_way_in() {
    let Some(lab) = Lab::start("an_account_is_made_with_a_way_in") else { return };
    let organization = Organization::new(&lab);
    let done = organization.create(json!({
        "Email": "Team@Example.com", "AccountName": "Team", "RoleName": "Way",
        "Tags": [{ "Key": "team", "Value": "blue" }],
    }));
    assert_eq!((&done["State"], &done["AccountName"]), (&json!("SUCCEEDED"), &json!("Team")));
    let id = done["AccountId"].as_str().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()), "{done}");
    let told = organization.ok("DescribeAccount", json!({ "AccountId": id }))["Account"].clone();
    let (management, of) = (&organization.account, &organization.id);
    let arn = format!("arn:aws:organizations::{management}:account/{of}/{id}");
    assert_eq!(told["Arn"], json!(arn));
    assert_eq!(
        (&told["Email"], &told["Status"], &told["State"], &told["JoinedMethod"]),
        (&json!("Team@Example.com"), &json!("ACTIVE"), &json!("ACTIVE"), &json!("CREATED"))
    );
    let path = format!("{of}/{}/{id}/", organization.root);
    assert_eq!(told["Paths"], json!([path]));
    let tags = organization.ok("ListTagsForResource", json!({ "ResourceId": id }));
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "blue" }]));
    let input = json!({
        "RoleArn": format!("arn:aws:iam::{id}:role/Way"), "RoleSessionName": "session"
    });
    let session = organization.management.ok("sts", "AssumeRole", input);
    let inside = lab.caller(crate::support::Keys::of_session(&session));
    assert_eq!(inside.ok("sts", "GetCallerIdentity", json!({}))["Account"], json!(id));
    inside.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    // Nothing of it is seen from outside.
    let users = organization.management.ok("iam", "ListUsers", json!({}));
    assert_eq!(each(&users["Users"], "UserName"), ["admin"]);
}

#[test]
fn an_account_that_cannot_be_made_says_why() {
    let Some(lab) = Lab::start("an_account_that_cannot_be_made_says_why") else { return };
    let organization = Organization::new(&lab);
    organization.new_account("first");
    let cases = [
        ("FIRST@example.com", "EMAIL_ALREADY_EXISTS"),
        ("root@localhost.com.", "INVALID_EMAIL"),
        ("a(b)@example.com", "INVALID_EMAIL"),
        (".ab@example.com", "INVALID_EMAIL"),
    ];
    for (email, reason) in cases {
        let done = organization.create(json!({ "Email": email, "AccountName": "x" }));
        assert_eq!(done["State"], "FAILED", "{email}");
        assert_eq!(done["FailureReason"], reason, "{email}");
        assert!(done.get("AccountId").is_none(), "{done}");
    }
    let failed = json!({ "States": ["FAILED"] });
    let (failed, pages) =
        organization.pages("ListCreateAccountStatus", failed, "CreateAccountStatuses", 3);
    assert_eq!((failed.len(), pages), (4, 2));
    let all = organization.pages("ListCreateAccountStatus", json!({}), "CreateAccountStatuses", 20);
    assert_eq!(all.0.len(), 5);
    let ghost = json!({ "CreateAccountRequestId": "car-aaaaaaaa" });
    let code = "CreateAccountStatusNotFoundException";
    organization.refused("DescribeCreateAccountStatus", ghost, code);
    let role = json!({
        "Email": "b@example.com", "AccountName": "b", "RoleName": "AWSServiceRoleForX"
    });
    let refusal = organization.refused("CreateAccount", role, "InvalidInputException");
    assert_eq!(refusal["reason"], "INVALID_ROLE_NAME");
    let gov = json!({ "Email": "gov@example.com", "AccountName": "gov" });
    let code = "ConstraintViolationException";
    let refusal = organization.refused("CreateGovCloudAccount", gov, code);
    assert_eq!(refusal["reason"], "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED");
}

fn moved(account: &str, from: &str, to: &str) -> Value {
    json!({ "AccountId": account, "SourceParentId": from, "DestinationParentId": to })
}

#[test]
fn accounts_move_and_are_listed_where_they_are() {
    let Some(lab) = Lab::start("accounts_move_and_are_listed_where_they_are") else { return };
    let organization = Organization::new(&lab);
    let (root, management) = (organization.root.clone(), organization.account.clone());
    let unit = organization.new_unit(&root, "a");
    let mut accounts: Vec<String> =
        ["x", "y", "z"].iter().map(|name| organization.new_account(name)).collect();
    organization.ok("MoveAccount", moved(&accounts[0], &root, &unit));
    let below = |parent: &str| {
        let list = organization.pages(
            "ListAccountsForParent",
            json!({ "ParentId": parent }),
            "Accounts",
            1,
        );
        all(&list.0, "Id")
    };
    assert_eq!(below(&unit), [accounts[0].clone()]);
    let children = json!({ "ParentId": unit, "ChildType": "ACCOUNT" });
    let children = organization.ok("ListChildren", children);
    assert_eq!(children["Children"], json!([{ "Id": accounts[0], "Type": "ACCOUNT" }]));
    let parent = organization.ok("ListParents", json!({ "ChildId": accounts[0] }));
    assert_eq!(parent["Parents"][0]["Id"], json!(unit));
    let first = accounts[0].clone();
    let ghost = "ou-abcd-aaaaaaaa";
    let cases = [
        (moved(&first, &root, &unit), "DuplicateAccountException"),
        (moved(&first, ghost, &root), "SourceParentNotFoundException"),
        (moved(&first, &unit, ghost), "DestinationParentNotFoundException"),
        (moved("999999999999", &root, &unit), "AccountNotFoundException"),
        (moved(&accounts[1], &unit, &unit), "AccountNotFoundException"),
    ];
    for (input, code) in cases {
        organization.refused("MoveAccount", input, code);
    }
    organization.ok("MoveAccount", moved(&first, &unit, &root));
    assert_eq!(below(&unit), Vec::<String>::new());
    accounts.push(management);
    accounts.sort();
    let listed = organization.pages("ListAccounts", json!({}), "Accounts", 3);
    assert_eq!((all(&listed.0, "Id"), listed.1), (accounts, 2));
}

#[test]
fn accounts_leave() {
    let Some(lab) = Lab::start("accounts_leave") else { return };
    let organization = Organization::new(&lab);
    let (first, second) = (organization.new_account("a"), organization.new_account("b"));
    let inside = organization.inside(&second);
    organization.ok("RemoveAccountFromOrganization", json!({ "AccountId": first }));
    organization.refused(
        "DescribeAccount",
        json!({ "AccountId": first }),
        "AccountNotFoundException",
    );
    call(&inside, "LeaveOrganization", json!({}));
    let code = ("AWSOrganizationsNotInUseException", 400);
    inside.refused(("organizations", "DescribeOrganization"), json!({}), code);
    let own = json!({ "AccountId": organization.account });
    let code = "MasterCannotLeaveOrganizationException";
    organization.refused("RemoveAccountFromOrganization", own, code);
    organization.refused("LeaveOrganization", json!({}), code);
    // The account lives on by itself, and may have an organization of its own.
    inside.ok("iam", "ListUsers", json!({}));
    call(&inside, "CreateOrganization", json!({}));
}

fn status(organization: &Organization<'_>, account: &str) -> Value {
    organization.ok("DescribeAccount", json!({ "AccountId": account }))["Account"].clone()
}

#[test]
fn a_closed_account_stops_and_can_be_opened_again() {
    let test = "a_closed_account_stops_and_can_be_opened_again";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("a");
    let inside = organization.inside(&account);
    inside.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let ann = lab.caller(inside.new_key("ann"));
    ann.ok("sts", "GetCallerIdentity", json!({}));
    let id = json!({ "AccountId": account });
    organization.ok("CloseAccount", id.clone());
    for caller in [&ann, &inside] {
        let refusal = caller.call("sts", "GetCallerIdentity", json!({})).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.status), ("InvalidClientTokenId", 403));
    }
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let input = json!({ "RoleArn": role, "RoleSessionName": "session" });
    let refusal = organization.management.call("sts", "AssumeRole", input).unwrap_err();
    assert_eq!(refusal.code, "AccessDenied");
    for _ in 0..300 {
        if status(&organization, &account)["Status"] == "SUSPENDED" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(status(&organization, &account)["State"], "SUSPENDED");
    organization.refused("CloseAccount", id.clone(), "AccountAlreadyClosedException");
    let own = json!({ "AccountId": organization.account });
    let refusal = organization.refused("CloseAccount", own, "ConstraintViolationException");
    assert_eq!(refusal["reason"], "CANNOT_CLOSE_MANAGEMENT_ACCOUNT");
    let (code, _) = lab.server.operator("POST", &format!("accounts/{account}/reopen"), None);
    assert_eq!(code, 200);
    assert_eq!(status(&organization, &account)["Status"], "ACTIVE");
    ann.ok("sts", "GetCallerIdentity", json!({}));

    // Closed for ninety days it is gone for good.
    organization.ok("CloseAccount", id);
    let (code, _) = lab.server.operator("PUT", "clock", Some(&json!({ "advance": 91 * 86_400 })));
    assert_eq!(code, 200);
    let keys = organization.management.keys.clone();
    let body = json!({ "AccountId": account }).to_string();
    let answer = lab.boto.raw(&Raw {
        method: "POST",
        path: "/",
        headers: &[
            ("X-Amz-Target", "AWSOrganizationsV20161128.DescribeAccount"),
            ("Content-Type", "application/x-amz-json-1.1"),
        ],
        body: body.as_bytes(),
        signature: Some(Signature {
            keys: &keys,
            service: "organizations",
            moved_seconds: 91 * 86_400,
            in_query: false,
        }),
        ..Raw::default()
    });
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("AccountNotFoundException"), "{answer:?}");
}

/// The events of that name in the management account's history.
fn events(organization: &Organization<'_>, name: &str) -> Vec<Value> {
    let by_name = json!([{ "AttributeKey": "EventName", "AttributeValue": name }]);
    let input = json!({ "LookupAttributes": by_name });
    let found = organization.management.ok("cloudtrail", "LookupEvents", input);
    let listed = found["Events"].as_array().unwrap();
    let text = |event: &Value| event["CloudTrailEvent"].as_str().unwrap().to_owned();
    listed.iter().map(|event| serde_json::from_str(&text(event)).unwrap()).collect()
}

#[test]
fn the_history_tells_how_accounts_were_made_and_closed() {
    let test = "the_history_tells_how_accounts_were_made_and_closed";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("a");
    organization.create(json!({ "Email": "a@example.com", "AccountName": "again" }));
    let made = events(&organization, "CreateAccountResult");
    assert_eq!(made.len(), 2);
    let details = |event: &Value| event["serviceEventDetails"]["createAccountStatus"].clone();
    let (failed, done) = (details(&made[0]), details(&made[1]));
    assert_eq!(
        (&failed["state"], &failed["failureReason"]),
        (&json!("FAILED"), &json!("EMAIL_ALREADY_EXISTS"))
    );
    assert!(failed.get("accountId").is_none(), "{failed}");
    assert_eq!((&done["state"], &done["accountId"]), (&json!("SUCCEEDED"), &json!(account)));
    assert_eq!(done["accountName"], "****");
    assert!(done["completedTimestamp"].as_str().unwrap().ends_with('M'), "{done}");
    let event = &made[1];
    assert_eq!(event["eventType"], "AwsServiceEvent");
    assert_eq!(event["eventSource"], "organizations.amazonaws.com");
    assert_eq!(
        event["userIdentity"],
        json!({
            "accountId": organization.account, "invokedBy": "organizations.amazonaws.com",
        })
    );
    assert_eq!(event["requestParameters"], Value::Null);
    assert_eq!(event["recipientAccountId"], json!(organization.account));

    organization.ok("CloseAccount", json!({ "AccountId": account }));
    for _ in 0..300 {
        if status(&organization, &account)["Status"] == "SUSPENDED" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let closed = events(&organization, "CloseAccountResult");
    assert_eq!(closed.len(), 1);
    let told = &closed[0]["serviceEventDetails"]["closeAccountStatus"];
    assert_eq!((&told["accountId"], &told["state"]), (&json!(account), &json!("SUCCEEDED")));
}
