//! A trace in words, for `palisade why` and `palisade explain`. Statements are counted from one.

use crate::decide::{Layer, Outcome};
use crate::explain::{
    ConditionTrace, PolicyTrace, RequestValue, Stage, StatementTrace, Trace, ValueTrace,
};
use crate::principal::Grant;
use crate::truth::Truth;
use std::fmt;

impl fmt::Display for Layer {
    /// AWS's name for the kind of policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scp => "service control policy",
            Self::Rcp => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Unresolvable => "unresolvable condition",
        })
    }
}

impl fmt::Display for Trace {
    /// One line for the answer, then the stages in order, each with all its policies, their
    /// statements and the parts of those.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_answer(f, self)?;
        for stage in &self.stages {
            write_stage_line(f, stage)?;
            for policy in stage.policies.iter().filter(|_| stage.skipped.is_none()) {
                writeln!(f, "  {}", Name(policy))?;
                for statement in &policy.statements {
                    write_statement(f, statement)?;
                }
            }
        }
        Ok(())
    }
}

/// A trace without what could not have mattered: statements about other actions are counted, and
/// the layers without policies share a line.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'a>(&'a Trace);

impl Trace {
    /// The trace in few lines.
    #[must_use]
    pub fn brief(&self) -> Brief<'_> {
        Brief(self)
    }
}

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_answer(f, self.0)?;
        let mut absent = Vec::new();
        for stage in &self.0.stages {
            if stage.policies.is_empty() {
                let reason = stage.skipped.as_deref().unwrap_or("there is none");
                absent.push(format!("{}: {reason}", stage.layer));
                continue;
            }
            write_stage_line(f, stage)?;
            for policy in stage.policies.iter().filter(|_| stage.skipped.is_none()) {
                write_brief_policy(f, policy)?;
            }
        }
        if absent.is_empty() { Ok(()) } else { writeln!(f, "{}", absent.join(" · ")) }
    }
}

fn write_answer(f: &mut fmt::Formatter<'_>, trace: &Trace) -> fmt::Result {
    let decision = &trace.decision;
    match (decision.outcome, decision.denied_by) {
        (Outcome::Allowed, _) => f.write_str("ALLOWED")?,
        (Outcome::ExplicitDeny, Some(layer)) => write!(f, "DENIED by the {layer} (explicit)")?,
        (Outcome::ImplicitDeny, Some(Layer::Unresolvable)) => {
            f.write_str("DENIED: a condition cannot be resolved")?;
        }
        (_, Some(layer)) => write!(f, "DENIED: no {layer} allows it (implicit)")?,
        (_, None) => f.write_str("DENIED")?,
    }
    for (index, statement) in decision.statements.iter().enumerate() {
        f.write_str(if index == 0 { ", " } else { " and " })?;
        write!(f, "stmt {}", statement.index + 1)?;
        if let Some(sid) = &statement.sid {
            write!(f, " ({sid})")?;
        }
        write!(f, " of {}", statement.policy)?;
    }
    let accounts = if trace.same_account { "one account" } else { "different accounts" };
    writeln!(f, "\nCaller and resource are of {accounts}.")?;
    if trace.granted {
        f.write_str("A grant or an access control list gives it to the caller itself.\n")?;
    }
    Ok(())
}

fn write_stage_line(f: &mut fmt::Formatter<'_>, stage: &Stage) -> fmt::Result {
    write!(f, "{}", stage.layer)?;
    if let Some(level) = stage.level {
        write!(f, ", level {level}")?;
    }
    if let Some(reason) = &stage.skipped {
        return writeln!(f, ": not consulted, {reason}");
    }
    let allows = match stage.allows {
        _ if stage.denies => "denies",
        Some(Grant::Account) => "allows the account",
        Some(Grant::Issuer) => "allows the role or user behind the session",
        Some(Grant::Direct) => "allows",
        None => "does not allow",
    };
    writeln!(f, ": {allows}")
}

/// A policy with its revision.
struct Name<'a>(&'a PolicyTrace);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.policy)?;
        match self.0.revision {
            Some(revision) => write!(f, " (revision {revision})"),
            None => Ok(()),
        }
    }
}

fn write_brief_policy(f: &mut fmt::Formatter<'_>, policy: &PolicyTrace) -> fmt::Result {
    let is_about = |statement: &&StatementTrace| statement.action.matched != Truth::No;
    let shown: Vec<&StatementTrace> = policy.statements.iter().filter(is_about).collect();
    let others = policy.statements.len() - shown.len();
    write!(f, "  {}", Name(policy))?;
    match (shown.len(), others) {
        (_, 0) => writeln!(f)?,
        (0, 1) => writeln!(f, ": its statement is about other actions")?,
        (0, others) => writeln!(f, ": all {others} statements are about other actions")?,
        (_, 1) => writeln!(f, ": beside one statement about other actions")?,
        (_, others) => writeln!(f, ": beside {others} statements about other actions")?,
    }
    shown.into_iter().try_for_each(|statement| write_statement(f, statement))
}

fn write_statement(f: &mut fmt::Formatter<'_>, statement: &StatementTrace) -> fmt::Result {
    write!(f, "    stmt {}", statement.index + 1)?;
    if let Some(sid) = &statement.sid {
        write!(f, " ({sid})")?;
    }
    let applies = match statement.applies {
        Truth::Yes => "applies",
        Truth::No => "does not apply",
        Truth::Unresolvable => "cannot be resolved",
    };
    writeln!(f, " {:?} {applies}", statement.effect)?;
    let elements = [&statement.principal, &Some(statement.action.clone()), &statement.resource];
    elements.into_iter().flatten().try_for_each(|element| write_element(f, element))?;
    statement.conditions.iter().try_for_each(|condition| write_condition(f, condition))
}

/// The mark of a part, and the sign between the policy's value and the request's.
fn marks(matched: Truth) -> (&'static str, &'static str) {
    match matched {
        Truth::Yes => ("✓", "="),
        Truth::No => ("✗", "≠"),
        Truth::Unresolvable => ("?", "?"),
    }
}

fn write_element(f: &mut fmt::Formatter<'_>, element: &ValueTrace) -> fmt::Result {
    let ValueTrace { element, policy, request, matched } = element;
    let (mark, sign) = marks(*matched);
    writeln!(f, "      {mark} {element} {} {sign} {request}", policy.join(", "))
}

fn write_condition(f: &mut fmt::Formatter<'_>, condition: &ConditionTrace) -> fmt::Result {
    let ConditionTrace { operator, key, policy, request, matched } = condition;
    let request = match request {
        RequestValue::Absent => "no value".to_owned(),
        RequestValue::Value(value) => value.clone(),
        RequestValue::Values(values) => format!("[{}]", values.join(", ")),
        RequestValue::Unresolvable => "a value that is not known".to_owned(),
    };
    let (mark, _) = marks(*matched);
    writeln!(f, "      {mark} {operator} {key} {}; the request has {request}", policy.join(", "))
}
