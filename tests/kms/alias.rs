//! Aliases.

use super::{check_refusals, new_id, ok, pages};
use crate::support::{Lab, each};
use serde_json::json;

#[test]
fn aliases_stand_for_keys() {
    let Some(lab) = Lab::start("aliases_stand_for_keys") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let (one, two) = (new_id(&root, json!({})), new_id(&root, json!({})));
    let hmac = json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" });
    let hmac = new_id(&root, hmac);
    let alias = |name: &str, key: &str| json!({ "AliasName": name, "TargetKeyId": key });
    ok(&root, "CreateAlias", alias("alias/app", &one));
    ok(&root, "CreateAlias", alias("alias/b", &one));
    let arn = format!("arn:aws:kms:us-east-1:{account}:alias/app");
    for name in ["alias/app", &arn] {
        let told = ok(&root, "DescribeKey", json!({ "KeyId": name }));
        assert_eq!(told["KeyMetadata"]["KeyId"], json!(one));
    }
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": "alias/app", "Plaintext": "x" }));
    assert!(sealed["KeyId"].as_str().unwrap().ends_with(&one), "{sealed}");

    ok(&root, "UpdateAlias", alias("alias/app", &two));
    let told = ok(&root, "DescribeKey", json!({ "KeyId": "alias/app" }));
    assert_eq!(told["KeyMetadata"]["KeyId"], json!(two));
    let of_one = ok(&root, "ListAliases", json!({ "KeyId": one }));
    assert_eq!(each(&of_one["Aliases"], "AliasName"), ["alias/b"]);
    let paged = pages(&root, "ListAliases", json!({ "Limit": 1 }), "Aliases");
    let names: Vec<&str> = paged.iter().flat_map(|page| each(page, "AliasName")).collect();
    let (own, services): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| !name.starts_with("alias/aws/"));
    assert_eq!(own, ["alias/app", "alias/b"]);
    assert_eq!(paged[0][0]["AliasArn"], json!(arn));
    // Those of services are listed before there is a key behind them.
    assert!(services.contains(&"alias/aws/s3"), "{services:?}");
    assert_eq!(paged[1][0].get("TargetKeyId"), None);

    check_refusals(
        &root,
        &[
            ("CreateAlias", alias("alias/app", &one), "AlreadyExistsException", "already exists"),
            ("CreateAlias", alias("app", &one), "InvalidAliasNameException", "alias/"),
            ("CreateAlias", alias("alias/a:b", &one), "ValidationException", "invalid characters"),
            ("CreateAlias", alias("alias/a b", &one), "ValidationException", "aliasName"),
            ("CreateAlias", alias("alias/aws/x", &one), "NotAuthorizedException", ""),
            ("CreateAlias", alias("alias/c", "alias/app"), "ValidationException", "Not aliases"),
            ("UpdateAlias", alias("alias/none", &one), "NotFoundException", "is not found."),
            ("UpdateAlias", alias("alias/app", &hmac), "KMSInvalidStateException", "differ"),
            ("DeleteAlias", json!({ "AliasName": "alias/none" }), "NotFoundException", "not found"),
        ],
    );
    ok(&root, "DeleteAlias", json!({ "AliasName": "alias/app" }));
    let gone = json!({ "KeyId": "alias/app" });
    check_refusals(&root, &[("DescribeKey", gone, "NotFoundException", "alias/app is not found.")]);
}

#[test]
fn services_have_keys_of_their_own() {
    let Some(lab) = Lab::start("services_have_keys_of_their_own") else { return };
    let root = lab.root();
    let told = ok(&root, "DescribeKey", json!({ "KeyId": "alias/aws/s3" }))["KeyMetadata"].clone();
    assert_eq!((&told["KeyManager"], &told["KeyState"]), (&json!("AWS"), &json!("Enabled")));
    let again = ok(&root, "DescribeKey", json!({ "KeyId": "alias/aws/s3" }));
    assert_eq!(again["KeyMetadata"], told);
    let policy = ok(&root, "GetKeyPolicy", json!({ "KeyId": told["KeyId"] }));
    assert!(policy["Policy"].as_str().unwrap().contains("s3.us-east-1.amazonaws.com"), "{policy}");
    // Only through the service, even for root, and nobody administers it.
    let key = told["KeyId"].as_str().unwrap();
    let denied = "no resource-based policy allows";
    check_refusals(
        &root,
        &[
            ("Encrypt", json!({ "KeyId": key, "Plaintext": "x" }), "AccessDeniedException", denied),
            ("DisableKey", json!({ "KeyId": key }), "AccessDeniedException", denied),
            ("ScheduleKeyDeletion", json!({ "KeyId": key }), "AccessDeniedException", denied),
            (
                "DescribeKey",
                json!({ "KeyId": "alias/aws/none" }),
                "NotFoundException",
                "alias/aws/none",
            ),
        ],
    );
}
