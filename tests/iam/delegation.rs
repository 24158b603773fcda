//! Delegation requests, from the partner that asks to the credentials that it trades a token for.

use super::{all, check_refusals};
use crate::support::{Caller, Keys, Lab, policy};
use serde_json::{Value, json};

const PARTNER: &str = "210987654321";
const TEMPLATE: &str = "arn:aws:iam::210987654321:delegation-template/deploy";
const TOPIC: &str = "arn:aws:sns:us-east-1:210987654321:requests";

/// An account that the operator took on as a partner; its template allows listing users.
fn partner(lab: &Lab) -> Caller<'_> {
    let caller = lab.account(PARTNER);
    let document = policy("Allow", &["iam:@{Action}"], &["*"]).to_string();
    let wanted =
        json!({ "account": PARTNER, "name": "Example", "templates": { TEMPLATE: document } });
    let (status, answer) = lab.server.operator("POST", "delegation-partners", Some(&wanted));
    assert_eq!(status, 200, "{answer}");
    caller
}

fn wanted(workflow: &str) -> Value {
    let parameter = json!({ "Name": "Action", "Values": ["ListUsers"], "Type": "string" });
    json!({
        "Description": "Lists users.",
        "Permissions": { "PolicyTemplateArn": TEMPLATE, "Parameters": [parameter] },
        "RequestorWorkflowId": workflow,
        "NotificationChannel": TOPIC,
        "SessionDuration": 3600,
    })
}

fn id_of(made: &Value) -> String {
    made["DelegationRequestId"].as_str().unwrap().to_owned()
}

fn named(id: &str) -> Value {
    json!({ "DelegationRequestId": id })
}

fn state(caller: &Caller<'_>, id: &str) -> Value {
    let got = caller.ok("iam", "GetDelegationRequest", named(id));
    got["DelegationRequest"]["State"].clone()
}

/// The code of the newest message of the outbox that has one.
fn token(lab: &Lab) -> String {
    let (_, outbox) = lab.server.operator("GET", "outbox", None);
    let messages = outbox["messages"].as_array().unwrap();
    assert!(messages.iter().all(|message| message["to"] == TOPIC), "{outbox}");
    let codes = messages.iter().rev().filter_map(|message| message["code"].as_str());
    codes.map(str::to_owned).next().unwrap()
}

#[test]
fn a_partner_gets_the_access_that_was_approved() {
    let Some(lab) = Lab::start("a_partner_gets_the_access_that_was_approved") else { return };
    let (root, partner) = (lab.root(), partner(&lab));
    let admin = lab.user(&root, "ada", Some(policy("Allow", &["*"], &["*"])));
    let associate = policy("Allow", &["iam:AssociateDelegationRequest"], &["*"]);
    let ann = lab.user(&root, "ann", Some(associate));
    let id = id_of(&partner.ok("iam", "CreateDelegationRequest", wanted("workflow-1")));
    // Until it is hers, she may not look at it; then she may without a policy.
    let denied = ann.refused(("iam", "GetDelegationRequest"), named(&id), ("AccessDenied", 403));
    assert!(denied.message.contains("iam:GetDelegationRequest"), "{denied:?}");
    ann.ok("iam", "AssociateDelegationRequest", named(&id));
    assert_eq!(state(&ann, &id), "ASSIGNED");
    let arn = format!("arn:aws:iam::{}:delegation-request/{id}", lab.server.account_id());
    let summary = ann.ok("iam", "GetHumanReadableSummary", json!({ "EntityArn": arn }));
    assert!(summary["SummaryContent"].as_str().unwrap().contains("iam:ListUsers"), "{summary}");
    let mut update = named(&id);
    update["Notes"] = json!("please");
    ann.ok("iam", "UpdateDelegationRequest", update);
    ann.refused(("iam", "AcceptDelegationRequest"), named(&id), ("AccessDenied", 403));

    let mut ask = named(&id);
    ask["DelegationPermissionCheck"] = json!(true);
    let got = admin.ok("iam", "GetDelegationRequest", ask.clone());
    let request = &got["DelegationRequest"];
    assert_eq!(
        (&request["State"], &request["Notes"]),
        (&json!("PENDING_APPROVAL"), &json!("please"))
    );
    assert_eq!(
        (&got["PermissionCheckStatus"], &got["PermissionCheckResult"]),
        (&json!("COMPLETE"), &json!("ALLOWED"))
    );
    assert_eq!(ann.ok("iam", "GetDelegationRequest", ask)["PermissionCheckResult"], "DENIED");
    assert_eq!(request["RequestorName"], "Example");
    assert!(request["OwnerId"].as_str().unwrap().ends_with(":user/ann"), "{request}");

    admin.ok("iam", "AcceptDelegationRequest", named(&id));
    admin.ok("iam", "SendDelegationToken", named(&id));
    assert_eq!(state(&admin, &id), "FINALIZED");
    let trade = json!({ "TradeInToken": token(&lab) });
    let expired = ("ExpiredTradeInTokenException", 400);
    admin.refused(("sts", "GetDelegatedAccessToken"), trade.clone(), expired);
    let answer = partner.ok("sts", "GetDelegatedAccessToken", trade.clone());
    assert!(answer["AssumedPrincipal"].as_str().unwrap().ends_with(":user/ada"), "{answer}");
    let delegated = lab.caller(Keys::of_session(&answer));
    delegated.ok("iam", "ListUsers", json!({}));
    let denied = delegated.refused(("iam", "ListRoles"), json!({}), ("AccessDenied", 403));
    assert!(denied.message.contains("session policy"), "{denied:?}");
}

