use super::response::{Trusted, verify};
use super::*;
use crate::authorization::Requirement;
use crate::iam::role::create_role;
use crate::iam::saml_provider::create_saml_provider;
use crate::sts::federation::requirements;
use crate::testing::{ACCOUNT, Lab, NOW};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use palisade_model::iam::{CreateRoleRequest, CreateSAMLProviderRequest};

const ENTITY: &str = "https://idp.example.com/saml";
const ROLE: &str = "arn:aws:iam::123456789012:role/Builder";
const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/corp";
const ENDPOINT: &str = "https://signin.aws.amazon.com/saml";

/// A provider's key and its certificate. Signatures are made by hand over text that is canonical
/// as it stands, so that the library that checks them has not made them.
struct Signer {
    pair: EcdsaKeyPair,
    certificate: Vec<u8>,
}

impl Signer {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["idp.example.com".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        let pkcs8 = key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        Self { pair, certificate }
    }

    /// The signature of an element whose canonical form is `text`.
    fn sign(&self, id: &str, text: &str) -> String {
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
             <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
             </ds:CanonicalizationMethod><ds:SignatureMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">\
             </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
             <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
             </ds:Transforms><ds:DigestMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        );
        let value = self.pair.sign(&SystemRandom::new(), info.as_bytes()).unwrap();
        let value = STANDARD.encode(value);
        let info = info.replacen(" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "", 1);
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}\
             <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
    }

    fn verify(&self, text: &str) -> Result<Assertion, Fault> {
        verify(&STANDARD.encode(text), &self.trusted(&[]), NOW)
    }

    fn trusted<'k>(&'k self, private_keys: &'k [Vec<u8>]) -> Trusted<'k> {
        let certificates = std::slice::from_ref(&self.certificate);
        Trusted { entity_id: ENTITY, certificates, private_keys, encryption_required: false }
    }
}

/// What a test changes of a response.
#[derive(Clone)]
struct Text {
    id: &'static str,
    subject: &'static str,
    issuer: &'static str,
    issued: &'static str,
    expires: &'static str,
    audience: &'static str,
    recipient: &'static str,
    status: &'static str,
    extra: &'static str,
}

const GOOD: Text = Text {
    id: "_a1",
    subject: "ana",
    issuer: ENTITY,
    issued: "2026-01-01T00:00:00Z",
    expires: "2026-01-01T00:05:00Z",
    audience: "urn:amazon:webservices",
    recipient: ENDPOINT,
    status: "urn:oasis:names:tc:SAML:2.0:status:Success",
    extra: "",
};

const SAML: &str = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

fn assertion(text: &Text, signature: &str) -> String {
    let Text { id, subject, issuer, issued, expires, audience, recipient, extra, .. } = text;
    let attribute = |name: &str, value: &str| {
        format!(
            "<saml:Attribute Name=\"https://aws.amazon.com/SAML/Attributes/{name}\">\
             <saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
        )
    };
    let role = attribute("Role", &format!("{ROLE},{PROVIDER}"));
    let name = attribute("RoleSessionName", "ana");
    let tag = attribute("PrincipalTag:team", "blue");
    format!(
        "<saml:Assertion {SAML} ID=\"{id}\" IssueInstant=\"{issued}\" Version=\"2.0\">\
         <saml:Issuer>{issuer}</saml:Issuer>{signature}<saml:Subject><saml:NameID \
         Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{subject}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData NotOnOrAfter=\"{expires}\" Recipient=\"{recipient}\">\
         </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"2025-12-31T23:59:00Z\" NotOnOrAfter=\"{expires}\">\
         <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>\
         </saml:AudienceRestriction>{extra}</saml:Conditions><saml:AttributeStatement>\
         {role}{name}{tag}</saml:AttributeStatement></saml:Assertion>"
    )
}

fn signed_assertion(signer: &Signer, text: &Text) -> String {
    assertion(text, &signer.sign(text.id, &assertion(text, "")))
}

