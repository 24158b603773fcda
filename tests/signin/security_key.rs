//! Security keys in a real browser, with its virtual authenticator.

use super::{PASSWORD, events, root_password, user};
use crate::support::{Chromium, Lab, policy, skip};
use serde_json::{Value, json};

/// The sign-in at a host name: there are no security keys at addresses of numbers.
fn page(lab: &Lab, path: &str) -> String {
    let port = lab.server.address().rsplit(':').next().unwrap();
    format!("http://localhost:{port}/_palisade/signin/{path}")
}

/// Enters the password; answers the page after it.
fn enter(browser: &mut Chromium, lab: &Lab, fields: &[(&str, &str)]) -> Value {
    browser.open(&page(lab, ""));
    for (selector, text) in fields {
        browser.type_into(selector, text);
    }
    let form = if fields.iter().any(|(selector, _)| *selector == "#email") { 2 } else { 1 };
    browser.click(&format!("section:nth-of-type({form}) button"))
}

fn sign_in(browser: &mut Chromium, lab: &Lab, name: &str) -> Value {
    let account = lab.server.account_id();
    let fields = [("#account", &*account), ("#username", name), ("#password", PASSWORD)];
    enter(browser, lab, &fields)
}

fn register(browser: &mut Chromium, lab: &Lab, name: &str) -> Value {
    browser.open(&page(lab, "security-key"));
    browser.type_into("#name", name);
    browser.click("#security-key button")
}

fn says(page: &Value, text: &str) -> bool {
    page["text"].as_str().unwrap().contains(text)
}

fn allow_keys(lab: &Lab, condition: Value) {
    let mut document = policy("Allow", &["iam:EnableMFADevice"], &["*"]);
    document["Statement"][0]["Condition"] = condition;
    let input = json!({
        "UserName": "ann", "PolicyName": "keys", "PolicyDocument": document.to_string()
    });
    lab.root().ok("iam", "PutUserPolicy", input);
}

fn devices(lab: &Lab) -> Vec<String> {
    let listed = lab.root().ok("iam", "ListMFADevices", json!({ "UserName": "ann" }));
    let devices = listed["MFADevices"].as_array().unwrap();
    devices.iter().map(|device| device["SerialNumber"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_is_registered_asked_for_and_answers_once() {
    let test = "a_key_is_registered_asked_for_and_answers_once";
    let Some(lab) = Lab::start(test) else { return };
    let Some(mut browser) = Chromium::start() else {
        return skip(test, "chromium is not installed");
    };
    let root = lab.root();
    user(&root, "ann", false);
    assert!(says(&sign_in(&mut browser, &lab, "ann"), "Signed in"));
    // Registering is the user's EnableMFADevice: refused, and then allowed in both steps.
    let refused = register(&mut browser, &lab, "blue");
    assert!(says(&refused, "not authorized to perform: iam:EnableMFADevice"), "{refused}");
    allow_keys(&lab, json!({ "StringEquals": { "iam:RegisterSecurityKey": "Create" } }));
    assert!(says(&register(&mut browser, &lab, "blue"), "not authorized"));
    assert_eq!(devices(&lab), Vec::<String>::new());
    allow_keys(&lab, json!({ "StringLike": { "iam:RegisterSecurityKey": "*" } }));
    let home = register(&mut browser, &lab, "blue");
    assert!(says(&home, "Signed in"), "{home}");
    let listed = devices(&lab);
    let start = format!("arn:aws:iam::{}:u2f/user/ann/blue-", lab.server.account_id());
    assert!(listed.len() == 1 && listed[0].starts_with(&start), "{listed:?}");
    let event = events(&root, "EnableMFADevice").remove(0);
    assert_eq!(event["userIdentity"]["userName"], "ann");
    assert_eq!(event["requestParameters"]["serialNumber"], json!(listed[0]));

    browser.click("form[action$=out] button");
    let asked = sign_in(&mut browser, &lab, "ann");
    assert!(says(&asked, "Use a security key") && !says(&asked, "Code of"), "{asked}");
    let home = browser.click("#use-key");
    assert!(says(&home, "Signed in") && says(&home, "proven"), "{home}");
    assert!(!says(&home, "not proven"), "{home}");
    let event = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["additionalEventData"]["MFAIdentifier"], json!(listed[0]));
    assert_eq!(events(&root, "CheckMfa")[0]["additionalEventData"]["MfaType"], "U2F MFA");

    // The same answer again.
    let posted = home["posted"].as_str().unwrap().to_owned();
    assert!(posted.contains("answer=%7B"), "{posted}");
    let send = format!(
        "fetch('/_palisade/signin/mfa', {{ method: 'POST', body: new URLSearchParams({}) }})\
         .then((answer) => answer.status)",
        json!(posted)
    );
    assert_eq!(browser.evaluate(&send), json!(401));
    let failure = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(failure["errorMessage"], "Failed authentication");

    // A key shows no codes, and is forgotten when it is taken away.
    let resync = json!({
        "UserName": "ann", "SerialNumber": listed[0],
        "AuthenticationCode1": "123456", "AuthenticationCode2": "654321",
    });
    let wrong = ("InvalidAuthenticationCode", 403);
    root.refused(("iam", "ResyncMFADevice"), resync, wrong);
    let named = json!({ "UserName": "ann", "SerialNumber": listed[0] });
    let shown = root.ok("iam", "GetMFADevice", named.clone());
    assert_eq!((&shown["UserName"], &shown["SerialNumber"]), (&json!("ann"), &json!(listed[0])));
    root.ok("iam", "DeactivateMFADevice", named.clone());
    root.refused(("iam", "GetMFADevice"), named, ("NoSuchEntity", 404));
    browser.click("form[action$=out] button");
    assert!(says(&sign_in(&mut browser, &lab, "ann"), "Signed in"));
}

#[test]
fn root_has_a_security_key() {
    let test = "root_has_a_security_key";
    let Some(lab) = Lab::start(test) else { return };
    let Some(mut browser) = Chromium::start() else {
        return skip(test, "chromium is not installed");
    };
    let (email, password) = root_password(&lab);
    let fields = [("#email", &*email), ("#root-password", &*password)];
    assert!(says(&enter(&mut browser, &lab, &fields), "Signed in"));
    assert!(says(&register(&mut browser, &lab, "vault"), "Signed in"));
    let listed = lab.root().ok("iam", "ListMFADevices", json!({}));
    let serial = listed["MFADevices"][0]["SerialNumber"].as_str().unwrap().to_owned();
    assert!(serial.contains(":u2f/root-account/vault-"), "{serial}");
    browser.click("form[action$=out] button");
    assert!(says(&enter(&mut browser, &lab, &fields), "Use a security key"));
    assert!(says(&browser.click("#use-key"), "Signed in"));
    let summary = lab.root().ok("iam", "GetAccountSummary", json!({}));
    assert_eq!(summary["SummaryMap"]["AccountMFAEnabled"], 1);
}
