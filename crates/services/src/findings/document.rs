//! What checks ask of policy documents. A stored document parses; one that does not is our fault.

use crate::errors::internal;
use palisade_policy::{DocumentKind, Effect, Policy, PrincipalElement, PrincipalType, Statement};
use palisade_shape::Result;

/// The Allow statements of a stored document.
pub fn allows(text: &str, kind: DocumentKind) -> Result<Vec<Statement>> {
    let policy = Policy::parse(text, kind).map_err(|malformed| {
        internal(format!("a stored policy does not parse: {}", malformed.message()))
    })?;
    let statements = policy.statements.into_iter();
    Ok(statements.filter(|statement| statement.effect == Effect::Allow).collect())
}

/// Whether a document allows every action on every resource, without a condition. All but some is
/// every action too.
pub fn is_administrator(text: &str) -> Result<bool> {
    Ok(allows(text, DocumentKind::Identity)?.iter().any(|statement| {
        let action = &statement.action;
        let actions = action.negated || action.values.iter().any(|value| value.text == "*");
        let resources = statement.resource.as_ref().is_some_and(|element| {
            element.negated || element.values.iter().any(|value| value.text == "*")
        });
        actions && resources && statement.conditions.is_empty()
    }))
}

/// The values of a kind that a statement names as principals.
pub fn named(statement: &Statement, kind: PrincipalType) -> Vec<&str> {
    let entries = statement.principal.iter().filter(|element| !element.negated);
    let entries = entries.flat_map(|element| element.entries.iter());
    let of_kind = entries.filter(|entry| entry.kind == kind);
    of_kind.map(|entry| entry.value.text.as_str()).collect()
}

/// Whether a statement is about everyone.
pub fn is_for_everyone(statement: &Statement) -> bool {
    let everyone = |element: &PrincipalElement| {
        element.negated
            || element.entries.iter().any(|entry| match entry.kind {
                PrincipalType::Everyone => true,
                PrincipalType::Aws => entry.value.text == "*",
                _ => false,
            })
    };
    statement.principal.as_ref().is_some_and(everyone)
}
