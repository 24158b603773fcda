//! One question about the account as it stands, the resource's side included: what `palisade test`
//! asks. The simulator's operations leave that side to their caller, as AWS does.

use super::scenario::{Caller, Scenario};
use super::source::{PolicySource, Source, find};
use crate::authorization::standing;
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::iam::resources::trust_policy;
use palisade_model::iam::NO_SUCH_ENTITY;
use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, Layer, Outcome, Principal, ResourceRule, StatementRef};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// May this principal do this to this resource, under these circumstances?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// An ARN of a user, role, group or root; or `root`, or a name: of a user, else of a role.
    pub principal: String,
    pub action: String,
    pub resource: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Values>,
}

/// What a context key holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    One(String),
    /// Of a multivalued key.
    Many(Vec<String>),
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    pub decision: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<Layer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementRef>,
}

/// Answers for the account that the question's principal is of, or the context's.
pub fn ask(cx: &mut Context, question: &Question) -> Result<Verdict> {
    let named = Arn::parse(&question.principal).and_then(|arn| arn.account_id());
    let account = named.unwrap_or(cx.account()).to_owned();
    let scenario = cx.in_account(&account, |cx| scenario(cx, question))?;
    Ok(scenario.answer(question))
}

impl Scenario {
    /// Decides a question over the policies that are there, with its context alone.
    pub fn answer(&self, question: &Question) -> Verdict {
        let decision = self.simulate(&question.action, &question.resource).trace.decision;
        Verdict {
            decision: decision.outcome,
            denied_by: decision.denied_by,
            statements: decision.statements.to_vec(),
        }
    }

    /// Gives the keys of a question.
    pub fn give(&mut self, context: &BTreeMap<String, Values>) {
        for (key, values) in context {
            match values {
                Values::One(value) => self.context.set(key, vec![value.clone()], false),
                Values::Many(values) => self.context.set(key, values.clone(), true),
            }
        }
    }
}

fn scenario(cx: &mut Context, question: &Question) -> Result<Scenario> {
    let Question { principal, action, resource, context } = question;
    if !action.contains(':') {
        let text = format!("The action `{action}` has no service prefix.");
        return Err(VALIDATION_ERROR.because(text));
    }
    let mut scenario = Scenario::new(cx.account());
    scenario.whole = true;
    let standing = standing(cx, cx.account())?;
    scenario.levels.clone_from(&standing.scps);
    scenario.management_account = standing.management_account().map(str::to_owned);
    let root = format!("arn:aws:iam::{}:root", cx.account());
    if *principal == root || principal == "root" {
        scenario.caller = Caller::named(Principal::root(&root), cx.account(), Vec::new());
    } else {
        let PolicySource { policies, boundary, caller } = principal_of(cx, principal)?;
        scenario.set_identity(policies);
        scenario.set_boundary(boundary);
        scenario.caller = caller;
    }
    if ResourceRule::of(action, resource) == ResourceRule::TrustPolicy {
        scenario.set_resource_policy(trust(cx, resource)?);
    }
    scenario.give(context);
    Ok(scenario)
}

/// The policies of a principal by its ARN or its name.
fn principal_of(cx: &Context, principal: &str) -> Result<PolicySource> {
    if principal.starts_with("arn:") {
        return find(cx, principal);
    }
    let account = cx.account();
    let arn = |kind: &str| format!("arn:aws:iam::{account}:{kind}/{principal}");
    match find(cx, &arn("user")) {
        Err(error) if error.code.code == NO_SUCH_ENTITY.code => {
            find(cx, &arn("role")).map_err(|error| match error.code.code {
                code if code == NO_SUCH_ENTITY.code => NO_SUCH_ENTITY
                    .because(format!("There is no user and no role with name {principal}.")),
                _ => error,
            })
        }
        found => found,
    }
}

/// The trust policy of the role that an ARN names.
fn trust(cx: &mut Context, resource: &str) -> Result<Option<Source>> {
    let Some(arn) = Arn::parse(resource) else { return Ok(None) };
    let (Some(account), name) = (arn.account_id(), arn.resource_name()) else { return Ok(None) };
    let Some(policy) = trust_policy(cx, account, name)? else { return Ok(None) };
    let source = Source::parse(resource.to_owned(), policy.document, DocumentKind::Trust);
    source.map(Some).map_err(crate::errors::internal)
}
