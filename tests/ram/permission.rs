//! Managed permissions: AWS's, and the account's own with their versions.

use super::{CONTROL, DATA, call, pages, refused, share, wait};
use crate::support::{Caller, Lab, each};
use serde_json::{Value, json};

const TYPE: &str = "s3:AccessGrants";

fn template(actions: &[&str]) -> String {
    json!({ "Effect": "Allow", "Action": actions }).to_string()
}

#[track_caller]
fn make(caller: &Caller<'_>, name: &str) -> String {
    let input = json!({
        "name": name, "resourceType": TYPE, "policyTemplate": template(&["s3:GetDataAccess"]),
    });
    let made = call(caller, "CreatePermission", input);
    made["permission"]["arn"].as_str().unwrap().to_owned()
}

#[test]
fn aws_has_its_permissions() {
    let Some(lab) = Lab::start("aws_has_its_permissions") else { return };
    let root = lab.root();
    let types = call(&root, "ListResourceTypes", json!({}));
    assert_eq!(
        types["resourceTypes"],
        json!([{ "resourceType": TYPE, "serviceName": "s3", "resourceRegionScope": "REGIONAL" }])
    );
    let global = call(&root, "ListResourceTypes", json!({ "resourceRegionScope": "GLOBAL" }));
    assert_eq!(global["resourceTypes"], json!([]));
    let listed = pages(&root, "ListPermissions", json!({}), "permissions", 2);
    assert_eq!(listed.len(), 3);
    let default: Vec<_> =
        listed.iter().filter(|one| one["isResourceTypeDefault"] == json!(true)).collect();
    assert_eq!(default.len(), 1);
    assert_eq!(default[0]["arn"], DATA);
    assert_eq!(default[0]["permissionType"], "AWS_MANAGED");
    // The type's case does not matter in a filter.
    let by_type = json!({ "resourceType": "S3:accessgrants", "permissionType": "AWS_MANAGED" });
    assert_eq!(call(&root, "ListPermissions", by_type)["permissions"].as_array().unwrap().len(), 3);
    let own = json!({ "permissionType": "CUSTOMER_MANAGED" });
    assert_eq!(call(&root, "ListPermissions", own)["permissions"], json!([]));
    let odd = json!({ "resourceType": "ec2:Nothing" });
    refused(&root, "ListPermissions", odd, "InvalidParameterException");

    let told = call(&root, "GetPermission", json!({ "permissionArn": DATA }))["permission"].clone();
    let text: Value = serde_json::from_str(told["permission"].as_str().unwrap()).unwrap();
    assert_eq!(text["Action"][0], "s3:GetDataAccess");
    let versions = call(&root, "ListPermissionVersions", json!({ "permissionArn": DATA }));
    assert_eq!(each(&versions["permissions"], "version"), ["1"]);
    for (arn, code) in [
        ("odd", "MalformedArnException"),
        ("arn:aws:ram::aws:permission/None", "UnknownResourceException"),
    ] {
        refused(&root, "GetPermission", json!({ "permissionArn": arn }), code);
        refused(&root, "ListPermissionVersions", json!({ "permissionArn": arn }), code);
    }
    let second = json!({ "permissionArn": DATA, "permissionVersion": 2 });
    refused(&root, "GetPermission", second, "UnknownResourceException");
    let deleted = json!({ "permissionArn": DATA });
    refused(&root, "DeletePermission", deleted, "UnknownResourceException");
}

