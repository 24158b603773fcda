use super::*;
use crate::iam::delegation_partner::{Partner, register};
use crate::sts::delegated_access::get_delegated_access_token;
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{DelegationPermission, GetHumanReadableSummaryRequest, PolicyParameter};
use palisade_model::sts::GetDelegatedAccessTokenRequest;

const PARTNER: &str = "210987654321";
const TEMPLATE: &str = "arn:aws:iam::210987654321:delegation-template/deploy";

fn with_partner() -> (Lab, Lab) {
    let lab = Lab::new();
    let partner = lab.in_account(PARTNER);
    lab.write(|cx| {
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
            "Action":"s3:GetObject","Resource":"arn:aws:s3:::@{Bucket}/*"}}"#;
        let templates = [(TEMPLATE.to_owned(), policy.to_owned())].into();
        register(cx, &Partner { account: PARTNER.into(), name: "Example".into(), templates })
    })
    .unwrap();
    (lab, partner)
}

fn wanted(workflow: &str, seconds: i32) -> CreateDelegationRequestRequest {
    CreateDelegationRequestRequest {
        owner_account_id: Some(ACCOUNT.to_owned()),
        description: "Deploys the example.".to_owned(),
        permissions: DelegationPermission {
            policy_template_arn: Some(TEMPLATE.to_owned()),
            parameters: Some(vec![PolicyParameter {
                name: Some("Bucket".to_owned()),
                values: Some(vec!["app".to_owned()]),
                r#type: Some("string".to_owned()),
            }]),
        },
        request_message: None,
        requestor_workflow_id: workflow.to_owned(),
        redirect_url: None,
        notification_channel: "arn:aws:sns:us-east-1:210987654321:requests".to_owned(),
        session_duration: seconds,
        only_send_by_owner: Some(true),
    }
}

fn create(partner: &Lab, workflow: &str, seconds: i32) -> String {
    let made = partner.call(create_delegation_request, wanted(workflow, seconds)).unwrap();
    made.delegation_request_id.unwrap()
}

fn state_of(lab: &Lab, id: &str) -> String {
    lab.read(|cx| load(cx, id)).unwrap().state.unwrap()
}

fn named(id: &str) -> AssociateDelegationRequestRequest {
    AssociateDelegationRequestRequest { delegation_request_id: id.to_owned() }
}

fn accept(id: &str) -> AcceptDelegationRequestRequest {
    AcceptDelegationRequestRequest { delegation_request_id: id.to_owned() }
}

fn send(id: &str) -> SendDelegationTokenRequest {
    SendDelegationTokenRequest { delegation_request_id: id.to_owned() }
}

#[test]
fn a_request_ends_in_credentials_for_the_partner_only() {
    let (lab, partner) = with_partner();
    let id = create(&partner, "workflow-1", 3600);
    assert_eq!(state_of(&lab, &id), "UNASSIGNED");
    lab.call(associate_delegation_request, named(&id)).unwrap();
    let refusal = lab.refusal(send_delegation_token, send(&id));
    assert!(refusal.starts_with("InvalidInput") && refusal.contains("ASSIGNED"), "{refusal}");
    lab.call(accept_delegation_request, accept(&id)).unwrap();
    let other = lab.called_by_user("ben", "AIDABEN");
    assert!(other.refusal(send_delegation_token, send(&id)).starts_with("AccessDenied"));
    lab.call(send_delegation_token, send(&id)).unwrap();
    assert_eq!(state_of(&lab, &id), "FINALIZED");
    let mail = lab.read(|cx| outbox::messages(cx)).unwrap();
    let token = mail.iter().find_map(|sent| sent.code.clone()).unwrap();
    let trade = GetDelegatedAccessTokenRequest { trade_in_token: token };
    assert!(lab.refusal(get_delegated_access_token, trade.clone()).contains("not valid"));
    let got = partner.call(get_delegated_access_token, trade.clone()).unwrap();
    assert_eq!(got.assumed_principal.unwrap(), format!("arn:aws:iam::{ACCOUNT}:root"));
    let keys = got.credentials.unwrap();
    assert_eq!(keys.expiration, NOW.whole_seconds().plus_seconds(3600));
    let plane = &lab.plane;
    let session = crate::sts::session::open(plane, &keys.session_token, &keys.access_key_id);
    assert!(session.unwrap().policies[0].contains("arn:aws:s3:::app/*"));
    let late = partner.at(NOW.plus_seconds(3600));
    assert!(late.refusal(get_delegated_access_token, trade).contains("expired"));
}

