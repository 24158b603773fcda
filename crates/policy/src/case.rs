//! The decision case format `palisade-case/1`: a question with all its policies in one JSON object.
//!
//! ```
//! let case = r#"{"id": "1", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
//!     "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/ana"},
//!     "identityPolicies": [{"Version": "2012-10-17", "Statement":
//!         {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}]}"#;
//! let answer = palisade_policy::evaluate_case(case)?;
//! assert_eq!(answer.decision, palisade_policy::Outcome::Allowed);
//! # Ok::<(), palisade_policy::CaseError>(())
//! ```

use crate::arn::Arn;
use crate::decide::{Decision, Layer, Outcome, Policies, decide};
use crate::document::{DocumentKind, Policy};
use crate::explain::{Trace, explain};
use crate::request::{ContextKeys, Lookup, Principal, PrincipalKind, Request, ResourceRule};
use crate::set::PolicySet;
use crate::statements::Statements;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One case as written. Policies are JSON objects, or strings that hold the document's text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CaseText {
    id: String,
    principal: PrincipalText,
    action: String,
    #[serde(default = "any_resource")]
    resource: String,
    resource_account: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, serde_json::Value>,
    identity_policies: Option<Vec<Box<RawValue>>>,
    resource_policy: Option<Box<RawValue>>,
    permissions_boundary: Option<Box<RawValue>>,
    session_policies: Option<Vec<Box<RawValue>>>,
    scps: Option<Vec<Vec<Box<RawValue>>>>,
    rcps: Option<Vec<Vec<Box<RawValue>>>>,
    vpc_endpoint_policy: Option<Box<RawValue>>,
    organization: Option<OrganizationText>,
    expected: Option<Expected>,
    expected_denied_by: Option<String>,
    source: Option<String>,
}

