//! Who has no permission may do nothing; conditions of RAM's own; what cannot be shared.

use super::{OTHER, call, refused, share};
use crate::support::{Lab, policy};
use serde_json::{Value, json};

#[test]
fn a_fresh_user_is_refused_every_operation_of_ram() {
    let test = "a_fresh_user_is_refused_every_operation_of_ram";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let arn = share(&root, "s", &[]);
    let nobody = lab.user(&root, "nobody", None);
    let of = |kind: &str| arn.replace(":resource-share/", &format!(":{kind}/"));
    let given = json!({
        "resourceShareArn": arn,
        "resourceShareInvitationArn": of("resource-share-invitation"),
        "permissionArn": of("permission"),
        "fromPermissionArn": of("permission"),
        "toPermissionArn": of("permission"),
    });
    let told = nobody.sweep("ram", &given);
    assert!(told.len() >= 34, "boto3 knows {} operations", told.len());
    for (operation, code, message) in told {
        assert_eq!(code, "AccessDeniedException", "{operation}: {message}");
        let action = format!("is not authorized to perform: ram:{operation} ");
        assert!(message.contains(&action), "{operation}: {message}");
    }
    let own = call(&root, "GetResourceShares", json!({ "resourceOwner": "SELF" }));
    assert_eq!(own["resourceShares"].as_array().unwrap().len(), 1);
}

/// An allow of one action under a condition, and an allow of another without.
fn allowing(action: &str, operator: &str, key: &str, value: &str) -> Value {
    let mut allowed = policy("Allow", &[action], &["*"]);
    allowed["Statement"][0]["Condition"] = json!({ operator: { key: value } });
    allowed
}

