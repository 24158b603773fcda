//! The IAM policy language: parse, validate, compile, decide, explain.
//!
//! A pure library: no store, clock, HTTP or async; whatever a decision needs comes in with the
//! [`Request`].
//!
//! 1. [`Policy::parse`] reads a document of a [`DocumentKind`] or answers AWS's
//!    `MalformedPolicyDocument` message; [`refusals`] lists every mistake that is refused on
//!    save; [`validate`] finds what IAM Access Analyzer finds, with [`Knowledge`] of the services.
//! 2. [`Policy::compile`] turns it into matchers, shared as `Arc<CompiledPolicy>`.
//! 3. [`PolicySet::new`] puts the policies of one layer together under their labels and indexes
//!    them by service and action. Cache one for each (principal, revision).
//! 4. [`decide`] answers a [`Request`] over the [`Policies`] that apply; [`access_denied_message`]
//!    words a refusal as AWS does.
//! 5. [`explain`] decides alike and keeps the whole trace, which prints itself in words and is read
//!    back from JSON; [`evaluate_case`] does the same for one case of the format `palisade-case/1`.
//!
//! ```
//! use palisade_policy::{
//!     DocumentKind, NoKeys, Policies, Policy, PolicySet, Principal, Request, ResourceRule, decide,
//! };
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
//!     "Action": "s3:GetObject", "Resource": "arn:aws:s3:::productionapp/*"}}"#;
//! let policy = Policy::parse(text, DocumentKind::Identity)?;
//! let set = PolicySet::of("arn:aws:iam::111122223333:policy/Reader", &policy.compile());
//!
//! let caller = Principal::user("arn:aws:iam::111122223333:user/ana");
//! let request = Request {
//!     principal: &caller,
//!     action: "s3:GetObject",
//!     resource: "arn:aws:s3:::productionapp/index.html",
//!     resource_account: Some("111122223333"),
//!     rule: ResourceRule::Ordinary,
//!     keys: &NoKeys,
//! };
//! let decision = decide(&request, &Policies { identity: Some(&set), ..Policies::default() });
//! assert!(decision.allowed());
//! # Ok::<(), palisade_policy::Malformed>(())
//! ```

mod action;
mod analysis;
pub mod arn;
mod asked;
pub mod case;
mod check;
mod combine;
mod condition;
mod decide;
mod document;
mod explain;
mod facts;
mod finding;
mod flip;
mod global_keys;
mod index;
mod json;
mod key_type;
mod knowledge;
mod message;
mod narrate;
mod operator;
mod parse;
mod pattern;
mod principal;
mod rcp_services;
mod render;
mod request;
mod resource;
mod set;
mod statement;
mod statements;
mod truth;
mod value;
mod wording;

pub use analysis::{Validation, validate};
pub use case::{Answer, Case, CaseError, evaluate_case};
pub use decide::{Decision, Layer, Outcome, Policies, StatementRef, decide};
pub use document::{
    ConditionElement, DocumentKind, Effect, Element, Malformed, Policy, PrincipalElement,
    PrincipalEntry, PrincipalType, Spanned, Statement, UnknownKind, VERSION_TOO_OLD, Version,
};
pub use explain::{
    ConditionTrace, PolicyTrace, RequestValue, Stage, StatementTrace, Trace, ValueTrace, explain,
};
pub use facts::{Facts, FactsError, LayerFacts, PolicyFacts, Prepared};
pub use finding::{Finding, Location, PathElement, Severity, Span, position};
pub use flip::{Change, Edit, EditedDocument, Part, Place};
pub use global_keys::{GLOBAL_KEYS, GlobalKey, global_key};
pub use key_type::KeyType;
pub use knowledge::{ActionFacts, Knowledge, NoKnowledge, ResourceFacts, ServiceFacts};
pub use message::access_denied_message;
pub use narrate::Brief;
pub use parse::{guess_kind, refusals};
pub use principal::Grant;
pub use rcp_services::supports_rcp;
pub use request::{ContextKeys, Lookup, NoKeys, Principal, PrincipalKind, Request, ResourceRule};
pub use set::PolicySet;
pub use statement::CompiledPolicy;
pub use statements::Statements;
pub use truth::Truth;
