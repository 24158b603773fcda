//! What somebody with ill will tries at the sign-in, and what comes of it.

use super::browser::{Browser, escaped};
use super::{HOME, PASSWORD, events, user};
use crate::support::{Lab, Raw, Signature, policy, trust};
use serde_json::json;

#[test]
fn a_page_in_a_bucket_acts_for_nobody() {
    let Some(lab) = Lab::start("a_page_in_a_bucket_acts_for_nobody") else { return };
    let root = lab.root();
    root.ok("s3", "CreateBucket", json!({ "Bucket": "trap" }));
    root.ok("s3", "DeletePublicAccessBlock", json!({ "Bucket": "trap" }));
    let page = json!({
        "Bucket": "trap", "Key": "page.html", "ContentType": "text/html",
        "Body": { "base64": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==" },
    });
    root.ok("s3", "PutObject", page);
    let mut open = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::trap/*"]);
    open["Statement"][0]["Principal"] = json!("*");
    root.ok("s3", "PutBucketPolicy", json!({ "Bucket": "trap", "Policy": open.to_string() }));
    let presigned = lab.boto.presigned(&root.keys, "get_object", "trap", "page.html");
    let presigned = presigned.strip_prefix(&lab.server.url).unwrap().to_owned();
    // A sandbox without its own origin reads no cookie and no page of the sign-in.
    for path in ["/trap/page.html", &presigned] {
        let mut browser = Browser::new(&lab);
        let page = browser.get(path);
        assert_eq!((page.status, page.has("alert(1)")), (200, true), "{path}: {page:?}");
        let policy = &page.headers["content-security-policy"];
        assert!(policy.starts_with("sandbox"), "{policy}");
        assert!(
            !policy.contains("allow-same-origin") && !policy.contains("navigation"),
            "{policy}"
        );
    }
    // Programs sign their requests and get what S3 answers.
    let signature =
        Signature { keys: &root.keys, service: "s3", moved_seconds: 0, in_query: false };
    let unsigned = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let raw = Raw {
        method: "GET",
        path: "/trap/page.html",
        headers: &unsigned,
        signature: Some(signature),
        ..Raw::default()
    };
    let answer = lab.boto.raw(&raw);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers.get("content-security-policy"), None);
    // What such a page sends has no origin of ours.
    let mut browser = Browser::new(&lab);
    browser.get("/_palisade/signin/");
    for origin in ["null", "https://evil.example"] {
        browser.origin = origin.to_owned();
        assert_eq!(browser.post("/_palisade/signin/out", "csrf=x", "").status, 403, "{origin}");
    }
}

#[test]
fn a_role_to_switch_to_is_a_name_and_nothing_else() {
    let Some(lab) = Lab::start("a_role_to_switch_to_is_a_name_and_nothing_else") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    let assume = policy("Allow", &["sts:AssumeRole"], &["*"]).to_string();
    let put = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": assume });
    root.ok("iam", "PutUserPolicy", put);
    let trust = trust(&format!("arn:aws:iam::{account}:user/ann")).to_string();
    let role = json!({ "RoleName": "App", "Path": "/team/", "AssumeRolePolicyDocument": trust });
    root.ok("iam", "CreateRole", role);
    let mut browser = Browser::new(&lab);
    browser.sign_in(&account, "ann", PASSWORD);
    let mut switch = |account: &str, name: &str| {
        browser.get("/_palisade/signin/role");
        let fields = [("account", account), ("roleName", name)];
        let status = browser.submit("/_palisade/signin/role", &fields).status;
        (status, browser.who().unwrap()["role"].clone())
    };
    let long = "a".repeat(5000);
    for name in [
        "App",
        "other/App",
        "../team/App",
        "team/../team/App",
        "team/App\r\nSet-Cookie: a=b",
        "team/App\u{0}",
        "team/App ,x",
        "*",
        "team/*",
        "<script>",
        "\u{202e}ppA/maet",
        &long,
    ] {
        let (status, role) = switch(&account, name);
        assert!(matches!(status, 400 | 403), "{name:?}: {status}");
        assert_eq!(role, json!(null), "{name:?}");
    }
    for account in ["", "*", "../1", "arn:aws:iam::1:root", "\u{ff11}23456789012", &long] {
        let (status, role) = switch(account, "team/App");
        assert!(matches!(status, 400 | 403), "{account:?}: {status}");
        assert_eq!(role, json!(null), "{account:?}");
    }
    assert!(events(&root, "SwitchRole").is_empty());
    let (status, role) = switch(&account, "/team/App");
    assert_eq!((status, role.is_null()), (200, false));
}

#[test]
fn a_session_is_never_one_that_was_there_before() {
    let Some(lab) = Lab::start("a_session_is_never_one_that_was_there_before") else { return };
    let account = lab.server.account_id();
    user(&lab.root(), "ann", false);
    let mut browser = Browser::new(&lab);
    let planted = "planted-by-somebody-else-0123456789";
    browser.cookies.insert("palisade-session".to_owned(), planted.to_owned());
    assert_eq!(browser.who(), None);
    browser.sign_in(&account, "ann", PASSWORD);
    let first = browser.session_cookie().unwrap().clone();
    assert_ne!(first, planted);
    // Each sign-in has a secret of its own, and what the first one knew does not grow with it.
    let mut other = Browser::new(&lab);
    other.cookies.insert("palisade-session".to_owned(), planted.to_owned());
    other.sign_in(&account, "ann", PASSWORD);
    assert_ne!(other.session_cookie().unwrap(), &first);
    assert!(first.len() >= 32, "{first}");
    // A cookie counts for the browser that it was given to.
    let mut thief = Browser::new(&lab);
    thief.agent = "Mozilla/5.0 (thief)".to_owned();
    thief.cookies.insert("palisade-session".to_owned(), first);
    assert_eq!(thief.who(), None);
    assert!(browser.who().is_some());
}

#[test]
fn nobody_is_sent_to_another_place() {
    let Some(lab) = Lab::start("nobody_is_sent_to_another_place") else { return };
    let root = lab.root();
    user(&root, "ann", false);
    for place in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "https://console.aws.amazon.com.evil.example/",
        "https://console.aws.amazon.com@evil.example/",
        "/_palisade/signin/home\r\nLocation: https://evil.example",
        "javascript:alert(1)",
    ] {
        let path = format!(
            "/federation?Action=login&Issuer={}&SigninToken=x&Destination={}",
            escaped("https://evil.example"),
            escaped(place)
        );
        let mut browser = Browser::new(&lab);
        let page = browser.send("GET", &path, "", "");
        assert_eq!((page.status, page.headers.get("location")), (400, None), "{place}");
        assert!(!page.has("evil.example"), "{place}: {page:?}");
    }
    // Fields of that name lead nowhere at the password's form.
    let mut browser = Browser::new(&lab);
    browser.get("/_palisade/signin/?Destination=https://evil.example&redirect_uri=//evil.example");
    let account = lab.server.account_id();
    let fields = [
        ("as", "user"),
        ("account", account.as_str()),
        ("username", "ann"),
        ("password", PASSWORD),
        ("Destination", "https://evil.example"),
    ];
    browser.submit("/_palisade/signin/", &fields);
    assert!(browser.page.has("Signed in"), "{:?}", browser.page);
    assert_eq!(browser.get(HOME).status, 200);
}

#[test]
fn forms_that_are_too_big_are_refused_at_once() {
    let Some(lab) = Lab::start("forms_that_are_too_big_are_refused_at_once") else { return };
    let many = "a=1&".repeat(100_000);
    let (kind, length) = ("Content-Type: application/x-www-form-urlencoded\r\n", 64 << 20);
    for path in ["", "mfa", "recover", "role", "new-user"] {
        let path = format!("/_palisade/signin/{path}");
        let status = Browser::new(&lab).post(&path, &many, "").status;
        assert!((400..500).contains(&status), "{path}: {status}");
        // What is announced is refused before it is sent.
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{kind}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n",
            lab.server.address()
        );
        assert_eq!(lab.server.bytes(head.as_bytes()).0, 413, "{path}");
    }
    let password = format!("password={}", "x".repeat(500_000));
    let mut browser = Browser::new(&lab);
    let csrf = browser.get("/_palisade/signin/").hidden("csrf");
    let body = format!("csrf={csrf}&as=user&account=1&username=ann&{password}");
    let status = browser.post("/_palisade/signin/", &body, "").status;
    assert!((400..500).contains(&status), "{status}");
}
