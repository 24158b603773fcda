use super::*;
use crate::iam::account::get_account_summary;
use crate::iam::samples::{Issuer, leaf};
use crate::iam::user::{create_user, delete_user};
use crate::testing::{Lab, NOW};
use palisade_model::iam::{CreateUserRequest, DeleteUserRequest};

fn upload(user: Option<&str>, body: &str) -> UploadSigningCertificateRequest {
    UploadSigningCertificateRequest {
        user_name: user.map(str::to_owned),
        certificate_body: body.to_owned(),
    }
}

#[test]
fn certificates_live_and_die_with_their_user() {
    let lab = Lab::new();
    for name in ["Ana", "Bob"] {
        let input = CreateUserRequest { user_name: name.into(), ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    let issuer = Issuer::new("root", None);
    let bodies: Vec<String> = ["a", "b", "c"].iter().map(|name| leaf(&issuer, name).0).collect();
    let made = lab.call(upload_signing_certificate, upload(Some("Ana"), &bodies[0])).unwrap();
    let made = made.certificate;
    assert_eq!((made.certificate_id.len(), made.user_name.as_str()), (32, "Ana"));
    let again = lab.refusal(upload_signing_certificate, upload(Some("Bob"), &bodies[0]));
    assert!(again.starts_with("DuplicateCertificate: "), "{again}");
    let late = lab.at(NOW.plus_seconds(400 * 86_400));
    let expired = late.refusal(upload_signing_certificate, upload(Some("Ana"), &bodies[1]));
    assert!(expired.starts_with("InvalidCertificate: "), "{expired}");
    lab.call(upload_signing_certificate, upload(Some("Ana"), &bodies[1])).unwrap();
    let third = lab.refusal(upload_signing_certificate, upload(Some("Ana"), &bodies[2]));
    assert_eq!(third, "LimitExceeded: Cannot exceed quota for CertificatesPerUser: 2");

    let summary = |name: &str| {
        let summary = lab.call(get_account_summary, Nothing).unwrap().summary_map.unwrap();
        summary[name]
    };
    assert_eq!(summary("AccountSigningCertificatesPresent"), 0);
    lab.call(upload_signing_certificate, upload(None, &bodies[2])).unwrap();
    assert_eq!(summary("AccountSigningCertificatesPresent"), 1);

    let list = ListSigningCertificatesRequest {
        user_name: Some("ana".into()),
        marker: None,
        max_items: Some(1),
    };
    let page = lab.call(list_signing_certificates, list.clone()).unwrap();
    assert!(page.certificates == [made.clone()] && page.is_truncated == Some(true));
    let delete_user_ana = || DeleteUserRequest { user_name: "Ana".into() };
    let busy = "DeleteConflict: Cannot delete entity, must delete certificates first.";
    assert_eq!(lab.refusal(delete_user, delete_user_ana()), busy);
    let update = UpdateSigningCertificateRequest {
        user_name: Some("Ana".into()),
        certificate_id: made.certificate_id.clone(),
        status: "Inactive".into(),
    };
    lab.call(update_signing_certificate, update).unwrap();
    let page = lab.call(list_signing_certificates, list).unwrap();
    assert_eq!(page.certificates[0].status, "Inactive");
    let delete = DeleteSigningCertificateRequest {
        user_name: Some("Ana".into()),
        certificate_id: made.certificate_id.clone(),
    };
    lab.call(delete_signing_certificate, delete.clone()).unwrap();
    let id = &made.certificate_id;
    let gone = format!("NoSuchEntity: The Certificate with id {id} cannot be found.");
    assert_eq!(lab.refusal(delete_signing_certificate, delete), gone);
    // Now it is free for another user.
    lab.call(upload_signing_certificate, upload(Some("Bob"), &bodies[0])).unwrap();
}
