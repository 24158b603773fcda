//! Policy documents, decision cases and ARNs.

use palisade_policy::arn::{Arn, is_account_id};
use palisade_policy::{
    Case, ContextKeys, DocumentKind, Lookup, NoKnowledge, Policies, Policy, PolicySet, Principal,
    Request, ResourceRule, Severity, Statement, Trace, Validation, access_denied_message, decide,
    evaluate_case, explain, guess_kind, position, refusals, validate,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

const KINDS: [DocumentKind; 8] = [
    DocumentKind::Identity,
    DocumentKind::Resource,
    DocumentKind::Trust,
    DocumentKind::Scp,
    DocumentKind::Rcp,
    DocumentKind::Session,
    DocumentKind::Boundary,
    DocumentKind::VpcEndpoint,
];

const LABEL: &str = "arn:aws:iam::111122223333:policy/Fuzzed";

/// Byte 0: the kind of document; then its text.
pub fn policy(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let findings = refusals(text, kind);
    let validation = Validation { kind, resource_type: None, knowledge: &NoKnowledge };
    let analyzed = validate(text, validation);
    for finding in findings.iter().chain(&analyzed) {
        for location in finding.locations() {
            let span = location.span;
            assert!(text.get(span.start..span.end).is_some(), "{finding:?}");
            let place = (location.line, location.column);
            assert_eq!(place, position(text, span.start), "{finding:?}");
        }
    }
    let _ = guess_kind(text);
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    let policy = match Policy::parse(text, kind) {
        Ok(policy) => policy,
        Err(malformed) => {
            assert!(refused, "refused without an error");
            assert!(!malformed.message().is_empty() && !malformed.to_string().is_empty());
            return;
        }
    };
    assert!(!refused, "accepted with an error");
    let set = PolicySet::of(LABEL, &policy.compile());
    let keys = keys_of(&policy);
    for (action, resource) in targets(&policy) {
        for principal in principals() {
            let request = Request {
                principal: &principal,
                action: &action,
                resource: &resource,
                resource_account: Some("111122223333"),
                rule: ResourceRule::of(&action, &resource),
                keys: &keys,
            };
            check_decision(&request, kind, set.clone());
        }
    }
}

/// What makes the other layers' answers visible.
static EVERYTHING: LazyLock<PolicySet> = LazyLock::new(|| {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": "*"}}"#;
    let policy = Policy::parse(text, DocumentKind::Identity).expect("a plain policy");
    PolicySet::of("everything", &policy.compile())
});

fn check_decision(request: &Request<'_>, kind: DocumentKind, set: PolicySet) {
    let set = Arc::new(set);
    let level = [Arc::clone(&set)];
    let mut policies = Policies { identity: Some(&EVERYTHING), ..Policies::default() };
    match kind {
        DocumentKind::Identity => policies.identity = Some(&set),
        DocumentKind::Resource | DocumentKind::Trust => {
            policies = Policies { resource: Some(&set), ..Policies::default() };
        }
        DocumentKind::Scp => policies.scps = &level,
        DocumentKind::Rcp => policies.rcps = &level,
        DocumentKind::Session => policies.session = Some(&set),
        DocumentKind::Boundary => policies.boundary = Some(&set),
        DocumentKind::VpcEndpoint => policies.vpc_endpoint = Some(&set),
    }
    let decision = decide(request, &policies);
    let trace = explain(request, &policies);
    assert_eq!(trace.decision, decision, "explain and decide differ: {trace}");
    check_trace(&trace);
    if !decision.allowed() {
        assert!(!access_denied_message(request, &decision, &request.principal.arn).is_empty());
    }
}

fn check_trace(trace: &Trace) {
    assert!(!trace.to_string().is_empty());
    let text = serde_json::to_string(trace).expect("a trace is written");
    let again: Trace = serde_json::from_str(&text).expect("a trace is read");
    assert_eq!(&again, trace);
}

fn principals() -> [Principal; 5] {
    [
        Principal::user("arn:aws:iam::111122223333:user/ana"),
        Principal::assumed_role(
            "arn:aws:sts::444455556666:assumed-role/Reader/session",
            "arn:aws:iam::444455556666:role/team/Reader",
        ),
        Principal::root("arn:aws:iam::111122223333:root"),
        Principal::service("cloudtrail.amazonaws.com"),
        Principal::anonymous(),
    ]
}

/// Actions and resources to ask about: what the statements themselves name, wildcards and all.
fn targets(policy: &Policy) -> Vec<(String, String)> {
    let plain = ("s3:GetObject".to_owned(), "arn:aws:s3:::productionapp/key".to_owned());
    let named = |statement: &Statement| {
        let action = statement.action.values.first()?.text.clone();
        let resource = statement.resource.as_ref().and_then(|resource| resource.values.first());
        let role = "arn:aws:iam::111122223333:role/Reader";
        Some((action, resource.map_or_else(|| role.to_owned(), |value| value.text.clone())))
    };
    policy.statements.iter().take(3).filter_map(named).chain([plain]).collect()
}

/// A request context made of the values that the policy's own conditions compare with.
struct Keys(BTreeMap<String, Vec<Cow<'static, str>>>);

fn keys_of(policy: &Policy) -> Keys {
    let mut keys: BTreeMap<String, Vec<Cow<'static, str>>> = BTreeMap::new();
    for key in policy.context_keys() {
        keys.entry(key).or_default();
    }
    for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
        let values = condition.values.iter().map(|value| Cow::Owned(value.text.clone()));
        keys.entry(condition.key.text.to_lowercase()).or_default().extend(values);
    }
    Keys(keys)
}

impl ContextKeys for Keys {
    fn get(&self, key: &str) -> Lookup<'_> {
        let Some(values) = self.0.get(key) else { return Lookup::Absent };
        match (key.len() % 8, values.first()) {
            (0, _) => Lookup::Unresolvable,
            (1, _) => Lookup::Absent,
            (2 | 3, _) | (_, None) => Lookup::Many(Cow::Borrowed(values)),
            (_, Some(value)) => Lookup::One(Cow::Borrowed(value)),
        }
    }
}

