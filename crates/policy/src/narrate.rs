//! A trace in words, for `palisade why`.

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
    /// One line for the answer, then the stages in order, indented by policy, statement and part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.decision.outcome {
            Outcome::Allowed => "Allowed",
            Outcome::ExplicitDeny => "Explicitly denied",
            Outcome::ImplicitDeny => "Denied, nothing allows it",
        };
        f.write_str(outcome)?;
        if let Some(layer) = self.decision.denied_by {
            write!(f, " ({layer})")?;
        }
        for statement in &self.decision.statements {
            write!(f, ", statement {} of {}", statement.index, statement.policy)?;
            if let Some(sid) = &statement.sid {
                write!(f, " ({sid})")?;
            }
        }
        writeln!(f, ".")?;
        let accounts = if self.same_account { "one account" } else { "different accounts" };
        writeln!(f, "Caller and resource are of {accounts}.")?;
        self.stages.iter().try_for_each(|stage| write_stage(f, stage))
    }
}

fn write_stage(f: &mut fmt::Formatter<'_>, stage: &Stage) -> fmt::Result {
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
    writeln!(f, ": {allows}")?;
    stage.policies.iter().try_for_each(|policy| write_policy(f, policy))
}

fn write_policy(f: &mut fmt::Formatter<'_>, policy: &PolicyTrace) -> fmt::Result {
    writeln!(f, "  {}", policy.policy)?;
    policy.statements.iter().try_for_each(|statement| write_statement(f, statement))
}

fn write_statement(f: &mut fmt::Formatter<'_>, statement: &StatementTrace) -> fmt::Result {
    write!(f, "    statement {}", statement.index)?;
    if let Some(sid) = &statement.sid {
        write!(f, " ({sid})")?;
    }
    let applies = match statement.applies {
        Truth::Yes => "applies",
        Truth::No => "does not apply",
        Truth::Unresolvable => "cannot be resolved",
    };
    writeln!(f, ", {:?}: {applies}", statement.effect)?;
    let elements = [&statement.principal, &Some(statement.action.clone()), &statement.resource];
    elements.into_iter().flatten().try_for_each(|element| write_element(f, element))?;
    statement.conditions.iter().try_for_each(|condition| write_condition(f, condition))
}

fn mark(matched: Truth) -> &'static str {
    match matched {
        Truth::Yes => "+",
        Truth::No => "-",
        Truth::Unresolvable => "?",
    }
}

fn write_element(f: &mut fmt::Formatter<'_>, element: &ValueTrace) -> fmt::Result {
    let ValueTrace { element, policy, request, matched } = element;
    writeln!(f, "      {} {element} {} on {request}", mark(*matched), policy.join(", "))
}

fn write_condition(f: &mut fmt::Formatter<'_>, condition: &ConditionTrace) -> fmt::Result {
    let ConditionTrace { operator, key, policy, request, matched } = condition;
    let request = match request {
        RequestValue::Absent => "no value".to_owned(),
        RequestValue::Value(value) => value.clone(),
        RequestValue::Values(values) => format!("[{}]", values.join(", ")),
        RequestValue::Unresolvable => "a value that is not known".to_owned(),
    };
    let policy = policy.join(", ");
    writeln!(f, "      {} {operator} {key} {policy} on {request}", mark(*matched))
}
