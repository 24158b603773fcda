//! The federation endpoint, as scripts of identity brokers use it.

use super::browser::{Browser, escaped};
use super::{advance, events};
use crate::support::{Caller, Keys, Lab, finish, policy, trust};
use serde_json::{Value, json};
use std::process::Command;

/// What AWS's documentation and many blogs do, with the standard library alone: temporary keys,
/// a sign-in token, a sign-in address.
const SCRIPT: &str = "
import json, sys, urllib.parse, urllib.request
endpoint, key, secret, token, duration = sys.argv[1:]
session = json.dumps({'sessionId': key, 'sessionKey': secret, 'sessionToken': token})
query = '?Action=getSigninToken'
if duration:
    query += '&SessionDuration=' + duration
query += '&Session=' + urllib.parse.quote_plus(session)
answer = urllib.request.urlopen(endpoint + query).read()
token = json.loads(answer)['SigninToken']
query = '?Action=login&Issuer=Example.org'
query += '&Destination=' + urllib.parse.quote_plus('https://console.aws.amazon.com/')
query += '&SigninToken=' + token
print(query)
";

/// The path of the sign-in address, or what the endpoint said.
fn address(lab: &Lab, keys: &Keys, duration: &str) -> Result<String, String> {
    let endpoint = format!("{}/federation", lab.server.url);
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT, &endpoint, &keys.id, &keys.secret]);
    let ran = finish(command.arg(keys.token.as_deref().unwrap_or_default()).arg(duration));
    match ran.code {
        Some(0) => Ok(format!("/federation{}", ran.out.trim())),
        _ => Err(ran.err),
    }
}

fn role(lab: &Lab, root: &Caller<'_>) -> Keys {
    let account = lab.server.account_id();
    let document = trust(&format!("arn:aws:iam::{account}:root")).to_string();
    let input = json!({
        "RoleName": "Broker", "AssumeRolePolicyDocument": document, "MaxSessionDuration": 43_200
    });
    root.ok("iam", "CreateRole", input);
    let assume = policy("Allow", &["sts:AssumeRole", "sts:GetFederationToken"], &["*"]);
    let user = lab.user(root, "broker", Some(assume));
    let arn = format!("arn:aws:iam::{account}:role/Broker");
    let input = json!({ "RoleArn": arn, "RoleSessionName": "dana" });
    Keys::of_session(&user.ok("sts", "AssumeRole", input))
}

#[test]
fn a_stock_script_signs_a_role_session_in_once() {
    let Some(lab) = Lab::start("a_stock_script_signs_a_role_session_in_once") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let keys = role(&lab, &root);
    let path = address(&lab, &keys, "43200").unwrap();
    let token = events(&root, "GetSigninToken").remove(0);
    assert_eq!(token["responseElements"]["GetSigninToken"], "Success");
    assert_eq!(token["responseElements"]["credentials"]["accessKeyId"], json!(keys.id));
    assert!(!token.to_string().contains(&keys.secret));

    let mut browser = Browser::new(&lab);
    let page = browser.get(&path).clone();
    let arn = format!("arn:aws:sts::{account}:assumed-role/Broker/dana");
    assert!(page.status == 200 && page.has(&arn), "{page:?}");
    let event = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["userIdentity"]["arn"], json!(arn));
    assert_eq!(event["responseElements"], json!({ "ConsoleLogin": "Success" }));

    // One token, one session; and nobody is signed in over somebody else.
    assert!(Browser::new(&lab).get(&path).has("used already"));
    let second = address(&lab, &keys, "").unwrap();
    assert!(browser.get(&second).has("Sign out first"));

    // The console's session outlives the credentials that it was made of.
    advance(&lab, 2 * 3600);
    assert_eq!(browser.who().unwrap()["arn"], json!(arn));
    let late = Browser::new(&lab).get(&second).clone();
    assert_eq!((late.status, late.has("too old")), (400, true), "{late:?}");
    advance(&lab, 10 * 3600);
    assert_eq!(browser.who(), None);
}

#[test]
fn a_federated_role_session_ends_with_its_role() {
    let Some(lab) = Lab::start("a_federated_role_session_ends_with_its_role") else { return };
    let root = lab.root();
    let keys = role(&lab, &root);
    let mut browser = Browser::new(&lab);
    browser.get(&address(&lab, &keys, "900").unwrap());
    assert!(browser.who().is_some());
    root.ok("iam", "DeleteRole", json!({ "RoleName": "Broker" }));
    assert_eq!(browser.who(), None);
    assert!(address(&lab, &keys, "900").unwrap_err().contains("400"));
}

#[test]
fn what_the_federation_endpoint_refuses() {
    let Some(lab) = Lab::start("what_the_federation_endpoint_refuses") else { return };
    let root = lab.root();
    let keys = role(&lab, &root);
    let broker = lab.caller(root.new_key("broker"));
    let federated = broker.ok("sts", "GetFederationToken", json!({ "Name": "eve" }));
    let federated = Keys::of_session(&federated);
    let own = Keys::of_session(&broker.ok("sts", "GetSessionToken", json!({})));
    let spoilt = Keys { secret: "wrong".to_owned(), ..keys.clone() };
    let other = Keys { token: federated.token.clone(), ..keys.clone() };
    let long_term = root.keys.clone();
    for (keys, duration) in [
        (&keys, "899"),
        (&keys, "43201"),
        (&keys, "abc"),
        (&federated, "3600"),
        (&own, ""),
        (&spoilt, ""),
        (&other, ""),
        (&long_term, ""),
    ] {
        let refused = address(&lab, keys, duration).unwrap_err();
        assert!(refused.contains("HTTP Error 400"), "{duration}: {refused}");
    }
    let path = address(&lab, &federated, "").unwrap();
    let mut browser = Browser::new(&lab);
    for foreign in ["https://evil.example/", "//evil.example", "/bucket"] {
        let changed = path.replace("https%3A%2F%2Fconsole.aws.amazon.com%2F", &escaped(foreign));
        assert!(changed != path);
        let page = browser.get(&changed).clone();
        assert_eq!((page.status, page.headers.get("location")), (400, None), "{foreign}");
    }
    // A token is for whoever it was made, to the letter.
    let cut = &path[..path.len() - 2];
    assert_eq!(browser.get(cut).status, 400);
    assert_eq!(browser.get("/federation?Action=login&SigninToken=").status, 400);
    let page = browser.get(&path).clone();
    assert!(page.has("federated-user/eve"), "{page:?}");
    let event: Value = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["userIdentity"]["type"], "FederatedUser");
}
