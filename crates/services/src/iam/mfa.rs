//! The operations on MFA devices. What a device is and how it proves itself: [`super::mfa_device`].
//!
//! AWS's API has no name for the root user where a user name is asked for. Here root enables and
//! resynchronizes its own devices with its account id as `UserName`.
//!
//! Source: IAM API reference, CreateVirtualMFADevice, EnableMFADevice and their like.

use super::mfa_device::{
    self, Device, DeviceOwner, Form, Secret, TOKENS, VIRTUAL_DEVICES, id_of, missing, serials,
    set_serials,
};
use super::principal::{Owner, named_or_own};
use super::{account, list, qr_code, quota, tag, user};
use crate::caller::Principal;
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::signin::security_key;
use palisade_model::iam::{
    CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse, DELETE_CONFLICT,
    DeactivateMFADeviceRequest, DeleteVirtualMFADeviceRequest, ENTITY_ALREADY_EXISTS,
    EnableMFADeviceRequest, GetMFADeviceRequest, GetMFADeviceResponse, INVALID_AUTHENTICATION_CODE,
    ListMFADeviceTagsRequest, ListMFADeviceTagsResponse, ListMFADevicesRequest,
    ListMFADevicesResponse, ListVirtualMFADevicesRequest, ListVirtualMFADevicesResponse, MFADevice,
    NO_SUCH_ENTITY, ResyncMFADeviceRequest, Tag, TagMFADeviceRequest, UntagMFADeviceRequest,
    VirtualMFADevice, assignment_status_type,
};
use palisade_shape::{Blob, Error, Nothing, Result};

/// Bytes of a seed: 64 characters of base32.
const SEED_BYTES: usize = 40;
/// The longest serial number, which a virtual device's ARN is.
const SERIAL_LENGTH_MAX: usize = 256;

/// Makes a virtual device and shows its seed this once, as base32 and as a QR code.
pub fn create_virtual_mfa_device(
    cx: &mut Context,
    input: CreateVirtualMFADeviceRequest,
) -> Result<CreateVirtualMFADeviceResponse> {
    let CreateVirtualMFADeviceRequest { path, virtual_mfa_device_name: name, tags } = input;
    let serial = cx.iam_arn("mfa", path.as_deref().unwrap_or("/"), &name);
    if serial.len() > SERIAL_LENGTH_MAX {
        let message = "The serial number that path and name make must have length less than or \
                       equal to 256";
        return Err(VALIDATION_ERROR.because(message));
    }
    let tags = tag::given(tags)?;
    let mut seed = [0; SEED_BYTES];
    cx.plane.random.fill(&mut seed);
    let mut device = mfa_device::new(cx.plane, serial.clone(), &seed)?;
    device.tags = tag::pairs(tags.as_deref());
    cx.insert(&VIRTUAL_DEVICES, &device)?;
    quota::take(cx, &quota::VIRTUAL_MFA_DEVICES)?;
    cx.touch("AWS::IAM::VirtualMFADevice", serial.clone());
    let seed = base32(&seed);
    let uri = otpauth(cx, &name, &seed)?;
    let virtual_mfa_device = VirtualMFADevice {
        serial_number: serial,
        qr_code_png: Some(Blob(qr_code::png(&uri)?)),
        base32_string_seed: Some(Blob(seed.into_bytes())),
        user: None,
        enable_date: None,
        tags,
    };
    Ok(CreateVirtualMFADeviceResponse { virtual_mfa_device })
}

/// What the picture says, as the API reference has it, with the issuer that apps show.
fn otpauth(cx: &Context, device: &str, seed: &str) -> Result<String> {
    let account = account::load(cx)?.alias.unwrap_or_else(|| cx.account().to_owned());
    let device = super::document::encoded(device);
    let issuer = "Amazon%20Web%20Services";
    Ok(format!("otpauth://totp/{issuer}:{device}@{account}?secret={seed}&issuer={issuer}"))
}

