//! Doing what a plan says, call by call.

use super::plan::Step;
use super::survey::{FULL_ACCESS, Survey, survey};
use super::{PolicyName, Target, parent};
use crate::api::Api;
use palisade_model::organizations::{
    AttachPolicyRequest, CreateAccountRequest, CreateAccountResponse, CreateAccountStatus,
    CreateOrganizationRequest, CreateOrganizationResponse, CreateOrganizationalUnitRequest,
    CreateOrganizationalUnitResponse, CreatePolicyRequest, CreatePolicyResponse,
    DeleteOrganizationalUnitRequest, DeletePolicyRequest, DescribeCreateAccountStatusRequest,
    DescribeCreateAccountStatusResponse, DetachPolicyRequest, EnablePolicyTypeRequest,
    EnablePolicyTypeResponse, MoveAccountRequest, SERVICE, UpdatePolicyRequest,
    UpdatePolicyResponse,
};
use palisade_shape::Nothing;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often to ask whether an account is made, and for how long.
const POLL: Duration = Duration::from_millis(200);
const POLLS_MAX: usize = 600;

/// The ids of what the steps name, which grow as things are made.
struct Ids {
    root: String,
    units: BTreeMap<String, String>,
    accounts: BTreeMap<String, String>,
    policies: BTreeMap<PolicyName, String>,
}

/// Does the steps in order and tells each when it is done. Stops at the first that fails.
pub fn apply(
    api: &Api,
    now: &Survey,
    steps: &[Step],
    mut done: impl FnMut(&Step),
) -> Result<(), String> {
    let mut ids = Ids::of(now);
    for step in steps {
        perform(api, &mut ids, step).map_err(|error| format!("{step}: {error}"))?;
        done(step);
    }
    Ok(())
}

impl Ids {
    fn of(now: &Survey) -> Self {
        let accounts = now.accounts.iter();
        let policies = now.policies.iter();
        Self {
            root: now.root_id.clone(),
            units: now.units.clone(),
            accounts: accounts.map(|account| (account.email.clone(), account.id.clone())).collect(),
            policies: policies.map(|(key, policy)| (key.clone(), policy.id.clone())).collect(),
        }
    }

    fn parent(&self, path: &str) -> Result<String, String> {
        if path.is_empty() { Ok(self.root.clone()) } else { known(&self.units, path, "unit") }
    }

    fn target(&self, target: &Target) -> Result<String, String> {
        match target {
            Target::Root => Ok(self.root.clone()),
            Target::Unit(path) => known(&self.units, path, "unit"),
            Target::Account(email) => known(&self.accounts, email, "account"),
        }
    }

    fn policy(&self, key: &PolicyName) -> Result<String, String> {
        self.policies.get(key).cloned().ok_or_else(|| format!("there is no {key}"))
    }
}

fn known(ids: &BTreeMap<String, String>, name: &str, what: &str) -> Result<String, String> {
    ids.get(name).cloned().ok_or_else(|| format!("there is no {what} {name}"))
}

