//! MFA devices. Some show codes: virtual ones, which are an account's, and hardware tokens, which
//! the operator loads with serial number and seed and which belong to whoever enables them first.
//! Security keys (FIDO) sign challenges; they are registered and used through the sign-in's pages
//! alone ([`crate::signin::security_key`]).
//!
//! All doors check a code through [`check_code`] and, once the call goes through, [`use_code`]: no
//! code is accepted twice.
//!
//! Source: IAM API reference, CreateVirtualMFADevice, EnableMFADevice and their like; RFC 6238.

use super::access::{self, Kind};
use super::principal::{self, Owner};
use super::totp::{self, Generator};
use super::{account, user};
use crate::context::Context;
use crate::errors::internal;
use crate::plane::Plane;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY, User};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// A device as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The ARN of a virtual device; what is printed on a hardware token.
    pub serial_number: String,
    pub secret: Secret,
    /// Who enabled it.
    pub owner: Option<DeviceOwner>,
    pub tags: Vec<(String, String)>,
}

/// What a device proves itself with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Secret {
    Totp {
        /// The seed, sealed for [`PURPOSE`] and the serial number, in base64.
        sealed_seed: String,
        /// Steps that the device's clock is ahead of ours.
        drift_steps: i64,
        /// The step of the last code that was accepted.
        last_step: Option<i64>,
    },
    SecurityKey {
        /// The credential as the WebAuthn library writes it: id, public key, counter. Nothing in it
        /// is secret.
        credential: String,
        /// The host that it was registered at, and signs for.
        rp_id: String,
        /// The unique id of who registered it, who alone may enable it.
        registered_by: String,
    },
}

/// Whose device it is, since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceOwner {
    pub account: String,
    /// The user's unique id, or the account for root.
    pub user_id: String,
    pub enabled_millis: i64,
}

impl DeviceOwner {
    pub fn enabled(&self) -> Timestamp {
        Timestamp::from_millis(self.enabled_millis)
    }
}

const PURPOSE: &str = "mfa-seed";

/// Virtual devices, by ARN. AWS lists them in that order.
pub static VIRTUAL_DEVICES: Table<Device> = Table::of_private(
    "iam/mfa-device",
    Scope::Account,
    |device| device.serial_number.clone(),
    |_| ENTITY_ALREADY_EXISTS.because("MFADevice entity at the same path and name already exists."),
    missing,
);

/// Hardware tokens, by serial number, of the whole plane: one serves one user.
pub static TOKENS: Table<Device> = Table::of_private(
    "iam/mfa-token",
    Scope::Plane,
    |device| device.serial_number.clone(),
    |device| {
        let serial = &device.serial_number;
        ENTITY_ALREADY_EXISTS.because(format!("MFA token {serial} is loaded already."))
    },
    missing,
);

/// Security keys, by ARN. One that was just registered is here before it is enabled.
pub static SECURITY_KEYS: Table<Device> = Table::of_private(
    "iam/security-key",
    Scope::Account,
    |device| device.serial_number.clone(),
    |device| internal(format!("security key {} is there already", device.serial_number)),
    missing,
);

/// AWS's answer when there is no such device.
pub fn missing(serial: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("VirtualMFADevice with serial number {serial} doesn't exist."))
}

/// What a serial number names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `arn:aws:iam::123456789012:mfa/name`
    Virtual,
    /// What is printed on it.
    Token,
    /// `arn:aws:iam::123456789012:u2f/user/ann/name-ABC…`
    SecurityKey,
}

impl Form {
    pub fn of(serial: &str) -> Self {
        match serial.starts_with("arn:") {
            true if serial.contains(":u2f/") => Self::SecurityKey,
            true => Self::Virtual,
            false => Self::Token,
        }
    }
}

fn table(serial: &str) -> &'static Table<Device> {
    match Form::of(serial) {
        Form::Virtual => &VIRTUAL_DEVICES,
        Form::Token => &TOKENS,
        Form::SecurityKey => &SECURITY_KEYS,
    }
}

/// The device of a serial number, or AWS's answer that there is none.
pub fn load(cx: &Context, serial: &str) -> Result<Device> {
    cx.find(table(serial), serial)
}

pub fn store(cx: &mut Context, device: &Device) -> Result<()> {
    cx.put(table(&device.serial_number), device)?;
    cx.touch("AWS::IAM::VirtualMFADevice", device.serial_number.clone());
    Ok(())
}

/// A new device without an owner.
pub fn new(plane: &Plane, serial_number: String, seed: &[u8]) -> Result<Device> {
    // Refuses a seed that codes cannot be made of.
    Generator::new(seed)?;
    let random = &mut |bytes: &mut [u8]| plane.random.fill(bytes);
    let sealed = plane.sealer.seal(PURPOSE, &serial_number, seed, random).map_err(internal)?;
    let secret =
        Secret::Totp { sealed_seed: STANDARD.encode(sealed), drift_steps: 0, last_step: None };
    Ok(Device { serial_number, secret, owner: None, tags: Vec::new() })
}

