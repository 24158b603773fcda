//! Recorded calls under other policies of organizations: which would be decided otherwise. Nothing
//! is attached; the calls are decided again on what they were decided on, but for those policies.

use crate::explain::facts_under;
use crate::server::Server;
use palisade_policy::{Decision, Layer, LayerFacts, PolicyFacts};
use palisade_services::audit::{DecisionRecord, layer_name, outcome_name};
use palisade_services::context::from_store;
use palisade_services::errors::internal;
use palisade_shape::Result;
use palisade_store::{AuditQuery, AuditRecord, Read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The policies that would bind, for the accounts that they would be other ones for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instead {
    pub accounts: BTreeMap<String, Levels>,
}

/// What binds an account, the root's policies first. No level: no policy of that type binds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    pub scps: Vec<Vec<Document>>,
    pub rcps: Vec<Vec<Document>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub label: String,
    pub text: String,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// The calls that were decided again.
    pub calls: usize,
    pub flips: Vec<Flip>,
}

/// A call that would be decided otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    /// The decision's id.
    pub id: String,
    pub time: String,
    pub principal: String,
    pub action: String,
    pub resource: String,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub was: String,
    pub becomes: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
}

impl Instead {
    /// Puts the policies in the place of those that were in force.
    pub fn put(&self, layers: &mut Vec<LayerFacts>, caller: &str, owner: &str) {
        if let Some(levels) = self.accounts.get(caller) {
            replace(layers, Layer::Scp, &levels.scps);
        }
        if let Some(levels) = self.accounts.get(owner) {
            replace(layers, Layer::Rcp, &levels.rcps);
        }
    }
}

fn replace(layers: &mut Vec<LayerFacts>, layer: Layer, levels: &[Vec<Document>]) {
    layers.retain(|known| known.layer != layer);
    let policy = |document: &Document| PolicyFacts {
        label: document.label.clone(),
        revision: None,
        text: document.text.clone(),
    };
    layers.extend(levels.iter().enumerate().map(|(level, documents)| LayerFacts {
        layer,
        level: Some(level),
        policies: documents.iter().map(policy).collect(),
    }));
}

/// Decides the newest `limit` calls of each of those accounts again, changes and reads together.
pub fn replay(server: &Server, instead: &Instead, limit: usize) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    for account in instead.accounts.keys() {
        for record in newest(server, account, limit)? {
            let decision = DecisionRecord::parse(&record.decision).map_err(internal)?;
            // The record of another account's call is that account's to replay.
            if decision.caller.account == *account {
                again(server, &decision, instead, &mut replayed)?;
            }
        }
    }
    Ok(replayed)
}

fn newest(server: &Server, account: &str, limit: usize) -> Result<Vec<AuditRecord>> {
    let query = AuditQuery::newest(account, limit);
    let snapshot = server.plane.store.snapshot();
    let mut records = snapshot.audit_scan(&query).map_err(from_store)?;
    records.extend(server.plane.reads.scan(&query).map_err(from_store)?);
    let mut records: Vec<AuditRecord> = records.into_iter().map(|(_, record)| record).collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.time_millis));
    records.truncate(limit);
    Ok(records)
}

fn again(
    server: &Server,
    decision: &DecisionRecord,
    instead: &Instead,
    replayed: &mut Replayed,
) -> Result<()> {
    let Some(was) = &decision.outcome else { return Ok(()) };
    let facts = facts_under(server, decision, instead)?;
    let Some(last) = facts.last() else { return Ok(()) };
    let mut deciding = last;
    let mut becomes: Option<Decision> = None;
    for facts in &facts {
        let decision = facts.decide().map_err(internal)?;
        let stops = !decision.allowed();
        becomes = Some(decision);
        deciding = facts;
        if stops {
            break;
        }
    }
    replayed.calls += 1;
    let Some(becomes) = becomes else { return Ok(()) };
    let allowed = was == "allowed";
    if becomes.allowed() != allowed {
        replayed.flips.push(Flip {
            id: decision.id.clone(),
            time: decision.time.clone(),
            principal: decision.caller.arn.clone(),
            action: deciding.action.clone(),
            resource: deciding.resource.clone(),
            was: was.clone(),
            becomes: outcome_name(becomes.outcome).to_owned(),
            denied_by: becomes.denied_by.map(|layer| layer_name(layer).to_owned()),
        });
    }
    Ok(())
}
