//! What state a key is in, which calls that stops, and the calls that change it.
//!
//! Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".

use super::key::{self, Deletion, Key};
use super::{VALIDATION_EXCEPTION, alias, grant, key_id, quota, replica, rotation};
use crate::context::Context;
use crate::job::{JobKind, Next};
use palisade_model::kms::{
    CancelKeyDeletionRequest, CancelKeyDeletionResponse, DISABLED_EXCEPTION, DisableKeyRequest,
    EnableKeyRequest, INVALID_KEY_USAGE_EXCEPTION, KMS_INVALID_STATE_EXCEPTION,
    ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse,
};
use palisade_shape::{Nothing, Result, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Enabled,
    Disabled,
    PendingImport,
    PendingDeletion,
    /// A primary key that waits for the end of its replicas.
    PendingReplicaDeletion,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingImport => "PendingImport",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingReplicaDeletion => "PendingReplicaDeletion",
        }
    }
}

const DAY_SECONDS: i64 = 24 * 3600;

impl Key {
    pub fn state(&self, now: Timestamp) -> State {
        match self.deletion {
            Some(Deletion { at_millis: Some(_), .. }) => return State::PendingDeletion,
            Some(Deletion { at_millis: None, .. }) => return State::PendingReplicaDeletion,
            None => {}
        }
        // What expired is as good as gone, whether the job that deletes it has run or not.
        let there = self.current().is_some_and(|material| material.is_there(now));
        match (there, self.enabled) {
            (false, _) => State::PendingImport,
            (true, true) => State::Enabled,
            (true, false) => State::Disabled,
        }
    }

    pub fn refuse_pending_deletion(&self) -> Result<()> {
        if self.deletion.is_none() {
            return Ok(());
        }
        Err(KMS_INVALID_STATE_EXCEPTION.because(format!("{} is pending deletion.", self.arn())))
    }

    /// Refuses a key that is disabled or waits for its end.
    pub fn refuse_unusable(&self, now: Timestamp) -> Result<()> {
        self.refuse_pending_deletion()?;
        match self.state(now) {
            State::Disabled => {
                Err(DISABLED_EXCEPTION.because(format!("{} is disabled.", self.arn())))
            }
            State::PendingImport => self.refuse_pending_import(now),
            State::Enabled | State::PendingDeletion | State::PendingReplicaDeletion => Ok(()),
        }
    }

    pub fn refuse_pending_import(&self, now: Timestamp) -> Result<()> {
        if self.state(now) != State::PendingImport {
            return Ok(());
        }
        Err(KMS_INVALID_STATE_EXCEPTION.because(format!("{} is pending import.", self.arn())))
    }

    /// Refuses a key that is for something else.
    pub fn refuse_other_usage(&self, usage: &str, operation: &str) -> Result<()> {
        if self.usage == usage {
            return Ok(());
        }
        Err(INVALID_KEY_USAGE_EXCEPTION.because(format!(
            "{} key usage is {} which is not valid for {operation}.",
            self.arn(),
            self.usage
        )))
    }

    /// Refuses an algorithm that the key does not have.
    pub fn refuse_other_algorithm(&self, algorithm: &str) -> Result<()> {
        if self.algorithms()?.contains(&algorithm) {
            return Ok(());
        }
        Err(INVALID_KEY_USAGE_EXCEPTION
            .because(format!("Algorithm {algorithm} is incompatible with key spec {}.", self.spec)))
    }
}

/// Makes a key usable again.
pub fn enable_key(cx: &mut Context, input: EnableKeyRequest) -> Result<Nothing> {
    let EnableKeyRequest { key_id } = input;
    let mut key = key_id::load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    key.refuse_pending_import(cx.now())?;
    key.enabled = true;
    key::put(cx, &key)?;
    rotation::catch_up(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Stops all cryptography with a key.
pub fn disable_key(cx: &mut Context, input: DisableKeyRequest) -> Result<Nothing> {
    let DisableKeyRequest { key_id } = input;
    let mut key = key_id::load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    key.refuse_pending_import(cx.now())?;
    key.enabled = false;
    key::put(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Deletes keys whose time has come.
pub static DELETE_KEY: JobKind =
    JobKind { name: "kms/delete-key", principal: "kms.amazonaws.com", run: delete_key };

/// Lets a key wait for its end, 7 to 30 days; 30 unless the call says otherwise.
pub fn schedule_key_deletion(
    cx: &mut Context,
    input: ScheduleKeyDeletionRequest,
) -> Result<ScheduleKeyDeletionResponse> {
    let ScheduleKeyDeletionRequest { key_id, pending_window_in_days } = input;
    let days = pending_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        let (bound, limit) =
            if days < 7 { ("greater than or equal to", 7) } else { ("less than or equal to", 30) };
        return Err(VALIDATION_EXCEPTION.because(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to \
             satisfy constraint: Member must have value {bound} {limit}"
        )));
    }
    let mut key = key_id::load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    let waits_for_replicas = replica::has_replicas(cx, &key)?;
    let at = cx.now().plus_seconds(i64::from(days) * DAY_SECONDS);
    let at_millis = (!waits_for_replicas).then_some(at.millis());
    key.deletion = Some(Deletion { window_days: days, at_millis });
    key.enabled = false;
    key::put(cx, &key)?;
    if at_millis.is_some() {
        cx.later(&DELETE_KEY, at, &key.row())?;
    }
    key::touch(cx, &key);
    Ok(ScheduleKeyDeletionResponse {
        key_id: Some(key.arn()),
        deletion_date: at_millis.map(Timestamp::from_millis),
        key_state: Some(key.state(cx.now()).name().to_owned()),
        pending_window_in_days: Some(days),
    })
}

/// Keeps a key that waits for its end; it stays disabled.
pub fn cancel_key_deletion(
    cx: &mut Context,
    input: CancelKeyDeletionRequest,
) -> Result<CancelKeyDeletionResponse> {
    let CancelKeyDeletionRequest { key_id } = input;
    let mut key = key_id::load(cx, &key_id)?;
    if key.deletion.take().is_none() {
        let text = format!("{} is not pending deletion.", key.arn());
        return Err(KMS_INVALID_STATE_EXCEPTION.because(text));
    }
    key::put(cx, &key)?;
    key::touch(cx, &key);
    Ok(CancelKeyDeletionResponse { key_id: Some(key.arn()) })
}

/// The end of a key, with its aliases and grants; then a primary key that waited for this, its last
/// replica, begins its own wait.
fn delete_key(cx: &mut Context, row: &str) -> Result<Next> {
    let Some(key) = cx.get(&key::KEYS, row)? else { return Ok(Next::Done) };
    let Some(at) = key.deletion.and_then(|deletion| deletion.at_millis) else {
        return Ok(Next::Done);
    };
    if at > cx.now().millis() {
        return Ok(Next::Again(Timestamp::from_millis(at)));
    }
    alias::forget_all(cx, &key)?;
    grant::forget_all(cx, &key)?;
    cx.delete(&key::KEYS, row)?;
    quota::give_back_key(cx, &key.region)?;
    key::touch(cx, &key);
    if let Some(mut primary) = replica::leave(cx, &key)?
        && let Some(deletion) = &mut primary.deletion
    {
        let at = cx.now().plus_seconds(i64::from(deletion.window_days) * DAY_SECONDS);
        deletion.at_millis = Some(at.millis());
        key::put(cx, &primary)?;
        cx.later(&DELETE_KEY, at, &primary.row())?;
    }
    Ok(Next::Done)
}
