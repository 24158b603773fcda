//! Identity providers: OpenID Connect and SAML.

use super::{check_refusals, tags};
use crate::support::{Lab, each};
use serde_json::{Value, json};
use std::process::Command;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const THUMBPRINT: &str = "6938fd4d98bab03faadb97b34396831e3780aea1";

#[test]
fn openid_connect_providers_live_and_die() {
    let Some(lab) = Lab::start("openid_connect_providers_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let input = json!({
        "Url": GITHUB, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": [THUMBPRINT],
        "Tags": tags(&[("team", "blue")]),
    });
    let made = root.ok("iam", "CreateOpenIDConnectProvider", input);
    let arn = format!("arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com");
    assert_eq!(made["OpenIDConnectProviderArn"], json!(arn));
    let named = json!({ "OpenIDConnectProviderArn": arn });
    let with = |more: Value| {
        let mut input = named.clone();
        input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        input
    };
    let got = || root.ok("iam", "GetOpenIDConnectProvider", named.clone());
    assert_eq!(got()["Url"], json!("token.actions.githubusercontent.com"));
    assert_eq!(got()["ThumbprintList"], json!([THUMBPRINT]));
    assert_eq!(got()["Tags"], tags(&[("team", "blue")]));
    let client = with(json!({ "ClientID": "app" }));
    for _ in 0..2 {
        root.ok("iam", "AddClientIDToOpenIDConnectProvider", client.clone());
    }
    assert_eq!(got()["ClientIDList"], json!(["app", "sts.amazonaws.com"]));
    for _ in 0..2 {
        root.ok("iam", "RemoveClientIDFromOpenIDConnectProvider", client.clone());
    }
    assert_eq!(got()["ClientIDList"], json!(["sts.amazonaws.com"]));
    let other = "A".repeat(40);
    let change = with(json!({ "ThumbprintList": [other] }));
    root.ok("iam", "UpdateOpenIDConnectProviderThumbprint", change);
    assert_eq!(got()["ThumbprintList"], json!([other.to_lowercase()]));
    let more = with(json!({ "Tags": tags(&[("Team", "red"), ("x", "y")]) }));
    root.ok("iam", "TagOpenIDConnectProvider", more);
    root.ok("iam", "UntagOpenIDConnectProvider", with(json!({ "TagKeys": ["x"] })));
    let kept = root.ok("iam", "ListOpenIDConnectProviderTags", named.clone());
    assert_eq!(each(&kept["Tags"], "Value"), ["red"]);

    // Nobody is asked for a thumbprint when none is given.
    let deep = json!({ "Url": "https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE" });
    let deep = root.ok("iam", "CreateOpenIDConnectProvider", deep);
    let deep = json!({ "OpenIDConnectProviderArn": deep["OpenIDConnectProviderArn"] });
    let shown = root.ok("iam", "GetOpenIDConnectProvider", deep.clone());
    assert_eq!(shown["ThumbprintList"], json!([]));
    let listed = || {
        let listed = root.ok("iam", "ListOpenIDConnectProviders", json!({}));
        listed["OpenIDConnectProviderList"].as_array().unwrap().len()
    };
    assert_eq!(listed(), 2);
    for _ in 0..2 {
        root.ok("iam", "DeleteOpenIDConnectProvider", deep.clone());
    }
    root.ok("iam", "DeleteOpenIDConnectProvider", named);
    assert_eq!(listed(), 0);
}