fn any_resource() -> String {
    "*".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PrincipalText {
    #[serde(rename = "type")]
    kind: KindText,
    arn: Option<String>,
    account: Option<String>,
    service: Option<String>,
    #[serde(default)]
    service_linked_role: bool,
    issuer_arn: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindText {
    User,
    Role,
    AssumedRole,
    FederatedUser,
    Federated,
    Root,
    Service,
    Anonymous,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrganizationText {
    management_account: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// The answer to a case: `{"id", "decision", "deniedBy"?, "matched"?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The case's id.
    pub id: String,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: Outcome,
    /// Which layer denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<Layer>,
    /// The deciding statements; a policy's label is its place in the case, as `scps[1][0]`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub matched: Statements,
}

/// Why a case could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// The case's id where it could be read.
    pub id: Option<String>,
    /// What is wrong, in one line.
    pub message: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "case `{id}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for CaseError {}

/// Evaluates one case.
///
/// # Errors
///
/// [`CaseError`] when the text is no case or one of its policies is malformed.
pub fn evaluate_case(text: &str) -> Result<Answer, CaseError> {
    Case::parse(text).map(|case| case.answer())
}

/// A case that was read, its policies compiled.
pub struct Case {
    /// Its id.
    pub id: String,
    /// The AWS page it follows, where a test says so.
    pub source: Option<String>,
    /// The expected outcome, where it is a test.
    pub expected: Option<Outcome>,
    /// The expected `deniedBy`, where a test says so.
    pub expected_denied_by: Option<String>,
    principal: Principal,
    action: String,
    resource: String,
    resource_account: Option<String>,
    keys: CaseKeys,
    sets: CaseSets,
    management_account: Option<String>,
}

struct CaseSets {
    identity: PolicySet,
    resource: Option<PolicySet>,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    scps: Vec<Arc<PolicySet>>,
    rcps: Vec<Arc<PolicySet>>,
    vpc_endpoint: Option<PolicySet>,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// As [`evaluate_case`].
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let case: CaseText = serde_json::from_str(text)
            .map_err(|error| CaseError { id: None, message: error.to_string() })?;
        let id = case.id.clone();
        Self::build(case).map_err(|message| CaseError { id: Some(id), message })
    }

    fn build(case: CaseText) -> Result<Self, String> {
        if !case.action.contains(':') {
            return Err(format!("the action `{}` has no service prefix", case.action));
        }
        let principal = case.principal.build()?;
        let resource_account = case.resource_account.or_else(|| {
            let owner = Arn::parse(&case.resource).and_then(|arn| arn.account_id());
            owner.map(str::to_owned)
        });
        let rule = ResourceRule::of(&case.action, &case.resource);
        let resource_kind = match rule {
            ResourceRule::TrustPolicy => DocumentKind::Trust,
            ResourceRule::Ordinary | ResourceRule::KeyPolicy => DocumentKind::Resource,
        };
        let session = case.session_policies.filter(|policies| !policies.is_empty());
        let sets = CaseSets {
            identity: list(
                "identityPolicies",
                &case.identity_policies.unwrap_or_default(),
                DocumentKind::Identity,
            )?,
            resource: one("resourcePolicy", case.resource_policy.as_deref(), resource_kind)?,
            boundary: one(
                "permissionsBoundary",
                case.permissions_boundary.as_deref(),
                DocumentKind::Boundary,
            )?,
            session: session
                .map(|policies| list("sessionPolicies", &policies, DocumentKind::Session))
                .transpose()?,
            scps: levels("scps", &case.scps.unwrap_or_default(), DocumentKind::Scp)?,
            rcps: levels("rcps", &case.rcps.unwrap_or_default(), DocumentKind::Rcp)?,
            vpc_endpoint: one(
                "vpcEndpointPolicy",
                case.vpc_endpoint_policy.as_deref(),
                DocumentKind::VpcEndpoint,
            )?,
        };
        let management_account = case.organization.and_then(|it| it.management_account);
        let keys = CaseKeys::build(case.context, &principal, resource_account.as_deref())?;
        let expected = case.expected.map(|expected| match expected {
            Expected::Allowed => Outcome::Allowed,
            Expected::ExplicitDeny => Outcome::ExplicitDeny,
            Expected::ImplicitDeny => Outcome::ImplicitDeny,
        });
        Ok(Self {
            id: case.id,
            source: case.source,
            expected,
            expected_denied_by: case.expected_denied_by,
            principal,
            action: case.action,
            resource: case.resource,
            resource_account,
            keys,
            sets,
            management_account,
        })
    }

    /// Decides it.
    #[must_use]
    pub fn decide(&self) -> Decision {
        self.ask(decide)
    }

    /// Decides it and says how.
    #[must_use]
    pub fn explain(&self) -> Trace {
        self.ask(explain)
    }

    /// Decides it and answers in the format's form.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let Decision { outcome, denied_by, statements } = self.decide();
        Answer { id: self.id.clone(), decision: outcome, denied_by, matched: statements }
    }

    fn ask<T>(&self, answer: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let caller_account =
            self.principal.has_account().then_some(self.principal.account.as_str());
        let request = Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref().or(caller_account),
            rule: ResourceRule::of(&self.action, &self.resource),
            keys: &self.keys,
        };
        let policies = Policies {
            identity: Some(&self.sets.identity),
            resource: self.sets.resource.as_ref(),
            boundary: self.sets.boundary.as_ref(),
            session: self.sets.session.as_ref(),
            scps: &self.sets.scps,
            rcps: &self.sets.rcps,
            vpc_endpoint: self.sets.vpc_endpoint.as_ref(),
            caller_management_account: self.management_account.as_deref(),
            resource_management_account: self.management_account.as_deref(),
            granted: false,
        };
        answer(&request, &policies)
    }
}

impl PrincipalText {
    fn build(self) -> Result<Principal, String> {
        let kind = match self.kind {
            KindText::User => PrincipalKind::User,
            KindText::Role => PrincipalKind::Role,
            KindText::AssumedRole => PrincipalKind::AssumedRole,
            KindText::FederatedUser => PrincipalKind::FederatedUser,
            KindText::Federated => PrincipalKind::Federated,
            KindText::Root => PrincipalKind::Root,
            KindText::Service => PrincipalKind::Service,
            KindText::Anonymous => PrincipalKind::Anonymous,
        };
        let arn = match (kind, self.arn, &self.account) {
            (PrincipalKind::Anonymous, _, _) => String::new(),
            (PrincipalKind::Service, arn, _) => {
                let name = self.service.or(arn);
                name.ok_or("a service principal needs `service`, its name")?
            }
            (_, Some(arn), _) => arn,
            (PrincipalKind::Root, None, Some(account)) => format!("arn:aws:iam::{account}:root"),
            (_, None, _) => return Err("the principal needs its `arn`".to_owned()),
        };
        let parsed = Arn::parse(&arn);
        let account = match (kind, self.account, parsed) {
            (PrincipalKind::Anonymous | PrincipalKind::Service | PrincipalKind::Federated, ..) => {
                String::new()
            }
            (_, Some(account), _) => account,
            (_, None, Some(arn)) => arn.account.to_owned(),
            (_, None, None) => return Err(format!("`{arn}` is not the ARN of a principal")),
        };
        // A federated user's session is named after its user unless the case says otherwise.
        let issuer_arn = self.issuer_arn.or_else(|| match (kind, parsed) {
            (PrincipalKind::FederatedUser, Some(arn)) => {
                let (partition, name) = (arn.partition, arn.resource_name());
                Some(format!("arn:{partition}:iam::{account}:user/{name}"))
            }
            _ => None,
        });
        Ok(Principal {
            kind,
            arn,
            account,
            issuer_arn,
            unique_id: None,
            canonical_user_id: None,
            service_linked_role: self.service_linked_role,
        })
    }
}

