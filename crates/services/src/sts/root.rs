//! Sessions of a member account's root user, for the management account of its organization.
//!
//! Source: STS API reference, AssumeRoot; IAM User Guide, "Centrally manage root access for member
//! accounts".

use super::session::{self, Issuer, NewSession};
use crate::accounts;
use crate::authorization::Requirement;
use crate::caller::SessionKind;
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR};
use crate::iam::organizations::may_assume_root;
use palisade_model::sts::{AssumeRootRequest, AssumeRootResponse};
use palisade_shape::Result;

/// What such a session can be for: one of these policies bounds it.
const TASKS: [&str; 5] = [
    "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",
    "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword",
    "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials",
    "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",
    "arn:aws:iam::aws:policy/root-task/SQSUnlockQueuePolicy",
];

/// How long a session lasts at most, and unless the request says less.
const SECONDS: i32 = 900;

/// Issues a session of a member's root user that can do one task and nothing else.
pub fn assume_root(cx: &mut Context, input: AssumeRootRequest) -> Result<AssumeRootResponse> {
    let AssumeRootRequest { target_principal, task_policy_arn, duration_seconds } = input;
    let target = root_arn(cx, &target_principal)?;
    let task = task_policy_arn.arn.unwrap_or_default();
    if !TASKS.contains(&task.as_str()) {
        return Err(VALIDATION_ERROR.because(format!("{task} is not a valid task policy")));
    }
    let account = target.split(':').nth(4).unwrap_or_default().to_owned();
    if !may_assume_root(cx, &account)? || !accounts::is_active(cx, &account)? {
        let caller = &cx.caller.arn;
        return Err(ACCESS_DENIED.because(format!(
            "User: {caller} is not authorized to perform: sts:AssumeRoot on resource: {target}"
        )));
    }
    let caller = cx.caller.session.clone();
    let source_identity = caller.and_then(|session| session.source_identity.clone());
    let issuer = Issuer {
        arn: target.clone(),
        id: account.clone(),
        name: String::new(),
        path: String::new(),
        account: account.clone(),
    };
    let new = NewSession {
        policy_arns: vec![task],
        source_identity: source_identity.clone(),
        ..NewSession::of(issuer, SessionKind::AssumeRoot, duration_seconds.unwrap_or(SECONDS))
    };
    let credentials = session::issue(cx, new)?;
    cx.notes.shared_with.push(account);
    Ok(AssumeRootResponse { credentials: Some(credentials), source_identity })
}
/// The caller's own policies decide: a root user has none that could name the caller.
pub fn assume_root_requirements(
    cx: &mut Context,
    input: &AssumeRootRequest,
) -> Result<Vec<Requirement>> {
    let target = root_arn(cx, &input.target_principal)?;
    let requirement = Requirement::new("sts:AssumeRoot", target, &cx.caller.account);
    let task = input.task_policy_arn.arn.clone().unwrap_or_default();
    Ok(vec![requirement.with_key("sts:TaskPolicyArn", task)])
}

/// The root user of an account, which is named by its id or by the ARN.
fn root_arn(cx: &Context, target: &str) -> Result<String> {
    let partition = cx.partition();
    let prefix = format!("arn:{partition}:iam::");
    let account = match target.strip_prefix(&prefix) {
        Some(rest) => rest.strip_suffix(":root").unwrap_or_default(),
        None => target,
    };
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VALIDATION_ERROR.because(format!("{target} is invalid")));
    }
    Ok(format!("{prefix}{account}:root"))
}
