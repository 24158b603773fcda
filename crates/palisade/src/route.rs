//! Which service and operation a request is for. All operations of all AWS services are known by
//! name, so one that is not implemented is refused by its name, in its protocol.

use crate::s3_address;
use http::HeaderMap;
use http::request::Parts as Head;
use palisade_model::catalog::{self, CatalogService};
use palisade_protocol::{Form, Labels, routes};
use palisade_services::service::{Operation, Service};
use palisade_shape::Protocol;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// What a request is for.
pub struct Route {
    pub protocol: Protocol,
    /// The service's model: of one that is implemented, or a stand-in for answering errors.
    pub model: &'static palisade_shape::Service,
    pub target: Target,
}

/// The operation asked for.
pub enum Target {
    /// It is here.
    Here {
        service: &'static Service,
        row: &'static Operation,
        model: &'static palisade_shape::Operation,
        labels: Labels,
    },
    /// AWS has it and Palisade does not, yet.
    NotImplemented { name: &'static str },
    /// No AWS service has it, or not in the version of the API that the request names.
    Unknown { name: String, version: Option<String> },
}

/// The services that are implemented, and the routes of all whose models are at hand.
pub struct Router {
    services: &'static [&'static Service],
    rest: BTreeMap<&'static str, routes::Routes>,
}

impl Router {
    pub fn new() -> Self {
        let services = palisade_services::SERVICES;
        let is_rest = |model: &&&'static palisade_shape::Service| {
            let rest = [Protocol::RestJson, Protocol::RestXml];
            model.protocols.iter().any(|protocol| rest.contains(protocol))
        };
        let models = palisade_model::SERVICES.iter().filter(is_rest);
        let rest = models.map(|model| (model.name, routes::Routes::new(model))).collect();
        Self { services, rest }
    }

    /// `form` is what [`form`] made of the request; `signing_name` is the service in the credential
    /// scope, when the request is signed.
    pub fn find(
        &self,
        head: &Head,
        form: Option<&Form<'_>>,
        signing_name: Option<&str>,
    ) -> Option<Route> {
        if let Some(target) = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok())
        {
            return self.by_target(target, &head.headers);
        }
        if let Some((service, operation)) = rpc_path(head.uri.path()) {
            return self.by_name(service, operation, Protocol::RpcV2Cbor);
        }
        if let Some(route) = self.by_action(form, signing_name) {
            return Some(route);
        }
        self.by_path(head, signing_name)
    }

    fn by_target(&self, target: &str, headers: &HeaderMap) -> Option<Route> {
        let (prefix, operation) = target.rsplit_once('.')?;
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
        let protocol = match content_type {
            Some(kind) if kind.starts_with("application/x-amz-json-1.0") => Protocol::Json10,
            _ => Protocol::Json11,
        };
        let here = self.services.iter().find(|service| service.model.target_prefix == prefix);
        if let Some(service) = here {
            return Some(of_service(service, operation, protocol, Labels::new()));
        }
        let known = catalog::by_target_prefix(prefix).next()?;
        Some(of_catalog(known, operation, protocol))
    }

    fn by_name(&self, id: &str, operation: &str, protocol: Protocol) -> Option<Route> {
        let is = |service: &&&'static Service| {
            service.model.target_prefix == id || service.model.id == id
        };
        if let Some(service) = self.services.iter().find(is) {
            return Some(of_service(service, operation, protocol, Labels::new()));
        }
        let known = catalog::services().iter().find(|known| known.target_prefix == id)?;
        Some(of_catalog(known, operation, protocol))
    }

    /// The query protocols: `Action` and `Version` in the query or in a form.
    fn by_action(&self, form: Option<&Form<'_>>, signing_name: Option<&str>) -> Option<Route> {
        let Some((form, action)) = form.and_then(|form| Some((form, form.get("Action")?))) else {
            return self.without_action(signing_name?);
        };
        let version = form.get("Version");
        let fits = |service: &&&'static Service| {
            let model = service.model;
            model.protocols.contains(&Protocol::Query)
                && version.is_none_or(|version| version == model.api_version)
                && signing_name.is_none_or(|name| name == model.signing_name)
                && (signing_name.is_some() || model.operation(action).is_some())
        };
        if let Some(service) = self.services.iter().find(fits) {
            return Some(of_service(service, action, Protocol::Query, Labels::new()));
        }
        let otherwise = |service: &&&'static Service| {
            service.model.protocols.contains(&Protocol::Query)
                && Some(service.model.signing_name) == signing_name
        };
        if let Some(service) = self.services.iter().find(otherwise) {
            let version = version.map(str::to_owned);
            let target = Target::Unknown { name: action.to_owned(), version };
            return Some(Route { protocol: Protocol::Query, model: service.model, target });
        }
        let known = catalog::by_signing_name(signing_name?).find(|known| {
            let speaks = [Protocol::Query, Protocol::Ec2];
            known.protocols.iter().any(|protocol| speaks.contains(protocol))
        })?;
        let ec2 = known.protocols.contains(&Protocol::Ec2);
        let protocol = if ec2 { Protocol::Ec2 } else { Protocol::Query };
        Some(of_catalog(known, action, protocol))
    }

    /// Services that speak nothing but the query protocol want an action.
    fn without_action(&self, signing_name: &str) -> Option<Route> {
        let mut services = self.services.iter().map(|service| service.model);
        let model = services.find(|model| {
            model.signing_name == signing_name && model.protocols == [Protocol::Query]
        })?;
        let target = Target::Unknown { name: String::new(), version: None };
        Some(Route { protocol: Protocol::Query, model, target })
    }

    /// The rest protocols: method and path.
    fn by_path(&self, head: &Head, signing_name: Option<&str>) -> Option<Route> {
        let name = signing_name.or_else(|| s3_address::is_for(head).then_some("s3"))?;
        // What also directory buckets have is signed for their endpoint.
        let name = if name == "s3express" && s3_address::is_control(head) { "s3" } else { name };
        let address = s3_address::path(head, name);
        let path = &*address;
        let query = head.uri.query().unwrap_or_default();
        let models = palisade_model::SERVICES.iter().filter(|model| model.signing_name == name);
        for model in models {
            let Some(routes) = self.rest.get(model.name) else { continue };
            if model.name == "s3" && s3_address::is_control(head) {
                continue;
            }
            let found = routes.find(&head.method, path, query, &head.headers);
            let Some((operation, labels)) = found else { continue };
            let protocol = model.protocols.first().copied()?;
            let here = self.services.iter().find(|service| service.model.name == model.name);
            return Some(match here {
                Some(service) => of_service(service, operation.name, protocol, labels),
                None => {
                    let target = Target::NotImplemented { name: operation.name };
                    Route { protocol, model, target }
                }
            });
        }
        let known = catalog::by_signing_name(name).find(|known| {
            let rest = [Protocol::RestJson, Protocol::RestXml];
            known.protocols.iter().any(|protocol| rest.contains(protocol))
        })?;
        let protocol = known.protocols.first().copied()?;
        let operation = by_uri(known, head.method.as_str(), path, query);
        let target = match operation {
            Some(name) => Target::NotImplemented { name },
            None => Target::Unknown { name: format!("{} {path}", head.method), version: None },
        };
        Some(Route { protocol, model: stand_in(known), target })
    }
}

