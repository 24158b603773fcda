//! RAM from inside, with two types of its own: what shares mean for decisions, and what the clock
//! does to them. The types' resources are there unless their name says otherwise.

mod access;
mod clock;
mod organization;
mod permission;

use super::resource_type::{Managed, ResourceType};
use super::{SERVICE, association, invitation, leaving, share};
use crate::authorization::{Requirement, decide, of_caller};
use crate::caller::Caller;
use crate::context::Context;
use crate::errors::internal;
use crate::s3;
use crate::testing::{ACCOUNT, Lab};
use palisade_model::ram::{
    AcceptResourceShareInvitationRequest, AssociateResourceShareRequest,
    CreateResourceShareRequest, DisassociateResourceShareRequest,
    GetResourceShareAssociationsRequest, GetResourceShareInvitationsRequest,
    GetResourceSharesRequest, ResourceShareInvitation,
};
use palisade_protocol::json;
use palisade_shape::{Named, Nothing, Result};

/// Another account.
const OTHER: &str = "210987654321";
const THING_ARN: &str = "arn:aws:test:us-east-1:123456789012:thing/one";
const INSIDER_ARN: &str = "arn:aws:test:us-east-1:123456789012:insider/one";

fn exists(_: &Context, arn: &str) -> Result<bool> {
    Ok(!arn.ends_with("/gone"))
}

/// What can be shared with everybody.
pub static THING: ResourceType = ResourceType {
    name: "test:Thing",
    global: false,
    arn: ("test", "thing/"),
    kind: ("s3", "accessgrantsinstance"),
    iam_principals: true,
    outside: true,
    customer_permissions: true,
    can_be_left: true,
    permissions: &[
        Managed {
            name: "AWSRAMDefaultPermissionTestThing",
            template: r#"{"Effect":"Allow","Action":["s3:GetDataAccess"]}"#,
            created_millis: 0,
        },
        Managed {
            name: "AWSRAMPermissionTestThingList",
            template: r#"{"Effect":"Allow","Action":["s3:ListAccessGrants"]}"#,
            created_millis: 0,
        },
    ],
    exists: Some(exists),
};

/// What can be shared within the organization and with accounts only.
pub static INSIDER: ResourceType = ResourceType {
    name: "test:Insider",
    global: false,
    arn: ("test", "insider/"),
    kind: ("s3", "accessgrantsinstance"),
    iam_principals: false,
    outside: false,
    customer_permissions: false,
    can_be_left: false,
    permissions: &[Managed {
        name: "AWSRAMDefaultPermissionTestInsider",
        template: r#"{"Effect":"Allow","Action":["s3:GetDataAccess"]}"#,
        created_millis: 0,
    }],
    exists: Some(exists),
};

/// Calls an operation through its row.
fn call<I, O>(lab: &Lab, operation: &'static str, input: I) -> Result<O>
where
    I: Named + Clone + Send + Sync + 'static,
    O: Named + Send + 'static,
{
    let mut lab = lab.clone();
    lab.request.operation = operation;
    lab.write(move |cx| {
        let output = SERVICE.operation(operation).unwrap().handler.call(cx, &input)?;
        let mut read = O::default();
        json::from_json(&json::to_json(&*output), &mut read)
            .map_err(|error| internal(format!("{error:?}")))?;
        Ok(read)
    })
}

fn some(values: &[&str]) -> Option<Vec<String>> {
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

/// A share of [`ACCOUNT`]'s with a thing and these principals: its ARN.
fn shared(lab: &Lab, principals: &[&str]) -> String {
    let input = CreateResourceShareRequest {
        name: "share".to_owned(),
        resource_arns: some(&[THING_ARN]),
        principals: some(principals),
        ..CreateResourceShareRequest::default()
    };
    let made = lab.call(share::create_resource_share, input).unwrap();
    lab.run_jobs();
    made.resource_share.unwrap().resource_share_arn.unwrap()
}

/// Whether the caller may do that with the resource, which is [`ACCOUNT`]'s.
fn may_on(lab: &Lab, caller: &Caller, action: &str, arn: &str) -> bool {
    let snapshot = lab.plane.store.snapshot();
    let credential = of_caller(&lab.plane, &snapshot, caller.clone()).unwrap().unwrap();
    let called = lab.called_by(caller.clone());
    called
        .read(|cx| {
            let requirement =
                Requirement::new(action, arn, ACCOUNT).of_kind("accessgrantsinstance");
            decide(cx, &s3::SERVICE, requirement, &Nothing, &credential)
        })
        .unwrap()
        .decision
        .allowed()
}

fn may(lab: &Lab, caller: &Caller, action: &str) -> bool {
    may_on(lab, caller, action, THING_ARN)
}

/// The status of each association of a share, by its entity.
fn statuses(lab: &Lab, share: &str, kind: &str) -> Vec<(String, String)> {
    let input = GetResourceShareAssociationsRequest {
        association_type: kind.to_owned(),
        resource_share_arns: some(&[share]),
        ..GetResourceShareAssociationsRequest::default()
    };
    let listed = lab.read(|cx| association::get_resource_share_associations(cx, input)).unwrap();
    let listed = listed.resource_share_associations.unwrap().into_iter();
    listed.map(|one| (one.associated_entity.unwrap(), one.status.unwrap())).collect()
}

fn of(entity: &str, status: &str) -> Vec<(String, String)> {
    vec![(entity.to_owned(), status.to_owned())]
}

fn invitations(lab: &Lab) -> Vec<ResourceShareInvitation> {
    let input = GetResourceShareInvitationsRequest::default();
    let listed = lab.read(|cx| invitation::get_resource_share_invitations(cx, input)).unwrap();
    listed.resource_share_invitations.unwrap()
}

/// Accepts the one invitation that there is.
fn accept(lab: &Lab) {
    let arn = invitations(lab).pop().unwrap().resource_share_invitation_arn.unwrap();
    let input = AcceptResourceShareInvitationRequest {
        resource_share_invitation_arn: arn,
        client_token: None,
    };
    lab.call(invitation::accept_resource_share_invitation, input).unwrap();
}

fn names_of_shares(lab: &Lab, owner: &str) -> Vec<String> {
    let input = GetResourceSharesRequest {
        resource_owner: owner.to_owned(),
        ..GetResourceSharesRequest::default()
    };
    let listed = lab.read(|cx| share::get_resource_shares(cx, input)).unwrap();
    listed.resource_shares.unwrap().into_iter().map(|share| share.name.unwrap()).collect()
}

fn associate(
    share: &str,
    principals: &[&str],
    resources: &[&str],
) -> AssociateResourceShareRequest {
    AssociateResourceShareRequest {
        resource_share_arn: share.to_owned(),
        resource_arns: some(resources),
        principals: some(principals),
        ..AssociateResourceShareRequest::default()
    }
}

fn take_out(lab: &Lab, share: &str, principals: &[&str], resources: &[&str]) {
    let input = DisassociateResourceShareRequest {
        resource_share_arn: share.to_owned(),
        resource_arns: some(resources),
        principals: some(principals),
        ..DisassociateResourceShareRequest::default()
    };
    lab.call(leaving::disassociate_resource_share, input).unwrap();
}
