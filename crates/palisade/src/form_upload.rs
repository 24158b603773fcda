//! Uploads from a browser's form: a `POST` of `multipart/form-data` to a bucket, allowed by a
//! policy that somebody with a key signed. Each is a `PutObject`, authorized and recorded as one.
//!
//! Source: Amazon S3 API Reference, "POST Object", "Browser-Based Uploads Using POST (AWS Signature
//! Version 4)"; RFC 7578.

use crate::authenticate::worded_for_s3;
use crate::download::{self, Body};
use crate::listener::Door;
use crate::metrics::Ending;
use crate::pipeline::{self, Call, Outcome};
use crate::record::{self, Told};
use crate::reply::{ending_of, refuse, unroutable};
use crate::route::{Route, Target};
use crate::server::Server;
use crate::upload::{self, Awaited, Source};
use crate::{cors, form_answer, s3_address};
use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use hyper::body::Incoming;
use palisade_model::s3::{PutObjectRequest, PutObjectTaggingRequest};
use palisade_protocol::form_data::{self, FilePiece, FormDecoder, FormError, FormFields};
use palisade_protocol::sigv4::{Error as ProofError, PostProof};
use palisade_protocol::{Labels, Parts};
use palisade_services::account::region;
use palisade_services::authorization::{Credential, Refusal, without_key};
use palisade_services::caller::Caller;
use palisade_services::context::Request;
use palisade_services::password_hash::Hashes;
use palisade_services::s3::post_form::PostForm;
use palisade_services::s3::post_policy::{PostPolicy, Sizes};
use palisade_services::s3::receive::Received;
use palisade_services::s3::{self, error, tagging};
use palisade_services::service::Operation;
use palisade_services::transfer::{Signed, Transfer};
use palisade_shape::{Error, Protocol, Result, Shape, Timestamp};
use palisade_store::{Read as _, Snapshot};
use std::sync::Arc;

const OPERATION: &str = "PutObject";

/// Whether a request is such an upload: it names a bucket and no key, and its form proves it.
pub fn is_for(head: &Head) -> bool {
    head.method == Method::POST
        && head.uri.query().is_none()
        && !head.headers.contains_key(header::AUTHORIZATION)
        && boundary(head).is_some()
        && s3_address::is_for(head)
        && !bucket(head).contains('/')
}

fn boundary(head: &Head) -> Option<&str> {
    form_data::boundary(head.headers.get(header::CONTENT_TYPE)?.to_str().ok()?)
}

fn bucket(head: &Head) -> String {
    s3_address::path(head, "s3").trim_matches('/').to_owned()
}

/// Receives one upload.
pub async fn serve(
    server: &Arc<Server>,
    head: &Head,
    body: Incoming,
    door: Door,
) -> (Response<Body>, Ending) {
    let service = &s3::SERVICE;
    let known = service.operation(OPERATION).zip(service.model.operation(OPERATION));
    let (Some((row, model)), Some(boundary)) = (known, boundary(head)) else {
        let (response, ending) = unroutable(server, head);
        return (response.map(download::whole), ending);
    };
    let target = Target::Here { service, row, model, labels: Labels::new() };
    let route = Route { protocol: Protocol::RestXml, model: service.model, target };
    let facts = pipeline::facts(server, head, door);
    let request = Request { service: service.model.name, operation: OPERATION, ..facts };
    let arriving = Arriving { body, decoder: FormDecoder::new(boundary), sizes: None, bytes: 0 };
    let received = receive(server, head, arriving, (&route, row, request.clone())).await;
    let refused = |error: Error, proven: bool| {
        let refusal = refuse(head, &route, &request, &error);
        (refusal.map(download::whole), ending_of(&error, proven))
    };
    let (mut response, ending) = match received {
        Ok((form, _, Outcome { result: Err(error), .. })) => {
            drop(form);
            refused(error, true)
        }
        Ok((form, etag, _)) => {
            let answered = form_answer::made(head, door, &form, (&etag, &request.id));
            (answered, Ending::Allowed)
        }
        Err((error, proven)) => refused(error, proven),
    };
    cors::decorate(server, head, response.headers_mut());
    (response, ending)
}

