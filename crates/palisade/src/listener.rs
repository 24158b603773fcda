//! The sockets: accept, read a bounded body, hand the request to the pipeline, write its answer.
//! Async lives here and nowhere deeper.

use crate::commands::client::{ENDPOINT, Endpoint};
use crate::config::Config;
use crate::download::Body;
use crate::outcome::{
    INCOMPLETE_BODY, REQUEST_ENTITY_TOO_LARGE, REQUEST_HEADER_SECTION_TOO_LARGE, REQUEST_TIMEOUT,
};
use crate::server::Server;
use crate::upload::{self, Sending};
use crate::{download, machine, pipeline, reply, tls};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

/// The largest body of a request that is not an object upload. CloudWatch and SQS take 1 MiB.
const BODY_BYTES_MAX: usize = 2 << 20;
/// The largest head of a request: request line and headers.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Connections beyond this wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 8_192;
/// How long a client may take to send a request's head, and then its body.
const READ_SECONDS_MAX: u64 = 30;
/// How long requests under way may take once the server was told to stop.
const DRAIN_SECONDS_MAX: u64 = 9;

/// Serves until TERM or INT, then drains.
pub async fn run(server: Arc<Server>, config: &Config) -> Result<(), String> {
    let serving = tls::serving(&config.tls, &config.data_dir)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let endpoint = Endpoint {
        url: format!("{}://{address}", if serving.is_some() { "https" } else { "http" }),
        region: config.region.clone(),
        ca_bundle: serving.as_ref().and_then(|serving| serving.ca_bundle.clone()),
    };
    let workloads = machine::serve(&server, &config.machines).await?;
    // Before anybody is told that the server is there: it may be told to stop at once.
    let mut stop = signals().map_err(|error| error.to_string())?;
    announce(&server, config, &endpoint)?;
    let acceptor = serving.map(|serving| tokio_rustls::TlsAcceptor::from(serving.config));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.recv() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to be closed.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (server, watcher) = (server.clone(), graceful.watcher());
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            serve_connection(server, stream, peer, acceptor, watcher).await;
            drop(place);
        });
    }
    drop((listener, workloads));
    drain(graceful, stop).await;
    Ok(())
}

/// TERM and INT, as they come.
fn signals() -> std::io::Result<tokio::sync::mpsc::UnboundedReceiver<()>> {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind)?;
        let tell = tell.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                if tell.send(()).is_err() {
                    return;
                }
            }
        });
    }
    Ok(told)
}

async fn drain(graceful: GracefulShutdown, mut stop: tokio::sync::mpsc::UnboundedReceiver<()>) {
    tracing::info!("stopping: finishing the requests under way");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(Duration::from_secs(DRAIN_SECONDS_MAX)) => {
            tracing::warn!("some requests did not finish in time");
        }
        _ = stop.recv() => {
            tracing::warn!("told twice to stop: leaving at once");
            std::process::exit(130);
        }
    }
}

/// Writes where the server listens for `palisade env` and its like, and says so on stderr.
fn announce(server: &Server, config: &Config, endpoint: &Endpoint) -> Result<(), String> {
    if server.has_data_dir() {
        let path = config.data_dir.join(ENDPOINT);
        let text = serde_json::to_string_pretty(endpoint).map_err(|error| error.to_string())?;
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if config.lab {
        tracing::warn!("LAB MODE: the clock can be moved and the state reset by any local client");
    }
    tracing::info!(url = endpoint.url, "palisade {} answers", env!("CARGO_PKG_VERSION"));
    Ok(())
}

/// Where a request came in.
#[derive(Clone, Copy)]
pub struct Door {
    pub peer: SocketAddr,
    /// None without TLS.
    pub tls: Option<tls::Agreed>,
}

async fn serve_connection(
    server: Arc<Server>,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Small answers must not wait for the client's acknowledgement of the one before.
    let _unsupported = stream.set_nodelay(true);
    let outcome = match acceptor {
        None => {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(READ_SECONDS_MAX))
                .max_buf_size(HEAD_BYTES_MAX)
                .pipeline_flush(true);
            let door = Door { peer, tls: None };
            let service = service_fn(move |request| answer(server.clone(), request, door));
            let connection = http.serve_connection(TokioIo::new(stream), service);
            watcher.watch(connection).await.map_err(|error| error.to_string())
        }
        Some(acceptor) => {
            let handshake = acceptor.accept(stream);
            let limit = Duration::from_secs(READ_SECONDS_MAX);
            let Ok(Ok(stream)) = tokio::time::timeout(limit, handshake).await else { return };
            let Some(agreed) = tls::agreed(stream.get_ref().1) else { return };
            let door = Door { peer, tls: Some(agreed) };
            let service = service_fn(move |request| answer(server.clone(), request, door));
            let mut http = auto::Builder::new(TokioExecutor::new());
            http.http1()
                .timer(TokioTimer::new())
                .header_read_timeout(limit)
                .max_buf_size(HEAD_BYTES_MAX);
            http.http2().timer(TokioTimer::new()).max_header_list_size(HEAD_BYTES_MAX as u32);
            let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
            watcher.watch(connection).await.map_err(|error| error.to_string())
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, error, "a connection ended early");
    }
}

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
    door: Door,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let refuse = |refusal: &palisade_shape::Error, head: &http::request::Parts| {
        reply::refuse_unread(&server, head, refusal).map(download::whole)
    };
    // The parser's own limit is that of its buffer, which may hold more than it was told.
    if bytes_of(&head) > HEAD_BYTES_MAX {
        let refusal = REQUEST_HEADER_SECTION_TOO_LARGE.because(
            "Your request header and query parameters used to make the request exceed the maximum \
             allowed size.",
        );
        return Ok(refuse(&refusal, &head));
    }
    if upload::streams(&server, &head) {
        return Ok(pipeline::serve(server, head, Sending::Streamed(body), door).await);
    }
    let limit = Duration::from_secs(READ_SECONDS_MAX);
    let body = match tokio::time::timeout(limit, read_body(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refusal)) => return Ok(refuse(&refusal, &head)),
        Err(_) => {
            let refusal = REQUEST_TIMEOUT.because(
                "Your socket connection to the server was not read from or written to within the \
                 timeout period.",
            );
            return Ok(refuse(&refusal, &head));
        }
    };
    Ok(pipeline::serve(server, head, Sending::Whole(body), door).await)
}

/// What a request's line and header fields take, about as they were sent.
fn bytes_of(head: &http::request::Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.as_bytes().len() + 4
    };
    target + head.headers.iter().map(field).sum::<usize>()
}

async fn read_body(body: Incoming) -> palisade_shape::Result<Bytes> {
    let too_large = || {
        let text = format!("The request's body is larger than {BODY_BYTES_MAX} bytes.");
        REQUEST_ENTITY_TOO_LARGE.because(text)
    };
    // One that says so itself is not waited for.
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(INCOMPLETE_BODY.because(
            "The request body terminated unexpectedly: it is shorter than its Content-Length says.",
        )),
    }
}
