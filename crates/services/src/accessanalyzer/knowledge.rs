//! What policy validation is told of the services: the Service Authorization Reference.

use palisade_model::authorization::{self, Action, Prefix};
use palisade_policy::{ActionFacts, Knowledge, ResourceFacts, ServiceFacts};
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

/// Knows every service of the reference. Services are read when they are first asked for.
pub struct Reference;

static PREFIXES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| authorization::prefixes().collect());

static SERVICES: LazyLock<BTreeMap<&'static str, OnceLock<ServiceFacts>>> =
    LazyLock::new(|| PREFIXES.iter().map(|prefix| (*prefix, OnceLock::new())).collect());

/// The resource types of all prefixes by the service that their ARNs name: `execute-api` and
/// `apigateway` share one, `ec2` names those of others.
static RESOURCES: LazyLock<BTreeMap<String, Vec<ResourceFacts>>> = LazyLock::new(|| {
    let mut services: BTreeMap<String, Vec<ResourceFacts>> = BTreeMap::new();
    let prefixes = PREFIXES.iter().filter_map(|prefix| authorization::prefix(prefix));
    for resource in prefixes.flat_map(Prefix::resource_types) {
        let template = resource.template.text;
        let Some(service) = template.split(':').nth(2) else { continue };
        let facts = ResourceFacts { kind: resource.kind.to_owned(), template: template.to_owned() };
        services.entry(service.to_owned()).or_default().push(facts);
    }
    services
});

impl Knowledge for Reference {
    fn prefixes(&self) -> &[&str] {
        &PREFIXES
    }

    fn service(&self, prefix: &str) -> Option<&ServiceFacts> {
        let facts = SERVICES.get(prefix)?;
        let prefix = authorization::prefix(prefix)?;
        Some(facts.get_or_init(|| service(prefix)))
    }

    fn resources(&self, service: &str) -> Option<&[ResourceFacts]> {
        RESOURCES.get(service).map(Vec::as_slice)
    }
}

fn service(prefix: &Prefix) -> ServiceFacts {
    let actions = prefix.actions();
    let keys = prefix.condition_keys.iter();
    ServiceFacts {
        actions: actions.map(|it| (it.name.to_ascii_lowercase(), action(prefix, it))).collect(),
        keys: keys.map(|(key, kind)| (key.to_lowercase(), (*kind).to_owned())).collect(),
    }
}

fn action(prefix: &Prefix, action: &Action) -> ActionFacts {
    let types = action.resource_types.iter().filter_map(|(kind, _)| prefix.resource_type(kind));
    let of_types = types.flat_map(|resource| &resource.condition_keys);
    let keys = action.condition_keys.iter().chain(of_types).map(|key| key.to_lowercase());
    ActionFacts { name: action.name.to_owned(), keys: keys.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_as_validation_asks_for_it() {
        let iam = Reference.service("iam").unwrap();
        assert_eq!(iam.actions["passrole"].name, "PassRole");
        assert!(iam.actions["passrole"].keys.iter().any(|key| key == "iam:passedtoservice"));
        assert_eq!(iam.keys["iam:passedtoservice"], "String");
        let roles = Reference.resources("iam").unwrap();
        assert!(roles.iter().any(|facts| facts.kind == "role"));
        assert!(Reference.service("nosuch").is_none() && Reference.resources("nosuch").is_none());
        assert!(Reference.prefixes().is_sorted());
    }
}
