//! MFA devices: virtual ones, hardware tokens, root's, and the codes that they show.

use super::{Failing, all, check_refusals, from_base64, tags, text_of_blob};
use crate::support::{Caller, Keys, Lab, each, policy, trust};
use serde_json::{Value, json};

/// A virtual device: its serial number and its seed in base32.
struct Device {
    serial: String,
    seed: String,
}

fn make(root: &Caller<'_>, name: &str) -> Device {
    let made = root.ok("iam", "CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": name }));
    let made = &made["VirtualMFADevice"];
    let serial = made["SerialNumber"].as_str().unwrap().to_owned();
    Device { serial, seed: seed_of(made) }
}

/// botocore decodes the blob's base64, the driver encodes it again: what is inside is base32.
fn seed_of(device: &Value) -> String {
    text_of_blob(&device["Base32StringSeed"])
}

fn both(lab: &Lab, device: &Device, user: &str, from: i64) -> Value {
    json!({
        "UserName": user,
        "SerialNumber": device.serial,
        "AuthenticationCode1": lab.totp(&device.seed, from),
        "AuthenticationCode2": lab.totp(&device.seed, from + 1),
    })
}

/// Enables a device with the two codes before the present one, so that this one is still good.
fn enable(lab: &Lab, root: &Caller<'_>, device: &Device, user: &str) {
    root.ok("iam", "EnableMFADevice", both(lab, device, user, -2));
}

#[test]
fn mfa_devices_live_and_die() {
    let Some(lab) = Lab::start("mfa_devices_live_and_die") else { return };
    lab.begin_step();
    let (root, account) = (lab.root(), lab.server.account_id());
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let input = json!({
        "VirtualMFADeviceName": "ann", "Path": "/staff/", "Tags": tags(&[("team", "blue")])
    });
    let made = root.ok("iam", "CreateVirtualMFADevice", input)["VirtualMFADevice"].clone();
    let serial = format!("arn:aws:iam::{account}:mfa/staff/ann");
    assert_eq!(made["SerialNumber"], json!(serial));
    assert_eq!(made["Tags"], tags(&[("team", "blue")]));
    let device = Device { serial: serial.clone(), seed: seed_of(&made) };
    assert_eq!(device.seed.len(), 64);
    let png = from_base64(made["QRCodePNG"].as_str().unwrap());
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));

    let listed = |status: &str| {
        let input = json!({ "AssignmentStatus": status });
        root.ok("iam", "ListVirtualMFADevices", input)["VirtualMFADevices"].clone()
    };
    assert_eq!(each(&listed("Unassigned"), "SerialNumber"), [&*serial]);
    assert_eq!(listed("Assigned"), json!([]));
    enable(&lab, &root, &device, "ann");
    assert_eq!(listed("Unassigned"), json!([]));
    let assigned = listed("Assigned");
    assert_eq!(assigned[0]["User"]["UserName"], json!("ann"));
    assert!(assigned[0]["EnableDate"].is_string());
    assert!(assigned[0].get("Base32StringSeed").is_none(), "{assigned}");

    let own = root.ok("iam", "ListMFADevices", json!({ "UserName": "ann" }));
    assert_eq!(each(&own["MFADevices"], "SerialNumber"), [&*serial]);
    assert_eq!(each(&own["MFADevices"], "UserName"), ["ann"]);
    let named = json!({ "UserName": "ann", "SerialNumber": serial });
    let got = root.ok("iam", "GetMFADevice", named.clone());
    assert_eq!(got["UserName"], json!("ann"));
    assert_eq!(got["EnableDate"], own["MFADevices"][0]["EnableDate"]);

    let more = json!({ "SerialNumber": serial, "Tags": tags(&[("Team", "red"), ("x", "y")]) });
    root.ok("iam", "TagMFADevice", more);
    root.ok("iam", "UntagMFADevice", json!({ "SerialNumber": serial, "TagKeys": ["x"] }));
    let kept = root.ok("iam", "ListMFADeviceTags", json!({ "SerialNumber": serial }));
    assert_eq!(each(&kept["Tags"], "Value"), ["red"]);

    root.ok("iam", "DeactivateMFADevice", named);
    assert_eq!(each(&listed("Any"), "SerialNumber"), [&*serial]);
    root.ok("iam", "DeleteVirtualMFADevice", json!({ "SerialNumber": serial }));
    assert_eq!(listed("Any"), json!([]));
}

