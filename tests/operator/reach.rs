//! What a signed caller learns at the operator's door: of its own account, and no more.

use crate::support::{Caller, Lab, Raw, Signature};
use serde_json::{Value, json};

const OTHER: &str = "210987654321";

fn ask(lab: &Lab, caller: &Caller<'_>, method: &str, path: &str, body: &str) -> (u64, Value) {
    let signature =
        Signature { keys: &caller.keys, service: "palisade", moved_seconds: 0, in_query: false };
    let path = format!("/_palisade/{path}");
    let raw = Raw {
        method,
        path: &path,
        body: body.as_bytes(),
        signature: Some(signature),
        ..Raw::default()
    };
    let answer = lab.boto.raw(&raw);
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

#[test]
fn a_signed_caller_learns_of_its_own_account_alone() {
    let Some(lab) = Lab::start("a_signed_caller_learns_of_its_own_account_alone") else { return };
    let (root, other) = (lab.root(), lab.account(OTHER));
    let account = lab.server.account_id();
    root.ok("iam", "ListUsers", json!({}));
    root.ok("iam", "CreateGroup", json!({ "GroupName": "ours" }));
    other.ok("iam", "ListRoles", json!({}));
    other.ok("iam", "CreateGroup", json!({ "GroupName": "theirs" }));

    let (status, told) = ask(&lab, &other, "GET", "calls?limit=100", "");
    assert_eq!(status, 200, "{told}");
    let calls = told["calls"].as_array().unwrap();
    let of = |action: &str| calls.iter().filter(|call| call["action"] == action).count();
    assert_eq!(
        (of("iam:ListRoles"), of("iam:CreateGroup"), of("iam:ListUsers")),
        (1, 1, 0),
        "{told}"
    );
    let (_, all) = lab.server.operator("GET", "calls?limit=100", None);
    assert!(all["calls"].as_array().unwrap().len() > calls.len(), "{all}");

    let question = |principal: &str| {
        json!({ "questions": [{
            "principal": principal, "action": "iam:ListUsers", "resource": "*",
        }] })
        .to_string()
    };
    let own = question(&format!("arn:aws:iam::{OTHER}:root"));
    assert_eq!(ask(&lab, &other, "POST", "simulate", &own).0, 200);
    for foreign in [&format!("arn:aws:iam::{account}:root"), "root", "ann"] {
        assert_eq!(ask(&lab, &other, "POST", "simulate", &question(foreign)).0, 403, "{foreign}");
    }
    let replay = |account: &str| {
        let nothing = json!({ "scps": [], "rcps": [] });
        json!({ "limit": 10, "instead": { "accounts": { account: nothing } } }).to_string()
    };
    assert_eq!(ask(&lab, &other, "POST", "replay", &replay(OTHER)).0, 200);
    assert_eq!(ask(&lab, &other, "POST", "replay", &replay(&account)).0, 403);
    assert_eq!(ask(&lab, &other, "POST", "replay", "{}").0, 400);
}
