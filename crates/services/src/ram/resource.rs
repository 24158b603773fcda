//! The resources in shares: which can be, and which shares one is in.

use super::resource_type::{self, ResourceType};
use super::share::Share;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, MALFORMED_ARN_EXCEPTION, UNKNOWN_RESOURCE_EXCEPTION,
};
use palisade_policy::arn::Arn;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// The region of the shares of global resources.
const GLOBAL_REGION: &str = "us-east-1";

/// A resource in a share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    pub arn: String,
    pub share: String,
}

/// By the resource, then the share.
pub static SHARED: Table<Shared> = Table::of_private(
    "ram/shared-resource",
    Scope::Region,
    |row| format!("{}|{}", row.arn, row.share),
    |row| internal(format!("{} is in {} already", row.arn, row.share)),
    |key| internal(format!("{key} is not shared")),
);

/// Refuses what cannot be shared: no ARN, a type that is none or cannot be reached, a resource of
/// another account or one that is not there.
pub fn check(cx: &mut Context, text: &str) -> Result<&'static ResourceType> {
    let arn = Arn::parse(text).filter(|arn| arn.partition == "aws" && !text.contains('|'));
    let Some(arn) = arn else {
        return Err(MALFORMED_ARN_EXCEPTION.because(format!(
            "The specified resource ARN {text} is not valid. Verify the ARN and try again."
        )));
    };
    let known = resource_type::of_arn(text).and_then(|of| Some((of, of.exists?)));
    let Some((of, exists)) = known else {
        let text = "You cannot share the selected resource type.";
        return Err(MALFORMED_ARN_EXCEPTION.because(text));
    };
    if of.global && cx.region() != GLOBAL_REGION {
        let text = format!("{} is shared from the Region {GLOBAL_REGION}.", of.name);
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let is_here = arn.account == cx.account() && (of.global || arn.region == cx.region());
    if is_here && exists(cx, text)? {
        return Ok(of);
    }
    Err(UNKNOWN_RESOURCE_EXCEPTION.because(format!("Resource {text} could not be found.")))
}

pub fn insert(cx: &mut Context, share: &Share, arn: &str) -> Result<()> {
    cx.put(&SHARED, &Shared { arn: arn.to_owned(), share: share.id.clone() })
}

pub fn remove(cx: &mut Context, share: &Share, arn: &str) -> Result<()> {
    cx.delete(&SHARED, &format!("{arn}|{}", share.id)).map(drop)
}

/// The shares that a resource of the account is in.
pub fn shares(cx: &Context, arn: &str) -> Result<Vec<String>> {
    Ok(cx.all(&SHARED, &format!("{arn}|"))?.into_iter().map(|row| row.share).collect())
}
