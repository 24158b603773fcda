//! The instance metadata service.

use super::{ACCOUNT, Site, WHO, assumed, role};
use crate::support::{Caller, Keys, have_boto3, skip};
use serde_json::{Value, json};

const ID: &str = "i-0123456789abcdef0";
const KEYS: &str = "/latest/meta-data/iam/security-credentials/";

fn site(test: &str, more: &str) -> Option<Site> {
    if !have_boto3() {
        skip(test, "boto3 is not installed");
        return None;
    }
    let profile = format!("arn:aws:iam::{ACCOUNT}:instance-profile/app");
    Some(Site::start("instance", &|_| {
        format!("instance-profile = \"{profile}\"\ninstance-id = \"{ID}\"\n{more}\n")
    }))
}

/// Role `app` in profile `app`.
fn equip(site: &Site) {
    let root = site.root();
    role(&root, "app", "ec2.amazonaws.com");
    root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": "app" }));
    let input = json!({ "InstanceProfileName": "app", "RoleName": "app" });
    root.ok("iam", "AddRoleToInstanceProfile", input);
}

fn token(site: &Site, seconds: u32) -> String {
    let wish = format!("X-aws-ec2-metadata-token-ttl-seconds: {seconds}\r\n");
    let (status, head, token) = site.ask("PUT", "/latest/api/token", &wish);
    assert_eq!(status, 200, "{head}");
    assert!(head.contains(&format!("x-aws-ec2-metadata-token-ttl-seconds: {seconds}")), "{head}");
    format!("X-aws-ec2-metadata-token: {token}\r\n")
}

fn keys(site: &Site) -> Value {
    let (status, _, body) = site.ask("GET", &format!("{KEYS}app"), &token(site, 60));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn a_workload_finds_its_role_with_the_address_alone() {
    let Some(site) = site("a_workload_finds_its_role_with_the_address_alone", "") else { return };
    equip(&site);
    let url = format!("http://{}", site.address);
    let found = site.workload(WHO, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]);
    let expected = format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/{ID}\nAccessDenied\n");
    assert_eq!((found.code, found.out), (Some(0), expected), "{}", found.err);

    let event = assumed(&site.root());
    let identity = json!({ "type": "AWSService", "invokedBy": "ec2.amazonaws.com" });
    assert_eq!(event["userIdentity"], identity, "{event}");
    assert_eq!(event["sourceIPAddress"], "ec2.amazonaws.com");
    assert_eq!(event["requestParameters"]["roleSessionName"], ID);
    assert_eq!(event["recipientAccountId"], ACCOUNT);
    let shown = event["responseElements"]["credentials"].as_object().unwrap();
    assert!(!shown.contains_key("secretAccessKey"), "{event}");
}

#[test]
fn sessions_say_which_instance_they_are_of() {
    let Some(site) = site("sessions_say_which_instance_they_are_of", "imds-v1 = true") else {
        return;
    };
    equip(&site);
    let root = site.root();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListAccountAliases", "Resource": "*",
        "Condition": {
            "NumericGreaterThanEquals": { "ec2:RoleDelivery": "2.0" },
            "ArnEquals": {
                "ec2:SourceInstanceArn": format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{ID}"),
            },
        },
    }] });
    let input =
        json!({ "RoleName": "app", "PolicyName": "v2", "PolicyDocument": policy.to_string() });
    root.ok("iam", "PutRolePolicy", input);
    let older: Value = {
        let (status, _, body) = site.ask("GET", &format!("{KEYS}app"), "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let session = |keys: &Value| {
        let credentials = json!({ "Credentials": {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "SessionToken": keys["Token"],
        } });
        Caller { boto: &site.boto, keys: Keys::of_session(&credentials) }
    };
    session(&keys(&site)).ok("iam", "ListAccountAliases", json!({}));
    let input = json!({});
    session(&older).refused(("iam", "ListAccountAliases"), input, ("AccessDenied", 403));
}

#[test]
fn only_who_holds_a_session_token_is_answered() {
    let Some(site) = site("only_who_holds_a_session_token_is_answered", "") else { return };
    equip(&site);
    assert_eq!(site.ask("GET", KEYS, "").0, 401);
    assert_eq!(site.ask("GET", KEYS, "X-aws-ec2-metadata-token: AAAA\r\n").0, 401);
    let put = |headers: &str| site.ask("PUT", "/latest/api/token", headers).0;
    assert_eq!(put(""), 400);
    for seconds in ["0", "21601", "x"] {
        let wish = format!("X-aws-ec2-metadata-token-ttl-seconds: {seconds}\r\n");
        assert_eq!(put(&wish), 400, "{seconds}");
    }
    let forwarded = "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nX-Forwarded-For: 203.0.113.7\r\n";
    assert_eq!(put(forwarded), 403);
    let token = token(&site, 10);
    assert_eq!(site.ask("GET", KEYS, &token).2, "app");
    assert_eq!(site.ask("GET", &format!("{KEYS}other"), &token).0, 404);
    assert_eq!(site.ask("POST", KEYS, &token).0, 405);
    site.advance(11);
    assert_eq!(site.ask("GET", KEYS, &token).0, 401, "the token has ended");
}

#[test]
fn the_older_service_answers_where_it_is_switched_on() {
    let name = "the_older_service_answers_where_it_is_switched_on";
    let Some(site) = site(name, "imds-v1 = true") else { return };
    assert_eq!(site.ask("GET", KEYS, "").0, 404, "there is no profile yet");
    equip(&site);
    assert_eq!(site.ask("GET", KEYS, "").2, "app");
    let get = |path: &str| site.ask("GET", path, "").2;
    assert_eq!(get("/"), "latest");
    assert_eq!(get("/latest/meta-data/instance-id"), ID);
    assert_eq!(get("/2021-03-23/meta-data/placement/availability-zone"), "us-east-1a");
    let info: Value = serde_json::from_str(&get("/latest/meta-data/iam/info")).unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:instance-profile/app");
    assert_eq!((&info["Code"], &info["InstanceProfileArn"]), (&json!("Success"), &json!(arn)));
    let document = get("/latest/dynamic/instance-identity/document");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["accountId"], ACCOUNT);
}

#[test]
fn keys_are_renewed_in_time_and_end_with_the_trust() {
    let Some(site) = site("keys_are_renewed_in_time_and_end_with_the_trust", "") else { return };
    equip(&site);
    let first = keys(&site);
    assert_eq!(first["Type"], "AWS-HMAC");
    assert_eq!(keys(&site), first, "fresh keys are kept");
    site.advance(3601);
    let second = keys(&site);
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    // Back to the clients' time: they sign with it.
    site.advance(-3601);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    let input = json!({ "RoleName": "app", "PolicyDocument": trust.to_string() });
    site.root().ok("iam", "UpdateAssumeRolePolicy", input);
    assert_eq!(keys(&site)["Code"], "AssumeRoleUnauthorizedAccess");
}