/// What an independent reader finds in a picture: nothing when it cannot find the code in it. None
/// where OpenCV is missing.
fn decoded(png: &[u8]) -> Option<String> {
    let script = "import sys\ntry:\n    import cv2, numpy\nexcept ImportError:\n    sys.exit(3)\n\
                  data = numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8)\n\
                  image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)\n\
                  for scale in (1, 2, 3):\n    \
                  larger = cv2.resize(image, None, fx=scale, fy=scale, interpolation=0)\n    \
                  text = cv2.QRCodeDetector().detectAndDecode(larger)[0]\n    \
                  if text:\n        print(text)\n        break";
    let mut child = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // A child without OpenCV ends before it reads.
    let _unread = std::io::Write::write_all(&mut child.stdin.take().unwrap(), png);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code() != Some(3)).then_some(text.trim_end().to_owned())
}

#[test]
fn the_picture_holds_the_seed() {
    let test = "the_picture_holds_the_seed";
    let Some(lab) = Lab::start(test) else { return };
    lab.begin_step();
    let (root, account) = (lab.root(), lab.server.account_id());
    let issuer = "Amazon%20Web%20Services";
    // OpenCV overlooks some good codes, so it may try several; a wrong text it must never find.
    for number in 0..5 {
        let name = json!({ "VirtualMFADeviceName": format!("phone{number}") });
        let made = root.ok("iam", "CreateVirtualMFADevice", name)["VirtualMFADevice"].clone();
        let png = from_base64(made["QRCodePNG"].as_str().unwrap());
        let Some(text) = decoded(&png) else {
            return crate::support::skip(test, "OpenCV is not installed");
        };
        if !text.is_empty() {
            let seed = text_of_blob(&made["Base32StringSeed"]);
            let label = format!("{issuer}:phone{number}@{account}");
            let expected = format!("otpauth://totp/{label}?secret={seed}&issuer={issuer}");
            assert_eq!(text, expected);
            return;
        }
    }
    panic!("no picture could be read");
}

fn refusals(lab: &Lab, taken: &Device, free: &Device) -> Vec<Failing<'static>> {
    let wrong = "Authentication code for device is not valid.";
    let mut equal = both(lab, free, "ann", -1);
    equal["AuthenticationCode2"] = equal["AuthenticationCode1"].clone();
    let mut apart = both(lab, free, "ann", -1);
    apart["AuthenticationCode2"] = json!(lab.totp(&free.seed, 1));
    let ghost = Device { serial: free.serial.replace("free", "ghost"), seed: free.seed.clone() };
    let missing = json!({ "SerialNumber": ghost.serial });
    let in_use = json!({ "SerialNumber": taken.serial });
    let of_bob = json!({ "UserName": "bob", "SerialNumber": taken.serial });
    let (no_code, short) = ("InvalidAuthenticationCode", json!({ "VirtualMFADeviceName": "" }));
    let mut letters = both(lab, free, "ann", -1);
    letters["AuthenticationCode1"] = json!("12345x");
    let none = "doesn't exist.";
    vec![
        (
            "CreateVirtualMFADevice",
            json!({ "VirtualMFADeviceName": "free" }),
            "EntityAlreadyExists",
            409,
            "MFADevice entity at the same path and name already exists.",
        ),
        ("CreateVirtualMFADevice", short, "ValidationError", 400, "irtualMFADeviceName"),
        ("EnableMFADevice", equal, no_code, 403, wrong),
        ("EnableMFADevice", apart, no_code, 403, wrong),
        ("EnableMFADevice", letters, "ValidationError", 400, "uthenticationCode1"),
        ("EnableMFADevice", both(lab, free, "nobody", -1), "NoSuchEntity", 404, "nobody"),
        ("EnableMFADevice", both(lab, &ghost, "ann", -1), "NoSuchEntity", 404, none),
        ("EnableMFADevice", both(lab, taken, "bob", -1), "EntityAlreadyExists", 409, "in use"),
        ("ResyncMFADevice", both(lab, taken, "ann", -60), no_code, 403, wrong),
        ("ResyncMFADevice", both(lab, taken, "bob", -1), "NoSuchEntity", 404, "invalid for user"),
        (
            "DeactivateMFADevice",
            of_bob.clone(),
            "NoSuchEntity",
            404,
            "MFA Device invalid for user.",
        ),
        ("GetMFADevice", of_bob, "NoSuchEntity", 404, "MFA Device invalid for user."),
        ("ListMFADevices", json!({ "UserName": "nobody" }), "NoSuchEntity", 404, "nobody"),
        ("DeleteVirtualMFADevice", in_use, "DeleteConflict", 409, "Must deactivate first."),
        ("DeleteVirtualMFADevice", missing.clone(), "NoSuchEntity", 404, none),
        ("ListMFADeviceTags", missing, "NoSuchEntity", 404, none),
        (
            "DeleteUser",
            json!({ "UserName": "ann" }),
            "DeleteConflict",
            409,
            "Cannot delete entity, must delete MFA device first.",
        ),
    ]
}

