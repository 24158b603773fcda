//! A new user from one form, and the file of its credentials.

use super::browser::Browser;
use super::root_password;
use crate::support::{Keys, Lab, each, policy};
use serde_json::json;

const PATH: &str = "/_palisade/signin/new-user";

fn signed_in(lab: &Lab) -> Browser<'_> {
    let (email, password) = root_password(lab);
    let mut browser = Browser::new(lab);
    assert_eq!(browser.sign_in_as_root(&email, &password).status, 200);
    browser
}

/// The second line of a file, by its fields.
fn line(body: &str) -> Vec<String> {
    body.lines().nth(1).unwrap().split(',').map(str::to_owned).collect()
}

#[test]
fn one_form_makes_both_kinds_of_access() {
    let Some(lab) = Lab::start("one_form_makes_both_kinds_of_access") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let mut browser = signed_in(&lab);
    browser.get(PATH);
    let fields = [("username", "ann"), ("console", "yes"), ("keys", "yes")];
    let file = browser.submit(PATH, &fields).clone();
    assert_eq!((file.status, &*file.headers["content-type"]), (200, "text/csv; charset=utf-8"));
    let name = "attachment; filename=\"ann_credentials.csv\"";
    assert_eq!(file.headers["content-disposition"], name);
    assert_eq!(file.headers["cache-control"], "no-store");
    let header = "User name,Password,Access key ID,Secret access key,Console login link";
    assert_eq!(file.body.lines().next(), Some(header));
    let fields = line(&file.body);
    let link = format!("{}/_palisade/signin/?account={account}", lab.server.url);
    assert_eq!((&*fields[0], &*fields[4]), ("ann", &*link));
    // Both work: the key, and the password.
    let ann = lab.caller(Keys::of(&fields[2], &fields[3]));
    let who = ann.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(who["Arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
    let mut other = Browser::new(&lab);
    assert_eq!(other.sign_in(&account, "ann", &fields[1]).status, 200);
    assert!(other.who().is_some());
    // There is no second copy: not at the same address, not in IAM, not in the events.
    assert!(!browser.get(PATH).body.contains(&fields[3]));
    let keys = root.ok("iam", "ListAccessKeys", json!({ "UserName": "ann" }));
    assert_eq!(each(&keys["AccessKeyMetadata"], "AccessKeyId"), [&*fields[2]]);
    assert!(!keys.to_string().contains(&fields[3]), "{keys}");
    for name in ["CreateAccessKey", "CreateLoginProfile"] {
        let event = super::events(&root, name).remove(0).to_string();
        assert!(!event.contains(&fields[3]) && !event.contains(&fields[1]), "{event}");
    }
}

#[test]
fn one_kind_of_access_is_the_only_one() {
    let Some(lab) = Lab::start("one_kind_of_access_is_the_only_one") else { return };
    let root = lab.root();
    let mut browser = signed_in(&lab);
    browser.get(PATH);
    let file = browser.submit(PATH, &[("username", "key"), ("keys", "yes")]).body.clone();
    assert_eq!(line(&file)[1], "");
    let none = root.call("iam", "GetLoginProfile", json!({ "UserName": "key" })).unwrap_err();
    assert_eq!(none.code, "NoSuchEntity");
    browser.get(PATH);
    let fields = [("username", "eye"), ("console", "yes"), ("password", "Correct-horse-1")];
    let file = browser.submit(PATH, &fields).body.clone();
    assert_eq!(line(&file)[1..4], ["Correct-horse-1", "", ""]);
    let keys = root.ok("iam", "ListAccessKeys", json!({ "UserName": "eye" }));
    assert_eq!(keys["AccessKeyMetadata"], json!([]));
    // What is refused is said, with what is there all the same.
    browser.get(PATH);
    assert_eq!(browser.submit(PATH, &[("username", "no")]).status, 400);
    browser.get(PATH);
    let fields = [("username", "no"), ("console", "yes"), ("password", "weak")];
    let page = browser.submit(PATH, &fields);
    assert!(page.status == 400 && page.has("The user was made, and nothing else"), "{page:?}");
}

#[test]
fn a_key_of_ones_own_is_a_file_too() {
    let Some(lab) = Lab::start("a_key_of_ones_own_is_a_file_too") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    super::user(&root, "ann", false);
    let mut browser = Browser::new(&lab);
    browser.sign_in(&account, "ann", super::PASSWORD);
    let path = "/_palisade/signin/access-key";
    let page = browser.submit(path, &[]);
    assert!(page.status == 400 && page.has("iam:CreateAccessKey"), "{page:?}");
    let document = policy("Allow", &["iam:CreateAccessKey"], &["*"]).to_string();
    let put = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": document });
    root.ok("iam", "PutUserPolicy", put);
    browser.get(super::HOME);
    let file = browser.submit(path, &[]);
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"ann_accessKeys.csv\"");
    let fields = line(&file.body);
    let ann = lab.caller(Keys::of(&fields[0], &fields[1]));
    ann.ok("sts", "GetCallerIdentity", json!({}));
}
