//! What AWS refuses, in its words, and where.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use DocumentKind::{Boundary, Identity, Rcp, Resource, Scp, Session, Trust, VpcEndpoint};
use palisade_policy::{
    DocumentKind, NoKnowledge, Policy, Severity, Validation, guess_kind, refusals, validate,
};
use proptest::prelude::*;

/// Reads the document and compares AWS's message, or `ok`.
fn check(kind: DocumentKind, text: &str, expected: &str) {
    let message = match Policy::parse(text, kind) {
        Ok(_) => "ok".to_owned(),
        Err(malformed) => malformed.message().to_owned(),
    };
    assert_eq!(message, expected, "{kind:?}: {text}");
    let refusals = refusals(text, kind);
    assert!(refusals.iter().all(|it| it.severity == Severity::Error), "{kind:?}: {text}");
    assert_eq!(refusals.is_empty(), expected == "ok", "{kind:?}: {text}");
}

/// A document of one statement that holds the given members.
fn one(members: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": {{{members}}}}}"#)
}

const ALLOW: &str = r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#;
const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";

#[test]
fn syntax() {
    check(Identity, &one(ALLOW), "ok");
    for text in [
        "",
        "{",
        "[]",
        "\"x\"",
        r#"{"Version": "2012-10-17"}"#,
        r#"{"Version": "2012-10-17", "Statement": []}"#,
        r#"{"Version": "2012-10-17", "Statement": "x"}"#,
        r#"{"Version": "2013-01-01", "Statement": {"Effect": "Deny", "Action": "*"}}"#,
        r#"{"Version": 2012, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"Unknown": 1, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
    ] {
        check(Identity, text, SYNTAX);
    }
    for members in [
        r#""Action": "*", "Resource": "*""#,
        r#""Effect": "Permit", "Action": "*", "Resource": "*""#,
        r#""Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "NotAction": "s3:*", "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*""#,
        r#""Effect": "Allow", "Action": 7, "Resource": "*""#,
        r#""Effect": "Allow", "Action": ["s3:*", null], "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Extra": 1"#,
    ] {
        check(Identity, &one(members), SYNTAX);
    }
    for condition in [
        r#"[]"#,
        r#"{"StringEquals": []}"#,
        r#"{"Equals": {"a:b": 1}}"#,
        r#"{"NullIfExists": {"a:b": true}}"#,
        r#"{"ForAnyValue:Null": {"a:b": true}}"#,
        r#"{"ForSomeValues:Bool": {"a:b": 1}}"#,
        r#"{"Bool": {"a:b": {}}}"#,
        r#"{"Bool": {"a:b": null}}"#,
        r#"{"Bool": {"a:b": [["true"]]}}"#,
    ] {
        check(Identity, &one(&format!(r#"{ALLOW}, "Condition": {condition}"#)), SYNTAX);
    }
    check(Identity, &one(r#""Effect": "allow", "Action": "*", "Resource": "*""#), LEGACY);
}

#[test]
fn statements() {
    let missing_action = "Policy statement must contain actions.";
    let missing_resource = "Policy statement must contain resources.";
    check(Identity, &one(r#""Effect": "Allow", "Resource": "*""#), missing_action);
    check(Identity, &one(r#""Effect": "Allow", "Action": [], "Resource": "*""#), missing_action);
    check(Identity, &one(r#""Effect": "Allow", "Action": "s3:*""#), missing_resource);
    check(
        Identity,
        &one(r#""Effect": "Allow", "Action": "s3:*", "Resource": []"#),
        missing_resource,
    );
    let twice = format!(r#"{{"Statement": [{{"Sid": "A", {ALLOW}}}, {{"Sid": "A", {ALLOW}}}]}}"#);
    check(Identity, &twice, "Statement IDs (SID) in a single policy must be unique.");
    check(Identity, &twice.replacen("\"A\"", "\"B\"", 1), "ok");
    check(Identity, &twice.replace("\"A\"", "\"\""), "ok");
    assert!(Policy::parse(&one(&format!(r#""Sid": "a b", {ALLOW}"#)), Identity).is_err());
    let sid = format!(r#""Sid": "a b", "Principal": "*", {ALLOW}"#);
    check(Resource, &one(&sid), "ok");
}

#[test]
fn actions() {
    let action =
        |action: &str| one(&format!(r#""Effect": "Allow", "Action": "{action}", "Resource": "*""#));
    for valid in ["*", "s3:*", "s3:Get*", "S3:getobject", "execute-api:Invoke", "s3:?et*"] {
        check(Identity, &action(valid), "ok");
    }
    let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    check(Identity, &action("GetObject"), vendor);
    check(Identity, &action(""), vendor);
    check(Identity, &action("s3:Get:Object"), "Actions/Condition can contain only one colon.");
    check(Identity, &action("s*:GetObject"), "Vendor s* is not valid");
    check(Identity, &action("*:*"), "Vendor * is not valid");
    check(Identity, &action("s 3:GetObject"), "Vendor s 3 is not valid");
    check(Identity, &action("s3:"), SYNTAX);
}

#[test]
fn resources() {
    let resource = |resource: &str| {
        one(&format!(r#""Effect": "Allow", "Action": "*", "Resource": "{resource}""#))
    };
    for valid in [
        "*",
        "arn:aws:s3:::b",
        "arn:aws:sqs",
        "arn:*:sqs:*:*:q",
        "arn:aws-cn:s3:::b",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::*:*",
        "arn:aws:iam::111122223333:ro*",
        "arn:aws:s3:::${aws:username}",
        "arn:aws:kms:*:${aws:PrincipalAccount}:key/*",
    ] {
        check(Identity, &resource(valid), "ok");
    }
    check(Identity, &resource("bucket"), r#"Resource bucket must be in ARN format or "*"."#);
    check(Identity, &resource(""), r#"Resource  must be in ARN format or "*"."#);
    check(
        Identity,
        &resource("arn:amazon:s3:::b"),
        r#"Partition "amazon" is not valid for resource "arn:amazon:s3:::b"."#,
    );
    let vendor = "Resource vendor must be fully qualified and cannot contain regexes.";
    for unqualified in
        ["arn:aws:*:::b", "arn:aws:s?:::b", "arn:aws", "arn:aws:", "arn:aws:${a}:::b"]
    {
        check(Identity, &resource(unqualified), vendor);
    }
    check(
        Identity,
        &resource("arn:aws:iam:eu-west-1:1:role/r"),
        "IAM resource arn:aws:iam:eu-west-1:1:role/r cannot contain region information.",
    );
    check(
        Identity,
        &resource("arn:aws:s3:eu-west-1::b"),
        "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
    );
    let point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/p/object/*";
    assert!(Policy::parse(&resource(point), Identity).is_ok());
    let message = Policy::parse(&resource("arn:aws:iam::1:rule/r"), Identity).unwrap_err();
    assert!(message.message().starts_with("IAM resource path must either be \"*\" or start with"));
}

#[test]
fn principals() {
    for kind in [Identity, Session, Boundary, Scp] {
        let text = one(&format!(r#""Principal": "*", {ALLOW}"#));
        check(kind, &text, "Policy document should not specify a principal.");
        check(kind, &one(ALLOW), "ok");
    }
    let repository = r#""Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage""#;
    check(Resource, &one(repository), "ok");
    check(VpcEndpoint, &one(repository), "Missing required field Resource");
    for kind in [Resource, VpcEndpoint] {
        check(kind, &one(ALLOW), "Missing required field Principal");
        check(kind, &one(&format!(r#""Principal": "*", {ALLOW}"#)), "ok");
    }
    let principal = |value: &str| one(&format!(r#""Principal": {value}, {ALLOW}"#));
    for valid in [
        r#"{"AWS": "*"}"#,
        r#"{"AWS": "111122223333"}"#,
        r#"{"AWS": ["arn:aws:iam::111122223333:root", "arn:aws-cn:iam::111122223333:user/a/b"]}"#,
        r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/R/s"}"#,
        r#"{"AWS": "AROAEXAMPLEID1234567"}"#,
        r#"{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}"#,
        r#"{"Service": ["sns.amazonaws.com", "logs.eu-west-1.amazonaws.com"]}"#,
        r#"{"Federated": "arn:aws:iam::111122223333:saml-provider/p"}"#,
        r#"{"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
    ] {
        check(Resource, &principal(valid), "ok");
    }
    for (invalid, shown) in [
        (r#"{"AWS": "ana"}"#, r#""AWS":"ana""#),
        (
            r#"{"AWS": "arn:aws:iam::111122223333:user/*"}"#,
            r#""AWS":"arn:aws:iam::111122223333:user/*""#,
        ),
        (
            r#"{"AWS": "arn:aws:iam::111122223333:group/g"}"#,
            r#""AWS":"arn:aws:iam::111122223333:group/g""#,
        ),
        (r#"{"AWS": "11112222333"}"#, r#""AWS":"11112222333""#),
        (r#"{"Service": "sns"}"#, r#""SERVICE":"sns""#),
        (r#"{"Nobody": "*"}"#, r#""Nobody""#),
    ] {
        check(Resource, &principal(invalid), &format!("Invalid principal in policy: {shown}"));
    }
    check(Resource, &principal("\"ana\""), SYNTAX);
    check(Resource, &principal("{}"), "Missing required field Principal cannot be empty!");
    let not = format!(r#""NotPrincipal": {{"AWS": "111122223333"}}, {ALLOW}"#);
    check(Resource, &one(&not), "Allow with NotPrincipal is not allowed.");
    check(Resource, &one(&not.replace("Allow\"", "Deny\"")), "ok");
}

#[test]
fn trust_policies() {
    let trust = |members: &str| {
        one(&format!(r#""Effect": "Allow", "Principal": {{"AWS": "111122223333"}}, {members}"#))
    };
    check(Trust, &trust(r#""Action": "sts:AssumeRole""#), "ok");
    check(Trust, &trust(r#""Action": ["sts:AssumeRole", "sts:TagSession"]"#), "ok");
    let only_sts = "AssumeRole policy may only specify STS AssumeRole actions.";
    check(Trust, &trust(r#""Action": "*""#), only_sts);
    check(Trust, &trust(r#""Action": "s3:*""#), only_sts);
    let resource = r#""Action": "sts:AssumeRole", "Resource": "*""#;
    check(Trust, &trust(resource), "Has prohibited field Resource.");
    check(Trust, "{", "This policy contains invalid Json");
    check(Trust, r#"{"Version": "2012-10-17"}"#, "Missing required field Statement");
    check(Trust, &trust("\"Sid\": \"a\""), "Missing required field Action");
    check(
        Trust,
        &one(r#""Effect": "Allow", "Action": "sts:AssumeRole""#),
        "Missing required field Principal",
    );
    let version = trust(r#""Action": "sts:AssumeRole""#).replace("2012-10-17", "2012-10-18");
    check(Trust, &version, "The policy must contain a valid version string");
}

#[test]
fn resource_control_policies() {
    let deny = r#""Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*""#;
    check(Rcp, &one(deny), "ok");
    check(Rcp, &one(&deny.replace("\"Resource\"", "\"NotResource\"")), "ok");
    let full = r#""Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*""#;
    check(Rcp, &one(full), "ok");
    for refused in [
        deny.replace("Deny", "Allow"),
        deny.replace("\"Action\"", "\"NotAction\""),
        deny.replace("\"Principal\"", "\"NotPrincipal\""),
        deny.replace(r#""Principal": "*""#, r#""Principal": {"AWS": "*"}"#),
    ] {
        assert!(Policy::parse(&one(&refused), Rcp).is_err(), "{refused}");
    }
    assert!(Policy::parse(&one(deny).replace("2012-10-17", "2008-10-17"), Rcp).is_err());
}

#[test]
fn every_mistake_is_found_with_its_place() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["GetObject", "s3:*"],
    "Resource": "büro",
    "Wrong": 1
  }
}"#;
    let findings = refusals(text, Identity);
    let places: Vec<_> = findings
        .iter()
        .map(|it| (it.code, it.at.line, it.at.column, it.at.end_line, it.at.end_column))
        .collect();
    assert_eq!(
        places,
        [
            ("ACTION_WITHOUT_VENDOR", 5, 16, 5, 27),
            ("RESOURCE_NOT_ARN", 6, 17, 6, 23),
            ("UNKNOWN_ELEMENT", 7, 5, 7, 12),
        ]
    );
    let error = Policy::parse(text, Identity).unwrap_err();
    let shown = "Syntax errors in policy. (unknown element `Wrong`) at line 7, column 5";
    assert_eq!((error.message(), error.to_string().as_str()), (SYNTAX, shown));
}

#[test]
fn trust_policies_name_what_is_unknown() {
    check(Trust, r#"{"probe": "x"}"#, "Unknown field probe");
    let trust = r#""Effect": "Allow", "Principal": {"AWS": "111122223333"}"#;
    let members = format!(r#"{trust}, "Action": "sts:AssumeRole", "_comment": "x""#);
    check(Trust, &one(&members), "Unknown field _comment");
}

#[test]
fn dates_are_read_on_save() {
    let date =
        one(&format!(r#"{ALLOW}, "Condition": {{"DateEquals": {{"aws:CurrentTime": "x"}}}}"#));
    check(Identity, &date, LEGACY);
}

/// What is found without any knowledge of services.
fn found(text: &str, kind: DocumentKind) -> Vec<&'static str> {
    let validation = Validation { kind, resource_type: None, knowledge: &NoKnowledge };
    validate(text, validation).iter().map(|it| it.code).collect()
}

#[test]
fn findings_of_the_language_alone() {
    let condition = |condition: &str| {
        let members = r#""Effect": "Allow", "Action": "nosuch:Thing", "Resource": "arn:aws:x:::y""#;
        found(&one(&format!(r#"{members}, "Condition": {{{condition}}}"#)), Identity)
    };
    assert_eq!(condition(r#""StringEquals": {"nosuch:key": "a"}"#), [""; 0]);
    assert_eq!(condition(r#""StringEquals": {"aws:TagKeys": "a"}"#), ["MISSING_QUALIFIER"]);
    assert_eq!(condition(r#""Bool": {"aws:SecureTransport": "yes"}"#), ["TYPE_MISMATCH_BOOLEAN"]);
    let number = condition(r#""NumericEquals": {"x:keys": "${aws:PrincipalTag/n}"}"#);
    assert_eq!(number, ["INVALID_VARIABLE_FOR_OPERATOR"]);
    assert_eq!(found("{", Identity), ["JSON_SYNTAX_ERROR"]);
    assert_eq!(found("[]", Identity), ["DATA_TYPE_MISMATCH"]);
    assert_eq!(found(&" ".repeat(300_000), Identity), ["JSON_SYNTAX_ERROR"]);
}

#[test]
fn kinds_by_name_and_shape() {
    for (name, kind) in [("scp", Scp), ("vpce", VpcEndpoint), ("trust", Trust)] {
        assert_eq!(name.parse(), Ok(kind));
    }
    assert!("SCP".parse::<DocumentKind>().is_err());
    assert_eq!(guess_kind(&one(ALLOW)), Identity);
    assert_eq!(guess_kind("junk"), Identity);
    assert_eq!(guess_kind(&one(&format!(r#""Principal": "*", {ALLOW}"#))), Resource);
    let trust = r#""Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]"#;
    assert_eq!(guess_kind(&one(trust)), Trust);
    assert_eq!(guess_kind(&one(&trust.replace("sts:", "ecr:"))), Resource);
}

#[test]
fn context_keys() {
    let text = one(
        r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:UserName}/${*}${x",
        "Condition": {"Bool": {"aws:SecureTransport": "${k:v, 'true'}"}}"#,
    );
    let keys = |text: &str| {
        let policy = Policy::parse(text, Identity).unwrap();
        policy.context_keys().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(keys(&text), ["aws:securetransport", "aws:username", "k:v"]);
    assert_eq!(keys(&text.replace("2012", "2008")), ["aws:securetransport"]);
}

#[test]
fn sizes_as_aws_counts_them() {
    let text = "{\n  \"Version\": \"é\"}";
    assert_eq!(Policy::size(text, Identity), 15);
    assert_eq!(Policy::size(text, Trust), 15);
    assert_eq!(Policy::size(text, Scp), 19);
    assert_eq!(Policy::size("\t\r\n a\u{a0}\u{2003}", Identity), 3);
    assert!(
        !Policy::parse(
            r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#,
            Identity
        )
        .unwrap()
        .is_current_version()
    );
    let large = format!("{}{}", " ".repeat(300_000), one(ALLOW));
    assert!(Policy::parse(&large, Identity).is_err());
}

/// Names of elements, of operators and of keys, where they belong and where not.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
            "AWS",
            "Service",
            "Federated",
            "StringLike",
            "ForAllValues:StringLike",
            "IpAddress",
            "DateLessThan",
            "Bool",
            "Null",
            "aws:userid",
            "aws:SourceIp",
            "aws:ResourceTag/a",
            "aws:PrincipalOrgPaths",
        ])
        .prop_map(|name| format!("\"{name}\"")),
        "\"[a-z:*?$/{}é]{0,8}\"",
    ]
}

/// Texts that look like parts of policies, and what may hold them.
fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\"[a-z:*?$/{},.'é0-9]{0,16}\"",
        "\"arn:aws:[a-z*]{0,3}:[a-z*]{0,2}:[0-9*]{0,2}:[a-z/*?${}]{0,8}\"",
        proptest::sample::select(vec!["Allow", "Deny", "*", "sts:AssumeRole", "10.0.0.0/8", "1"])
            .prop_map(|text| format!("\"{text}\"")),
        Just("null".to_owned()),
        Just("7".to_owned()),
    ];
    text.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec((name(), inner), 0..3).prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("{name}: {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        for kind in [Identity, Resource, Trust, Scp, Rcp, Session, Boundary, VpcEndpoint] {
            let _ = (refusals(&text, kind), found(&text, kind));
        }
    }

    #[test]
    fn no_document_makes_validation_panic(
        members in proptest::collection::vec((name(), value()), 0..6),
        listed in any::<bool>(),
    ) {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let statement = format!("{{{}}}", members.join(", "));
        let statement = if listed { format!("[{statement}, {statement}]") } else { statement };
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
        for kind in [Identity, Resource, Trust, Scp, Rcp, Session, Boundary, VpcEndpoint] {
            let validation = Validation { kind, resource_type: None, knowledge: &NoKnowledge };
            for finding in validate(&text, validation) {
                for location in finding.locations() {
                    prop_assert!(text.get(location.span.start..location.span.end).is_some());
                }
                prop_assert!(!finding.message.is_empty());
            }
        }
    }

    #[test]
    fn almost_policies_never_panic(
        at in any::<prop::sample::Index>(),
        junk in "[\"{}\\[\\]:,*$a1\\\\]{0,3}",
        kind in 0..8_usize,
    ) {
        let kinds = [Identity, Resource, Trust, Scp, Rcp, Session, Boundary, VpcEndpoint];
        let mut text = one(r#""Sid": "a", "Effect": "Deny", "Principal": {"AWS": ["*", "1"]},
            "NotAction": ["s3:*", "iam:Get*"], "Resource": ["*", "arn:aws:s3:::${a, 'b'}/*"],
            "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a", 1, true]}}"#);
        text.insert_str(at.index(text.len()), &junk);
        if let Ok(policy) = Policy::parse(&text, kinds[kind]) {
            prop_assert_eq!(policy.compile().len(), policy.statements.len());
        }
    }
}

/// The largest document of them is read in linear time.
#[test]
fn unclosed_variables_in_a_resource_stay_fast() {
    let resource = format!("arn:aws:s3:::{}", "${".repeat(100_000));
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:*",
        "Resource": "{resource}"}}}}"#
    );
    let policy = Policy::parse(&text, DocumentKind::Identity).unwrap();
    assert_eq!(policy.compile().len(), 1);
}
