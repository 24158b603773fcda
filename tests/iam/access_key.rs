//! Access keys.

use super::check_refusals;
use crate::support::{Keys, Lab, each};
use serde_json::json;

#[test]
fn keys_live_and_die() {
    let Some(lab) = Lab::start("keys_live_and_die") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let named = json!({ "UserName": "ann" });
    let made = root.ok("iam", "CreateAccessKey", named.clone())["AccessKey"].clone();
    let (id, secret) =
        (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    assert!(id.starts_with("AKIA") && id.len() == 20 && secret.len() == 40, "{made}");
    assert_eq!(made["Status"], json!("Active"));
    let info = root.ok("sts", "GetAccessKeyInfo", json!({ "AccessKeyId": id }));
    assert_eq!(info["Account"], json!(lab.server.account_id()));
    let unused = root.ok("iam", "GetAccessKeyLastUsed", json!({ "AccessKeyId": id }));
    assert_eq!(unused["AccessKeyLastUsed"], json!({ "ServiceName": "N/A", "Region": "N/A" }));

    let ann = lab.caller(Keys::of(id, secret));
    ann.ok("sts", "GetCallerIdentity", json!({}));
    let change = |status: &str| {
        let input = json!({ "UserName": "ann", "AccessKeyId": id, "Status": status });
        root.ok("iam", "UpdateAccessKey", input);
    };
    change("Inactive");
    let refusal = ann.call("sts", "GetCallerIdentity", json!({})).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("InvalidClientTokenId", 403));
    assert_eq!(refusal.message, "The security token included in the request is invalid.");
    change("Active");
    ann.ok("sts", "GetCallerIdentity", json!({}));

    root.new_key("ann");
    check_refusals(
        &root,
        &[
            (
                "CreateAccessKey",
                named.clone(),
                "LimitExceeded",
                409,
                "Cannot exceed quota for AccessKeysPerUser: 2",
            ),
            (
                "DeleteAccessKey",
                json!({ "UserName": "ann", "AccessKeyId": "AKIAABCDEFGHIJKLMNOP" }),
                "NoSuchEntity",
                404,
                "The Access Key with id AKIAABCDEFGHIJKLMNOP cannot be found.",
            ),
            (
                "UpdateAccessKey",
                json!({ "UserName": "ann", "AccessKeyId": id, "Status": "Lost" }),
                "ValidationError",
                400,
                "status",
            ),
        ],
    );
    let keys = root.pages("ListAccessKeys", named.clone(), "AccessKeyMetadata", 1);
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|page| page[0].get("SecretAccessKey").is_none()));
    root.ok("iam", "DeleteAccessKey", json!({ "UserName": "ann", "AccessKeyId": id }));
    assert_eq!(ann.call("iam", "ListUsers", json!({})).unwrap_err().code, "InvalidClientTokenId");
    let left = root.ok("iam", "ListAccessKeys", named);
    assert_ne!(each(&left["AccessKeyMetadata"], "AccessKeyId"), [id]);
}

#[test]
fn the_last_use_of_a_key_is_shown() {
    let Some(lab) = Lab::start("the_last_use_of_a_key_is_shown") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let keys = root.new_key("ann");
    let ann = lab.caller(keys.clone());
    ann.ok("sts", "GetCallerIdentity", json!({}));
    for _ in 0..100 {
        let used = root.ok("iam", "GetAccessKeyLastUsed", json!({ "AccessKeyId": keys.id }));
        if used["AccessKeyLastUsed"]["ServiceName"] == json!("sts") {
            assert_eq!(used["UserName"], json!("ann"));
            assert_eq!(used["AccessKeyLastUsed"]["Region"], json!("us-east-1"));
            assert!(used["AccessKeyLastUsed"]["LastUsedDate"].is_string());
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the use of a key is not shown after ten seconds");
}

#[test]
fn a_user_manages_its_own_keys_without_naming_itself() {
    let test = "a_user_manages_its_own_keys_without_naming_itself";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let own = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "iam:*AccessKey*",
            "Resource": "arn:aws:iam::*:user/${aws:username}"
        }]
    });
    let ann = lab.user(&root, "ann", Some(own));
    root.ok("iam", "CreateUser", json!({ "UserName": "bob" }));
    let made = ann.ok("iam", "CreateAccessKey", json!({}))["AccessKey"].clone();
    assert_eq!(made["UserName"], json!("ann"));
    let listed = ann.ok("iam", "ListAccessKeys", json!({}));
    assert_eq!(listed["AccessKeyMetadata"].as_array().unwrap().len(), 2);
    ann.ok("iam", "DeleteAccessKey", json!({ "AccessKeyId": made["AccessKeyId"] }));
    let other = ann.call("iam", "CreateAccessKey", json!({ "UserName": "bob" })).unwrap_err();
    assert_eq!(other.code, "AccessDenied");
}
