//! The management account of an organization manages, and nothing else: no policy of the
//! organization limits what runs there.

use super::state::State;
use super::{Affected, Check, Severity};
use crate::context::Context;
use crate::organizations::membership;
use crate::{kms, s3};
use palisade_shape::Result;

pub static CHECK: Check = Check {
    id: "management-account-workload",
    title: "The management account has no workload",
    severity: Severity::High,
    why: "Service control policies do not reach the management account. Move its buckets, keys and \
          applications to a member account.",
    reads: &[
        "organizations:DescribeOrganization",
        "iam:GetCredentialReport",
        "s3:ListAllMyBuckets",
        "kms:ListKeys",
    ],
    look,
};

fn look(cx: &mut Context, state: &State) -> Result<Option<Vec<Affected>>> {
    let member = membership::of(cx, cx.account())?;
    if member.is_none_or(|member| member.management_account != cx.account()) {
        return Ok(None);
    }
    let mut affected = Vec::new();
    // Who has a password is a person, and people manage the organization.
    for person in state.users.iter().filter(|person| person.profile.is_none()) {
        let why = "A user without a password is no administrator of the organization.";
        affected.push(Affected::new(&person.user.arn, why));
    }
    for bucket in s3::bucket::owned(cx)? {
        affected.push(Affected::new(&bucket.arn(), "A bucket is a workload."));
    }
    for key in kms::customer_keys(cx)? {
        affected.push(Affected::new(&key.arn(), "A KMS key is part of a workload."));
    }
    Ok(Some(affected))
}
