//! Security keys (FIDO2): registered by who is signed in, and proving the second factor at sign-in.
//!
//! The WebAuthn library checks what an authenticator signed; what it must have signed is sealed in
//! the page, for the browser that it was given to. A challenge is answered once: those that were
//! are kept until they would be too old anyway. Challenges are the plane's own random bytes.
//!
//! Sources: Web Authentication Level 2, sections 7.1 and 7.2; IAM User Guide, "Assign a passkey or
//! security key".

use super::subject::{Person, Subject};
use super::{hashed, sweep};
use crate::context::Context;
use crate::errors::{VALIDATION_ERROR, internal};
use crate::iam::mfa_device::{self, Device, Form, SECURITY_KEYS, Secret};
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::iam::ENTITY_ALREADY_EXISTS;
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;
use url::{Host, Url};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential,
    RegistrationState, UserVerificationPolicy,
};

/// How long a challenge may be answered.
const LIFE_SECONDS: i64 = 300;
const CHALLENGE_BYTES: usize = 32;
/// Longer answers are of no authenticator.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Random bytes at the end of a key's ARN.
const SUFFIX_BYTES: usize = 16;
const NAME_LENGTH_MAX: usize = 64;
const PURPOSE: &str = "signin-security-key";

/// Where the browser is: keys sign for a host and say which page asked.
pub struct Place {
    rp_id: String,
    origin: Url,
}

impl Place {
    /// None for an address that is no host name: browsers have no security keys there.
    pub fn of(origin: &str) -> Option<Self> {
        let origin = Url::parse(origin).ok()?;
        let Some(Host::Domain(host)) = origin.host() else { return None };
        Some(Self { rp_id: host.to_owned(), origin })
    }

    fn library(&self) -> WebauthnCore {
        let life = Duration::from_secs(LIFE_SECONDS.unsigned_abs());
        let origins = vec![self.origin.clone()];
        // Neither subdomains nor other ports.
        WebauthnCore::new_unsafe_experts_only(
            "Palisade",
            &self.rp_id,
            origins,
            life,
            Some(false),
            Some(false),
        )
    }
}

/// A challenge for a page.
pub struct Asked {
    /// The options of `navigator.credentials`, in JSON.
    pub options: String,
    /// To be handed back with the answer.
    pub sealed: String,
}

/// What is sealed of a challenge.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ceremony {
    /// In base64url.
    challenge: String,
    subject: Subject,
    rp_id: String,
    registers: bool,
    issued_millis: i64,
}

/// A challenge that was answered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// The hash of the challenge.
    id: String,
    expires_millis: i64,
}

static ANSWERED: Table<Answered> = Table::of_private(
    "signin/answered-challenge",
    Scope::Plane,
    |answered| answered.id.clone(),
    |_| stale(),
    |_| internal("no such challenge"),
);

/// Which device a credential is: one authenticator's credential is one device.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// The credential's id, in base64url.
    id: String,
    serial_number: String,
}

static KNOWN: Table<Known> = Table::of_private(
    "iam/security-key-credential",
    Scope::Plane,
    |known| known.id.clone(),
    |_| ENTITY_ALREADY_EXISTS.because("The security key is registered already."),
    |_| internal("no such security key"),
);

fn stale() -> Error {
    VALIDATION_ERROR.because("The security key's answer is too old. Try again.")
}

fn refused() -> Error {
    VALIDATION_ERROR.because("The security key's answer is not valid.")
}

/// A challenge of ours in place of the library's.
fn with_challenge<S: Serialize + DeserializeOwned>(state: &S, challenge: &str) -> Result<S> {
    let mut state = serde_json::to_value(state).map_err(internal)?;
    let members = state.as_object_mut().ok_or_else(|| internal("a ceremony without members"))?;
    members.insert("challenge".to_owned(), challenge.into());
    serde_json::from_value(state).map_err(internal)
}

fn begin(
    cx: &Context,
    place: &Place,
    person: &Person,
    browser: &str,
    registers: bool,
) -> Result<(Vec<u8>, String)> {
    let mut challenge = vec![0; CHALLENGE_BYTES];
    cx.plane.random.fill(&mut challenge);
    let ceremony = Ceremony {
        challenge: URL_SAFE_NO_PAD.encode(&challenge),
        subject: person.subject.clone(),
        rp_id: place.rp_id.clone(),
        registers,
        issued_millis: cx.now().millis(),
    };
    let json = serde_json::to_vec(&ceremony).map_err(internal)?;
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, browser, &json, random).map_err(internal)?;
    Ok((challenge, URL_SAFE_NO_PAD.encode(sealed)))
}