#[test]
fn mfa_devices_are_refused_as_documented() {
    let Some(lab) = Lab::start("mfa_devices_are_refused_as_documented") else { return };
    lab.begin_step();
    let root = lab.root();
    for name in ["ann", "bob"] {
        root.ok("iam", "CreateUser", json!({ "UserName": name }));
    }
    let (taken, free) = (make(&root, "taken"), make(&root, "free"));
    enable(&lab, &root, &taken, "ann");
    check_refusals(&root, &refusals(&lab, &taken, &free));
    for number in 0..7 {
        let device = make(&root, &format!("d{number}"));
        enable(&lab, &root, &device, "ann");
    }
    let ninth = both(&lab, &free, "ann", -2);
    let limit = root.refused(("iam", "EnableMFADevice"), ninth, ("LimitExceeded", 409));
    assert_eq!(limit.message, "Cannot exceed quota for MFADevicesPerUser: 8");
    let pages = root.pages("ListVirtualMFADevices", json!({}), "VirtualMFADevices", 4);
    assert_eq!((pages.len(), all(&pages, "SerialNumber").len()), (3, 9));
    let own = json!({ "UserName": "ann" });
    assert_eq!(all(&root.pages("ListMFADevices", own, "MFADevices", 3), "SerialNumber").len(), 8);

    // Who has no permission learns so.
    let cat = lab.user(&root, "cat", None);
    let mut cases = refusals(&lab, &taken, &free);
    cases.retain(|(operation, input, ..)| *operation != "DeleteUser" && !is_malformed(input));
    cases.push(("ListVirtualMFADevices", json!({}), "", 0, ""));
    for (operation, input, ..) in cases {
        let refusal = cat.refused(("iam", operation), input, ("AccessDenied", 403));
        let action = format!("is not authorized to perform: iam:{operation} on resource: arn:");
        assert!(refusal.message.contains(&action), "{}", refusal.message);
    }
}

fn is_malformed(input: &Value) -> bool {
    input["VirtualMFADeviceName"] == json!("") || input["AuthenticationCode1"] == json!("12345x")
}

