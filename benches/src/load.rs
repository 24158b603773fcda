//! The load generator: keep-alive connections on one thread, each with one request under way.

use crate::Result;
use bytes::Bytes;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// When to stop.
#[derive(Clone, Copy)]
pub enum Until {
    /// Send the requests over and over for so long; what happens in the first fifth is not counted.
    Elapsed(Duration),
    /// Send each request once.
    Sent,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    pub per_second: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
}

struct Shared {
    address: SocketAddr,
    requests: Vec<Bytes>,
    next: Cell<usize>,
    until: Until,
    began: Instant,
    nanos: RefCell<Vec<u32>>,
    first_refusal: RefCell<Option<String>>,
}

/// Sends `requests` over so many connections. Any answer but 200 is an error: a benchmark of
/// refusals would be worth nothing.
pub fn run(
    address: SocketAddr,
    requests: Vec<Bytes>,
    connections: usize,
    until: Until,
) -> Result<Load> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let shared = Rc::new(Shared {
        address,
        requests,
        next: Cell::new(0),
        until,
        began: Instant::now(),
        nanos: RefCell::default(),
        first_refusal: RefCell::default(),
    });
    let all = async {
        let tasks: Vec<_> = (0..connections)
            .map(|_| tokio::task::spawn_local(connection(shared.clone())))
            .collect();
        for task in tasks {
            task.await??;
        }
        Result::Ok(())
    };
    runtime.block_on(local.run_until(all))?;
    if let Some(refusal) = shared.first_refusal.borrow().as_ref() {
        return Err(format!("an answer was not 200: {refusal}").into());
    }
    let counted = match until {
        Until::Elapsed(duration) => duration.mul_f64(0.8),
        Until::Sent => shared.began.elapsed(),
    };
    let mut nanos = shared.nanos.take();
    nanos.sort_unstable();
    let at = |share: f64| {
        let index = (nanos.len() as f64 * share) as usize;
        nanos.get(index).map_or(0.0, |nanos| f64::from(*nanos) / 1_000.0)
    };
    let per_second = nanos.len() as f64 / counted.as_secs_f64();
    Ok(Load { per_second, p50_micros: at(0.5), p99_micros: at(0.99) })
}

async fn connection(shared: Rc<Shared>) -> Result<()> {
    let mut stream: Option<TcpStream> = None;
    let mut buffer = vec![0; 16 << 10];
    while let Some(request) = shared.take() {
        let sent = Instant::now();
        let mut connected = match stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(shared.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        connected.write_all(&request).await?;
        let answer = read_answer(&mut connected, &mut buffer).await?;
        shared.note(sent);
        if let Some(refusal) = answer.refusal {
            shared.first_refusal.borrow_mut().get_or_insert(refusal);
            return Ok(());
        }
        stream = answer.keep_alive.then_some(connected);
    }
    Ok(())
}

impl Shared {
    fn take(&self) -> Option<Bytes> {
        let next = self.next.get();
        self.next.set(next + 1);
        match self.until {
            Until::Elapsed(duration) if self.began.elapsed() >= duration => None,
            Until::Elapsed(_) => self.requests.get(next % self.requests.len()).cloned(),
            Until::Sent => self.requests.get(next).cloned(),
        }
    }

    fn note(&self, sent: Instant) {
        if let Until::Elapsed(duration) = self.until {
            let elapsed = self.began.elapsed();
            if elapsed < duration.mul_f64(0.2) || elapsed > duration {
                return;
            }
        }
        let nanos = u32::try_from(sent.elapsed().as_nanos()).unwrap_or(u32::MAX);
        self.nanos.borrow_mut().push(nanos);
    }
}

struct Answer {
    keep_alive: bool,
    refusal: Option<String>,
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Answer> {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err("a connection was closed within an answer".into());
        }
        filled += read;
        if let Some(answer) = parse(&buffer[..filled])? {
            return Ok(answer);
        }
    }
}

/// None while the answer is not complete. Answers without a length are not understood.
fn parse(bytes: &[u8]) -> Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length: usize = header("content-length").ok_or("no Content-Length")?.parse()?;
    if bytes.len() < head + length {
        return Ok(None);
    }
    let keep_alive = response.version == Some(1)
        && !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let refusal = (response.code != Some(200)).then(|| String::from_utf8_lossy(bytes).into_owned());
    Ok(Some(Answer { keep_alive, refusal }))
}
