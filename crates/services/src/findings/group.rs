//! Users get their permissions from groups.

use super::{Affected, Check, Severity};
use crate::iam::managed;

pub static CHECK: Check = Check {
    id: "groups-for-permissions",
    title: "Users get their permissions from groups",
    severity: Severity::Low,
    why: "Policies of single users get out of sight. Attach them to groups, and put the users into \
          these.",
    reads: &["iam:GetAccountAuthorizationDetails"],
    look: |_, state| {
        let affected = state.users.iter().filter_map(|person| {
            let inline = person.access.inline.keys().map(String::as_str);
            let attached = person.access.attached.iter().map(|arn| managed::name_of(arn));
            let names: Vec<&str> = inline.chain(attached).collect();
            let why = format!("The user has policies of its own: {}.", names.join(", "));
            (!names.is_empty()).then(|| Affected::new(&person.user.arn, why))
        });
        Ok(Some(affected.collect()))
    },
};
