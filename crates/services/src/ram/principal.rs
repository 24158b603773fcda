//! Whom a share is for: how a principal is written, and how it stands to the share's owner.
//!
//! Source: RAM API reference, CreateResourceShare `principals`; RAM User Guide, "Accepting and
//! rejecting resource share invitations".

use super::sharing;
use crate::context::Context;
use crate::organizations::{access, membership, node};
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, OPERATION_NOT_PERMITTED_EXCEPTION, UNKNOWN_RESOURCE_EXCEPTION,
};
use palisade_policy::arn::Arn;
use palisade_shape::{Error, Result};

/// A principal, by what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    Account(String),
    /// A role or user, by its ARN, and its account.
    Iam {
        account: String,
    },
    /// `o-…`
    Organization(String),
    /// `o-…` and `ou-…`
    Unit(String, String),
    /// `service-id.amazonaws.com`
    Service,
}

pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn malformed(text: &str) -> Error {
    INVALID_PARAMETER_EXCEPTION
        .because(format!("Principal ID {text} is malformed. Verify the ID and try again."))
}

/// Reads a principal.
pub fn parse(text: &str) -> Result<Principal> {
    if is_account(text) {
        return Ok(Principal::Account(text.to_owned()));
    }
    let service = text.strip_suffix(".amazonaws.com");
    if service.is_some_and(|name| !name.is_empty() && name.bytes().all(is_of_service)) {
        return Ok(Principal::Service);
    }
    let arn = Arn::parse(text).filter(|arn| arn.partition == "aws" && !text.contains(['|', '*']));
    let (arn, (kind, rest)) = arn
        .and_then(|arn| Some((arn, arn.resource.split_once('/')?)))
        .ok_or_else(|| malformed(text))?;
    let of_account = is_account(arn.account) && arn.region.is_empty() && !rest.is_empty();
    match (arn.service, kind, rest.split_once('/')) {
        ("iam", "role" | "user", _) if of_account => {
            Ok(Principal::Iam { account: arn.account.to_owned() })
        }
        ("organizations", "organization", None) if of_account && rest.starts_with("o-") => {
            Ok(Principal::Organization(rest.to_owned()))
        }
        ("organizations", "ou", Some((of, unit)))
            if of_account && of.starts_with("o-") && unit.starts_with("ou-") =>
        {
            Ok(Principal::Unit(of.to_owned(), unit.to_owned()))
        }
        _ => Err(malformed(text)),
    }
}

fn is_of_service(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
}

impl Principal {
    /// What shares for it are found by: the account, the organization or the unit that sees them.
    pub fn seen_by(&self) -> Option<&str> {
        match self {
            Self::Account(id) | Self::Iam { account: id, .. } => Some(id),
            Self::Organization(id) | Self::Unit(_, id) => Some(id),
            Self::Service => None,
        }
    }

    /// The account that it is or is in.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Account(id) | Self::Iam { account: id, .. } => Some(id),
            Self::Organization(_) | Self::Unit(..) | Self::Service => None,
        }
    }
}

/// How a principal comes into a share of the account that is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// It is outside of the owner's organization.
    pub external: bool,
    /// It must accept an invitation first.
    pub invited: bool,
}

const NOTHING_TO_ASK: Way = Way { external: false, invited: false };

/// How the principal would come in; refuses an organization that is not the owner's.
pub fn way(cx: &mut Context, principal: &Principal, allows_external: bool) -> Result<Way> {
    let owner = cx.account().to_owned();
    match principal {
        Principal::Service => Ok(NOTHING_TO_ASK),
        Principal::Account(account) | Principal::Iam { account } if *account == owner => {
            Ok(NOTHING_TO_ASK)
        }
        Principal::Account(account) | Principal::Iam { account } => {
            let together = are_together(cx, &owner, account)?;
            if !together && !allows_external {
                return Err(INVALID_PARAMETER_EXCEPTION.because(format!(
                    "Principal {account} is not in your AWS organization. You do not have \
                     permission to add external AWS accounts to a resource share."
                )));
            }
            let asked = !together || !sharing::is_enabled(cx, &owner)?;
            Ok(Way { external: !together, invited: asked })
        }
        Principal::Organization(id) => {
            within(cx, &owner, id, format!("Organization {id} could not be found."))?;
            Ok(NOTHING_TO_ASK)
        }
        Principal::Unit(id, unit) => {
            let missing =
                format!("OrganizationalUnit {unit} in organization {id} could not be found.");
            within(cx, &owner, id, missing.clone())?;
            if !has_unit(cx, &owner, unit)? {
                return Err(UNKNOWN_RESOURCE_EXCEPTION.because(missing));
            }
            Ok(NOTHING_TO_ASK)
        }
    }
}

fn are_together(cx: &Context, one: &str, other: &str) -> Result<bool> {
    let of = |id: &str| Ok(membership::of(cx, id)?.map(|member| member.organization_id));
    let organization: Option<String> = of(one)?;
    Ok(organization.is_some() && organization == of(other)?)
}

/// Refuses an organization that is not the owner's, and one that does not share.
fn within(cx: &mut Context, owner: &str, id: &str, missing: String) -> Result<()> {
    let own = membership::of(cx, owner)?.map(|member| member.organization_id);
    if own.as_deref() != Some(id) {
        return Err(UNKNOWN_RESOURCE_EXCEPTION.because(missing));
    }
    if !sharing::is_enabled(cx, owner)? {
        let text = "The resource you are attempting to share can only be shared within your AWS \
                    Organization. This error may also occur if you have not enabled sharing with \
                    your AWS organization, or that onboarding process is still in progress.";
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    }
    Ok(())
}

fn has_unit(cx: &mut Context, owner: &str, unit: &str) -> Result<bool> {
    let Some(organization) = access::organization_of(cx, owner)? else { return Ok(false) };
    cx.in_account(&organization.management_account, |cx| Ok(node::find(cx, unit)?.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_read_by_its_form() {
        let check = |text: &str, expected: Option<Principal>| {
            assert_eq!(parse(text).ok(), expected, "{text}");
        };
        let account = "111122223333".to_owned();
        let (id, unit) = ("o-a1b2c3d4e5".to_owned(), "ou-ab12-11111111".to_owned());
        check("111122223333", Some(Principal::Account(account.clone())));
        for name in ["role/app", "user/team/ann"] {
            let arn = format!("arn:aws:iam::{account}:{name}");
            check(&arn, Some(Principal::Iam { account: account.clone() }));
        }
        let of = |rest: &str| format!("arn:aws:organizations::{account}:{rest}");
        check(&of(&format!("organization/{id}")), Some(Principal::Organization(id.clone())));
        check(&of(&format!("ou/{id}/{unit}")), Some(Principal::Unit(id.clone(), unit)));
        check("config.amazonaws.com", Some(Principal::Service));
        for odd in [
            "",
            "1111",
            "o-a1b2c3d4e5",
            ".amazonaws.com",
            "EC2.amazonaws.com",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:us-east-1:111122223333:role/a",
            "arn:aws-cn:iam::111122223333:role/a",
            "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5",
            "arn:aws:organizations::111122223333:account/o-a1b2c3d4e5/111122223333",
            "arn:aws:iam::111122223333:user/a|b",
        ] {
            check(odd, None);
        }
    }
}
