use super::*;
use crate::iam::mfa_device::Verdict;
use crate::iam::samples::tags;
use crate::iam::{account, totp::STEP_SECONDS};
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{CreateUserRequest, DeleteUserRequest, UpdateUserRequest};
use palisade_shape::Timestamp;
use totp_rs::Builder;

fn make_user(lab: &Lab, name: &str) -> String {
    let input = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
    lab.call(user::create_user, input).unwrap().user.unwrap().user_id
}

fn make(lab: &Lab, name: &str) -> (String, Vec<u8>) {
    let input = CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: name.to_owned(),
        ..Default::default()
    };
    let device = lab.call(create_virtual_mfa_device, input).unwrap().virtual_mfa_device;
    let seed = device.base32_string_seed.unwrap().0;
    assert_eq!(seed.len(), 64);
    (device.serial_number, data_encoding::BASE32.decode(&seed).unwrap())
}

/// What the device shows, that many steps from now.
fn code(seed: &[u8], now: Timestamp, steps: i64) -> String {
    let totp = Builder::new().with_secret(seed.to_vec()).build().unwrap();
    totp.generate(now.plus_seconds(steps * STEP_SECONDS).seconds().cast_unsigned()).to_string()
}

fn enabling(user: &str, serial: &str, seed: &[u8], from: i64) -> EnableMFADeviceRequest {
    EnableMFADeviceRequest {
        user_name: user.to_owned(),
        serial_number: serial.to_owned(),
        authentication_code1: code(seed, NOW, from),
        authentication_code2: code(seed, NOW, from + 1),
    }
}

fn check(lab: &Lab, user_id: &str, serial: &str, code: &str) -> Verdict {
    lab.read(|cx| mfa_device::check_code(cx, user_id, serial, code)).unwrap()
}

#[test]
fn two_codes_in_a_row_enable_a_device_and_each_code_works_once() {
    let lab = Lab::new();
    let ana = make_user(&lab, "Ana");
    let (serial, seed) = make(&lab, "phone");
    assert_eq!(serial, format!("arn:aws:iam::{ACCOUNT}:mfa/phone"));
    let wrong = "InvalidAuthenticationCode: Authentication code for device is not valid.";
    let right = enabling("Ana", &serial, &seed, -1);
    let equal = EnableMFADeviceRequest {
        authentication_code2: right.authentication_code1.clone(),
        ..right.clone()
    };
    assert_eq!(lab.refusal(enable_mfa_device, equal), wrong);
    let apart =
        EnableMFADeviceRequest { authentication_code2: code(&seed, NOW, 1), ..right.clone() };
    assert_eq!(lab.refusal(enable_mfa_device, apart), wrong);
    lab.call(enable_mfa_device, right).unwrap();

    // The codes that enabled it, and older ones, are used up.
    for steps in [-1, 0] {
        assert_eq!(check(&lab, &ana, &serial, &code(&seed, NOW, steps)), Verdict::Wrong);
    }
    let later = NOW.plus_seconds(2 * STEP_SECONDS);
    let next = lab.at(later);
    let fresh = code(&seed, later, 0);
    let Verdict::Right(step) = check(&next, &ana, &serial, &fresh) else { panic!("refused") };
    assert_eq!(check(&next, &ana, &serial, &fresh), Verdict::Right(step), "asking uses nothing");
    let used = serial.clone();
    next.write(move |cx| mfa_device::use_code(cx, &used, step)).unwrap();
    assert_eq!(check(&next, &ana, &serial, &fresh), Verdict::Wrong);
    // Other users cannot prove themselves with it.
    let bob = make_user(&lab, "Bob");
    assert_eq!(check(&next, &bob, &serial, &fresh), Verdict::NotTheirs);
}

