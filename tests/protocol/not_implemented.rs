//! What Palisade does not do yet it says, by name, in the protocol of the service.

use crate::support::Lab;
use serde_json::json;

#[test]
fn an_operation_that_is_missing_is_named() {
    let Some(lab) = Lab::start("an_operation_that_is_missing_is_named") else { return };
    let root = lab.root();
    // REST XML, JSON 1.0, EC2, REST JSON, JSON 1.1, query, and CBOR where boto3 speaks it.
    for (service, id, operation, input) in [
        ("s3", "S3", "GetBucketMetadataConfiguration", json!({ "Bucket": "productionapp" })),
        ("dynamodb", "DynamoDB", "ListTables", json!({})),
        ("ec2", "EC2", "DescribeVpcs", json!({})),
        ("lambda", "Lambda", "ListFunctions", json!({})),
        ("sns", "SNS", "ListTopics", json!({})),
        ("sqs", "SQS", "ListQueues", json!({})),
        ("cloudformation", "CloudFormation", "ListStacks", json!({})),
        ("logs", "CloudWatch Logs", "DescribeLogGroups", json!({})),
        ("arc-region-switch", "ARC Region switch", "ListPlans", json!({})),
    ] {
        let refusal = root.call(service, operation, input).unwrap_err();
        let expected =
            format!("Palisade does not implement {id} {operation} yet. Nothing was changed.");
        let got = (refusal.status, refusal.code.as_str(), refusal.message);
        assert_eq!(got, (501, "NotImplemented", expected), "{service} {operation}");
    }
    // Whom nobody knows learns nothing.
    let stranger = lab.caller(crate::support::Keys::of("AKIAAAAAAAAAAAAAAAAA", "secret"));
    let refusal = stranger.call("dynamodb", "ListTables", json!({})).unwrap_err();
    assert_eq!((refusal.status, refusal.code.as_str()), (400, "UnrecognizedClientException"));
    let refusal = stranger.call("s3", "ListBuckets", json!({})).unwrap_err();
    assert_eq!((refusal.status, refusal.code.as_str()), (403, "InvalidAccessKeyId"));
}
