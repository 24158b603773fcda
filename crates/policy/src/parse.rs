//! From JSON to the typed document. Every mistake is reported, not only the first.

use crate::check;
use crate::document::{
    ConditionElement, DocumentKind, Effect, Element, Malformed, Policy, PrincipalElement,
    PrincipalEntry, PrincipalType, Spanned, Statement, Version,
};
use crate::finding::{Finding, Findings, Span};
use crate::json::{self, Member, Node, Value};
use crate::operator::Operator;
use crate::wording::{LEGACY, SYNTAX, Wording};

/// No policy AWS accepts anywhere comes near this many bytes (KMS key policies: 32 KiB).
pub(crate) const SIZE_MAX: usize = 256 * 1024;

impl Policy {
    /// Reads a policy document as a document of the kind.
    ///
    /// # Errors
    ///
    /// [`Malformed`] with everything that is wrong with it; its message is that of AWS's
    /// `MalformedPolicyDocument`.
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, Malformed> {
        let (policy, findings) = read(text, kind);
        policy.ok_or(Malformed { findings })
    }
}

/// All that is refused on save in a document of the kind, in the order of the text. The codes are
/// ours, the messages AWS's.
#[must_use]
pub fn refusals(text: &str, kind: DocumentKind) -> Vec<Finding> {
    read(text, kind).1
}

/// What a document most likely is, judged by its shape: without `Principal` an identity policy,
/// with one and only `sts` actions a trust policy, else a resource's.
#[must_use]
pub fn guess_kind(text: &str) -> DocumentKind {
    let Ok(Node { value: Value::Object(members), .. }) = json::parse(text) else {
        return DocumentKind::Identity;
    };
    let statement = members.iter().find(|member| member.key == "Statement");
    let statements = match statement.map(|member| &member.value) {
        Some(Node { value: Value::List(items), .. }) => items.as_slice(),
        Some(node) => std::slice::from_ref(node),
        None => &[],
    };
    let mut kind = DocumentKind::Identity;
    for statement in statements {
        let Value::Object(members) = &statement.value else { continue };
        if !members.iter().any(|member| member.key.ends_with("Principal")) {
            continue;
        }
        let resource = members.iter().any(|member| member.key.ends_with("Resource"));
        if resource || !members.iter().any(names_only_sts) {
            return DocumentKind::Resource;
        }
        kind = DocumentKind::Trust;
    }
    kind
}

fn names_only_sts(member: &Member<'_>) -> bool {
    let sts =
        |node: &Node<'_>| matches!(&node.value, Value::Text(text) if text.starts_with("sts:"));
    member.key == "Action"
        && match &member.value.value {
            Value::List(items) => items.iter().all(sts),
            _ => sts(&member.value),
        }
}

fn read(text: &str, kind: DocumentKind) -> (Option<Policy>, Vec<Finding>) {
    let mut findings = Findings::new(text);
    let whole = Span { start: 0, end: text.len() };
    if text.len() > SIZE_MAX {
        findings.error("TOO_LARGE", Span::default(), "The policy document is too large.");
        return (None, findings.finish(None));
    }
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let code = if error.duplicate { "DUPLICATE_KEY" } else { "INVALID_JSON" };
            let message = if error.duplicate { SYNTAX } else { kind.wording().invalid_json };
            findings.error_about(code, error.span, message, error.reason);
            return (None, findings.finish(None));
        }
    };
    let policy = Reader { kind, findings: &mut findings }.document(&root);
    match &policy {
        Some(policy) => check::document(policy, &mut findings),
        None if !findings.has_error() => findings.error("SYNTAX", whole, SYNTAX),
        None => {}
    }
    let policy = policy.filter(|_| !findings.has_error());
    (policy, findings.finish(Some(&root)))
}

struct Reader<'f, 't> {
    kind: DocumentKind,
    findings: &'f mut Findings<'t>,
}

impl Reader<'_, '_> {
    fn syntax(&mut self, code: &'static str, span: Span, detail: &str) {
        self.findings.error_about(code, span, SYNTAX, detail);
    }

    /// The parser of policies with a `Principal` names what it does not know.
    fn unknown(&mut self, member: &Member<'_>) {
        if self.kind.has_principal() {
            let message = format!("Unknown field {}", member.key);
            self.findings.error("UNKNOWN_ELEMENT", member.key_span, message);
        } else {
            let detail = format!("unknown element `{}`", member.key);
            self.syntax("UNKNOWN_ELEMENT", member.key_span, &detail);
        }
    }

