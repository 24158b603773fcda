//! The public access block of a whole account.
//!
//! Source: Amazon S3 Control API reference, PutPublicAccessBlock.

use super::check_account;
use crate::context::Context;
use crate::s3::bucket::PublicAccessBlock;
use crate::s3::error::INVALID_REQUEST;
use crate::s3::public::{self, ACCOUNT_BLOCKS};
use palisade_model::s3control::{
    DeletePublicAccessBlockRequest, GetPublicAccessBlockOutput, GetPublicAccessBlockRequest,
    PublicAccessBlockConfiguration, PutPublicAccessBlockRequest,
};
use palisade_shape::{Nothing, Result};

/// A block as it is stored; what is not given is off.
pub fn stored(wanted: &PublicAccessBlockConfiguration) -> PublicAccessBlock {
    let PublicAccessBlockConfiguration {
        block_public_acls,
        ignore_public_acls,
        block_public_policy,
        restrict_public_buckets,
    } = wanted;
    PublicAccessBlock {
        block_acls: *block_public_acls == Some(true),
        ignore_acls: *ignore_public_acls == Some(true),
        block_policy: *block_public_policy == Some(true),
        restrict: *restrict_public_buckets == Some(true),
    }
}

/// A block as it is shown.
pub fn shown(block: PublicAccessBlock) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_acls),
        ignore_public_acls: Some(block.ignore_acls),
        block_public_policy: Some(block.block_policy),
        restrict_public_buckets: Some(block.restrict),
    }
}

pub fn get_public_access_block(
    cx: &mut Context,
    input: GetPublicAccessBlockRequest,
) -> Result<GetPublicAccessBlockOutput> {
    check_account(cx, &input.account_id)?;
    let block = cx.get(&ACCOUNT_BLOCKS, "")?.ok_or_else(public::no_such_block)?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(shown(block)) })
}

pub fn put_public_access_block(
    cx: &mut Context,
    input: PutPublicAccessBlockRequest,
) -> Result<Nothing> {
    let PutPublicAccessBlockRequest { public_access_block_configuration: wanted, account_id } =
        input;
    check_account(cx, &account_id)?;
    if wanted == PublicAccessBlockConfiguration::default() {
        return Err(INVALID_REQUEST.because("Must specify at least one configuration."));
    }
    cx.put(&ACCOUNT_BLOCKS, &stored(&wanted))?;
    Ok(Nothing)
}

/// Removes the account's block; it is no error when there is none.
pub fn delete_public_access_block(
    cx: &mut Context,
    input: DeletePublicAccessBlockRequest,
) -> Result<Nothing> {
    check_account(cx, &input.account_id)?;
    cx.delete(&ACCOUNT_BLOCKS, "")?;
    Ok(Nothing)
}
