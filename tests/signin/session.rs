//! How sessions end, and what they are good for.

use super::browser::Browser;
use super::{HOME, PASSWORD, advance, user};
use crate::support::{Keys, Lab, policy};
use serde_json::json;

/// Keys from the page, as the console gets them.
fn keys(browser: &mut Browser<'_>) -> Keys {
    let csrf = browser.who().unwrap()["csrf"].as_str().unwrap().to_owned();
    let header = format!("X-Palisade-Csrf: {csrf}\r\n");
    let page = browser.post("/_palisade/signin/credentials", "", &header);
    assert_eq!(page.status, 200, "{page:?}");
    let keys = page.json();
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    Keys {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        token: Some(text("sessionToken")),
    }
}

#[test]
fn sessions_end_with_what_they_stand_on() {
    let Some(lab) = Lab::start("sessions_end_with_what_they_stand_on") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let signed_in = |name: &str| {
        user(&root, name, false);
        let mut browser = Browser::new(&lab);
        browser.sign_in(&account, name, PASSWORD);
        assert!(browser.who().is_some(), "{name}");
        browser
    };
    // Signing out, and the cookie that somebody kept.
    let mut browser = signed_in("out");
    let kept = browser.session_cookie().unwrap().clone();
    browser.get(HOME);
    let page = browser.submit("/_palisade/signin/out", &[]);
    assert_eq!((page.status, page.has("signed out")), (200, true), "{page:?}");
    assert_eq!(browser.session_cookie(), None);
    browser.cookies.insert("palisade-session".to_owned(), kept);
    assert_eq!(browser.who(), None);

    // Another password, no password, no user.
    let mut browser = signed_in("changed");
    let other = json!({ "UserName": "changed", "Password": "Battery-staple-2" });
    root.ok("iam", "UpdateLoginProfile", other);
    assert_eq!(browser.who(), None);
    let mut browser = signed_in("locked");
    root.ok("iam", "DeleteLoginProfile", json!({ "UserName": "locked" }));
    assert_eq!(browser.who(), None);
    let mut browser = signed_in("gone");
    let keys = keys(&mut browser);
    root.ok("iam", "DeleteLoginProfile", json!({ "UserName": "gone" }));
    root.ok("iam", "DeleteUser", json!({ "UserName": "gone" }));
    assert_eq!(browser.who(), None);
    user(&root, "gone", false);
    assert_eq!(browser.who(), None);
    let refused = lab.caller(keys).call("sts", "GetCallerIdentity", json!({})).unwrap_err();
    assert_eq!(refused.code, "InvalidClientTokenId");

    // Another browser, and time. A new name changes nothing.
    let mut browser = signed_in("named");
    root.ok("iam", "UpdateUser", json!({ "UserName": "named", "NewUserName": "renamed" }));
    let arn = format!("arn:aws:iam::{account}:user/renamed");
    assert_eq!(browser.who().unwrap()["arn"], json!(arn));
    browser.agent = "Other/1.0".to_owned();
    assert_eq!(browser.who(), None);
    browser.agent = "Mozilla/5.0 (test)".to_owned();
    advance(&lab, 12 * 3600 - 60);
    assert!(browser.who().is_some());
    advance(&lab, 120);
    assert_eq!(browser.who(), None);
    assert!(browser.get(HOME).has("IAM user"));
}

#[test]
fn a_page_gets_short_lived_keys_of_who_is_signed_in() {
    let Some(lab) = Lab::start("a_page_gets_short_lived_keys_of_who_is_signed_in") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    let list = policy("Allow", &["iam:ListUsers"], &["*"]).to_string();
    let input = json!({ "UserName": "ann", "PolicyName": "list", "PolicyDocument": list });
    root.ok("iam", "PutUserPolicy", input);
    let guard = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*",
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
    }] });
    let input = json!({
        "UserName": "ann", "PolicyName": "guard", "PolicyDocument": guard.to_string()
    });
    root.ok("iam", "PutUserPolicy", input);
    let mut browser = Browser::new(&lab);
    browser.sign_in(&account, "ann", PASSWORD);
    let ann = lab.caller(keys(&mut browser));
    let who = ann.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(who["Arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
    ann.ok("iam", "ListUsers", json!({}));
    assert_eq!(ann.call("iam", "ListRoles", json!({})).unwrap_err().code, "AccessDenied");
    let refused = ann.call("sts", "GetSessionToken", json!({})).unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
    let mut wrong = ann.keys.clone();
    wrong.token = None;
    let refused = lab.caller(wrong).call("iam", "ListUsers", json!({})).unwrap_err();
    assert_eq!(refused.code, "InvalidClientTokenId");
    // They end soon, and with the session at the latest.
    advance(&lab, 901);
    assert_eq!(ann.call("iam", "ListUsers", json!({})).unwrap_err().code, "ExpiredToken");
    assert!(browser.who().is_some());
}