    fn wording(&self) -> &'static Wording {
        self.kind.wording()
    }

    fn document(&mut self, node: &Node<'_>) -> Option<Policy> {
        let Value::Object(members) = &node.value else {
            self.syntax("NOT_AN_OBJECT", node.span, "a policy is a JSON object");
            return None;
        };
        let mut policy =
            Policy { kind: self.kind, version: None, id: None, statements: Vec::new() };
        let mut has_statement = false;
        for member in members {
            match &*member.key {
                "Version" => policy.version = self.version(&member.value),
                "Id" => policy.id = self.text(&member.value).map(|id| id.text),
                "Statement" => {
                    has_statement = true;
                    policy.statements = self.statements(&member.value);
                }
                _ => self.unknown(member),
            }
        }
        if !has_statement {
            let message = self.wording().missing_statement;
            self.findings.error_about("MISSING_STATEMENT", node.span, message, "no Statement");
        }
        Some(policy)
    }

    fn version(&mut self, node: &Node<'_>) -> Option<Version> {
        match self.text(node)?.text.as_str() {
            "2012-10-17" => Some(Version::V2012),
            "2008-10-17" => Some(Version::V2008),
            _ => {
                let detail = "the version is neither 2012-10-17 nor 2008-10-17";
                let message = self.wording().invalid_version;
                self.findings.error_about("INVALID_VERSION", node.span, message, detail);
                None
            }
        }
    }

    fn statements(&mut self, node: &Node<'_>) -> Vec<Statement> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            let message = self.wording().empty_statement;
            self.findings.error_about("EMPTY_STATEMENT", node.span, message, "no statement");
        }
        items.iter().filter_map(|item| self.statement(item)).collect()
    }

    fn statement(&mut self, node: &Node<'_>) -> Option<Statement> {
        let Value::Object(members) = &node.value else {
            self.syntax("NOT_AN_OBJECT", node.span, "a statement is a JSON object");
            return None;
        };
        let mut sid = None;
        let mut effect = None;
        let mut principal = None;
        let mut action = None;
        let mut resource = None;
        let mut conditions = Vec::new();
        for member in members {
            match &*member.key {
                "Sid" => sid = self.text(&member.value),
                "Effect" => effect = self.effect(&member.value),
                "Principal" | "NotPrincipal" => {
                    self.only_one(principal.is_some(), member);
                    principal = self.principal(member);
                }
                "Action" | "NotAction" => {
                    self.only_one(action.is_some(), member);
                    action = Some(self.element(member));
                }
                "Resource" | "NotResource" => {
                    self.only_one(resource.is_some(), member);
                    resource = Some(self.element(member));
                }
                "Condition" => conditions = self.conditions(&member.value),
                _ => self.unknown(member),
            }
        }
        if !members.iter().any(|member| member.key == "Effect") {
            let message = self.wording().missing_effect;
            self.findings.error_about("MISSING_EFFECT", node.span, message, "no Effect");
        }
        if action.as_ref().is_none_or(|action| action.values.is_empty()) {
            self.findings.error("MISSING_ACTION", node.span, self.wording().missing_action);
        }
        if let Some(sid) = &sid {
            check::sid(sid, self.kind, self.findings);
        }
        let sid = sid.map(|sid| sid.text);
        let (effect, action) = (effect?, action?);
        Some(Statement { sid, effect, principal, action, resource, conditions, span: node.span })
    }

    fn only_one(&mut self, seen: bool, member: &Member<'_>) {
        if seen {
            let detail = "an element and its negation in one statement";
            self.syntax("CONFLICTING_ELEMENTS", member.key_span, detail);
        }
    }

    fn effect(&mut self, node: &Node<'_>) -> Option<Effect> {
        match self.text(node)?.text.as_str() {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            other if other.eq_ignore_ascii_case("allow") || other.eq_ignore_ascii_case("deny") => {
                let detail = "Allow and Deny are written with a capital";
                self.findings.error_about("INVALID_EFFECT", node.span, LEGACY, detail);
                None
            }
            _ => {
                self.syntax("INVALID_EFFECT", node.span, "the effect is neither Allow nor Deny");
                None
            }
        }
    }

    fn principal(&mut self, member: &Member<'_>) -> Option<PrincipalElement> {
        let negated = &*member.key == "NotPrincipal";
        let span = Span { start: member.key_span.start, end: member.value.span.end };
        let mut entries = Vec::new();
        match &member.value.value {
            Value::Text(text) if text == "*" => {
                let value = Spanned { text: "*".into(), span: member.value.span };
                entries.push(PrincipalEntry { kind: PrincipalType::Everyone, value });
            }
            Value::Object(members) => {
                if members.is_empty() {
                    let message = "Missing required field Principal cannot be empty!";
                    self.findings.error("INVALID_PRINCIPAL", span, message);
                }
                for member in members {
                    self.principal_entries(member, &mut entries);
                }
            }
            _ => {
                let detail = "a principal is `\"*\"` or an object";
                self.syntax("INVALID_PRINCIPAL", member.value.span, detail);
                return None;
            }
        }
        Some(PrincipalElement { negated, entries, span })
    }

    fn principal_entries(&mut self, member: &Member<'_>, entries: &mut Vec<PrincipalEntry>) {
        let kind = match &*member.key {
            "AWS" => PrincipalType::Aws,
            "Service" => PrincipalType::Service,
            "Federated" => PrincipalType::Federated,
            "CanonicalUser" => PrincipalType::CanonicalUser,
            other => {
                let message = format!("Invalid principal in policy: \"{other}\"");
                self.findings.error("INVALID_PRINCIPAL", member.key_span, message);
                return;
            }
        };
        let values = self.texts(&member.value);
        if values.is_empty() {
            let message = "Missing required field Principal cannot be empty!";
            self.findings.error("INVALID_PRINCIPAL", member.value.span, message);
        }
        entries.extend(values.into_iter().map(|value| PrincipalEntry { kind, value }));
    }

    fn element(&mut self, member: &Member<'_>) -> Element {
        let negated = member.key.starts_with("Not");
        let span = Span { start: member.key_span.start, end: member.value.span.end };
        Element { negated, values: self.texts(&member.value), span }
    }

    fn conditions(&mut self, node: &Node<'_>) -> Vec<ConditionElement> {
        let Value::Object(operators) = &node.value else {
            self.syntax("INVALID_CONDITION", node.span, "a condition is a JSON object");
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for member in operators {
            let operator = Spanned { text: member.key.clone().into_owned(), span: member.key_span };
            let Value::Object(keys) = &member.value.value else {
                let detail = "an operator holds an object of keys and values";
                self.syntax("INVALID_CONDITION", member.value.span, detail);
                continue;
            };
            if Operator::parse(&operator.text).is_none() {
                let detail = format!("unknown condition operator `{}`", operator.text);
                self.syntax("UNKNOWN_OPERATOR", member.key_span, &detail);
                continue;
            }
            for entry in keys {
                let key = Spanned { text: entry.key.clone().into_owned(), span: entry.key_span };
                let values = self.condition_values(&entry.value);
                conditions.push(ConditionElement { operator: operator.clone(), key, values });
            }
        }
        conditions
    }

    /// One or more values; numbers and booleans may stand without quotes here.
    fn condition_values(&mut self, node: &Node<'_>) -> Vec<Spanned> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut values = Vec::new();
        for item in items {
            let text = match &item.value {
                Value::Text(text) => text.clone().into_owned(),
                Value::Number(number) => (*number).to_owned(),
                Value::Bool(value) => value.to_string(),
                Value::Null | Value::List(_) | Value::Object(_) => {
                    let detail = "a condition value is a string, a number or a boolean";
                    self.syntax("INVALID_CONDITION", item.span, detail);
                    continue;
                }
            };
            values.push(Spanned { text, span: item.span });
        }
        values
    }

    fn texts(&mut self, node: &Node<'_>) -> Vec<Spanned> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.text(item)).collect(),
            _ => self.text(node).into_iter().collect(),
        }
    }

    fn text(&mut self, node: &Node<'_>) -> Option<Spanned> {
        match &node.value {
            Value::Text(text) => Some(Spanned { text: text.clone().into_owned(), span: node.span }),
            _ => {
                self.syntax("NOT_A_STRING", node.span, "expected a string");
                None
            }
        }
    }
}
