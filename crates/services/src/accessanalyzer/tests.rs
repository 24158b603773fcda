//! Every check with documents that trigger it and one that does not (`cases.txt`), and what the
//! operation makes of the findings.

use super::knowledge::Reference;
use super::validate_policy::validate_policy;
use crate::testing::Lab;
use palisade_model::accessanalyzer::{ValidatePolicyRequest, ValidatePolicyResponse};
use palisade_policy::{DocumentKind, Finding, Validation, validate};
use palisade_shape::Result;
use std::collections::BTreeSet;

const CASES: &str = include_str!("cases.txt");

/// The head of a block: code, severity, kind and what the document is attached to.
struct Head<'t> {
    code: &'t str,
    severity: &'t str,
    kind: DocumentKind,
    resource_type: Option<&'t str>,
}

impl<'t> Head<'t> {
    fn read(line: &'t str) -> Self {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap();
        let (code, severity, kind) = (next(), next(), next().parse().unwrap());
        Self { code, severity, kind, resource_type: words.next() }
    }

    fn findings(&self, document: &str) -> Vec<Finding> {
        let Self { kind, resource_type, .. } = *self;
        validate(document, Validation { kind, resource_type, knowledge: &Reference })
    }
}

/// The document that a line of a case stands for.
fn document(text: &str) -> String {
    let text = match text.split_once('@') {
        Some((before, rest)) => {
            let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap();
            let length: usize = rest[..digits].parse().unwrap();
            format!("{before}{}{}", "a".repeat(length), &rest[digits..])
        }
        None => text.to_owned(),
    };
    if text.starts_with(['{', '[']) || text.starts_with("«[") {
        return text;
    }
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{{{text}}}]}}")
}

/// What is wrong with the findings of a document that must trigger the check.
fn bad(head: &Head<'_>, text: &str) -> Option<String> {
    let marked = document(text);
    let plain = marked.replace(['«', '»'], "");
    let findings = head.findings(&plain);
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    let Some(found) = findings.iter().find(|finding| finding.code == head.code) else {
        return Some(format!("{} is not among {codes:?}: {plain}", head.code));
    };
    let span = found.at.span;
    let severity = found.severity.name();
    let right = match marked.find('«') {
        Some(start) => {
            let end = marked.find('»').unwrap() - '«'.len_utf8();
            (span.start, span.end) == (start, end)
        }
        None => {
            let statement = plain.find("[{").map_or(0, |at| at + 1);
            [0, statement].contains(&span.start)
        }
    };
    let place = &plain[span.start..span.end];
    let wrong = !right || severity != head.severity;
    wrong.then(|| format!("{} is {severity} at {place}: {plain}", head.code))
}

