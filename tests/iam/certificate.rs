//! Signing certificates of users, and server certificates.

use super::{all, check_refusals, tags};
use crate::support::{Authority, Lab, Pair, each, policy};
use serde_json::{Value, json};

#[test]
fn signing_certificates_live_and_die() {
    let Some(lab) = Lab::start("signing_certificates_live_and_die") else { return };
    let root = lab.root();
    for name in ["ann", "bob"] {
        root.ok("iam", "CreateUser", json!({ "UserName": name }));
    }
    let authority = Authority::new("test");
    let [one, two, three] = ["1", "2", "3"].map(|name| authority.leaf(name).certificate);
    let upload = |user: &str, body: &str| json!({ "UserName": user, "CertificateBody": body });
    let made =
        root.ok("iam", "UploadSigningCertificate", upload("ann", &one))["Certificate"].clone();
    assert_eq!((&made["CertificateBody"], &made["Status"]), (&json!(one), &json!("Active")));
    let id = made["CertificateId"].as_str().unwrap().to_owned();
    root.ok("iam", "UploadSigningCertificate", upload("ann", &two));
    let expired = authority.expired("old").certificate;
    let named = |id: &str| json!({ "UserName": "ann", "CertificateId": id });
    let nowhere = "A".repeat(32);
    check_refusals(
        &root,
        &[
            ("UploadSigningCertificate", upload("bob", &one), "DuplicateCertificate", 409, ""),
            ("UploadSigningCertificate", upload("bob", "x"), "MalformedCertificate", 400, "PEM"),
            ("UploadSigningCertificate", upload("bob", &expired), "InvalidCertificate", 400, ""),
            ("UploadSigningCertificate", upload("nobody", &three), "NoSuchEntity", 404, "nobody"),
            (
                "UploadSigningCertificate",
                upload("ann", &three),
                "LimitExceeded",
                409,
                "Cannot exceed quota for CertificatesPerUser: 2",
            ),
            ("DeleteSigningCertificate", named(&nowhere), "NoSuchEntity", 404, &nowhere),
            ("DeleteUser", json!({ "UserName": "ann" }), "DeleteConflict", 409, "certificates"),
        ],
    );
    let pages =
        root.pages("ListSigningCertificates", json!({ "UserName": "ann" }), "Certificates", 1);
    assert_eq!((pages.len(), all(&pages, "CertificateId").contains(&id)), (2, true));
    let mut update = named(&id);
    update["Status"] = json!("Inactive");
    root.ok("iam", "UpdateSigningCertificate", update.clone());
    update["Status"] = json!("Expired");
    check_refusals(&root, &[("UpdateSigningCertificate", update, "InvalidInput", 400, "Expired")]);
    root.ok("iam", "DeleteSigningCertificate", named(&id));
    root.ok("iam", "UploadSigningCertificate", upload("bob", &one));

    // A user's own, without a name; and nobody else's.
    let own = policy("Allow", &["iam:*SigningCertificate*"], &["arn:aws:iam::*:user/cat"]);
    let cat = lab.user(&root, "cat", Some(own));
    cat.ok("iam", "UploadSigningCertificate", json!({ "CertificateBody": three }));
    let own = cat.ok("iam", "ListSigningCertificates", json!({}));
    assert_eq!(each(&own["Certificates"], "UserName"), ["cat"]);
    let other = cat.call("iam", "ListSigningCertificates", json!({ "UserName": "bob" }));
    assert_eq!(other.unwrap_err().code, "AccessDenied");
}

fn upload(name: &str, pair: &Pair, chain: Option<&str>) -> Value {
    let mut input = json!({
        "ServerCertificateName": name,
        "CertificateBody": pair.certificate,
        "PrivateKey": pair.key,
    });
    if let Some(chain) = chain {
        input["CertificateChain"] = json!(chain);
    }
    input
}

