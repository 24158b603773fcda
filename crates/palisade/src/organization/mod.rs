//! `palisade org`: an organization as a file, what would have to be done for it to be so, and doing
//! it. Everything goes through the Organizations API, with the rights of who runs it.

pub mod apply;
mod outcome;
pub mod plan;
pub mod survey;
pub mod tree;

/// What an SCP or another policy is attached to, by its name in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Root,
    /// By its path: `Workloads/Production`.
    Unit(String),
    /// By its e-mail address in lower case.
    Account(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("the root"),
            Self::Unit(path) => write!(f, "unit {path}"),
            Self::Account(email) => write!(f, "account <{email}>"),
        }
    }
}

/// A policy by its type and name, which is unique in an organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyName {
    /// `SERVICE_CONTROL_POLICY`
    pub kind: String,
    pub name: String,
}

impl std::fmt::Display for PolicyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// The unit above a path; the root above those of the first level.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The name of what is at a path, `the root` for the empty one.
pub fn place(path: &str) -> String {
    if path.is_empty() { Target::Root.to_string() } else { path.to_owned() }
}
