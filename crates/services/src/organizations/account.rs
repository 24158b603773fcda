//! The accounts of an organization: what is shown of them, where they are, and how they leave.

use super::node::{self, ACCOUNT_PLACES, NODES, Node};
use super::organization::{self, Organization};
use super::refusal::{constraint, invalid, no_account};
use super::{delegated_administrator, list, organizational_unit};
use crate::accounts::{self, ACCOUNTS, State};
use crate::context::Context;
use palisade_model::organizations::{
    Account, DESTINATION_PARENT_NOT_FOUND_EXCEPTION, DUPLICATE_ACCOUNT_EXCEPTION,
    DescribeAccountRequest, DescribeAccountResponse, ListAccountsForParentRequest,
    ListAccountsForParentResponse, ListAccountsRequest, ListAccountsResponse,
    MASTER_CANNOT_LEAVE_ORGANIZATION_EXCEPTION, MoveAccountRequest,
    RemoveAccountFromOrganizationRequest, SOURCE_PARENT_NOT_FOUND_EXCEPTION, account_state,
    account_status,
};
use palisade_shape::{Nothing, Result, Timestamp};

/// The node of an account of the organization.
pub fn load(cx: &Context, id: &str) -> Result<Node> {
    let found = node::find(cx, id)?.filter(|node| node.joined.is_some());
    found.ok_or_else(no_account)
}

/// The account as the API shows it.
pub fn shown(cx: &Context, organization: &Organization, node: &Node) -> Result<Account> {
    let account = cx.find(&ACCOUNTS, &node.id)?;
    let way = node::way_to(cx, &node.id)?;
    let (status, state) = match account.state {
        State::Active => (account_status::ACTIVE, account_state::ACTIVE),
        State::PendingClosure => (account_status::PENDING_CLOSURE, account_state::PENDING_CLOSURE),
        State::Suspended => (account_status::SUSPENDED, account_state::SUSPENDED),
        State::Closed => (account_status::SUSPENDED, account_state::CLOSED),
    };
    let joined = node.joined.as_ref();
    Ok(Account {
        id: Some(account.id),
        arn: Some(node.arn(organization)),
        email: Some(account.email),
        name: Some(account.name),
        status: Some(status.to_owned()),
        state: Some(state.to_owned()),
        paths: Some(vec![node::path(organization, &way)]),
        joined_method: joined.map(|joined| joined.method.clone()),
        joined_timestamp: joined.map(|joined| Timestamp::from_millis(joined.millis)),
    })
}

pub fn describe_account(
    cx: &mut Context,
    organization: &Organization,
    input: DescribeAccountRequest,
) -> Result<DescribeAccountResponse> {
    let node = load(cx, &input.account_id)?;
    Ok(DescribeAccountResponse { account: Some(shown(cx, organization, &node)?) })
}

/// Lists all accounts, by id.
pub fn list_accounts(
    cx: &mut Context,
    organization: &Organization,
    input: ListAccountsRequest,
) -> Result<ListAccountsResponse> {
    let ListAccountsRequest { next_token, max_results } = input;
    let page = list::page(cx, &NODES, "account/", (next_token, max_results), |cx, node| {
        shown(cx, organization, &node).map(Some)
    })?;
    Ok(ListAccountsResponse { accounts: Some(page.items), next_token: page.next })
}

/// Lists the accounts just below a root or unit.
pub fn list_accounts_for_parent(
    cx: &mut Context,
    organization: &Organization,
    input: ListAccountsForParentRequest,
) -> Result<ListAccountsForParentResponse> {
    let ListAccountsForParentRequest { parent_id, next_token, max_results } = input;
    let below = format!("{}/", organizational_unit::parent(cx, &parent_id)?.id);
    let page = list::page(cx, &ACCOUNT_PLACES, &below, (next_token, max_results), |cx, place| {
        let node = load(cx, &place.account)?;
        shown(cx, organization, &node).map(Some)
    })?;
    Ok(ListAccountsForParentResponse { accounts: Some(page.items), next_token: page.next })
}

/// Moves an account from one parent to another. What binds it there does so from the next call on.
pub fn move_account(
    cx: &mut Context,
    organization: &Organization,
    input: MoveAccountRequest,
) -> Result<Nothing> {
    let MoveAccountRequest { account_id, source_parent_id, destination_parent_id } = input;
    let mut node = load(cx, &account_id)?;
    organizational_unit::parent(cx, &source_parent_id).map_err(|_| {
        let text = "You specified a source parent that doesn't exist.";
        SOURCE_PARENT_NOT_FOUND_EXCEPTION.because(text)
    })?;
    let destination = organizational_unit::parent(cx, &destination_parent_id).map_err(|_| {
        let text = "You specified a destination parent that doesn't exist.";
        DESTINATION_PARENT_NOT_FOUND_EXCEPTION.because(text)
    })?;
    if node.parent.as_deref() == Some(destination.id.as_str()) {
        let text = "That account is already present in the specified destination.";
        return Err(DUPLICATE_ACCOUNT_EXCEPTION.because(text));
    }
    if node.parent.as_deref() != Some(source_parent_id.as_str()) {
        return Err(no_account());
    }
    node::unplace_account(cx, &node)?;
    node.parent = Some(destination.id);
    cx.put(&NODES, &node)?;
    node::place_account(cx, &node)?;
    cx.touch("AWS::Organizations::Account", node.arn(organization));
    Ok(Nothing)
}

/// Lets an account leave, by the management account's or by its own wish. Palisade knows no
/// payment instruments, so none is missing and nobody waits for one.
fn remove(cx: &mut Context, organization: &Organization, account: &str) -> Result<()> {
    if account == organization.management_account {
        let text = "You can't remove a management account from an organization. If you want the \
                    management account to become a member account in another organization, you \
                    must first delete the current organization of the management account.";
        return Err(MASTER_CANNOT_LEAVE_ORGANIZATION_EXCEPTION.because(text));
    }
    let node = load(cx, account)?;
    if delegated_administrator::is_any(cx, account)? {
        let text = "You cannot remove an account that is registered as a delegated administrator. \
                    Deregister it first.";
        return Err(constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", text));
    }
    organization::part(cx, account)?;
    cx.touch("AWS::Organizations::Account", node.arn(organization));
    cx.notes.shared_with.push(account.to_owned());
    Ok(())
}

pub fn remove_account_from_organization(
    cx: &mut Context,
    organization: &Organization,
    input: RemoveAccountFromOrganizationRequest,
) -> Result<Nothing> {
    remove(cx, organization, &input.account_id)?;
    Ok(Nothing)
}

/// Lets the caller's own account leave.
pub fn leave_organization(
    cx: &mut Context,
    organization: &Organization,
    _: Nothing,
) -> Result<Nothing> {
    let account = cx.caller.account.to_string();
    remove(cx, organization, &account)?;
    Ok(Nothing)
}

/// Refuses an account that is closed or about to be.
pub fn check_active(cx: &Context, id: &str) -> Result<()> {
    if accounts::is_active(cx, id)? {
        return Ok(());
    }
    Err(invalid("TARGET_NOT_SUPPORTED", "You can't perform this operation on a closed account."))
}
