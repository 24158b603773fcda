//! Switching roles.

use super::browser::Browser;
use super::{HOME, PASSWORD, events, user};
use crate::support::{Keys, Lab, policy, trust};
use serde_json::{Value, json};

#[test]
fn a_user_switches_to_a_role_of_another_account_and_back() {
    let test = "a_user_switches_to_a_role_of_another_account_and_back";
    let Some(lab) = Lab::start(test) else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let other = lab.account("210987654321");
    user(&root, "ann", false);
    let user_arn = format!("arn:aws:iam::{account}:user/ann");
    let trusting = json!({
        "RoleName": "Support", "AssumeRolePolicyDocument": trust(&user_arn).to_string()
    });
    other.ok("iam", "CreateRole", trusting);
    let list = policy("Allow", &["iam:ListRoles"], &["*"]).to_string();
    let input = json!({ "RoleName": "Support", "PolicyName": "list", "PolicyDocument": list });
    other.ok("iam", "PutRolePolicy", input);

    let mut browser = Browser::new(&lab);
    browser.sign_in(&account, "ann", PASSWORD);
    let switch = |browser: &mut Browser<'_>, account: &str, role: &str, shown: &str| {
        browser.get("/_palisade/signin/role?account=1&roleName=%3Cb%3E");
        let fields = [("account", account), ("roleName", role), ("displayName", shown)];
        browser.submit("/_palisade/signin/role", &fields).clone()
    };
    // The user's own policies must allow it too.
    let page = switch(&mut browser, "210987654321", "Support", "");
    assert_eq!((page.status, page.has("Check the account")), (403, true), "{page:?}");
    assert_eq!(events(&root, "AssumeRole")[0]["errorCode"], "AccessDenied");
    let assume = policy("Allow", &["sts:AssumeRole"], &["*"]).to_string();
    let input = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": assume });
    root.ok("iam", "PutUserPolicy", input);
    assert_eq!(switch(&mut browser, "210987654321", "Missing", "").status, 403);
    assert_eq!(switch(&mut browser, "999999999999", "Support", "").status, 400);
    assert_eq!(browser.who().unwrap()["role"], json!(null));

    let page = switch(&mut browser, "210987654321", "Support", "Help <desk>");
    assert!(page.status == 200 && page.has("Help &#60;desk&#62;"), "{page:?}");
    let session = "arn:aws:sts::210987654321:assumed-role/Support/ann";
    for trail in [&root, &other] {
        let event = events(trail, "SwitchRole").remove(0);
        assert_eq!(event["responseElements"], json!({ "SwitchRole": "Success" }));
        assert_eq!(event["additionalEventData"]["SwitchFrom"], json!(user_arn));
        let home = format!("{}{HOME}", lab.server.url);
        assert_eq!(event["additionalEventData"]["RedirectTo"], json!(home));
        assert_eq!(event["eventType"], "AwsConsoleSignIn");
    }
    assert_eq!(events(&other, "SwitchRole")[0]["userIdentity"]["arn"], json!(session));

    let keys = |browser: &mut Browser<'_>| {
        let csrf = browser.who().unwrap()["csrf"].as_str().unwrap().to_owned();
        let header = format!("X-Palisade-Csrf: {csrf}\r\n");
        browser.post("/_palisade/signin/credentials", "", &header).clone()
    };
    let made: Value = keys(&mut browser).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let support = lab.caller(Keys {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        token: Some(text("sessionToken")),
    });
    assert_eq!(support.ok("sts", "GetCallerIdentity", json!({}))["Arn"], json!(session));
    support.ok("iam", "ListRoles", json!({}));

    // Without the role there are no keys of it, and none of the user instead.
    other.ok("iam", "DeleteRolePolicy", json!({ "RoleName": "Support", "PolicyName": "list" }));
    other.ok("iam", "DeleteRole", json!({ "RoleName": "Support" }));
    assert_eq!(keys(&mut browser).status, 403);
    browser.get(HOME);
    let page = browser.submit("/_palisade/signin/role/exit", &[]);
    assert!(page.has("Switch role"), "{page:?}");
    assert_eq!(browser.who().unwrap()["role"], json!(null));
    let event = events(&root, "ExitRole").remove(0);
    assert_eq!(event["responseElements"], json!({ "ExitRole": "Success" }));
    assert_eq!(event["userIdentity"]["userName"], "ann");
    assert_eq!(keys(&mut browser).status, 200);
}