/// RFC 4648, section 6.
fn base32(bytes: &[u8]) -> String {
    data_encoding::BASE32.encode(bytes)
}

/// Gives a device to a user, who proves to have it by two codes in a row.
pub fn enable_mfa_device(cx: &mut Context, input: EnableMFADeviceRequest) -> Result<Nothing> {
    let EnableMFADeviceRequest {
        user_name,
        serial_number,
        authentication_code1: first,
        authentication_code2: second,
    } = input;
    let owner = named(cx, &user_name)?;
    let mut serials = serials(cx, &owner)?;
    let mut device = mfa_device::load(cx, &serial_number)?;
    if device.owner.is_some() {
        return Err(ENTITY_ALREADY_EXISTS.because("MFA Device is already in use."));
    }
    quota::check(cx, &quota::MFA_DEVICES_PER_USER, serials.len() + 1)?;
    let proven = match &device.secret {
        // It signed a challenge when it was registered, and shows no codes.
        Secret::SecurityKey { registered_by, .. } => *registered_by == id_of(cx, &owner)?,
        Secret::Totp { .. } => device.synchronize(cx, (&first, &second))?,
    };
    if !proven {
        return Err(wrong_codes());
    }
    device.owner = Some(DeviceOwner {
        account: cx.account().to_owned(),
        user_id: id_of(cx, &owner)?,
        enabled_millis: cx.now().whole_seconds().millis(),
    });
    mfa_device::store(cx, &device)?;
    serials.push(serial_number);
    set_serials(cx, &owner, serials)?;
    quota::add(cx, &quota::MFA_DEVICES_IN_USE)?;
    if Form::of(&device.serial_number) == Form::Token {
        quota::add(cx, &quota::MFA_TOKENS_IN_USE)?;
    }
    Ok(Nothing)
}

fn wrong_codes() -> Error {
    INVALID_AUTHENTICATION_CODE.because("Authentication code for device is not valid.")
}

/// The user of that name; root where the root user gives its account id and no user is called so.
pub fn named(cx: &Context, name: &str) -> Result<Owner> {
    let own = cx.caller.principal == Principal::Root && name == cx.account();
    if own && !cx.exists(&user::USERS, &name.to_lowercase())? {
        return Ok(Owner::Root);
    }
    Ok(Owner::User(user::load(cx, name)?.user_name))
}

/// The device of that serial number, if it is the owner's.
fn owned(cx: &Context, owner: &Owner, serial: &str) -> Result<Device> {
    if !serials(cx, owner)?.iter().any(|known| known == serial) {
        return Err(NO_SUCH_ENTITY.because("MFA Device invalid for user."));
    }
    mfa_device::load(cx, serial)
}

/// Takes a device from its user. A hardware token can then be another one's; a security key is
/// forgotten.
pub fn deactivate_mfa_device(
    cx: &mut Context,
    input: DeactivateMFADeviceRequest,
) -> Result<Nothing> {
    let DeactivateMFADeviceRequest { user_name, serial_number } = input;
    let owner = named_or_own_device_owner(cx, user_name.as_deref())?;
    let mut device = owned(cx, &owner, &serial_number)?;
    device.owner = None;
    match Form::of(&serial_number) {
        Form::SecurityKey => security_key::forget(cx, &device)?,
        Form::Virtual | Form::Token => mfa_device::store(cx, &device)?,
    }
    let rest = serials(cx, &owner)?.into_iter().filter(|known| *known != serial_number).collect();
    set_serials(cx, &owner, rest)?;
    quota::give_back(cx, &quota::MFA_DEVICES_IN_USE)?;
    if Form::of(&device.serial_number) == Form::Token {
        quota::give_back(cx, &quota::MFA_TOKENS_IN_USE)?;
    }
    Ok(Nothing)
}

/// The named user, root by its account id, or the caller.
pub fn named_or_own_device_owner(cx: &Context, name: Option<&str>) -> Result<Owner> {
    match name {
        Some(name) => named(cx, name),
        None => named_or_own(cx, None),
    }
}

