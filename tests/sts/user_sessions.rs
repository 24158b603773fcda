//! Sessions of users as themselves and of those whom they vouch for.

use crate::support::{Keys, Lab, policy};
use serde_json::json;

#[test]
fn a_session_token_can_what_aws_lets_it() {
    let Some(lab) = Lab::start("a_session_token_can_what_aws_lets_it") else { return };
    let root = lab.root();
    // No permission is needed.
    let ann = lab.user(&root, "ann", None);
    let answer = ann.ok("sts", "GetSessionToken", json!({ "DurationSeconds": 900 }));
    let session = lab.caller(Keys::of_session(&answer));
    let identity = session.ok("sts", "GetCallerIdentity", json!({}));
    let own = ann.ok("sts", "GetCallerIdentity", json!({}));
    for member in ["Arn", "UserId", "Account"] {
        assert_eq!(identity[member], own[member], "{member}");
    }
    // "You cannot call any IAM API operations unless MFA authentication information is included."
    let refusal = session.call("iam", "GetUser", json!({})).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("InvalidClientTokenId", 403));
    for operation in ["GetSessionToken", "GetFederationToken"] {
        let input = match operation {
            "GetFederationToken" => json!({ "Name": "guest" }),
            _ => json!({}),
        };
        let refusal = session.call("sts", operation, input).unwrap_err();
        let expected = format!("Cannot call {operation} with session credentials");
        assert_eq!((refusal.code.as_str(), refusal.message), ("AccessDenied", expected));
    }
    let mfa = json!({ "SerialNumber": "arn:aws:iam::123456789012:mfa/x", "TokenCode": "123456" });
    assert_eq!(ann.call("sts", "GetSessionToken", mfa).unwrap_err().code, "AccessDenied");
    // The session ends with the key's owner.
    root.ok("iam", "DeleteAccessKey", json!({ "UserName": "ann", "AccessKeyId": ann.keys.id }));
    root.ok("iam", "DeleteUser", json!({ "UserName": "ann" }));
    let refusal = session.call("sts", "GetCallerIdentity", json!({})).unwrap_err();
    assert_eq!(refusal.code, "InvalidClientTokenId");
}

#[test]
fn a_federated_user_can_what_both_policies_allow() {
    let test = "a_federated_user_can_what_both_policies_allow";
    let Some(lab) = Lab::start(test) else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let rights = policy("Allow", &["sts:GetFederationToken", "cloudtrail:LookupEvents"], &["*"]);
    let ann = lab.user(&root, "ann", Some(rights));
    let look = policy("Allow", &["cloudtrail:*", "iam:*"], &["*"]).to_string();
    let answer = ann.ok("sts", "GetFederationToken", json!({ "Name": "guest", "Policy": look }));
    let arn = json!(format!("arn:aws:sts::{account}:federated-user/guest"));
    assert_eq!(answer["FederatedUser"]["Arn"], arn);
    let guest = lab.caller(Keys::of_session(&answer));
    assert_eq!(guest.ok("sts", "GetCallerIdentity", json!({}))["Arn"], arn);
    guest.ok("cloudtrail", "LookupEvents", json!({}));
    assert_eq!(guest.call("iam", "ListUsers", json!({})).unwrap_err().code, "InvalidClientTokenId");
    let assume = json!({
        "RoleArn": format!("arn:aws:iam::{account}:role/x"), "RoleSessionName": "tour"
    });
    assert_eq!(guest.call("sts", "AssumeRole", assume).unwrap_err().code, "AccessDenied");
    // Without a session policy nothing is left of the user's rights.
    let answer = ann.ok("sts", "GetFederationToken", json!({ "Name": "empty" }));
    let empty = lab.caller(Keys::of_session(&answer));
    let refusal = empty.call("cloudtrail", "LookupEvents", json!({})).unwrap_err();
    assert_eq!(refusal.code, "AccessDeniedException");
    let nobody = lab.user(&root, "bob", None);
    let refusal = nobody.call("sts", "GetFederationToken", json!({ "Name": "guest" })).unwrap_err();
    assert_eq!(refusal.code, "AccessDenied");
}
