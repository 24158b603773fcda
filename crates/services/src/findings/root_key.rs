//! The root user has no access keys.

use super::{Affected, Check, Severity, root_arn};

pub static CHECK: Check = Check {
    id: "root-access-keys",
    title: "The root user has no access keys",
    severity: Severity::Critical,
    why: "Nothing limits what a root access key may do. Make an administrator, delete the root \
          user's keys, and keep its password in a safe place.",
    reads: &["iam:GetCredentialReport"],
    look: |cx, state| {
        let arn = root_arn(cx);
        let affected = state.root_keys.iter().map(|key| {
            let word = if key.key.is_active() { "active" } else { "inactive" };
            let why = format!("The root user has an {word} access key.");
            Affected::credential(&arn, &key.key.access_key_id, why)
        });
        Ok(Some(affected.collect()))
    },
};
