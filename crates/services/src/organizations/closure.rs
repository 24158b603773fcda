//! Closing a member account: it is pending, then suspended for ninety days in which it can be
//! opened again, then closed for good and out of the organization.
//!
//! Source: Organizations API reference, CloseAccount; Account Management reference guide, "Close an
//! AWS account".

use super::organization::{self, Organization};
use super::refusal::{constraint, no_account};
use super::{access, account, delegated_administrator, quota, service_event};
use crate::accounts::{ACCOUNTS, State};
use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    ACCOUNT_ALREADY_CLOSED_EXCEPTION, CONFLICT_EXCEPTION, CloseAccountRequest,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

const DAY_SECONDS: i64 = 86_400;
/// How long a suspended account can be opened again.
const REOPEN_SECONDS: i64 = 90 * DAY_SECONDS;
/// Closures are counted over this time.
const COUNTED_SECONDS: i64 = 30 * DAY_SECONDS;
/// So many accounts may be closed in that time, or a fifth of all if that is more.
const CLOSURES_MOST: u64 = 250;

/// A closure that counts towards the quota.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closure {
    millis: i64,
    account: String,
}

static CLOSURES: Table<Closure> = Table::of_private(
    "organizations/closure",
    Scope::Account,
    |closure| format!("{:016}/{}", closure.millis, closure.account),
    |closure| internal(format!("account {} is closed already", closure.account)),
    |key| internal(format!("closure {key} is not there")),
);

/// Suspends an account that is pending closure; ninety days later it is closed for good. The job's
/// subject is the account; it runs in the management account.
pub static FINISH_CLOSURE: JobKind = JobKind {
    name: "organizations/finish-closure",
    principal: "organizations.amazonaws.com",
    run: finish,
};

/// Begins to close an account.
pub fn close_account(
    cx: &mut Context,
    organization: &Organization,
    input: CloseAccountRequest,
) -> Result<Nothing> {
    let id = input.account_id;
    if !organization.has_all_features() {
        return Err(super::refusal::not_all_features());
    }
    if id == organization.management_account {
        let text = "You attempted to close the management account. You must first remove or close \
                    all member accounts in the organization.";
        return Err(constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", text));
    }
    let node = account::load(cx, &id)?;
    let mut closing = cx.find(&ACCOUNTS, &id)?;
    match closing.state {
        State::Active => {}
        State::PendingClosure => {
            let text = "The request failed because it conflicts with the current state of the \
                        specified resource.";
            return Err(CONFLICT_EXCEPTION.because(text));
        }
        State::Suspended | State::Closed => {
            let text = "The provided account is already closed.";
            return Err(ACCOUNT_ALREADY_CLOSED_EXCEPTION.because(text));
        }
    }
    count_closure(cx, &id)?;
    closing.state = State::PendingClosure;
    closing.closed_millis = Some(cx.now().millis());
    cx.put(&ACCOUNTS, &closing)?;
    cx.later(&FINISH_CLOSURE, cx.now(), &id)?;
    cx.touch("AWS::Organizations::Account", node.arn(organization));
    cx.notes.shared_with.push(id);
    Ok(Nothing)
}

/// Counts a closure, or refuses one too many in thirty days.
fn count_closure(cx: &mut Context, account: &str) -> Result<()> {
    let most = CLOSURES_MOST.max(quota::used(cx, quota::ACCOUNTS.name)? / 5);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let since = cx.now().plus_seconds(-COUNTED_SECONDS).millis();
    let after = format!("{:016}/", since.max(0));
    if cx.scan(&CLOSURES, "", Some(&after), most)?.len() >= most {
        let text = "You have exceeded close account quota for the past 30 days.";
        return Err(constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED", text));
    }
    cx.put(&CLOSURES, &Closure { millis: cx.now().millis(), account: account.to_owned() })
}

fn finish(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut closing) = cx.get(&ACCOUNTS, subject)? else { return Ok(Next::Done) };
    let Some(begun) = closing.closed_millis else { return Ok(Next::Done) };
    let gone = Timestamp::from_millis(begun).plus_seconds(REOPEN_SECONDS);
    match closing.state {
        State::PendingClosure => {
            closing.state = State::Suspended;
            cx.put(&ACCOUNTS, &closing)?;
            service_event::account_closed(cx, subject, begun)?;
            Ok(Next::Again(gone))
        }
        State::Suspended if cx.now() < gone => Ok(Next::Again(gone)),
        State::Suspended => {
            closing.state = State::Closed;
            cx.put(&ACCOUNTS, &closing)?;
            leave(cx, subject)?;
            Ok(Next::Done)
        }
        State::Active | State::Closed => Ok(Next::Done),
    }
}

/// What is closed for good is in no organization any more.
fn leave(cx: &mut Context, account: &str) -> Result<()> {
    let Some(organization) = access::organization_of(cx, account)? else { return Ok(()) };
    let management = organization.management_account.clone();
    cx.in_account(&management, |cx| {
        delegated_administrator::forget(cx, account)?;
        organization::part(cx, account)
    })
}

/// Opens a suspended account again, as AWS's support does on request. The operator's call.
///
/// Fails where there is no such account or it is not suspended.
pub fn reopen(cx: &mut Context, id: &str) -> Result<()> {
    let mut closed = cx.get(&ACCOUNTS, id)?.ok_or_else(no_account)?;
    if closed.state != State::Suspended {
        let text = "Only a suspended account can be opened again.";
        return Err(CONFLICT_EXCEPTION.because(text));
    }
    closed.state = State::Active;
    closed.closed_millis = None;
    cx.put(&ACCOUNTS, &closed)
}
