//! Who is calling, and the proof of it. A wrong proof ends here, with AWS's own words.

use crate::server::Server;
use http::request::Parts as Head;
use palisade_protocol::sigv4::{
    self, Answer, BodyProof, ChunkDecoder, ChunkLimits, ChunkSeed, Dialect, Error as ProofError,
    Form, Payload, Proof, RequestParts, Rules,
};
use palisade_services::account::region;
use palisade_services::accounts::ACCOUNTS;
use palisade_services::authorization::{Credential, Refusal, without_key};
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::service::{self, Input};
use palisade_services::transfer::{Signed, Transfer};
use palisade_shape::{Auth, Error, ErrorCode, Operation, Protocol, Result, Service, Timestamp};
use palisade_store::Read;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a request offers as its proof, before anything of it is believed.
pub struct Offered<'h> {
    parts: RequestParts<'h>,
    proof: std::result::Result<Proof<'h>, ProofError>,
}

/// The header fields as the verifier wants them.
pub fn fields(head: &Head) -> Vec<(&str, &[u8])> {
    head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

impl<'h> Offered<'h> {
    pub fn read(head: &'h Head, headers: &'h [(&'h str, &'h [u8])]) -> Self {
        let parts = RequestParts {
            method: head.method.as_str(),
            path: head.uri.path().as_bytes(),
            query: head.uri.query().unwrap_or_default().as_bytes(),
            headers,
            authority: head.uri.authority().map(|authority| authority.as_str().as_bytes()),
        };
        let proof = sigv4::parse(&parts);
        Self { parts, proof }
    }

    /// The service in the credential scope.
    pub fn signing_name(&self) -> Option<&str> {
        match &self.proof {
            Ok(Proof::Signature(parsed)) => Some(&parsed.scope.service),
            _ => None,
        }
    }

    /// The region in the credential scope, if it has one.
    pub fn region(&self) -> Option<&str> {
        match &self.proof {
            Ok(Proof::Signature(parsed)) => parsed.scope.region.as_deref(),
            _ => None,
        }
    }

    /// What the call brings beside its input: of S3's and S3 Control's, how it was signed.
    pub fn transfer(&self, model: &Service) -> Transfer {
        let (Ok(Proof::Signature(parsed)), "s3" | "s3control") = (&self.proof, model.name) else {
            return Transfer::default();
        };
        let hash = self.parts.single("x-amz-content-sha256").ok().flatten();
        Transfer::signed(Signed {
            auth_type: match parsed.form {
                Form::Header => "REST-HEADER",
                Form::Query => "REST-QUERY-STRING",
            },
            algorithm: parsed.algorithm.name(),
            at: Timestamp::from_seconds(parsed.timestamp.seconds),
            content_sha256: hash.map(|hash| String::from_utf8_lossy(hash).into_owned()),
        })
    }

    /// Reads an `aws-chunked` body.
    pub fn decoder(&self, seed: ChunkSeed) -> std::result::Result<ChunkDecoder, ProofError> {
        Ok(seed.decoder(&self.parts, ChunkLimits::default())?)
    }

    /// The session token that came along.
    pub fn session_token(&self) -> Option<&str> {
        match &self.proof {
            Ok(Proof::Signature(parsed)) => parsed.session_token.as_deref(),
            _ => None,
        }
    }
}

/// What the stage needs to know besides the request itself.
pub struct Surroundings<'a> {
    pub server: &'a Server,
    pub read: &'a dyn Read,
    /// The count of IAM's changes, asked before `read` was taken.
    pub changes: u64,
    pub now: Timestamp,
    pub secure: bool,
    pub protocol: Protocol,
    pub model: &'a Service,
    /// None where the operation is not implemented: it wants a signature all the same.
    pub operation: Option<&'a Operation>,
}

