//! Amazon S3 Control: the account's public access block, access points, and tags of what S3 has.
//!
//! What it keeps decides in S3 itself: see [`crate::s3::access_point`] and [`crate::s3::public`].
//!
//! Source: Amazon S3 Control API reference, 2018-08-20.

pub mod access_point;
pub mod access_point_policy;
pub mod access_point_scope;
pub mod public_access_block;
pub mod resources;
pub mod tag;

use crate::context::Context;
use crate::s3::error;
use crate::service::{Operation, Service, Typed, read, write};
use palisade_shape::Result;
use tag::OnResource;

pub static SERVICE: Service = Service {
    model: &palisade_model::s3control::SERVICE,
    operations: OPERATIONS,
    resources: &resources::ControlResources,
    jobs: &[],
};

pub static OPERATIONS: &[Operation] = &[
    // The account's public access block.
    read("GetPublicAccessBlock", &Typed(public_access_block::get_public_access_block)),
    write("PutPublicAccessBlock", &Typed(public_access_block::put_public_access_block)),
    write("DeletePublicAccessBlock", &Typed(public_access_block::delete_public_access_block)),
    // Access points.
    write("CreateAccessPoint", &Typed(access_point::create_access_point)),
    read("GetAccessPoint", &Typed(access_point::get_access_point)),
    read("ListAccessPoints", &Typed(access_point::list_access_points)),
    write("DeleteAccessPoint", &Typed(access_point::delete_access_point)),
    read("GetAccessPointPolicy", &Typed(access_point_policy::get_access_point_policy)),
    write("PutAccessPointPolicy", &Typed(access_point_policy::put_access_point_policy)),
    write("DeleteAccessPointPolicy", &Typed(access_point_policy::delete_access_point_policy)),
    read("GetAccessPointPolicyStatus", &Typed(access_point_policy::get_access_point_policy_status)),
    read("GetAccessPointScope", &Typed(access_point_scope::get_access_point_scope)),
    write("PutAccessPointScope", &Typed(access_point_scope::put_access_point_scope)),
    write("DeleteAccessPointScope", &Typed(access_point_scope::delete_access_point_scope)),
    // Tags.
    read("ListTagsForResource", &Typed(tag::list_tags_for_resource))
        .requiring(&OnResource("ListTagsForResource")),
    write("TagResource", &Typed(tag::tag_resource)).requiring(&OnResource("TagResource")),
    write("UntagResource", &Typed(tag::untag_resource)).requiring(&OnResource("UntagResource")),
];

/// Refuses a call for another account than the caller's.
fn check_account(cx: &Context, account: &str) -> Result<()> {
    if account == &*cx.caller.account { Ok(()) } else { Err(error::denied()) }
}

#[cfg(test)]
mod tests;
