use super::*;
use crate::iam::user::{create_user, delete_user};
use crate::testing::{Lab, NOW};
use palisade_model::iam::{CreateUserRequest, DeleteUserRequest};

const BEDROCK: &str = "bedrock.amazonaws.com";
const CODECOMMIT: &str = "codecommit.amazonaws.com";

fn lab() -> Lab {
    let lab = Lab::new();
    for name in ["Ana", "Bob"] {
        let input = CreateUserRequest { user_name: name.into(), ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    lab
}

fn create(user: &str, service: &str, days: Option<i32>) -> CreateServiceSpecificCredentialRequest {
    CreateServiceSpecificCredentialRequest {
        user_name: user.to_owned(),
        service_name: service.to_owned(),
        credential_age_days: days,
    }
}

fn made(lab: &Lab, user: &str, service: &str, days: Option<i32>) -> ServiceSpecificCredential {
    let made = lab.call(create_service_specific_credential, create(user, service, days)).unwrap();
    made.service_specific_credential.unwrap()
}

fn listed(lab: &Lab, user: Option<&str>, service: Option<&str>) -> Vec<(String, String)> {
    let input = ListServiceSpecificCredentialsRequest {
        user_name: user.map(str::to_owned),
        service_name: service.map(str::to_owned),
        all_users: Some(user.is_none()),
        ..ListServiceSpecificCredentialsRequest::default()
    };
    let listed = lab.call(list_service_specific_credentials, input).unwrap();
    let rows = listed.service_specific_credentials.unwrap().into_iter();
    rows.map(|row| (row.user_name, row.status)).collect()
}

#[test]
fn names_and_passwords_are_for_code_and_tables() {
    let lab = lab();
    let first = made(&lab, "Ana", CODECOMMIT, None);
    assert_eq!(first.service_user_name.as_deref(), Some("Ana-at-123456789012"));
    assert!(first.service_password.is_some_and(|password| password.len() == 44));
    assert!(first.service_credential_secret.is_none() && first.expiration_date.is_none());
    let second = made(&lab, "Ana", CODECOMMIT, None);
    assert_eq!(second.service_user_name.as_deref(), Some("Ana+1-at-123456789012"));
    let third = lab.refusal(create_service_specific_credential, create("Ana", CODECOMMIT, None));
    let full = "LimitExceeded: Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2";
    assert_eq!(third, full);
    // Each service counts for itself.
    made(&lab, "Ana", "cassandra.amazonaws.com", None);
    let aged = lab.refusal(create_service_specific_credential, create("Bob", CODECOMMIT, Some(1)));
    assert!(aged.starts_with("InvalidInput: "), "{aged}");
    let input = create("Bob", "s3.amazonaws.com", None);
    let unknown = lab.refusal(create_service_specific_credential, input);
    assert!(unknown.starts_with("NotSupportedService: "), "{unknown}");
    assert_eq!(listed(&lab, Some("ana"), Some(CODECOMMIT)).len(), 2);
    assert_eq!(listed(&lab, None, None).len(), 3);
}

#[test]
fn api_keys_expire() {
    let lab = lab();
    let key = made(&lab, "Ana", BEDROCK, Some(30));
    let secret = key.service_credential_secret.unwrap();
    let alias = key.service_credential_alias.unwrap();
    let decoded = STANDARD.decode(secret.strip_prefix("ABSK").unwrap()).unwrap();
    assert!(String::from_utf8(decoded).unwrap().starts_with(&format!("{alias}:")));
    let month = 30 * 86_400;
    assert_eq!(key.expiration_date, Some(NOW.whole_seconds().plus_seconds(month)));
    let row = |status: &str| vec![("Ana".to_owned(), status.to_owned())];
    assert_eq!(listed(&lab, Some("Ana"), Some(BEDROCK)), row("Active"));
    let later = lab.at(NOW.plus_seconds(month));
    assert_eq!(listed(&later, Some("Ana"), Some(BEDROCK)), row("Expired"));
}

#[test]
fn a_secret_is_shown_once_and_can_be_replaced() {
    let lab = lab();
    let first = made(&lab, "Ana", CODECOMMIT, None);
    let id = first.service_specific_credential_id;
    let reset = |user: &str| ResetServiceSpecificCredentialRequest {
        user_name: Some(user.to_owned()),
        service_specific_credential_id: id.clone(),
    };
    let again = lab.call(reset_service_specific_credential, reset("Ana")).unwrap();
    let again = again.service_specific_credential.unwrap();
    assert_eq!(again.service_user_name, first.service_user_name);
    assert!(again.service_password.is_some() && again.service_password != first.service_password);
    let gone = format!("NoSuchEntity: No such credential {id} exists");
    assert_eq!(lab.refusal(reset_service_specific_credential, reset("Bob")), gone);
    let update = UpdateServiceSpecificCredentialRequest {
        user_name: Some("Ana".to_owned()),
        service_specific_credential_id: id.clone(),
        status: "Inactive".to_owned(),
    };
    lab.call(update_service_specific_credential, update).unwrap();
    assert_eq!(listed(&lab, Some("Ana"), None), [("Ana".to_owned(), "Inactive".to_owned())]);
    let delete_ana = || DeleteUserRequest { user_name: "Ana".to_owned() };
    let busy = "DeleteConflict: Cannot delete entity, must remove referenced objects first.";
    assert_eq!(lab.refusal(delete_user, delete_ana()), busy);
    let delete = DeleteServiceSpecificCredentialRequest {
        user_name: Some("Ana".to_owned()),
        service_specific_credential_id: id,
    };
    lab.call(delete_service_specific_credential, delete.clone()).unwrap();
    assert_eq!(lab.refusal(delete_service_specific_credential, delete), gone);
    lab.call(delete_user, delete_ana()).unwrap();
}
