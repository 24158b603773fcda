use super::*;
use crate::iam::samples::{Issuer, leaf};
use crate::testing::{Lab, NOW};

fn upload(name: &str, (body, key): &(String, String)) -> UploadServerCertificateRequest {
    UploadServerCertificateRequest {
        server_certificate_name: name.to_owned(),
        certificate_body: body.clone(),
        private_key: key.clone(),
        ..UploadServerCertificateRequest::default()
    }
}

fn get(name: &str) -> GetServerCertificateRequest {
    GetServerCertificateRequest { server_certificate_name: name.to_owned() }
}

#[test]
fn a_certificate_is_kept_with_its_sealed_key() {
    let lab = Lab::new();
    let issuer = Issuer::new("root", None);
    let pair = leaf(&issuer, "a.example.com");
    let input = UploadServerCertificateRequest {
        path: Some("/cloudfront/".to_owned()),
        certificate_chain: Some(issuer.pem()),
        tags: Some(vec![Tag { key: "team".to_owned(), value: "blue".to_owned() }]),
        ..upload("Web", &pair)
    };
    let made = lab.call(upload_server_certificate, input).unwrap();
    assert!(made.tags.is_some_and(|tags| tags.len() == 1));
    let made = made.server_certificate_metadata.unwrap();
    assert_eq!(made.arn, "arn:aws:iam::123456789012:server-certificate/cloudfront/Web");
    assert_eq!(
        (made.server_certificate_id.len(), made.upload_date),
        (21, Some(NOW.whole_seconds()))
    );
    let got = lab.call(get_server_certificate, get("web")).unwrap().server_certificate;
    assert_eq!(got.certificate_body, pair.0.trim());
    assert_eq!(got.certificate_chain.as_deref(), Some(issuer.pem().trim()));
    let record = lab.read(|cx| load(cx, "Web")).unwrap();
    let sealed = STANDARD.decode(&record.sealed_key).unwrap();
    let key = lab.plane.sealer.unseal(PURPOSE, &record.id, &sealed).unwrap();
    assert_eq!(key, pair.1.as_bytes());
    assert!(!String::from_utf8_lossy(&sealed).contains("PRIVATE"));
}

#[test]
fn names_are_unique_and_can_change() {
    let lab = Lab::new();
    let pair = leaf(&Issuer::new("root", None), "a.example.com");
    lab.call(upload_server_certificate, upload("Web", &pair)).unwrap();
    lab.call(upload_server_certificate, upload("Mail", &pair)).unwrap();
    let taken = "EntityAlreadyExists: The Server Certificate with name WEB already exists.";
    assert_eq!(lab.refusal(upload_server_certificate, upload("WEB", &pair)), taken);
    let update = |name: &str, new: &str| UpdateServerCertificateRequest {
        server_certificate_name: name.to_owned(),
        new_path: Some("/new/".to_owned()),
        new_server_certificate_name: Some(new.to_owned()),
    };
    assert_eq!(lab.refusal(update_server_certificate, update("mail", "WEB")), taken);
    lab.call(update_server_certificate, update("mail", "Post")).unwrap();
    let gone = "NoSuchEntity: The Server Certificate with name Mail cannot be found.";
    assert_eq!(lab.refusal(get_server_certificate, get("Mail")), gone);
    let input =
        ListServerCertificatesRequest { path_prefix: Some("/new".into()), ..Default::default() };
    let listed = lab.call(list_server_certificates, input).unwrap();
    let names: Vec<_> =
        listed.server_certificate_metadata_list.iter().map(|m| m.arn.as_str()).collect();
    assert_eq!(names, ["arn:aws:iam::123456789012:server-certificate/new/Post"]);
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::SERVER_CERTIFICATES)).unwrap(), 2);
    let delete = DeleteServerCertificateRequest { server_certificate_name: "post".to_owned() };
    lab.call(delete_server_certificate, delete).unwrap();
    lab.write(|cx| quota::grant(cx, &quota::SERVER_CERTIFICATES, 1)).unwrap();
    let full = "LimitExceeded: Cannot exceed quota for ServerCertificatesPerAccount: 1";
    assert_eq!(lab.refusal(upload_server_certificate, upload("Post", &pair)), full);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let lab = Lab::new();
    let (root, other) = (Issuer::new("root", None), Issuer::new("other", None));
    let pair = leaf(&root, "a.example.com");
    let stranger = (pair.0.clone(), leaf(&root, "b.example.com").1);
    let chained = UploadServerCertificateRequest {
        certificate_chain: Some(other.pem()),
        ..upload("Web", &pair)
    };
    let cases = [
        (upload("Web", &stranger), "KeyPairMismatch: "),
        (chained, "MalformedCertificate: Unable to validate certificate chain."),
        (upload("Web", &("x".to_owned(), pair.1.clone())), "MalformedCertificate: Unable to parse"),
        (upload("Web", &(pair.0.clone(), "x".to_owned())), "MalformedCertificate: Invalid Private"),
    ];
    for (input, start) in cases {
        let text = lab.refusal(upload_server_certificate, input);
        assert!(text.starts_with(start), "{text}");
    }
    let year = 366 * 86_400;
    let late =
        lab.at(NOW.plus_seconds(year)).refusal(upload_server_certificate, upload("W", &pair));
    assert_eq!(late, "MalformedCertificate: The certificate is no longer valid.");
    let early =
        lab.at(NOW.plus_seconds(-year)).refusal(upload_server_certificate, upload("W", &pair));
    assert_eq!(early, "MalformedCertificate: The certificate is not valid yet.");
}
