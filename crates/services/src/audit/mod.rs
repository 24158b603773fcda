//! The audit trail: for each request one event in CloudTrail's form ([`Event`]) and one record of
//! how it was decided ([`Decision`]), complete enough to decide it again.
//!
//! Both are written straight into bytes, without a tree in between: they are made for every
//! request, reads included. What is the same in all events of one caller is written once
//! ([`CallerFragment`]).

mod caller;
mod catalog;
mod decision;
mod event;
mod json;
mod record;
mod service_event;
mod told;

pub use caller::CallerFragment;
pub use catalog::{Visibility, region, source, visibility};
pub use decision::{Decided, Decision, PolicyUse, layer_name, outcome_name, push_policies};
pub use event::{Event, EventType, Field, Origin, Tls};
pub use record::{
    CallerRecord, ContextRecord, DecisionRecord, PolicyRecord, RequirementRecord, SessionRecord,
    StatementRecord, TagRecord,
};
pub use service_event::{ServiceEvent, time};
pub use told::{Told, records};

#[cfg(test)]
mod tests;