/// The challenge that the browser was given for this, which is then used up.
fn opened(
    cx: &mut Context,
    (place, person, browser): (&Place, &Person, &str),
    sealed: &str,
    registers: bool,
) -> Result<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| stale())?;
    let json = cx.plane.sealer.unseal(PURPOSE, browser, &sealed).map_err(|_| stale())?;
    let ceremony: Ceremony = serde_json::from_slice(&json).map_err(|_| stale())?;
    let age = cx.now().millis() - ceremony.issued_millis;
    let good = ceremony.subject == person.subject
        && ceremony.rp_id == place.rp_id
        && ceremony.registers == registers
        && (0..LIFE_SECONDS * 1000).contains(&age);
    if !good {
        return Err(stale());
    }
    let id = hashed("challenge", &ceremony.challenge);
    let expires_millis = ceremony.issued_millis + LIFE_SECONDS * 1000;
    cx.insert(&ANSWERED, &Answered { id: id.clone(), expires_millis })?;
    let now = cx.now().millis();
    sweep(cx, &ANSWERED, &id, |old| old.expires_millis <= now)?;
    Ok(ceremony.challenge)
}

/// The person's keys that sign for this place.
fn keys(cx: &mut Context, place: &Place, person: &Person) -> Result<Vec<(Device, Credential)>> {
    cx.in_account(&person.subject.account, |cx| {
        let mut keys = Vec::new();
        for serial in mfa_device::serials(cx, &person.owner)? {
            if Form::of(&serial) != Form::SecurityKey {
                continue;
            }
            let device = mfa_device::load(cx, &serial)?;
            if let Secret::SecurityKey { credential, rp_id, .. } = &device.secret
                && *rp_id == place.rp_id
            {
                let credential = serde_json::from_str(credential).map_err(internal)?;
                keys.push((device, credential));
            }
        }
        Ok(keys)
    })
}

/// What the library makes of the registration, but for the challenge.
fn registration(
    cx: &mut Context,
    place: &Place,
    person: &Person,
) -> Result<(webauthn_rs_core::proto::CreationChallengeResponse, RegistrationState)> {
    let there = keys(cx, place, person)?;
    let there: Vec<_> = there.into_iter().map(|(_, credential)| credential.cred_id).collect();
    let library = place.library();
    let name = person.shown_name();
    let handle = hashed("security-key-user", &person.subject.id);
    let builder = library
        .new_challenge_register_builder(handle.as_bytes(), name, name)
        .map_err(|error| internal(format!("{error:?}")))?
        .user_verification_policy(UserVerificationPolicy::Preferred)
        .exclude_credentials(Some(there));
    library.generate_challenge_register(builder).map_err(|error| internal(format!("{error:?}")))
}

/// Asks a browser to register a key of the person who is signed in with it.
pub fn begin_registration(
    cx: &mut Context,
    place: &Place,
    person: &Person,
    browser: &str,
) -> Result<Asked> {
    let (challenge, sealed) = begin(cx, place, person, browser, true)?;
    let (mut asked, _) = registration(cx, place, person)?;
    asked.public_key.challenge = challenge;
    Ok(Asked { options: serde_json::to_string(&asked).map_err(internal)?, sealed })
}

/// What a browser answered, and what it was asked.
pub struct Answer<'a> {
    pub place: &'a Place,
    pub browser: &'a str,
    pub sealed: &'a str,
    /// The credential, in JSON.
    pub json: &'a str,
}

fn parsed<T: DeserializeOwned>(json: &str) -> Result<T> {
    if json.len() > ANSWER_BYTES_MAX {
        return Err(refused());
    }
    serde_json::from_str(json).map_err(|_| refused())
}

/// Registers a key and answers its ARN. It is nobody's until its maker enables it
/// (`EnableMFADevice`).
///
/// Fails with `ValidationError` for a name, an answer or a time that is not right, and with
/// `EntityAlreadyExists` for a key that is registered.
pub fn finish_registration(
    cx: &mut Context,
    person: &Person,
    name: &str,
    answer: &Answer<'_>,
) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(plain) {
        let message = "A name has 1 to 64 letters, digits and any of +=,.@-_.";
        return Err(VALIDATION_ERROR.because(message));
    }
    let Answer { place, browser, sealed, json } = *answer;
    let challenge = opened(cx, (place, person, browser), sealed, true)?;
    let (_, state) = registration(cx, place, person)?;
    let state = with_challenge(&state, &challenge)?;
    let given: RegisterPublicKeyCredential = parsed(json)?;
    let credential =
        place.library().register_credential(&given, &state, None).map_err(|_| refused())?;
    let serial_number = arn(cx, person, name);
    let id = credential_id(&credential);
    cx.insert(&KNOWN, &Known { id, serial_number: serial_number.clone() })?;
    let device = Device {
        serial_number: serial_number.clone(),
        secret: Secret::SecurityKey {
            credential: serde_json::to_string(&credential).map_err(internal)?,
            rp_id: place.rp_id.clone(),
            registered_by: person.subject.id.clone(),
        },
        owner: None,
        tags: Vec::new(),
    };
    cx.in_account(&person.subject.account, |cx| cx.insert(&SECURITY_KEYS, &device))?;
    Ok(serial_number)
}

