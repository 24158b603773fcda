//! What the record and the alias of an access point are, and what keeps them from being made.

use super::access_point::{create_access_point, delete_access_point, list_access_points};
use super::public_access_block::put_public_access_block;
use crate::s3::access_point::named;
use crate::s3::bucket::{create_bucket, delete_bucket, load};
use crate::testing::{ACCOUNT, Lab};
use palisade_model::s3::{CreateBucketRequest, DeleteBucketRequest};
use palisade_model::s3control::{
    CreateAccessPointRequest, DeleteAccessPointRequest, ListAccessPointsRequest,
    PublicAccessBlockConfiguration, PutPublicAccessBlockRequest, Scope, VpcConfiguration,
};

fn with_bucket(lab: &Lab, bucket: &str) {
    let input = CreateBucketRequest { bucket: bucket.into(), ..CreateBucketRequest::default() };
    lab.call(create_bucket, input).unwrap();
}

fn point(name: &str) -> CreateAccessPointRequest {
    CreateAccessPointRequest {
        account_id: ACCOUNT.into(),
        name: name.into(),
        bucket: "data".into(),
        ..CreateAccessPointRequest::default()
    }
}

#[test]
fn an_access_point_is_named_in_three_ways() {
    let lab = Lab::new();
    with_bucket(&lab, "data");
    let made = lab.call(create_access_point, point("a-rather-long-name-of-a-door")).unwrap();
    let (alias, arn) = (made.alias.unwrap(), made.access_point_arn.unwrap());
    assert!(alias.starts_with("a-rather-long-name-o-") && alias.ends_with("-s3alias"), "{alias}");
    assert_eq!(alias.len(), 63);
    let label = format!("a-rather-long-name-of-a-door-{ACCOUNT}");
    for name in [&alias, &arn, &label] {
        assert_eq!(lab.read(|cx| load(cx, name)).unwrap().name, "data", "{name}");
    }
    let bucket = DeleteBucketRequest { bucket: "data".into(), ..DeleteBucketRequest::default() };
    let refusal = lab.refusal(delete_bucket, bucket.clone());
    assert!(refusal.starts_with("BucketHasAccessPointsAttached"), "{refusal}");
    let gone = DeleteAccessPointRequest {
        account_id: ACCOUNT.into(),
        name: "a-rather-long-name-of-a-door".into(),
    };
    lab.call(delete_access_point, gone.clone()).unwrap();
    assert!(lab.refusal(delete_access_point, gone).starts_with("NoSuchAccessPoint"));
    assert!(lab.read(|cx| load(cx, &alias)).is_err());
    lab.call(delete_bucket, bucket).unwrap();
}

/// Who makes a bucket of an access point's name later does not get what is sent to it.
#[test]
fn the_older_of_one_name_keeps_it() {
    let lab = Lab::new();
    with_bucket(&lab, "data");
    lab.call(create_access_point, point("one")).unwrap();
    let later = lab.at(crate::testing::NOW.plus_seconds(60)).in_account("210987654321");
    with_bucket(&later, &format!("one-{ACCOUNT}"));
    assert_eq!(lab.read(|cx| load(cx, &format!("one-{ACCOUNT}"))).unwrap().name, "data");
    with_bucket(&later, &format!("two-{ACCOUNT}"));
    let latest = lab.at(crate::testing::NOW.plus_seconds(120));
    latest.call(create_access_point, point("two")).unwrap();
    let name = format!("two-{ACCOUNT}");
    assert_eq!(lab.read(|cx| load(cx, &name)).unwrap().name, name);
    assert!(lab.read(|cx| named(cx, "data")).unwrap().is_none());
}

#[test]
fn what_no_access_point_can_be() {
    let lab = Lab::new();
    with_bucket(&lab, "data");
    let vpc = |id: &str| Some(VpcConfiguration { vpc_id: id.into() });
    lab.call(create_access_point, point("taken")).unwrap();
    with_bucket(&lab.in_account("210987654321"), "theirs");
    let mut elsewhere = lab.clone();
    elsewhere.request.region = "eu-west-1".into();
    let check = |lab: &Lab, code: &str, input: CreateAccessPointRequest| {
        let refusal = lab.refusal(create_access_point, input);
        assert!(refusal.starts_with(code), "{code}: {refusal}");
    };
    check(&lab, "AccessPointAlreadyOwnedByYou", point("taken"));
    check(&lab, "InvalidAccessPoint", point("No"));
    let scope = Some(Scope::default());
    check(&lab, "InvalidRequest", CreateAccessPointRequest { scope, ..point("new") });
    let vpc_configuration = vpc("vpc-xyz");
    check(&lab, "InvalidRequest", CreateAccessPointRequest { vpc_configuration, ..point("new") });
    check(&elsewhere, "InvalidRequest", point("new"));
    check(&lab, "NoSuchBucket", CreateAccessPointRequest { bucket: "no".into(), ..point("new") });
    let theirs = CreateAccessPointRequest { bucket: "theirs".into(), ..point("new") };
    check(&lab, "AccessDenied", theirs.clone());
    check(&lab.in_account("210987654321"), "AccessDenied", point("new"));
    let named =
        CreateAccessPointRequest { bucket_account_id: Some("210987654321".into()), ..theirs };
    lab.call(create_access_point, named).unwrap();
    let listed = ListAccessPointsRequest {
        account_id: ACCOUNT.into(),
        bucket: Some("theirs".into()),
        ..ListAccessPointsRequest::default()
    };
    let listed = lab.call(list_access_points, listed).unwrap().access_point_list.unwrap();
    assert_eq!(listed.len(), 1);
    let empty = PutPublicAccessBlockRequest {
        account_id: ACCOUNT.into(),
        public_access_block_configuration: PublicAccessBlockConfiguration::default(),
    };
    assert!(lab.refusal(put_public_access_block, empty).starts_with("InvalidRequest"));
}
