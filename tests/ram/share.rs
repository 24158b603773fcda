//! Shares: made, changed, deleted, listed, tagged.

use super::{CONTROL, DATA, OTHER, call, pages, refused, settled, share, wait};
use crate::support::{Lab, each};
use serde_json::json;

#[test]
fn a_share_lives_and_dies() {
    let Some(lab) = Lab::start("a_share_lives_and_dies") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let made = call(
        &root,
        "CreateResourceShare",
        json!({
            "name": "first", "tags": [{ "key": "team", "value": "blue" }],
            "clientToken": "once", "permissionArns": [DATA],
            "resourceShareConfiguration": { "retainSharingOnAccountLeaveOrganization": true },
        }),
    );
    assert_eq!(made["clientToken"], "once");
    let told = &made["resourceShare"];
    let arn = told["resourceShareArn"].as_str().unwrap().to_owned();
    assert!(arn.starts_with(&format!("arn:aws:ram:us-east-1:{account}:resource-share/")), "{arn}");
    assert_eq!(told["status"], "ACTIVE");
    assert_eq!(told["allowExternalPrincipals"], true);
    assert_eq!(told["featureSet"], "STANDARD");
    assert_eq!(told["owningAccountId"], json!(account));
    let retains = &told["resourceShareConfiguration"];
    assert_eq!(retains["retainSharingOnAccountLeaveOrganization"], true);

    let own = json!({ "resourceOwner": "SELF", "resourceShareArns": [arn] });
    let listed = call(&root, "GetResourceShares", own.clone());
    assert_eq!(listed["resourceShares"][0], *told);
    let changed = json!({
        "resourceShareArn": arn, "name": "renamed", "allowExternalPrincipals": false,
    });
    let changed = call(&root, "UpdateResourceShare", changed);
    assert_eq!(changed["resourceShare"]["name"], "renamed");
    assert_eq!(changed["resourceShare"]["allowExternalPrincipals"], false);
    let message = refused(
        &root,
        "AssociateResourceShare",
        json!({ "resourceShareArn": arn, "principals": [OTHER] }),
        "InvalidParameterException",
    );
    assert!(message.contains("is not in your AWS organization"), "{message}");

    let deleted = call(&root, "DeleteResourceShare", json!({ "resourceShareArn": arn }));
    assert_eq!(deleted["returnValue"], true);
    wait(&root, "GetResourceShares", &own, "DELETED");
    lab.advance(2 * 3_600 + 60);
    refused(&root, "GetResourceShares", own, "UnknownResourceException");
    refused(
        &root,
        "UpdateResourceShare",
        json!({ "resourceShareArn": arn, "name": "x" }),
        "UnknownResourceException",
    );
}

#[test]
fn a_call_with_a_token_is_done_once() {
    let Some(lab) = Lab::start("a_call_with_a_token_is_done_once") else { return };
    let root = lab.root();
    let input = |name: &str| json!({ "name": name, "clientToken": "token-1" });
    let first = call(&root, "CreateResourceShare", input("a"));
    let again = call(&root, "CreateResourceShare", input("a"));
    assert_eq!(again["resourceShare"], first["resourceShare"]);
    let code = "IdempotentParameterMismatchException";
    refused(&root, "CreateResourceShare", input("b"), code);
    let odd = json!({ "name": "c", "clientToken": "no good" });
    refused(&root, "CreateResourceShare", odd, "InvalidClientTokenException");
    let own = call(&root, "GetResourceShares", json!({ "resourceOwner": "SELF" }));
    assert_eq!(each(&own["resourceShares"], "name"), ["a"]);
}

