//! What lets strangers in has a condition.

use super::document::{allows, is_for_everyone, named};
use super::state::State;
use super::{Affected, Check, Severity};
use crate::context::Context;
use crate::iam::principal_ids;
use crate::organizations::membership;
use crate::{kms, s3};
use palisade_model::iam::Role;
use palisade_policy::arn::{Arn, is_account_id};
use palisade_policy::{DocumentKind, PrincipalType, Statement};
use palisade_shape::Result;

pub static CHECK: Check = Check {
    id: "policy-conditions",
    title: "Policies that let others in have conditions",
    severity: Severity::High,
    why: "A role, bucket or key that lets in everyone, an identity provider or an account outside \
          the organization should say under which conditions: an external id, the token's subject, \
          the organization, MFA, a network.",
    reads: &[
        "iam:GetAccountAuthorizationDetails",
        "s3:ListAllMyBuckets",
        "s3:GetBucketPolicy",
        "kms:ListKeys",
        "kms:GetKeyPolicy",
    ],
    look,
};

fn look(cx: &mut Context, state: &State) -> Result<Option<Vec<Affected>>> {
    let mut affected = Vec::new();
    for (role, _) in &state.roles {
        affected.extend(of_role(cx, role)?);
    }
    for bucket in s3::bucket::owned(cx)? {
        let Some(policy) = &bucket.policy else { continue };
        if is_open(policy)? {
            let why = "Its policy allows something to everyone, without a condition.";
            affected.push(Affected::new(&bucket.arn(), why));
        }
    }
    for key in kms::customer_keys(cx)? {
        if is_open(&key.policy)? {
            let why = "Its policy allows something to everyone, without a condition.";
            affected.push(Affected::new(&key.arn(), why));
        }
    }
    Ok(Some(affected))
}

fn is_open(policy: &str) -> Result<bool> {
    let statements = allows(policy, DocumentKind::Resource)?;
    Ok(statements.iter().any(|one| one.conditions.is_empty() && is_for_everyone(one)))
}

fn of_role(cx: &mut Context, role: &Role) -> Result<Option<Affected>> {
    let Some(trust) = &role.assume_role_policy_document else { return Ok(None) };
    let trust = principal_ids::to_arns(cx, trust)?;
    for statement in allows(&trust, DocumentKind::Trust)? {
        if !statement.conditions.is_empty() {
            continue;
        }
        if is_for_everyone(&statement) {
            let why = "Everyone may assume the role, without a condition.";
            return Ok(Some(Affected::new(&role.arn, why)));
        }
        if let Some(provider) = named(&statement, PrincipalType::Federated).first() {
            let why = format!("Everyone whom {provider} knows may assume the role.");
            return Ok(Some(Affected::new(&role.arn, why)));
        }
        if let Some(account) = stranger(cx, &statement)? {
            let why = format!("Account {account} may assume the role, without a condition.");
            return Ok(Some(Affected::new(&role.arn, why)));
        }
    }
    Ok(None)
}

/// An account of the statement that is neither this one nor in its organization.
fn stranger(cx: &Context, statement: &Statement) -> Result<Option<String>> {
    let own = membership::of(cx, cx.account())?.map(|member| member.organization_id);
    for principal in named(statement, PrincipalType::Aws) {
        let account = match Arn::parse(principal) {
            Some(arn) => arn.account.to_owned(),
            None if is_account_id(principal) => principal.to_owned(),
            // A principal that is gone lets nobody in.
            None => continue,
        };
        let its = membership::of(cx, &account)?.map(|member| member.organization_id);
        let related = own.is_some() && own == its;
        if account != cx.account() && !related {
            return Ok(Some(account));
        }
    }
    Ok(None)
}
