//! Random decision cases from small vocabularies, so that things match often.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const HERE: &str = "111122223333";
const THERE: &str = "444455556666";
const MANAGEMENT: &str = "999988887777";

const ACTIONS: &[&str] = &[
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:?etObject",
    "s3:P*Object",
    "s3:PutObject",
    "kms:*",
    "kms:Decrypt",
    "sts:*",
    "sts:AssumeRole",
    "iam:*",
    "s3:G*t*O*",
];

const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::*/${aws:username}/?",
    "arn:aws:s3:::b/${aws:PrincipalTag/team, 'red'}/${*}",
    "arn:aws:s3:::b/*/${k}",
    "arn:aws:kms:*:*:key/*",
    "arn:aws:kms:eu-*:111122223333:key/?",
    "arn:*:s3",
    "arn:aws:iam::111122223333:role/*",
];

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
];

const KEYS: &[&str] = &["k", "K", "aws:username", "aws:TagKeys", "aws:PrincipalTag/team", "d"];

/// The values of a family, as the policy and as the request may write them.
fn values(operator: &str) -> (&'static [&'static str], &'static [&'static str]) {
    const TEXT: &[&str] = &["ana", "ANA", "red", "a*", "*", "${aws:username}", "${k}", "?na", ""];
    const NUMBER: &[&str] = &["1", "2", "-1.5", "1.0", "10", "x"];
    const DATE: &[&str] =
        &["2026-01-01", "2026-01-01T02:00:00+02:00", "2027-01-01T00:00:00Z", "1767225600", "0"];
    const BOOL: &[&str] = &["true", "false", "True", "${k}"];
    const BINARY: &[&str] = &["YW5h", "cmVk", "YQ=="];
    const ADDRESS: &[&str] =
        &["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::1", "192.0.2.0/25"];
    const ARN: &[&str] = &[
        "arn:aws:s3:::b/k",
        "arn:aws:s3:::*",
        "arn:*:*:*:*:b/?",
        "arn:aws:s3:::b/${aws:username}",
        "*",
        "arn:aws:sqs:${k}:1:q",
    ];
    match operator {
        name if name.starts_with("Numeric") => (NUMBER, NUMBER),
        name if name.starts_with("Date") => (DATE, DATE),
        "Bool" => (BOOL, &["true", "false", "TRUE", "ana"]),
        "BinaryEquals" => (BINARY, BINARY),
        "IpAddress" | "NotIpAddress" => (ADDRESS, &["10.1.2.3", "192.0.2.200", "2001:db8::1"]),
        name if name.starts_with("Arn") => {
            (ARN, &["arn:aws:s3:::b/k", "arn:aws:s3:::b/ana", "arn:aws:sqs:red:1:q", "ana"])
        }
        _ => (TEXT, TEXT),
    }
}

/// Values that any family may meet, its own among them.
const REQUEST_VALUES: &[&str] = &[
    "ana",
    "ANA",
    "red",
    "*",
    "",
    "1",
    "2",
    "-1.5",
    "10",
    "2026-01-01T00:00:00Z",
    "1767225600",
    "2027-01-01T00:00:00Z",
    "true",
    "FALSE",
    "YW5h",
    "YQ",
    "10.1.2.3",
    "192.0.2.200",
    "2001:db8::1",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/ana",
    "arn:aws:sqs:red:1:q",
];

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(texts).prop_map(Value::from).boxed()
}

fn scalar_or_list(texts: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop_oneof![one_of(texts), vec(one_of(texts), 1..4).prop_map(Value::Array)].boxed()
}

fn condition() -> BoxedStrategy<Value> {
    let plain = (select(OPERATORS), 0..6_u8).prop_flat_map(|(operator, modifier)| {
        let name = match modifier {
            0 => format!("{operator}IfExists"),
            1 => format!("ForAllValues:{operator}"),
            2 => format!("ForAnyValue:{operator}"),
            3 => format!("ForAnyValue:{operator}IfExists"),
            _ => operator.to_owned(),
        };
        (select(KEYS), scalar_or_list(values(operator).0))
            .prop_map(move |(key, values)| (name.clone(), key, values))
    });
    let null = (select(KEYS), one_of(&["true", "false"]))
        .prop_map(|(key, value)| ("Null".to_owned(), key, value));
    let one = prop_oneof![6 => plain, 1 => null];
    let conditions = vec(one, 1..3).prop_map(|conditions| {
        let mut operators = Map::new();
        for (operator, key, values) in conditions {
            let keys = operators.entry(operator).or_insert_with(|| json!({}));
            keys[key] = values;
        }
        Value::Object(operators)
    });
    conditions.boxed()
}