fn response(text: &Text, signature: &str, inside: &str) -> String {
    let status = text.status;
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r1\" \
         Version=\"2.0\">{signature}<samlp:Status><samlp:StatusCode Value=\"{status}\">\
         </samlp:StatusCode></samlp:Status>{inside}</samlp:Response>"
    )
}

fn signed(signer: &Signer, text: &Text) -> String {
    response(text, "", &signed_assertion(signer, text))
}

#[test]
fn a_signed_assertion_or_a_signed_response_is_taken() {
    let signer = Signer::new();
    let of_assertion = signed(&signer, &GOOD);
    let plain = response(&GOOD, "", &assertion(&GOOD, ""));
    let of_response = response(&GOOD, &signer.sign("_r1", &plain), &assertion(&GOOD, ""));
    let inner = signed_assertion(&signer, &GOOD);
    let outer = signer.sign("_r1", &response(&GOOD, "", &inner));
    let both = response(&GOOD, &outer, &inner);
    for text in [of_assertion, of_response, both] {
        let read = signer.verify(&text).unwrap();
        assert_eq!((&*read.subject, &*read.subject_type), ("ana", "persistent"));
        assert_eq!((&*read.issuer, &*read.recipient), (ENTITY, ENDPOINT));
        assert_eq!(attribute::roles(&read).collect::<Vec<_>>(), [(ROLE, PROVIDER)]);
    }
    assert_eq!(signer.verify(&plain), Err(Fault::Invalid("Response signature invalid")));
}

