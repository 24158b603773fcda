//! Rotation: new material for a key, which keeps the old to decrypt with.
//!
//! Source: AWS KMS API reference, EnableKeyRotation and its like; Developer Guide, "Rotate AWS KMS
//! keys".

use super::key::{self, EXTERNAL, KEYS, Key, Rotation};
use super::key_state::State;
use super::material::{self, Material, MaterialState};
use super::{VALIDATION_EXCEPTION, key_id, list, replica, secret};
use crate::context::Context;
use crate::job::{JobKind, Next};
use palisade_model::kms::{
    CONFLICT_EXCEPTION, DisableKeyRotationRequest, EnableKeyRotationRequest,
    GetKeyRotationStatusRequest, GetKeyRotationStatusResponse, KMS_INVALID_STATE_EXCEPTION,
    LIMIT_EXCEEDED_EXCEPTION, ListKeyRotationsRequest, ListKeyRotationsResponse,
    RotateKeyOnDemandRequest, RotateKeyOnDemandResponse, RotationsListEntry,
    UNSUPPORTED_OPERATION_EXCEPTION,
};
use palisade_shape::{Nothing, Result, Timestamp};

const PERIOD_DAYS: i32 = 365;
const DAY_SECONDS: i64 = 24 * 3600;

/// On-demand rotations of one key (Developer Guide, "Resource quotas").
const ON_DEMAND_MAX: usize = 25;

const AUTOMATIC: &str = "AUTOMATIC";
const ON_DEMAND: &str = "ON_DEMAND";

/// Rotates keys whose period is over.
pub static ROTATE_KEY: JobKind =
    JobKind { name: "kms/rotate-key", principal: "kms.amazonaws.com", run: rotate_by_clock };

/// Rotates keys for which that was asked.
pub static ROTATE_ON_DEMAND: JobKind =
    JobKind { name: "kms/rotate-on-demand", principal: "kms.amazonaws.com", run: rotate_now };

/// Refuses keys that cannot be rotated: only symmetric encryption keys can.
fn refuse_unrotatable(key: &Key) -> Result<()> {
    if key.spec()?.is_symmetric_encryption() {
        return Ok(());
    }
    let text =
        format!("{} key spec is {} which is not valid for this operation.", key.arn(), key.spec);
    Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text))
}

/// Refuses keys that are not rotated by the clock: imported material is not KMS's to make.
fn refuse_unclocked(cx: &Context, key: &Key) -> Result<()> {
    refuse_unrotatable(key)?;
    let reason = match (key.origin == EXTERNAL, replica::is_primary(cx, key)?) {
        (true, _) => format!("origin is {EXTERNAL} which is not valid for this operation."),
        (false, false) => "is a replica key, whose rotation is that of its primary key.".into(),
        (false, true) => return Ok(()),
    };
    Err(UNSUPPORTED_OPERATION_EXCEPTION.because(format!("{} {reason}", key.arn())))
}

