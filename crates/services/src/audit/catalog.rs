//! What CloudTrail calls services and regions, and which calls it takes for reads.

use crate::service::Effect;

/// `eventSource` without its `.amazonaws.com`. `service` is the model's name, `endpoint` the first
/// label of its host name, which CloudTrail uses almost everywhere.
pub fn source<'a>(service: &str, endpoint: &'a str) -> &'a str {
    match service {
        "ses" | "sesv2" => "ses",
        "s3control" => "s3",
        "sso-admin" | "sso" => "sso",
        "stepfunctions" => "states",
        _ => endpoint,
    }
}

/// The region of an event. Events of global services are all in one (CloudTrail User Guide, "About
/// global service events").
pub fn region<'a>(service: &str, request_region: &'a str) -> &'a str {
    const GLOBAL: [&str; 6] =
        ["account", "cloudfront", "iam", "organizations", "route53", "support"];
    if GLOBAL.binary_search(&service).is_ok() { "us-east-1" } else { request_region }
}

/// What an event shows of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// `readOnly`.
    pub read_only: bool,
    /// Whether `responseElements` shows the answer of a success.
    pub answer: bool,
}

/// Operations that hand out credentials: CloudTrail calls them reads and shows their answers all
/// the same (IAM User Guide, "Logging IAM and AWS STS API calls", the example events). Sorted.
const ISSUING: [&str; 6] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetFederationToken",
    "GetSessionToken",
];

/// S3's calls on objects, which CloudTrail calls data events: they are no part of the event
/// history. Sorted.
const OBJECT_CALLS: [&str; 29] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "SelectObjectContent",
    "UploadPart",
    "UploadPartCopy",
];

/// Whether an event is a data event (CloudTrail User Guide, "Amazon S3 CloudTrail events").
pub fn is_data(service: &str, operation: &str) -> bool {
    service == "s3" && OBJECT_CALLS.binary_search(&operation).is_ok()
}

/// First words of the names of reads, for operations that have no row here. Sorted.
const READING: [&str; 17] = [
    "BatchGet", "Check", "Decode", "Describe", "Detect", "Discover", "Download", "Get", "Head",
    "List", "Lookup", "Preview", "Query", "Scan", "Search", "Simulate", "View",
];

/// `effect` is that of the operation's row, where it has one.
pub fn visibility(service: &str, operation: &str, effect: Option<Effect>) -> Visibility {
    if service == "sts" && ISSUING.binary_search(&operation).is_ok() {
        return Visibility { read_only: true, answer: true };
    }
    let read_only = match effect {
        Some(effect) => effect == Effect::Read,
        None => READING.iter().any(|word| operation.starts_with(word)),
    };
    Visibility { read_only, answer: !read_only }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_regions_and_reads() {
        assert_eq!(source("cloudwatch", "monitoring"), "monitoring");
        assert_eq!(source("ses", "email"), "ses");
        assert_eq!(region("iam", "eu-west-1"), "us-east-1");
        assert_eq!(region("sts", "eu-west-1"), "eu-west-1");
        let issuing = visibility("sts", "AssumeRole", Some(Effect::Read));
        assert_eq!(issuing, Visibility { read_only: true, answer: true });
        let reading = Visibility { read_only: true, answer: false };
        assert_eq!(visibility("sts", "GetCallerIdentity", Some(Effect::Read)), reading);
        assert_eq!(visibility("ec2", "DescribeInstances", None), reading);
        let writing = Visibility { read_only: false, answer: true };
        assert_eq!(visibility("iam", "CreateRole", Some(Effect::Write)), writing);
        assert_eq!(visibility("ec2", "RunInstances", None), writing);
        assert!(ISSUING.is_sorted() && READING.is_sorted() && OBJECT_CALLS.is_sorted());
        assert!(is_data("s3", "GetObject") && !is_data("s3", "CreateBucket"));
    }
}
