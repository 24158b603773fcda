//! Shares within an organization: without invitations while it shares, and not beyond it.

use super::*;
use crate::organizations;
use palisade_model::organizations as model;
use palisade_model::ram::EnableSharingWithAwsOrganizationRequest;

/// An organization of [`ACCOUNT`] with the account [`OTHER`] in it.
struct Together {
    lab: Lab,
    other: Lab,
    arn: String,
}

/// Calls an operation of Organizations.
fn govern<I, O>(lab: &Lab, operation: &'static str, input: I) -> O
where
    I: Named + Clone + Send + Sync + 'static,
    O: Named + Send + 'static,
{
    lab.write(move |cx| {
        let row = organizations::SERVICE.operation(operation).unwrap();
        let output = row.handler.call(cx, &input)?;
        let mut read = O::default();
        json::from_json(&json::to_json(&*output), &mut read)
            .map_err(|error| internal(format!("{error:?}")))?;
        Ok(read)
    })
    .unwrap()
}

fn together(shares: bool) -> Together {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let input = model::CreateOrganizationRequest::default();
    let made: model::CreateOrganizationResponse = govern(&lab, "CreateOrganization", input);
    let arn = made.organization.unwrap().arn.unwrap();
    join(&lab, &other);
    if shares {
        enable(&lab);
    }
    Together { lab, other, arn }
}

fn join(lab: &Lab, other: &Lab) {
    let input = model::InviteAccountToOrganizationRequest {
        target: model::HandshakeParty { id: OTHER.to_owned(), r#type: "ACCOUNT".to_owned() },
        ..model::InviteAccountToOrganizationRequest::default()
    };
    let asked: model::InviteAccountToOrganizationResponse =
        govern(lab, "InviteAccountToOrganization", input);
    let id = asked.handshake.unwrap().id.unwrap();
    let input = model::AcceptHandshakeRequest { handshake_id: id };
    let _done: model::AcceptHandshakeResponse = govern(other, "AcceptHandshake", input);
}

fn enable(lab: &Lab) {
    let input = EnableSharingWithAwsOrganizationRequest {};
    lab.call(super::super::sharing::enable_sharing_with_aws_organization, input).unwrap();
}

fn disable(lab: &Lab) {
    let service_principal = "ram.amazonaws.com".to_owned();
    let input = model::DisableAWSServiceAccessRequest { service_principal };
    let _done: Nothing = govern(lab, "DisableAWSServiceAccess", input);
}

fn remove(lab: &Lab) {
    let input = model::RemoveAccountFromOrganizationRequest { account_id: OTHER.to_owned() };
    let _done: Nothing = govern(lab, "RemoveAccountFromOrganization", input);
}

#[test]
fn members_need_no_invitation_and_lose_access_when_they_leave() {
    let Together { lab, other, arn } = together(true);
    for principal in [OTHER, arn.as_str()] {
        let share = shared(&lab, &[principal]);
        assert!(invitations(&other).is_empty());
        assert!(may(&lab, &other.caller, "s3:GetDataAccess"), "{principal}");
        assert_eq!(names_of_shares(&other, "OTHER-ACCOUNTS"), ["share"]);
        let third = lab.in_account("333333333333");
        assert!(!may(&lab, &third.caller, "s3:GetDataAccess"), "it is outside");
        remove(&lab);
        assert!(!may(&lab, &other.caller, "s3:GetDataAccess"), "{principal}");
        assert!(names_of_shares(&other, "OTHER-ACCOUNTS").is_empty());
        lab.run_jobs();
        let status = if principal == OTHER { "DISASSOCIATED" } else { "ASSOCIATED" };
        assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(principal, status));
        // Who comes back was taken out of what named it alone.
        join(&lab, &other);
        assert_eq!(may(&lab, &other.caller, "s3:GetDataAccess"), principal != OTHER);
        take_out(&lab, &share, &[], &[THING_ARN]);
        lab.run_jobs();
    }
}

#[test]
fn a_share_may_be_kept_by_who_leaves() {
    let Together { lab, other, .. } = together(true);
    let input = CreateResourceShareRequest {
        name: "kept".to_owned(),
        resource_arns: some(&[THING_ARN]),
        principals: some(&[OTHER]),
        resource_share_configuration: Some(palisade_model::ram::ResourceShareConfiguration {
            retain_sharing_on_account_leave_organization: Some(true),
        }),
        ..CreateResourceShareRequest::default()
    };
    lab.call(share::create_resource_share, input).unwrap();
    lab.run_jobs();
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
    remove(&lab);
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
}

#[test]
fn the_owner_that_leaves_takes_its_shares_away() {
    let Together { lab, other, arn } = together(true);
    let thing = format!("arn:aws:test:us-east-1:{OTHER}:thing/one");
    let input = CreateResourceShareRequest {
        name: "members".to_owned(),
        resource_arns: some(&[&thing]),
        principals: some(&[&arn, ACCOUNT]),
        ..CreateResourceShareRequest::default()
    };
    other.call(share::create_resource_share, input).unwrap();
    lab.run_jobs();
    assert_eq!(names_of_shares(&lab, "OTHER-ACCOUNTS"), ["members"]);
    remove(&lab);
    assert!(names_of_shares(&lab, "OTHER-ACCOUNTS").is_empty());
    let policies = &super::super::resource_policy::POLICIES;
    assert!(other.read(|cx| cx.get(policies, &thing)).unwrap().is_none());
}

#[test]
fn an_organization_that_stops_to_share_ends_its_shares() {
    let Together { lab, other, arn } = together(true);
    let share = shared(&lab, &[&arn, OTHER, ACCOUNT]);
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
    disable(&lab);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    lab.run_jobs();
    let left = statuses(&lab, &share, "PRINCIPAL");
    let there: Vec<&str> =
        left.iter().filter(|(_, status)| status == "ASSOCIATED").map(|(id, _)| &**id).collect();
    assert_eq!(there, [ACCOUNT], "what needs no organization stays");
    let refused =
        lab.refusal(association::associate_resource_share, associate(&share, &[&arn], &[]));
    assert!(refused.contains("have not enabled sharing"), "{refused}");
    // A member is then asked like anybody else.
    lab.call(association::associate_resource_share, associate(&share, &[OTHER], &[])).unwrap();
    assert_eq!(invitations(&other).len(), 1);
    accept(&other);
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
}

#[test]
fn a_share_may_be_for_the_organization_alone() {
    let Together { lab, other, arn } = together(false);
    drop(other);
    let input = |principal: &str, external: bool| CreateResourceShareRequest {
        name: "share".to_owned(),
        principals: some(&[principal]),
        allow_external_principals: Some(external),
        ..CreateResourceShareRequest::default()
    };
    let refused = lab.refusal(share::create_resource_share, input("333333333333", false));
    let text = "Principal 333333333333 is not in your AWS organization.";
    assert!(refused.contains(text), "{refused}");
    lab.call(share::create_resource_share, input("333333333333", true)).unwrap();
    lab.call(share::create_resource_share, input(OTHER, false)).unwrap();
    let unit = arn.replace(":organization/", ":ou/") + "/ou-ab12-11111111";
    let other_organization = arn.replace(":organization/o-", ":organization/o-zz");
    for (principal, code) in [
        (arn.as_str(), "OperationNotPermittedException"),
        (unit.as_str(), "OperationNotPermittedException"),
        (other_organization.as_str(), "UnknownResourceException"),
    ] {
        let refused = lab.refusal(share::create_resource_share, input(principal, false));
        assert!(refused.starts_with(code), "{principal}: {refused}");
    }
    enable(&lab);
    let refused = lab.refusal(share::create_resource_share, input(&unit, false));
    assert!(refused.contains("could not be found"), "{refused}");
}

#[test]
fn a_unit_is_those_below_it() {
    let Together { lab, other, arn } = together(true);
    let root: model::ListRootsResponse =
        govern(&lab, "ListRoots", model::ListRootsRequest::default());
    let root = root.roots.unwrap().pop().unwrap().id.unwrap();
    let input = model::CreateOrganizationalUnitRequest {
        parent_id: root.clone(),
        name: "unit".to_owned(),
        tags: None,
    };
    let made: model::CreateOrganizationalUnitResponse =
        govern(&lab, "CreateOrganizationalUnit", input);
    let unit = made.organizational_unit.unwrap();
    let (id, unit_arn) = (unit.id.unwrap(), unit.arn.unwrap());
    assert!(unit_arn.starts_with(&arn.replace(":organization/", ":ou/")), "{unit_arn}");
    shared(&lab, &[&unit_arn]);
    assert!(!may(&lab, &other.caller, "s3:GetDataAccess"));
    let input = model::MoveAccountRequest {
        account_id: OTHER.to_owned(),
        source_parent_id: root,
        destination_parent_id: id,
    };
    let _done: Nothing = govern(&lab, "MoveAccount", input);
    assert!(may(&lab, &other.caller, "s3:GetDataAccess"));
    assert_eq!(names_of_shares(&other, "OTHER-ACCOUNTS"), ["share"]);
}
