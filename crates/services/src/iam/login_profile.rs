//! Login profiles: the passwords that users sign in to the console with.
//!
//! A call without a user name is about the caller. Root's own profile is reached that way only by
//! sessions of `sts:AssumeRoot`, as in AWS.
//!
//! Hashing is slow: each operation first makes its plan, a function that only reads, so that the
//! pipeline can make it once before the transaction ([`crate::password_hash`]).
//!
//! Source: IAM API reference, CreateLoginProfile and its like, ChangePassword.

use super::password::{self, PROFILES, Profile, lock_subject};
use super::principal::{Owner, named_or_own};
use super::{access::Kind, user};
use crate::caller::{Principal, SessionKind};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR};
use crate::password_hash;
use palisade_model::iam::{
    ChangePasswordRequest, CreateLoginProfileRequest, CreateLoginProfileResponse,
    DeleteLoginProfileRequest, ENTITY_ALREADY_EXISTS, ENTITY_TEMPORARILY_UNMODIFIABLE,
    GetLoginProfileRequest, GetLoginProfileResponse, INVALID_USER_TYPE, LoginProfile,
    NO_SUCH_ENTITY, UpdateLoginProfileRequest,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};

/// Whose profile a call is about, by unique id and by name.
struct Holder {
    owner: Owner,
    id: String,
    name: String,
}

impl Holder {
    fn missing(&self) -> Error {
        let name = &self.name;
        NO_SUCH_ENTITY.because(format!("Login Profile for User {name} cannot be found."))
    }

    fn profile(&self, cx: &Context) -> Result<Profile> {
        cx.get(&PROFILES, &self.id)?.ok_or_else(|| self.missing())
    }

    fn shown(&self, profile: &Profile) -> LoginProfile {
        LoginProfile {
            user_name: self.name.clone(),
            create_date: Timestamp::from_millis(profile.created_millis).whole_seconds(),
            password_reset_required: Some(profile.reset_required),
        }
    }

    /// A user has one profile at most, which has no name of its own.
    fn touch(&self, cx: &mut Context) {
        if let Owner::User(name) = &self.owner {
            let arn = cx.iam_arn("user", "/", name);
            cx.touch(Kind::User.resource_type(), arn);
        }
    }
}

fn holder(cx: &Context, name: Option<&str>) -> Result<Holder> {
    let owner = named_or_own(cx, name)?;
    match &owner {
        Owner::User(name) => {
            let user = user::load(cx, name)?;
            Ok(Holder { id: user.user_id, name: user.user_name, owner })
        }
        Owner::Root => {
            let session = cx.caller.session.as_deref();
            if session.is_none_or(|session| session.kind != SessionKind::AssumeRoot) {
                let message = "Must specify userName when calling with non-User credentials";
                return Err(VALIDATION_ERROR.because(message));
            }
            Ok(Holder { id: cx.account().to_owned(), name: "root".to_owned(), owner })
        }
    }
}

fn planned_creation(cx: &Context, input: &CreateLoginProfileRequest) -> Result<(Holder, Profile)> {
    let CreateLoginProfileRequest { user_name, password, password_reset_required } = input;
    let holder = holder(cx, user_name.as_deref())?;
    if cx.exists(&PROFILES, &holder.id)? {
        let name = &holder.name;
        let message = format!("Login Profile for user {name} already exists.");
        return Err(ENTITY_ALREADY_EXISTS.because(message));
    }
    if password.is_none() && holder.owner != Owner::Root {
        return Err(VALIDATION_ERROR.because("Must specify password for an IAM user"));
    }
    let reset_required = password_reset_required.unwrap_or(false);
    let password = password.as_deref();
    let profile = password::new_profile(cx, &holder.owner, &holder.id, password, reset_required)?;
    Ok((holder, profile))
}

/// Hashes ahead of [`create_login_profile`].
pub fn prepare_create(cx: &mut Context, input: &CreateLoginProfileRequest) -> Result<()> {
    planned_creation(cx, input).map(drop)
}

/// Gives a user a password. For a root user without one, lets it recover one.
pub fn create_login_profile(
    cx: &mut Context,
    input: CreateLoginProfileRequest,
) -> Result<CreateLoginProfileResponse> {
    let (holder, profile) = planned_creation(cx, &input)?;
    cx.put(&PROFILES, &profile)?;
    holder.touch(cx);
    Ok(CreateLoginProfileResponse { login_profile: holder.shown(&profile) })
}

