//! Member accounts that administer an AWS service for the whole organization.

use super::node::Node;
use super::organization::Organization;
use super::refusal::constraint;
use super::{account, list, service_access};
use crate::accounts;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    ACCOUNT_ALREADY_REGISTERED_EXCEPTION, ACCOUNT_NOT_REGISTERED_EXCEPTION, DelegatedAdministrator,
    DelegatedService, DeregisterDelegatedAdministratorRequest, ListDelegatedAdministratorsRequest,
    ListDelegatedAdministratorsResponse, ListDelegatedServicesForAccountRequest,
    ListDelegatedServicesForAccountResponse, RegisterDelegatedAdministratorRequest,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Accounts that may administer one service at a time.
const MOST_FOR_A_SERVICE: usize = 3;
/// Services that take one administrator only.
const ALONE: [&str; 4] = [
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "securityhub.amazonaws.com",
    "sso.amazonaws.com",
];

/// A delegation: `ACCOUNT/SERVICE`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegation {
    account: String,
    service: String,
    since_millis: i64,
}

static DELEGATIONS: Table<Delegation> = Table::of_private(
    "organizations/delegation",
    Scope::Account,
    |row| format!("{}/{}", row.account, row.service),
    |_| {
        let text =
            "The provided account is already a delegated administrator for your organization.";
        ACCOUNT_ALREADY_REGISTERED_EXCEPTION.because(text)
    },
    |key| internal(format!("delegation {key} is not there")),
);

/// Whether the account administers a service. The context stands in the management account.
pub fn is_any(cx: &Context, account: &str) -> Result<bool> {
    Ok(!cx.scan(&DELEGATIONS, &format!("{account}/"), None, 1)?.is_empty())
}

/// Whether the account administers that service. The context stands in the management account.
pub fn administers(cx: &Context, account: &str, service: &str) -> Result<bool> {
    cx.exists(&DELEGATIONS, &format!("{account}/{service}"))
}

fn not_registered() -> Error {
    let text = "The provided account is not a registered delegated administrator for your \
                organization.";
    ACCOUNT_NOT_REGISTERED_EXCEPTION.because(text)
}