#[test]
fn requests_are_refused_as_documented() {
    let Some(lab) = Lab::start("requests_are_refused_as_documented") else { return };
    let (root, partner) = (lab.root(), partner(&lab));
    let mut topic = wanted("workflow-2");
    topic["NotificationChannel"] = json!("arn:aws:sqs:us-east-1:210987654321:queue");
    let mut template = wanted("workflow-3");
    template["Permissions"]["PolicyTemplateArn"] = json!("arn:aws:iam::1:delegation-template/x");
    let mut parameters = wanted("workflow-4");
    parameters["Permissions"]["Parameters"] = json!([]);
    let mut short = wanted("workflow-5");
    short["SessionDuration"] = json!(299);
    partner.ok("iam", "CreateDelegationRequest", wanted("workflow-1"));
    let create = "CreateDelegationRequest";
    check_refusals(
        &partner,
        &[
            (create, wanted("workflow-1"), "EntityAlreadyExists", 409, "workflow-1 already exists"),
            (create, topic, "InvalidInput", 400, "ARN of an SNS topic"),
            (create, template, "InvalidInput", 400, "is not registered"),
            (create, parameters, "InvalidInput", 400, "needs the parameter Action"),
            (create, short, "ValidationError", 400, "greater than or equal to 300"),
        ],
    );
    let id = id_of(&partner.ok("iam", create, wanted("workflow-6")));
    let none = "00000000-0000-4000-8000-000000000000";
    let missing = "cannot be found";
    let mut cases = vec![
        (create, wanted("workflow-7"), "AccessDenied", 403, "not onboarded"),
        ("AcceptDelegationRequest", named(&id), "NoSuchEntity", 404, "awaits approval"),
        ("RejectDelegationRequest", named(&id), "InvalidInput", 400, "UNASSIGNED"),
        ("UpdateDelegationRequest", named(&id), "InvalidInput", 400, "UNASSIGNED"),
        ("SendDelegationToken", named(&id), "InvalidInput", 400, "UNASSIGNED"),
        (
            "GetHumanReadableSummary",
            json!({ "EntityArn": "arn:aws:iam::123456789012:user/a" }),
            "InvalidInput",
            400,
            "not the ARN of a delegation request",
        ),
    ];
    for operation in ["Get", "Associate", "Accept", "Reject", "Update"] {
        let operation: &'static str = format!("{operation}DelegationRequest").leak();
        cases.push((operation, named(none), "NoSuchEntity", 404, missing));
    }
    cases.push(("SendDelegationToken", named(none), "NoSuchEntity", 404, missing));
    check_refusals(&root, &cases);
    root.ok("iam", "AssociateDelegationRequest", named(&id));
    let again = [("AssociateDelegationRequest", named(&id), "InvalidInput", 400, "ASSIGNED")];
    check_refusals(&root, &again);
    // Another account's is not there.
    let other = lab.account("310987654321");
    check_refusals(&other, &[("GetDelegationRequest", named(&id), "NoSuchEntity", 404, missing)]);
    root.ok("iam", "RejectDelegationRequest", json!({ "DelegationRequestId": id, "Notes": "no" }));
    let rejected = root.ok("iam", "GetDelegationRequest", named(&id));
    assert_eq!(rejected["DelegationRequest"]["RejectionReason"], "no");
}

#[test]
fn owned_requests_are_listed_in_pages() {
    let Some(lab) = Lab::start("owned_requests_are_listed_in_pages") else { return };
    let (root, partner) = (lab.root(), partner(&lab));
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["iam:*"], &["*"])));
    let mut made = Vec::new();
    for place in 0..5 {
        let id =
            id_of(&partner.ok("iam", "CreateDelegationRequest", wanted(&format!("flow-{place}"))));
        let owner = if place == 4 { &ann } else { &root };
        owner.ok("iam", "AssociateDelegationRequest", named(&id));
        made.push(id);
    }
    // One that nobody took on is nobody's.
    partner.ok("iam", "CreateDelegationRequest", wanted("flow-5"));
    made.sort();
    let mut listed: Vec<String> = Vec::new();
    let mut marker = Value::Null;
    for page in 0..3 {
        let mut input = json!({ "MaxItems": 2 });
        if page > 0 {
            input["Marker"] = marker.clone();
        }
        let answer = root.ok("iam", "ListDelegationRequests", input);
        let found = answer["DelegationRequests"].as_array().unwrap();
        listed.extend(found.iter().map(id_of));
        assert_eq!(answer["isTruncated"], json!(page < 2), "{answer}");
        marker = answer["Marker"].clone();
    }
    assert_eq!(listed, made);
    let arn = format!("arn:aws:iam::{}:user/ann", lab.server.account_id());
    let hers = root.ok("iam", "ListDelegationRequests", json!({ "OwnerId": arn }));
    assert_eq!(all(std::slice::from_ref(&hers["DelegationRequests"]), "OwnerId"), [arn]);
}
