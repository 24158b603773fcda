use crate::{ErrorCode, Structure};

/// A wire protocol of AWS (Smithy's AWS protocols).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Query,
    Ec2,
    Json10,
    Json11,
    RestJson,
    RestXml,
    RpcV2Cbor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a caller must prove who it is for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// AWS Signature Version 4 or 4A.
    SigV4,
    /// The same, with the body left out of the signature.
    SigV4UnsignedPayload,
    /// No proof wanted (`sts:AssumeRoleWithSAML` and its like).
    None,
    /// `Authorization: Bearer`.
    Bearer,
}

/// One operation of an implemented service.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    pub method: Method,
    /// The path template and any fixed query, as the model has it: `/{Bucket}/{Key+}?acl`.
    pub uri: &'static str,
    /// The status of a success; 200 unless the model says otherwise.
    pub status: u16,
    /// A prefix of the host name with labels in braces (`{AccountId}.`), or empty.
    pub host_prefix: &'static str,
    pub input: &'static Structure,
    pub output: &'static Structure,
    /// The element around the output in the query protocol, e.g. `CreateRoleResult`, or empty.
    pub result_wrapper: &'static str,
    pub errors: &'static [&'static ErrorCode],
    pub auth: Auth,
    /// The model demands a checksum of the request body (`Content-MD5` or a flexible checksum).
    pub checksum_required: bool,
    pub idempotent: bool,
}

/// One implemented service.
#[derive(Debug)]
pub struct Service {
    /// botocore's name and the folder in `services`: `iam`, `s3control`, `cloudwatch`.
    pub name: &'static str,
    /// The name in the credential scope: `iam`, `s3`, `monitoring`.
    pub signing_name: &'static str,
    /// The first label of its endpoint's host name.
    pub endpoint_prefix: &'static str,
    /// `ServiceId` of the model, e.g. `CloudWatch Logs`.
    pub id: &'static str,
    pub api_version: &'static str,
    /// Before the dot of `X-Amz-Target`; empty for other protocols.
    pub target_prefix: &'static str,
    /// All that it answers, the SDKs' first choice first.
    pub protocols: &'static [Protocol],
    /// The XML namespace of query and rest-xml documents, or empty.
    pub xml_namespace: &'static str,
    /// Sorted by name.
    pub operations: &'static [&'static Operation],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let found = self.operations.binary_search_by(|operation| operation.name.cmp(name));
        found.ok().and_then(|index| self.operations.get(index).copied())
    }
}
