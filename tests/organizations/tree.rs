//! The organization itself, its root, its units, and what is below what.

use super::{Organization, all};
use crate::support::{Lab, each};
use serde_json::json;

#[test]
fn an_organization_lives_and_dies() {
    let Some(lab) = Lab::start("an_organization_lives_and_dies") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let none = root.refused(
        ("organizations", "DescribeOrganization"),
        json!({}),
        ("AWSOrganizationsNotInUseException", 400),
    );
    assert_eq!(none.message, "Your account is not a member of an organization.");
    let made = root.ok("organizations", "CreateOrganization", json!({}))["Organization"].clone();
    let id = made["Id"].as_str().unwrap();
    assert!(id.starts_with("o-") && id.len() == 12, "{made}");
    assert_eq!(made["FeatureSet"], "ALL");
    assert_eq!(made["MasterAccountId"], json!(account));
    let arn = format!("arn:aws:organizations::{account}:organization/{id}");
    assert_eq!(made["Arn"], json!(arn));
    let arn = format!("arn:aws:organizations::{account}:account/{id}/{account}");
    assert_eq!(made["MasterAccountArn"], json!(arn));
    let code = ("AlreadyInOrganizationException", 400);
    root.refused(("organizations", "CreateOrganization"), json!({}), code);
    let told = root.ok("organizations", "DescribeOrganization", json!({}));
    assert_eq!(told["Organization"], made);
    let roots = root.ok("organizations", "ListRoots", json!({}))["Roots"].clone();
    assert_eq!((&roots[0]["Name"], &roots[0]["PolicyTypes"]), (&json!("Root"), &json!([])));
    // The service has its role in the account from now on.
    root.ok("iam", "GetRole", json!({ "RoleName": "AWSServiceRoleForOrganizations" }));
    root.ok("organizations", "DeleteOrganization", json!({}));
    let code = ("AWSOrganizationsNotInUseException", 400);
    root.refused(("organizations", "ListRoots"), json!({}), code);
    // Another one can be made, which is another one.
    let again = root.ok("organizations", "CreateOrganization", json!({}));
    assert_ne!(again["Organization"]["Id"], made["Id"]);
}

#[test]
fn an_organization_with_something_in_it_stays() {
    let Some(lab) = Lab::start("an_organization_with_something_in_it_stays") else { return };
    let organization = Organization::new(&lab);
    let unit = organization.new_unit(&organization.root, "a");
    organization.refused("DeleteOrganization", json!({}), "OrganizationNotEmptyException");
    let gone = json!({ "OrganizationalUnitId": unit });
    organization.ok("DeleteOrganizationalUnit", gone.clone());
    organization.refused("DescribeOrganizationalUnit", gone, "OrganizationalUnitNotFoundException");
    let account = organization.new_account("member");
    organization.refused("DeleteOrganization", json!({}), "OrganizationNotEmptyException");
    organization.ok("RemoveAccountFromOrganization", json!({ "AccountId": account }));
    organization.ok("DeleteOrganization", json!({}));
}