#[test]
fn a_hardware_token_is_loaded_drifts_and_is_followed() {
    let Some(lab) = Lab::start("a_hardware_token_is_loaded_drifts_and_is_followed") else { return };
    lab.begin_step();
    let root = lab.root();
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["iam:*"], &["*"])));
    let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned();
    let token = Device { serial: "GALT12345678".to_owned(), seed };
    let missing = both(&lab, &token, "ann", -2);
    root.refused(("iam", "EnableMFADevice"), missing, ("NoSuchEntity", 404));
    let load = json!({ "serialNumber": token.serial, "seed": token.seed });
    let (status, answer) = lab.server.operator("POST", "mfa-tokens", Some(&load));
    assert_eq!((status, &answer["serialNumber"]), (200, &json!("GALT12345678")), "{answer}");
    assert_eq!(lab.server.operator("POST", "mfa-tokens", Some(&load)).0, 400, "loaded twice");
    // Without the operator's token nobody loads one.
    assert_eq!(lab.server.plain("POST", "/_palisade/mfa-tokens", "", Some(&load)).0, 403);
    enable(&lab, &root, &token, "ann");
    let own = ann.ok("iam", "ListMFADevices", json!({}));
    assert_eq!(each(&own["MFADevices"], "SerialNumber"), ["GALT12345678"]);
    assert_eq!(lab.server.operator("DELETE", "mfa-tokens/GALT12345678", None).0, 400, "in use");

    // The token runs six steps ahead from now on.
    let code = |steps: i64| {
        let code = lab.totp(&token.seed, steps);
        json!({ "SerialNumber": token.serial, "TokenCode": code })
    };
    ann.refused(("sts", "GetSessionToken"), code(6), ("AccessDenied", 403));
    root.ok("iam", "ResyncMFADevice", both(&lab, &token, "ann", 5));
    ann.ok("sts", "GetSessionToken", code(7));
    let named = json!({ "UserName": "ann", "SerialNumber": token.serial });
    root.ok("iam", "DeactivateMFADevice", named);
    assert_eq!(lab.server.operator("DELETE", "mfa-tokens/GALT12345678", None).0, 200);
}

#[test]
fn a_code_opens_a_session_once() {
    let Some(lab) = Lab::start("a_code_opens_a_session_once") else { return };
    lab.begin_step();
    let root = lab.root();
    // What a guard for service APIs looks like: everything, but only with a fresh second factor.
    let guard = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            {
                "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } }
            },
            {
                "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": { "NumericGreaterThan": { "aws:MultiFactorAuthAge": "3600" } }
            }
        ]
    });
    let ann = lab.user(&root, "ann", Some(guard));
    let device = make(&root, "ann");
    enable(&lab, &root, &device, "ann");
    ann.refused(("iam", "ListUsers"), json!({}), ("AccessDenied", 403));
    let with = |code: &str| json!({ "SerialNumber": device.serial, "TokenCode": code });
    let refused = |input: Value| {
        ann.refused(("sts", "GetSessionToken"), input, ("AccessDenied", 403)).message
    };
    let right = lab.totp(&device.seed, 0);
    let wrong = if right == "123456" { "654321" } else { "123456" };
    let invalid = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
    assert_eq!(refused(with(wrong)), invalid);
    assert_eq!(
        refused(json!({ "SerialNumber": device.serial })),
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass \
         code. "
    );
    assert_eq!(
        refused(json!({ "SerialNumber": format!("{}x", device.serial), "TokenCode": right })),
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
         serial number is valid and associated with this user. "
    );
    let answer = ann.ok("sts", "GetSessionToken", with(&right));
    assert_eq!(refused(with(&right)), invalid, "a code was accepted twice");
    let session = lab.caller(Keys::of_session(&answer));
    session.ok("iam", "ListUsers", json!({}));
    lab.server.operator("PUT", "clock", Some(&json!({ "advance": 7200 })));
    let raw = crate::support::Raw {
        method: "POST",
        path: "/",
        headers: &[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
        body: b"Action=ListUsers&Version=2010-05-08",
        signature: Some(crate::support::Signature {
            keys: &session.keys,
            service: "iam",
            moved_seconds: 7200,
            in_query: false,
        }),
        ..Default::default()
    };
    let answer = lab.boto.raw(&raw);
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains("with an explicit deny"), "{}", answer.body);
}

