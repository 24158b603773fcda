//! Which operation and which protocol a request means.

use http::{HeaderMap, HeaderName, Method};
use palisade_model::{cloudwatch, iam, s3, s3control, sqs};
use palisade_protocol::Routes;
use palisade_protocol::detect::{
    cbor_operation, protocol_of, query_action, target_operation, target_prefix,
};
use palisade_protocol::routes::{bucket_of_host, host_labels};
use palisade_shape::{Protocol, Service};

type Sent<'a> = &'a [(&'a str, &'a str)];
type Routed<'a> = (&'a str, &'a str, Sent<'a>, Option<&'a str>);
type Spoken<'a> = (&'a Service, &'a str, &'a str, Sent<'a>, Protocol);

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn s3_tells_operations_apart_by_query_and_headers() {
    let routes = Routes::new(&s3::SERVICE);
    let copy = [("x-amz-copy-source", "/b/k")];
    let cases: &[Routed] = &[
        ("GET", "/", &[], Some("ListBuckets")),
        ("GET", "/b", &[], Some("ListObjects")),
        ("GET", "/b/", &[], Some("ListObjects")),
        ("GET", "/b?list-type=2&prefix=a", &[], Some("ListObjectsV2")),
        ("GET", "/b?list-type=1", &[], Some("ListObjects")),
        ("GET", "/b?acl", &[], Some("GetBucketAcl")),
        ("GET", "/b/?acl=", &[], Some("GetBucketAcl")),
        ("GET", "/b?uploads", &[], Some("ListMultipartUploads")),
        ("GET", "/b?versions", &[], Some("ListObjectVersions")),
        ("GET", "/b?lifecycle", &[], Some("GetBucketLifecycleConfiguration")),
        ("GET", "/b?analytics", &[], Some("ListBucketAnalyticsConfigurations")),
        ("GET", "/b?analytics&id=1", &[], Some("GetBucketAnalyticsConfiguration")),
        ("GET", "/b/k", &[], Some("GetObject")),
        ("GET", "/b/k/l//m", &[], Some("GetObject")),
        ("GET", "/b/k?x-id=GetObject", &[], Some("GetObject")),
        ("GET", "/b/k?versionId=1", &[], Some("GetObject")),
        ("GET", "/b/k?tagging", &[], Some("GetObjectTagging")),
        ("GET", "/b/k?uploadId=u", &[], Some("ListParts")),
        ("HEAD", "/b", &[], Some("HeadBucket")),
        ("HEAD", "/b/k", &[], Some("HeadObject")),
        ("PUT", "/b", &[], Some("CreateBucket")),
        ("PUT", "/b/k", &[], Some("PutObject")),
        ("PUT", "/b/k", &copy, Some("CopyObject")),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &[], Some("UploadPart")),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &copy, Some("UploadPartCopy")),
        ("POST", "/b/k?uploads", &[], Some("CreateMultipartUpload")),
        ("POST", "/b/k?uploadId=u", &[], Some("CompleteMultipartUpload")),
        ("POST", "/b?delete", &[], Some("DeleteObjects")),
        ("DELETE", "/b/k", &[], Some("DeleteObject")),
        ("DELETE", "/b/k?uploadId=u", &[], Some("AbortMultipartUpload")),
        ("DELETE", "/b", &[], Some("DeleteBucket")),
        ("PATCH", "/b", &[], None),
        ("GET", "/b/%zz", &[], None),
        ("GET", "/b/%ff", &[], None),
    ];
    for (method, target, sent, expected) in cases {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method: Method = method.parse().unwrap();
        let found = routes.find(&method, path, query, &headers(sent));
        let name = found.map(|(operation, _)| operation.name);
        assert_eq!(name, *expected, "{method} {target} {sent:?}");
    }
    let (_, labels) = routes.find(&Method::GET, "/b/a%2Fb//%20", "", &headers(&[])).unwrap();
    assert_eq!(labels, [("Bucket", "b".to_owned()), ("Key", "a/b// ".to_owned())]);
    for (path, key) in [("/b/k/", "k/"), ("/b//", "/"), ("/b//k", "/k")] {
        let (_, labels) = routes.find(&Method::GET, path, "", &headers(&[])).unwrap();
        assert_eq!(labels.last(), Some(&("Key", key.to_owned())), "{path}");
    }
}

