//! What the shares of a resource allow, as one policy of that resource. It is written anew whenever
//! a share of it changes, in the same transaction, and lies in its owner's account: the authorize
//! stage reads it beside the policy that the resource's own service keeps, if any.
//!
//! Who is in a share by an organization is held to it by a condition, so that leaving it ends
//! access with the very next call.
//!
//! Source: RAM API reference, GetResourcePolicies; AWS Private CA User Guide, "Resource-based
//! policies", whose examples show what RAM writes.

use super::association::{self, Association};
use super::principal::{self, Principal};
use super::share::{SHARES, Share};
use super::{list, resource, resource_type, share_permission, source};
use crate::context::Context;
use crate::errors::internal;
use crate::organizations::membership;
use crate::service::ResourcePolicy;
use crate::table::{Scope, Table};
use palisade_model::ram::{
    GetResourcePoliciesRequest, GetResourcePoliciesResponse, RESOURCE_ARN_NOT_FOUND_EXCEPTION,
    resource_share_association_type as kind,
};
use palisade_policy::arn::Arn;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A policy that RAM wrote.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub arn: String,
    pub document: String,
    /// Whom it is for, as the shares name them.
    pub principals: Vec<String>,
}

pub static POLICIES: Table<Written> = Table::of_private(
    "ram/resource-policy",
    Scope::Account,
    |row| row.arn.clone(),
    |row| internal(format!("{} has a policy already", row.arn)),
    |arn| internal(format!("{arn} has no policy")),
);

/// The policy that shares make for a resource of the account that is seen, with the one that its
/// service keeps. The later of both revisions stands for the two.
pub fn with_shares(
    cx: &Context,
    arn: &str,
    own: Option<ResourcePolicy>,
) -> Result<Option<ResourcePolicy>> {
    if resource_type::of_arn(arn).is_none() {
        return Ok(own);
    }
    let Some((written, revision)) = cx.get_revised(&POLICIES, arn)? else { return Ok(own) };
    let Some(own) = own else {
        let document = written.document;
        return Ok(Some(ResourcePolicy { document, revision, must_allow: false }));
    };
    let mut statements = statements_of(&own.document)?;
    statements.extend(statements_of(&written.document)?);
    Ok(Some(ResourcePolicy {
        document: document(statements),
        revision: own.revision.max(revision),
        must_allow: own.must_allow,
    }))
}

fn statements_of(document: &str) -> Result<Vec<Value>> {
    let document: Value = serde_json::from_str(document).map_err(internal)?;
    match document.get("Statement") {
        Some(Value::Array(statements)) => Ok(statements.clone()),
        Some(one @ Value::Object(_)) => Ok(vec![one.clone()]),
        _ => Err(internal("a resource's policy has no statements")),
    }
}

fn document(statements: Vec<Value>) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Writes the policy of a resource of the account and region that are seen.
pub fn refresh(cx: &mut Context, arn: &str) -> Result<()> {
    let mut statements = Vec::new();
    let mut principals = Vec::new();
    let Some(of) = resource_type::of_arn(arn) else { return Ok(()) };
    for id in resource::shares(cx, arn)? {
        let Some(share) = cx.get(&SHARES, &id)?.filter(Share::is_active) else { continue };
        let key = association::key(&id, kind::RESOURCE, arn);
        let there = cx.get(&association::ASSOCIATIONS, &key)?;
        let Some(granted) = share.permissions.get(of.name) else { continue };
        if !there.is_some_and(|one| one.is_in_force()) {
            continue;
        }
        let template = share_permission::template(cx, granted)?;
        let template: Map<String, Value> = serde_json::from_str(&template).map_err(internal)?;
        for (who, condition) in of_share(cx, &share, &mut principals)? {
            statements.push(statement(&template, arn, who, condition));
        }
    }
    if statements.is_empty() {
        return cx.delete(&POLICIES, arn).map(drop);
    }
    principals.sort_unstable();
    principals.dedup();
    cx.put(&POLICIES, &Written { arn: arn.to_owned(), document: document(statements), principals })
}

/// A `Principal` and the `Condition` that goes with it.
type Who = (Value, Map<String, Value>);

