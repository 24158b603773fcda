//! Sessions of somebody whom a user vouches for.

use super::session::{self, Issuer, NewSession};
use super::session_policy::{self, SessionPolicies};
use super::{packing, session_tag};
use crate::authorization::Requirement;
use crate::caller::{Principal, SessionKind};
use crate::context::Context;
use crate::errors::ACCESS_DENIED;
use palisade_model::sts::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, Tag,
};
use palisade_shape::Result;

/// Twelve hours, where the call names no duration.
const USUAL_SECONDS: i32 = 43_200;
/// Root users get an hour at most; more is cut, not refused.
const ROOT_SECONDS_MAX: i32 = 3600;

/// Issues credentials for a federated user: what the caller may do, within the session policies.
/// Without session policies that is nothing but what resource policies grant the federated user.
pub fn get_federation_token(
    cx: &mut Context,
    input: GetFederationTokenRequest,
) -> Result<GetFederationTokenResponse> {
    let GetFederationTokenRequest { name, policy, policy_arns, duration_seconds, tags } = input;
    let issuer = issuer(cx, "GetFederationToken")?;
    let account = issuer.account.clone();
    let SessionPolicies { inline, arns } =
        session_policy::check(cx, &account, policy, policy_arns)?;
    // Tags of a federated user are never handed on.
    let tags = session_tag::combine(None, &tags.unwrap_or_default(), &[])?.tags;
    let packed_policy_size = packing::percentage(&inline, &arns, &tags)?;
    let federated_user = FederatedUser {
        federated_user_id: format!("{account}:{name}"),
        arn: arn(cx, &account, &name),
    };
    let seconds = duration(cx, duration_seconds);
    let new = NewSession {
        name,
        policies: inline,
        policy_arns: arns,
        tags,
        ..NewSession::of(issuer, SessionKind::FederationToken, seconds)
    };
    let credentials = session::issue(cx, new)?;
    Ok(GetFederationTokenResponse {
        credentials: Some(credentials),
        federated_user: Some(federated_user),
        packed_policy_size,
    })
}

pub fn get_federation_token_requirements(
    cx: &mut Context,
    input: &GetFederationTokenRequest,
) -> Result<Vec<Requirement>> {
    let account = issuer(cx, "GetFederationToken")?.account;
    let tags = pairs(input.tags.as_deref().unwrap_or_default());
    let arn = arn(cx, &account, &input.name);
    let one = |action: &str| {
        let requirement = Requirement::new(action, arn.clone(), &account);
        requirement.with_tags(tags.clone())
    };
    let mut requirements = vec![one("sts:GetFederationToken")];
    if !tags.is_empty() {
        requirements.push(one("sts:TagSession"));
    }
    Ok(requirements)
}

/// The user or root user that calls with its long-term key; sessions cannot issue such sessions.
pub(super) fn issuer(cx: &Context, operation: &str) -> Result<Issuer> {
    let caller = cx.caller;
    if caller.session.is_some() {
        return Err(
            ACCESS_DENIED.because(format!("Cannot call {operation} with session credentials"))
        );
    }
    let (id, name, path) = match &caller.principal {
        Principal::Root => (caller.account.to_string(), String::new(), String::new()),
        Principal::User { name, path, id } => (id.to_string(), name.to_string(), path.to_string()),
        _ => {
            let message = format!("Cannot call {operation} without the credentials of a user");
            return Err(ACCESS_DENIED.because(message));
        }
    };
    Ok(Issuer { account: caller.account.to_string(), arn: caller.arn.to_string(), id, name, path })
}

/// The session's length. The model has checked its bounds.
pub(super) fn duration(cx: &Context, asked: Option<i32>) -> i32 {
    let seconds = asked.unwrap_or(USUAL_SECONDS);
    if cx.caller.is_root() { seconds.min(ROOT_SECONDS_MAX) } else { seconds }
}

fn arn(cx: &Context, account: &str, name: &str) -> String {
    format!("arn:{}:sts::{account}:federated-user/{name}", cx.partition())
}

pub(super) fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}