#[test]
fn a_literal_is_more_specific_than_a_label() {
    let routes = Routes::new(&s3control::SERVICE);
    let path = "/v20180820/mrap/instances/arn%3Aa/b/policy";
    let (operation, labels) = routes.find(&Method::GET, path, "", &headers(&[])).unwrap();
    assert_eq!(operation.name, "GetMultiRegionAccessPointPolicy");
    assert_eq!(labels, [("name", "arn:a/b".to_owned())]);
}

#[test]
fn protocols_by_what_the_request_says() {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let json = ("content-type", "application/x-amz-json-1.0");
    let target = ("x-amz-target", "GraniteServiceVersion20100801.ListMetrics");
    let cbor = ("smithy-protocol", "rpc-v2-cbor");
    let rpc = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let cases: &[Spoken] = &[
        (&cloudwatch::SERVICE, "/", "", &[form], Protocol::Query),
        (&cloudwatch::SERVICE, "/", "Action=ListMetrics", &[], Protocol::Query),
        (&cloudwatch::SERVICE, "/", "", &[json, target], Protocol::Json10),
        (&cloudwatch::SERVICE, "/", "", &[target], Protocol::Json10),
        (&cloudwatch::SERVICE, rpc, "", &[cbor], Protocol::RpcV2Cbor),
        (&sqs::SERVICE, "/", "", &[json], Protocol::Json10),
        (&sqs::SERVICE, "/123456789012/queue", "", &[form], Protocol::Query),
        (&iam::SERVICE, "/", "", &[form], Protocol::Query),
        (&iam::SERVICE, "/", "", &[json], Protocol::Query),
        (&s3::SERVICE, "/service/a/operation/b", "", &[form], Protocol::RestXml),
    ];
    for (service, path, query, sent, expected) in cases {
        let found = protocol_of(service, path, query, &headers(sent));
        assert_eq!(found, Some(*expected), "{} {path}?{query} {sent:?}", service.name);
    }
    assert_eq!(target_operation(&headers(&[target])), Some("ListMetrics"));
    assert_eq!(target_prefix(&headers(&[target])), Some("GraniteServiceVersion20100801"));
    assert_eq!(cbor_operation(rpc), Some(("GraniteServiceVersion20100801", "ListMetrics")));
    assert_eq!(cbor_operation("/operation/x"), None);
    assert_eq!(query_action("", b"Version=1&Action=A%42").as_deref(), Some("AB"));
    assert_eq!(query_action("Action=Q", b"Action=B").as_deref(), Some("Q"));
}

#[test]
fn buckets_and_labels_in_host_names() {
    let domains = ["s3.localhost", "localhost"];
    let cases = [
        ("bucket.s3.amazonaws.com", Some("bucket")),
        ("my.dotted.bucket.s3.eu-west-1.amazonaws.com:443", Some("my.dotted.bucket")),
        ("bucket.s3-eu-west-1.amazonaws.com", Some("bucket")),
        ("bucket.s3.dualstack.us-east-1.amazonaws.com", Some("bucket")),
        ("s3.eu-west-1.amazonaws.com", None),
        ("bucket.s3.localhost:4570", Some("bucket")),
        ("bucket.localhost", Some("bucket")),
        ("s3.localhost:4570", None),
        ("localhost:4570", None),
        ("bucket.s3.example.com", None),
        ("127.0.0.1:4570", None),
    ];
    for (host, expected) in cases {
        assert_eq!(bucket_of_host(host, &domains), expected, "{host}");
    }
    let operation = s3control::SERVICE.operation("ListAccessPoints").unwrap();
    let found = host_labels(operation, "123456789012.s3-control.eu-west-1.amazonaws.com");
    assert_eq!(found, [("AccountId", "123456789012".to_owned())]);
    assert_eq!(host_labels(operation, ".x"), []);
}