fn credential_id(credential: &Credential) -> String {
    URL_SAFE_NO_PAD.encode(credential.cred_id.as_slice())
}

/// `arn:aws:iam::123456789012:u2f/user/ann/name-ABC…`
fn arn(cx: &Context, person: &Person, name: &str) -> String {
    let mut suffix = [0; SUFFIX_BYTES];
    cx.plane.random.fill(&mut suffix);
    let suffix = data_encoding::BASE32_NOPAD.encode(&suffix);
    let of = match person.subject.is_root() {
        true => "root-account".to_owned(),
        false => format!("user/{}", person.name),
    };
    let (partition, account) = (cx.partition(), &person.subject.account);
    format!("arn:{partition}:iam::{account}:u2f/{of}/{name}-{suffix}")
}

/// Forgets a key of the account that `cx` sees, which can then be registered anew.
pub fn forget(cx: &mut Context, device: &Device) -> Result<()> {
    if let Secret::SecurityKey { credential, .. } = &device.secret {
        let credential: Credential = serde_json::from_str(credential).map_err(internal)?;
        cx.delete(&KNOWN, &credential_id(&credential))?;
    }
    cx.delete(&SECURITY_KEYS, &device.serial_number)?;
    Ok(())
}

/// Takes back a registration that could not be enabled.
pub fn abandon(cx: &mut Context, account: &str, serial: &str) -> Result<()> {
    cx.in_account(account, |cx| match cx.get(&SECURITY_KEYS, serial)? {
        Some(device) if device.owner.is_none() => forget(cx, &device),
        _ => Ok(()),
    })
}

fn assertion(
    place: &Place,
    keys: &[(Device, Credential)],
) -> Result<(webauthn_rs_core::proto::RequestChallengeResponse, AuthenticationState)> {
    let credentials = keys.iter().map(|(_, credential)| credential.clone()).collect();
    let library = place.library();
    let policy = Some(UserVerificationPolicy::Preferred);
    let builder = library
        .new_challenge_authenticate_builder(credentials, policy)
        .map_err(|error| internal(format!("{error:?}")))?;
    library.generate_challenge_authenticate(builder).map_err(|error| internal(format!("{error:?}")))
}

/// Asks a browser for one of the person's keys. None where the person has none that signs for this
/// place.
pub fn begin_assertion(
    cx: &mut Context,
    place: &Place,
    person: &Person,
    browser: &str,
) -> Result<Option<Asked>> {
    let keys = keys(cx, place, person)?;
    if keys.is_empty() {
        return Ok(None);
    }
    let (challenge, sealed) = begin(cx, place, person, browser, false)?;
    let (mut asked, _) = assertion(place, &keys)?;
    asked.public_key.challenge = challenge;
    Ok(Some(Asked { options: serde_json::to_string(&asked).map_err(internal)?, sealed }))
}

/// The ARN of the person's key that answered; none when the answer is of none of them, was given
/// before, or is of another challenge.
pub fn finish_assertion(
    cx: &mut Context,
    person: &Person,
    answer: &Answer<'_>,
) -> Result<Option<String>> {
    let Answer { place, browser, sealed, json } = *answer;
    let challenge = match opened(cx, (place, person, browser), sealed, false) {
        Err(error) if error.code.status < 500 => return Ok(None),
        opened => opened?,
    };
    let keys = keys(cx, place, person)?;
    let Ok(given) = parsed::<PublicKeyCredential>(json) else { return Ok(None) };
    if keys.is_empty() {
        return Ok(None);
    }
    let (_, state) = assertion(place, &keys)?;
    let state = with_challenge(&state, &challenge)?;
    let Ok(proven) = place.library().authenticate_credential(&given, &state) else {
        return Ok(None);
    };
    let found = keys.into_iter().find(|(_, credential)| credential.cred_id == *proven.cred_id());
    let Some((mut device, mut credential)) = found else { return Ok(None) };
    credential.counter = proven.counter();
    credential.backup_state = proven.backup_state();
    if let Secret::SecurityKey { credential: kept, .. } = &mut device.secret {
        *kept = serde_json::to_string(&credential).map_err(internal)?;
    }
    cx.in_account(&person.subject.account, |cx| cx.put(&SECURITY_KEYS, &device))?;
    Ok(Some(device.serial_number))
}
