//! Requests whose bodies stream: an object's bytes, checked and encrypted into a blob while they
//! arrive. Who may not send them is told before they are read.

use crate::authenticate::{Offered, worded_for_s3};
use crate::form_upload;
use crate::outcome::{INCOMPLETE_BODY, REQUEST_TIMEOUT};
use crate::pipeline::Call;
use crate::route::Target;
use crate::server::Server;
use bytes::Bytes;
use http::request::Parts as Head;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use palisade_protocol::sigv4::{BodyProof, ChunkDecoder, Error as ProofError};
use palisade_services::context::{Access, Context};
use palisade_services::errors::internal;
use palisade_services::s3::error::MISSING_CONTENT_LENGTH;
use palisade_services::s3::receive::{self, BYTES_MAX, Received, Receiving};
use palisade_shape::{Error, Result, Traits};
use palisade_store::Snapshot;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a client may be silent within a body.
const SILENCE_SECONDS_MAX: u64 = 30;
/// Pieces of a body that wait for the disk.
const PIECES_AHEAD: usize = 8;

/// The body of a request: whole in memory, or still to come.
pub enum Sending {
    Whole(Bytes),
    Streamed(Incoming),
}

/// Whether the body of a request is to be streamed: its operation takes it beside its input.
pub fn streams(server: &Server, head: &Head) -> bool {
    if head.method != http::Method::PUT {
        return form_upload::is_for(head);
    }
    let fields = crate::authenticate::fields(head);
    let offered = Offered::read(head, &fields);
    let Some(route) = server.router.find(head, None, offered.signing_name()) else { return false };
    let Target::Here { model, .. } = route.target else { return false };
    let payload = model.input.payload.and_then(|place| model.input.members.get(place));
    payload.is_some_and(|member| member.traits.has(Traits::STREAMING))
}

/// Where the bytes of a body come from.
pub trait Source: Send {
    /// The next bytes; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

impl Source for Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(incomplete()),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// What comes over the channel to the thread that writes.
enum Part {
    Data(Bytes),
    End,
}

/// How the bytes of a body prove themselves.
pub enum Awaited {
    Nothing,
    Sha256(Sha256, [u8; 32]),
    Chunks(Box<ChunkDecoder>),
}

/// Receives the body of a call that may be made: the blob is durable when this answers.
pub async fn receive(
    call: &Call,
    snapshot: &Snapshot,
    body: Incoming,
    (head, offered, proof): (&Head, &Offered<'_>, BodyProof),
) -> Result<Received> {
    check_length(head)?;
    let awaited = match proof {
        BodyProof::Proven | BodyProof::Unsigned => Awaited::Nothing,
        BodyProof::Sha256(hash) => Awaited::Sha256(Sha256::new(), hash),
        BodyProof::Chunked(seed) => {
            let decoder = offered.decoder(*seed).map_err(|error| worded_for_s3(&error))?;
            Awaited::Chunks(Box::new(decoder))
        }
    };
    store(call, snapshot, body, (awaited, trailers(head))).await
}

/// Stores what comes, as it must prove itself, with the trailing fields that were announced.
pub async fn store(
    call: &Call,
    snapshot: &Snapshot,
    mut body: impl Source,
    (awaited, trailers): (Awaited, Vec<String>),
) -> Result<Received> {
    let receiving = {
        let plane = &*call.server.plane;
        let access = Access::Read(snapshot);
        let mut cx = Context::new(plane, &call.credential.caller, &call.request, access);
        let plan = receive::plan(&mut cx, (*call.input).as_shape(), &trailers)?;
        Receiving::begin(&cx, plan)?
    };
    let (sender, parts) = mpsc::channel(PIECES_AHEAD);
    let writing = tokio::task::spawn_blocking(move || write(receiving, awaited, parts));
    let sent = forward(&mut body, &sender).await;
    drop(sender);
    let written = writing.await.map_err(internal)?;
    // The writer's own refusal is why the rest was not taken.
    match (sent, written) {
        (_, Ok(received)) => Ok(received),
        (_, Err(Some(error))) | (Err(Some(error)), Err(None)) => Err(error),
        (_, Err(None)) => Err(incomplete()),
    }
}

/// The names of the trailing fields that the request announces.
fn trailers(head: &Head) -> Vec<String> {
    let values = head.headers.get_all("x-amz-trailer").iter();
    let names = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).collect()
}

/// S3 wants to know the length before the first byte.
pub fn check_length(head: &Head) -> Result<()> {
    let number = |name: &str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        value.trim().parse::<u64>().ok()
    };
    let decoded = number("x-amz-decoded-content-length");
    let Some(length) = decoded.or_else(|| number("content-length")) else {
        return Err(
            MISSING_CONTENT_LENGTH.because("You must provide the Content-Length HTTP header.")
        );
    };
    if length > BYTES_MAX {
        return Err(receive::too_large(length));
    }
    Ok(())
}

/// Hands the body over piece by piece. `None` when the writer does not want any more of it.
async fn forward(
    body: &mut impl Source,
    sender: &mpsc::Sender<Part>,
) -> std::result::Result<(), Option<Error>> {
    loop {
        match next(body).await {
            Ok(Some(data)) => sender.send(Part::Data(data)).await.map_err(|_| None)?,
            Ok(None) => return sender.send(Part::End).await.map_err(|_| None),
            Err(error) => return Err(Some(error)),
        }
    }
}

/// The next bytes of a body, unless the client stays silent.
pub async fn next(body: &mut impl Source) -> Result<Option<Bytes>> {
    let silence = Duration::from_secs(SILENCE_SECONDS_MAX);
    tokio::time::timeout(silence, body.next()).await.unwrap_or_else(|_| {
        Err(REQUEST_TIMEOUT.because(
            "Your socket connection to the server was not read from or written to within the \
             timeout period. Idle connections will be closed.",
        ))
    })
}

pub fn incomplete() -> Error {
    INCOMPLETE_BODY.because(
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// Writes what arrives. `None` when the body did not come to its end.
fn write(
    mut receiving: Receiving,
    mut proof: Awaited,
    mut parts: mpsc::Receiver<Part>,
) -> std::result::Result<Received, Option<Error>> {
    let refused = |error: ProofError| Some(worded_for_s3(&error));
    loop {
        match parts.blocking_recv() {
            None => return Err(None),
            Some(Part::End) => break,
            Some(Part::Data(data)) => match &mut proof {
                Awaited::Nothing => receiving.write(&data)?,
                Awaited::Sha256(hash, _) => {
                    hash.update(&data);
                    receiving.write(&data)?;
                }
                Awaited::Chunks(decoder) => {
                    let mut rest: &[u8] = &data;
                    while let Some(content) =
                        decoder.next(&mut rest).map_err(|error| refused(error.into()))?
                    {
                        receiving.write(content)?;
                    }
                }
            },
        }
    }
    let trailers = match proof {
        Awaited::Nothing => Vec::new(),
        Awaited::Sha256(hash, declared) => {
            let computed: [u8; 32] = hash.finalize().into();
            BodyProof::Sha256(declared).check(computed).map_err(refused)?;
            Vec::new()
        }
        Awaited::Chunks(decoder) => decoder.finish().map_err(|error| refused(error.into()))?,
    };
    Ok(receiving.finish(&trailers)?)
}
