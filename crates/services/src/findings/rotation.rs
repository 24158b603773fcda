//! Keys are replaced in time.

use super::state::Key;
use super::{Affected, Check, DAYS_MAX, Severity, days, is_over, root_arn};
use palisade_shape::Timestamp;

pub static CHECK: Check = Check {
    id: "key-rotation",
    title: "Access keys are replaced every 90 days",
    severity: Severity::Medium,
    why: "The older a key, the more places it has been to. Make a second key, use it everywhere, \
          then deactivate and delete the old one.",
    reads: &["iam:GetCredentialReport"],
    look: |cx, state| {
        let root = root_arn(cx);
        let of_root = state.root_keys.iter().map(|key| (root.as_str(), key));
        let of_users = state
            .users
            .iter()
            .flat_map(|person| person.keys.iter().map(|key| (person.user.arn.as_str(), key)));
        let all = of_root.chain(of_users);
        Ok(Some(all.filter_map(|(arn, key)| old(arn, key, state.now)).collect()))
    },
};

fn old(arn: &str, key: &Key, now: Timestamp) -> Option<Affected> {
    let created = key.key.created_millis;
    if !key.key.is_active() || !is_over(created, now) {
        return None;
    }
    let why = format!("The key is {} days old; {DAYS_MAX} is the most.", days(created, now));
    Some(Affected::credential(arn, &key.key.access_key_id, why))
}
