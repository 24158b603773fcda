//! A lost root password.

use super::browser::Browser;
use super::{PASSWORD, advance, events, root_password, user};
use crate::organizations::Organization;
use crate::support::{Keys, Lab, policy};
use serde_json::{Value, json};

const NEW: &str = "Battery-staple-2";

/// The messages of the outbox, the oldest first.
fn outbox(lab: &Lab) -> Vec<Value> {
    let (status, answer) = lab.server.plain("GET", "/_palisade/outbox", "", None);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["messages"].as_array().unwrap().clone()
}

fn ask(browser: &mut Browser<'_>, email: &str) -> String {
    browser.get("/_palisade/signin/recover");
    let page = browser.submit("/_palisade/signin/recover", &[("email", email)]);
    assert_eq!(page.status, 200, "{page:?}");
    let csrf = page.hidden("csrf");
    page.body.replace(&csrf, "")
}

fn set(browser: &mut Browser<'_>, code: &str, new: &str, again: &str) -> u16 {
    browser.get("/_palisade/signin/recover/new");
    let fields = [("code", code), ("new", new), ("again", again)];
    browser.submit("/_palisade/signin/recover/new", &fields).status
}

#[test]
fn root_recovers_a_password_by_email() {
    let Some(lab) = Lab::start("root_recovers_a_password_by_email") else { return };
    let root = lab.root();
    let (email, password) = root_password(&lab);
    let mut signed_in = Browser::new(&lab);
    signed_in.sign_in_as_root(&email, &password);
    assert!(signed_in.who().is_some());

    let mut browser = Browser::new(&lab);
    let known = ask(&mut browser, &email);
    let unknown = ask(&mut browser, "nobody@example.com");
    assert_eq!(known, unknown, "the page tells who has an account");
    let mail = outbox(&lab);
    assert_eq!(mail.len(), 1, "{mail:?}");
    assert_eq!(mail[0]["to"], json!(email));
    assert_eq!(mail[0]["kind"], "root-password-recovery");
    let code = mail[0]["code"].as_str().unwrap().to_owned();
    assert!(mail[0]["text"].as_str().unwrap().contains(&code));
    let event = events(&root, "PasswordRecoveryRequested").remove(0);
    assert_eq!(event["userIdentity"]["type"], "Root");
    assert_eq!(event["responseElements"], json!({ "PasswordRecoveryRequested": "Success" }));

    assert_eq!(set(&mut browser, "wrong", NEW, NEW), 401);
    assert_eq!(set(&mut browser, &code, NEW, "other"), 400);
    assert_eq!(set(&mut browser, &code, "weak", "weak"), 400);
    assert_eq!(set(&mut browser, &code, NEW, NEW), 200);
    assert_eq!(set(&mut browser, &code, NEW, NEW), 401);
    assert_eq!(events(&root, "PasswordRecoveryCompleted").len(), 1);
    assert!(signed_in.who().is_none(), "sessions of the old password live on");
    assert_eq!(browser.sign_in_as_root(&email, &password).status, 401);
    assert_eq!(browser.sign_in_as_root(&email, NEW).status, 200);
    assert!(browser.who().is_some());
}

#[test]
fn codes_of_a_recovery_end_and_requests_are_slowed() {
    let Some(lab) = Lab::start("codes_of_a_recovery_end_and_requests_are_slowed") else { return };
    let (email, _) = root_password(&lab);
    let mut browser = Browser::new(&lab);
    ask(&mut browser, &email);
    let code = outbox(&lab)[0]["code"].as_str().unwrap().to_owned();
    advance(&lab, 3600);
    assert_eq!(set(&mut browser, &code, NEW, NEW), 401);
    for _ in 0..5 {
        ask(&mut browser, &email);
    }
    browser.get("/_palisade/signin/recover");
    let status = browser.submit("/_palisade/signin/recover", &[("email", &email)]).status;
    assert_eq!((status, outbox(&lab).len()), (429, 6));
    // A form of another page.
    let body = format!("csrf=no&email={email}");
    assert_eq!(browser.post("/_palisade/signin/recover", &body, "").status, 403);
}

#[test]
fn two_accounts_have_two_addresses() {
    let Some(lab) = Lab::start("two_accounts_have_two_addresses") else { return };
    let make = |id: &str, email: &str| {
        let wanted = json!({ "name": "Other", "email": email, "id": id });
        lab.server.operator("POST", "accounts", Some(&wanted))
    };
    assert_eq!(make("210987654321", "ann@example.com").0, 200);
    let (status, answer) = make("310987654321", "ANN@example.com");
    assert_eq!(status, 400, "{answer}");
    assert!(answer.to_string().contains("ann@example.com"), "{answer}");
}

#[test]
fn wrong_old_passwords_count_at_every_door() {
    let Some(lab) = Lab::start("wrong_old_passwords_count_at_every_door") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    let allow = policy("Allow", &["iam:ChangePassword"], &["*"]).to_string();
    let put = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": allow });
    root.ok("iam", "PutUserPolicy", put);
    let ann = lab.caller(root.new_key("ann"));
    let change = |old: &str| {
        let input = json!({ "OldPassword": old, "NewPassword": NEW });
        ann.call("iam", "ChangePassword", input).map_err(|refusal| refusal.code)
    };
    for _ in 0..6 {
        assert_eq!(change("Wrong-horse-1"), Err("AccessDenied".to_owned()));
    }
    assert_eq!(change(PASSWORD), Err("EntityTemporarilyUnmodifiable".to_owned()));
    let mut browser = Browser::new(&lab);
    assert_eq!(browser.sign_in(&account, "ann", PASSWORD).status, 401);
    advance(&lab, 2);
    assert!(change(PASSWORD).is_ok());
    assert_eq!(browser.sign_in(&account, "ann", NEW).status, 200);
}

#[test]
fn root_of_an_account_that_an_organization_made_recovers_a_password() {
    let test = "root_of_an_account_that_an_organization_made_recovers_a_password";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    organization.new_account("first");
    let mut browser = Browser::new(&lab);
    ask(&mut browser, "first@example.com");
    let mail = outbox(&lab);
    assert_eq!(mail.len(), 1, "{mail:?}");
    let code = mail[0]["code"].as_str().unwrap().to_owned();
    assert_eq!(set(&mut browser, &code, NEW, NEW), 200);
    let mut signed_in = Browser::new(&lab);
    signed_in.sign_in_as_root("first@example.com", NEW);
    assert!(signed_in.who().is_some());

    // With centralized root access new accounts have no credentials, and nothing to recover.
    let service = json!({ "ServicePrincipal": "iam.amazonaws.com" });
    organization.ok("EnableAWSServiceAccess", service);
    let management = &organization.management;
    management.ok("iam", "EnableOrganizationsRootCredentialsManagement", json!({}));
    management.ok("iam", "EnableOrganizationsRootSessions", json!({}));
    let account = organization.new_account("second");
    ask(&mut browser, "second@example.com");
    assert_eq!(outbox(&lab).len(), 1, "nobody may recover what is not there");
    let task = "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword";
    let input = json!({ "TargetPrincipal": account, "TaskPolicyArn": { "arn": task } });
    let session = management.ok("sts", "AssumeRoot", input);
    let inside = lab.caller(Keys::of_session(&session));
    inside.ok("iam", "CreateLoginProfile", json!({}));
    ask(&mut browser, "second@example.com");
    assert_eq!(outbox(&lab).len(), 2);
}