#[test]
fn a_permission_has_versions() {
    let Some(lab) = Lab::start("a_permission_has_versions") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let arn = make(&root, "own");
    assert_eq!(arn, format!("arn:aws:ram:us-east-1:{account}:permission/own"));
    let again = json!({
        "name": "own", "resourceType": TYPE, "policyTemplate": template(&["s3:GetDataAccess"]),
    });
    refused(&root, "CreatePermission", again, "PermissionAlreadyExistsException");
    let list = template(&["s3:ListAccessGrants"]);
    let version = json!({ "permissionArn": arn, "policyTemplate": list });
    let made = call(&root, "CreatePermissionVersion", version.clone());
    assert_eq!(made["permission"]["version"], "2");
    assert_eq!(made["permission"]["defaultVersion"], true);
    assert_eq!(made["permission"]["permission"], json!(list));
    let versions = || {
        let input = json!({ "permissionArn": arn });
        let listed = pages(&root, "ListPermissionVersions", input, "permissions", 1);
        let status = |one: &Value| one["status"].as_str().unwrap().to_owned();
        listed.iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(versions(), ["UNATTACHABLE", "ATTACHABLE"]);
    for _ in 0..3 {
        call(&root, "CreatePermissionVersion", version.clone());
    }
    let code = "PermissionVersionsLimitExceededException";
    refused(&root, "CreatePermissionVersion", version.clone(), code);
    let of = |number: i32| json!({ "permissionArn": arn, "permissionVersion": number });
    let default = refused(&root, "DeletePermissionVersion", of(5), "InvalidParameterException");
    assert!(default.contains("default version"), "{default}");
    assert_eq!(call(&root, "SetDefaultPermissionVersion", of(2))["returnValue"], true);
    refused(&root, "SetDefaultPermissionVersion", of(9), "UnknownResourceException");
    let deleted = call(&root, "DeletePermissionVersion", of(5));
    assert_eq!(deleted["permissionStatus"], "DELETING");
    refused(&root, "DeletePermissionVersion", of(5), "UnknownResourceException");
    assert_eq!(versions().last().unwrap(), "DELETED");
    call(&root, "CreatePermissionVersion", version);

    let gone = json!({ "permissionArn": arn });
    assert_eq!(call(&root, "DeletePermission", gone.clone())["permissionStatus"], "DELETING");
    refused(&root, "DeletePermission", gone.clone(), "UnknownResourceException");
    let told = call(&root, "GetPermission", gone.clone());
    assert_eq!(told["permission"]["status"], "DELETED");
    lab.advance(2 * 3_600 + 60);
    refused(&root, "GetPermission", gone, "UnknownResourceException");
}

#[test]
fn templates_are_checked() {
    let Some(lab) = Lab::start("templates_are_checked") else { return };
    let root = lab.root();
    let ask = |of: &str, text: &str| {
        let name = "p";
        json!({ "name": name, "resourceType": of, "policyTemplate": text })
    };
    let good = template(&["s3:GetDataAccess"]);
    refused(&root, "CreatePermission", ask("ec2:Subnet", &good), "InvalidParameterException");
    for text in ["", "{}", r#"{"Effect":"Deny","Action":"s3:GetDataAccess"}"#] {
        let code = "MalformedPolicyTemplateException";
        refused(&root, "CreatePermission", ask(TYPE, text), code);
    }
    let other = template(&["s3:GetObject"]);
    refused(&root, "CreatePermission", ask(TYPE, &other), "InvalidPolicyException");
    for at in 0..10 {
        make(&root, &format!("p{at}"));
    }
    let code = "PermissionLimitExceededException";
    refused(&root, "CreatePermission", ask(TYPE, &good), code);
}

#[test]
fn shares_have_permissions_and_have_them_replaced() {
    let test = "shares_have_permissions_and_have_them_replaced";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let arn = share(&root, "s", &[]);
    let own = make(&root, "own");
    let give = |permission: &str| json!({ "resourceShareArn": arn, "permissionArn": permission });
    call(&root, "AssociateResourceSharePermission", give(DATA));
    let second = give(CONTROL);
    let code = "InvalidParameterException";
    refused(&root, "AssociateResourceSharePermission", second.clone(), code);
    let mut replacing = second;
    replacing["replace"] = json!(true);
    call(&root, "AssociateResourceSharePermission", replacing.clone());
    replacing["permissionVersion"] = json!(7);
    refused(&root, "AssociateResourceSharePermission", replacing, code);
    let listed = call(&root, "ListResourceSharePermissions", json!({ "resourceShareArn": arn }));
    assert_eq!(each(&listed["permissions"], "arn"), [CONTROL]);
    let users = call(&root, "ListPermissionAssociations", json!({ "permissionArn": CONTROL }));
    assert_eq!(each(&users["permissions"], "resourceShareArn"), [arn.as_str()]);
    for (filter, count) in [
        (json!({ "permissionArn": DATA }), 0),
        (json!({ "resourceType": TYPE, "featureSet": "STANDARD", "defaultVersion": true }), 1),
        (json!({ "associationStatus": "DISASSOCIATED" }), 0),
        (json!({ "permissionVersion": 2 }), 0),
    ] {
        let found = call(&root, "ListPermissionAssociations", filter.clone());
        assert_eq!(found["permissions"].as_array().unwrap().len(), count, "{filter}");
    }

    let ask = json!({ "fromPermissionArn": CONTROL, "toPermissionArn": own });
    let work = call(&root, "ReplacePermissionAssociations", ask);
    let work = &work["replacePermissionAssociationsWork"];
    assert_eq!(work["status"], "IN_PROGRESS");
    let of_work = json!({ "workIds": [work["id"]] });
    wait(&root, "ListReplacePermissionAssociationsWork", &of_work, "COMPLETED");
    let listed = call(&root, "ListResourceSharePermissions", json!({ "resourceShareArn": arn }));
    assert_eq!(each(&listed["permissions"], "arn"), [own.as_str()]);
    refused(
        &root,
        "DeletePermission",
        json!({ "permissionArn": own }),
        "OperationNotPermittedException",
    );
    let missing = json!({ "fromPermissionArn": own, "toPermissionArn": format!("{own}x") });
    refused(&root, "ReplacePermissionAssociations", missing, "UnknownResourceException");

    call(&root, "DisassociateResourceSharePermission", give(&own));
    refused(&root, "DisassociateResourceSharePermission", give(&own), "UnknownResourceException");
    call(&root, "DeletePermission", json!({ "permissionArn": own }));
    let made = json!({ "permissionArn": make(&root, "other"), "name": "promoted" });
    let code = "OperationNotPermittedException";
    refused(&root, "PromotePermissionCreatedFromPolicy", made, code);
    let made = json!({ "resourceShareArn": arn });
    refused(&root, "PromoteResourceShareCreatedFromPolicy", made, code);
}
