//! Assuming roles.
//!
//! Source: STS API reference, AssumeRole; IAM User Guide, "Pass session tags in AWS STS", "Monitor
//! and control actions taken with assumed roles", "Methods to assume a role".

use super::federated_user::pairs;
use super::session::{self, Issuer, NewSession};
use super::session_policy::{self, SessionPolicies};
use super::session_tag::{self, SessionTags};
use super::{INVALID_PARAMETER_VALUE, mfa, packing};
use crate::accounts;
use crate::authorization::Requirement;
use crate::caller::{Principal, Session, SessionKind};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR};
use crate::iam;
use palisade_model::iam::Role;
use palisade_model::sts::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, ProvidedContext,
};
use palisade_shape::Result;
use std::collections::BTreeMap;

/// Of a session that is not told how long it should last, and the most of one that was obtained
/// with another role's.
const HOUR_SECONDS: i32 = 3600;

/// An ARN of a role, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArn {
    pub arn: String,
    pub account: String,
    pub name: String,
}

impl RoleArn {
    /// None when the text is not a role's ARN. Whether there is such a role is another matter.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut fields = arn.splitn(6, ':');
        let mut next = || fields.next();
        let (scheme, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_iam = scheme == "arn" && partition == "aws" && service == "iam" && region.is_empty();
        (is_iam && is_account && !name.is_empty()).then(|| Self {
            arn: arn.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// The role of an ARN, in whatever account of the plane. A role of that name with another path is
/// another role.
pub fn role_of(cx: &mut Context, arn: &RoleArn) -> Result<Option<Role>> {
    Ok(revised_role_of(cx, arn)?.map(|(role, _)| role))
}

/// The same with the revision at which it was written.
pub fn revised_role_of(cx: &mut Context, arn: &RoleArn) -> Result<Option<(Role, u64)>> {
    if !accounts::is_active(cx, &arn.account)? {
        // A closed account lets nobody in.
        return Ok(None);
    }
    let name = arn.name.to_lowercase();
    let role = cx.in_account(&arn.account, |cx| cx.get_revised(&iam::role::ROLES, &name))?;
    Ok(role.filter(|(role, _)| role.arn == arn.arn))
}

/// Issues credentials of a role. That the role trusts the caller, and what else the call needs to
/// be allowed ([`assume_role_requirements`]), was decided before.
pub fn assume_role(cx: &mut Context, input: AssumeRoleRequest) -> Result<AssumeRoleResponse> {
    let AssumeRoleRequest {
        role_arn,
        role_session_name,
        policy_arns,
        policy,
        duration_seconds,
        tags,
        transitive_tag_keys,
        external_id: _,
        serial_number,
        token_code,
        source_identity,
        provided_contexts,
    } = input;
    let proof = mfa::check(cx, serial_number.as_deref(), token_code.as_deref())?;
    check_contexts(provided_contexts.as_deref())?;
    let arn = parse(&role_arn)?;
    let Some(role) = role_of(cx, &arn)? else { return Err(denied(cx, &role_arn)) };
    let caller = role_session(cx);
    let seconds = match cx.caller.principal {
        // What a service hands on to a workload lasts as long as the service says.
        Principal::Service { .. } => duration_seconds.unwrap_or(HOUR_SECONDS),
        _ => duration(&role, duration_seconds, caller.is_some())?,
    };
    let source_identity = sourced(caller.as_deref(), source_identity)?;
    let SessionPolicies { inline, arns } =
        session_policy::check(cx, &arn.account, policy, policy_arns)?;
    let (tags, keys) = (tags.unwrap_or_default(), transitive_tag_keys.unwrap_or_default());
    let SessionTags { tags, transitive_keys } =
        session_tag::combine(caller.as_deref(), &tags, &keys)?;
    let packed_policy_size = packing::percentage(&inline, &arns, &tags)?;

    let assumed_role_user = AssumedRoleUser {
        assumed_role_id: format!("{}:{role_session_name}", role.role_id),
        arn: session_arn(cx, &arn.account, &role.role_name, &role_session_name),
    };
    note(cx, &arn);
    let new = NewSession {
        name: role_session_name,
        policies: inline,
        policy_arns: arns,
        tags,
        transitive_tag_keys: transitive_keys,
        source_identity: source_identity.clone(),
        mfa_at_millis: mfa::prove(cx, proof.as_ref())?,
        chained: caller.is_some(),
        federation: instance_keys(cx),
        ..NewSession::of(issuer(&arn, role), SessionKind::AssumeRole, seconds)
    };
    let credentials = session::issue(cx, new)?;
    Ok(AssumeRoleResponse {
        credentials: Some(credentials),
        assumed_role_user: Some(assumed_role_user),
        packed_policy_size,
        source_identity,
    })
}

/// Assuming the role; and tagging the session and naming its source where the call does so or the
/// caller's own session hands such on. Both the caller's policies and the role's trust policy must
/// allow each.
pub fn assume_role_requirements(
    cx: &mut Context,
    input: &AssumeRoleRequest,
) -> Result<Vec<Requirement>> {
    let arn = parse(&input.role_arn)?;
    match (&cx.caller.principal, &cx.caller.session) {
        (Principal::Root, _) => {
            return Err(ACCESS_DENIED.because("Roles may not be assumed by root accounts."));
        }
        (Principal::FederatedUser { .. }, _) => return Err(denied(cx, &input.role_arn)),
        _ => {}
    }
    // What the code proves is a condition that the role's trust policy may ask for.
    let proof = mfa::check(cx, input.serial_number.as_deref(), input.token_code.as_deref())?;
    let caller = role_session(cx);
    let inherited = caller.as_deref().map(session_tag::inherited).unwrap_or_default();
    let source = caller.and_then(|session| session.source_identity.clone());
    let source = source.or_else(|| input.source_identity.clone());
    let tags = pairs(input.tags.as_deref().unwrap_or_default());
    let tagging = !tags.is_empty() || !inherited.tags.is_empty();

    let one = |action: &str| {
        let requirement = requirement(action, &arn, input, source.as_deref(), &tags);
        match proof {
            Some(_) => requirement
                .with_key("aws:MultiFactorAuthPresent", "true")
                .with_key("aws:MultiFactorAuthAge", "0"),
            None => requirement,
        }
    };
    let mut requirements = vec![one("sts:AssumeRole")];
    if tagging {
        requirements.push(one("sts:TagSession"));
    }
    if source.is_some() {
        requirements.push(one("sts:SetSourceIdentity"));
    }
    Ok(requirements)
}

fn requirement(
    action: &str,
    arn: &RoleArn,
    input: &AssumeRoleRequest,
    source_identity: Option<&str>,
    tags: &[(String, String)],
) -> Requirement {
    let requirement = Requirement::new(action, arn.arn.clone(), &arn.account);
    let mut requirement = requirement
        .of_kind("role")
        .with_key("sts:RoleSessionName", input.role_session_name.clone());
    if let Some(id) = &input.external_id {
        requirement = requirement.with_key("sts:ExternalId", id.clone());
    }
    if let Some(source) = source_identity {
        requirement = requirement.with_key("sts:SourceIdentity", source);
    }
    if let Some(seconds) = input.duration_seconds {
        requirement = requirement.with_key("sts:DurationSeconds", seconds.to_string());
    }
    if let Some(keys) = input.transitive_tag_keys.as_ref().filter(|keys| !keys.is_empty()) {
        requirement = requirement.with_keys("sts:TransitiveTagKeys", keys.clone());
    }
    requirement.with_tags(tags.to_vec())
}

/// What the sessions of an instance carry wherever they are used. Sessions that are assumed with
/// them do not.
fn instance_keys(cx: &Context) -> BTreeMap<String, String> {
    let keys = cx.request.way.instance.as_ref().map(|instance| {
        [
            ("ec2:SourceInstanceArn".to_owned(), instance.arn.clone()),
            ("ec2:RoleDelivery".to_owned(), instance.delivery.to_owned()),
        ]
    });
    keys.into_iter().flatten().collect()
}

/// The ARN of a role session; it has the role's name and not its path.
pub fn session_arn(cx: &Context, account: &str, role: &str, session: &str) -> String {
    format!("arn:{}:sts::{account}:assumed-role/{role}/{session}", cx.partition())
}

pub(super) fn parse(role_arn: &str) -> Result<RoleArn> {
    RoleArn::parse(role_arn)
        .ok_or_else(|| VALIDATION_ERROR.because(format!("{role_arn} is invalid")))
}

/// As for a role that does not trust the caller, so that nobody learns which roles there are.
fn denied(cx: &Context, role_arn: &str) -> palisade_shape::Error {
    let caller = &cx.caller.arn;
    ACCESS_DENIED.because(format!(
        "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    ))
}

/// The caller's session if it is a role's: assuming a role with it is chaining.
fn role_session(cx: &Context) -> Option<std::sync::Arc<Session>> {
    cx.caller.session.clone().filter(|session| session.is_role_session())
}

pub(super) fn issuer(arn: &RoleArn, role: Role) -> Issuer {
    Issuer {
        account: arn.account.clone(),
        arn: role.arn,
        id: role.role_id,
        name: role.role_name,
        path: role.path,
    }
}

/// The session's length, within the role's limit and that of chained sessions.
pub(super) fn duration(role: &Role, asked: Option<i32>, chained: bool) -> Result<i32> {
    let seconds = asked.unwrap_or(HOUR_SECONDS);
    if chained && seconds > HOUR_SECONDS {
        return Err(VALIDATION_ERROR.because(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining",
        ));
    }
    if seconds > role.max_session_duration.unwrap_or(HOUR_SECONDS) {
        return Err(VALIDATION_ERROR.because(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(seconds)
}

/// The source identity of the new session. A chain keeps the one that it began with.
fn sourced(caller: Option<&Session>, asked: Option<String>) -> Result<Option<String>> {
    let kept = caller.and_then(|session| session.source_identity.clone());
    match (kept, asked) {
        (Some(kept), Some(asked)) if kept != asked => Err(INVALID_PARAMETER_VALUE
            .because("The source identity of a session cannot be changed once it has been set.")),
        (kept, asked) => Ok(kept.or(asked)),
    }
}

/// A context is an assertion of a provider registered here; there is none, so none can be verified.
fn check_contexts(contexts: Option<&[ProvidedContext]>) -> Result<()> {
    match contexts.and_then(|contexts| contexts.first()) {
        Some(context) => {
            let provider = context.provider_arn.as_deref().unwrap_or_default();
            let message = format!("Context provider {provider} is not registered.");
            Err(INVALID_PARAMETER_VALUE.because(message))
        }
        None => Ok(()),
    }
}

/// Names the role in the audit record, and its account as one that gets the event too.
pub(super) fn note(cx: &mut Context, arn: &RoleArn) {
    cx.in_account(&arn.account, |cx| cx.touch("AWS::IAM::Role", &arn.arn));
    if *arn.account != *cx.caller.account {
        cx.notes.shared_with.push(arn.account.clone());
    }
}