/// Follows a device's clock again, which two codes in a row tell.
pub fn resync_mfa_device(cx: &mut Context, input: ResyncMFADeviceRequest) -> Result<Nothing> {
    let ResyncMFADeviceRequest {
        user_name,
        serial_number,
        authentication_code1: first,
        authentication_code2: second,
    } = input;
    let owner = named(cx, &user_name)?;
    let mut device = owned(cx, &owner, &serial_number)?;
    if !device.synchronize(cx, (&first, &second))? {
        return Err(wrong_codes());
    }
    mfa_device::store(cx, &device)?;
    Ok(Nothing)
}

/// Lists the devices of a user, or of the caller, in the order of their enabling.
pub fn list_mfa_devices(
    cx: &mut Context,
    input: ListMFADevicesRequest,
) -> Result<ListMFADevicesResponse> {
    let ListMFADevicesRequest { user_name, marker, max_items } = input;
    let owner = named_or_own_device_owner(cx, user_name.as_deref())?;
    let page = list::of_items(serials(cx, &owner)?, marker.as_deref(), max_items)?;
    let user_name = shown_name(cx, &owner)?;
    let shown = |serial: String| {
        let device = mfa_device::load(cx, &serial)?;
        let enable_date = device.owner.map(|owner| owner.enabled()).unwrap_or_default();
        Ok(MFADevice { user_name: user_name.clone(), serial_number: serial, enable_date })
    };
    Ok(ListMFADevicesResponse {
        mfa_devices: page.items.into_iter().map(shown).collect::<Result<_>>()?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// The user's name as it is written; root's is what GetUser shows.
fn shown_name(cx: &Context, owner: &Owner) -> Result<String> {
    match owner {
        Owner::User(name) => Ok(user::load(cx, name)?.user_name),
        Owner::Root => Ok(user::root(cx)?.user_name),
    }
}

/// Lists the account's virtual devices, by ARN, without tags and seeds.
pub fn list_virtual_mfa_devices(
    cx: &mut Context,
    input: ListVirtualMFADevicesRequest,
) -> Result<ListVirtualMFADevicesResponse> {
    let ListVirtualMFADevicesRequest { assignment_status, marker, max_items } = input;
    let wanted = match assignment_status.as_deref() {
        Some(assignment_status_type::ASSIGNED) => Some(true),
        Some(assignment_status_type::UNASSIGNED) => Some(false),
        _ => None,
    };
    let page = list::page(cx, &VIRTUAL_DEVICES, "", marker.as_deref(), max_items, |device| {
        wanted.is_none_or(|wanted| device.owner.is_some() == wanted)
    })?;
    let shown = |device: Device| {
        let owner = device.owner.as_ref();
        Ok(VirtualMFADevice {
            enable_date: owner.map(DeviceOwner::enabled),
            user: match owner {
                Some(owner) => mfa_device::shown_owner(cx, owner)?,
                None => None,
            },
            serial_number: device.serial_number,
            base32_string_seed: None,
            qr_code_png: None,
            tags: None,
        })
    };
    Ok(ListVirtualMFADevicesResponse {
        virtual_mfa_devices: page.items.into_iter().map(shown).collect::<Result<_>>()?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Shows a device of a user, or of the caller.
pub fn get_mfa_device(
    cx: &mut Context,
    input: GetMFADeviceRequest,
) -> Result<GetMFADeviceResponse> {
    let GetMFADeviceRequest { serial_number, user_name } = input;
    let owner = named_or_own_device_owner(cx, user_name.as_deref())?;
    let device = owned(cx, &owner, &serial_number)?;
    Ok(GetMFADeviceResponse {
        user_name: Some(shown_name(cx, &owner)?).filter(|name| !name.is_empty()),
        serial_number,
        enable_date: device.owner.map(|owner| owner.enabled()),
        // Of security keys; no attestation that would tell them is asked for.
        certifications: None,
    })
}

/// Deletes a virtual device that is nobody's.
pub fn delete_virtual_mfa_device(
    cx: &mut Context,
    input: DeleteVirtualMFADeviceRequest,
) -> Result<Nothing> {
    let device = cx.find(&VIRTUAL_DEVICES, &input.serial_number)?;
    if device.owner.is_some() {
        return Err(DELETE_CONFLICT.because("MFA VirtualDevice in use. Must deactivate first."));
    }
    cx.delete(&VIRTUAL_DEVICES, &device.serial_number)?;
    cx.touch("AWS::IAM::VirtualMFADevice", device.serial_number);
    quota::give_back(cx, &quota::VIRTUAL_MFA_DEVICES)?;
    Ok(Nothing)
}

/// Adds tags to a virtual device; a key that is there gets the new value.
pub fn tag_mfa_device(cx: &mut Context, input: TagMFADeviceRequest) -> Result<Nothing> {
    change_tags(cx, &input.serial_number, |tags| tag::merged(tags, input.tags))
}

/// Removes tags from a virtual device; a key that is not there is no error.
pub fn untag_mfa_device(cx: &mut Context, input: UntagMFADeviceRequest) -> Result<Nothing> {
    change_tags(cx, &input.serial_number, |tags| Ok(tag::without(tags, &input.tag_keys)))
}

fn change_tags(
    cx: &mut Context,
    serial: &str,
    change: impl FnOnce(Option<Vec<Tag>>) -> Result<Option<Vec<Tag>>>,
) -> Result<Nothing> {
    let mut device = cx.find(&VIRTUAL_DEVICES, serial)?;
    let changed = change(tag::shapes(device.tags))?;
    device.tags = tag::pairs(changed.as_deref());
    mfa_device::store(cx, &device)?;
    Ok(Nothing)
}

/// Lists a virtual device's tags, by key.
pub fn list_mfa_device_tags(
    cx: &mut Context,
    input: ListMFADeviceTagsRequest,
) -> Result<ListMFADeviceTagsResponse> {
    let ListMFADeviceTagsRequest { serial_number, marker, max_items } = input;
    let tags = cx.find(&VIRTUAL_DEVICES, &serial_number)?.tags;
    let tags = tag::sorted(tag::shapes(tags));
    let page = list::of_items(tags, marker.as_deref(), max_items)?;
    Ok(ListMFADeviceTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Loads a hardware token, for the operator. `seed` is base32, as token makers deliver it.
///
/// Fails with `ValidationError` for a serial number or seed of the wrong form, and with
/// `EntityAlreadyExists` for a token that is loaded already.
pub fn load_token(cx: &mut Context, serial_number: &str, seed: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=/:,.@-_".contains(c);
    let in_range = (9..=SERIAL_LENGTH_MAX).contains(&serial_number.len());
    if !in_range || !serial_number.chars().all(plain) || Form::of(serial_number) != Form::Token {
        let message = "A serial number is 9 to 256 letters, digits and any of +=/:,.@-_, and no \
                       ARN.";
        return Err(VALIDATION_ERROR.because(message));
    }
    let letters: String = seed.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let decoded = data_encoding::BASE32_NOPAD.decode(letters.to_ascii_uppercase().as_bytes());
    let Some(seed) = decoded.ok().filter(|seed| (16..=64).contains(&seed.len())) else {
        return Err(VALIDATION_ERROR.because("A seed is 16 to 64 bytes in base32 (RFC 4648)."));
    };
    let device = mfa_device::new(cx.plane, serial_number.to_owned(), &seed)?;
    cx.insert(&TOKENS, &device)
}

/// Answers for one that is loaded, so that nobody enables what the operator took back.
pub fn unload_token(cx: &mut Context, serial_number: &str) -> Result<()> {
    let device = cx.get(&TOKENS, serial_number)?.ok_or_else(|| missing(serial_number))?;
    if device.owner.is_some() {
        return Err(DELETE_CONFLICT.because("The token is in use. Deactivate it first."));
    }
    cx.delete(&TOKENS, serial_number)?;
    Ok(())
}

#[cfg(test)]
mod tests;
