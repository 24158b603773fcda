//! Roles for users of SAML providers, whose responses Python's `cryptography` signs.

use super::web_identity::{missing, python};
use crate::support::{Caller, Keys, Lab};
use serde_json::{Value, json};

const ENTITY: &str = "https://idp.example.com/saml";
const ASSUME: (&str, &str) = ("sts", "AssumeRoleWithSAML");
const PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/";

/// A provider and a role that trusts it.
struct Site {
    lab: Lab,
    folder: tempfile::TempDir,
    provider: String,
    role: String,
}

impl Site {
    fn start(test: &str, conditions: Value) -> Option<Site> {
        if missing(test) {
            return None;
        }
        let lab = Lab::start(test)?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        python(&["keys", path]);
        let metadata = python(&["metadata", path, ENTITY]);
        let root = lab.root();
        let input = json!({ "Name": "corp", "SAMLMetadataDocument": metadata });
        let made = root.ok("iam", "CreateSAMLProvider", input);
        let provider = made["SAMLProviderArn"].as_str().unwrap().to_owned();
        let statement = json!({ "Effect": "Allow", "Principal": { "Federated": provider },
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"], "Condition": conditions });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let input = json!({ "RoleName": "staff", "AssumeRolePolicyDocument": trust });
        let made = root.ok("iam", "CreateRole", input);
        let role = made["Role"]["Arn"].as_str().unwrap().to_owned();
        Some(Site { lab, folder, provider, role })
    }

    fn nobody(&self) -> Caller<'_> {
        self.lab.caller(Keys::of("AKIAIOSFODNN7EXAMPLE", "none"))
    }

    /// A call with a response of the facts, those of `more` over the usual ones.
    fn call(&self, id: &str, more: Value) -> Value {
        let pair = format!("{},{}", self.provider, self.role);
        let mut facts = json!({ "id": id, "issuer": ENTITY, "subject": "ana",
            "audience": "urn:amazon:webservices", "attributes": {
                format!("{PREFIX}Role"): [pair],
                format!("{PREFIX}RoleSessionName"): ["ana@example.com"],
                format!("{PREFIX}PrincipalTag:team"): ["blue"],
            } });
        facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = self.folder.path().to_str().unwrap();
        let response = python(&["saml", path, &facts.to_string()]);
        json!({ "RoleArn": self.role, "PrincipalArn": self.provider, "SAMLAssertion": response })
    }
}

#[test]
fn a_user_of_a_provider_gets_the_role_once() {
    let conditions = json!({ "StringEquals": {
        "SAML:aud": "https://signin.aws.amazon.com/saml", "aws:RequestTag/team": "blue" } });
    let Some(site) = Site::start("a_user_of_a_provider_gets_the_role_once", conditions) else {
        return;
    };
    let input = site.call("_one", json!({}));
    let answer = site.nobody().ok(ASSUME.0, ASSUME.1, input.clone());
    assert_eq!(answer["Subject"], json!("ana"));
    assert_eq!(answer["SubjectType"], json!("transient"));
    assert_eq!(answer["Issuer"], json!(ENTITY));
    assert_eq!(answer["Audience"], json!("https://signin.aws.amazon.com/saml"));
    let session = site.lab.caller(Keys::of_session(&answer));
    let identity = session.ok("sts", "GetCallerIdentity", json!({}));
    let arn = identity["Arn"].as_str().unwrap();
    assert!(arn.ends_with(":assumed-role/staff/ana@example.com"), "{arn}");

    let attributes = json!([{ "AttributeKey": "EventName", "AttributeValue": ASSUME.1 }]);
    let input_of_lookup = json!({ "LookupAttributes": attributes, "MaxResults": 1 });
    let found = site.lab.root().ok("cloudtrail", "LookupEvents", input_of_lookup);
    let event = found["Events"][0]["CloudTrailEvent"].as_str().unwrap();
    assert!(!event.contains(input["SAMLAssertion"].as_str().unwrap()), "{event}");
    let event: Value = serde_json::from_str(event).unwrap();
    let caller = &event["userIdentity"];
    assert_eq!(caller["type"], json!("SAMLUser"));
    assert_eq!(caller["userName"], json!("ana"));
    assert_eq!(caller["identityProvider"], answer["NameQualifier"]);
    assert_eq!(event["readOnly"], json!(true));

    let invalid = ("InvalidIdentityToken", 400);
    let again = site.nobody().refused(ASSUME, input, invalid);
    assert!(again.message.contains("was used for this role before"), "{}", again.message);
}

#[test]
fn responses_are_refused_in_awss_words() {
    let conditions = json!({ "StringEquals": { "saml:sub": "ana" } });
    let Some(site) = Site::start("responses_are_refused_in_awss_words", conditions) else {
        return;
    };
    let say = |input: Value, code: (&str, u64)| site.nobody().refused(ASSUME, input, code).message;
    let invalid = ("InvalidIdentityToken", 400);
    let mut forged = site.call("_a", json!({}));
    let text = forged["SAMLAssertion"].as_str().unwrap();
    // Every base64 letter stands for six bits of what was signed: change some in the middle.
    let middle = text.len() / 2;
    let changed = if &text[middle..=middle] == "A" { "B" } else { "A" };
    let text = format!("{}{changed}{}", &text[..middle], &text[middle + 1..]);
    forged["SAMLAssertion"] = json!(text);
    say(forged, invalid);
    let mut no_base64 = site.call("_b", json!({}));
    no_base64["SAMLAssertion"] = json!("****");
    assert_eq!(say(no_base64, invalid), "Invalid base64 SAMLResponse");
    let issuer = site.call("_c", json!({ "issuer": "https://evil.example" }));
    assert_eq!(say(issuer, invalid), "Issuer not present in specified provider");
    let old = site.call("_d", json!({ "age": 400 }));
    let expired = ("ExpiredTokenException", 400);
    assert_eq!(say(old, expired), "Token must be redeemed within 5 minutes of issuance");
    let bare = site.call("_e", json!({ "attributes": {} }));
    assert!(say(bare, invalid).contains("requested Role and Metadata"));
    let other = site.call("_f", json!({ "subject": "eva" }));
    let denied = say(other, ("AccessDenied", 403));
    assert_eq!(denied, "Not authorized to perform sts:AssumeRoleWithSAML");
    let mut unknown = site.call("_g", json!({}));
    unknown["PrincipalArn"] = json!(format!("{}x", site.provider));
    assert_eq!(say(unknown, invalid), "Specified provider doesn't exist");
    let mut long = site.call("_h", json!({}));
    long["DurationSeconds"] = json!(7200);
    assert!(say(long.clone(), ("ValidationError", 400)).contains("MaxSessionDuration"));
    // What was refused has not used the assertion up.
    long["DurationSeconds"] = json!(900);
    site.nobody().ok(ASSUME.0, ASSUME.1, long);
}
