//! Expectations out of what was called already: each thing that a call had to be allowed, with the
//! circumstances that policies can ask about, and how it was decided.

use super::table::{Expect, OneOrMany, Scalar, Scalars, Table, Test};
use palisade_policy::arn::Arn;
use palisade_services::accounts::ACCOUNTS;
use palisade_services::audit::{DecisionRecord, RequirementRecord};
use palisade_services::context::from_store;
use palisade_services::errors::internal;
use palisade_services::iam::simulation::Values;
use palisade_services::plane::Plane;
use palisade_shape::Result;
use palisade_store::{AuditQuery, AuditRecord, Read};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Accounts looked through.
const ACCOUNTS_MAX: usize = 10_000;

/// One requirement of a recorded call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub principal: String,
    pub action: String,
    pub resource: String,
    pub allowed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Vec<String>>,
    /// Keys of the context that are multivalued.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub multivalued: BTreeSet<String>,
}

/// What the newest `most` records of each account and of the log of reads say, oldest first, alike
/// ones once. Calls of sessions with session policies are left out: a test has no session policies;
/// so are those of services and nobody. `account` asks for the calls of one account's principals.
pub fn calls(plane: &Plane, most: usize, account: Option<&str>) -> Result<Vec<Call>> {
    let snapshot = plane.store.snapshot();
    let (accounts, mut records) = match account {
        Some(own) => (vec![own.to_owned()], reads_of(plane, most, own)?),
        None => {
            let rows = snapshot.scan(ACCOUNTS.name, "", "", "", None, ACCOUNTS_MAX);
            let rows = rows.map_err(from_store)?.into_iter();
            (rows.map(|(account, _)| account).collect(), reads(plane, most)?)
        }
    };
    for account in accounts {
        let query = AuditQuery::newest(&account, most);
        let found = snapshot.audit_scan(&query).map_err(from_store)?;
        records.extend(found.into_iter().map(|(_, record)| record));
    }
    records.sort_by_key(|record| record.time_millis);
    let mut seen = BTreeSet::new();
    let mut calls = Vec::new();
    for record in &records {
        let decision = DecisionRecord::parse(&record.decision).map_err(internal)?;
        // An account has records of calls that others made in it.
        if account.is_some_and(|own| decision.caller.account != own) {
            continue;
        }
        for call in of_record(&decision) {
            let what = (call.principal.clone(), call.action.clone(), call.resource.clone());
            if seen.insert((what, call.allowed)) {
                calls.push(call);
            }
        }
    }
    let surplus = calls.len().saturating_sub(most);
    calls.drain(..surplus);
    Ok(calls)
}

/// The newest records of the log of reads that are of one account.
fn reads_of(plane: &Plane, most: usize, account: &str) -> Result<Vec<AuditRecord>> {
    let found = plane.reads.scan(&AuditQuery::newest(account, most)).map_err(from_store)?;
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// The newest records of the log of reads. The search is made to find nothing, so that it passes
/// them all, until it has seen enough.
fn reads(plane: &Plane, most: usize) -> Result<Vec<AuditRecord>> {
    let found = RefCell::new(Vec::new());
    let note = |record: &AuditRecord| {
        let mut found = found.borrow_mut();
        found.push(record.clone());
        found.len() >= most
    };
    plane.reads.find("", &note).map_err(from_store)?;
    Ok(found.into_inner())
}

fn of_record(record: &DecisionRecord) -> Vec<Call> {
    let Some(principal) = principal(record) else { return Vec::new() };
    let call = |requirement: &RequirementRecord| {
        let (context, multivalued) = context(record, requirement);
        Call {
            principal: principal.clone(),
            action: requirement.action.clone(),
            resource: requirement.resource.clone(),
            allowed: requirement.outcome == "allowed",
            denied_by: requirement.denied_by.clone(),
            context,
            multivalued,
        }
    };
    record.requirements.iter().map(call).collect()
}

/// The user, role or root whose policies decided.
fn principal(record: &DecisionRecord) -> Option<String> {
    let caller = &record.caller;
    let arn = match &caller.session {
        Some(session) if session.policies.is_empty() && session.policy_arns.is_empty() => {
            &session.issuer_arn
        }
        Some(_) => return None,
        None => &caller.arn,
    };
    let parsed = Arn::parse(arn)?;
    let known =
        parsed.resource == "root" || matches!(parsed.resource_type(), Some("user" | "role"));
    (parsed.service == "iam" && known && caller.kind != "federated-user").then(|| arn.clone())
}

type Keys = (BTreeMap<String, Vec<String>>, BTreeSet<String>);

fn context(record: &DecisionRecord, requirement: &RequirementRecord) -> Keys {
    let mut keys: BTreeMap<String, Vec<String>> = requirement.keys.clone();
    let mut several: BTreeSet<String> =
        keys.iter().filter(|(_, values)| values.len() > 1).map(|(key, _)| key.clone()).collect();
    let around = &record.context;
    let mut set = |key: &str, value: &str| keys.insert(key.to_owned(), vec![value.to_owned()]);
    set("aws:SourceIp", &around.source_ip);
    set("aws:RequestedRegion", &around.region);
    set("aws:SecureTransport", if around.secure { "true" } else { "false" });
    if let Some(session) = &record.caller.session {
        set("aws:TokenIssueTime", &session.issued_at);
        let mfa = if session.mfa_at.is_some() { "true" } else { "false" };
        set("aws:MultiFactorAuthPresent", mfa);
        for (key, value) in &session.tags {
            set(&format!("aws:PrincipalTag/{key}"), value);
        }
    }
    for tag in &requirement.resource_tags {
        set(&format!("aws:ResourceTag/{}", tag.key), &tag.value);
    }
    let tags = requirement.request_tags.as_deref().unwrap_or_default();
    for tag in tags {
        set(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    if !tags.is_empty() {
        let names = tags.iter().map(|tag| tag.key.clone()).collect();
        keys.insert("aws:TagKeys".to_owned(), names);
        several.insert("aws:TagKeys".to_owned());
    }
    (keys, several)
}

impl Call {
    /// The question that the call was.
    fn values(&self) -> BTreeMap<String, Values> {
        let values = |(key, values): (&String, &Vec<String>)| {
            let one = values.first().filter(|_| !self.multivalued.contains(key));
            let values = match one {
                Some(one) => Values::One(one.clone()),
                None => Values::Many(values.clone()),
            };
            (key.clone(), values)
        };
        self.context.iter().map(values).collect()
    }
}

/// The calls as a table of tests.
pub fn table(calls: &[Call]) -> Table {
    let test = |call: &Call| Test {
        name: None,
        principal: OneOrMany::One(call.principal.clone()),
        action: OneOrMany::One(call.action.clone()),
        resource: OneOrMany::One(call.resource.clone()),
        expect: if call.allowed { Expect::Allow } else { Expect::Deny },
        by: call.denied_by.clone(),
        context: call
            .values()
            .into_iter()
            .map(|(key, values)| {
                let values = match values {
                    Values::One(one) => Scalars::One(Scalar::Text(one)),
                    Values::Many(many) => {
                        Scalars::Many(many.into_iter().map(Scalar::Text).collect())
                    }
                };
                (key, values)
            })
            .collect(),
    };
    Table { test: calls.iter().map(test).collect() }
}