impl Device {
    fn generator(&self, plane: &Plane) -> Result<Generator> {
        let Secret::Totp { sealed_seed, .. } = &self.secret else {
            return Err(internal("a security key has no seed"));
        };
        let sealed = STANDARD.decode(sealed_seed).map_err(internal)?;
        let seed = plane.sealer.unseal(PURPOSE, &self.serial_number, &sealed).map_err(internal)?;
        Generator::new(&seed)
    }

    /// Whether it is the owner's.
    pub fn is_of(&self, account: &str, user_id: &str) -> bool {
        let owner = self.owner.as_ref();
        owner.is_some_and(|owner| owner.account == account && owner.user_id == user_id)
    }

    fn accept(&mut self, step: i64, now: Timestamp) {
        if let Secret::Totp { drift_steps, last_step, .. } = &mut self.secret {
            *drift_steps = step - totp::step_at(now);
            *last_step = Some(step);
        }
    }

    /// Takes two codes in a row as proof, however the device's clock has drifted, and follows it
    /// from then on. False when they are no such codes.
    pub fn synchronize(&mut self, cx: &Context, codes: (&str, &str)) -> Result<bool> {
        let attempts = &cx.plane.attempts;
        if attempts.must_wait(&self.serial_number, cx.now()) {
            return Ok(false);
        }
        let Secret::Totp { last_step, .. } = &self.secret else { return Ok(false) };
        let now = totp::step_at(cx.now());
        let Some(step) = self.generator(cx.plane)?.step_of_both(codes, now, *last_step) else {
            attempts.failed(&self.serial_number, cx.now());
            return Ok(false);
        };
        attempts.succeeded(&self.serial_number);
        self.accept(step, cx.now());
        Ok(true)
    }
}

/// What a code is to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was shown at that step of the device's clock and never accepted before.
    Right(i64),
    /// Wrong, used already, too old, or one of too many tries.
    Wrong,
    /// There is no such device, or it is not the caller's.
    NotTheirs,
}

/// Checks a code of one of a user's devices. The same for all doors: it changes nothing, so that it
/// may be asked before it is decided whether the call is allowed. Who lets the call through calls
/// [`use_code`] in the same transaction.
pub fn check_code(cx: &Context, user_id: &str, serial: &str, code: &str) -> Result<Verdict> {
    let Some(device) = cx.get(table(serial), serial)? else { return Ok(Verdict::NotTheirs) };
    if !device.is_of(cx.account(), user_id) {
        return Ok(Verdict::NotTheirs);
    }
    let now = cx.now();
    if cx.plane.attempts.must_wait(serial, now) {
        return Ok(Verdict::Wrong);
    }
    let Secret::Totp { drift_steps, last_step, .. } = &device.secret else {
        return Ok(Verdict::Wrong);
    };
    let expected = totp::step_at(now) + drift_steps;
    match device.generator(cx.plane)?.step_of(code, expected, *last_step) {
        Some(step) => Ok(Verdict::Right(step)),
        None => {
            cx.plane.attempts.failed(serial, now);
            Ok(Verdict::Wrong)
        }
    }
}

/// Takes a code that [`check_code`] found right, so that it is right no more.
pub fn use_code(cx: &mut Context, serial: &str, step: i64) -> Result<()> {
    let mut device = load(cx, serial)?;
    device.accept(step, cx.now());
    cx.plane.attempts.succeeded(serial);
    cx.put(table(serial), &device)
}

/// The unique id of an owner: the account for root.
pub fn id_of(cx: &Context, owner: &Owner) -> Result<String> {
    match owner {
        Owner::Root => Ok(cx.account().to_owned()),
        Owner::User(name) => Ok(user::load(cx, name)?.user_id),
    }
}

/// The serial numbers of an owner's devices, in the order of their enabling.
pub fn serials(cx: &Context, owner: &Owner) -> Result<Vec<String>> {
    match owner {
        Owner::Root => Ok(account::load(cx)?.mfa_devices),
        Owner::User(name) => Ok(access::load(cx, Kind::User, name)?.mfa_devices),
    }
}

pub fn set_serials(cx: &mut Context, owner: &Owner, serials: Vec<String>) -> Result<()> {
    match owner {
        Owner::Root => {
            let mut record = account::load(cx)?;
            record.mfa_devices = serials;
            account::save(cx, &record)
        }
        Owner::User(name) => {
            let mut access = access::load(cx, Kind::User, name)?;
            access.mfa_devices = serials;
            access::save(cx, Kind::User, &access)
        }
    }
}

/// The user of a device as lists of devices show it; root's as GetUser does.
pub fn shown_owner(cx: &Context, owner: &DeviceOwner) -> Result<Option<User>> {
    if owner.user_id == owner.account {
        return user::root(cx).map(Some);
    }
    let name = principal::by_id(cx, &owner.user_id)?.map(|row| row.name);
    name.map(|name| user::load(cx, &name).map(user::listed)).transpose()
}
