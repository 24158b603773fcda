//! Scopes, which only access points of directory buckets have. Those of general purpose buckets,
//! which are all that there are here, refuse them.
//!
//! Source: Amazon S3 Control API reference, PutAccessPointScope.

use super::access_point::{find, touch};
use crate::context::Context;
use crate::s3::error::INVALID_REQUEST;
use palisade_model::s3control::{
    DeleteAccessPointScopeRequest, GetAccessPointScopeRequest, GetAccessPointScopeResult,
    PutAccessPointScopeRequest,
};
use palisade_shape::{Error, Nothing, Result};

/// S3's refusal of a scope where there can be none.
pub fn refused() -> Error {
    INVALID_REQUEST
        .because("Access point scope is supported for access points of directory buckets only.")
}

fn refuse<T>(cx: &mut Context, account: &str, name: &str) -> Result<T> {
    let point = find(cx, account, name)?;
    touch(cx, &point);
    Err(refused())
}

pub fn get_access_point_scope(
    cx: &mut Context,
    input: GetAccessPointScopeRequest,
) -> Result<GetAccessPointScopeResult> {
    refuse(cx, &input.account_id, &input.name)
}

pub fn put_access_point_scope(
    cx: &mut Context,
    input: PutAccessPointScopeRequest,
) -> Result<Nothing> {
    let PutAccessPointScopeRequest { account_id, name, scope: _ } = input;
    refuse(cx, &account_id, &name)
}

pub fn delete_access_point_scope(
    cx: &mut Context,
    input: DeleteAccessPointScopeRequest,
) -> Result<Nothing> {
    refuse(cx, &input.account_id, &input.name)
}
