//! What ends with an organization: principals that were in a share because they are in the owner's
//! organization lose it when either leaves, and when the organization stops to share. All of it in
//! the transaction of that change, so that no call is decided by what is over.
//!
//! Source: RAM User Guide, "Disabling resource sharing with AWS Organizations", "Accepting and
//! rejecting resource share invitations".

use super::association::Association;
use super::principal::{self, Principal};
use super::received::{self, RECEIVED};
use super::settle;
use super::share::{PLACES, SHARES};
use crate::context::{Context, Request};
use crate::organizations::node::{NODES, Node};
use palisade_shape::Result;

/// Where a share is.
pub struct Place {
    pub region: String,
    pub owner: String,
    pub share: String,
}

/// Whether the principal is in a share by the owner's organization and by nothing else.
fn is_by_organization(one: &Association, owner: &str) -> bool {
    if one.invited {
        return false;
    }
    match principal::parse(&one.entity) {
        Ok(Principal::Account(account) | Principal::Iam { account }) => account != owner,
        Ok(Principal::Organization(_) | Principal::Unit(..)) => true,
        Ok(Principal::Service) | Err(_) => false,
    }
}

/// An account has left its organization.
pub fn left(cx: &mut Context, account: &str) -> Result<()> {
    for row in cx.all(&RECEIVED, &received::prefix(account))? {
        let place = Place { region: row.region, owner: row.owner, share: row.share };
        if !retains(cx, &place)? {
            let owner = place.owner.clone();
            settle::end_where(cx, &place, |one| {
                let it = principal::parse(&one.entity).ok();
                let of_account = it.as_ref().and_then(Principal::account) == Some(account);
                of_account && is_by_organization(one, &owner)
            })?;
        }
    }
    end_of_owner(cx, account)
}

/// Ends what the account's own shares give to others by the organization.
fn end_of_owner(cx: &mut Context, owner: &str) -> Result<()> {
    let places = cx.in_account(owner, |cx| cx.all(&PLACES, ""))?;
    for place in places {
        let place = Place { region: place.region, owner: owner.to_owned(), share: place.share };
        settle::end_where(cx, &place, |one| is_by_organization(one, owner))?;
    }
    Ok(())
}

fn retains(cx: &mut Context, place: &Place) -> Result<bool> {
    let request = Request { region: place.region.clone(), ..cx.request.clone() };
    let found = cx.as_request(&request, |cx| {
        cx.in_account(&place.owner, |cx| cx.get(&SHARES, &place.share))
    })?;
    Ok(found.is_some_and(|share| share.retains))
}

/// The organization shares no longer. The context stands in the management account.
pub fn disabled(cx: &mut Context) -> Result<()> {
    let accounts: Vec<Node> = cx.all(&NODES, "account/")?;
    for account in accounts {
        end_of_owner(cx, &account.id)?;
    }
    Ok(())
}
