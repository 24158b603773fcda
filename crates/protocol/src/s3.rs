//! S3's own ways: root elements that its model does not name, and one answer without a wrapper.

use crate::xml::XmlWriter;
use palisade_shape::{Operation, Service, Shape, Writer as _};

/// The roots of S3's documents (Amazon S3 API Reference, "Response syntax" of each operation).
const ROOTS: &[(&str, &str)] = &[
    ("CompleteMultipartUpload", "CompleteMultipartUploadResult"),
    ("CreateMultipartUpload", "InitiateMultipartUploadResult"),
    ("DeleteObjects", "DeleteResult"),
    ("GetBucketAccelerateConfiguration", "AccelerateConfiguration"),
    ("GetBucketAcl", "AccessControlPolicy"),
    ("GetBucketCors", "CORSConfiguration"),
    ("GetBucketLifecycle", "LifecycleConfiguration"),
    ("GetBucketLifecycleConfiguration", "LifecycleConfiguration"),
    ("GetBucketLocation", "LocationConstraint"),
    ("GetBucketLogging", "BucketLoggingStatus"),
    ("GetBucketNotification", "NotificationConfiguration"),
    ("GetBucketNotificationConfiguration", "NotificationConfiguration"),
    ("GetBucketRequestPayment", "RequestPaymentConfiguration"),
    ("GetBucketTagging", "Tagging"),
    ("GetBucketVersioning", "VersioningConfiguration"),
    ("GetBucketWebsite", "WebsiteConfiguration"),
    ("GetObjectAcl", "AccessControlPolicy"),
    ("GetObjectAttributes", "GetObjectAttributesResponse"),
    ("GetObjectTagging", "Tagging"),
    ("ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult"),
    (
        "ListBucketIntelligentTieringConfigurations",
        "ListBucketIntelligentTieringConfigurationsOutput",
    ),
    ("ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult"),
    ("ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult"),
    ("ListBuckets", "ListAllMyBucketsResult"),
    ("ListDirectoryBuckets", "ListAllMyDirectoryBucketsResult"),
    ("ListMultipartUploads", "ListMultipartUploadsResult"),
    ("ListObjectVersions", "ListVersionsResult"),
    ("ListObjects", "ListBucketResult"),
    ("ListObjectsV2", "ListBucketResult"),
    ("ListParts", "ListPartsResult"),
];

/// The root element of an operation's answer, when S3 names it otherwise than its model's shape.
pub fn root_name(service: &Service, operation: &Operation) -> Option<&'static str> {
    if service.name != "s3" {
        return None;
    }
    ROOTS.iter().find(|(name, _)| *name == operation.name).map(|(_, root)| *root)
}

/// `GetBucketLocation` answers one element whose text is its only member.
pub fn is_unwrapped(service: &Service, operation: &Operation) -> bool {
    service.name == "s3" && operation.name == "GetBucketLocation"
}

/// `<LocationConstraint xmlns="…">eu-west-1</LocationConstraint>`; empty for us-east-1.
pub fn location_constraint(writer: &mut XmlWriter, name: &'static str, members: &[&dyn Shape]) {
    writer.set_name(name);
    match members.first().filter(|value| value.is_present()) {
        Some(value) => value.write(writer),
        None => writer.string(""),
    }
}

/// The answer to a form that was uploaded: `Location`, `Bucket`, `Key` and `ETag`, in this order.
#[must_use]
pub fn post_response(members: &[(&str, &str)]) -> Vec<u8> {
    const NAME: &str = "PostResponse";
    let mut writer = XmlWriter::new(false);
    writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    writer.open(NAME, "");
    for (name, text) in members {
        writer.element(name, text);
    }
    writer.close(NAME);
    writer.into_bytes()
}

/// The namespace of S3's documents, which its model leaves to the clients.
pub fn namespace(service: &Service) -> &'static str {
    if service.name == "s3" && service.xml_namespace.is_empty() {
        "http://s3.amazonaws.com/doc/2006-03-01/"
    } else {
        service.xml_namespace
    }
}
