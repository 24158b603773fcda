//! The organization as it is.

use super::tree::{self, FORMAT, Tree};
use super::{PolicyName, Target};
use crate::api::{Api, ApiError};
use palisade_model::organizations::{
    DescribeOrganizationResponse, DescribePolicyRequest, DescribePolicyResponse,
    ListAccountsForParentRequest, ListAccountsForParentResponse,
    ListOrganizationalUnitsForParentRequest, ListOrganizationalUnitsForParentResponse,
    ListPoliciesRequest, ListPoliciesResponse, ListRootsRequest, ListRootsResponse,
    ListTargetsForPolicyRequest, ListTargetsForPolicyResponse, PolicySummary, SERVICE,
};
use palisade_shape::{Named, Nothing, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// AWS's own policy that allows everything, by its name.
pub const FULL_ACCESS: &str = "FullAWSAccess";

/// What there is, by the names that the file uses.
#[derive(Clone, Default)]
pub struct Survey {
    /// Whether there is an organization at all.
    pub exists: bool,
    pub root_id: String,
    pub enabled_types: BTreeSet<String>,
    /// The ids of units, by path.
    pub units: BTreeMap<String, String>,
    pub accounts: Vec<Account>,
    pub policies: BTreeMap<PolicyName, Policy>,
}

#[derive(Clone)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub email: String,
    /// The path of its unit; empty for the root.
    pub unit: String,
}

#[derive(Clone)]
pub struct Policy {
    pub id: String,
    pub description: String,
    pub content: String,
    /// AWS's own.
    pub managed: bool,
    pub targets: BTreeSet<Target>,
}

/// Reads the whole organization.
pub fn survey(api: &Api) -> Result<Survey, String> {
    let described: Result<DescribeOrganizationResponse, ApiError> =
        api.call(&SERVICE, "DescribeOrganization", &Nothing);
    match described {
        Ok(_) => {}
        Err(ApiError::Refused { code, .. }) if code == "AWSOrganizationsNotInUseException" => {
            return Ok(Survey::default());
        }
        Err(error) => return Err(error.to_string()),
    }
    let roots: ListRootsResponse = api.call(&SERVICE, "ListRoots", &ListRootsRequest::default())?;
    let root = roots.roots.unwrap_or_default().into_iter().next();
    let root = root.ok_or("the organization has no root")?;
    let enabled = root.policy_types.unwrap_or_default().into_iter();
    let enabled = enabled.filter(|kind| kind.status.as_deref() == Some("ENABLED"));
    let mut found = Survey {
        exists: true,
        root_id: root.id.unwrap_or_default(),
        enabled_types: enabled.filter_map(|kind| kind.r#type).collect(),
        ..Survey::default()
    };
    read_below(api, &mut found)?;
    read_policies(api, &mut found)?;
    Ok(found)
}

/// Units and accounts, from the root down.
fn read_below(api: &Api, found: &mut Survey) -> Result<(), String> {
    let mut open = vec![(String::new(), found.root_id.clone())];
    while let Some((path, id)) = open.pop() {
        let accounts = pages(
            api,
            "ListAccountsForParent",
            |next_token| ListAccountsForParentRequest {
                parent_id: id.clone(),
                next_token,
                max_results: None,
            },
            |page: ListAccountsForParentResponse| (page.accounts, page.next_token),
        )?;
        found.accounts.extend(accounts.into_iter().map(|account| Account {
            id: account.id.unwrap_or_default(),
            name: account.name.unwrap_or_default(),
            email: account.email.unwrap_or_default().to_lowercase(),
            unit: path.clone(),
        }));
        let request = |next_token| ListOrganizationalUnitsForParentRequest {
            parent_id: id.clone(),
            next_token,
            max_results: None,
        };
        let list = |page: ListOrganizationalUnitsForParentResponse| {
            (page.organizational_units, page.next_token)
        };
        for unit in pages(api, "ListOrganizationalUnitsForParent", request, list)? {
            let (name, id) = (unit.name.unwrap_or_default(), unit.id.unwrap_or_default());
            if name.contains('/') {
                return Err(format!("unit {id} has a / in its name `{name}`: no path names it"));
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            found.units.insert(path.clone(), id.clone());
            open.push((path, id));
        }
    }
    found.accounts.sort_by(|one, other| one.email.cmp(&other.email));
    Ok(())
}

/// The policies of all enabled types, with their documents and what they are attached to.
fn read_policies(api: &Api, found: &mut Survey) -> Result<(), String> {
    let names = targets_by_id(found);
    let mut policies = BTreeMap::new();
    for kind in &found.enabled_types {
        let request = |next_token| ListPoliciesRequest {
            filter: kind.clone(),
            next_token,
            max_results: None,
        };
        let list = |page: ListPoliciesResponse| (page.policies, page.next_token);
        for summary in pages(api, "ListPolicies", request, list)? {
            let PolicySummary { id, name, description, aws_managed, .. } = summary;
            let id = id.unwrap_or_default();
            let input = DescribePolicyRequest { policy_id: id.clone() };
            let described: DescribePolicyResponse = api.call(&SERVICE, "DescribePolicy", &input)?;
            let request = |next_token| ListTargetsForPolicyRequest {
                policy_id: id.clone(),
                next_token,
                max_results: None,
            };
            let list = |page: ListTargetsForPolicyResponse| (page.targets, page.next_token);
            let targets = pages(api, "ListTargetsForPolicy", request, list)?;
            let target = |id: Option<String>| names.get(&id?).cloned();
            let policy = Policy {
                description: description.unwrap_or_default(),
                content: described.policy.and_then(|policy| policy.content).unwrap_or_default(),
                managed: aws_managed.unwrap_or_default(),
                targets: targets.into_iter().filter_map(|it| target(it.target_id)).collect(),
                id,
            };
            let key = PolicyName { kind: kind.clone(), name: name.unwrap_or_default() };
            policies.insert(key, policy);
        }
    }
    found.policies = policies;
    Ok(())
}

fn targets_by_id(found: &Survey) -> BTreeMap<String, Target> {
    let units = found.units.iter().map(|(path, id)| (id.clone(), Target::Unit(path.clone())));
    let accounts = found.accounts.iter();
    let accounts =
        accounts.map(|account| (account.id.clone(), Target::Account(account.email.clone())));
    let root = [(found.root_id.clone(), Target::Root)];
    root.into_iter().chain(units).chain(accounts).collect()
}

/// All pages of a list.
fn pages<I: Shape, O: Named, T>(
    api: &Api,
    operation: &str,
    request: impl Fn(Option<String>) -> I,
    list: impl Fn(O) -> (Option<Vec<T>>, Option<String>),
) -> Result<Vec<T>, String> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page: O = api.call(&SERVICE, operation, &request(token))?;
        let (items, next) = list(page);
        all.extend(items.unwrap_or_default());
        if next.is_none() {
            return Ok(all);
        }
        token = next;
    }
}

