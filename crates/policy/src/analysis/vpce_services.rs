//! The services whose requests tell who owns the VPC endpoint they came through.
//!
//! Source: "AWS global condition context keys", IAM User Guide: `aws:VpceAccount`,
//! `aws:VpceOrgID` and `aws:VpceOrgPaths`.

/// Prefixes of all three keys, sorted.
const ALL: &[&str] = &[
    "acm-pca",
    "applicationinsights",
    "apprunner",
    "athena",
    "cloudformation",
    "comprehendmedical",
    "compute-optimizer",
    "datasync",
    "discovery",
    "dynamodb",
    "ebs",
    "ecr",
    "ecs",
    "firehose",
    "gamelift",
    "healthlake",
    "iam",
    "iotfleetwise",
    "iotwireless",
    "kinesisanalytics",
    "kms",
    "lambda",
    "medical-imaging",
    "omics",
    "payment-cryptography",
    "polly",
    "rbin",
    "rekognition",
    "route53",
    "s3",
    "scheduler",
    "servicediscovery",
    "servicequotas",
    "shield",
    "ssm-contacts",
    "storagegateway",
    "textract",
    "transcribe",
    "transfer",
];

/// Prefixes of `aws:VpceOrgID` alone, sorted.
const ORGANIZATION_ONLY: &[&str] = &[
    "b2bi",
    "cassandra",
    "cognito-identity",
    "dms",
    "ds-data",
    "identitystore",
    "iottwinmaker",
    "network-firewall",
    "pricing",
    "ses",
    "sms-voice",
    "sqs",
    "workmail",
];

/// Whether a service, by its prefix, fills the key (both in lower case).
pub(super) fn supports(key: &str, prefix: &str) -> bool {
    let organization = || ORGANIZATION_ONLY.binary_search(&prefix).is_ok();
    ALL.binary_search(&prefix).is_ok() || (key == "aws:vpceorgid" && organization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services() {
        assert!(ALL.is_sorted() && ORGANIZATION_ONLY.is_sorted());
        assert!(supports("aws:vpceaccount", "s3") && supports("aws:vpceorgid", "sqs"));
        assert!(!supports("aws:vpceaccount", "sqs") && !supports("aws:vpceorgid", "ec2"));
    }
}
