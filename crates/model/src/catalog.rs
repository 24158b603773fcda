//! How every operation of every AWS service is called, so that a request to a service that is not
//! implemented is still named, and a backend's service is still authorized.

use crate::archive::{Archive, Entry};
use palisade_shape::Protocol;
use std::sync::{LazyLock, OnceLock};

static ARCHIVE: LazyLock<Archive> =
    LazyLock::new(|| Archive::open(include_bytes!("generated/catalog.bin")));

static SERVICES: LazyLock<Vec<CatalogService>> =
    LazyLock::new(|| ARCHIVE.entries.iter().map(CatalogService::new).collect());

/// One AWS service, implemented or not.
pub struct CatalogService {
    /// botocore's name: `s3control`, `lex-models`.
    pub name: &'static str,
    /// `ServiceId` of the model: `CloudWatch Logs`.
    pub id: &'static str,
    /// `Amazon CloudWatch Logs`
    pub full_name: &'static str,
    pub api_version: &'static str,
    /// The name in the credential scope.
    pub signing_name: &'static str,
    /// The beginning of its endpoint's host name; it may hold dots (`api.ecr`).
    pub endpoint_prefix: &'static str,
    /// The host name of a service without regional endpoints, or empty.
    pub global_endpoint: &'static str,
    /// Before the dot of `X-Amz-Target`; empty for other protocols.
    pub target_prefix: &'static str,
    /// The SDKs' first choice first.
    pub protocols: Vec<Protocol>,
    /// The prefix of its IAM actions, or empty when the Service Authorization Reference has none.
    pub iam_prefix: &'static str,
    /// How many operations it has, without inflating them.
    pub operation_count: usize,
    entry: &'static Entry,
    operations: OnceLock<Vec<CatalogOperation>>,
}

/// One operation of any AWS service.
#[derive(Debug)]
pub struct CatalogOperation {
    pub name: &'static str,
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path template and any fixed query: `/{Bucket}/{Key+}?acl`.
    pub uri: &'static str,
    /// A prefix of the host name with labels in braces, or empty.
    pub host_prefix: &'static str,
    /// Whether it only reads; `None` where neither the model nor an access level tells.
    pub read_only: Option<bool>,
    /// The model wants no proof of who calls.
    pub anonymous: bool,
}

impl CatalogService {
    fn new(entry: &'static Entry) -> CatalogService {
        CatalogService {
            name: entry.field(0),
            id: entry.field(1),
            full_name: entry.field(2),
            api_version: entry.field(3),
            signing_name: entry.field(4),
            endpoint_prefix: entry.field(5),
            global_endpoint: entry.field(6),
            target_prefix: entry.field(7),
            protocols: entry.field(8).split(',').filter_map(protocol).collect(),
            iam_prefix: entry.field(9),
            operation_count: entry.field(10).parse().unwrap_or_default(),
            entry,
            operations: OnceLock::new(),
        }
    }

    /// The operations, sorted by name; inflated on first use.
    pub fn operations(&self) -> &[CatalogOperation] {
        self.operations.get_or_init(|| {
            let block: &'static str = ARCHIVE.inflate(self.entry).leak();
            block.lines().map(operation).collect()
        })
    }

    pub fn operation(&self, name: &str) -> Option<&CatalogOperation> {
        let operations = self.operations();
        let found = operations.binary_search_by(|operation| operation.name.cmp(name));
        found.ok().and_then(|index| operations.get(index))
    }
}

/// All AWS services, sorted by botocore's name.
pub fn services() -> &'static [CatalogService] {
    &SERVICES
}

/// A service by botocore's name.
pub fn service(name: &str) -> Option<&'static CatalogService> {
    let found = SERVICES.binary_search_by(|service| service.name.cmp(name));
    found.ok().and_then(|index| SERVICES.get(index))
}

/// The services that sign with a name: more than one share `s3`, `execute-api`, `lex`, ….
pub fn by_signing_name(name: &str) -> impl Iterator<Item = &'static CatalogService> {
    SERVICES.iter().filter(move |service| service.signing_name == name)
}

/// The services whose `X-Amz-Target` begins so: `AWSOrganizationsV20161128`.
pub fn by_target_prefix(prefix: &str) -> impl Iterator<Item = &'static CatalogService> {
    SERVICES
        .iter()
        .filter(move |service| !service.target_prefix.is_empty() && service.target_prefix == prefix)
}

/// The services whose host name begins so: `monitoring`, `api.ecr`.
pub fn by_endpoint_prefix(prefix: &str) -> impl Iterator<Item = &'static CatalogService> {
    SERVICES.iter().filter(move |service| service.endpoint_prefix == prefix)
}

fn protocol(name: &str) -> Option<Protocol> {
    Some(match name {
        "query" => Protocol::Query,
        "ec2" => Protocol::Ec2,
        "json-1.0" => Protocol::Json10,
        "json-1.1" => Protocol::Json11,
        "rest-json" => Protocol::RestJson,
        "rest-xml" => Protocol::RestXml,
        "smithy-rpc-v2-cbor" => Protocol::RpcV2Cbor,
        _ => return None,
    })
}

fn operation(line: &'static str) -> CatalogOperation {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    let (name, method, uri, host_prefix, flags) = (next(), next(), next(), next(), next());
    let read_only = match flags.chars().next() {
        Some('r') => Some(true),
        Some('w') => Some(false),
        _ => None,
    };
    let anonymous = flags.ends_with('a');
    CatalogOperation { name, method, uri, host_prefix, read_only, anonymous }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_there() {
        assert!(services().len() >= 424, "{}", services().len());
        let operations: usize = services().iter().map(|service| service.operations().len()).sum();
        assert!(operations >= 18_378, "{operations}");
        for service in services() {
            assert_eq!(service.operation_count, service.operations().len(), "{}", service.name);
            assert!(!service.protocols.is_empty(), "{}", service.name);
            assert!(service.operations().is_sorted_by_key(|operation| operation.name));
        }
    }

    #[test]
    fn an_operation_is_found_by_each_name() {
        let kms = by_target_prefix("TrentService").next().unwrap();
        assert_eq!((kms.name, kms.iam_prefix), ("kms", "kms"));
        assert_eq!(kms.operation("Encrypt").unwrap().read_only, Some(false));
        let names: Vec<_> = by_signing_name("s3").map(|service| service.name).collect();
        assert_eq!(names, ["s3", "s3control"]);
        let cloudwatch = by_endpoint_prefix("monitoring").next().unwrap();
        let protocols = [Protocol::RpcV2Cbor, Protocol::Json10, Protocol::Query];
        assert_eq!(cloudwatch.protocols, protocols);
        assert!(service("sts").unwrap().operation("AssumeRoleWithSAML").unwrap().anonymous);
        let put = service("s3").unwrap().operation("PutObjectAcl").unwrap();
        assert_eq!((put.method, put.uri), ("PUT", "/{Bucket}/{Key+}?acl"));
        assert_eq!(
            service("s3").unwrap().operation("ListObjectsV2").unwrap().read_only,
            Some(true)
        );
        assert!(by_target_prefix("").next().is_none());
        assert!(service("nope").is_none());
    }
}