#[test]
fn units_are_five_levels_deep() {
    let Some(lab) = Lab::start("units_are_five_levels_deep") else { return };
    let organization = Organization::new(&lab);
    let mut parent = organization.root.clone();
    let mut path = format!("{}/{}/", organization.id, organization.root);
    for level in 1..=5 {
        let unit = organization.new_unit(&parent, &format!("level {level}"));
        let id = json!({ "OrganizationalUnitId": unit });
        let told = organization.ok("DescribeOrganizationalUnit", id)["OrganizationalUnit"].clone();
        path.push_str(&format!("{unit}/"));
        assert_eq!((&told["Path"], &told["Id"]), (&json!(path), &json!(unit)));
        let parents = organization.ok("ListParents", json!({ "ChildId": unit }));
        assert_eq!(parents["Parents"][0]["Id"], json!(parent));
        let kind = if level == 1 { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
        assert_eq!(parents["Parents"][0]["Type"], kind);
        parent = unit;
    }
    let sixth = json!({ "ParentId": parent, "Name": "level 6" });
    let refusal =
        organization.refused("CreateOrganizationalUnit", sixth, "ConstraintViolationException");
    assert_eq!(refusal["reason"], "OU_DEPTH_LIMIT_EXCEEDED");
    let not_empty = json!({ "OrganizationalUnitId": path.split('/').nth(2).unwrap() });
    let code = "OrganizationalUnitNotEmptyException";
    organization.refused("DeleteOrganizationalUnit", not_empty, code);
}

#[test]
fn units_have_names_of_their_own_and_pages() {
    let Some(lab) = Lab::start("units_have_names_of_their_own_and_pages") else { return };
    let organization = Organization::new(&lab);
    let root = &organization.root;
    let names: Vec<String> = (0..7).map(|count| format!("unit {count}")).collect();
    let units: Vec<String> = names.iter().map(|name| organization.new_unit(root, name)).collect();
    let again = json!({ "ParentId": root, "Name": "unit 3" });
    let code = "DuplicateOrganizationalUnitException";
    organization.refused("CreateOrganizationalUnit", again, code);
    // Elsewhere the name is free.
    let below = organization.new_unit(&units[0], "unit 3");
    let parent = json!({ "ParentId": root });
    let listed = organization.pages(
        "ListOrganizationalUnitsForParent",
        parent.clone(),
        "OrganizationalUnits",
        3,
    );
    assert_eq!((all(&listed.0, "Name"), listed.1), (names.clone(), 3));
    let mut children = parent;
    children["ChildType"] = json!("ORGANIZATIONAL_UNIT");
    let (children, pages) = organization.pages("ListChildren", children, "Children", 2);
    assert_eq!((all(&children, "Id"), pages), (units.clone(), 4));
    let rename = json!({ "OrganizationalUnitId": units[1], "Name": "unit 2" });
    organization.refused("UpdateOrganizationalUnit", rename, code);
    let rename = json!({ "OrganizationalUnitId": units[1], "Name": "renamed" });
    let renamed = organization.ok("UpdateOrganizationalUnit", rename);
    assert_eq!(renamed["OrganizationalUnit"]["Name"], "renamed");
    organization.new_unit(root, "unit 1");
    let child = json!({ "ParentId": units[0] });
    let below_first = organization.ok("ListOrganizationalUnitsForParent", child);
    assert_eq!(each(&below_first["OrganizationalUnits"], "Id"), [below]);
}

#[test]
fn tags_are_kept_on_everything() {
    let Some(lab) = Lab::start("tags_are_kept_on_everything") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let unit = organization.new_unit(&organization.root, "a");
    let content = crate::support::policy("Allow", &["*"], &["*"]);
    let policy = organization.new_policy("SERVICE_CONTROL_POLICY", "p", &content);
    for id in [&account, &unit, &policy, &organization.root] {
        let tags = json!([{ "Key": "b", "Value": "2" }, { "Key": "a", "Value": "" }]);
        organization.ok("TagResource", json!({ "ResourceId": id, "Tags": tags }));
        let over = json!([{ "Key": "b", "Value": "3" }, { "Key": "B", "Value": "x" }]);
        organization.ok("TagResource", json!({ "ResourceId": id, "Tags": over }));
        organization.ok("UntagResource", json!({ "ResourceId": id, "TagKeys": ["B", "none"] }));
        let listed = organization.ok("ListTagsForResource", json!({ "ResourceId": id }));
        let expected = json!([{ "Key": "a", "Value": "" }, { "Key": "b", "Value": "3" }]);
        assert_eq!(listed["Tags"], expected);
    }
    let twice = json!([{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }]);
    let input = json!({ "ResourceId": unit, "Tags": twice });
    let refusal = organization.refused("TagResource", input, "InvalidInputException");
    assert_eq!(refusal["reason"], "DUPLICATE_TAG_KEY");
    let system = json!({ "ResourceId": unit, "Tags": [{ "Key": "aws:a", "Value": "" }] });
    let refusal = organization.refused("TagResource", system, "InvalidInputException");
    assert_eq!(refusal["reason"], "INVALID_SYSTEM_TAGS_PARAMETER");
    let many: Vec<_> = (0..50).map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect();
    let input = json!({ "ResourceId": unit, "Tags": many });
    let refusal = organization.refused("TagResource", input, "ConstraintViolationException");
    assert_eq!(refusal["reason"], "MAX_TAG_LIMIT_EXCEEDED");
    let ghost = json!({ "ResourceId": "ou-abcd-aaaaaaaa" });
    organization.refused("ListTagsForResource", ghost, "TargetNotFoundException");
}
