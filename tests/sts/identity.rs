//! Who is calling, and what a refusal meant.

use crate::support::{Lab, policy};
use serde_json::{Value, json};

#[test]
fn everybody_may_ask_who_they_are() {
    let Some(lab) = Lab::start("everybody_may_ask_who_they_are") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let identity = root.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(identity["Arn"], json!(format!("arn:aws:iam::{account}:root")));
    assert_eq!((&identity["UserId"], &identity["Account"]), (&json!(account), &json!(account)));
    // Even whom everything is denied.
    let ann = lab.user(&root, "ann", Some(policy("Deny", &["*"], &["*"])));
    let identity = ann.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(identity["Arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
    assert!(identity["UserId"].as_str().unwrap().starts_with("AIDA"), "{identity}");
    let input = json!({ "AccessKeyId": "AKIA" });
    let refusal = root.refused(("sts", "GetAccessKeyInfo"), input, ("ValidationError", 400));
    assert!(refusal.message.contains("accessKeyId"), "{}", refusal.message);
}

#[test]
fn a_foreign_authorization_message_is_refused() {
    let Some(lab) = Lab::start("a_foreign_authorization_message_is_refused") else { return };
    let root = lab.root();
    for text in ["abc", "", &"A".repeat(400)] {
        let input = json!({ "EncodedMessage": text });
        let refusal = root.unchecked("sts", "DecodeAuthorizationMessage", input).unwrap_err();
        let expected = if text.is_empty() {
            "ValidationError"
        } else {
            "InvalidAuthorizationMessageException"
        };
        assert_eq!((refusal.code.as_str(), refusal.status), (expected, 400), "{text}");
    }
    let ann = lab.user(&root, "ann", None);
    let input = json!({ "EncodedMessage": "abc" });
    let refusal = ann.call("sts", "DecodeAuthorizationMessage", input).unwrap_err();
    assert_eq!(refusal.code, "AccessDenied");
}

#[test]
fn a_decision_is_explained_by_the_id_of_its_answer() {
    let Some(lab) = Lab::start("a_decision_is_explained_by_the_id_of_its_answer") else { return };
    let root = lab.root();
    let deny = policy("Deny", &["iam:ListUsers"], &["*"]);
    let ann = lab.user(&root, "ann", Some(deny));
    let refusal = ann.call("iam", "ListUsers", json!({})).unwrap_err();
    root.ok("iam", "ListUsers", json!({}));
    let why = lab.server.palisade(&["why", &refusal.request_id]);
    assert_eq!(why.code, Some(0), "{}", why.err);
    for part in ["iam:ListUsers", "user/ann", "DENIED", &refusal.request_id] {
        assert!(why.out.contains(part), "{part} is not in\n{}", why.out);
    }
    let json = lab.server.palisade(&["why", &refusal.request_id, "--output", "json"]);
    let told: Value = serde_json::from_str(&json.out).unwrap();
    let (status, same) =
        lab.server.operator("GET", &format!("decisions/{}", refusal.request_id), None);
    assert_eq!((status, told), (200, same));
    let last = lab.server.palisade(&["why", "--last"]);
    assert!(last.out.contains(":root"), "{}", last.out);
    let unknown = lab.server.palisade(&["why", "00000000-0000-4000-8000-000000000000"]);
    assert_eq!(unknown.code, Some(1), "{}", unknown.out);
    // The decision is for the operator, not for anybody.
    let path = format!("/_palisade/decisions/{}", refusal.request_id);
    assert_eq!(lab.server.plain("GET", &path, "", None).0, 403);
}
