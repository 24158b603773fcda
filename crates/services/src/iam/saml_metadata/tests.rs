use super::*;

/// A certificate of an RSA key, good until 2126.
const CERTIFICATE: &str = concat!(
    "MIIDFzCCAf+gAwIBAgIULjK8kJk5t7ysZWSP90vGYB5G24YwDQYJKoZIhvcNAQELBQAwGjEYMBYGA1UE",
    "AwwPaWRwLmV4YW1wbGUuY29tMCAXDTI2MTEyMjIxNTA1NFoYDzIxMjYxMDI5MjE1MDU0WjAaMRgwFgYD",
    "VQQDDA9pZHAuZXhhbXBsZS5jb20wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDIC8TqiVaX",
    "vcLtwMnLWRLuY4ur7oVqDYIotKyA8K85TpxBS0OnsSUNWzbaOgCOja5xCifeolO6J7Y5KbwPfvk6Rf5G",
    "6LOqwg9oSVr+oGBowWmBEG9o1eWO21qmCYfeT9uNt+Mkt8JZOr6qAQ2N3+fvwfoQOCTJP4P79AvLL5y/",
    "YOj9M45W3Q+Wm21N3y+E0olsC76YEbtWlogn0fTyzLbftkBPFcEGgyodUdGexwJ71QkHKuoFLILlgnkF",
    "jOdEXrgLaRvHxsJyKgMoP6KSg9nB7ZvQm9RsgujkIbEmitA8N8dbKUydwm9PQTQk+EpMyD1sqo6QXT2U",
    "OOj/ARTHVLS1AgMBAAGjUzBRMB0GA1UdDgQWBBThfHllTSUKUbFLdRemzaeF9541PzAfBgNVHSMEGDAW",
    "gBThfHllTSUKUbFLdRemzaeF9541PzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQDD",
    "kkjyxCCOzsjEdvWZX3cV9HirIkyi6yDqXDDrY3qW33xeq/QNWb3aJV3qWDHeuAoS74w33/eiZrmIVoWS",
    "5JgviVUMDEQiWN8+a8us0QE8GZAMctI+84vZyQ+RS47/V3cRjRejgi1QoT5pjRt6BUssa46qagOmTYN+",
    "OhNZArG7QpuaxA5l+YpAhTDQ41NstXvCc0w9cG/YJtaMgFWyM4aHl1e2QnYIJDn7YFqiBl6lBKpEkLAD",
    "lH+C2JjMthJMjc1rsxiQqddRkiAAJbqX+k/tqfdkMnVZK4/ffCYbZ/ugIu6P6u585O6rMwOaw6GEUBdN",
    "eCIkL95q/bxa67ncMGWa"
);

fn key(of: &str, certificate: &str) -> String {
    format!(
        concat!(
            "<md:KeyDescriptor{of}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}",
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        ),
        of = of,
        certificate = certificate
    )
}

const SIGN_ON: &str = concat!(
    r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" "#,
    r#"Location="https://idp.example.com/sso"/>"#
);

fn document(attributes: &str, inside: &str) -> String {
    format!(
        concat!(
            r#"<?xml version="1.0"?><md:EntityDescriptor {attributes} "#,
            r#"xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" "#,
            r#"xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><md:IDPSSODescriptor>{inside}"#,
            r#"</md:IDPSSODescriptor></md:EntityDescriptor>"#
        ),
        attributes = attributes,
        inside = inside
    )
}

#[test]
fn metadata_says_who_signs_and_until_when() {
    let certificate = CERTIFICATE;
    let (half, rest) = certificate.split_at(64);
    let keys = key(r#" use="signing""#, &format!("\n{half}\n{rest}\n")) + &key("", certificate);
    let text = document(
        r#"entityID="https://idp.example.com/a&amp;b" validUntil="2030-01-02T03:04:05Z""#,
        &(keys + SIGN_ON),
    );
    let found = parse(&text).unwrap();
    assert_eq!(found.entity_id, "https://idp.example.com/a&b");
    assert_eq!(found.valid_until, Some(Timestamp::from_seconds(1_893_553_445)));
    assert_eq!(found.certificates.len(), 2);
    assert_eq!(STANDARD.encode(&found.certificates[0]), certificate);
}

#[test]
fn what_is_no_metadata_is_refused() {
    let certificate = CERTIFICATE;
    let named = r#"entityID="i""#;
    let good = key("", certificate) + SIGN_ON;
    assert!(parse(&document(named, &good)).is_ok());
    let many = key("", certificate).repeat(11) + SIGN_ON;
    let bare = document(named, &good);
    let cases = [
        ("", "no EntityDescriptor"),
        ("not xml", "no EntityDescriptor"),
        ("<a><b></a>", "one EntityDescriptor"),
        (&bare.replace("</md:IDPSSODescriptor>", "</md:x>"), "Could not parse"),
        (&bare[..bare.len() - 5], "Could not parse"),
        (&bare.replace("SAML:2.0:metadata", "SAML:1.0:metadata"), "one EntityDescriptor"),
        (&bare.replace("<?xml version=\"1.0\"?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>"), "parse"),
        (&format!("{bare}{}", bare.trim_start_matches("<?xml version=\"1.0\"?>")), "one Entity"),
        (&document("", &good), "entityID"),
        (&document(r#"entityID="i" validUntil="soon""#, &good), "validUntil"),
        (&document(named, &key("", certificate)), "SingleSignOnService"),
        (&document(named, SIGN_ON), "no certificate"),
        (&document(named, &(key(r#" use="encryption""#, certificate) + SIGN_ON)), "no certificate"),
        (&document(named, &(key("", "bm90IGEgY2VydA==") + SIGN_ON)), "that is none"),
        (&document(named, &(key("", "***") + SIGN_ON)), "that is none"),
        (&document(named, &many), "more than 10"),
        (&document(named, &("<md:a>".repeat(70) + &"</md:a>".repeat(70))), "parse"),
    ];
    for (text, part) in cases {
        let fault = parse(text).unwrap_err();
        assert!(fault.contains(part), "{text}: {fault}");
    }
}