#[test]
fn what_was_changed_or_signed_by_another_is_refused() {
    let (signer, other) = (Signer::new(), Signer::new());
    let good = signed(&signer, &GOOD);
    let mut bad = vec![
        signed(&other, &GOOD),
        good.replace(">ana<", ">eva<"),
        good.replace("role/Builder", "role/Admin"),
        good.replace("ecdsa-sha256", "ecdsa-sha1"),
        good.replace("xmlenc#sha256", "xmlenc#sha512"),
        good.replace("URI=\"#_a1\"", "URI=\"\""),
        good.replace("URI=\"#_a1\"", "URI=\"#_r1\""),
        good.replace(" ID=\"_r1\"", " ID=\"_a1\""),
        good.replace(" ID=\"_a1\"", " ID=\"_a1\" Id=\"_x\""),
        good.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
    ];
    // A key that the signature brings along counts for nothing.
    let certificate = STANDARD.encode(&other.certificate);
    let key = format!(
        "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    );
    bad.push(signed(&other, &GOOD).replace("</ds:SignatureValue>", &key));
    for text in bad {
        assert_ne!(text, good);
        assert!(signer.verify(&text).is_err(), "{text}");
    }
    assert!(signer.verify(&good).is_ok());
}

/// The eight ways of Somorovsky et al. to have one assertion checked and another one read.
#[test]
fn a_signed_part_that_was_moved_aside_is_refused() {
    let signer = Signer::new();
    let evil = Text { id: "_evil", subject: "root", ..GOOD };
    let same = Text { subject: "root", ..GOOD };
    let forged = assertion(&evil, "");
    let plain = assertion(&GOOD, "");
    let whole = response(&GOOD, "", &plain);
    let of_response = signer.sign("_r1", &whole);
    let of_assertion = signer.sign("_a1", &plain);
    let own = signed_assertion(&signer, &GOOD);
    let close = "</ds:Signature>";
    let around = |inside: &str| {
        of_assertion.replace(close, &["<ds:Object>", inside, "</ds:Object>", close].concat())
    };
    let evil_response = |inside: &str| response(&evil, "", inside).replace("_r1", "_r2");
    let cases = [
        // 1, 2: the signed response inside the signature of a forged one, or before it.
        response(&evil, &of_response.replace(close, &format!("{whole}{close}")), &forged),
        evil_response(&format!("{whole}{of_response}{forged}")),
        // 3, 4: the forged assertion before the signed one, or around it.
        response(&GOOD, "", &format!("{forged}{own}")),
        response(&GOOD, "", &forged.replace("<saml:Subject>", &format!("{own}<saml:Subject>"))),
        // 5, 6: the signature in the forged assertion, the signed one after it or in its signature.
        response(&GOOD, "", &format!("{}{plain}", assertion(&evil, &of_assertion))),
        response(
            &GOOD,
            "",
            &assertion(&evil, &of_assertion.replace(close, &format!("{plain}{close}"))),
        ),
        // 7: the forged assertion where anything may stand.
        response(&GOOD, "", &["<samlp:Extensions>", &forged, "</samlp:Extensions>", &own].concat()),
        // 8: the signed one in the signature's object.
        response(&GOOD, "", &assertion(&evil, &around(&plain))),
        // The same with the signed one's name.
        response(&GOOD, "", &assertion(&same, &around(&plain))),
        response(&GOOD, "", &assertion(&same, &of_assertion)),
        // The signed one out of the reader's sight, by its namespace.
        response(&GOOD, "", &format!("{}{forged}", own.replace("saml:Assertion", "samlp:X"))),
    ];
    for (number, text) in cases.iter().enumerate() {
        assert!(signer.verify(text).is_err(), "case {number}: {text}");
    }
}

#[test]
fn documents_that_name_entities_are_refused() {
    let signer = Signer::new();
    let good = signed(&signer, &GOOD);
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>";
    let file = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let deep = "<a>".repeat(10_000);
    let cases = [
        format!("{bomb}{}", good.replace(">ana<", ">&b;<")),
        format!("{file}{}", good.replace(">ana<", ">&x;<")),
        ["<!DOCTYPE samlp:Response>", &good].concat(),
        good.replace(">ana<", ">&undefined;<"),
        deep,
        String::new(),
        "<a/>".to_owned(),
        good.replace("<samlp:Status>", "<samlp:Status"),
    ];
    for text in cases {
        assert!(signer.verify(&text).is_err(), "{text:.200}");
    }
    for encoded in ["", "****", "/w=="] {
        assert!(verify(encoded, &signer.trusted(&[]), NOW).is_err());
    }
}

/// Comments are not signed, so they may come in on the way: they must not cut a name short.
#[test]
fn a_comment_does_not_end_a_name() {
    let signer = Signer::new();
    let good = signed(&signer, &Text { subject: "ana@example.com.evil", ..GOOD });
    let read = signer.verify(&good.replace("example.com.", "example.com<!-- -->.")).unwrap();
    assert_eq!(read.subject, "ana@example.com.evil");
}

#[test]
fn an_assertion_must_be_for_us_and_still_good() {
    let signer = Signer::new();
    let check = |text: Text| signer.verify(&signed(&signer, &text)).err();
    let said = |text: Text| match check(text) {
        Some(Fault::Invalid(text) | Fault::Expired(text) | Fault::Rejected(text)) => text,
        None => "",
    };
    assert_eq!(said(GOOD), "");
    let audience = "Response does not contain the required audience";
    assert_eq!(said(Text { audience: ENDPOINT, ..GOOD }), "");
    assert_eq!(said(Text { audience: "urn:other", ..GOOD }), audience);
    assert_eq!(said(Text { recipient: "https://evil.example/saml", ..GOOD }), audience);
    let entity = "Issuer not present in specified provider";
    assert_eq!(said(Text { issuer: "https://evil.example", ..GOOD }), entity);
    let redeem = "Token must be redeemed within 5 minutes of issuance";
    assert_eq!(said(Text { issued: "2025-12-31T23:55:00Z", ..GOOD }), redeem);
    let expired = "The assertion in the request has expired.";
    assert_eq!(said(Text { expires: "2026-01-01T00:00:00Z", ..GOOD }), expired);
    let future = "The assertion was issued in the future.";
    assert_eq!(said(Text { issued: "2026-01-01T00:06:00Z", ..GOOD }), future);
    assert_eq!(said(Text { issued: "soon", ..GOOD }), "The assertion has a time that is none.");
    assert_eq!(said(Text { subject: " ", ..GOOD }), "Subject is not well formed");
    let unknown = Text { extra: "<saml:Condition></saml:Condition>", ..GOOD };
    assert_eq!(said(unknown), "The assertion has a condition that is not known.");
    let failed = Text { status: "urn:oasis:names:tc:SAML:2.0:status:Responder", ..GOOD };
    assert_eq!(check(failed).map(|fault| matches!(fault, Fault::Rejected(_))), Some(true));
}

fn lab(signer: &Signer) -> Lab {
    let lab = Lab::new();
    let certificate = STANDARD.encode(&signer.certificate);
    let metadata = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY}\">\
         <IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">\
         <X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>\
         </KeyDescriptor><SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://idp.example.com/sso\"/></IDPSSODescriptor></EntityDescriptor>"
    );
    let provider = CreateSAMLProviderRequest {
        saml_metadata_document: metadata,
        name: "corp".into(),
        ..CreateSAMLProviderRequest::default()
    };
    lab.call(create_saml_provider, provider).unwrap();
    let trust = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\
         \"Principal\":{{\"Federated\":\"{PROVIDER}\"}},\"Action\":\"sts:AssumeRoleWithSAML\"}}}}"
    );
    let role = CreateRoleRequest {
        role_name: "Builder".into(),
        assume_role_policy_document: trust,
        ..CreateRoleRequest::default()
    };
    lab.call(create_role, role).unwrap();
    lab
}