impl Survey {
    /// The file that describes it.
    pub fn tree(&self) -> Tree {
        let own = self.policies.iter().filter(|(_, policy)| !policy.managed);
        let policies = own.map(|(key, policy)| tree::Policy {
            name: key.name.clone(),
            kind: key.kind.clone(),
            description: policy.description.clone(),
            content: Some(pretty(&policy.content)),
            file: None,
        });
        let unit = |path: &String| {
            let tree::Attachments { policies, full_access } =
                self.attachments(&Target::Unit(path.clone()));
            tree::Unit { path: path.clone(), policies, full_access }
        };
        let account = |account: &Account| {
            let tree::Attachments { policies, full_access } =
                self.attachments(&Target::Account(account.email.clone()));
            tree::Account {
                name: account.name.clone(),
                email: account.email.clone(),
                unit: account.unit.clone(),
                policies,
                full_access,
            }
        };
        Tree {
            format: FORMAT.to_owned(),
            root: self.attachments(&Target::Root),
            policies: policies.collect(),
            units: self.units.keys().map(unit).collect(),
            accounts: self.accounts.iter().map(account).collect(),
        }
    }

    fn attachments(&self, target: &Target) -> tree::Attachments {
        let attached = self.policies.iter().filter(|(_, policy)| policy.targets.contains(target));
        let (managed, own): (Vec<_>, Vec<_>) = attached.partition(|(_, policy)| policy.managed);
        let usual = tree::service_control();
        let limited = self.enabled_types.contains(&usual)
            && !managed.iter().any(|(key, _)| key.name == FULL_ACCESS);
        let shown = |key: &PolicyName| {
            let named_alike = self.policies.keys().filter(|other| other.name == key.name).count();
            if named_alike > 1 { format!("{}:{}", key.kind, key.name) } else { key.name.clone() }
        };
        tree::Attachments {
            policies: Some(own.into_iter().map(|(key, _)| shown(key)).collect()),
            full_access: limited.then_some(false),
        }
    }
}

/// A document as a person would write it; as it is where it is no JSON.
fn pretty(content: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(content);
    let text = parsed.and_then(|document| serde_json::to_string_pretty(&document));
    text.map_or_else(|_| content.to_owned(), |text| text + "\n")
}