#[test]
fn a_role_may_ask_for_a_second_factor() {
    let Some(lab) = Lab::start("a_role_may_ask_for_a_second_factor") else { return };
    lab.begin_step();
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["sts:*"], &["*"])));
    let device = make(&root, "ann");
    enable(&lab, &root, &device, "ann");
    let mut document = trust(&format!("arn:aws:iam::{account}:root"));
    document["Statement"][0]["Condition"] =
        json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let role = json!({ "RoleName": "vault", "AssumeRolePolicyDocument": document.to_string() });
    let arn = root.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let mut guarded = policy("Allow", &["iam:ListUsers"], &["*"]);
    guarded["Statement"][0]["Condition"] =
        json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "300" } });
    let own = json!({
        "RoleName": "vault", "PolicyName": "p", "PolicyDocument": guarded.to_string()
    });
    root.ok("iam", "PutRolePolicy", own);
    let mut input = json!({ "RoleArn": arn, "RoleSessionName": "tour" });
    ann.refused(("sts", "AssumeRole"), input.clone(), ("AccessDenied", 403));
    // The session of a user hands its second factor on.
    let with = json!({
        "SerialNumber": device.serial, "TokenCode": lab.totp(&device.seed, 0)
    });
    let session = lab.caller(Keys::of_session(&ann.ok("sts", "GetSessionToken", with)));
    let through = session.ok("sts", "AssumeRole", input.clone());
    lab.caller(Keys::of_session(&through)).ok("iam", "ListUsers", json!({}));

    input["SerialNumber"] = json!(device.serial);
    input["TokenCode"] = json!(lab.totp(&device.seed, 1));
    let direct = ann.ok("sts", "AssumeRole", input.clone());
    let refusal = ann.refused(("sts", "AssumeRole"), input, ("AccessDenied", 403));
    assert!(refusal.message.contains("invalid MFA one time pass code"), "{}", refusal.message);
    lab.caller(Keys::of_session(&direct)).ok("iam", "ListUsers", json!({}));
    let (_, last) = lab.server.operator("GET", "decisions/last", None);
    assert!(!last.to_string().contains(&device.seed), "a seed is in a decision");
}

#[test]
fn root_proves_itself_too_and_events_hide_the_codes() {
    let Some(lab) = Lab::start("root_proves_itself_too_and_events_hide_the_codes") else { return };
    lab.begin_step();
    let (root, account) = (lab.root(), lab.server.account_id());
    let device = make(&root, "root-account-mfa-device");
    assert_eq!(device.serial, format!("arn:aws:iam::{account}:mfa/root-account-mfa-device"));
    let codes = both(&lab, &device, &account, -2);
    root.ok("iam", "EnableMFADevice", codes.clone());
    let own = root.ok("iam", "ListMFADevices", json!({}));
    assert_eq!(each(&own["MFADevices"], "SerialNumber"), [&*device.serial]);
    let summary = root.ok("iam", "GetAccountSummary", json!({}))["SummaryMap"].clone();
    assert_eq!(summary["AccountMFAEnabled"], json!(1));
    assert_eq!((&summary["MFADevices"], &summary["MFADevicesInUse"]), (&json!(1), &json!(1)));
    let code = lab.totp(&device.seed, 0);
    let input = json!({ "SerialNumber": device.serial, "TokenCode": code });
    let session = lab.caller(Keys::of_session(&root.ok("sts", "GetSessionToken", input)));
    let identity = session.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(identity["Arn"], json!(format!("arn:aws:iam::{account}:root")));

    for _ in 0..50 {
        let events = root.ok("cloudtrail", "LookupEvents", json!({}))["Events"].clone();
        let text = events.to_string();
        if text.contains("GetCallerIdentity") {
            assert!(text.contains("EnableMFADevice") && !text.contains(&device.seed), "{text}");
            assert!(!text.contains("uthenticationCode") && !text.contains("okenCode"), "{text}");
            assert!(text.contains(r#"mfaAuthenticated\":\"true"#), "{text}");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the events are not there after five seconds");
}
