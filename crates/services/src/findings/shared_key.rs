//! Nobody lends a user's keys: permissions are delegated by roles.

use super::state::Person;
use super::{Affected, Check, DAY_MILLIS, Severity};
use palisade_shape::Timestamp;

/// How long both keys may be in use while one takes the place of the other.
const OVERLAP_DAYS: i64 = 7;

pub static CHECK: Check = Check {
    id: "delegation-by-roles",
    title: "Permissions are delegated by roles, not by sharing keys",
    severity: Severity::Medium,
    why: "Two keys of one user that stay in use beside each other are in two places, and nobody \
          can tell which of them called. Let the other one assume a role.",
    reads: &["iam:GetCredentialReport"],
    look: |_, state| {
        let affected = state.users.iter().filter_map(shared);
        Ok(Some(affected.collect()))
    },
};

/// The older key of a user, when it is used on though a younger one is used as well.
fn shared(person: &Person) -> Option<Affected> {
    let mut active = person.active();
    let (older, younger) = (active.next()?, active.next()?);
    let (used, _) = (older.used?, younger.used?);
    let until = younger.key.created_millis + OVERLAP_DAYS * DAY_MILLIS;
    let why = format!(
        "The key is in use more than {OVERLAP_DAYS} days after {} was made, which is in use too.",
        younger.key.access_key_id
    );
    let late = used > Timestamp::from_millis(until);
    late.then(|| Affected::credential(&person.user.arn, &older.key.access_key_id, why))
}