/// The member account that a call is about: it may be any but the management account.
fn member(
    cx: &mut Context,
    organization: &Organization,
    account_id: &str,
    service_principal: &str,
) -> Result<Node> {
    service_access::check_principal(service_principal)?;
    if account_id == organization.management_account {
        let text = "You cannot register master account/yourself as delegated administrator for \
                    your organization.";
        return Err(constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", text));
    }
    account::load(cx, account_id)
}

/// Makes a member account the administrator of a service that has access to the organization.
pub fn register_delegated_administrator(
    cx: &mut Context,
    organization: &Organization,
    input: RegisterDelegatedAdministratorRequest,
) -> Result<Nothing> {
    let RegisterDelegatedAdministratorRequest { account_id, service_principal } = input;
    if !organization.has_all_features() {
        return Err(super::refusal::not_all_features());
    }
    let node = member(cx, organization, &account_id, &service_principal)?;
    if !accounts::is_active(cx, &account_id)? {
        let text = "You cannot register a suspended account as a delegated administrator.";
        let reason = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
        return Err(constraint(reason, text));
    }
    if !service_access::is_enabled(cx, &service_principal)? {
        let text = "You attempted to register a delegated administrator before you enabled \
                    service access. Call the EnableAWSServiceAccess API first.";
        return Err(constraint("SERVICE_ACCESS_NOT_ENABLED", text));
    }
    let row = Delegation {
        account: account_id.clone(),
        service: service_principal,
        since_millis: cx.now().millis(),
    };
    if cx.exists(&DELEGATIONS, &(DELEGATIONS.key)(&row))? {
        return Err((DELEGATIONS.taken)(&row));
    }
    check_room(cx, &row.service)?;
    cx.put(&DELEGATIONS, &row)?;
    cx.touch("AWS::Organizations::Account", node.arn(organization));
    cx.notes.shared_with.push(account_id);
    Ok(Nothing)
}

fn check_room(cx: &Context, service: &str) -> Result<()> {
    let all = cx.all(&DELEGATIONS, "")?;
    let registered = all.iter().filter(|row| row.service == service).count();
    if registered > 0 && ALONE.contains(&service) {
        let text = "You attempted to register an account as a delegated administrator for a \
                    service that already has one.";
        return Err(constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", text));
    }
    if registered >= MOST_FOR_A_SERVICE {
        let text = "You attempted to register more delegated administrators than allowed for the \
                    service principal.";
        let reason = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED";
        return Err(constraint(reason, text));
    }
    Ok(())
}

pub fn deregister_delegated_administrator(
    cx: &mut Context,
    organization: &Organization,
    input: DeregisterDelegatedAdministratorRequest,
) -> Result<Nothing> {
    let DeregisterDelegatedAdministratorRequest { account_id, service_principal } = input;
    let node = member(cx, organization, &account_id, &service_principal)?;
    if !cx.delete(&DELEGATIONS, &format!("{account_id}/{service_principal}"))? {
        return Err(not_registered());
    }
    cx.touch("AWS::Organizations::Account", node.arn(organization));
    cx.notes.shared_with.push(account_id);
    Ok(Nothing)
}

/// Lists the accounts that administer a service, or the one that is named.
pub fn list_delegated_administrators(
    cx: &mut Context,
    organization: &Organization,
    input: ListDelegatedAdministratorsRequest,
) -> Result<ListDelegatedAdministratorsResponse> {
    let ListDelegatedAdministratorsRequest { service_principal, next_token, max_results } = input;
    if let Some(service) = &service_principal {
        service_access::check_principal(service)?;
    }
    let mut earliest: Vec<Delegation> = Vec::new();
    for row in cx.all(&DELEGATIONS, "")? {
        if service_principal.as_ref().is_some_and(|service| *service != row.service) {
            continue;
        }
        match earliest.last_mut().filter(|known| known.account == row.account) {
            Some(known) => known.since_millis = known.since_millis.min(row.since_millis),
            None => earliest.push(row),
        }
    }
    let page = list::of_items(earliest, (next_token, max_results))?;
    let mut administrators = Vec::new();
    for row in page.items {
        let node = account::load(cx, &row.account)?;
        let shown = account::shown(cx, organization, &node)?;
        administrators.push(DelegatedAdministrator {
            id: shown.id,
            arn: shown.arn,
            email: shown.email,
            name: shown.name,
            status: shown.status,
            state: shown.state,
            joined_method: shown.joined_method,
            joined_timestamp: shown.joined_timestamp,
            delegation_enabled_date: Some(Timestamp::from_millis(row.since_millis)),
        });
    }
    Ok(ListDelegatedAdministratorsResponse {
        delegated_administrators: Some(administrators),
        next_token: page.next,
    })
}

/// Lists the services that an account administers.
pub fn list_delegated_services_for_account(
    cx: &mut Context,
    _organization: &Organization,
    input: ListDelegatedServicesForAccountRequest,
) -> Result<ListDelegatedServicesForAccountResponse> {
    let ListDelegatedServicesForAccountRequest { account_id, next_token, max_results } = input;
    account::load(cx, &account_id)?;
    if !is_any(cx, &account_id)? {
        return Err(not_registered());
    }
    let of = format!("{account_id}/");
    let page = list::page(cx, &DELEGATIONS, &of, (next_token, max_results), |_, row| {
        Ok(Some(DelegatedService {
            service_principal: Some(row.service),
            delegation_enabled_date: Some(Timestamp::from_millis(row.since_millis)),
        }))
    })?;
    Ok(ListDelegatedServicesForAccountResponse {
        delegated_services: Some(page.items),
        next_token: page.next,
    })
}

/// Ends all delegations to an account.
pub fn forget(cx: &mut Context, account: &str) -> Result<()> {
    forget_those(cx, |row| row.account == account)
}

/// Ends all delegations of a service.
pub fn forget_service(cx: &mut Context, service: &str) -> Result<()> {
    forget_those(cx, |row| row.service == service)
}

fn forget_those(cx: &mut Context, which: impl Fn(&Delegation) -> bool) -> Result<()> {
    for row in cx.all(&DELEGATIONS, "")?.into_iter().filter(which) {
        cx.delete(&DELEGATIONS, &(DELEGATIONS.key)(&row))?;
    }
    Ok(())
}
