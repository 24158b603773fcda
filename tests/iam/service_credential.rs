//! Service-specific credentials.

use super::{all, check_refusals};
use crate::support::{Lab, Refusal, each, policy};
use serde_json::{Value, json};

const CODECOMMIT: &str = "codecommit.amazonaws.com";
const BEDROCK: &str = "bedrock.amazonaws.com";

#[test]
fn service_credentials_live_and_die() {
    let Some(lab) = Lab::start("service_credentials_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let create = |service: &str| json!({ "UserName": "ann", "ServiceName": service });
    let made = |service: &str| {
        let made = root.ok("iam", "CreateServiceSpecificCredential", create(service));
        made["ServiceSpecificCredential"].clone()
    };
    let (first, second) = (made(CODECOMMIT), made(CODECOMMIT));
    assert_eq!(first["ServiceUserName"], json!(format!("ann-at-{account}")));
    assert_eq!(second["ServiceUserName"], json!(format!("ann+1-at-{account}")));
    let password = first["ServicePassword"].as_str().unwrap().to_owned();
    assert_eq!((password.len(), &first["Status"]), (44, &json!("Active")));
    let id = first["ServiceSpecificCredentialId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("ACCA"), "{first}");

    let mut aged = create(BEDROCK);
    aged["CredentialAgeDays"] = json!(30);
    let key = root.ok("iam", "CreateServiceSpecificCredential", aged);
    let key = key["ServiceSpecificCredential"].clone();
    assert!(key["ServiceCredentialSecret"].as_str().unwrap().starts_with("ABSK"), "{key}");
    assert!(key["ExpirationDate"].is_string() && key.get("ServicePassword").is_none(), "{key}");

    let mut wrongly_aged = create("cassandra.amazonaws.com");
    wrongly_aged["CredentialAgeDays"] = json!(30);
    let named =
        |user: &str, id: &str| json!({ "UserName": user, "ServiceSpecificCredentialId": id });
    let unknown = "ACCAABCDEFGHIJKLMNOPQ";
    let operation = "CreateServiceSpecificCredential";
    check_refusals(
        &root,
        &[
            (
                operation,
                create(CODECOMMIT),
                "LimitExceeded",
                409,
                "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2",
            ),
            (operation, create("s3.amazonaws.com"), "NotSupportedService", 404, "s3"),
            (operation, wrongly_aged, "InvalidInput", 400, "CredentialAgeDays"),
            (
                operation,
                json!({ "UserName": "nobody", "ServiceName": CODECOMMIT }),
                "NoSuchEntity",
                404,
                "nobody",
            ),
            (
                "ResetServiceSpecificCredential",
                named("ann", unknown),
                "NoSuchEntity",
                404,
                "No such credential",
            ),
            ("DeleteServiceSpecificCredential", named("ann", unknown), "NoSuchEntity", 404, ""),
            (
                "ListServiceSpecificCredentials",
                json!({ "UserName": "ann", "AllUsers": true }),
                "ValidationError",
                400,
                "AllUsers",
            ),
            ("DeleteUser", json!({ "UserName": "ann" }), "DeleteConflict", 409, "referenced"),
        ],
    );
    let reset = root.ok("iam", "ResetServiceSpecificCredential", named("ann", &id));
    let reset = &reset["ServiceSpecificCredential"];
    assert_eq!(reset["ServiceUserName"], first["ServiceUserName"]);
    assert_ne!(reset["ServicePassword"], first["ServicePassword"]);
    let mut update = named("ann", &id);
    update["Status"] = json!("Inactive");
    root.ok("iam", "UpdateServiceSpecificCredential", update);

    let input = json!({ "UserName": "ann" });
    let list = "ServiceSpecificCredentials";
    let pages = root.pages("ListServiceSpecificCredentials", input, list, 2);
    assert_eq!((pages.len(), all(&pages, "ServiceName").len()), (2, 3));
    assert!(!Value::from(pages).to_string().contains("Password"));
    let input = json!({ "AllUsers": true, "ServiceName": CODECOMMIT });
    let listed = root.ok("iam", "ListServiceSpecificCredentials", input);
    let mut states = each(&listed[list], "Status");
    states.sort_unstable();
    assert_eq!(states, ["Active", "Inactive"]);
}

#[test]
fn the_service_of_a_credential_decides() {
    let Some(lab) = Lab::start("the_service_of_a_credential_decides") else { return };
    let root = lab.root();
    let mut document = policy("Allow", &["iam:*ServiceSpecificCredential*"], &["*"]);
    document["Statement"][0]["Resource"] = json!("arn:aws:iam::*:user/ann");
    document["Statement"][0]["Condition"] = json!({
        "StringEqualsIfExists": { "iam:ServiceSpecificCredentialServiceName": BEDROCK },
        "NumericLessThanEqualsIfExists": { "iam:ServiceSpecificCredentialAgeDays": "90" },
    });
    let ann = lab.user(&root, "ann", Some(document));
    let create = |service: &str, days: Option<i64>| {
        let mut input = json!({ "UserName": "ann", "ServiceName": service });
        if let Some(days) = days {
            input["CredentialAgeDays"] = json!(days);
        }
        ann.call("iam", "CreateServiceSpecificCredential", input)
    };
    let code = |result: Result<Value, Refusal>| result.unwrap_err().code;
    assert_eq!(code(create(CODECOMMIT, None)), "AccessDenied");
    assert_eq!(code(create(BEDROCK, Some(91))), "AccessDenied");
    create(BEDROCK, Some(90)).unwrap();
    let own = ann.ok("iam", "ListServiceSpecificCredentials", json!({}));
    assert_eq!(each(&own["ServiceSpecificCredentials"], "UserName"), ["ann"]);
    let all = ann.call("iam", "ListServiceSpecificCredentials", json!({ "AllUsers": true }));
    assert_eq!(code(all), "AccessDenied");
}