/// Has a key rotated every period, 90 to 2,560 days; 365 unless the call says otherwise.
pub fn enable_key_rotation(cx: &mut Context, input: EnableKeyRotationRequest) -> Result<Nothing> {
    let EnableKeyRotationRequest { key_id, rotation_period_in_days } = input;
    let mut key = key_id::load_by_id(cx, &key_id)?;
    refuse_unclocked(cx, &key)?;
    key.refuse_unusable(cx.now())?;
    let period_days = rotation_period_in_days.unwrap_or(PERIOD_DAYS);
    if !(90..=2560).contains(&period_days) {
        let text = format!("RotationPeriodInDays {period_days} is not from 90 to 2560.");
        return Err(VALIDATION_EXCEPTION.because(text));
    }
    if key.rotation.is_none_or(|rotation| rotation.period_days != period_days) {
        let next = cx.now().plus_seconds(i64::from(period_days) * DAY_SECONDS);
        key.rotation = Some(Rotation { period_days, next_millis: next.millis() });
        cx.later(&ROTATE_KEY, next, &key.row())?;
    }
    spread(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Has a key rotated no longer. Its old material stays.
pub fn disable_key_rotation(cx: &mut Context, input: DisableKeyRotationRequest) -> Result<Nothing> {
    let DisableKeyRotationRequest { key_id } = input;
    let mut key = key_id::load_by_id(cx, &key_id)?;
    refuse_unclocked(cx, &key)?;
    key.refuse_unusable(cx.now())?;
    key.rotation = None;
    spread(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Stores a key, and what its replicas share with it.
fn spread(cx: &mut Context, key: &Key) -> Result<()> {
    key::put(cx, key)?;
    for mut replica in replica::replicas_of(cx, key)? {
        replica.rotation = key.rotation;
        replica.on_demand_started_millis = key.on_demand_started_millis;
        if key.origin != EXTERNAL {
            replica.materials.clone_from(&key.materials);
        }
        key::put(cx, &replica)?;
    }
    Ok(())
}

pub fn get_key_rotation_status(
    cx: &mut Context,
    input: GetKeyRotationStatusRequest,
) -> Result<GetKeyRotationStatusResponse> {
    let GetKeyRotationStatusRequest { key_id } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    key::touch(cx, &key);
    // A key that cannot be rotated has the status of one that is not. One that waits for its end is
    // not rotated; its setting comes back with it.
    let rotation = key.rotation.filter(|_| key.deletion.is_none());
    let started = key.on_demand_started_millis.map(Timestamp::from_millis);
    Ok(GetKeyRotationStatusResponse {
        key_rotation_enabled: Some(rotation.is_some()),
        key_id: Some(key.arn()),
        rotation_period_in_days: rotation.map(|rotation| rotation.period_days),
        next_rotation_date: rotation.map(|one| Timestamp::from_millis(one.next_millis)),
        on_demand_rotation_start_date: started,
    })
}

/// Begins a rotation now; of imported keys to the material that waits for it.
pub fn rotate_key_on_demand(
    cx: &mut Context,
    input: RotateKeyOnDemandRequest,
) -> Result<RotateKeyOnDemandResponse> {
    let RotateKeyOnDemandRequest { key_id } = input;
    let mut key = key_id::load_by_id(cx, &key_id)?;
    refuse_unrotatable(&key)?;
    if !replica::is_primary(cx, &key)? {
        let text = format!("{} is a replica key; its primary key is rotated.", key.arn());
        return Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
    }
    key.refuse_unusable(cx.now())?;
    if key.on_demand_started_millis.is_some() {
        let text = format!("An on-demand rotation of {} is in progress.", key.arn());
        return Err(CONFLICT_EXCEPTION.because(text));
    }
    let is_done = |one: &&Material| one.rotated.as_ref().is_some_and(|(_, how)| how == ON_DEMAND);
    if key.materials.iter().filter(is_done).count() >= ON_DEMAND_MAX {
        let text = format!("{} was rotated on demand {ON_DEMAND_MAX} times.", key.arn());
        return Err(LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    let waits =
        |one: &Material| one.state == MaterialState::PendingRotation && one.is_there(cx.now());
    if key.origin == EXTERNAL && !key.materials.iter().any(waits) {
        let text = format!("{} has no imported key material that waits for rotation.", key.arn());
        return Err(KMS_INVALID_STATE_EXCEPTION.because(text));
    }
    key.on_demand_started_millis = Some(cx.now().millis());
    spread(cx, &key)?;
    cx.later(&ROTATE_ON_DEMAND, cx.now(), &key.row())?;
    key::touch(cx, &key);
    Ok(RotateKeyOnDemandResponse { key_id: Some(key.arn()) })
}

/// Makes new material current.
fn rotate(cx: &mut Context, key: &mut Key, how: &str) -> Result<()> {
    let now = cx.now().millis();
    let waiting = key.materials.iter().position(|one| one.state == MaterialState::PendingRotation);
    for material in &mut key.materials {
        if material.state == MaterialState::Current {
            material.state = MaterialState::NonCurrent;
        }
    }
    match waiting.and_then(|place| key.materials.get_mut(place)) {
        Some(material) => {
            material.state = MaterialState::Current;
            material.rotated = Some((now, how.to_owned()));
        }
        None => {
            let spec = key.spec()?;
            let made = secret::generate(cx, spec.family)?;
            let mut made = material::seal(cx, (&key.account, &key.id), spec, &made)?;
            made.rotated = Some((now, how.to_owned()));
            key.materials.push(made);
        }
    }
    Ok(())
}

/// A key whose period is over. Keys that are disabled or wait for their end are left alone, and
/// looked at again the next day.
fn rotate_by_clock(cx: &mut Context, row: &str) -> Result<Next> {
    let Some(mut key) = cx.get(&KEYS, row)? else { return Ok(Next::Done) };
    let Some(rotation) = key.rotation else { return Ok(Next::Done) };
    let now = cx.now();
    if rotation.next_millis > now.millis() {
        // Either this job's time was moved, and another is queued for it, or the clock went back.
        return Ok(Next::Done);
    }
    if key.state(now) != State::Enabled {
        return Ok(Next::Again(now.plus_seconds(DAY_SECONDS)));
    }
    if !replica::is_primary(cx, &key)? {
        return Ok(Next::Done);
    }
    rotate(cx, &mut key, AUTOMATIC)?;
    // From its due time on, so that late work does not shift the schedule.
    let period = i64::from(rotation.period_days) * DAY_SECONDS;
    let mut next = Timestamp::from_millis(rotation.next_millis).plus_seconds(period);
    if next <= now {
        next = now.plus_seconds(period);
    }
    key.rotation = Some(Rotation { next_millis: next.millis(), ..rotation });
    spread(cx, &key)?;
    key::touch(cx, &key);
    Ok(Next::Again(next))
}

/// A key for whose rotation was asked.
fn rotate_now(cx: &mut Context, row: &str) -> Result<Next> {
    let Some(mut key) = cx.get(&KEYS, row)? else { return Ok(Next::Done) };
    if key.on_demand_started_millis.take().is_none() {
        return Ok(Next::Done);
    }
    if key.state(cx.now()) == State::Enabled {
        rotate(cx, &mut key, ON_DEMAND)?;
    }
    spread(cx, &key)?;
    key::touch(cx, &key);
    Ok(Next::Done)
}

/// Rotates a key soon that is enabled again and whose time is over.
pub fn catch_up(cx: &mut Context, key: &Key) -> Result<()> {
    let now = cx.now();
    match key.rotation {
        Some(rotation) if rotation.next_millis <= now.millis() => {
            cx.later(&ROTATE_KEY, now, &key.row())
        }
        _ => Ok(()),
    }
}

/// Lists the completed rotations of a key, or all its material.
pub fn list_key_rotations(
    cx: &mut Context,
    input: ListKeyRotationsRequest,
) -> Result<ListKeyRotationsResponse> {
    let ListKeyRotationsRequest { key_id, include_key_material, limit, marker } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    refuse_unrotatable(&key)?;
    key::touch(cx, &key);
    let all = include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
    let (arn, imported, now) = (key.arn(), key.origin == EXTERNAL, cx.now());
    let shown = key.materials.into_iter().filter(|one| all || one.rotated.is_some());
    let rows = shown.enumerate();
    let rows = rows.map(|(place, one)| (format!("{place:06}"), entry(&arn, imported, one, now)));
    let page = list::page_of(rows.collect(), marker.as_deref(), limit, list::LONG)?;
    Ok(ListKeyRotationsResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        rotations: Some(page.items),
    })
}

fn entry(arn: &str, imported: bool, material: Material, now: Timestamp) -> RotationsListEntry {
    let there = material.is_there(now);
    let state = if there { "IMPORTED" } else { "PENDING_IMPORT" };
    let expires = material.valid_to_millis.filter(|_| there);
    let (rotation_date, rotation_type) = material.rotated.unzip();
    RotationsListEntry {
        key_id: Some(arn.to_owned()),
        key_material_id: Some(material.id),
        key_material_description: material.description,
        import_state: imported.then(|| state.to_owned()),
        key_material_state: Some(material.state.name().to_owned()),
        expiration_model: (imported && there).then(|| super::import::model_of(expires).to_owned()),
        valid_to: expires.map(Timestamp::from_millis),
        rotation_date: rotation_date.map(Timestamp::from_millis),
        rotation_type,
    }
}
