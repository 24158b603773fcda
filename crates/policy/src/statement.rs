//! A compiled document: matchers ready to be asked.

use crate::action::Actions;
use crate::asked::Asked;
use crate::condition::Condition;
use crate::decide::Policies;
use crate::document::{DocumentKind, Effect, Policy, Statement};
use crate::principal::{Grant, Principals};
use crate::request::{Principal, Request};
use crate::resource::{Resources, Target};
use crate::truth::Truth;
use std::sync::Arc;

/// A policy document compiled to matchers. Cheap to share: many sets may hold one.
#[derive(Clone, Debug)]
pub struct CompiledPolicy {
    document: Policy,
    pub(crate) statements: Box<[CompiledStatement]>,
}

impl CompiledPolicy {
    /// What the document was read as.
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        self.document.kind
    }

    /// The document it was compiled from.
    #[must_use]
    pub fn document(&self) -> &Policy {
        &self.document
    }

    /// How many statements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether it has no statement, which no parsed document has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl Policy {
    /// Compiles the document.
    #[must_use]
    pub fn compile(&self) -> Arc<CompiledPolicy> {
        let version = self.effective_version();
        let compile = |statement: &Statement| {
            let conditions = statement.conditions.iter();
            let resource = statement.resource.as_ref();
            CompiledStatement {
                sid: statement.sid.as_deref().map(Arc::from),
                effect: statement.effect,
                principals: Principals::compile(statement.principal.as_ref()),
                actions: Actions::compile(&statement.action),
                resources: Resources::compile(resource, version),
                conditions: conditions
                    .filter_map(|condition| Condition::compile(condition, version))
                    .collect(),
            }
        };
        let statements = self.statements.iter().map(compile).collect();
        Arc::new(CompiledPolicy { document: self.clone(), statements })
    }
}

/// One compiled statement.
#[derive(Clone, Debug)]
pub(crate) struct CompiledStatement {
    pub sid: Option<Arc<str>>,
    pub effect: Effect,
    pub principals: Principals,
    pub actions: Actions,
    pub resources: Resources,
    pub conditions: Box<[Condition]>,
}

/// What is asked of a statement, prepared once for a decision.
pub(crate) struct Query<'a> {
    pub caller: &'a Principal,
    pub has_boundary: bool,
    pub target: Target<'a>,
    pub keys: Asked<'a>,
}

impl<'a> Query<'a> {
    pub fn new(request: &Request<'a>, policies: &Policies<'a>) -> Self {
        Self {
            caller: request.principal,
            has_boundary: policies.boundary.is_some(),
            target: Target::new(request.resource),
            keys: Asked::new(request.keys),
        }
    }
}

impl CompiledStatement {
    /// Whether a statement about the action applies, and how it names the caller.
    pub fn applies<'a>(&'a self, query: &Query<'a>) -> (Truth, Grant) {
        let Some(grant) = self.principals.grant(query.caller, query.has_boundary) else {
            return (Truth::No, Grant::Account);
        };
        let resource = self.resources.matches(&query.target, &query.keys);
        if resource == Truth::No {
            return (Truth::No, grant);
        }
        let conditions = self.conditions.iter().map(|condition| condition.holds(&query.keys));
        (resource.min(Truth::all(conditions)), grant)
    }
}