/// `/service/GraniteServiceVersion20100801/operation/GetMetricData` (Smithy RPC v2).
fn rpc_path(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/service/")?;
    rest.split_once("/operation/")
}

/// What the query and a form in the body say together; none when it cannot be read, or when the
/// request names its operation elsewhere.
pub fn form<'r>(head: &'r Head, body: &'r [u8]) -> Option<Form<'r>> {
    if head.headers.contains_key("x-amz-target") || rpc_path(head.uri.path()).is_some() {
        return None;
    }
    let mut form = Form::default();
    form.add(head.uri.query().unwrap_or_default())?;
    if is_form(&head.headers) {
        form.add(std::str::from_utf8(body).ok()?)?;
    }
    Some(form)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    kind.is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn of_service(
    service: &'static Service,
    operation: &str,
    protocol: Protocol,
    labels: Labels,
) -> Route {
    let target = match (service.operation(operation), service.model.operation(operation)) {
        (Some(row), Some(model)) => Target::Here { service, row, model, labels },
        (None, Some(model)) => Target::NotImplemented { name: model.name },
        (_, None) => Target::Unknown { name: operation.to_owned(), version: None },
    };
    Route { protocol, model: service.model, target }
}

fn of_catalog(known: &'static CatalogService, operation: &str, protocol: Protocol) -> Route {
    let target = match known.operation(operation) {
        Some(operation) => Target::NotImplemented { name: operation.name },
        None => Target::Unknown { name: operation.to_owned(), version: None },
    };
    Route { protocol, model: stand_in(known), target }
}

/// The operation whose path template fits, segment by segment; the one with the most literal text
/// wins. Fixed query keys of the template must be there.
fn by_uri(
    known: &'static CatalogService,
    method: &str,
    path: &str,
    query: &str,
) -> Option<&'static str> {
    let fitting = known.operations().iter().filter(|operation| {
        let (template, fixed) = operation.uri.split_once('?').unwrap_or((operation.uri, ""));
        operation.method == method
            && fits(template, path)
            && fixed.split('&').filter(|key| !key.is_empty()).all(|key| query.contains(key))
    });
    let literal = |uri: &str| uri.split('/').filter(|part| !part.starts_with('{')).count();
    fitting.max_by_key(|operation| (literal(operation.uri), operation.uri.len())).map(|o| o.name)
}

fn fits(template: &str, path: &str) -> bool {
    let mut given = path.trim_end_matches('/').split('/');
    for part in template.trim_end_matches('/').split('/') {
        if part.ends_with("+}") {
            return true;
        }
        let Some(segment) = given.next() else { return false };
        if !part.starts_with('{') && part != segment {
            return false;
        }
    }
    given.next().is_none()
}

/// A model good enough for wording errors of a service that is not implemented. One is kept for
/// each service asked for, of some four hundred at most.
fn stand_in(known: &'static CatalogService) -> &'static palisade_shape::Service {
    static MADE: OnceLock<Mutex<BTreeMap<&'static str, &'static palisade_shape::Service>>> =
        OnceLock::new();
    let made = MADE.get_or_init(Mutex::default);
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(known.name).or_insert_with(|| {
        Box::leak(Box::new(palisade_shape::Service {
            name: known.name,
            signing_name: known.signing_name,
            endpoint_prefix: known.endpoint_prefix,
            id: known.id,
            api_version: known.api_version,
            target_prefix: known.target_prefix,
            protocols: &known.protocols,
            xml_namespace: "",
            operations: &[],
        }))
    })
}
