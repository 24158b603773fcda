//! Sharing within an organization.

use super::{call, refused, settled, share};
use crate::organizations::Organization;
use crate::support::{Lab, each, policy};
use serde_json::json;

#[test]
fn an_organization_shares_without_invitations() {
    let Some(lab) = Lab::start("an_organization_shares_without_invitations") else { return };
    let organization = Organization::new(&lab);
    let member = organization.new_account("member");
    let inside = organization.inside(&member);
    let enable = "EnableSharingWithAwsOrganization";
    refused(&inside, enable, json!({}), "OperationNotPermittedException");
    let (account, id) = (&organization.account, &organization.id);
    let whole = format!("arn:aws:organizations::{account}:organization/{id}");
    let manager = &organization.management;
    let ask = json!({ "name": "s", "principals": [whole] });
    refused(manager, "CreateResourceShare", ask.clone(), "OperationNotPermittedException");
    // A member is asked as long as the organization does not share.
    let asked = share(manager, "asked", &[&member]);
    let told = settled(manager, &asked, "PRINCIPAL", "ASSOCIATING");
    assert_eq!(told["external"], false);
    let pending = call(&inside, "GetResourceShareInvitations", json!({}));
    assert_eq!(pending["resourceShareInvitations"].as_array().unwrap().len(), 1);

    assert_eq!(call(manager, enable, json!({}))["returnValue"], true);
    assert_eq!(call(manager, enable, json!({}))["returnValue"], true);
    let services = organization.ok("ListAWSServiceAccessForOrganization", json!({}));
    let names = each(&services["EnabledServicePrincipals"], "ServicePrincipal");
    assert_eq!(names, ["ram.amazonaws.com"]);
    let role = json!({ "RoleName": "AWSServiceRoleForResourceAccessManager" });
    let role = manager.ok("iam", "GetRole", role);
    assert_eq!(role["Role"]["Path"], "/aws-service-role/ram.amazonaws.com/");

    let all = share(manager, "all", &[&whole]);
    settled(manager, &all, "PRINCIPAL", "ASSOCIATED");
    let one = share(manager, "one", &[&member]);
    settled(manager, &one, "PRINCIPAL", "ASSOCIATED");
    let others = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    let names = || {
        let seen = call(&inside, "GetResourceShares", others.clone());
        let mut names: Vec<String> =
            each(&seen["resourceShares"], "name").into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(), ["all", "one"]);
    // What the organization gives cannot be left.
    let leave = json!({ "resourceShareArn": one, "principals": [member] });
    refused(&inside, "DisassociateResourceShare", leave, "OperationNotPermittedException");
    let narrow = json!({ "resourceShareArn": one, "allowExternalPrincipals": false });
    call(manager, "UpdateResourceShare", narrow.clone());
    let outside = json!({ "resourceShareArn": all, "principals": ["333344445555"] });
    call(manager, "AssociateResourceShare", outside);
    let narrow = json!({ "resourceShareArn": all, "allowExternalPrincipals": false });
    refused(manager, "UpdateResourceShare", narrow, "OperationNotPermittedException");

    let service = json!({ "ServicePrincipal": "ram.amazonaws.com" });
    organization.ok("DisableAWSServiceAccess", service);
    assert_eq!(names(), [""; 0]);
    settled(manager, &one, "PRINCIPAL", "DISASSOCIATED");
}

#[test]
fn a_member_that_leaves_sees_no_share_any_more() {
    let Some(lab) = Lab::start("a_member_that_leaves_sees_no_share_any_more") else { return };
    let organization = Organization::new(&lab);
    let member = organization.new_account("member");
    let inside = organization.inside(&member);
    let manager = &organization.management;
    call(manager, "EnableSharingWithAwsOrganization", json!({}));
    let unit = organization.new_unit(&organization.root, "unit");
    let (account, id) = (&organization.account, &organization.id);
    let unit_arn = format!("arn:aws:organizations::{account}:ou/{id}/{unit}");
    let of_unit = share(manager, "unit", &[&unit_arn]);
    let alone = share(manager, "alone", &[&member]);
    settled(manager, &of_unit, "PRINCIPAL", "ASSOCIATED");
    settled(manager, &alone, "PRINCIPAL", "ASSOCIATED");
    let count = || {
        let input = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
        let seen = call(&inside, "GetResourceShares", input);
        seen["resourceShares"].as_array().unwrap().len()
    };
    assert_eq!(count(), 1, "it is not below the unit");
    let moved = json!({
        "AccountId": member, "SourceParentId": organization.root, "DestinationParentId": unit,
    });
    organization.ok("MoveAccount", moved);
    assert_eq!(count(), 2);
    organization.ok("RemoveAccountFromOrganization", json!({ "AccountId": member }));
    assert_eq!(count(), 0);
    settled(manager, &alone, "PRINCIPAL", "DISASSOCIATED");
}

#[test]
fn enabling_wants_what_it_does_to_be_allowed() {
    let Some(lab) = Lab::start("enabling_wants_what_it_does_to_be_allowed") else { return };
    let organization = Organization::new(&lab);
    let root = lab.root();
    let actions = [
        "ram:EnableSharingWithAwsOrganization",
        "organizations:DescribeOrganization",
        "organizations:EnableAWSServiceAccess",
        "iam:CreateServiceLinkedRole",
    ];
    for missing in 0..actions.len() {
        let mut some = actions.to_vec();
        let gone = some.remove(missing);
        let name = format!("without-{missing}");
        let user = lab.user(&root, &name, Some(policy("Allow", &some, &["*"])));
        let denied = ("AccessDeniedException", 403);
        let ask = ("ram", "EnableSharingWithAwsOrganization");
        let message = user.refused(ask, json!({}), denied).message;
        assert!(message.contains(gone), "{gone}: {message}");
    }
    let user = lab.user(&root, "with-all", Some(policy("Allow", &actions, &["*"])));
    call(&user, "EnableSharingWithAwsOrganization", json!({}));
    drop(organization);
}