/// Whom a share is for, in the words of a policy.
fn of_share(cx: &Context, share: &Share, names: &mut Vec<String>) -> Result<Vec<Who>> {
    let owner = cx.account().to_owned();
    let organization = membership::of(cx, &owner)?.map(|member| member.organization_id);
    let (mut plain, mut together, mut services) = (Vec::new(), Vec::new(), Vec::new());
    let mut whole = Vec::new();
    for one in association::of(cx, &share.id, kind::PRINCIPAL)? {
        if !one.is_in_force() {
            continue;
        }
        names.push(one.entity.clone());
        match principal::parse(&one.entity)? {
            Principal::Service => services.push(one.entity),
            Principal::Organization(id) => whole.push(every(&owner, &id, None)),
            Principal::Unit(id, unit) => whole.push(every(&owner, &id, Some(&unit))),
            Principal::Account(account) | Principal::Iam { account } => {
                let name = named(&one);
                let asks_nothing = one.invited || share.retains || account == owner;
                if asks_nothing { plain.push(name) } else { together.push(name) }
            }
        }
    }
    let mut found = Vec::new();
    if !plain.is_empty() {
        found.push((json!({ "AWS": plain }), Map::new()));
    }
    // Without an organization nobody is in it.
    if let (false, Some(id)) = (together.is_empty(), &organization) {
        found.push((json!({ "AWS": together }), within(id)));
    }
    found.extend(whole);
    if !services.is_empty() {
        found.extend(of_services(cx, share, &owner, &services)?);
    }
    Ok(found)
}

fn named(one: &Association) -> String {
    match principal::is_account(&one.entity) {
        true => format!("arn:aws:iam::{}:root", one.entity),
        false => one.entity.clone(),
    }
}

fn condition(operator: &str, key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(operator.to_owned(), json!({ key: value }))])
}

fn within(organization: &str) -> Map<String, Value> {
    condition("StringEquals", "aws:PrincipalOrgID", json!(organization))
}

/// All accounts of an organization, or below one of its units, but the owner, whose principals
/// need their own policies as before.
fn every(owner: &str, organization: &str, unit: Option<&str>) -> Who {
    let mut condition = match unit {
        None => within(organization),
        Some(unit) => condition(
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            json!(format!("{organization}/*/{unit}/*")),
        ),
    };
    let others = json!({ "aws:PrincipalAccount": owner });
    condition.insert("StringNotEquals".to_owned(), others);
    (json!("*"), condition)
}

/// Services, on behalf of each type of the share's sources; of the owner when it has none.
fn of_services(cx: &Context, share: &Share, owner: &str, services: &[String]) -> Result<Vec<Who>> {
    let who = json!({ "Service": services });
    let all = association::of(cx, &share.id, kind::SOURCE)?;
    let there: Vec<String> =
        all.into_iter().filter(|one| one.is_in_force()).map(|one| one.entity).collect();
    if there.is_empty() {
        let own = condition(source::ACCOUNT.operator, source::ACCOUNT.key, json!(owner));
        return Ok(vec![(who, own)]);
    }
    let mut found = Vec::new();
    for of in source::TYPES {
        let is_of = |text: &&String| source::of(text) == Some(of);
        let values: Vec<&String> = there.iter().filter(is_of).collect();
        if !values.is_empty() {
            found.push((who.clone(), condition(of.operator, of.key, json!(values))));
        }
    }
    Ok(found)
}

/// A permission's template for somebody, on one resource.
fn statement(
    template: &Map<String, Value>,
    arn: &str,
    who: Value,
    more: Map<String, Value>,
) -> Value {
    let mut condition = match template.get("Condition") {
        Some(Value::Object(condition)) => condition.clone(),
        _ => Map::new(),
    };
    for (operator, keys) in more {
        match (condition.get_mut(&operator), keys) {
            (Some(Value::Object(known)), Value::Object(keys)) => known.extend(keys),
            (_, keys) => drop(condition.insert(operator, keys)),
        }
    }
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": who,
        "Action": template.get("Action"),
        "Resource": arn,
    });
    if let (false, Some(statement)) = (condition.is_empty(), statement.as_object_mut()) {
        statement.insert("Condition".to_owned(), Value::Object(condition));
    }
    statement
}

/// Answers the policies of resources that the account has shared.
pub fn get_resource_policies(
    cx: &mut Context,
    input: GetResourcePoliciesRequest,
) -> Result<GetResourcePoliciesResponse> {
    let GetResourcePoliciesRequest { resource_arns, principal, next_token, max_results } = input;
    if let Some(principal) = &principal {
        principal::parse(principal)?;
    }
    let mut items = Vec::new();
    for arn in resource_arns {
        if Arn::parse(&arn).is_none() {
            return Err(super::arn::malformed(&arn));
        }
        if resource::shares(cx, &arn)?.is_empty() {
            let text = format!("The resource {arn} could not be found.");
            return Err(RESOURCE_ARN_NOT_FOUND_EXCEPTION.because(text));
        }
        let Some(written) = cx.get(&POLICIES, &arn)? else { continue };
        if principal.as_ref().is_none_or(|principal| written.principals.contains(principal)) {
            items.push((arn, written.document));
        }
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(GetResourcePoliciesResponse { policies: Some(page.items), next_token: page.next })
}
