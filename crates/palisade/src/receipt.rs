//! Decision receipts: how one call was decided, in one piece that needs neither server nor data to
//! be decided again. `GET /_palisade/decisions/<id>` answers one, `palisade why` prints it,
//! `palisade explain` decides it again and prints the same.

use palisade_policy::{Edit, Facts, Outcome, Trace};
use palisade_services::audit::DecisionRecord;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};

/// What the first member of a receipt says.
pub const FORMAT: &str = "palisade-receipt/1";

/// The answer of `GET /_palisade/decisions/<id>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub format: String,
    /// The record as it was kept.
    pub decision: DecisionRecord,
    /// What the caller was told, if it was refused.
    pub error_message: Option<String>,
    /// One for each requirement.
    pub explained: Vec<Explained>,
}

/// One requirement: what it was decided on, how, and what would turn it round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    pub action: String,
    pub resource: String,
    /// Caller, context and the documents as they were.
    pub facts: Facts,
    pub trace: Trace,
    /// The smallest edits first.
    pub edits: Vec<Suggestion>,
}

/// An edit, and what else it would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    #[serde(flatten)]
    pub edit: Edit,
    /// Of the newest recorded calls those others that were denied and would be allowed; absent
    /// where it was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newly_allows: Option<usize>,
}

impl Explained {
    /// Decides on the facts. Nothing is counted: that takes the recorded calls.
    pub fn of(facts: Facts) -> Result<Self, String> {
        let prepared = facts.prepare().map_err(|error| error.to_string())?;
        let trace = prepared.explain();
        let edits = prepared.edits().into_iter();
        let edits = edits.map(|edit| Suggestion { edit, newly_allows: None }).collect();
        let (action, resource) = (facts.action.clone(), facts.resource.clone());
        Ok(Self { action, resource, facts, trace, edits })
    }

    /// Decides once more, keeping the counts.
    fn again(&self) -> Result<Self, String> {
        let mut again = Self::of(self.facts.clone())?;
        for suggestion in &mut again.edits {
            let mut known = self.edits.iter();
            let same = known.find(|known| known.edit == suggestion.edit);
            suggestion.newly_allows = same.and_then(|same| same.newly_allows);
        }
        Ok(again)
    }
}

impl Receipt {
    /// Reads a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let receipt: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no receipt of a decision: {error}"))?;
        match receipt.format.as_str() {
            FORMAT => Ok(receipt),
            other => Err(format!("`{other}` is not a format that is known here; {FORMAT} is")),
        }
    }

    /// Decides everything once more on the receipt's own facts.
    ///
    /// Fails when that gives another answer than the receipt tells, or when the receipt tells of a
    /// requirement other than its record.
    pub fn again(&self) -> Result<Self, String> {
        let explained: Result<Vec<_>, _> = self.explained.iter().map(Explained::again).collect();
        let again = Self { explained: explained?, ..self.clone() };
        if again != *self {
            return Err("deciding the receipt again gives another answer than it tells".to_owned());
        }
        for (told, recorded) in self.explained.iter().zip(&self.decision.requirements) {
            let asked = (&told.facts.action, &told.facts.resource);
            if asked != (&recorded.action, &recorded.resource) {
                return Err("the receipt's record tells of another decision".to_owned());
            }
        }
        let requirements = &self.decision.requirements;
        let deciding = requirements.iter().find(|it| it.outcome != "allowed");
        let outcome = deciding.or(requirements.last()).map(|it| &it.outcome);
        if outcome != self.decision.outcome.as_ref() {
            return Err("the receipt's record is not one with itself".to_owned());
        }
        Ok(again)
    }

    /// As JSON on one line, members by name.
    pub fn to_json(&self) -> Result<String, String> {
        let value = serde_json::to_value(self).map_err(|error| error.to_string())?;
        Ok(value.to_string())
    }

    /// For a person: who asked for what and how it ended, how it was decided, what would turn it
    /// round. `full` leaves no statement out.
    pub fn in_words(&self, full: bool) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, full);
        text
    }

    fn write(&self, out: &mut String, full: bool) -> fmt::Result {
        let DecisionRecord { id, time, service, operation, outcome, error, caller, .. } =
            &self.decision;
        let outcome = match outcome.as_deref() {
            Some("allowed") => "ALLOWED",
            Some("explicitDeny") => "DENIED by a statement",
            Some("implicitDeny") => "DENIED: nothing allows it",
            _ => "ENDED before it was decided",
        };
        writeln!(out, "{service} {operation}: {outcome}")?;
        writeln!(out, "  caller    {}", caller.arn)?;
        writeln!(out, "  time      {time}")?;
        writeln!(out, "  decision  {id}")?;
        if let (Some(code), Some(message)) = (error, &self.error_message) {
            writeln!(out, "  answered  {code}: {message}")?;
        }
        for (index, explained) in self.explained.iter().enumerate() {
            writeln!(out, "\n{} on {}", explained.action, explained.resource)?;
            match full {
                true => write!(out, "{}", explained.trace)?,
                false => write!(out, "{}", explained.trace.brief())?,
            }
            let recorded = self.decision.requirements.get(index);
            if recorded.is_some_and(|recorded| recorded.outcome != outcome_name(explained)) {
                writeln!(out, "Decided again it comes out otherwise: its documents are gone.")?;
            }
            write_edits(out, explained)?;
        }
        Ok(())
    }
}

fn outcome_name(explained: &Explained) -> &'static str {
    palisade_services::audit::outcome_name(explained.trace.decision.outcome)
}

fn write_edits(out: &mut String, explained: &Explained) -> fmt::Result {
    let allowed = explained.trace.decision.outcome == Outcome::Allowed;
    let aim = if allowed { "stops" } else { "allows" };
    let mut edits = explained.edits.iter();
    let Some(first) = edits.next() else {
        return writeln!(out, "No small change of these policies {aim} it.");
    };
    writeln!(out, "Smallest change that {aim} it: {}{}", first.edit, aside(first))?;
    edits.try_for_each(|other| writeln!(out, "  or: {}{}", other.edit, aside(other)))
}

fn aside(suggestion: &Suggestion) -> String {
    match suggestion.newly_allows {
        None => "   (verified)".to_owned(),
        Some(0) => "   (verified; no other recorded call)".to_owned(),
        Some(1) => "   (verified; also newly allows: 1 call)".to_owned(),
        Some(calls) => format!("   (verified; also newly allows: {calls} calls)"),
    }
}

#[cfg(test)]
mod tests;
