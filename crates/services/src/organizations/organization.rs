//! An organization: made by the account that manages it, whose rows hold everything of it.

use super::membership::{self, MEMBERS, Member};
use super::node::{self, Joined, NODES, Node};
use super::refusal::constraint;
use super::{handshake, policy, policy_type, quota, resource_policy, responsibility_transfer};
use crate::accounts;
use crate::authorization::Requirement;
use crate::context::Context;
use crate::errors::internal;
use crate::iam::service_linked_role;
use crate::ram;
use crate::random;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    ALREADY_IN_ORGANIZATION_EXCEPTION, CreateOrganizationRequest, CreateOrganizationResponse,
    DescribeOrganizationResponse, ORGANIZATION_NOT_EMPTY_EXCEPTION, PolicyTypeSummary,
    account_joined_method, organization_feature_set, policy_type_status,
};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of an organization as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// `o-a1b2c3d4e5`
    pub id: String,
    pub management_account: String,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub feature_set: String,
    /// `r-ab12`
    pub root: String,
    pub created_millis: i64,
}

pub static ORGANIZATIONS: Table<Organization> = Table::of_private(
    "organizations/organization",
    Scope::Account,
    |organization| organization.id.clone(),
    |organization| internal(format!("organization {} is there already", organization.id)),
    |id| internal(format!("organization {id} is not there")),
);

/// The service that Organizations is, to IAM, whose role makes the roles of trusted services.
pub const PRINCIPAL: &str = "organizations.amazonaws.com";

impl Organization {
    /// `arn:aws:organizations::MANAGEMENT:kind/o-…/rest`
    pub fn arn_of(&self, kind: &str, rest: &str) -> String {
        format!("arn:aws:organizations::{}:{kind}/{}/{rest}", self.management_account, self.id)
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:organizations::{}:organization/{}", self.management_account, self.id)
    }

    pub fn has_all_features(&self) -> bool {
        self.feature_set == organization_feature_set::ALL
    }
}

fn shown(
    cx: &Context,
    organization: &Organization,
) -> Result<palisade_model::organizations::Organization> {
    let management = cx.find(&accounts::ACCOUNTS, &organization.management_account)?;
    let available = organization.has_all_features().then(|| PolicyTypeSummary {
        r#type: Some(policy_type::SCP.to_owned()),
        status: Some(policy_type_status::ENABLED.to_owned()),
    });
    Ok(palisade_model::organizations::Organization {
        id: Some(organization.id.clone()),
        arn: Some(organization.arn()),
        feature_set: Some(organization.feature_set.clone()),
        master_account_arn: Some(organization.arn_of("account", &management.id)),
        master_account_id: Some(management.id),
        master_account_email: Some(management.email),
        available_policy_types: Some(available.into_iter().collect()),
    })
}

/// Making the organization and, unless it is there, the role of Organizations.
pub fn create_requirements(
    cx: &mut Context,
    _: &CreateOrganizationRequest,
) -> Result<Vec<Requirement>> {
    let account = cx.account().to_owned();
    let mut requirements =
        vec![Requirement::new("organizations:CreateOrganization", "*", &account)];
    requirements.extend(service_linked_role::requirement(cx, PRINCIPAL)?);
    Ok(requirements)
}

/// Makes an organization whose management account is the caller's.
pub fn create_organization(
    cx: &mut Context,
    input: CreateOrganizationRequest,
) -> Result<CreateOrganizationResponse> {
    let account = cx.account().to_owned();
    if membership::of(cx, &account)?.is_some() {
        let text = "The provided account is already a member of an organization.";
        return Err(ALREADY_IN_ORGANIZATION_EXCEPTION.because(text));
    }
    let random = &*cx.plane.random;
    let organization = Organization {
        id: random::lower_id(random, "o-", 10),
        root: random::lower_id(random, "r-", 4),
        management_account: account,
        feature_set: input.feature_set.unwrap_or_else(|| organization_feature_set::ALL.to_owned()),
        created_millis: cx.now().millis(),
    };
    cx.insert(&ORGANIZATIONS, &organization)?;
    let root = Node {
        id: organization.root.clone(),
        name: "Root".to_owned(),
        parent: None,
        attached: BTreeMap::new(),
        tags: BTreeMap::new(),
        enabled: BTreeSet::new(),
        joined: None,
    };
    cx.insert(&NODES, &root)?;
    let management = organization.management_account.clone();
    join(cx, &organization, &management, account_joined_method::INVITED, BTreeMap::new())?;
    cx.touch("AWS::Organizations::Organization", organization.arn());
    Ok(CreateOrganizationResponse { organization: Some(shown(cx, &organization)?) })
}

