//! Users, passwords and keys that nobody uses are removed.

use super::state::{Key, Person};
use super::{Affected, Check, Severity, days, is_over, root_arn};
use crate::iam::password::Profile;
use palisade_model::iam::User;
use palisade_shape::Timestamp;

pub static CHECK: Check = Check {
    id: "unused-credentials",
    title: "Users and credentials that nobody uses are removed",
    severity: Severity::Medium,
    why: "What nobody uses for 90 days nobody misses, and nobody watches. Deactivate the key, \
          delete the login profile, or delete the user.",
    reads: &["iam:GetCredentialReport"],
    look: |cx, state| {
        let root = root_arn(cx);
        let of_root = state.root_keys.iter().filter_map(|key| idle_key(&root, key, state.now));
        let of_users = state.users.iter().flat_map(|person| idle(person, state.now));
        Ok(Some(of_root.chain(of_users).collect()))
    },
};

fn idle(person: &Person, now: Timestamp) -> Vec<Affected> {
    let Person { user, profile, keys, has_more, .. } = person;
    let mut affected: Vec<Affected> =
        keys.iter().filter_map(|key| idle_key(&user.arn, key, now)).collect();
    if let Some(profile) = profile {
        affected.extend(idle_password(user, profile, now));
    }
    let bare = profile.is_none() && keys.is_empty() && !has_more;
    if bare && is_over(user.create_date.millis(), now) {
        let age = days(user.create_date.millis(), now);
        let why = format!("The user was made {age} days ago and has no credentials.");
        affected.push(Affected::new(&user.arn, why));
    }
    affected
}

fn idle_key(arn: &str, key: &Key, now: Timestamp) -> Option<Affected> {
    let since = key.seen_millis();
    if !key.key.is_active() || !is_over(since, now) {
        return None;
    }
    let age = days(since, now);
    let why = match key.used {
        Some(_) => format!("The key was last used {age} days ago."),
        None => format!("The key was made {age} days ago and never used."),
    };
    Some(Affected::credential(arn, &key.key.access_key_id, why))
}

/// A password that was set lately counts as used.
fn idle_password(user: &User, profile: &Profile, now: Timestamp) -> Option<Affected> {
    let used = user.password_last_used.map_or(0, Timestamp::millis);
    let since = used.max(profile.changed_millis);
    let why = format!("Nobody signed in with the password for {} days.", days(since, now));
    is_over(since, now).then(|| Affected::credential(&user.arn, "password", why))
}