#[test]
fn openid_connect_providers_are_refused_as_documented() {
    let Some(lab) = Lab::start("openid_connect_providers_are_refused_as_documented") else {
        return;
    };
    let (root, account) = (lab.root(), lab.server.account_id());
    root.ok("iam", "CreateOpenIDConnectProvider", json!({ "Url": GITHUB }));
    let arn = format!("arn:aws:iam::{account}:oidc-provider/nobody.example.com");
    let missing = json!({ "OpenIDConnectProviderArn": arn });
    let known = format!("arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com");
    let ids: Vec<String> = (0..101).map(|n| format!("client-{n}")).collect();
    let url = "Invalid Open ID Connect Provider URL";
    let create = "CreateOpenIDConnectProvider";
    let six = json!({ "Url": "https://a.example.com", "ThumbprintList": vec![THUMBPRINT; 6] });
    let short = json!({ "Url": "https://a.example.com", "ThumbprintList": ["abc"] });
    let no_hex = json!({ "Url": "https://a.example.com", "ThumbprintList": ["z".repeat(40)] });
    let clients = json!({ "Url": "https://a.example.com", "ClientIDList": ids });
    let add = json!({ "OpenIDConnectProviderArn": arn, "ClientID": "a" });
    let thumbprints =
        json!({ "OpenIDConnectProviderArn": known, "ThumbprintList": vec![THUMBPRINT; 6] });
    let not_found = format!("OpenIDConnect Provider not found for arn {arn}");
    check_refusals(
        &root,
        &[
            (create, json!({ "Url": GITHUB }), "EntityAlreadyExists", 409, "already exists."),
            (create, json!({ "Url": "http://a.example.com" }), "ValidationError", 400, url),
            (create, json!({ "Url": "https://a.example.com:8443" }), "ValidationError", 400, url),
            (create, json!({}), "ValidationError", 400, "url"),
            (
                create,
                six,
                "InvalidInput",
                400,
                "Thumbprint list must contain fewer than 5 entries.",
            ),
            (create, short, "ValidationError", 400, "humbprint"),
            (create, no_hex, "InvalidInput", 400, "thumbprint"),
            (
                create,
                clients,
                "LimitExceeded",
                409,
                "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100",
            ),
            ("GetOpenIDConnectProvider", missing.clone(), "NoSuchEntity", 404, &not_found),
            ("ListOpenIDConnectProviderTags", missing, "NoSuchEntity", 404, &not_found),
            ("AddClientIDToOpenIDConnectProvider", add.clone(), "NoSuchEntity", 404, &not_found),
            ("RemoveClientIDFromOpenIDConnectProvider", add, "NoSuchEntity", 404, &not_found),
            ("UpdateOpenIDConnectProviderThumbprint", thumbprints, "InvalidInput", 400, "fewer"),
            (
                "DeleteOpenIDConnectProvider",
                json!({ "OpenIDConnectProviderArn": "arn:aws:iam::123456789012:user/a" }),
                "InvalidInput",
                400,
                "Invalid ARN",
            ),
        ],
    );
    let ann = lab.user(&root, "ann", None);
    for (operation, input, resource) in [
        (create, json!({ "Url": "https://a.example.com/x" }), "oidc-provider/a.example.com/x"),
        ("ListOpenIDConnectProviders", json!({}), "oidc-provider/"),
        (
            "DeleteOpenIDConnectProvider",
            json!({ "OpenIDConnectProviderArn": known }),
            "oidc-provider/token.actions.githubusercontent.com",
        ),
    ] {
        let refusal = ann.refused(("iam", operation), input, ("AccessDenied", 403));
        let part =
            format!("iam:{operation} on resource: arn:aws:iam::{account}:{resource} because");
        assert!(refusal.message.contains(&part), "{}", refusal.message);
    }
}

/// An RSA key in PEM, and the base64 of a certificate of it.
fn key_and_certificate() -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let arguments = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=idp.example.com";
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    if !command.output().ok()?.status.success() {
        return None;
    }
    let certificate = std::fs::read_to_string(certificate).unwrap();
    let lines = certificate.lines().filter(|line| !line.starts_with("-----"));
    Some((std::fs::read_to_string(key).unwrap(), lines.collect()))
}

/// Metadata of a signing identity provider.
fn metadata(certificate: &str, attributes: &str) -> String {
    let binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
    [
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" ",
        "entityID=\"https://idp.example.com\" ",
        attributes,
        "><IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
        "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">",
        "<X509Data><X509Certificate>",
        certificate,
        "</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding=\"",
        binding,
        "\" Location=\"https://idp.example.com/sso\"/></IDPSSODescriptor></EntityDescriptor>",
    ]
    .concat()
}

#[test]
fn saml_providers_live_and_die() {
    let test = "saml_providers_live_and_die";
    let Some(lab) = Lab::start(test) else { return };
    let Some((key, certificate)) = key_and_certificate() else {
        return crate::support::skip(test, "OpenSSL is not installed");
    };
    let (root, account) = (lab.root(), lab.server.account_id());
    let document = metadata(&certificate, "validUntil=\"2040-01-01T00:00:00Z\"");
    let input = json!({
        "Name": "corp", "SAMLMetadataDocument": document, "Tags": tags(&[("team", "blue")]),
        "AddPrivateKey": key, "AssertionEncryptionMode": "Required",
    });
    let made = root.ok("iam", "CreateSAMLProvider", input);
    let arn = format!("arn:aws:iam::{account}:saml-provider/corp");
    assert_eq!(made["SAMLProviderArn"], json!(arn));
    assert_eq!(made["Tags"], tags(&[("team", "blue")]));
    let named = json!({ "SAMLProviderArn": arn });
    let with = |more: Value| {
        let mut input = named.clone();
        input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        input
    };
    let got = || root.ok("iam", "GetSAMLProvider", named.clone());
    let first = got();
    assert_eq!(first["SAMLMetadataDocument"], json!(document));
    assert_eq!(first["ValidUntil"], json!("2040-01-01T00:00:00Z"));
    assert_eq!(first["AssertionEncryptionMode"], json!("Required"));
    let id = first["PrivateKeyList"][0]["KeyId"].clone();
    assert!(!first.to_string().contains("PRIVATE KEY"), "{first}");
    let listed = root.ok("iam", "ListSAMLProviders", json!({}));
    assert_eq!(each(&listed["SAMLProviderList"], "Arn"), [&*arn]);

    // The last key stays while encryption is required.
    let remove = with(json!({ "RemovePrivateKey": id }));
    root.refused(("iam", "UpdateSAMLProvider"), remove, ("InvalidInput", 400));
    let relaxed = json!({ "RemovePrivateKey": id, "AssertionEncryptionMode": "Allowed" });
    root.ok("iam", "UpdateSAMLProvider", with(relaxed));
    assert!(got().get("PrivateKeyList").is_none_or(|list| *list == json!([])), "{}", got());
    let other = metadata(&certificate, "");
    root.ok("iam", "UpdateSAMLProvider", with(json!({ "SAMLMetadataDocument": other })));
    assert_eq!(got()["SAMLMetadataDocument"], json!(other));
    assert_ne!(got()["ValidUntil"], first["ValidUntil"]);

    root.ok("iam", "TagSAMLProvider", with(json!({ "Tags": tags(&[("x", "y")]) })));
    root.ok("iam", "UntagSAMLProvider", with(json!({ "TagKeys": ["team"] })));
    let kept = root.ok("iam", "ListSAMLProviderTags", named.clone());
    assert_eq!(each(&kept["Tags"], "Key"), ["x"]);
    for _ in 0..2 {
        root.ok("iam", "UpdateSAMLProvider", with(json!({ "AddPrivateKey": key })));
    }
    let third = with(json!({ "AddPrivateKey": key }));
    root.refused(("iam", "UpdateSAMLProvider"), third, ("LimitExceeded", 409));
    root.ok("iam", "DeleteSAMLProvider", named.clone());
    let gone = root.refused(("iam", "GetSAMLProvider"), named, ("NoSuchEntity", 404));
    assert_eq!(gone.message, format!("Manifest not found for arn {arn}"));
}

