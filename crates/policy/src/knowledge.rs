//! What validation must be told of the AWS services: this crate knows the language alone.

use std::collections::BTreeMap;

/// What is known of the services. Names come in lower case.
pub trait Knowledge {
    /// All prefixes of actions, sorted. None: nothing is known, and no check that would need it
    /// finds anything.
    fn prefixes(&self) -> &[&str];

    /// What a prefix defines; `None` when there is no such prefix.
    fn service(&self, prefix: &str) -> Option<&ServiceFacts>;

    /// The resource types whose ARNs name this service; `None` when none does.
    fn resources(&self, service: &str) -> Option<&[ResourceFacts]>;
}

/// What one prefix defines.
#[derive(Clone, Debug, Default)]
pub struct ServiceFacts {
    /// The actions by their name in lower case, without the prefix.
    pub actions: BTreeMap<String, ActionFacts>,
    /// The condition keys in lower case (`ec2:resourcetag/${tagkey}`) with their types as the
    /// Service Authorization Reference names them: `String`, `ARN`, `ArrayOfString`, ….
    pub keys: BTreeMap<String, String>,
}

/// One action.
#[derive(Clone, Debug, Default)]
pub struct ActionFacts {
    /// Its name as AWS writes it, without the prefix.
    pub name: String,
    /// The condition keys of the action and of its resource types, in lower case.
    pub keys: Vec<String>,
}

/// One resource type.
#[derive(Clone, Debug)]
pub struct ResourceFacts {
    /// Its name, for example `role`.
    pub kind: String,
    /// Its ARN with variables: `arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`.
    pub template: String,
}

/// Knows no service.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKnowledge;

impl Knowledge for NoKnowledge {
    fn prefixes(&self) -> &[&str] {
        &[]
    }

    fn service(&self, _: &str) -> Option<&ServiceFacts> {
        None
    }

    fn resources(&self, _: &str) -> Option<&[ResourceFacts]> {
        None
    }
}
