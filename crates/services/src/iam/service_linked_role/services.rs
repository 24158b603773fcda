//! Which role each AWS service is given, as the services' guides publish it: its name and the
//! managed policy that goes with it.
//!
//! Source: IAM User Guide, "AWS services that work with IAM", the pages on service-linked roles
//! that it leads to; AWS Managed Policy Reference.

/// One line a service: its principal, the role's name, the name of the policy below
/// `aws-service-role/`, and `suffix` where an account may have several such roles.
const TABLE: &str = include_str!("services.txt");

/// The role of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The principal that the role trusts.
    pub service: &'static str,
    pub role: &'static str,
    pub policy: &'static str,
    /// Whether an account may have several, told apart by a suffix.
    pub suffixed: bool,
}

/// The role of a service; none where AWS publishes none.
pub fn find(service: &str) -> Option<Linked> {
    all().find(|linked| linked.service == service)
}

pub fn all() -> impl Iterator<Item = Linked> {
    TABLE.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (service, role, policy) = (words.next()?, words.next()?, words.next()?);
        Some(Linked { service, role, policy, suffixed: words.next() == Some("suffix") })
    })
}
