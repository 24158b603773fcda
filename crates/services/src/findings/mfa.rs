//! Who signs in with a password shows a second factor.

use super::{Affected, Check, Severity, root_arn};

pub static CHECK: Check = Check {
    id: "mfa",
    title: "Root and all users with a password have MFA",
    severity: Severity::Critical,
    why: "A password alone can be guessed, found and told. Enable an MFA device for the root user \
          and for each user with a password.",
    reads: &["iam:GetCredentialReport"],
    look: |cx, state| {
        let mut affected = Vec::new();
        let root_comes = state.root_has_password || !state.root_keys.is_empty();
        if root_comes && state.root.mfa_devices.is_empty() {
            affected.push(Affected::new(&root_arn(cx), "The root user has no MFA device."));
        }
        let bare = state
            .users
            .iter()
            .filter(|person| person.profile.is_some() && person.access.mfa_devices.is_empty());
        let why = "The user has a password and no MFA device.";
        affected.extend(bare.map(|person| Affected::new(&person.user.arn, why)));
        Ok(Some(affected))
    },
};
