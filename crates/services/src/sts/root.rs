//! Sessions of a member account's root user, for the management account of its organization.
//!
//! Source: STS API reference, AssumeRoot; IAM User Guide, "Centrally manage root access for member
//! accounts".

use crate::authorization::Requirement;
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR};
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

/// Refuses: until Organizations makes one, no account is a member of an organization whose root
/// sessions another one could manage.
pub fn assume_root(cx: &mut Context, input: AssumeRootRequest) -> Result<AssumeRootResponse> {
    let AssumeRootRequest { target_principal, task_policy_arn, duration_seconds: _ } = input;
    let target = root_arn(cx, &target_principal)?;
    let task = task_policy_arn.arn.unwrap_or_default();
    if !TASKS.contains(&task.as_str()) {
        return Err(VALIDATION_ERROR.because(format!("{task} is not a valid task policy")));
    }
    let caller = &cx.caller.arn;
    Err(ACCESS_DENIED.because(format!(
        "User: {caller} is not authorized to perform: sts:AssumeRoot on resource: {target}"
    )))
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
