//! Root users and users with their passwords.

use super::browser::Browser;
use super::{HOME, PASSWORD, events, root_password, user};
use crate::support::{Lab, policy};
use serde_json::json;

#[test]
fn root_signs_in_with_its_email_address() {
    let Some(lab) = Lab::start("root_signs_in_with_its_email_address") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let (email, password) = root_password(&lab);
    let mut browser = Browser::new(&lab);
    let page = browser.sign_in_as_root(&email.to_uppercase(), &password);
    assert_eq!(page.status, 200);
    let arn = format!("arn:aws:iam::{account}:root");
    assert!(page.has(&arn), "{page:?}");
    let event = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["userIdentity"]["type"], "Root");
    assert_eq!(event["userIdentity"]["arn"], json!(arn));
    assert_eq!(event["responseElements"], json!({ "ConsoleLogin": "Success" }));
    assert_eq!(event["additionalEventData"]["MFAUsed"], "No");
    assert_eq!(event["additionalEventData"]["MobileVersion"], "No");
    let home = format!("{}{HOME}", lab.server.url);
    assert_eq!(event["additionalEventData"]["LoginTo"], json!(home));
    assert_eq!(event["eventSource"], "signin.amazonaws.com");
    assert_eq!(event["eventType"], "AwsConsoleSignIn");
    assert_eq!(event["awsRegion"], "us-east-1");
    assert_eq!((&event["requestParameters"], &event["readOnly"]), (&json!(null), &json!(false)));
    assert_eq!(event["userAgent"], "Mozilla/5.0 (test)");

    let mut other = Browser::new(&lab);
    let page = other.sign_in_as_root(&email, "wrong");
    assert_eq!((page.status, page.has("incorrect")), (401, true), "{page:?}");
    assert_eq!(other.session_cookie(), None);
    let event = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["userIdentity"]["type"], "Root");
    assert_eq!(event["errorMessage"], "Failed authentication");
    assert_eq!(event["responseElements"], json!({ "ConsoleLogin": "Failure" }));
}

#[test]
fn users_sign_in_by_account_and_by_alias() {
    let Some(lab) = Lab::start("users_sign_in_by_account_and_by_alias") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let id = user(&root, "ann", false);
    root.ok("iam", "CreateAccountAlias", json!({ "AccountAlias": "blue-team" }));
    let before = root.ok("iam", "GetUser", json!({ "UserName": "ann" }));
    assert!(before["User"].get("PasswordLastUsed").is_none(), "{before}");
    let dashed = format!("{}-{}-{}", &account[..4], &account[4..8], &account[8..]);
    for (named, as_user) in [(&*account, "ann"), (&*dashed, "ANN"), ("Blue-Team", "ann")] {
        let mut browser = Browser::new(&lab);
        let page = browser.sign_in(named, as_user, PASSWORD);
        assert_eq!(page.status, 200, "{named}: {page:?}");
        let who = browser.who().unwrap();
        assert_eq!(who["arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
        assert_eq!((&who["account"], &who["userId"]), (&json!(account), &json!(id)));
        assert_eq!(who["secondFactorAt"], json!(null));
    }
    let after = root.ok("iam", "GetUser", json!({ "UserName": "ann" }));
    assert!(after["User"]["PasswordLastUsed"].is_string(), "{after}");
    let event = events(&root, "ConsoleLogin").remove(0);
    let identity = &event["userIdentity"];
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("ann")));
    assert_eq!((&identity["principalId"], &identity["accountId"]), (&json!(id), &json!(account)));
    let by_name = json!([{ "AttributeKey": "Username", "AttributeValue": "ann" }]);
    let found = root.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": by_name }));
    let names: Vec<_> =
        found["Events"].as_array().unwrap().iter().map(|e| &e["EventName"]).collect();
    assert!(names.contains(&&json!("ConsoleLogin")), "{names:?}");
}

#[test]
fn the_home_page_lists_ones_own_credentials() {
    let Some(lab) = Lab::start("the_home_page_lists_ones_own_credentials") else { return };
    let root = lab.root();
    user(&root, "ann", false);
    let key = root.new_key("ann");
    let mut browser = Browser::new(&lab);
    let page = browser.sign_in(&lab.server.account_id(), "ann", PASSWORD);
    assert!(page.has("you may not list these") && !page.has(&key.id), "{page:?}");
    let own = policy("Allow", &["iam:ListAccessKeys", "iam:ListMFADevices"], &["*"]).to_string();
    let input = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": own });
    root.ok("iam", "PutUserPolicy", input);
    let page = browser.get(HOME);
    assert!(!page.has("you may not list these") && page.has(&key.id), "{page:?}");
    // The page asked as the user, from a console.
    let event = events(&root, "ListAccessKeys").remove(0);
    assert_eq!(event["userIdentity"]["userName"], "ann");
    assert_eq!(event["sessionCredentialFromConsole"], "true");
    let attributes = &event["userIdentity"]["sessionContext"]["attributes"];
    assert_eq!(attributes["mfaAuthenticated"], "false");
}

#[test]
fn a_new_password_is_forced() {
    let Some(lab) = Lab::start("a_new_password_is_forced") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", true);
    let mut browser = Browser::new(&lab);
    let page = browser.sign_in(&account, "ann", PASSWORD);
    assert!(page.has("Set a new password"), "{page:?}");
    assert_eq!(browser.session_cookie(), None);
    let change = |browser: &mut Browser<'_>, old: &str, new: &str, again: &str| {
        let fields = [("old", old), ("new", new), ("again", again)];
        browser.submit("/_palisade/signin/password", &fields).clone()
    };
    let new = "Battery-staple-2";
    // IAM says who may change a password.
    let page = change(&mut browser, PASSWORD, new, new);
    assert!(page.has("iam:ChangePassword"), "{page:?}");
    let allow = policy("Allow", &["iam:ChangePassword"], &["*"]).to_string();
    let input = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": allow });
    root.ok("iam", "PutUserPolicy", input);
    for (old, new, again, expected) in [
        (PASSWORD, new, "other", "not the same"),
        ("wrong", new, new, "The old password was incorrect"),
        (PASSWORD, "short", "short", "minimum length"),
    ] {
        let page = change(&mut browser, old, new, again);
        assert_eq!((page.status, page.has(expected)), (400, true), "{page:?}");
    }
    assert_eq!(browser.session_cookie(), None);
    let page = change(&mut browser, PASSWORD, new, new);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(browser.who().is_some());
    assert_eq!(events(&root, "ChangePassword")[0]["userIdentity"]["userName"], "ann");
    let page = Browser::new(&lab).sign_in(&account, "ann", new).clone();
    assert!(page.has("Signed in"), "{page:?}");
    assert_eq!(Browser::new(&lab).sign_in(&account, "ann", PASSWORD).status, 401);
}
