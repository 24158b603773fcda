//! RAM's own ARNs.

use crate::context::Context;
use palisade_model::ram::MALFORMED_ARN_EXCEPTION;
use palisade_policy::arn::Arn;
use palisade_shape::{Error, Result};

pub const SHARE: &str = "resource-share";
pub const INVITATION: &str = "resource-share-invitation";
pub const PERMISSION: &str = "permission";

/// `arn:aws:ram:REGION:ACCOUNT:kind/id`, of the account and region that are seen.
pub fn of(cx: &Context, kind: &str, id: &str) -> String {
    format!("arn:{}:ram:{}:{}:{kind}/{id}", cx.partition(), cx.region(), cx.account())
}

/// An ARN of RAM's, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    pub region: &'a str,
    pub account: &'a str,
    pub id: &'a str,
}

impl Named<'_> {
    /// Whether it is of the account and region that are seen.
    pub fn is_here(&self, cx: &Context) -> bool {
        self.region == cx.region() && self.account == cx.account()
    }
}

/// Reads an ARN of that kind.
pub fn parse<'a>(arn: &'a str, kind: &str) -> Result<Named<'a>> {
    let named = Arn::parse(arn).filter(|arn| arn.partition == "aws" && arn.service == "ram");
    let named = named.and_then(|arn| {
        let (found, id) = arn.resource.split_once('/')?;
        let is_good = found == kind && !id.is_empty() && !id.contains(['/', '|']);
        is_good.then_some(Named { region: arn.region, account: arn.account, id })
    });
    named.ok_or_else(|| malformed(arn))
}

/// What RAM says of a text that is no ARN, or none of the kind that was asked for.
pub fn malformed(arn: &str) -> Error {
    MALFORMED_ARN_EXCEPTION
        .because(format!("The specified ARN {arn} is not valid. Verify the ARN and try again."))
}