fn perform(api: &Api, ids: &mut Ids, step: &Step) -> Result<(), String> {
    match step {
        Step::CreateOrganization => create_organization(api, ids)?,
        Step::EnablePolicyType(kind) => {
            let input =
                EnablePolicyTypeRequest { root_id: ids.root.clone(), policy_type: kind.clone() };
            api.call::<EnablePolicyTypeResponse>(&SERVICE, "EnablePolicyType", &input)?;
        }
        Step::CreatePolicy { key, description, content } => {
            let input = CreatePolicyRequest {
                content: content.clone(),
                description: description.clone(),
                name: key.name.clone(),
                r#type: key.kind.clone(),
                tags: None,
            };
            let made: CreatePolicyResponse = api.call(&SERVICE, "CreatePolicy", &input)?;
            let summary = made.policy.and_then(|policy| policy.policy_summary);
            let id = summary.and_then(|summary| summary.id).ok_or("the answer names no policy")?;
            ids.policies.insert(key.clone(), id);
        }
        Step::UpdatePolicy { key, description, content } => {
            let input = UpdatePolicyRequest {
                policy_id: ids.policy(key)?,
                name: None,
                description: description.clone(),
                content: content.clone(),
            };
            api.call::<UpdatePolicyResponse>(&SERVICE, "UpdatePolicy", &input)?;
        }
        Step::CreateUnit(path) => create_unit(api, ids, path)?,
        Step::CreateAccount { name, email } => create_account(api, ids, name, email)?,
        Step::MoveAccount { email, from, to } => {
            let input = MoveAccountRequest {
                account_id: known(&ids.accounts, email, "account")?,
                source_parent_id: ids.parent(from)?,
                destination_parent_id: ids.parent(to)?,
            };
            api.call::<Nothing>(&SERVICE, "MoveAccount", &input)?;
        }
        Step::Attach { key, target } => {
            let (policy_id, target_id) = (ids.policy(key)?, ids.target(target)?);
            let input = AttachPolicyRequest { policy_id, target_id };
            api.call::<Nothing>(&SERVICE, "AttachPolicy", &input)?;
        }
        Step::Detach { key, target } => {
            let (policy_id, target_id) = (ids.policy(key)?, ids.target(target)?);
            let input = DetachPolicyRequest { policy_id, target_id };
            api.call::<Nothing>(&SERVICE, "DetachPolicy", &input)?;
        }
        Step::DeletePolicy(key) => {
            let input = DeletePolicyRequest { policy_id: ids.policy(key)? };
            api.call::<Nothing>(&SERVICE, "DeletePolicy", &input)?;
        }
        Step::DeleteUnit(path) => {
            let organizational_unit_id = known(&ids.units, path, "unit")?;
            let input = DeleteOrganizationalUnitRequest { organizational_unit_id };
            api.call::<Nothing>(&SERVICE, "DeleteOrganizationalUnit", &input)?;
        }
    }
    Ok(())
}

/// The organization's root has an id, and AWS's policies are there, from then on.
fn create_organization(api: &Api, ids: &mut Ids) -> Result<(), String> {
    let input = CreateOrganizationRequest { feature_set: Some("ALL".to_owned()) };
    api.call::<CreateOrganizationResponse>(&SERVICE, "CreateOrganization", &input)?;
    let now = Ids::of(&survey(api)?);
    ids.root = now.root;
    ids.accounts.extend(now.accounts);
    ids.policies.extend(now.policies);
    let key = PolicyName { kind: super::tree::service_control(), name: FULL_ACCESS.to_owned() };
    ids.policies.entry(key).or_insert_with(|| "p-FullAWSAccess".to_owned());
    Ok(())
}

fn create_unit(api: &Api, ids: &mut Ids, path: &str) -> Result<(), String> {
    let input = CreateOrganizationalUnitRequest {
        parent_id: ids.parent(parent(path))?,
        name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        tags: None,
    };
    let made: CreateOrganizationalUnitResponse =
        api.call(&SERVICE, "CreateOrganizationalUnit", &input)?;
    let id = made.organizational_unit.and_then(|unit| unit.id).ok_or("the answer names no unit")?;
    ids.units.insert(path.to_owned(), id);
    Ok(())
}

/// Asks for an account and waits until it is made.
fn create_account(api: &Api, ids: &mut Ids, name: &str, email: &str) -> Result<(), String> {
    let input = CreateAccountRequest {
        email: email.to_owned(),
        account_name: name.to_owned(),
        ..CreateAccountRequest::default()
    };
    let asked: CreateAccountResponse = api.call(&SERVICE, "CreateAccount", &input)?;
    let mut status = asked.create_account_status.unwrap_or_default();
    for _ in 0..POLLS_MAX {
        let CreateAccountStatus { id, state, account_id, failure_reason, .. } = &status;
        match (state.as_deref(), account_id) {
            (Some("SUCCEEDED"), Some(account)) => {
                ids.accounts.insert(email.to_owned(), account.clone());
                return Ok(());
            }
            (Some("FAILED"), _) => return Err(failure_reason.clone().unwrap_or_default()),
            _ => std::thread::sleep(POLL),
        }
        let input = DescribeCreateAccountStatusRequest {
            create_account_request_id: id.clone().unwrap_or_default(),
        };
        let told: DescribeCreateAccountStatusResponse =
            api.call(&SERVICE, "DescribeCreateAccountStatus", &input)?;
        status = told.create_account_status.unwrap_or_default();
    }
    Err("the account is still not made".to_owned())
}