fn call(text: &str) -> AssumeRoleWithSAMLRequest {
    AssumeRoleWithSAMLRequest {
        role_arn: ROLE.into(),
        principal_arn: PROVIDER.into(),
        saml_assertion: STANDARD.encode(text),
        ..AssumeRoleWithSAMLRequest::default()
    }
}

#[test]
fn an_assertion_gets_one_session_of_each_role() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let input = call(&signed(&signer, &GOOD));
    let caller = lab.read(|cx| prove(cx, &input)).unwrap();
    let user = lab.called_by(caller);
    let answer = user.call(assume_role_with_saml, input.clone()).unwrap();
    assert_eq!(answer.subject.as_deref(), Some("ana"));
    assert_eq!(answer.subject_type.as_deref(), Some("persistent"));
    assert_eq!(answer.audience.as_deref(), Some(ENDPOINT));
    let qualifier = name_qualifier(ENTITY, ACCOUNT, "corp");
    assert_eq!(answer.name_qualifier.as_deref(), Some(&*qualifier));
    let arn = answer.assumed_role_user.unwrap().arn;
    assert_eq!(arn, "arn:aws:sts::123456789012:assumed-role/Builder/ana");
    let credentials = answer.credentials.unwrap();
    let (token, id) = (&credentials.session_token, &credentials.access_key_id);
    let session = crate::sts::session::open(&lab.plane, token, id).unwrap();
    assert_eq!(session.tags.get("team").map(String::as_str), Some("blue"));
    assert_eq!(session.federation.get("saml:sub").map(String::as_str), Some("ana"));
    let provider = session.federation.get("aws:FederatedProvider").map(String::as_str);
    assert_eq!(provider, Some(PROVIDER));

    let again = user.refusal(assume_role_with_saml, input);
    assert!(again.contains("was used for this role before"), "{again}");
    let next = call(&signed(&signer, &Text { id: "_a2", ..GOOD }));
    let next_user = lab.called_by(lab.read(|cx| prove(cx, &next)).unwrap());
    next_user.call(assume_role_with_saml, next).unwrap();
}

#[test]
fn what_the_role_must_allow() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let input = call(&signed(&signer, &GOOD));
    let caller = lab.read(|cx| prove(cx, &input)).unwrap();
    let user = lab.called_by(caller);
    let needed = user.read(|cx| assume_role_with_saml_requirements(cx, &input)).unwrap();
    let actions: Vec<&str> = needed.iter().map(|one: &Requirement| &*one.action).collect();
    assert_eq!(actions, ["sts:AssumeRoleWithSAML", "sts:TagSession"]);
    let key = |name: &str| {
        let found = needed[0].keys.iter().find(|(key, _)| key == name);
        found.map(|(_, values)| values.join(","))
    };
    assert_eq!(key("saml:aud").as_deref(), Some(ENDPOINT));
    assert_eq!(key("saml:sub_type").as_deref(), Some("persistent"));
    assert_eq!(key("saml:doc").as_deref(), Some("123456789012/corp"));
    let federated = user.read(|cx| crate::sts::federation::federated(cx)).unwrap();
    let role = crate::sts::role::RoleArn::parse(ROLE).unwrap();
    assert_eq!(requirements("a:b", &federated, &role, "ana", None).len(), 2);
}

