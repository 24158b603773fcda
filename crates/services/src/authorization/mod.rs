//! From a request to a decision: what it must be allowed ([`Requirement`]), by which policies
//! ([`Credential`]), under which circumstances (the condition keys), and what came of it.

mod compiled;
mod credential;
mod decide;
mod derive;
mod identity;
mod keys;
mod requirement;

pub use compiled::PolicyCache;
pub use credential::{
    Credential, Credentials, Refusal, caller_of, of_caller, policy_principal, without_key,
};
pub use decide::{Consulted, Decided, authorize, decide, resource_policy};
pub use derive::from_table;
pub use identity::{Attached, Dependencies, Identity, unchanged};
pub use keys::{Keys, ServiceKeys};
pub use requirement::Requirement;
