//! What time does to shares and invitations, and what a call that comes twice does.

use super::*;
use crate::testing::NOW;
use palisade_model::ram::{
    CreateResourceShareResponse, DeleteResourceShareRequest, RejectResourceShareInvitationRequest,
};
use palisade_store::Read;

#[test]
fn an_invitation_waits_twelve_hours() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    let status = |other: &Lab| invitations(other).pop().unwrap().status.unwrap();
    assert_eq!(status(&other), "PENDING");
    let late = other.at(NOW.plus_seconds(12 * 3_600));
    // It is over when its time is, whether a job has said so or not.
    assert_eq!(status(&late), "EXPIRED");
    let arn = invitations(&other).pop().unwrap().resource_share_invitation_arn.unwrap();
    let input = AcceptResourceShareInvitationRequest {
        resource_share_invitation_arn: arn,
        client_token: None,
    };
    let refused = late.refusal(invitation::accept_resource_share_invitation, input);
    assert!(refused.starts_with("ResourceShareInvitationExpiredException"), "{refused}");
    late.run_jobs();
    assert_eq!(status(&late), "EXPIRED");
    assert_eq!(statuses(&late.called_by(lab.caller.clone()), &share, "PRINCIPAL").len(), 1);
    assert!(!may(&late, &other.caller, "s3:GetDataAccess"));
    let forgotten = late.at(NOW.plus_seconds(8 * 86_400));
    forgotten.run_jobs();
    assert!(invitations(&forgotten).is_empty());
}

#[test]
fn an_invitation_is_answered_once() {
    let lab = Lab::new();
    let other = lab.in_account(OTHER);
    let share = shared(&lab, &[OTHER]);
    let arn = invitations(&other).pop().unwrap().resource_share_invitation_arn.unwrap();
    let reject = RejectResourceShareInvitationRequest {
        resource_share_invitation_arn: arn.clone(),
        client_token: None,
    };
    let third = lab.in_account("333333333333");
    let refused = third.refusal(invitation::reject_resource_share_invitation, reject.clone());
    assert!(refused.starts_with("ResourceShareInvitationArnNotFoundException"), "{refused}");
    other.call(invitation::reject_resource_share_invitation, reject.clone()).unwrap();
    let refused = other.refusal(invitation::reject_resource_share_invitation, reject);
    assert!(refused.starts_with("ResourceShareInvitationAlreadyRejectedException"), "{refused}");
    lab.run_jobs();
    assert_eq!(statuses(&lab, &share, "PRINCIPAL"), of(OTHER, "DISASSOCIATED"));
    // The owner may ask again.
    lab.call(association::associate_resource_share, associate(&share, &[OTHER], &[])).unwrap();
    let pending = invitations(&other);
    assert_eq!(pending.len(), 2);
    // What it takes back is gone.
    take_out(&lab, &share, &[OTHER], &[]);
    assert_eq!(invitations(&other).len(), 1);
}

#[test]
fn what_ended_is_seen_for_two_hours() {
    let lab = Lab::new();
    let share = shared(&lab, &[ACCOUNT]);
    let input =
        DeleteResourceShareRequest { resource_share_arn: share.clone(), client_token: None };
    lab.call(share::delete_resource_share, input).unwrap();
    lab.run_jobs();
    assert_eq!(names_of_shares(&lab, "SELF"), ["share"]);
    assert_eq!(statuses(&lab, &share, "RESOURCE"), of(THING_ARN, "DISASSOCIATED"));
    let almost = lab.at(NOW.plus_seconds(7_199));
    almost.run_jobs();
    assert_eq!(names_of_shares(&almost, "SELF"), ["share"]);
    let later = lab.at(NOW.plus_seconds(7_201));
    later.run_jobs();
    assert!(names_of_shares(&later, "SELF").is_empty());
    for table in ["ram/association", "ram/share", "ram/share-place", "ram/shared-resource"] {
        let snapshot = later.plane.store.snapshot();
        let region = if table == "ram/share-place" { "" } else { "us-east-1" };
        let rows = snapshot.scan(table, ACCOUNT, region, "", None, 10).unwrap();
        assert!(rows.is_empty(), "{table}: {}", rows.len());
    }
}

#[test]
fn a_token_makes_one_share() {
    let lab = Lab::new();
    let input = |name: &str, token: &str| CreateResourceShareRequest {
        name: name.to_owned(),
        client_token: Some(token.to_owned()),
        ..CreateResourceShareRequest::default()
    };
    let ask = |lab: &Lab, name: &str, token: &str| -> Result<CreateResourceShareResponse> {
        call(lab, "CreateResourceShare", input(name, token))
    };
    let first = ask(&lab, "a", "token").unwrap();
    let again = ask(&lab, "a", "token").unwrap();
    assert!(first == again, "the second answer is another one");
    assert_eq!(first.client_token.as_deref(), Some("token"));
    let refused = ask(&lab, "b", "token").err().unwrap().to_string();
    assert!(refused.starts_with("IdempotentParameterMismatchException"), "{refused}");
    for odd in ["", "two words", &"x".repeat(129)] {
        let refused = ask(&lab, "a", odd).err().unwrap().to_string();
        assert!(refused.starts_with("InvalidClientTokenException"), "{odd}: {refused}");
    }
    // Another account's token is its own, and a day later it may come again.
    ask(&lab.in_account(OTHER), "b", "token").unwrap();
    let later = lab.at(NOW.plus_seconds(86_401));
    later.run_jobs();
    ask(&later, "b", "token").unwrap();
    assert_eq!(names_of_shares(&later, "SELF").len(), 2);
}

#[test]
fn a_region_has_its_own_shares() {
    let lab = Lab::new();
    let share = shared(&lab, &[ACCOUNT]);
    let mut elsewhere = lab.clone();
    elsewhere.request.region = "eu-west-1".to_owned();
    assert!(names_of_shares(&elsewhere, "SELF").is_empty());
    let refused =
        elsewhere.refusal(association::associate_resource_share, associate(&share, &[OTHER], &[]));
    assert!(refused.starts_with("UnknownResourceException"), "{refused}");
}
