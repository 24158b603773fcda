//! Credentials for workloads: what runs on this machine gets a role's short-lived keys from an
//! address, as on EC2, ECS and EKS, and holds none of its own. Which role each address hands out
//! is the operator's to say, in the configuration ([`Instance`], [`Container`]).

mod config;
mod container;
mod imds;
mod vend;

pub use config::{Container, Instance, Machines};

use crate::server::Server;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long a client may take to send a request's head.
const READ_SECONDS_MAX: u64 = 10;
/// Connections to one address beyond this wait.
const CONNECTIONS_MAX: usize = 256;

type Answer = Response<Full<Bytes>>;

/// What answers at one address.
trait Endpoint: Send + Sync + 'static {
    fn answer(&self, request: &http::request::Parts) -> impl Future<Output = Answer> + Send;
    /// The hops that an answer may make; none for the system's default.
    fn hop_limit(&self) -> Option<u32> {
        None
    }
}

/// Opens all addresses. They close when what is returned is dropped.
pub async fn serve(server: &Arc<Server>, machines: &Machines) -> Result<JoinSet<()>, String> {
    let mut serving = JoinSet::new();
    for instance in &machines.instances {
        let endpoint = imds::Metadata::new(server.clone(), instance)?;
        tracing::info!(
            listen = %instance.listen,
            profile = instance.instance_profile,
            "instance metadata answers"
        );
        serving.spawn(listen(instance.listen, endpoint).await?);
    }
    for container in &machines.containers {
        let endpoint = container::Credentials::new(server.clone(), container)?;
        tracing::info!(
            listen = %container.listen,
            role = container.role,
            "container credentials answer"
        );
        serving.spawn(listen(container.listen, endpoint).await?);
    }
    Ok(serving)
}

async fn listen(
    address: SocketAddr,
    endpoint: impl Endpoint,
) -> Result<impl Future<Output = ()>, String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    Ok(accept(listener, Arc::new(endpoint)))
}

async fn accept<E: Endpoint>(listener: TcpListener, endpoint: Arc<E>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: wait for some to be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if let Some(hops) = endpoint.hop_limit() {
            // An answer that cannot leave the machine cannot be fetched for somebody else.
            if stream.set_ttl(hops).is_err() {
                continue;
            }
        }
        let endpoint = endpoint.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| answer(endpoint.clone(), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(READ_SECONDS_MAX));
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a workload's connection ended early");
            }
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer<E: Endpoint>(
    endpoint: Arc<E>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    // No request here has a body; one that comes is not read.
    let (head, _) = request.into_parts();
    Ok(endpoint.answer(&head).await)
}

fn plain(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec_pretty(value) {
        Ok(text) => plain(status, "application/json", text),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", ""),
    }
}

/// `2026-11-22T18:00:00Z`
fn iso_8601(at: palisade_shape::Timestamp) -> String {
    jiff::Timestamp::from_second(at.seconds()).unwrap_or_default().to_string()
}