fn principal() -> BoxedStrategy<Value> {
    let aws = scalar_or_list(&[
        "*",
        "111122223333",
        "444455556666",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:user/ana",
        "arn:aws:iam::444455556666:user/ana",
        "arn:aws:iam::111122223333:role/Dev",
        "arn:aws:iam::111122223333:role/team/Dev",
        "arn:aws:iam::444455556666:role/Dev",
        "arn:aws:sts::111122223333:assumed-role/Dev/ana",
        "arn:aws:sts::111122223333:federated-user/ana",
    ]);
    let service = scalar_or_list(&["cloudtrail.amazonaws.com", "config.amazonaws.com"]);
    prop_oneof![
        2 => Just(json!("*")),
        6 => aws.clone().prop_map(|aws| json!({"AWS": aws})),
        1 => service.clone().prop_map(|service| json!({"Service": service})),
        1 => (aws, service).prop_map(|(aws, service)| json!({"AWS": aws, "Service": service})),
    ]
    .boxed()
}

/// What a statement's kind of document lets it hold.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Own,
    Resource,
    Trust,
    Rcp,
}

fn statement(kind: Kind) -> BoxedStrategy<Value> {
    let actions = match kind {
        Kind::Trust => scalar_or_list(&["sts:*", "sts:AssumeRole", "sts:TagSession"]),
        _ => scalar_or_list(ACTIONS),
    };
    let parts = (
        prop_oneof![3 => Just("Allow"), 1 => Just("Deny")],
        actions,
        any::<[bool; 4]>(),
        scalar_or_list(RESOURCES),
        weighted(0.4, condition()),
        principal(),
    );
    parts
        .prop_map(move |(effect, actions, coins, resources, condition, principal)| {
            let effect = if kind == Kind::Rcp { "Deny" } else { effect };
            let mut statement = json!({"Effect": effect});
            let [rare, negated, narrow, also] = coins;
            let not_action = rare && negated && ![Kind::Trust, Kind::Rcp].contains(&kind);
            statement[if not_action { "NotAction" } else { "Action" }] = actions;
            let not_principal = rare && effect == "Deny" && kind == Kind::Resource;
            match kind {
                Kind::Own => {}
                Kind::Rcp => statement["Principal"] = json!("*"),
                _ if not_principal => statement["NotPrincipal"] = principal,
                _ => statement["Principal"] = principal,
            }
            if kind != Kind::Trust {
                let resources = if narrow { resources } else { json!("*") };
                statement[if rare && also { "NotResource" } else { "Resource" }] = resources;
            }
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        })
        .boxed()
}

fn policy(kind: Kind) -> BoxedStrategy<Value> {
    let version = prop_oneof![4 => Just(true), 1 => Just(false)];
    (version, vec(statement(kind), 1..4))
        .prop_map(move |(current, statements)| {
            let current = current || kind == Kind::Rcp;
            let version = if current { "2012-10-17" } else { "2008-10-17" };
            json!({"Version": version, "Statement": statements})
        })
        .boxed()
}

/// A policy that often allows everything, so that other layers get to decide.
fn generous(kind: Kind) -> BoxedStrategy<Value> {
    let mut all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    if kind == Kind::Resource || kind == Kind::Rcp {
        all["Principal"] = json!("*");
    }
    let all = json!({"Version": "2012-10-17", "Statement": [all]});
    prop_oneof![1 => Just(all), 2 => policy(kind)].boxed()
}

fn levels(kind: Kind) -> BoxedStrategy<Value> {
    let level = vec(generous(kind), 0..3).prop_map(Value::Array);
    vec(level, 1..4).prop_map(Value::Array).boxed()
}