/// Tells since when a user has a password.
pub fn get_login_profile(
    cx: &mut Context,
    input: GetLoginProfileRequest,
) -> Result<GetLoginProfileResponse> {
    let holder = holder(cx, input.user_name.as_deref())?;
    let profile = holder.profile(cx)?;
    Ok(GetLoginProfileResponse { login_profile: holder.shown(&profile) })
}

fn planned_update(cx: &Context, input: &UpdateLoginProfileRequest) -> Result<(Holder, Profile)> {
    let UpdateLoginProfileRequest { user_name, password, password_reset_required } = input;
    let holder = holder(cx, Some(user_name))?;
    let mut profile = holder.profile(cx)?;
    if let Some(password) = password {
        profile = password::with_password(cx, &holder.owner, profile, password)?;
        profile.reset_required = false;
    }
    profile.reset_required = password_reset_required.unwrap_or(profile.reset_required);
    Ok((holder, profile))
}

/// Hashes ahead of [`update_login_profile`].
pub fn prepare_update(cx: &mut Context, input: &UpdateLoginProfileRequest) -> Result<()> {
    planned_update(cx, input).map(drop)
}

/// Sets a user's password, or whether the next sign-in must set another one.
pub fn update_login_profile(cx: &mut Context, input: UpdateLoginProfileRequest) -> Result<Nothing> {
    let (holder, profile) = planned_update(cx, &input)?;
    cx.put(&PROFILES, &profile)?;
    holder.touch(cx);
    Ok(Nothing)
}

/// Takes a user's password away.
pub fn delete_login_profile(cx: &mut Context, input: DeleteLoginProfileRequest) -> Result<Nothing> {
    let holder = holder(cx, input.user_name.as_deref())?;
    if !cx.delete(&PROFILES, &holder.id)? {
        return Err(holder.missing());
    }
    holder.touch(cx);
    Ok(Nothing)
}

fn planned_change(cx: &Context, input: &ChangePasswordRequest) -> Result<(Holder, Profile)> {
    let ChangePasswordRequest { old_password, new_password } = input;
    let Principal::User { name, .. } = &cx.caller.principal else {
        return Err(INVALID_USER_TYPE.because("Only IAM Users can change their own password"));
    };
    let holder = holder(cx, Some(name))?;
    let profile = holder.profile(cx)?;
    let current = profile.passwords.first().ok_or_else(|| holder.missing())?;
    if cx.plane.attempts.must_wait(&lock_subject(cx.account(), &holder.name), cx.now()) {
        let message = "There were too many attempts with a wrong password. Wait and try again.";
        return Err(ENTITY_TEMPORARILY_UNMODIFIABLE.because(message));
    }
    if !password_hash::is(cx, old_password, current)? {
        return Err(ACCESS_DENIED.because("The old password was incorrect."));
    }
    let mut profile = password::with_password(cx, &holder.owner, profile, new_password)?;
    profile.reset_required = false;
    Ok((holder, profile))
}

/// Hashes ahead of [`change_password`].
pub fn prepare_change(cx: &mut Context, input: &ChangePasswordRequest) -> Result<()> {
    planned_change(cx, input).map(drop)
}

/// Sets the password of the user who calls. An expired one can be changed so too, `HardExpiry` or
/// not: that is for sign-in (IAM User Guide, "Set an account password policy for IAM users").
/// Wrong old passwords count like those at sign-in.
pub fn change_password(cx: &mut Context, input: ChangePasswordRequest) -> Result<Nothing> {
    let planned = planned_change(cx, &input);
    if let (Err(error), Principal::User { name, .. }) = (&planned, &cx.caller.principal)
        && error.code.code == ACCESS_DENIED.code
    {
        cx.plane.attempts.failed(&lock_subject(cx.account(), name), cx.now());
    }
    let (holder, profile) = planned?;
    cx.plane.attempts.succeeded(&lock_subject(cx.account(), &holder.name));
    cx.put(&PROFILES, &profile)?;
    holder.touch(cx);
    Ok(Nothing)
}

#[cfg(test)]
mod tests;
