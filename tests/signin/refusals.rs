//! What is refused, and that refusals tell nothing.

use super::browser::{Browser, form};
use super::{PASSWORD, advance, events, user};
use crate::support::Lab;
use serde_json::json;
use std::time::Instant;

#[test]
fn nothing_tells_which_names_there_are() {
    let Some(lab) = Lab::start("nothing_tells_which_names_there_are") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    root.ok("iam", "CreateUser", json!({ "UserName": "keyless" }));
    let mut answers = Vec::new();
    for (account, name) in [
        (&*account, "ann"),
        (&*account, "keyless"),
        (&*account, "nobody"),
        ("999999999999", "ann"),
        ("no-such-alias", "ann"),
    ] {
        let mut browser = Browser::new(&lab);
        browser.get("/_palisade/signin/");
        let began = Instant::now();
        let fields = [("as", "user"), ("account", account), ("username", name)];
        let fields = [&fields[..], &[("password", "wrong")]].concat();
        let page = browser.submit("/_palisade/signin/", &fields).clone();
        let (took, alert) = (began.elapsed(), page.body.split("role=\"alert\"").nth(1));
        let said = alert.unwrap().split("</p>").next().unwrap().to_owned();
        answers.push((page.status, said));
        assert!(took.as_millis() >= 240, "{name}: {took:?}");
        assert_eq!(browser.session_cookie(), None);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 401);
    let told = events(&root, "ConsoleLogin");
    let told: Vec<_> =
        told.iter().map(|e| (&e["userIdentity"]["userName"], &e["errorMessage"])).collect();
    let (hidden, no_user) =
        (json!("HIDDEN_DUE_TO_SECURITY_REASONS"), json!("No username found in supplied account"));
    let failed = json!("Failed authentication");
    let (ann, keyless) = (json!("ann"), json!("keyless"));
    assert_eq!(told, [(&hidden, &no_user), (&keyless, &failed), (&ann, &failed)]);
}

#[test]
fn guessing_is_slowed_down() {
    let Some(lab) = Lab::start("guessing_is_slowed_down") else { return };
    let account = lab.server.account_id();
    user(&lab.root(), "ann", false);
    let alert = |name: &str, password: &str| {
        let page = Browser::new(&lab).sign_in(&account, name, password).clone();
        (page.status, page.has("too many failed attempts"), page.has("Signed in"))
    };
    // A name that is not there is locked like one that is.
    for name in ["ann", "nobody"] {
        for failures in 0..12 {
            assert_eq!(alert(name, "wrong"), (401, false, false), "{name} {failures}");
            // The wait after the twelfth is 64 seconds.
            if failures < 11 {
                advance(&lab, 33);
            }
        }
        assert_eq!(alert(name, PASSWORD), (401, true, false), "{name}");
    }
    advance(&lab, 900);
    assert_eq!(alert("ann", PASSWORD), (200, false, true));
    assert_eq!(alert("ann", "wrong"), (401, false, false));
}

#[test]
fn forms_of_other_pages_are_refused() {
    let Some(lab) = Lab::start("forms_of_other_pages_are_refused") else { return };
    let account = lab.server.account_id();
    user(&lab.root(), "ann", false);
    let fields = |csrf: &str| {
        form(&[
            ("csrf", csrf.to_owned()),
            ("as", "user".to_owned()),
            ("account", account.clone()),
            ("username", "ann".to_owned()),
            ("password", PASSWORD.to_owned()),
        ])
    };
    let mut browser = Browser::new(&lab);
    let token = browser.get("/_palisade/signin/").hidden("csrf");
    for wrong in ["", "other"] {
        assert_eq!(browser.post("/_palisade/signin/", &fields(wrong), "").status, 403);
    }
    let page =
        browser.post("/_palisade/signin/", &fields(&token), "Sec-Fetch-Site: cross-site\r\n");
    assert_eq!(page.status, 403);
    browser.origin = "https://evil.example".to_owned();
    assert_eq!(browser.post("/_palisade/signin/", &fields(&token), "").status, 403);
    browser.origin = lab.server.url.clone();
    // Another browser has another token.
    let mut other = Browser::new(&lab);
    other.get("/_palisade/signin/");
    assert_eq!(other.post("/_palisade/signin/", &fields(&token), "").status, 403);
    assert_eq!(browser.post("/_palisade/signin/", &fields(&token), "").status, 303);

    // The same for who is signed in.
    assert!(browser.who().is_some());
    for path in ["out", "role", "role/exit", "credentials"] {
        let path = format!("/_palisade/signin/{path}");
        assert_eq!(browser.post(&path, "csrf=wrong", "").status, 403, "{path}");
        assert_eq!(browser.post(&path, "", "").status, 403, "{path}");
        assert_eq!(Browser::new(&lab).post(&path, "csrf=wrong", "").status, 401, "{path}");
    }
    assert!(browser.who().is_some());
}

#[test]
fn pages_protect_themselves_and_bad_input_breaks_nothing() {
    let Some(lab) = Lab::start("pages_protect_themselves_and_bad_input_breaks_nothing") else {
        return;
    };
    let mut browser = Browser::new(&lab);
    let page = browser.get("/_palisade/signin/").clone();
    let header = |name: &str| page.headers[name].clone();
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(!page.has("<script"));
    let page = browser.get("/_palisade/signin/?account=%22%3E%3Cscript%3E").clone();
    assert!(page.status == 200 && !page.has("<script"), "{page:?}");
    assert_eq!(browser.get("/_palisade/signin/style.css").status, 200);
    assert_eq!(browser.get("/_palisade/signin/nothing").status, 404);
    assert!(browser.get("/_palisade/signin").has("IAM user"));
    assert_eq!(browser.get("/_palisade/signin/?a=%zz").status, 400);
    assert_eq!(browser.send("DELETE", "/_palisade/signin/", "", "").status, 404);
    let long = format!("csrf={}", "x".repeat(100_000));
    for path in ["", "mfa", "password", "out", "role", "credentials"] {
        let path = format!("/_palisade/signin/{path}");
        for body in ["", "csrf=%zz", "step=AAAA&code=1", &long] {
            let status = browser.post(&path, body, "").status;
            assert!((400..404).contains(&status), "{path} {status}");
        }
    }
    assert_eq!(browser.who(), None);
}