fn caller() -> BoxedStrategy<Value> {
    let account = prop_oneof![4 => Just(HERE), 1 => Just(THERE), 1 => Just(MANAGEMENT)];
    let kinds = &["user", "user", "role", "assumed-role", "assumed-role", "federated-user", "root"];
    let own =
        (account, select(kinds as &[_]), any::<bool>()).prop_map(|(account, kind, linked)| {
            let arn = match kind {
                "user" => format!("arn:aws:iam::{account}:user/ana"),
                "role" => format!("arn:aws:iam::{account}:role/Dev"),
                "assumed-role" => format!("arn:aws:sts::{account}:assumed-role/Dev/ana"),
                "federated-user" => format!("arn:aws:sts::{account}:federated-user/ana"),
                _ => format!("arn:aws:iam::{account}:root"),
            };
            let linked = linked && kind == "assumed-role";
            json!({"type": kind, "arn": arn, "account": account, "serviceLinkedRole": linked})
        });
    prop_oneof![
        10 => own,
        1 => Just(json!({"type": "service", "service": "cloudtrail.amazonaws.com"})),
        1 => Just(json!({"type": "anonymous"})),
    ]
    .boxed()
}

/// Action and resource that belong together.
fn target() -> BoxedStrategy<(&'static str, String)> {
    let targets = [
        ("s3:GetObject", "arn:aws:s3:::b/k".to_owned()),
        ("s3:GetObject", "arn:aws:s3:::b/ana/x".to_owned()),
        ("s3:PutObject", "arn:aws:s3:::b/red/*".to_owned()),
        ("kms:Decrypt", format!("arn:aws:kms:eu-west-1:{HERE}:key/1")),
        ("sts:AssumeRole", format!("arn:aws:iam::{HERE}:role/Target")),
        ("s3:ListAllMyBuckets", "*".to_owned()),
        ("iam:GetUser", format!("arn:aws:iam::{HERE}:user/ana")),
    ];
    select(targets.to_vec()).boxed()
}

fn context() -> BoxedStrategy<Value> {
    let value = one_of(REQUEST_VALUES);
    let entry = prop_oneof![
        6 => value.clone(),
        2 => vec(value, 0..3).prop_map(Value::Array),
        1 => Just(Value::Null),
        3 => Just(json!("absent")),
    ];
    let keys = ["k", "aws:username", "aws:TagKeys", "aws:PrincipalTag/team", "d"];
    vec(entry, keys.len())
        .prop_map(move |entries| {
            let mut context = Map::new();
            for (key, entry) in keys.iter().zip(entries) {
                if entry != "absent" {
                    context.insert((*key).to_owned(), entry);
                }
            }
            // A user would bring its name by itself, which the literal evaluator knows nothing of.
            context.entry("aws:username").or_insert_with(|| json!("ana"));
            Value::Object(context)
        })
        .boxed()
}

/// One case.
pub fn case() -> BoxedStrategy<Value> {
    (target(), prop_oneof![5 => Just(HERE), 1 => Just(MANAGEMENT)])
        .prop_flat_map(|((action, resource), owner)| {
            let kind = if action.starts_with("sts:") { Kind::Trust } else { Kind::Resource };
            let resource_policy = if kind == Kind::Trust { policy(kind) } else { generous(kind) };
            let layers = (
                vec(generous(Kind::Own), 0..3),
                weighted(0.6, resource_policy),
                weighted(0.3, generous(Kind::Own)),
                weighted(0.3, vec(generous(Kind::Own), 0..3)),
                weighted(0.3, levels(Kind::Own)),
                weighted(0.3, levels(Kind::Rcp)),
                weighted(0.2, generous(Kind::Resource)),
            );
            (caller(), context(), layers).prop_map(move |(principal, context, layers)| {
                let (identity, resource_policy, boundary, session, scps, rcps, endpoint) = layers;
                let mut case = json!({
                    "id": "random", "principal": principal, "action": action,
                    "resource": resource, "resourceAccount": owner, "context": context,
                    "identityPolicies": identity,
                    "organization": {"managementAccount": MANAGEMENT},
                });
                let optional = [
                    ("resourcePolicy", resource_policy),
                    ("permissionsBoundary", boundary),
                    ("sessionPolicies", session.map(Value::Array)),
                    ("scps", scps),
                    ("rcps", rcps),
                    ("vpcEndpointPolicy", endpoint),
                ];
                for (name, value) in optional {
                    if let Some(value) = value {
                        case[name] = value;
                    }
                }
                case
            })
        })
        .boxed()
}

/// A Deny statement of a caller's own policy.
pub fn deny() -> BoxedStrategy<Value> {
    statement(Kind::Own)
        .prop_map(|mut statement| {
            statement["Effect"] = json!("Deny");
            statement
        })
        .prop_filter("RCPs take no NotAction", |statement| statement.get("NotAction").is_none())
        .boxed()
}