/// The caller, with policies ready to decide with.
pub fn authenticate(
    offered: &Offered<'_>,
    payload: Payload<'_>,
    around: &Surroundings<'_>,
) -> Result<(Arc<Credential>, BodyProof)> {
    let auth = around.operation.map_or(Auth::SigV4, |operation| operation.auth);
    // S3 lets nobody in particular in wherever a policy or an access control list does.
    let unsigned = auth == Auth::None || around.model.name == "s3";
    let refuse = |error: ProofError| worded(&error, around);
    let parsed = match &offered.proof {
        Ok(Proof::Signature(parsed)) => parsed,
        Ok(Proof::Anonymous | Proof::Bearer(_)) if unsigned => {
            return Ok((Arc::new(without_key(Caller::anonymous())), BodyProof::Unsigned));
        }
        Ok(Proof::Anonymous | Proof::Bearer(_)) => {
            return Err(refuse(ProofError::MissingAuthenticationToken));
        }
        Err(error) => return Err(refuse(error.clone())),
    };
    let plane = &*around.server.plane;
    let token = parsed.session_token.as_deref();
    let found = plane.credentials.find(
        plane,
        around.read,
        &parsed.access_key_id,
        token,
        around.now,
        around.changes,
    )?;
    let credential = found.map_err(|refusal| match refusal {
        Refusal::Invalid => {
            refuse(ProofError::UnknownAccessKey { access_key_id: parsed.access_key_id.to_string() })
        }
        Refusal::Expired => {
            refuse(ProofError::ExpiredToken { token: token.unwrap_or_default().to_owned() })
        }
    })?;
    let region = offered.region().unwrap_or_default();
    if !region::is_enabled(around.read, &credential.caller.account, region)? {
        // AWS says the same of a region that the account has not enabled.
        let access_key_id = parsed.access_key_id.to_string();
        return Err(refuse(ProofError::UnknownAccessKey { access_key_id }));
    }
    // Calls that directory buckets have as well are signed for their endpoint.
    let express = if around.model.name == "s3control" { "s3express" } else { "" };
    let both = [around.model.signing_name, express];
    let services = both.split_at(if express.is_empty() { 1 } else { 2 }).0;
    let unsigned_payload = auth == Auth::SigV4UnsignedPayload && around.secure;
    let now = around.now.seconds();
    let rules = match around.model.name {
        "s3" | "s3control" => Rules { services, ..Rules::s3(now) },
        _ => Rules { services, unsigned_payload, ..Rules::standard(now) },
    };
    let keys = &around.server.signing_keys;
    let secret = credential.secret.as_bytes();
    let verified =
        sigv4::verify(parsed, &offered.parts, secret, payload, &rules, keys).map_err(refuse)?;
    match (verified.body, payload) {
        (proof @ (BodyProof::Proven | BodyProof::Unsigned), _) | (proof, Payload::Unread) => {
            Ok((credential, proof))
        }
        // Only bodies that stream come in chunks.
        (BodyProof::Sha256(_) | BodyProof::Chunked(_), _) => {
            Err(refuse(ProofError::PayloadHashInvalid { value: "STREAMING".to_owned() }))
        }
    }
}

/// The error as S3 words it.
pub fn worded_for_s3(error: &ProofError) -> Error {
    in_dialect(error, Dialect::S3)
}

/// The error as the service's own protocol words it.
fn worded(error: &ProofError, around: &Surroundings<'_>) -> Error {
    let dialect = match around.protocol {
        Protocol::Query => Dialect::Query,
        Protocol::Ec2 => Dialect::Ec2,
        Protocol::Json10 | Protocol::Json11 | Protocol::RpcV2Cbor => Dialect::Json,
        Protocol::RestJson => Dialect::RestJson,
        Protocol::RestXml if around.model.name == "s3" => Dialect::S3,
        Protocol::RestXml => Dialect::Query,
    };
    in_dialect(error, dialect)
}

fn in_dialect(error: &ProofError, dialect: Dialect) -> Error {
    let Answer { code, status, message, fields } = error.answer(dialect);
    let mut refused = code_of(code, status).because(message);
    refused.fields = fields;
    refused
}

/// The verifier's codes as the pipeline's: a few dozen at most, each made once.
fn code_of(code: &'static str, status: u16) -> &'static ErrorCode {
    static MADE: OnceLock<Mutex<BTreeMap<(&'static str, u16), &'static ErrorCode>>> =
        OnceLock::new();
    let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    made.entry((code, status))
        .or_insert_with(|| Box::leak(Box::new(ErrorCode::plain(code, status))))
}

/// Nobody, in the account of the role that a failed proof was for: its trail gets the attempt.
pub fn attempted(
    server: &Server,
    row: &service::Operation,
    input: &dyn Input,
    read: &dyn Read,
) -> Option<Arc<Credential>> {
    row.proof?;
    let role = palisade_protocol::select::select(input.as_shape(), "RoleArn").pop()?;
    let account = palisade_policy::arn::Arn::parse(&role)?.account_id()?.to_owned();
    let nobody = Caller::anonymous();
    let request = crate::first_start::request_of_start(&server.plane);
    let cx = Context::new(&server.plane, &nobody, &request, Access::Read(read));
    let there = cx.exists(&ACCOUNTS, &account).unwrap_or(false);
    let caller = Caller { account: account.into(), ..Caller::anonymous() };
    there.then(|| Arc::new(without_key(caller)))
}
