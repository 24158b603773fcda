//! Receipts of decisions: what `palisade why` tells, `palisade explain` tells without a server; the
//! edits that they propose do what they say; and nobody learns more than he may.

use crate::support::{Caller, Keys, Lab, Raw, Signature, policy, run, trust};
use serde_json::{Value, json};

/// The newest decision as `why` has it, as JSON and in words, decided again offline.
fn explained_offline(lab: &Lab, id: &str) -> Value {
    let file = lab.server.folder.path().join("receipt.json");
    let file = file.to_str().unwrap();
    let receipt = lab.server.palisade(&["why", id, "--output", "json"]);
    assert_eq!(receipt.code, Some(0), "{}", receipt.err);
    std::fs::write(file, &receipt.out).unwrap();
    let again = run(&["explain", file, "--output", "json"]);
    assert_eq!((again.code, &again.out), (Some(0), &receipt.out), "{}", again.err);
    for full in [&[][..], &["--full"]] {
        let told = lab.server.palisade(&[&["why", id][..], full].concat());
        let again = run(&[&["explain", file][..], full].concat());
        assert_eq!((again.code, &again.out), (Some(0), &told.out), "{}", again.err);
    }
    serde_json::from_str(&receipt.out).unwrap()
}

fn decision_of(lab: &Lab) -> String {
    let (status, last) = lab.server.operator("GET", "decisions/last", None);
    assert_eq!(status, 200, "{last}");
    last["decision"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_receipt_says_offline_what_the_server_says() {
    let Some(lab) = Lab::start("a_receipt_says_offline_what_the_server_says") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let mut own = policy("Allow", &["iam:GetUser", "sts:AssumeRole"], &["*"]);
    let deny = json!({ "Sid": "NoBob", "Effect": "Deny", "Action": "iam:GetUser",
        "Resource": format!("arn:aws:iam::{account}:user/bob"),
        "Condition": { "NotIpAddress": { "aws:SourceIp": "198.51.100.0/24" } } });
    own["Statement"].as_array_mut().unwrap().push(deny);
    let ann = lab.user(&root, "ann", Some(own));
    lab.user(&root, "bob", None);

    let denied = ann.call("iam", "GetUser", json!({ "UserName": "bob" })).unwrap_err();
    let receipt = explained_offline(&lab, &denied.request_id);
    assert_eq!(receipt["format"], "palisade-receipt/1");
    let explained = &receipt["explained"][0];
    assert_eq!(explained["trace"]["decision"]["statements"][0]["sid"], "NoBob");
    let condition = &explained["trace"]["stages"][6]["policies"][0]["statements"][1];
    assert_eq!(condition["conditions"][0]["policy"], json!(["198.51.100.0/24"]));
    assert_eq!(condition["conditions"][0]["request"], json!({ "value": "127.0.0.1" }));
    assert_eq!(explained["facts"]["context"]["aws:sourceip"], json!({ "value": "127.0.0.1" }));
    let kept = &explained["facts"]["layers"][0]["policies"][0];
    assert!(kept["revision"].as_u64() > Some(0) && kept["text"].is_string(), "{kept}");
    let words = lab.server.palisade(&["why", &denied.request_id]).out;
    assert!(words.contains("Smallest change that allows it: "), "{words}");

    root.ok("iam", "ListUsers", json!({}));
    let receipt = explained_offline(&lab, &decision_of(&lab));
    assert_eq!(receipt["explained"][0]["edits"], json!([]), "nothing here stops root");

    // A role session: trust policy, session policy and managed policy, each with its revision.
    let document = trust(&format!("arn:aws:iam::{account}:user/ann"));
    let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": document.to_string() });
    let arn = root.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let read =
        json!({ "RoleName": "app", "PolicyArn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess" });
    root.ok("iam", "AttachRolePolicy", read);
    let narrow = policy("Allow", &["iam:GetRole"], &["*"]).to_string();
    let assume = json!({ "RoleArn": arn, "RoleSessionName": "tour", "Policy": narrow });
    let keys = Keys::of_session(&ann.ok("sts", "AssumeRole", assume));
    let receipt = explained_offline(&lab, &decision_of(&lab));
    let mut stages = receipt["explained"][0]["trace"]["stages"].as_array().unwrap().iter();
    let trusted = stages.find(|stage| stage["layer"] == "trust").unwrap();
    assert!(trusted["policies"][0]["revision"].as_u64() > Some(0), "{trusted}");
    let secret = keys.secret.clone();
    let token = keys.token.clone().unwrap();
    let session = lab.caller(keys);
    let denied = session.call("iam", "ListUsers", json!({})).unwrap_err();
    let receipt = explained_offline(&lab, &denied.request_id);
    assert_eq!(receipt["explained"][0]["trace"]["decision"]["deniedBy"], "session");
    let text = receipt.to_string();
    assert!(!text.contains(&secret) && !text.contains(&token), "a receipt holds no secret");
}

#[test]
fn a_receipt_that_was_changed_is_refused() {
    let Some(lab) = Lab::start("a_receipt_that_was_changed_is_refused") else { return };
    let ann = lab.user(&lab.root(), "ann", Some(policy("Deny", &["iam:*"], &["*"])));
    let denied = ann.call("iam", "ListUsers", json!({})).unwrap_err();
    let receipt = lab.server.palisade(&["why", &denied.request_id, "--output", "json"]).out;
    let file = lab.server.folder.path().join("receipt.json");
    for (from, to) in [
        ("\\\"Deny\\\"", "\\\"Allow\\\""),
        ("explicitDeny", "allowed"),
        ("palisade-receipt/1", "palisade-receipt/2"),
    ] {
        let changed = receipt.replacen(from, to, 1);
        assert_ne!(changed, receipt, "{from}");
        std::fs::write(&file, changed).unwrap();
        let ran = run(&["explain", file.to_str().unwrap()]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{from}: {}", ran.err);
    }
    std::fs::write(&file, "{").unwrap();
    assert_eq!(run(&["explain", file.to_str().unwrap()]).code, Some(1));
    assert_eq!(run(&["explain", "/nonexistent"]).code, Some(1));
}

/// A signed request for a decision.
fn ask(lab: &Lab, caller: &Caller<'_>, id: &str) -> (u64, Value) {
    let path = format!("/_palisade/decisions/{id}");
    let signature =
        Signature { keys: &caller.keys, service: "palisade", moved_seconds: 0, in_query: false };
    let raw = Raw { method: "GET", path: &path, signature: Some(signature), ..Raw::default() };
    let answer = lab.boto.raw(&raw);
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

#[test]
fn who_may_not_read_policies_sees_the_message_alone() {
    let Some(lab) = Lab::start("who_may_not_read_policies_sees_the_message_alone") else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", Some(policy("Deny", &["iam:*"], &["*"])));
    let denied = ann.call("iam", "ListUsers", json!({})).unwrap_err();
    let id = denied.request_id.as_str();
    // The answer itself names neither policy nor statement.
    assert!(!denied.text.contains("own"), "{}", denied.text);
    assert_eq!(ask(&lab, &ann, id).0, 403, "she may not ask at all");

    let asks = lab.user(&root, "asks", Some(policy("Allow", &["palisade:GetDecision"], &["*"])));
    let (status, told) = ask(&lab, &asks, id);
    assert_eq!((status, &told["errorMessage"]), (200, &json!(denied.message)), "{told}");
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["error", "errorMessage", "id", "operation", "service", "time"]);

    let reads = ["palisade:GetDecision", "iam:GetAccountAuthorizationDetails"];
    let reads = lab.user(&root, "reads", Some(policy("Allow", &reads, &["*"])));
    let (status, told) = ask(&lab, &reads, id);
    assert_eq!((status, &told["format"]), (200, &json!("palisade-receipt/1")), "{told}");

    // Decisions of one account are nobody's business in another.
    let stranger = lab.account("210987654321");
    let (status, told) = ask(&lab, &stranger, id);
    assert_eq!((status, &told["code"]), (404, &json!("NotFound")));
    stranger.ok("iam", "ListUsers", json!({}));
    let (status, told) = ask(&lab, &stranger, "last");
    assert_eq!((status, &told["decision"]["caller"]["account"]), (200, &json!("210987654321")));
}

/// Small numbers in an order that is always the same.
struct Dice(u64);

impl Dice {
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        &of[(self.0 >> 33) as usize % of.len()]
    }
}

/// A policy about users, groups and roles of the account.
fn some_policy(dice: &mut Dice, account: &str) -> Value {
    let actions = ["iam:Get*", "iam:GetUser", "iam:List*", "iam:GetGroup", "iam:GetRole", "s3:*"];
    let resources = ["*", "user/ann", "user/team/*", "group/*", "role/app", "user/${aws:username}"];
    let conditions = [
        json!({ "StringEquals": { "aws:username": "ann" } }),
        json!({ "NotIpAddress": { "aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"] } }),
        json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }),
        json!({ "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } }),
        json!({ "StringLike": { "aws:PrincipalTag/team": "b*" } }),
    ];
    let count = *dice.pick(&[1, 2, 3]);
    let mut statement = || {
        let resource = match *dice.pick(&resources) {
            "*" => "*".to_owned(),
            name => format!("arn:aws:iam::{account}:{name}"),
        };
        let (one, other) = (*dice.pick(&actions), *dice.pick(&actions));
        let effect = *dice.pick(&["Allow", "Allow", "Deny"]);
        let mut statement = json!({ "Effect": effect, "Resource": resource });
        let negated = *dice.pick(&[false, false, false, false, true]);
        statement[if negated { "NotAction" } else { "Action" }] = json!([one, other]);
        if *dice.pick(&[false, false, true]) {
            statement["Condition"] = dice.pick(&conditions).clone();
        }
        statement
    };
    let statements: Vec<Value> = (0..count).map(|_| statement()).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Puts the documents of an edit where they belong.
fn apply(root: &Caller<'_>, documents: &Value) {
    for document in documents.as_array().unwrap() {
        let label = document["policy"].as_str().unwrap_or("inline:user/ann/new");
        let name = label.rsplit('/').next().unwrap();
        let mut input = json!({ "UserName": "ann", "PolicyName": name });
        match document["text"].as_str() {
            Some(text) => {
                input["PolicyDocument"] = json!(text);
                root.ok("iam", "PutUserPolicy", input);
            }
            None => drop(root.ok("iam", "DeleteUserPolicy", input)),
        }
    }
}

/// Every edit that a receipt proposes, made through IAM's own API, turns exactly that call round.
/// `PALISADE_TEST_EDITS` says for how many cases; 500 take some minutes.
#[test]
fn proposed_edits_turn_the_call_round() {
    let Some(lab) = Lab::start("proposed_edits_turn_the_call_round") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let ann = lab.user(&root, "ann", None);
    root.ok("iam", "CreateUser", json!({ "UserName": "bob", "Path": "/team/" }));
    root.ok("iam", "CreateGroup", json!({ "GroupName": "devs" }));
    let document = trust(&account).to_string();
    root.ok(
        "iam",
        "CreateRole",
        json!({ "RoleName": "app", "AssumeRolePolicyDocument": document }),
    );
    let calls = [
        ("GetUser", json!({ "UserName": "ann" })),
        ("GetUser", json!({ "UserName": "bob" })),
        ("GetGroup", json!({ "GroupName": "devs" })),
        ("GetRole", json!({ "RoleName": "app" })),
        ("ListAccessKeys", json!({ "UserName": "bob" })),
        ("ListUsers", json!({})),
    ];
    let wanted = std::env::var("PALISADE_TEST_EDITS").ok();
    let cases: usize = wanted.map_or(40, |wanted| wanted.parse().unwrap());
    let mut dice = Dice(7);
    let (mut flipped, mut allowed_at_first) = (0, 0);
    for case in 0..cases {
        let own = some_policy(&mut dice, &account).to_string();
        let put = json!({ "UserName": "ann", "PolicyName": "own", "PolicyDocument": own });
        root.ok("iam", "PutUserPolicy", put.clone());
        let (operation, input) = dice.pick(&calls).clone();
        let allowed = ann.call("iam", operation, input.clone()).is_ok();
        allowed_at_first += usize::from(allowed);
        let (_, receipt) = lab.server.operator("GET", "decisions/last", None);
        let edits = receipt["explained"][0]["edits"].as_array().unwrap();
        assert!(!edits.is_empty(), "case {case}: nothing turns {operation} {input} under {own}");
        let by_documents = |edit: &&Value| {
            let changes = edit["changes"].as_array().unwrap();
            changes.iter().all(|change| change["change"] != "setContext")
        };
        let Some(edit) = edits.iter().find(by_documents) else { continue };
        apply(&root, &edit["documents"]);
        let after = ann.call("iam", operation, input.clone()).is_ok();
        assert_ne!(after, allowed, "case {case}: {edit} on {operation} {input} under {own}");
        flipped += 1;
        for name in ["own", "new"] {
            let gone = json!({ "UserName": "ann", "PolicyName": name });
            let _was_not_there = root.call("iam", "DeleteUserPolicy", gone);
        }
    }
    assert!(flipped * 10 >= cases * 9, "{flipped} of {cases} could be tried");
    assert!(allowed_at_first > 0 && allowed_at_first < cases, "{allowed_at_first} of {cases}");
}

#[test]
fn the_number_of_calls_that_an_edit_newly_allows() {
    let Some(lab) = Lab::start("the_number_of_calls_that_an_edit_newly_allows") else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["iam:GetUser"], &["*"])));
    for operation in ["ListUsers", "ListGroups", "ListUsers"] {
        ann.call("iam", operation, json!({})).unwrap_err();
    }
    let denied = ann.call("iam", "ListGroups", json!({ "PathPrefix": "/x/" })).unwrap_err();
    let words = lab.server.palisade(&["why", &denied.request_id]).out;
    // `iam:ListGroups` more in the list of actions lets the other path be listed, too.
    let expected = "add \"iam:ListGroups\" to Action of stmt 1 of inline:user/ann/own   \
                    (verified; also newly allows: 1 call)";
    assert!(words.contains(expected), "{words}");
}
