//! From a request to a decision: what it must be allowed ([`Requirement`]), by which policies
//! ([`Credential`]), under which circumstances (the condition keys), and what came of it.

mod compiled;
mod credential;
mod decide;
mod denial;
mod derive;
mod global_keys;
mod identity;
mod keys;
mod organization;
mod requirement;
mod standing_cache;

pub use compiled::PolicyCache;
pub use credential::{
    Credential, Credentials, Refusal, caller_of, of_caller, policy_principal, without_key,
};
pub use decide::{
    Consulted, Decided, authorize, beyond_rcps, decide, endpoint_policy, layers, resource_policy,
    standings,
};
pub use denial::denial;
pub use derive::{from_table, is_derivable, is_documented};
pub use global_keys::{GLOBAL_KEYS, GlobalKey, KeyState, global_key};
pub use identity::{Attached, Dependencies, Identity, unchanged};
pub use keys::{Keys, ServiceKeys, Standings};
pub use organization::{Membership, Standing, standing};
pub use requirement::Requirement;

#[cfg(test)]
pub use organization::standing_of;

#[cfg(test)]
mod tests;