/// Puts an account below the root, with what every account there is attached to. The context
/// stands in the management account; that there is room was checked.
pub fn join(
    cx: &mut Context,
    organization: &Organization,
    account: &str,
    method: &str,
    tags: BTreeMap<String, String>,
) -> Result<()> {
    let mut node = Node {
        id: account.to_owned(),
        name: String::new(),
        parent: Some(organization.root.clone()),
        attached: BTreeMap::new(),
        tags,
        enabled: BTreeSet::new(),
        joined: Some(Joined { method: method.to_owned(), millis: cx.now().millis() }),
    };
    policy_type::attach_defaults(cx, organization, &mut node)?;
    cx.insert(&NODES, &node)?;
    node::place_account(cx, &node)?;
    cx.insert(
        &MEMBERS,
        &Member {
            account: account.to_owned(),
            organization_id: organization.id.clone(),
            management_account: organization.management_account.clone(),
        },
    )?;
    quota::count(cx, quota::ACCOUNTS.name, 1)?;
    if organization.has_all_features() {
        cx.in_account(account, |cx| service_linked_role::ensure(cx, PRINCIPAL))?;
    }
    Ok(())
}

/// Takes an account out of the organization: what was attached to it, its tags and its place. The
/// context stands in the management account.
pub fn part(cx: &mut Context, account: &str) -> Result<()> {
    let node = node::target(cx, account)?;
    policy::detach_all(cx, &node)?;
    node::unplace_account(cx, &node)?;
    cx.delete(&NODES, &node::key(account))?;
    cx.delete(&MEMBERS, account)?;
    ram::departure::left(cx, account)?;
    quota::count(cx, quota::ACCOUNTS.name, -1)
}

/// Shows the organization that the caller's account is in.
pub fn describe_organization(
    cx: &mut Context,
    organization: &Organization,
    _: Nothing,
) -> Result<DescribeOrganizationResponse> {
    Ok(DescribeOrganizationResponse { organization: Some(shown(cx, organization)?) })
}

/// Deletes an organization that has no accounts but the one that manages it.
pub fn delete_organization(
    cx: &mut Context,
    organization: &Organization,
    _: Nothing,
) -> Result<Nothing> {
    if quota::used(cx, quota::ACCOUNTS.name)? > 1 {
        let text = "To delete an organization you must first remove all member accounts (except \
                    the master).";
        return Err(ORGANIZATION_NOT_EMPTY_EXCEPTION.because(text));
    }
    if !cx.scan(&NODES, "ou/", None, 1)?.is_empty() {
        let text = "To delete an organization you must first delete all organizational units.";
        return Err(ORGANIZATION_NOT_EMPTY_EXCEPTION.because(text));
    }
    if responsibility_transfer::is_any(cx, organization)? {
        return Err(constraint(
            "ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS",
            "You cannot delete organization due to an ongoing responsibility transfer process.",
        ));
    }
    policy::delete_all(cx)?;
    handshake::cancel_all(cx, organization)?;
    resource_policy::forget(cx)?;
    super::service_access::forget(cx)?;
    part(cx, &organization.management_account)?;
    let root = node::target(cx, &organization.root)?;
    policy::detach_all(cx, &root)?;
    cx.delete(&NODES, &node::key(&root.id))?;
    cx.delete(&ORGANIZATIONS, &organization.id)?;
    quota::forget(cx)?;
    cx.touch("AWS::Organizations::Organization", organization.arn());
    Ok(Nothing)
}