/// Proves, decides, receives and stores. A refusal comes with whether the form was proven.
async fn receive(
    server: &Arc<Server>,
    head: &Head,
    mut arriving: Arriving,
    (route, row, mut request): (&Route, &'static Operation, Request),
) -> std::result::Result<(PostForm, String, Outcome), (Error, bool)> {
    let unproven = |error| (error, false);
    upload::check_length(head).map_err(unproven)?;
    let FormFields { fields, file_name } = arriving.fields().await.map_err(unproven)?;
    let form = PostForm::new(&bucket(head), fields, &file_name).map_err(unproven)?;
    let snapshot = server.plane.store.snapshot();
    let proven = server.reading(|| prove(server, &form, &snapshot, &mut request));
    let proven = proven.map_err(unproven)?;
    pipeline::note_use(server, &proven.credential, &request, route.model.signing_name);
    let read = policy_and_input(&form, &proven, &request);
    let (input, sizes) = match read {
        Ok(read) => read,
        Err(error) => {
            let kept = {
                let (told, revision) = (Told::failure(&error), snapshot.revision());
                record::keep(server, &request, &proven.credential, told, revision)
            };
            let durable = pipeline::durable(kept).await;
            return Err((durable.err().unwrap_or(error), true));
        }
    };
    arriving.sizes = sizes;
    let call = Call {
        server: server.clone(),
        request,
        credential: proven.credential,
        token: proven.token,
        protocol: route.protocol,
        service: &s3::SERVICE,
        row,
        input: Box::new(input),
        hashes: Hashes::default(),
        transfer: proven.signed.map(Transfer::signed).unwrap_or_default(),
    };
    let (etag, outcome) = take(call, arriving, &snapshot).await;
    Ok((form, etag, outcome))
}

/// Decides about the call, receives the file and stores it.
async fn take(call: Call, mut arriving: Arriving, snapshot: &Snapshot) -> (String, Outcome) {
    let early = call.server.reading(|| pipeline::refuse_early(&call, snapshot));
    let refused = match early {
        Some(refused) => refused,
        None => match arriving.received(&call, snapshot).await {
            Ok(received) => {
                call.transfer.put(received);
                let (_, outcome) = pipeline::perform(call, snapshot).await;
                let etag = outcome.result.as_ref().ok().map(|output| etag(&**output));
                return (etag.unwrap_or_default(), outcome);
            }
            Err(error) => Outcome::failed(error),
        },
    };
    let outcome = pipeline::keep_read(&call, refused, snapshot.revision()).await;
    (String::new(), outcome)
}

fn etag(output: &dyn Shape) -> String {
    palisade_protocol::select::select(output, "ETag").pop().unwrap_or_default()
}

/// What a form proves.
struct Proven {
    credential: Arc<Credential>,
    token: Option<String>,
    /// None of a form that nobody signed.
    signed: Option<Signed>,
}

/// Checks the signature. A form without one is nobody's in particular.
fn prove(
    server: &Server,
    form: &PostForm,
    snapshot: &Snapshot,
    request: &mut Request,
) -> Result<Proven> {
    if !form.is_signed()? {
        let credential = Arc::new(without_key(Caller::anonymous()));
        return Ok(Proven { credential, token: None, signed: None });
    }
    let (policy, signature) = (form.needed("policy")?, form.needed("x-amz-signature")?);
    let algorithm = form.needed("x-amz-algorithm")?;
    let credential = form.needed("x-amz-credential")?;
    let proof = PostProof::read(algorithm, credential, form.needed("x-amz-date")?);
    let proof =
        proof.map_err(|(name, message)| error::invalid_argument(message, name, form.text(name)))?;
    let token = form.get("x-amz-security-token");
    let plane = &*server.plane;
    let changes = plane.credentials.changes();
    let (id, now) = (proof.access_key_id, request.at);
    let unknown = || worded_for_s3(&ProofError::UnknownAccessKey { access_key_id: id.to_owned() });
    let found = plane.credentials.find(plane, snapshot, id, token, now, changes)?;
    let credential = found.map_err(|refusal| match refusal {
        Refusal::Invalid => unknown(),
        Refusal::Expired => {
            let token = token.unwrap_or_default().to_owned();
            worded_for_s3(&ProofError::ExpiredToken { token })
        }
    })?;
    if !region::is_enabled(snapshot, &credential.caller.account, proof.region)? {
        return Err(unknown());
    }
    let verified = proof.verify(credential.secret.as_bytes(), policy, signature);
    verified.map_err(|error| worded_for_s3(&error))?;
    proof.region.clone_into(&mut request.region);
    let signed = Signed {
        auth_type: "POST",
        algorithm: "AWS4-HMAC-SHA256",
        at: Timestamp::from_seconds(proof.signed_at),
        content_sha256: None,
    };
    Ok(Proven { credential, token: token.map(str::to_owned), signed: Some(signed) })
}

/// What the policy allows, and what the form says in the words of a `PutObject`.
fn policy_and_input(
    form: &PostForm,
    proven: &Proven,
    request: &Request,
) -> Result<(PutObjectRequest, Option<Sizes>)> {
    let sizes = match proven.signed {
        Some(_) => PostPolicy::parse(form.text("policy"))?.check(form, request.at)?,
        None => None,
    };
    let key = form.needed("key")?.to_owned();
    let tags = match form.get("tagging") {
        None => Vec::new(),
        Some(xml) => {
            let mut read = PutObjectTaggingRequest::default();
            let place = ("PutObjectTagging", form.text("bucket"), key.as_str());
            read_as(place, &HeaderMap::new(), xml.as_bytes(), &mut read)?;
            tagging::pairs(&read.tagging.tag_set)
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in form.headers(&tags)? {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok();
        let pair = pair.zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        let (field, value) = pair.ok_or_else(|| {
            let message = "A form field holds what no header can hold.";
            error::invalid_argument(message, &name, "")
        })?;
        headers.insert(field, value);
    }
    let mut input = PutObjectRequest::default();
    read_as((OPERATION, form.text("bucket"), &key), &headers, &[], &mut input)?;
    Ok((input, sizes))
}

/// Reads an input as if it had come as a request of its own.
fn read_as(
    (operation, bucket, key): (&'static str, &str, &str),
    headers: &HeaderMap,
    body: &[u8],
    input: &mut dyn Shape,
) -> Result<()> {
    let service = s3::SERVICE.model;
    let Some(model) = service.operation(operation) else { return Ok(()) };
    let parts = Parts {
        method: &Method::PUT,
        raw_path: "/",
        raw_query: "",
        headers,
        body,
        labels: &[("Bucket", bucket.to_owned()), ("Key", key.to_owned())],
    };
    palisade_protocol::read_request(Protocol::RestXml, service, model, &parts, input)
}

/// A form on its way: its fields first, then its file.
struct Arriving {
    body: Incoming,
    decoder: FormDecoder,
    /// How large the file may be, once the policy was read.
    sizes: Option<Sizes>,
    /// How much of the file has come.
    bytes: u64,
}

impl Arriving {
    async fn fields(&mut self) -> Result<FormFields> {
        loop {
            if let Some(fields) = self.decoder.fields().map_err(worded)? {
                return Ok(fields);
            }
            match upload::next(&mut self.body).await? {
                Some(bytes) => self.decoder.feed(&bytes),
                None => return Err(worded(FormError::Malformed)),
            }
        }
    }
}

impl Arriving {
    /// The file, stored and checked.
    async fn received(&mut self, call: &Call, snapshot: &Snapshot) -> Result<Received> {
        let awaited = (Awaited::Nothing, Vec::new());
        let received = upload::store(call, snapshot, &mut *self, awaited).await?;
        self.sizes.map_or(Ok(()), |sizes| sizes.check_least(received.bytes))?;
        Ok(received)
    }
}

impl Source for &mut Arriving {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.decoder.file() {
                FilePiece::End => return Ok(None),
                FilePiece::Bytes(piece) => {
                    self.bytes += piece.len() as u64;
                    self.sizes.map_or(Ok(()), |sizes| sizes.check_most(self.bytes))?;
                    return Ok(Some(Bytes::from(piece)));
                }
                FilePiece::More => match self.body.next().await? {
                    Some(bytes) => self.decoder.feed(&bytes),
                    None => return Err(upload::incomplete()),
                },
            }
        }
    }
}

fn worded(error: FormError) -> Error {
    match error {
        FormError::Incomplete => upload::incomplete(),
        FormError::Malformed => error::MALFORMED_POST
            .because("The body of your POST request is not well-formed multipart/form-data."),
        FormError::TooLong => error::MAX_POST_PRE_DATA
            .because("Your POST request fields preceding the upload file were too large."),
        FormError::NoFile => {
            let message = "POST requires exactly one file upload per request.";
            error::invalid_argument(message, "file", "0")
        }
    }
}
