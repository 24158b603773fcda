//! Which shares somebody sees: a share is found by the account, the organization or the unit that
//! it is for, in one table of the whole plane.

use super::arn;
use super::association::{self, Association};
use super::principal::{self, Principal};
use super::share::{self, SHARES, Share};
use crate::authorization::standing;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::ram::resource_share_association_type as kind;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A share that is for somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// An account, an organization or a unit.
    pub by: String,
    pub region: String,
    pub owner: String,
    pub share: String,
    /// The principal as the share names it.
    pub entity: String,
}

pub static RECEIVED: Table<Received> = Table::of_private(
    "ram/received",
    Scope::Plane,
    |row| format!("{}|{}|{}|{}|{}", row.by, row.region, row.owner, row.share, row.entity),
    |row| internal(format!("{} receives {} already", row.entity, row.share)),
    |key| internal(format!("{key} is not received")),
);

/// What the keys of an account's, organization's or unit's rows begin with.
pub fn prefix(by: &str) -> String {
    format!("{by}|")
}

fn row(cx: &Context, share: &Share, entity: &str, by: &str) -> Received {
    Received {
        by: by.to_owned(),
        region: cx.region().to_owned(),
        owner: cx.account().to_owned(),
        share: share.id.clone(),
        entity: entity.to_owned(),
    }
}

/// Notes a principal of a share of the account that is seen.
pub fn insert(cx: &mut Context, share: &Share, entity: &str, of: &Principal) -> Result<()> {
    let Some(by) = of.seen_by() else { return Ok(()) };
    let row = row(cx, share, entity, by);
    cx.put(&RECEIVED, &row)
}

/// Forgets it.
pub fn remove(cx: &mut Context, share: &Share, entity: &str, of: &Principal) -> Result<()> {
    let Some(by) = of.seen_by() else { return Ok(()) };
    let row = row(cx, share, entity, by);
    cx.delete(&RECEIVED, &(RECEIVED.key)(&row)).map(drop)
}

/// A share, and the account whose rows hold it.
pub struct Seen {
    pub owner: String,
    pub share: Share,
}

/// The account's own shares, or those of others that it is in; all, or those with these ARNs, of
/// which each must be among them.
pub fn seen(cx: &mut Context, own: bool, arns: Option<&[String]>) -> Result<Vec<Seen>> {
    let all = if own { of_own(cx)? } else { of_others(cx)? };
    let Some(arns) = arns.filter(|arns| !arns.is_empty()) else { return Ok(all) };
    let mut wanted = BTreeSet::new();
    for arn in arns {
        let named = arn::parse(arn, arn::SHARE)?;
        let is_it = |seen: &&Seen| seen.owner == named.account && seen.share.id == named.id;
        if named.region != cx.region() || !all.iter().any(|seen| is_it(&seen)) {
            return Err(share::unknown(arn));
        }
        wanted.insert((named.account, named.id));
    }
    let is_wanted = |seen: &Seen| wanted.contains(&(seen.owner.as_str(), seen.share.id.as_str()));
    Ok(all.into_iter().filter(is_wanted).collect())
}

fn of_own(cx: &Context) -> Result<Vec<Seen>> {
    let shares = cx.all(&SHARES, "")?;
    let owner = cx.account();
    Ok(shares.into_iter().map(|share| Seen { owner: owner.to_owned(), share }).collect())
}

/// What the account is found by: itself, its organization, and the units above it.
fn names(cx: &Context) -> Result<Vec<String>> {
    let account = cx.account().to_owned();
    let standing = standing(cx, &account)?;
    let path = standing.membership.as_ref().map(|place| place.path.as_str()).unwrap_or_default();
    let above = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
    Ok(std::iter::once(account.clone()).chain(above).collect())
}

fn of_others(cx: &mut Context) -> Result<Vec<Seen>> {
    let own = cx.account().to_owned();
    let mut places = BTreeSet::new();
    for name in names(cx)? {
        let prefix = format!("{name}|{}|", cx.region());
        for row in cx.all(&RECEIVED, &prefix)? {
            if row.owner == own {
                continue;
            }
            let key = association::key(&row.share, kind::PRINCIPAL, &row.entity);
            let found = cx.in_account(&row.owner, |cx| cx.get(&association::ASSOCIATIONS, &key))?;
            if found.is_some_and(|one| one.is_in_force()) {
                places.insert((row.owner, row.share));
            }
        }
    }
    let mut seen = Vec::new();
    for (owner, id) in places {
        let found = cx.in_account(&owner, |cx| cx.get(&SHARES, &id))?;
        if let Some(share) = found.filter(Share::is_standard) {
            seen.push(Seen { owner, share });
        }
    }
    Ok(seen)
}

/// The principals of a share by which the account itself is in it, and not its organization.
pub fn of_account(cx: &Context, share: &Share, account: &str) -> Result<Vec<Association>> {
    let all = association::of(cx, &share.id, kind::PRINCIPAL)?;
    let is_its = |one: &Association| {
        let known = principal::parse(&one.entity).ok();
        one.is_there() && known.as_ref().and_then(Principal::account) == Some(account)
    };
    Ok(all.into_iter().filter(is_its).collect())
}
