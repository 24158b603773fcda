use super::*;
use crate::iam::samples::{Issuer, leaf};
use crate::testing::NOW;

fn refused<T>(result: Result<T>) -> String {
    result.map(drop).unwrap_err().to_string()
}

#[test]
fn a_text_of_certificates_is_read() {
    let issuer = Issuer::new("root", None);
    let (body, _) = leaf(&issuer, "a.example.com");
    let certificate = one(&body).unwrap();
    assert_eq!(certificate.validity(NOW), Validity::Current);
    assert_eq!(certificate.validity(NOW.plus_seconds(-400 * 86_400)), Validity::NotYet);
    assert_eq!(certificate.validity(NOW.plus_seconds(400 * 86_400)), Validity::NoLonger);
    assert_eq!(many(&format!("{body}\n{}", issuer.pem())).unwrap().len(), 2);
    let spoiled = body.replacen('M', "!", 1);
    let key = issuer.key_pem();
    let two = format!("{body}{body}");
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----", &spoiled, &key, &two] {
        let text = refused(one(text));
        assert!(text.starts_with("MalformedCertificate: Unable to parse certificate."), "{text}");
    }
}

#[test]
fn a_chain_leads_upwards_link_by_link() {
    let root = Issuer::new("root", None);
    let middle = Issuer::new("middle", Some(&root));
    let (body, _) = leaf(&middle, "a.example.com");
    let leaf = one(&body).unwrap();
    let chain = |texts: &[String]| many(&texts.concat()).unwrap();
    check_chain(&leaf, &[]).unwrap();
    check_chain(&leaf, &chain(&[middle.pem()])).unwrap();
    check_chain(&leaf, &chain(&[middle.pem(), root.pem()])).unwrap();
    // The same name, another key.
    let impostor = Issuer::new("middle", None);
    let cases = [
        (vec![root.pem()], -1),
        (vec![root.pem(), middle.pem()], -1),
        (vec![impostor.pem()], -1),
        (vec![middle.pem(), middle.pem()], 0),
    ];
    for (texts, index) in cases {
        let text = refused(check_chain(&leaf, &chain(&texts)));
        assert!(text.ends_with(&format!("the invalid certificate is: {index}")), "{text}");
    }
}

#[test]
fn a_private_key_belongs_to_its_certificate() {
    let issuer = Issuer::new("root", None);
    let (body, key) = leaf(&issuer, "a.example.com");
    let certificate = one(&body).unwrap();
    check_private_key(&certificate, &key).unwrap();
    let mismatch = refused(check_private_key(&certificate, &issuer.key_pem()));
    assert_eq!(mismatch, "KeyPairMismatch: The private key does not match the certificate.");
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for text in ["", "hello", &body, &locked] {
        let text = refused(check_private_key(&certificate, text));
        assert_eq!(text, "MalformedCertificate: Invalid Private Key.");
    }
}
