//! Applications get their permissions from roles, not from users' keys.

use super::{Affected, Check, Severity};

pub static CHECK: Check = Check {
    id: "roles-for-applications",
    title: "Applications use roles",
    severity: Severity::Medium,
    why: "A key in an application lies there for good. Give instances, containers and functions a \
          role, whose credentials come and go by themselves, and delete the key.",
    reads: &["iam:GetCredentialReport"],
    look: |_, state| {
        let applications = state.users.iter().filter(|person| person.profile.is_none());
        let affected = applications.filter_map(|person| {
            let key = person.active().next()?;
            let why = "The user has an access key and no password: it is no person's.";
            Some(Affected::credential(&person.user.arn, &key.key.access_key_id, why))
        });
        Ok(Some(affected.collect()))
    },
};