fn one(
    label: &str,
    text: Option<&RawValue>,
    kind: DocumentKind,
) -> Result<Option<PolicySet>, String> {
    let Some(text) = text else { return Ok(None) };
    let policy = parse(label, text, kind)?.compile();
    Ok(Some(PolicySet::of(label, &policy)))
}

fn list(label: &str, texts: &[Box<RawValue>], kind: DocumentKind) -> Result<PolicySet, String> {
    let mut policies = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let label = format!("{label}[{index}]");
        let policy = parse(&label, text, kind)?.compile();
        policies.push((Arc::from(label), policy));
    }
    Ok(PolicySet::new(policies))
}

fn levels(
    label: &str,
    levels: &[Vec<Box<RawValue>>],
    kind: DocumentKind,
) -> Result<Vec<Arc<PolicySet>>, String> {
    let mut sets = Vec::new();
    for (level, texts) in levels.iter().enumerate() {
        sets.push(Arc::new(list(&format!("{label}[{level}]"), texts, kind)?));
    }
    Ok(sets)
}

fn parse(label: &str, raw: &RawValue, kind: DocumentKind) -> Result<Policy, String> {
    let text = raw.get();
    let text: Cow<'_, str> = if text.starts_with('"') {
        serde_json::from_str(text).map_err(|error| format!("{label}: {error}"))?
    } else {
        Cow::Borrowed(text)
    };
    Policy::parse(&text, kind).map_err(|malformed| format!("{label}: {malformed}"))
}

/// The case's context, and behind it what the caller itself puts there.
struct CaseKeys {
    given: BTreeMap<String, Given>,
    principal: Principal,
    resource_account: Option<String>,
}

enum Given {
    One(String),
    Many(Vec<Cow<'static, str>>),
    /// Written as `null`: AWS would know the key and the case does not.
    Unresolvable,
}

impl CaseKeys {
    fn build(
        context: BTreeMap<String, serde_json::Value>,
        principal: &Principal,
        resource_account: Option<&str>,
    ) -> Result<Self, String> {
        let mut given = BTreeMap::new();
        for (key, value) in context {
            let value = match value {
                serde_json::Value::Null => Given::Unresolvable,
                serde_json::Value::Array(values) => {
                    let texts = values.into_iter().map(|value| scalar(&key, value));
                    Given::Many(texts.map(|text| text.map(Cow::Owned)).collect::<Result<_, _>>()?)
                }
                value => Given::One(scalar(&key, value)?),
            };
            if given.insert(key.to_lowercase(), value).is_some() {
                return Err(format!("the context has the key `{key}` twice"));
            }
        }
        let resource_account = resource_account.map(str::to_owned);
        Ok(Self { given, principal: principal.clone(), resource_account })
    }
}

fn scalar(key: &str, value: serde_json::Value) -> Result<String, String> {
    match value {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Bool(value) => Ok(value.to_string()),
        _ => Err(format!("the context key `{key}` is neither a string nor a list of strings")),
    }
}

impl ContextKeys for CaseKeys {
    fn get(&self, key: &str) -> Lookup<'_> {
        match self.given.get(key) {
            Some(Given::One(value)) => return Lookup::one(value),
            Some(Given::Many(values)) => return Lookup::Many(Cow::Borrowed(values)),
            Some(Given::Unresolvable) => return Lookup::Unresolvable,
            None => {}
        }
        if let Some(lookup) = self.principal.context_key(key) {
            return lookup;
        }
        match (key, &self.resource_account) {
            ("aws:resourceaccount", Some(account)) => Lookup::one(account),
            _ => Lookup::Absent,
        }
    }
}
