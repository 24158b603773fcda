//! What Palisade is held against: hyper with a fixed answer, without and with SigV4.

use crate::Result;
use crate::sign::AccessKey;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use palisade_protocol::sigv4::{Payload, Proof, RequestParts, Rules, SigningKeys, parse, verify};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// As long as the answer to sts:GetCallerIdentity.
const ANSWER: &str = "<GetCallerIdentityResponse \
    xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>\
    arn:aws:iam::111122223333:user/ana</Arn><UserId>AIDAAAAAAAAAAAAAAAAAA</UserId><Account>\
    111122223333</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>\
    7f5e2f0e-58a5-4a0f-9a3c-0f6c1d3d9f42</RequestId></ResponseMetadata>\
    </GetCallerIdentityResponse>";

/// The proof that each request must bring, if any.
struct Gate {
    key: AccessKey,
    keys: SigningKeys,
}

/// Serves until it is killed, with the runtime and the socket settings of Palisade.
pub fn serve(address: &str, key: Option<AccessKey>) -> Result<()> {
    let gate = key.map(|key| Gate { key, keys: SigningKeys::new(1_024) });
    let gate = Arc::new(gate);
    let workers = std::thread::available_parallelism()?.get();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let gate = gate.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(gate.clone(), request));
                let mut http = hyper::server::conn::http1::Builder::new();
                // A client that hangs up is no news.
                let _ended =
                    http.pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

async fn answer(
    gate: Arc<Option<Gate>>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let kind = hyper::header::HeaderValue::from_static("text/xml");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    if gate.as_ref().as_ref().is_some_and(|gate| gate.check(&head, &body).is_none()) {
        *response.status_mut() = hyper::StatusCode::FORBIDDEN;
    }
    Ok(response)
}

impl Gate {
    fn check(&self, head: &hyper::http::request::Parts, body: &[u8]) -> Option<()> {
        let headers: Vec<_> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let parts = RequestParts {
            method: head.method.as_str(),
            path: head.uri.path().as_bytes(),
            query: head.uri.query().unwrap_or_default().as_bytes(),
            headers: &headers,
            authority: None,
        };
        let Ok(Proof::Signature(parsed)) = parse(&parts) else { return None };
        if parsed.access_key_id != self.key.id {
            return None;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let rules = Rules::standard(i64::try_from(now).ok()?);
        let secret = self.key.secret.as_bytes();
        verify(&parsed, &parts, secret, Payload::Body(body), &rules, &self.keys).ok().map(drop)
    }
}
