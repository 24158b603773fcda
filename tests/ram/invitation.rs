//! Sharing with an account outside: asked, accepted, rejected, forgotten.

use super::{OTHER, call, pages, refused, settled, share};
use crate::support::{Caller, Lab, each};
use serde_json::{Value, json};

fn invitations(caller: &Caller<'_>) -> Vec<Value> {
    let input = json!({});
    pages(caller, "GetResourceShareInvitations", input, "resourceShareInvitations", 1)
}

fn named(invitation: &Value) -> Value {
    json!({ "resourceShareInvitationArn": invitation["resourceShareInvitationArn"] })
}

#[test]
fn an_account_outside_is_asked() {
    let Some(lab) = Lab::start("an_account_outside_is_asked") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let other = lab.account(OTHER);
    let arn = share(&root, "open", &[OTHER]);
    let asked = invitations(&other);
    assert_eq!(asked.len(), 1);
    let one = &asked[0];
    assert_eq!(one["resourceShareName"], "open");
    assert_eq!(one["resourceShareArn"], json!(arn));
    assert_eq!(one["senderAccountId"], json!(account));
    assert_eq!(one["receiverAccountId"], json!(OTHER));
    assert_eq!(one["status"], "PENDING");
    assert!(invitations(&root).is_empty(), "the sender sees no invitation");
    let told = settled(&root, &arn, "PRINCIPAL", "ASSOCIATING");
    assert_eq!(told["external"], true);
    let pending = call(&other, "ListPendingInvitationResources", named(one));
    assert_eq!(pending["resources"], json!([]));
    let of_others = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    assert_eq!(call(&other, "GetResourceShares", of_others.clone())["resourceShares"], json!([]));

    let accepted = call(&other, "AcceptResourceShareInvitation", named(one));
    assert_eq!(accepted["resourceShareInvitation"]["status"], "ACCEPTED");
    settled(&root, &arn, "PRINCIPAL", "ASSOCIATED");
    let seen = call(&other, "GetResourceShares", of_others.clone());
    assert_eq!(each(&seen["resourceShares"], "name"), ["open"]);
    assert!(seen["resourceShares"][0].get("tags").is_none(), "the owner's tags are the owner's");
    let owners = call(&other, "ListPrincipals", of_others.clone());
    assert_eq!(each(&owners["principals"], "id"), [account.as_str()]);
    let permissions = json!({ "resourceShareArn": arn });
    assert_eq!(call(&other, "ListResourceSharePermissions", permissions)["permissions"], json!([]));
    let code = "ResourceShareInvitationAlreadyAcceptedException";
    refused(&other, "AcceptResourceShareInvitation", named(one), code);
    refused(&other, "RejectResourceShareInvitation", named(one), code);

    // It may leave by itself, and is then out.
    let leave = json!({ "resourceShareArn": arn, "principals": [OTHER] });
    call(&other, "DisassociateResourceShare", leave);
    assert_eq!(call(&other, "GetResourceShares", of_others)["resourceShares"], json!([]));
    settled(&root, &arn, "PRINCIPAL", "DISASSOCIATED");
}

#[test]
fn an_invitation_is_rejected_or_expires() {
    let Some(lab) = Lab::start("an_invitation_is_rejected_or_expires") else { return };
    let root = lab.root();
    let other = lab.account(OTHER);
    let first = share(&root, "first", &[OTHER]);
    let one = invitations(&other).remove(0);
    let rejected = call(&other, "RejectResourceShareInvitation", named(&one));
    assert_eq!(rejected["resourceShareInvitation"]["status"], "REJECTED");
    settled(&root, &first, "PRINCIPAL", "DISASSOCIATED");
    let code = "ResourceShareInvitationAlreadyRejectedException";
    refused(&other, "AcceptResourceShareInvitation", named(&one), code);
    refused(&other, "ListPendingInvitationResources", named(&one), code);

    let second = share(&root, "second", &[OTHER]);
    let by_share = json!({ "resourceShareArns": [second] });
    let found = call(&other, "GetResourceShareInvitations", by_share.clone());
    let one = found["resourceShareInvitations"][0].clone();
    assert_eq!(one["status"], "PENDING");
    lab.advance(12 * 3_600);
    let found = call(&other, "GetResourceShareInvitations", by_share);
    assert_eq!(found["resourceShareInvitations"][0]["status"], "EXPIRED");
    let code = "ResourceShareInvitationExpiredException";
    refused(&other, "AcceptResourceShareInvitation", named(&one), code);
    settled(&root, &second, "PRINCIPAL", "DISASSOCIATED");
}

#[test]
fn an_account_asks_twenty_at_a_time() {
    let Some(lab) = Lab::start("an_account_asks_twenty_at_a_time") else { return };
    let root = lab.root();
    let arn = share(&root, "s", &[]);
    let names: Vec<String> = (0..21).map(|at| format!("3333444455{at:02}")).collect();
    let ask = |names: &[String]| json!({ "resourceShareArn": arn, "principals": names });
    let code = "ResourceShareLimitExceededException";
    refused(&root, "AssociateResourceShare", ask(&names), code);
    call(&root, "AssociateResourceShare", ask(&names[..20]));
    refused(&root, "AssociateResourceShare", ask(&names[20..]), code);
    // One that is taken back makes room.
    let out = json!({ "resourceShareArn": arn, "principals": [names[0]] });
    call(&root, "DisassociateResourceShare", out);
    call(&root, "AssociateResourceShare", ask(&names[20..]));
}

#[test]
fn nobody_answers_for_another() {
    let Some(lab) = Lab::start("nobody_answers_for_another") else { return };
    let root = lab.root();
    let other = lab.account(OTHER);
    share(&root, "s", &[OTHER]);
    let one = invitations(&other).remove(0);
    // The sender's ARN names its own account: it may call, and finds nothing to answer.
    let code = "ResourceShareInvitationArnNotFoundException";
    refused(&root, "AcceptResourceShareInvitation", named(&one), code);
    let third = lab.account("555566667777");
    let denied = ("AccessDeniedException", 403);
    third.refused(("ram", "AcceptResourceShareInvitation"), named(&one), denied);
    let malformed = json!({ "resourceShareInvitationArn": "arn:aws:ram:::odd" });
    refused(&other, "RejectResourceShareInvitation", malformed, "MalformedArnException");
    // Without permission nothing is answered, from whomever it comes.
    let nobody = lab.user(&other, "nobody", None);
    nobody.refused(("ram", "AcceptResourceShareInvitation"), named(&one), denied);
    assert_eq!(invitations(&other)[0]["status"], "PENDING");
}