#[test]
fn every_check_finds_what_it_is_for() {
    let mut head: Option<Head<'_>> = None;
    let (mut triggering, mut clean) = (BTreeSet::new(), BTreeSet::new());
    let mut failures = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
        if let (Some(head), Some(text)) = (&head, line.strip_prefix("bad ")) {
            failures.extend(bad(head, text));
            triggering.insert(head.code);
        } else if let (Some(head), Some(text)) = (&head, line.strip_prefix("good ")) {
            let document = document(text);
            let codes: Vec<_> = head.findings(&document).iter().map(|it| it.code).collect();
            if codes.contains(&head.code) {
                failures.push(format!("{} is found: {document}", head.code));
            }
            clean.insert(head.code);
        } else {
            head = Some(Head::read(line));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(triggering, clean);
    assert_eq!(triggering.len(), 153);
}

#[test]
fn a_well_written_policy_has_no_finding() {
    let documents = [
        (
            DocumentKind::Identity,
            r#""Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:::amzn-s3-demo-bucket/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "true"},
            "StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}"#,
        ),
        (
            DocumentKind::Trust,
            r#""Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole""#,
        ),
        (DocumentKind::Scp, r#""Effect": "Allow", "Action": "*", "Resource": "*""#),
        (
            DocumentKind::Rcp,
            r#""Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}"#,
        ),
    ];
    for (kind, members) in documents {
        let validation = Validation { kind, resource_type: None, knowledge: &Reference };
        assert_eq!(validate(&document(members), validation), [], "{kind:?}");
    }
}

fn request(policy_type: &str, document: &str) -> ValidatePolicyRequest {
    ValidatePolicyRequest {
        policy_type: policy_type.into(),
        policy_document: document.into(),
        ..Default::default()
    }
}

fn ask(lab: &Lab, input: ValidatePolicyRequest) -> Result<ValidatePolicyResponse> {
    lab.read(|cx| validate_policy(cx, input))
}

#[test]
fn findings_come_in_pages() {
    let lab = Lab::new();
    let text = document(r#""Effect": "Allow", "Action": ["s3:Nö", "x:Y", "Z"], "Resource": "*""#);
    let whole = ask(&lab, request("IDENTITY_POLICY", &text)).unwrap();
    assert_eq!((whole.findings.len(), &whole.next_token), (3, &None));
    let first = &whole.findings[1];
    assert_eq!(first.issue_code, "INVALID_SERVICE_IN_ACTION");
    assert!(
        first
            .learn_more_link
            .ends_with("#access-analyzer-reference-policy-checks-error-invalid-service-in-action")
    );
    let location = &first.locations[0];
    let path: Vec<_> = location.path.iter().map(|it| (it.value.as_deref(), it.index)).collect();
    let expected =
        [(Some("Statement"), None), (None, Some(0)), (Some("Action"), None), (None, Some(1))];
    assert_eq!(path, expected);
    let start = &location.span.start;
    let before = text.find("\"x:Y\"").unwrap();
    // One character before it takes two bytes.
    assert_eq!((start.line, start.column, start.offset), (1, before as i32 - 1, before as i32 - 1));
    let mut codes = Vec::new();
    let mut input =
        ValidatePolicyRequest { max_results: Some(2), ..request("IDENTITY_POLICY", &text) };
    let mut tokens = 0;
    loop {
        let page = ask(&lab, input.clone()).unwrap();
        codes.extend(page.findings.into_iter().map(|finding| finding.issue_code));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
        tokens += 1;
        let other = ValidatePolicyRequest {
            next_token: input.next_token.clone(),
            ..request("IDENTITY_POLICY", "{}")
        };
        let refused = ask(&lab, other).err().unwrap();
        assert!(refused.message.contains("nextToken"));
    }
    assert_eq!((codes.len(), tokens), (3, 1));
}

#[test]
fn types_decide_what_is_checked() {
    let lab = Lab::new();
    let trust = document(
        r#""Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole""#,
    );
    let codes = |policy_type: &str, resource_type: Option<&str>| {
        let validate_policy_resource_type = resource_type.map(Into::into);
        let input =
            ValidatePolicyRequest { validate_policy_resource_type, ..request(policy_type, &trust) };
        let answer = ask(&lab, input).map_err(|error| error.to_string())?;
        Ok(answer.findings.into_iter().map(|it| it.issue_code).collect::<Vec<_>>())
    };
    let role = Some("AWS::IAM::AssumeRolePolicyDocument");
    assert_eq!(codes("RESOURCE_POLICY", role), Ok(vec![]));
    assert_eq!(codes("RESOURCE_POLICY", None), Ok(vec!["MISSING_RESOURCE".to_owned()]));
    let scp = ["MISSING_RESOURCE", "SCP_SYNTAX_ERROR_PRINCIPAL"].map(str::to_owned);
    assert_eq!(codes("SERVICE_CONTROL_POLICY", None), Ok(scp.to_vec()));
    for (policy_type, resource_type) in
        [("IDENTITY_POLICY", role), ("IDENTITY_POLICY", Some("AWS::S3::Bucket")), ("OTHER", None)]
    {
        let refusal: Result<Vec<String>, String> = codes(policy_type, resource_type);
        assert!(refusal.unwrap_err().starts_with("ValidationException: "), "{policy_type}");
    }
    for max_results in [0, -1, 1001] {
        let input = ValidatePolicyRequest {
            max_results: Some(max_results),
            ..request("IDENTITY_POLICY", &trust)
        };
        assert!(ask(&lab, input).is_err(), "{max_results}");
    }
}