#[test]
fn server_certificates_live_and_die() {
    let Some(lab) = Lab::start("server_certificates_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let authority = Authority::new("test");
    let pair = authority.leaf("www.example.com");
    let mut input = upload("web", &pair, Some(&authority.pem));
    input["Path"] = json!("/cloudfront/");
    input["Tags"] = tags(&[("team", "blue")]);
    let made = root.ok("iam", "UploadServerCertificate", input);
    let metadata = &made["ServerCertificateMetadata"];
    let arn = format!("arn:aws:iam::{account}:server-certificate/cloudfront/web");
    assert_eq!(metadata["Arn"], json!(arn));
    assert!(metadata["ServerCertificateId"].as_str().unwrap().starts_with("ASCA"));
    assert!(metadata["Expiration"].is_string() && made["Tags"] == tags(&[("team", "blue")]));
    let named = json!({ "ServerCertificateName": "web" });
    let got = root.ok("iam", "GetServerCertificate", named.clone())["ServerCertificate"].clone();
    assert_eq!(&got["ServerCertificateMetadata"], metadata);
    assert_eq!(got["CertificateBody"], json!(pair.certificate.trim()));
    assert_eq!(got["CertificateChain"], json!(authority.pem.trim()));
    assert!(!got.to_string().contains("PRIVATE KEY"));

    let change = |more: Value| {
        let mut input = named.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let more = tags(&[("Team", "red"), ("cost", "7")]);
    root.ok("iam", "TagServerCertificate", change(json!({ "Tags": more })));
    let pages = root.pages("ListServerCertificateTags", named.clone(), "Tags", 1);
    assert_eq!(all(&pages, "Key"), ["Team", "cost"]);
    root.ok("iam", "UntagServerCertificate", change(json!({ "TagKeys": ["cost"] })));
    let changed = json!({ "NewPath": "/", "NewServerCertificateName": "www" });
    root.ok("iam", "UpdateServerCertificate", change(changed));
    check_refusals(
        &root,
        &[("GetServerCertificate", named, "NoSuchEntity", 404, "name web cannot be found.")],
    );
    let summary = root.ok("iam", "GetAccountSummary", json!({}));
    assert_eq!(summary["SummaryMap"]["ServerCertificates"], json!(1));
    root.ok("iam", "DeleteServerCertificate", json!({ "ServerCertificateName": "www" }));
    assert_eq!(
        root.ok("iam", "ListServerCertificates", json!({}))["ServerCertificateMetadataList"],
        json!([])
    );
}

#[test]
fn server_certificates_are_refused_as_documented() {
    let Some(lab) = Lab::start("server_certificates_are_refused_as_documented") else { return };
    let root = lab.root();
    let (authority, other) = (Authority::new("test"), Authority::new("other"));
    let pair = authority.leaf("a");
    for number in 0..20 {
        let mut input = upload(&format!("c{number:02}"), &pair, None);
        input["Path"] = json!(if number < 3 { "/few/" } else { "/many/" });
        root.ok("iam", "UploadServerCertificate", input);
    }
    let full = "Cannot exceed quota for ServerCertificatesPerAccount: 20";
    let refused = "UploadServerCertificate";
    check_refusals(&root, &[(refused, upload("x", &pair, None), "LimitExceeded", 409, full)]);
    let listed = |prefix: &str| {
        let input = json!({ "PathPrefix": prefix });
        all(
            &root.pages("ListServerCertificates", input, "ServerCertificateMetadataList", 2),
            "Path",
        )
    };
    assert_eq!((listed("/").len(), listed("/few/").len()), (20, 3));
    root.ok("iam", "DeleteServerCertificate", json!({ "ServerCertificateName": "c19" }));
    let mixed = Pair { certificate: pair.certificate.clone(), key: authority.leaf("b").key };
    let unread = Pair { certificate: "x".into(), key: pair.key.clone() };
    let keyless = Pair { certificate: pair.certificate.clone(), key: "x".into() };
    let malformed = "MalformedCertificate";
    let chain = "Unable to validate certificate chain.";
    let missing = json!({ "ServerCertificateName": "nothing" });
    let taken = json!({
        "ServerCertificateName": "c00", "NewServerCertificateName": "C01"
    });
    check_refusals(
        &root,
        &[
            (refused, upload("C00", &pair, None), "EntityAlreadyExists", 409, "C00 already exists"),
            (refused, upload("x", &mixed, None), "KeyPairMismatch", 400, ""),
            (refused, upload("x", &unread, None), malformed, 400, "Unable to parse certificate."),
            (refused, upload("x", &keyless, None), malformed, 400, "Invalid Private Key."),
            (refused, upload("x", &pair, Some(&other.pem)), malformed, 400, chain),
            (refused, upload("x", &authority.expired("o"), None), malformed, 400, "valid"),
            ("DeleteServerCertificate", missing.clone(), "NoSuchEntity", 404, "nothing"),
            ("ListServerCertificateTags", missing, "NoSuchEntity", 404, "nothing"),
            ("UpdateServerCertificate", taken, "EntityAlreadyExists", 409, "C01"),
        ],
    );
    // A tag on the certificate decides.
    let mut by_tag = policy("Allow", &["iam:DeleteServerCertificate"], &["*"]);
    by_tag["Statement"][0]["Condition"] =
        json!({ "StringEquals": { "aws:ResourceTag/owner": "${aws:username}" } });
    let ann = lab.user(&root, "ann", Some(by_tag));
    let tag = json!({ "ServerCertificateName": "c01", "Tags": tags(&[("owner", "ann")]) });
    root.ok("iam", "TagServerCertificate", tag);
    let delete = |name: &str| json!({ "ServerCertificateName": name });
    let denied = ann.call("iam", "DeleteServerCertificate", delete("c00")).unwrap_err();
    assert!(denied.message.contains("server-certificate/few/c00"), "{denied:?}");
    ann.ok("iam", "DeleteServerCertificate", delete("c01"));
}