#[test]
fn role_and_provider_must_be_those_of_the_assertion() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let good = call(&signed(&signer, &GOOD));
    let say = |input: AssumeRoleWithSAMLRequest| {
        lab.read(|cx| prove(cx, &input).map(drop)).unwrap_err().to_string()
    };
    let other = AssumeRoleWithSAMLRequest {
        role_arn: "arn:aws:iam::123456789012:role/Admin".into(),
        ..good.clone()
    };
    assert!(say(other).contains("doesn't contain the requested Role and Metadata"));
    let missing = AssumeRoleWithSAMLRequest {
        principal_arn: "arn:aws:iam::123456789012:saml-provider/none".into(),
        ..good.clone()
    };
    assert!(say(missing).contains("Specified provider doesn't exist"));
    let no_role = AssumeRoleWithSAMLRequest { role_arn: PROVIDER.into(), ..good };
    assert!(say(no_role).contains("Request ARN is invalid"));
}

/// An encrypted assertion around `inside`: AES-128-GCM, its key wrapped with RSA-OAEP.
fn encrypted(private: &aws_lc_rs::rsa::KeyPair, inside: &str, transport: &str) -> String {
    use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
    use aws_lc_rs::signature::KeyPair as _;
    let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
    let public = PublicEncryptingKey::from_der(der.as_ref()).unwrap();
    let oaep = OaepPublicEncryptingKey::new(public).unwrap();
    let mut wrapped = vec![0; oaep.ciphertext_size()];
    let wrapped = oaep.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 16], &mut wrapped, None).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).unwrap());
    let mut cipher = inside.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([9; 12]);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut cipher).unwrap();
    let cipher = STANDARD.encode([&[9; 12][..], &cipher].concat());
    let wrapped = STANDARD.encode(wrapped);
    format!(
        "<saml:EncryptedAssertion {SAML}><xenc:EncryptedData \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#{transport}\"/>\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{cipher}\
         </xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"
    )
}

#[test]
fn an_encrypted_assertion_is_opened_with_the_providers_key() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let signer = Signer::new();
    let private = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = private.as_der().unwrap();
    let keys = [der.as_ref().to_vec()];
    let trusted = Trusted { encryption_required: true, ..signer.trusted(&keys) };
    let check = |text: &str| verify(&STANDARD.encode(text), &trusted, NOW);
    let seal = |inside: &str| encrypted(&private, inside, "rsa-oaep-mgf1p");
    let inner = signed_assertion(&signer, &GOOD);
    let read = check(&response(&GOOD, "", &seal(&inner))).unwrap();
    assert_eq!(read.subject, "ana");
    // One that nobody signed is worthless: anybody can encrypt.
    let plain = assertion(&GOOD, "");
    let bare = response(&GOOD, "", &seal(&plain));
    assert_eq!(check(&bare), Err(Fault::Invalid("The assertion could not be decrypted.")));
    let forged = inner.replace(">ana<", ">eva<");
    assert!(check(&response(&GOOD, "", &seal(&forged))).is_err());
    let two = response(&GOOD, "", &format!("{}{}", seal(&inner), seal(&inner)));
    assert!(check(&two).is_err());
    let nested = response(&GOOD, "", &seal(&format!("{inner}{plain}")));
    assert!(check(&nested).is_err());
    let old = response(&GOOD, "", &encrypted(&private, &inner, "rsa-1_5"));
    assert!(check(&old).is_err());
    let open = signed(&signer, &GOOD);
    assert_eq!(check(&open), Err(Fault::Invalid("The assertion must be encrypted.")));
    let others = Trusted { private_keys: &[], ..signer.trusted(&keys) };
    assert!(verify(&STANDARD.encode(response(&GOOD, "", &seal(&inner))), &others, NOW).is_err());
}