#[test]
fn a_drifted_clock_is_followed_after_a_resync() {
    let lab = Lab::new();
    let ana = make_user(&lab, "Ana");
    let loaded = lab.write(|cx| load_token(cx, "GALT12345678", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    loaded.unwrap();
    let seed = b"12345678901234567890";
    lab.call(enable_mfa_device, enabling("Ana", "GALT12345678", seed, -1)).unwrap();
    let later = NOW.plus_seconds(3600);
    let lab = lab.at(later);
    // Five steps ahead of us.
    assert_eq!(check(&lab, &ana, "GALT12345678", &code(seed, later, 5)), Verdict::Wrong);
    let resync = ResyncMFADeviceRequest {
        user_name: "Ana".to_owned(),
        serial_number: "GALT12345678".to_owned(),
        authentication_code1: code(seed, later, 5),
        authentication_code2: code(seed, later, 6),
    };
    lab.call(resync_mfa_device, resync.clone()).unwrap();
    assert_eq!(check(&lab, &ana, "GALT12345678", &code(seed, later, 0)), Verdict::Wrong);
    let next = code(seed, later, 7);
    assert!(matches!(check(&lab, &ana, "GALT12345678", &next), Verdict::Right(_)));
    // Codes that were accepted do not synchronize again.
    let wrong = "InvalidAuthenticationCode: Authentication code for device is not valid.";
    assert_eq!(lab.refusal(resync_mfa_device, resync), wrong);
}

#[test]
fn guessing_is_slow() {
    let lab = Lab::new();
    let ana = make_user(&lab, "Ana");
    let (serial, seed) = make(&lab, "phone");
    lab.call(enable_mfa_device, enabling("Ana", &serial, &seed, -1)).unwrap();
    let later = NOW.plus_seconds(60);
    let right = code(&seed, later, 0);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..6 {
        assert_eq!(check(&lab.at(later), &ana, &serial, wrong), Verdict::Wrong);
    }
    assert_eq!(check(&lab.at(later), &ana, &serial, &right), Verdict::Wrong);
    let after = later.plus_seconds(2);
    assert!(matches!(check(&lab.at(after), &ana, &serial, &right), Verdict::Right(_)));
}

#[test]
fn root_has_devices_too() {
    let lab = Lab::new();
    let (serial, seed) = make(&lab, "root-account-mfa-device");
    lab.call(enable_mfa_device, enabling(ACCOUNT, &serial, &seed, -1)).unwrap();
    let listed = lab.call(list_mfa_devices, ListMFADevicesRequest::default()).unwrap();
    assert_eq!(listed.mfa_devices[0].serial_number, serial);
    let all = ListVirtualMFADevicesRequest::default();
    let listed = lab.call(list_virtual_mfa_devices, all).unwrap().virtual_mfa_devices;
    assert_eq!(listed[0].user.as_ref().unwrap().arn, format!("arn:aws:iam::{ACCOUNT}:root"));
    assert!(listed[0].base32_string_seed.is_none() && listed[0].qr_code_png.is_none());
    let summary = lab.call(account::get_account_summary, Nothing).unwrap().summary_map.unwrap();
    let figures = ["AccountMFAEnabled", "MFADevices", "MFADevicesInUse"].map(|name| summary[name]);
    assert_eq!(figures, [1, 1, 1]);
    // To a user the account's id is a name like any other.
    let user = lab.called_by_user("Ana", &make_user(&lab, "Ana"));
    let (serial, seed) = make(&lab, "second");
    let refusal = user.refusal(enable_mfa_device, enabling(ACCOUNT, &serial, &seed, -1));
    assert!(refusal.starts_with("NoSuchEntity"), "{refusal}");
}

#[test]
fn devices_follow_their_user_and_hold_it() {
    let lab = Lab::new();
    let ana = make_user(&lab, "Ana");
    let (serial, seed) = make(&lab, "phone");
    lab.call(enable_mfa_device, enabling("Ana", &serial, &seed, -1)).unwrap();
    let new_user_name = Some("Anna".to_owned());
    let renamed = UpdateUserRequest { user_name: "Ana".into(), new_user_name, new_path: None };
    lab.call(user::update_user, renamed).unwrap();
    let input =
        GetMFADeviceRequest { user_name: Some("Anna".into()), serial_number: serial.clone() };
    let shown = lab.call(get_mfa_device, input).unwrap();
    assert_eq!(shown.user_name.as_deref(), Some("Anna"));
    assert_eq!(shown.enable_date, Some(NOW.whole_seconds()));
    let conflict = "DeleteConflict: Cannot delete entity, must delete MFA device first.";
    let delete = DeleteUserRequest { user_name: "Anna".to_owned() };
    assert_eq!(lab.refusal(user::delete_user, delete.clone()), conflict);
    let in_use = "DeleteConflict: MFA VirtualDevice in use. Must deactivate first.";
    let remove = DeleteVirtualMFADeviceRequest { serial_number: serial.clone() };
    assert_eq!(lab.refusal(delete_virtual_mfa_device, remove.clone()), in_use);
    let taken = "EntityAlreadyExists: MFA Device is already in use.";
    assert_eq!(lab.refusal(enable_mfa_device, enabling("Anna", &serial, &seed, 1)), taken);
    let deactivate = DeactivateMFADeviceRequest {
        user_name: Some("Anna".to_owned()),
        serial_number: serial.clone(),
    };
    lab.call(deactivate_mfa_device, deactivate.clone()).unwrap();
    let invalid = "NoSuchEntity: MFA Device invalid for user.";
    assert_eq!(lab.refusal(deactivate_mfa_device, deactivate), invalid);
    let later = NOW.plus_seconds(60);
    let code = code(&seed, later, 0);
    assert_eq!(check(&lab.at(later), &ana, &serial, &code), Verdict::NotTheirs);
    lab.call(delete_virtual_mfa_device, remove).unwrap();
    lab.call(user::delete_user, delete).unwrap();
}

#[test]
fn quotas_names_and_tags() {
    let lab = Lab::new();
    make_user(&lab, "Ana");
    for number in 0..8 {
        let (serial, seed) = make(&lab, &format!("d{number}"));
        lab.call(enable_mfa_device, enabling("Ana", &serial, &seed, -1)).unwrap();
    }
    let (serial, seed) = make(&lab, "d8");
    let limit = "LimitExceeded: Cannot exceed quota for MFADevicesPerUser: 8";
    assert_eq!(lab.refusal(enable_mfa_device, enabling("Ana", &serial, &seed, -1)), limit);
    let named = |name: &str, path: &str| CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: name.to_owned(),
        path: Some(path.to_owned()),
        tags: None,
    };
    let taken = "EntityAlreadyExists: MFADevice entity at the same path and name already exists.";
    assert_eq!(lab.refusal(create_virtual_mfa_device, named("d8", "/")), taken);
    lab.call(create_virtual_mfa_device, named("d8", "/team/")).unwrap();
    let long = lab.refusal(create_virtual_mfa_device, named(&"n".repeat(240), "/"));
    assert!(long.starts_with("ValidationError"), "{long}");
    let serial_number = format!("arn:aws:iam::{ACCOUNT}:mfa/team/d8");
    let input = TagMFADeviceRequest {
        serial_number: serial_number.clone(),
        tags: tags([("b", "1"), ("a", "2")]),
    };
    lab.call(tag_mfa_device, input).unwrap();
    let input = UntagMFADeviceRequest {
        serial_number: serial_number.clone(),
        tag_keys: vec!["B".to_owned()],
    };
    lab.call(untag_mfa_device, input).unwrap();
    let input = ListMFADeviceTagsRequest { serial_number, marker: None, max_items: None };
    assert!(lab.call(list_mfa_device_tags, input).unwrap().tags == tags([("a", "2")]));
}

#[test]
fn tokens_are_loaded_once_and_checked() {
    let lab = Lab::new();
    let load = |serial: &'static str, seed: &'static str| {
        lab.write(move |cx| load_token(cx, serial, seed)).map_err(|error| error.code.code)
    };
    let seed = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq";
    assert_eq!(load("GALT12345678", seed), Ok(()));
    assert_eq!(load("GALT12345678", seed), Err("EntityAlreadyExists"));
    assert_eq!(load("short", seed), Err("ValidationError"));
    assert_eq!(load("GALT 2345678", seed), Err("ValidationError"));
    assert_eq!(load("arn:aws:iam::123456789012:mfa/x", seed), Err("ValidationError"));
    assert_eq!(load("GALT00000000", "MZXW6YTB"), Err("ValidationError"));
    assert_eq!(load("GALT00000000", "not base32!"), Err("ValidationError"));
    lab.write(|cx| unload_token(cx, "GALT12345678")).unwrap();
    assert_eq!(load("GALT12345678", seed), Ok(()));
}
