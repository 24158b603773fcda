//! What follows a change of a share: associations come into force, what ended is shown for a while
//! and forgotten.
//!
//! Source: RAM User Guide, "Deleting a resource share": a deleted share is visible for up to two
//! hours.

use super::association::{self, ASSOCIATIONS};
use super::share::{self, PLACES, SHARES, Share};
use super::{departure, resource_policy};
use crate::context::Context;
use crate::job::{JobKind, Next};
use palisade_model::ram::{
    resource_share_association_status as status, resource_share_association_type as kind,
    resource_share_status,
};
use palisade_shape::{Result, Timestamp};

/// How long what ended can be seen.
pub const SHOWN_SECONDS: i64 = 7_200;

/// Settles a share. The job's subject is the share; it runs in its account and region.
pub static SETTLE: JobKind =
    JobKind { name: "ram/settle-share", principal: "ram.amazonaws.com", run: settle };

/// Lets the share be settled once the call commits.
pub fn soon(cx: &mut Context, share: &Share) -> Result<()> {
    cx.later(&SETTLE, cx.now(), &share.id)
}

fn settle(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut share) = cx.get(&SHARES, subject)? else { return Ok(Next::Done) };
    settle_associations(cx, &share)?;
    if share.status == resource_share_status::DELETING {
        share.status = resource_share_status::DELETED.to_owned();
        share::store(cx, &share)?;
        share = cx.find(&SHARES, subject)?;
    }
    let mut next = forget_associations(cx, &share)?;
    if share.status == resource_share_status::DELETED {
        let gone = Timestamp::from_millis(share.updated_millis).plus_seconds(SHOWN_SECONDS);
        if gone <= cx.now() {
            let place = format!("{}|{}", cx.region(), share.id);
            cx.delete(&PLACES, &place)?;
            cx.delete(&SHARES, &share.id)?;
        } else {
            next = Some(next.map_or(gone, |next| next.min(gone)));
        }
    }
    Ok(next.map_or(Next::Done, Next::Again))
}

fn settle_associations(cx: &mut Context, share: &Share) -> Result<()> {
    let mut changed = false;
    for mut one in association::all(cx, &share.id)? {
        match one.status.as_str() {
            status::ASSOCIATING if !one.waits => one.set(cx, status::ASSOCIATED)?,
            status::DISASSOCIATING => one.set(cx, status::DISASSOCIATED)?,
            _ => continue,
        }
        changed = true;
    }
    if changed { refresh(cx, share) } else { Ok(()) }
}

/// Writes the policies of all resources of a share anew.
pub fn refresh(cx: &mut Context, share: &Share) -> Result<()> {
    for one in association::of(cx, &share.id, kind::RESOURCE)? {
        resource_policy::refresh(cx, &one.entity)?;
    }
    Ok(())
}

/// Forgets associations that ended long enough ago; when the next one's time comes.
fn forget_associations(cx: &mut Context, share: &Share) -> Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    for one in association::all(cx, &share.id)? {
        if one.status != status::DISASSOCIATED {
            continue;
        }
        let gone = Timestamp::from_millis(one.updated_millis).plus_seconds(SHOWN_SECONDS);
        if gone <= cx.now() {
            cx.delete(&ASSOCIATIONS, &(ASSOCIATIONS.key)(&one))?;
        } else {
            next = Some(next.map_or(gone, |next| next.min(gone)));
        }
    }
    Ok(next)
}

/// Ends those associations of a share that the organization of its owner gave, and lets it settle:
/// `gone` tells which. For who leaves; the region may be another than the call's.
pub fn end_where(
    cx: &mut Context,
    place: &departure::Place,
    gone: impl Fn(&association::Association) -> bool,
) -> Result<()> {
    let departure::Place { region, owner, share } = place;
    let request = crate::context::Request { region: region.clone(), ..cx.request.clone() };
    cx.as_request(&request, |cx| {
        cx.in_account(owner, |cx| {
            let Some(share) = cx.get(&SHARES, share)? else { return Ok(()) };
            let mut ended = false;
            for one in association::of(cx, &share.id, kind::PRINCIPAL)? {
                if one.is_there() && gone(&one) {
                    association::end(cx, &share, one)?;
                    ended = true;
                }
            }
            if ended {
                refresh(cx, &share)?;
                soon(cx, &share)?;
            }
            Ok(())
        })
    })
}
