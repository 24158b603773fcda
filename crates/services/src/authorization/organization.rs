//! Where an account stands in an organization: the one place that decisions ask.

use crate::context::Context;
use palisade_policy::PolicySet;
use palisade_shape::Result;
use std::sync::Arc;

/// What binds an account because of the organization it is in. Empty: it is in none.
#[derive(Default)]
pub struct Standing {
    pub membership: Option<Membership>,
    /// The service control policies of each level, the root first, then each unit on the way, and
    /// the account last. Every level must allow.
    pub scps: Vec<Arc<PolicySet>>,
    /// The resource control policies of each level, likewise.
    pub rcps: Vec<Arc<PolicySet>>,
}

/// An account's place in its organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// `o-a1b2c3d4e5`
    pub organization_id: String,
    /// `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`, as `aws:PrincipalOrgPaths` holds it.
    pub path: String,
    /// SCPs do not limit its principals, RCPs not its resources.
    pub management_account: String,
}

impl Standing {
    pub fn management_account(&self) -> Option<&str> {
        self.membership.as_ref().map(|place| place.management_account.as_str())
    }
}

/// Where the account stands. There are no organizations yet, so no account is in one; whoever
/// stores them answers here, and every decision, simulation and condition key follows.
pub fn standing(_cx: &Context, _account: &str) -> Result<Arc<Standing>> {
    Ok(Arc::default())
}