#[test]
fn saml_providers_are_refused_as_documented() {
    let test = "saml_providers_are_refused_as_documented";
    let Some(lab) = Lab::start(test) else { return };
    let Some((key, certificate)) = key_and_certificate() else {
        return crate::support::skip(test, "OpenSSL is not installed");
    };
    let (root, account) = (lab.root(), lab.server.account_id());
    let document = metadata(&certificate, "");
    let create =
        |name: &str, document: &str| json!({ "Name": name, "SAMLMetadataDocument": document });
    root.ok("iam", "CreateSAMLProvider", create("corp", &document));
    let missing = json!({ "SAMLProviderArn": format!("arn:aws:iam::{account}:saml-provider/no") });
    let known = format!("arn:aws:iam::{account}:saml-provider/corp");
    let mut required = create("other", &document);
    required["AssertionEncryptionMode"] = json!("Required");
    let mut bad_key = create("other", &document);
    bad_key["AddPrivateKey"] = json!(key.replace('A', "B"));
    let long = "x".repeat(2000);
    let unsigned = document.replace("X509Certificate", "X509Nothing");
    check_refusals(
        &root,
        &[
            ("CreateSAMLProvider", create("corp", &document), "EntityAlreadyExists", 409, "corp"),
            ("CreateSAMLProvider", create("other", "short"), "ValidationError", 400, "1000"),
            ("CreateSAMLProvider", create("o o", &document), "ValidationError", 400, "name"),
            ("CreateSAMLProvider", create("other", &long), "InvalidInput", 400, "metadata"),
            ("CreateSAMLProvider", create("other", &unsigned), "InvalidInput", 400, "certificate"),
            ("CreateSAMLProvider", required, "InvalidInput", 400, "private key"),
            ("CreateSAMLProvider", bad_key, "InvalidInput", 400, "RSA"),
            (
                "UpdateSAMLProvider",
                json!({ "SAMLProviderArn": known, "RemovePrivateKey": "A".repeat(22) }),
                "NoSuchEntity",
                404,
                "",
            ),
            ("GetSAMLProvider", missing.clone(), "NoSuchEntity", 404, "Manifest not found for arn"),
            ("UpdateSAMLProvider", missing.clone(), "NoSuchEntity", 404, "Manifest"),
            ("DeleteSAMLProvider", missing.clone(), "NoSuchEntity", 404, "Manifest"),
            ("ListSAMLProviderTags", missing, "NoSuchEntity", 404, "Manifest"),
            (
                "GetSAMLProvider",
                json!({ "SAMLProviderArn": "arn:aws:iam::123456789012:role/x" }),
                "InvalidInput",
                400,
                "Invalid ARN",
            ),
        ],
    );
    let ann = lab.user(&root, "ann", None);
    for (operation, input, resource) in [
        ("CreateSAMLProvider", create("new", &document), "saml-provider/new"),
        ("ListSAMLProviders", json!({}), "saml-provider/"),
        ("DeleteSAMLProvider", json!({ "SAMLProviderArn": known }), "saml-provider/corp"),
    ] {
        let refusal = ann.refused(("iam", operation), input, ("AccessDenied", 403));
        let part =
            format!("iam:{operation} on resource: arn:aws:iam::{account}:{resource} because");
        assert!(refusal.message.contains(&part), "{}", refusal.message);
    }
}