#[test]
fn conditions_hold_what_is_shared_and_with_whom() {
    let test = "conditions_hold_what_is_shared_and_with_whom";
    let Some(lab) = Lab::start(test) else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let denied = ("AccessDeniedException", 403);
    let create = "CreateResourceShare";
    let mut users = 0;
    let mut user = |allowed: Value| {
        users += 1;
        lab.user(&root, &format!("user-{users}"), Some(allowed))
    };
    let new = |more: Value| {
        let mut input = json!({ "name": "s" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };

    // Each principal must be allowed, not one of them.
    let one = user(allowing("ram:CreateResourceShare", "StringEquals", "ram:Principal", &account));
    call(&one, create, new(json!({ "principals": [account] })));
    one.refused(("ram", create), new(json!({ "principals": [account, OTHER] })), denied);
    one.refused(("ram", create), new(json!({})), denied);

    // What the request leaves out is open to others, and the key says so.
    let key = "ram:RequestedAllowsExternalPrincipals";
    let closed = user(allowing("ram:CreateResourceShare", "Bool", key, "false"));
    call(&closed, create, new(json!({ "allowExternalPrincipals": false })));
    closed.refused(("ram", create), new(json!({ "allowExternalPrincipals": true })), denied);
    closed.refused(("ram", create), new(json!({})), denied);
    let key = "ram:RetainSharingOnAccountLeaveOrganization";
    let loose = user(allowing("ram:CreateResourceShare", "Bool", key, "false"));
    call(&loose, create, new(json!({})));
    let kept = json!({
        "resourceShareConfiguration": { "retainSharingOnAccountLeaveOrganization": true },
    });
    loose.refused(("ram", create), new(kept), denied);

    // By what a share is.
    let made = call(
        &root,
        create,
        json!({ "name": "mine", "tags": [{ "key": "team", "value": "blue" }] }),
    );
    let mine = made["resourceShare"]["resourceShareArn"].clone();
    let yours = share(&root, "yours", &[]);
    let delete = "DeleteResourceShare";
    for (operator, key, value) in [
        ("StringEquals", "ram:ResourceShareName", "mine"),
        ("StringEquals", "aws:ResourceTag/team", "blue"),
        ("StringEquals", "ram:ResourceTag/team", "blue"),
    ] {
        let some = user(allowing("ram:UpdateResourceShare", operator, key, value));
        let name = "mine";
        call(&some, "UpdateResourceShare", json!({ "resourceShareArn": mine, "name": name }));
        let other = json!({ "resourceShareArn": yours, "name": name });
        some.refused(("ram", "UpdateResourceShare"), other, denied);
    }
    let open =
        user(allowing("ram:DeleteResourceShare", "Bool", "ram:AllowsExternalPrincipals", "false"));
    open.refused(("ram", delete), json!({ "resourceShareArn": yours }), denied);
    call(
        &root,
        "UpdateResourceShare",
        json!({ "resourceShareArn": yours, "allowExternalPrincipals": false }),
    );
    call(&open, delete, json!({ "resourceShareArn": yours }));
}

#[test]
fn permissions_are_held_by_their_type_and_name() {
    let test = "permissions_are_held_by_their_type_and_name";
    let Some(lab) = Lab::start(test) else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let denied = ("AccessDeniedException", 403);
    let template = r#"{"Effect":"Allow","Action":["s3:GetDataAccess"]}"#;
    let new = |name: &str| {
        let of = "s3:AccessGrants";
        json!({ "name": name, "resourceType": of, "policyTemplate": template })
    };
    let arn = |name: &str| format!("arn:aws:ram:us-east-1:{account}:permission/{name}");
    let ann = lab.user(
        &root,
        "ann",
        Some(allowing("ram:CreatePermission", "ArnEquals", "ram:PermissionArn", &arn("a"))),
    );
    call(&ann, "CreatePermission", new("a"));
    ann.refused(("ram", "CreatePermission"), new("b"), denied);
    // Tags want the right to tag.
    let mut tagged = new("a");
    tagged["tags"] = json!([{ "key": "k", "value": "v" }]);
    ann.refused(("ram", "CreatePermission"), tagged, denied);
    let bob = lab.user(
        &root,
        "bob",
        Some(allowing(
            "ram:DeletePermission",
            "StringEquals",
            "ram:PermissionResourceType",
            "s3:AccessGrants",
        )),
    );
    bob.refused(("ram", "DeletePermission"), json!({ "permissionArn": arn("none") }), denied);
    call(&bob, "DeletePermission", json!({ "permissionArn": arn("a") }));
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let Some(lab) = Lab::start("what_cannot_be_shared_is_refused") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let arn = share(&root, "s", &[]);
    let put = |resource: &str| json!({ "resourceShareArn": arn, "resourceArns": [resource] });
    for (resource, text) in [
        ("odd".to_owned(), "is not valid"),
        ("arn:aws:s3:::bucket".to_owned(), "You cannot share the selected resource type."),
        (format!("arn:aws:kms:us-east-1:{account}:key/k"), "You cannot share"),
        // A type of AWS's whose resources this plane does not have.
        (format!("arn:aws:s3:us-east-1:{account}:access-grants/default"), "You cannot share"),
    ] {
        let code = "MalformedArnException";
        let message = refused(&root, "AssociateResourceShare", put(&resource), code);
        assert!(message.contains(text), "{resource}: {message}");
    }
    let who = |principal: &str| json!({ "resourceShareArn": arn, "principals": [principal] });
    for (principal, code) in [
        ("o-a1b2c3d4e5", "InvalidParameterException"),
        ("*", "InvalidParameterException"),
        ("arn:aws:organizations::1:organization/o-a1b2c3d4e5", "InvalidParameterException"),
        (
            "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5",
            "UnknownResourceException",
        ),
    ] {
        refused(&root, "AssociateResourceShare", who(principal), code);
    }
    let from = json!({ "resourceShareArn": arn, "sources": ["everywhere"] });
    refused(&root, "AssociateResourceShare", from, "InvalidParameterException");
    let many: Vec<String> = (0..101).map(|at| format!("arn:aws:s3:::bucket-{at}")).collect();
    let many = json!({ "resourceShareArn": arn, "resourceArns": many });
    refused(&root, "AssociateResourceShare", many, "ResourceShareLimitExceededException");
    for (operation, input, code) in [
        ("AssociateResourceShare", json!({ "resourceShareArn": arn }), "InvalidParameterException"),
        (
            "UpdateResourceShare",
            json!({ "resourceShareArn": arn }),
            "MissingRequiredParameterException",
        ),
        ("CreateResourceShare", json!({ "name": " " }), "InvalidParameterException"),
        ("DeleteResourceShare", json!({ "resourceShareArn": "odd" }), "MalformedArnException"),
        (
            "GetResourceShareAssociations",
            json!({ "associationType": "PRINCIPAL", "resourceArn": "arn:aws:s3:::b" }),
            "InvalidParameterException",
        ),
        (
            "GetResourcePolicies",
            json!({ "resourceArns": ["arn:aws:s3:::bucket"] }),
            "ResourceArnNotFoundException",
        ),
        ("GetResourcePolicies", json!({ "resourceArns": ["odd"] }), "MalformedArnException"),
        (
            "ListResources",
            json!({ "resourceOwner": "SELF", "resourceType": "ec2:None" }),
            "InvalidResourceTypeException",
        ),
        (
            "ListPrincipals",
            json!({ "resourceOwner": "SELF", "resourceType": "ec2:None" }),
            "InvalidParameterException",
        ),
        (
            "GetResourceShareInvitations",
            json!({ "resourceShareInvitationArns": ["odd"] }),
            "MalformedArnException",
        ),
        (
            "GetResourceShareInvitations",
            json!({ "resourceShareArns": [arn] }),
            "UnknownResourceException",
        ),
    ] {
        refused(&root, operation, input, code);
    }
    let listed = call(&root, "ListResources", json!({ "resourceOwner": "SELF" }));
    assert_eq!(listed["resources"], json!([]));
    let told = json!({ "associationType": "PRINCIPAL", "resourceShareArns": [arn] });
    let told = call(&root, "GetResourceShareAssociations", told);
    assert_eq!(told["resourceShareAssociations"], json!([]), "a refused call left something");
}