#[test]
fn shares_are_listed_page_by_page_and_by_what_they_are() {
    let test = "shares_are_listed_page_by_page_and_by_what_they_are";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    for at in 0..5 {
        let tags = json!([{ "key": "at", "value": at.to_string() }]);
        let permission = if at < 2 { DATA } else { CONTROL };
        let input =
            json!({ "name": format!("s{at}"), "tags": tags, "permissionArns": [permission] });
        call(&root, "CreateResourceShare", input);
    }
    let own = json!({ "resourceOwner": "SELF" });
    let all = pages(&root, "GetResourceShares", own.clone(), "resourceShares", 2);
    assert_eq!(all.len(), 5);
    let found = |more: serde_json::Value| {
        let mut input = own.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let listed = call(&root, "GetResourceShares", input);
        let mut names: Vec<String> =
            each(&listed["resourceShares"], "name").into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(found(json!({ "name": "s3" })), ["s3"]);
    assert_eq!(found(json!({ "permissionArn": DATA })), ["s0", "s1"]);
    assert_eq!(found(json!({ "permissionArn": DATA, "permissionVersion": 2 })), [""; 0]);
    assert_eq!(found(json!({ "resourceShareStatus": "DELETED" })), [""; 0]);
    let either = json!([{ "tagKey": "at", "tagValues": ["1", "4"] }, { "tagKey": "none" }]);
    assert_eq!(found(json!({ "tagFilters": either })), ["s1", "s4"]);
    let others = call(&root, "GetResourceShares", json!({ "resourceOwner": "OTHER-ACCOUNTS" }));
    assert_eq!(others["resourceShares"], json!([]));
    let bad = json!({ "resourceOwner": "SELF", "nextToken": "!" });
    refused(&root, "GetResourceShares", bad, "InvalidNextTokenException");
}

#[test]
fn principals_and_sources_come_and_go() {
    let Some(lab) = Lab::start("principals_and_sources_come_and_go") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let arn = share(&root, "s", &[]);
    let service = "config.amazonaws.com";
    let input = json!({
        "resourceShareArn": arn, "principals": [service], "sources": [account, "o-a1b2c3d4e5"],
    });
    let added = call(&root, "AssociateResourceShare", input);
    let added = &added["resourceShareAssociations"];
    assert_eq!(each(added, "associationType"), ["PRINCIPAL", "SOURCE", "SOURCE"]);
    assert_eq!(each(added, "status"), ["ASSOCIATING"; 3]);
    let settled_one = settled(&root, &arn, "PRINCIPAL", "ASSOCIATED");
    assert_eq!(settled_one["associatedEntity"], service);
    assert_eq!(settled_one["external"], false);

    let sources = json!({ "resourceShareArns": [arn] });
    let listed = pages(&root, "ListSourceAssociations", sources, "sourceAssociations", 1);
    let types: Vec<_> = listed.iter().map(|one| one["sourceType"].as_str().unwrap()).collect();
    assert_eq!(types, ["ACCOUNT", "ORGANIZATION_ID"]);
    let by_id = json!({ "sourceId": "o-a1b2c3d4e5", "associationStatus": "ASSOCIATED" });
    let one = call(&root, "ListSourceAssociations", by_id);
    assert_eq!(one["sourceAssociations"].as_array().unwrap().len(), 1);
    let odd = json!({ "sourceType": "ODD" });
    refused(&root, "ListSourceAssociations", odd, "InvalidParameterException");

    let principals = json!({ "resourceOwner": "SELF", "resourceShareArns": [arn] });
    let told = call(&root, "ListPrincipals", principals.clone());
    assert_eq!(each(&told["principals"], "id"), [service]);
    let out = |what: serde_json::Value| {
        let mut input = json!({ "resourceShareArn": arn });
        input.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        input
    };
    call(&root, "DisassociateResourceShare", out(json!({ "sources": ["o-a1b2c3d4e5"] })));
    let last = out(json!({ "sources": [account] }));
    let message = refused(&root, "DisassociateResourceShare", last, "InvalidParameterException");
    assert!(message.contains("At least one source must remain"), "{message}");
    let gone = out(json!({ "principals": [service] }));
    let ended = call(&root, "DisassociateResourceShare", gone.clone());
    assert_eq!(ended["resourceShareAssociations"][0]["status"], "DISASSOCIATING");
    settled(&root, &arn, "PRINCIPAL", "DISASSOCIATED");
    refused(&root, "DisassociateResourceShare", gone, "UnknownResourceException");
    let nothing = json!({ "resourceShareArn": arn });
    refused(&root, "DisassociateResourceShare", nothing, "InvalidParameterException");
    assert_eq!(call(&root, "ListPrincipals", principals)["principals"], json!([]));
    // What ended is forgotten after a while.
    lab.advance(2 * 3_600 + 60);
    let input = json!({ "associationType": "PRINCIPAL", "resourceShareArns": [arn] });
    let left = call(&root, "GetResourceShareAssociations", input);
    assert_eq!(left["resourceShareAssociations"], json!([]));
}

#[test]
fn tags_of_shares_and_permissions() {
    let Some(lab) = Lab::start("tags_of_shares_and_permissions") else { return };
    let root = lab.root();
    let arn = share(&root, "s", &[]);
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    let tags = |arn: &str| {
        let own = json!({ "resourceOwner": "SELF", "resourceShareArns": [arn] });
        call(&root, "GetResourceShares", own)["resourceShares"][0]["tags"].clone()
    };
    let set = |tags: serde_json::Value| json!({ "resourceShareArn": arn, "tags": tags });
    call(&root, "TagResource", set(json!([tag("a", "1"), tag("A", "2")])));
    call(&root, "TagResource", set(json!([tag("a", "3")])));
    assert_eq!(tags(&arn), json!([tag("A", "2"), tag("a", "3")]));
    call(&root, "UntagResource", json!({ "resourceShareArn": arn, "tagKeys": ["A", "none"] }));
    assert_eq!(tags(&arn), json!([tag("a", "3")]));

    let many: Vec<_> = (0..50).map(|at| tag(&format!("k{at}"), "")).collect();
    refused(&root, "TagResource", set(json!(many)), "TagLimitExceededException");
    refused(&root, "TagResource", set(json!([tag("aws:x", "")])), "TagPolicyViolationException");
    let twice = json!([tag("b", ""), tag("b", "")]);
    refused(&root, "TagResource", set(twice), "InvalidParameterException");
    refused(&root, "TagResource", json!({ "tags": [tag("b", "")] }), "InvalidParameterException");
    assert_eq!(tags(&arn), json!([tag("a", "3")]), "a refused call changed something");
    let gone = arn.replace(":resource-share/", ":permission/x");
    let input = json!({ "resourceArn": gone, "tags": [tag("b", "")] });
    refused(&root, "TagResource", input, "ResourceArnNotFoundException");
    let input = json!({ "resourceArn": gone, "tagKeys": ["b"] });
    refused(&root, "UntagResource", input, "UnknownResourceException");
    let input = json!({ "resourceShareArn": "odd", "tagKeys": ["b"] });
    refused(&root, "UntagResource", input, "MalformedArnException");
}