/// A decision case as text.
pub fn case(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let answer = evaluate_case(text);
    let case = match Case::parse(text) {
        Ok(case) => case,
        Err(error) => {
            assert_eq!(answer, Err(error));
            return;
        }
    };
    let trace = case.explain();
    assert_eq!(trace.decision, case.decide(), "explain and decide differ: {trace}");
    check_trace(&trace);
    let answer = answer.expect("what was read is answered");
    assert_eq!(answer, case.answer());
    serde_json::to_string(&answer).expect("an answer is written");
}

/// An ARN as text.
pub fn arn(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(arn) = Arn::parse(text) else {
        assert!(!text.starts_with("arn:") || text.matches(':').count() < 5, "{text}");
        return;
    };
    assert_eq!(arn.to_string(), text);
    let fields = [arn.partition, arn.service, arn.region, arn.account];
    assert!(fields.iter().all(|field| !field.contains(':')), "{text}");
    assert_eq!(arn.account_id().is_some(), is_account_id(arn.account));
    assert!(arn.resource.ends_with(arn.resource_name()));
    if let Some((kind, rest)) = arn.split_resource() {
        assert_eq!(arn.resource_type(), Some(kind));
        assert_eq!(kind.len() + 1 + rest.len(), arn.resource.len());
    }
    check_matching(text);
}

/// A policy whose resource or principal is the text decides about that very text.
fn check_matching(text: &str) {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": text,
        "Condition": {"ArnLike": {"aws:SourceArn": text}}}});
    let plain = !text.contains(['*', '?', '$']);
    let Ok(policy) = Policy::parse(&document.to_string(), DocumentKind::Identity) else { return };
    let set = PolicySet::of(LABEL, &policy.compile());
    let source = vec![Cow::Owned(text.to_owned())];
    let keys = Keys(BTreeMap::from([("aws:sourcearn".to_owned(), source)]));
    let callers = [Principal::user(text), Principal::assumed_role(text, text)];
    for principal in callers.iter().chain(&principals()) {
        let request = Request {
            principal,
            action: "sts:AssumeRole",
            resource: text,
            resource_account: None,
            rule: ResourceRule::Ordinary,
            keys: &keys,
        };
        let policies = Policies { identity: Some(&set), ..Policies::default() };
        let decision = decide(&request, &policies);
        let trace = explain(&request, &policies);
        assert_eq!(trace.decision, decision, "{trace}");
        if plain && principal.arn.ends_with("user/ana") {
            assert!(decision.allowed(), "{text} does not match itself: {trace}");
        }
    }
}
