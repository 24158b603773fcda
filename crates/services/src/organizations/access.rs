//! Who may call what: the management account, a delegated administrator, any member.
//!
//! A delegated administrator of any service may read. What else a member account may do the
//! organization's resource policy says, which the authorize stage has asked by then
//! ([`super::requirements`]): here it is enough that there is one.
//!
//! Source: Organizations API reference, "You can only call this operation from …" of each
//! operation; User Guide, "Delegated administrator for AWS Organizations".

use super::delegated_administrator;
use super::organization::{ORGANIZATIONS, Organization};
use super::refusal::{denied, not_in_use};
use super::{membership, resource_policy};
use crate::context::Context;
use crate::service::{Handler, Input, typed};
use palisade_shape::{Named, Result, Shape, Structure};

/// Whose call an operation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Management,
    /// The management account, or a member whom the resource policy lets.
    Manager,
    /// The same, or a delegated administrator of a service.
    Reader,
    /// Any account of the organization.
    Member,
}

/// How the caller's account comes to manage the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Management,
    /// It administers a service for the organization.
    Delegate,
    /// There is a resource policy, which decides.
    ByPolicy,
    Member,
}

/// How an account of the organization stands to it. `reading` tells an operation that a delegated
/// administrator may call.
pub fn standing(
    cx: &mut Context,
    organization: &Organization,
    account: &str,
    reading: bool,
) -> Result<Standing> {
    if account == organization.management_account {
        return Ok(Standing::Management);
    }
    cx.in_account(&organization.management_account, |cx| {
        if reading && delegated_administrator::is_any(cx, account)? {
            return Ok(Standing::Delegate);
        }
        let by_policy = resource_policy::stored(cx)?.is_some();
        Ok(if by_policy { Standing::ByPolicy } else { Standing::Member })
    })
}

/// The organization of an account; none if it is in none.
pub fn organization_of(cx: &mut Context, account: &str) -> Result<Option<Organization>> {
    let Some(member) = membership::of(cx, account)? else { return Ok(None) };
    let id = member.organization_id;
    cx.in_account(&member.management_account, |cx| cx.find(&ORGANIZATIONS, &id)).map(Some)
}

/// The organization of the caller, whose account may call what is for `who`.
pub fn enter(cx: &mut Context, who: Who) -> Result<Organization> {
    let account = cx.caller.account.to_string();
    let organization = organization_of(cx, &account)?.ok_or_else(not_in_use)?;
    let standing = standing(cx, &organization, &account, who == Who::Reader)?;
    let may = match who {
        Who::Member => true,
        Who::Management => standing == Standing::Management,
        Who::Manager | Who::Reader => standing != Standing::Member,
    };
    if may { Ok(organization) } else { Err(denied()) }
}

/// A handler that runs in the rows of the caller's organization, after [`enter`].
pub struct Gated<I, O>(pub Who, pub fn(&mut Context, &Organization, I) -> Result<O>);

impl<I: Named + Clone + Sync, O: Named> Handler for Gated<I, O> {
    fn new_input(&self) -> Box<dyn Input> {
        Box::new(I::default())
    }

    fn call(&self, cx: &mut Context, input: &dyn Input) -> Result<Box<dyn Shape + Send>> {
        let input = typed::<I>(input)?.clone();
        let organization = enter(cx, self.0)?;
        let management = organization.management_account.clone();
        let output = cx.in_account(&management, |cx| (self.1)(cx, &organization, input))?;
        Ok(Box::new(output))
    }

    fn structures(&self) -> (&'static Structure, &'static Structure) {
        (I::STRUCTURE, O::STRUCTURE)
    }
}
