//! Codes of MFA devices.

use super::browser::Browser;
use super::{PASSWORD, events, root_password, user};
use crate::support::{Caller, Lab};
use serde_json::{Value, json};

struct Device {
    serial: String,
    seed: String,
}

impl Device {
    fn code(&self, lab: &Lab) -> String {
        lab.totp(&self.seed, 0)
    }
}

/// Makes a device and enables it with the two codes before the present one.
fn enable(lab: &Lab, root: &Caller<'_>, device: &str, owner: &str) -> Device {
    let made = root.ok("iam", "CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": device }));
    let made = &made["VirtualMFADevice"];
    let serial = made["SerialNumber"].as_str().unwrap().to_owned();
    let seed = crate::iam::text_of_blob(&made["Base32StringSeed"]);
    let code = |step| lab.totp(&seed, step);
    let input = json!({
        "UserName": owner, "SerialNumber": serial,
        "AuthenticationCode1": code(-2), "AuthenticationCode2": code(-1),
    });
    root.ok("iam", "EnableMFADevice", input);
    Device { serial, seed }
}

fn enter(browser: &mut Browser<'_>, code: &str) -> (u16, bool) {
    let page = browser.submit("/_palisade/signin/mfa", &[("code", code)]);
    (page.status, page.has("Signed in"))
}

#[test]
fn a_code_is_asked_for_and_good_once() {
    let Some(lab) = Lab::start("a_code_is_asked_for_and_good_once") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    lab.begin_step();
    let first = enable(&lab, &root, "first", "ann");
    let second = enable(&lab, &root, "second", "ann");
    let mut browser = Browser::new(&lab);
    let page = browser.sign_in(&account, "ann", PASSWORD);
    assert!(page.has("Second factor"), "{page:?}");
    assert_eq!(browser.session_cookie(), None);
    assert_eq!(browser.who(), None);
    let check = events(&root, "CheckMfa").remove(0);
    assert_eq!(check["responseElements"], json!({ "CheckMfa": "Success" }));
    assert_eq!(check["additionalEventData"]["MfaType"], "Multiple MFA Devices");

    browser.sign_in(&account, "ann", PASSWORD);
    assert_eq!(enter(&mut browser, "000000"), (401, false));
    assert_eq!(browser.session_cookie(), None);
    let failure = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(failure["errorMessage"], "Failed authentication");
    assert_eq!(failure["additionalEventData"]["MFAUsed"], "Yes");

    let code = second.code(&lab);
    assert_eq!(enter(&mut browser, &code), (200, true));
    let who = browser.who().unwrap();
    assert!(who["secondFactorAt"].is_string(), "{who}");
    let event = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["responseElements"], json!({ "ConsoleLogin": "Success" }));
    assert_eq!(event["additionalEventData"]["MFAUsed"], "Yes");
    assert_eq!(event["additionalEventData"]["MFAIdentifier"], json!(second.serial));

    // The same code again, for another browser.
    let mut other = Browser::new(&lab);
    other.sign_in(&account, "ann", PASSWORD);
    assert_eq!(enter(&mut other, &code), (401, false));
    // The other device's code is as good.
    assert_eq!(enter(&mut other, &first.code(&lab)), (200, true));
}

#[test]
fn a_step_is_of_one_browser_and_one_password() {
    let Some(lab) = Lab::start("a_step_is_of_one_browser_and_one_password") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    user(&root, "ann", false);
    lab.begin_step();
    let device = enable(&lab, &root, "ann", "ann");
    let mut browser = Browser::new(&lab);
    browser.sign_in(&account, "ann", PASSWORD);
    let step = browser.page.hidden("step");
    let mut thief = Browser::new(&lab);
    thief.get("/_palisade/signin/");
    let code = device.code(&lab);
    let page = thief.submit("/_palisade/signin/mfa", &[("step", &step), ("code", &code)]);
    assert_eq!(page.status, 403);
    let update = json!({ "UserName": "ann", "Password": "Battery-staple-2" });
    root.ok("iam", "UpdateLoginProfile", update);
    assert_eq!(enter(&mut browser, &code), (403, false));
    assert_eq!(browser.session_cookie(), None);
}

#[test]
fn root_has_a_second_factor_too() {
    let Some(lab) = Lab::start("root_has_a_second_factor_too") else { return };
    let root = lab.root();
    lab.begin_step();
    let device = enable(&lab, &root, "root", &lab.server.account_id());
    let (email, password) = root_password(&lab);
    let mut browser = Browser::new(&lab);
    let page = browser.sign_in_as_root(&email, &password);
    assert!(page.has("Second factor"), "{page:?}");
    assert_eq!(browser.session_cookie(), None);
    assert_eq!(enter(&mut browser, &device.code(&lab)), (200, true));
    let event: Value = events(&root, "ConsoleLogin").remove(0);
    assert_eq!(event["userIdentity"]["type"], "Root");
    assert_eq!(event["additionalEventData"]["MFAUsed"], "Yes");
}