#[test]
fn requests_are_of_partners_and_named_once() {
    let (lab, partner) = with_partner();
    let refusal = lab.refusal(create_delegation_request, wanted("workflow-1", 3600));
    assert!(refusal.starts_with("AccessDenied") && refusal.contains("onboarded"), "{refusal}");
    create(&partner, "workflow-1", 3600);
    let refusal = partner.refusal(create_delegation_request, wanted("workflow-1", 3600));
    assert!(refusal.starts_with("EntityAlreadyExists"), "{refusal}");
    let other = lab.in_account("333333333333");
    let id = create(&partner, "workflow-2", 3600);
    assert!(other.refusal(associate_delegation_request, named(&id)).starts_with("NoSuchEntity"));
    let mut open = wanted("workflow-3", 3600);
    open.owner_account_id = None;
    let id = partner.call(create_delegation_request, open).unwrap().delegation_request_id.unwrap();
    other.call(associate_delegation_request, named(&id)).unwrap();
    let request = other.read(|cx| visible(cx, &id)).unwrap();
    assert_eq!(request.owner_account_id.as_deref(), Some("333333333333"));
    assert!(lab.read(|cx| visible(cx, &id).map(drop)).is_err());
}

#[test]
fn states_end_and_root_approves_four_hours_at_most() {
    let (lab, partner) = with_partner();
    let id = create(&partner, "workflow-1", 4 * 3600 + 1);
    let day = 86_400;
    assert_eq!(state_of(&lab.at(NOW.plus_seconds(day - 1)), &id), "UNASSIGNED");
    assert_eq!(state_of(&lab.at(NOW.plus_seconds(day)), &id), "EXPIRED");
    lab.call(associate_delegation_request, named(&id)).unwrap();
    assert!(lab.refusal(accept_delegation_request, accept(&id)).contains("four hours"));
    let late = lab.at(NOW.plus_seconds(7 * day));
    assert_eq!(state_of(&late, &id), "EXPIRED");
    assert!(late.refusal(accept_delegation_request, accept(&id)).starts_with("NoSuchEntity"));
    let reject = RejectDelegationRequestRequest {
        delegation_request_id: id.clone(),
        notes: Some("no".to_owned()),
    };
    lab.call(reject_delegation_request, reject.clone()).unwrap();
    assert!(lab.refusal(reject_delegation_request, reject).contains("REJECTED"));
}

#[test]
fn a_request_is_told_in_words() {
    let (lab, partner) = with_partner();
    let id = create(&partner, "workflow-1", 5400);
    let ask = |locale: Option<&str>| {
        let input = GetHumanReadableSummaryRequest {
            entity_arn: format!("arn:aws:iam::{ACCOUNT}:delegation-request/{id}"),
            locale: locale.map(str::to_owned),
        };
        lab.call(delegation_check::get_human_readable_summary, input).unwrap()
    };
    let summary = ask(None);
    assert_eq!(summary.summary_state.as_deref(), Some("AVAILABLE"));
    assert_eq!(
        summary.summary_content.as_deref(),
        Some(
            "Example (account 210987654321) asks for access for 1 hour and 30 minutes.\n\
             It may s3:GetObject on arn:aws:s3:::app/*.\n"
        )
    );
    let french = ask(Some("fr"));
    assert_eq!(french.summary_state.as_deref(), Some("NOT_SUPPORTED"));
    assert_eq!(french.summary_content, None);
}
