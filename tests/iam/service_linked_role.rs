//! Roles that services are given.

use super::check_refusals;
use crate::support::{Lab, each, policy};
use serde_json::json;

#[test]
fn service_linked_roles_live_and_die() {
    let Some(lab) = Lab::start("service_linked_roles_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let input = json!({ "AWSServiceName": "autoscaling.amazonaws.com", "Description": "for us" });
    let made = root.ok("iam", "CreateServiceLinkedRole", input.clone())["Role"].clone();
    let name = "AWSServiceRoleForAutoScaling";
    let resource = format!("role/aws-service-role/autoscaling.amazonaws.com/{name}");
    assert_eq!(made["Arn"], json!(format!("arn:aws:iam::{account}:{resource}")));
    let trusted = &made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"];
    assert_eq!(*trusted, json!(["autoscaling.amazonaws.com"]));
    let attached = root.ok("iam", "ListAttachedRolePolicies", json!({ "RoleName": name }));
    let policies = each(&attached["AttachedPolicies"], "PolicyName");
    assert_eq!(policies, ["AutoScalingServiceRolePolicy"]);

    let document = policy("Allow", &["s3:*"], &["*"]).to_string();
    let only_aws = "this role is only modifiable by AWS";
    let own = json!({ "RoleName": name, "PolicyName": "p", "PolicyDocument": document });
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attach = json!({ "RoleName": name, "PolicyArn": read_only });
    let named = json!({ "RoleName": name });
    let ordinary = json!({
        "RoleName": "ordinary",
        "AssumeRolePolicyDocument": crate::support::trust(&account).to_string()
    });
    root.ok("iam", "CreateRole", ordinary);
    let suffixed = json!({ "AWSServiceName": "ecs.amazonaws.com", "CustomSuffix": "x" });
    let lost = "task/aws-service-role/a.amazonaws.com/Role/00000000";
    check_refusals(
        &root,
        &[
            ("PutRolePolicy", own, "UnmodifiableEntity", 400, only_aws),
            ("AttachRolePolicy", attach, "UnmodifiableEntity", 400, only_aws),
            ("DeleteRole", named.clone(), "UnmodifiableEntity", 400, only_aws),
            (
                "CreateServiceLinkedRole",
                input,
                "InvalidInput",
                400,
                "has been taken in this account",
            ),
            (
                "CreateServiceLinkedRole",
                suffixed,
                "InvalidInput",
                400,
                "Custom suffix is not allowed",
            ),
            (
                "CreateServiceLinkedRole",
                json!({ "AWSServiceName": "nothing.amazonaws.com" }),
                "InvalidInput",
                400,
                "nothing.amazonaws.com",
            ),
            (
                "DeleteServiceLinkedRole",
                json!({ "RoleName": "ordinary" }),
                "NoSuchEntity",
                404,
                "ordinary",
            ),
            (
                "GetServiceLinkedRoleDeletionStatus",
                json!({ "DeletionTaskId": lost }),
                "NoSuchEntity",
                404,
                "",
            ),
            (
                "GetServiceLinkedRoleDeletionStatus",
                json!({ "DeletionTaskId": "nonsense" }),
                "InvalidInput",
                400,
                "",
            ),
        ],
    );
    let task = root.ok("iam", "DeleteServiceLinkedRole", named.clone())["DeletionTaskId"].clone();
    let asked = json!({ "DeletionTaskId": task });
    let status = root.ok("iam", "GetServiceLinkedRoleDeletionStatus", asked.clone());
    assert_eq!(status["Status"], json!("SUCCEEDED"));
    root.refused(("iam", "GetRole"), named, ("NoSuchEntity", 404));

    // Allowed for one service only.
    let mut one = policy("Allow", &["iam:CreateServiceLinkedRole"], &["*"]);
    one["Statement"][0]["Condition"] =
        json!({ "StringEquals": { "iam:AWSServiceName": "ecs.amazonaws.com" } });
    let ann = lab.user(&root, "ann", Some(one));
    ann.ok("iam", "CreateServiceLinkedRole", json!({ "AWSServiceName": "ecs.amazonaws.com" }));
    let other = json!({ "AWSServiceName": "autoscaling.amazonaws.com" });
    let denied = ann.refused(("iam", "CreateServiceLinkedRole"), other, ("AccessDenied", 403));
    assert!(denied.message.contains(&resource), "{}", denied.message);
    let task = ("iam", "GetServiceLinkedRoleDeletionStatus");
    let denied = ann.refused(task, asked, ("AccessDenied", 403));
    assert!(denied.message.contains(&resource), "{}", denied.message);
    let ecs = json!({ "RoleName": "AWSServiceRoleForECS" });
    ann.refused(("iam", "DeleteServiceLinkedRole"), ecs, ("AccessDenied", 403));
}
