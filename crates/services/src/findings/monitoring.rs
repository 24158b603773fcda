//! Somebody is told when something happens.

use super::state::State;
use super::{Affected, Check, Severity, root_arn};
use crate::account::alternate_contact;
use crate::context::Context;
use palisade_model::account::alternate_contact_type;
use palisade_shape::Result;

pub static CHECK: Check = Check {
    id: "activity-monitoring",
    title: "Activity is monitored, and somebody is told",
    severity: Severity::Medium,
    why: "Every call is in the event history. Name who is to be told about the account's security: \
          the alternate contact SECURITY.",
    reads: &["account:GetAlternateContact"],
    look,
};

fn look(cx: &mut Context, _: &State) -> Result<Option<Vec<Affected>>> {
    if alternate_contact::is_set(cx, alternate_contact_type::SECURITY)? {
        return Ok(Some(Vec::new()));
    }
    let why = "The account has no alternate contact for security.";
    Ok(Some(vec![Affected::new(&root_arn(cx), why)]))
}
