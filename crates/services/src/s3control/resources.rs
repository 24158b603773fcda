//! Tags and condition keys of what S3 Control manages.
//!
//! Source: Service Authorization Reference, "Condition keys for Amazon S3".

use crate::context::Context;
use crate::s3::access_point::{self, AccessPoint};
use crate::s3::requirement::bucket_of;
use crate::s3::resources::{of_call, tagged};
use crate::service::{Call, Known, Resources, Tags};
use palisade_protocol::select::select;
use palisade_shape::Result;

pub struct ControlResources;

impl Resources for ControlResources {
    fn tags(&self, cx: &mut Context, _kind: &str, arn: &str) -> Result<Tags> {
        if let Some((point, _)) = access_point::of_arn(cx, arn)? {
            return Ok(point.tags);
        }
        let bucket = bucket_of(cx, arn)?.map(|(bucket, _)| bucket);
        Ok(bucket.filter(|bucket| bucket.abac).map(|bucket| bucket.tags).unwrap_or_default())
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        &[
            "s3:AccessPointNetworkOrigin",
            "s3:AccessPointTag/*",
            "s3:BucketTag/*",
            "s3:DataAccessPointAccount",
            "s3:DataAccessPointArn",
            "s3:ResourceAccount",
            "s3:TlsVersion",
            "s3:authType",
            "s3:signatureAge",
            "s3:signatureversion",
            "s3:x-amz-content-sha256",
        ]
    }

    fn condition(&self, cx: &mut Context, key: &str, call: &Call) -> Result<Known> {
        if let Some(known) = of_call(cx, key) {
            return Ok(known);
        }
        if let Some(tag) = key.strip_prefix("s3:buckettag/") {
            let bucket = bucket_of(cx, call.resource)?.map(|(bucket, _)| bucket);
            return Ok(tagged(bucket.filter(|it| it.abac).map(|it| it.tags), tag));
        }
        let point = access_point::of_arn(cx, call.resource)?.map(|(point, _)| point);
        if let Some(tag) = key.strip_prefix("s3:accesspointtag/") {
            return Ok(tagged(point.map(|point| point.tags), tag));
        }
        Ok(match key {
            "s3:accesspointnetworkorigin" => origin(point.as_ref(), call),
            "s3:dataaccesspointarn" => about(call.resource, call.resource),
            "s3:dataaccesspointaccount" => {
                let account = call.resource.split(':').nth(4).unwrap_or_default();
                about(call.resource, account)
            }
            _ => Known::Unresolvable,
        })
    }
}

/// A fact of the access point that the call names; of no other resource.
fn about(arn: &str, fact: &str) -> Known {
    match access_point::parse(arn) {
        Some(_) => Known::One(fact.to_owned()),
        None => Known::Absent,
    }
}

/// Of an access point that is there, its own; of one that shall be made, what the request says.
fn origin(point: Option<&AccessPoint>, call: &Call) -> Known {
    if let Some(point) = point {
        return Known::One(point.network_origin().to_owned());
    }
    if !call.action.eq_ignore_ascii_case("s3:CreateAccessPoint") {
        return Known::Absent;
    }
    let vpc = select(call.input.as_shape(), "VpcConfiguration.VpcId");
    Known::One(if vpc.is_empty() { "Internet" } else { "VPC" }.to_owned())
}
