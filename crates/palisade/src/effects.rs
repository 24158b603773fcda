//! What else an edit would do: the recorded calls that it would newly allow.

use crate::explain::facts_of;
use crate::receipt::Explained;
use crate::server::Server;
use palisade_policy::{Facts, Outcome};
use palisade_services::audit::DecisionRecord;
use palisade_services::context::from_store;
use palisade_services::errors::internal;
use palisade_shape::Result;
use palisade_store::AuditQuery;
use std::collections::BTreeSet;

/// The newest calls of the account that are looked at.
const CALLS_MAX: usize = 1_000;
/// Of these the different ones that were denied.
const DENIALS_MAX: usize = 100;

/// Counts for every edit that would allow something which other denied calls it would allow too. A
/// call counts once, however often it was made.
pub fn count(
    server: &Server,
    decision: &DecisionRecord,
    explained: &mut [Explained],
) -> Result<()> {
    let Some(denied) = explained.last_mut() else { return Ok(()) };
    let edits_documents = denied.edits.iter().any(|it| !it.edit.documents.is_empty());
    if denied.trace.decision.outcome == Outcome::Allowed || !edits_documents {
        return Ok(());
    }
    let others = denials(server, decision)?;
    for suggestion in &mut denied.edits {
        if suggestion.edit.documents.is_empty() {
            continue;
        }
        let allowed = others.iter().filter(|other| {
            let after = suggestion.edit.applied(&denied.facts, other);
            after.is_some_and(|after| after.decide().is_ok_and(|decision| decision.allowed()))
        });
        suggestion.newly_allows = Some(allowed.count());
    }
    Ok(())
}

/// What the last requirement of each other denied call was decided on. Calls that changed nothing,
/// and so all that were denied, are in the log of reads.
fn denials(server: &Server, decision: &DecisionRecord) -> Result<Vec<Facts>> {
    let query = AuditQuery::newest(&decision.caller.account, CALLS_MAX);
    let mut seen = BTreeSet::from([call(decision)]);
    let mut denials = Vec::new();
    for (_, record) in server.plane.reads.scan(&query).map_err(from_store)? {
        let other = DecisionRecord::parse(&record.decision).map_err(internal)?;
        let denied = matches!(other.outcome.as_deref(), Some("explicitDeny" | "implicitDeny"));
        if !denied || !seen.insert(call(&other)) {
            continue;
        }
        denials.extend(facts_of(server, &other)?.pop());
        if denials.len() == DENIALS_MAX {
            break;
        }
    }
    Ok(denials)
}

/// What makes a call another one: who asked for what.
fn call(decision: &DecisionRecord) -> (String, String, String) {
    let last = decision.requirements.last();
    let named = last.map(|last| (last.action.clone(), last.resource.clone()));
    let (action, resource) = named.unwrap_or_default();
    (decision.caller.arn.clone(), action, resource)
}
