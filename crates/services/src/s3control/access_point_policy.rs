//! The policy of an access point: checked when it is saved, and what decides beside the bucket's.
//!
//! Source: Amazon S3 Control API reference, PutAccessPointPolicy.

use super::access_point::{find, touch};
use crate::context::Context;
use crate::iam::principal_ids;
use crate::s3::access_point::{ACCESS_POINTS, AccessPoint, parse};
use crate::s3::error::ACCESS_DENIED;
use crate::s3::{policy, public};
use palisade_model::s3control::{
    DeleteAccessPointPolicyRequest, GetAccessPointPolicyRequest, GetAccessPointPolicyResult,
    GetAccessPointPolicyStatusRequest, GetAccessPointPolicyStatusResult, PolicyStatus,
    PutAccessPointPolicyRequest,
};
use palisade_shape::{Error, ErrorCode, Nothing, Result};

static NO_SUCH_POLICY: ErrorCode = ErrorCode::plain("NoSuchAccessPointPolicy", 404);

fn no_such_policy(point: &AccessPoint) -> Error {
    NO_SUCH_POLICY
        .because("The specified accesspoint policy does not exist")
        .with("AccessPointName", point.name.clone())
}

/// The policy as it was saved, its principals by their ARNs of today.
pub fn get_access_point_policy(
    cx: &mut Context,
    input: GetAccessPointPolicyRequest,
) -> Result<GetAccessPointPolicyResult> {
    let point = find(cx, &input.account_id, &input.name)?;
    touch(cx, &point);
    let Some(policy) = &point.policy else { return Err(no_such_policy(&point)) };
    let shown = principal_ids::resource_to_arns(cx, policy)?;
    Ok(GetAccessPointPolicyResult { policy: Some(shown) })
}

/// Whether a resource of a policy is the access point's own, or objects behind it.
fn is_of(point: &AccessPoint, resource: &str) -> bool {
    let own = point.arn();
    match parse(resource) {
        Some((key, _)) if key == (ACCESS_POINTS.key)(point) => true,
        _ => resource.contains(['*', '?', '$']) && policy::may_be(resource, &own),
    }
}

/// Saves the policy, unless it is malformed, about others, or public where that is blocked.
pub fn put_access_point_policy(
    cx: &mut Context,
    input: PutAccessPointPolicyRequest,
) -> Result<Nothing> {
    let mut point = find(cx, &input.account_id, &input.name)?;
    let stored = policy::checked(cx, &input.policy, &|resource| is_of(&point, resource))?;
    point.policy = Some(stored);
    let account = cx.get(&public::ACCOUNT_BLOCKS, "")?.unwrap_or_default();
    if point.is_public() && point.block.with(account).block_policy {
        return Err(ACCESS_DENIED.because(
            "User is not authorized to perform: s3:PutAccessPointPolicy because public policies \
             are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        ));
    }
    touch(cx, &point);
    cx.put(&ACCESS_POINTS, &point)?;
    Ok(Nothing)
}

/// Removes the policy; it is no error when there is none.
pub fn delete_access_point_policy(
    cx: &mut Context,
    input: DeleteAccessPointPolicyRequest,
) -> Result<Nothing> {
    let mut point = find(cx, &input.account_id, &input.name)?;
    touch(cx, &point);
    point.policy = None;
    cx.put(&ACCESS_POINTS, &point)?;
    Ok(Nothing)
}

/// Whether the policy lets anybody in.
pub fn get_access_point_policy_status(
    cx: &mut Context,
    input: GetAccessPointPolicyStatusRequest,
) -> Result<GetAccessPointPolicyStatusResult> {
    let point = find(cx, &input.account_id, &input.name)?;
    touch(cx, &point);
    if point.policy.is_none() {
        return Err(no_such_policy(&point));
    }
    let policy_status = Some(PolicyStatus { is_public: Some(point.is_public()) });
    Ok(GetAccessPointPolicyStatusResult { policy_status })
}
