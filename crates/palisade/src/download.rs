//! Answers whose bodies stream: an object's bytes, read from its blobs while they are sent.

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{Either, Full};
use palisade_services::errors::internal;
use palisade_services::s3::content::{Content, ContentReader};
use palisade_shape::{Error, Result};
use palisade_store::blobs::Blobs;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The body of an answer: whole in memory, or streamed.
pub type Body = Either<Full<Bytes>, Streamed>;

/// Frames read ahead of a slow client, 64 KiB each.
const FRAMES_AHEAD: usize = 4;

/// A body in memory.
pub fn whole(body: Full<Bytes>) -> Body {
    Either::Left(body)
}

/// A body on its way from the disk.
pub struct Streamed {
    frames: mpsc::Receiver<Result<Bytes, Altered>>,
    left: u64,
}

/// The stored bytes are not those that were stored. The connection ends before the whole length
/// that was announced, so that nobody takes the body for complete.
#[derive(Debug)]
pub struct Altered(Error);

impl std::fmt::Display for Altered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Altered {}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Altered;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Altered>>> {
        let next = std::task::ready!(self.frames.poll_recv(cx));
        if let Some(Ok(bytes)) = &next {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(next.map(|next| next.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Begins to read content. What is altered in its first frame is refused before anything is sent.
pub async fn body(content: Content, blobs: Arc<dyn Blobs>) -> Result<Body> {
    let bytes = content.bytes;
    let begin = move || {
        let mut reader = content.reader(blobs);
        let first = reader.frame()?;
        Ok::<_, Error>((first.unwrap_or_default(), reader))
    };
    let begun = tokio::task::spawn_blocking(begin).await.map_err(internal)?;
    let (first, reader) = begun?;
    if first.len() as u64 == bytes {
        return Ok(whole(Full::new(Bytes::from(first))));
    }
    let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
    tokio::task::spawn_blocking(move || send(first, reader, &sender));
    Ok(Either::Right(Streamed { frames, left: bytes }))
}

/// Sends frame by frame until the end, or until the client is gone.
fn send(first: Vec<u8>, mut reader: ContentReader, sender: &mpsc::Sender<Result<Bytes, Altered>>) {
    let mut next: Result<_> = Ok(Some(first));
    loop {
        let frame = match next {
            Ok(Some(bytes)) => Ok(Bytes::from(bytes)),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(cause = error.internal, "an object cannot be read");
                Err(Altered(error))
            }
        };
        let failed = frame.is_err();
        if sender.blocking_send(frame).is_err() || failed {
            return;
        }
        next = reader.frame();
    }
}
