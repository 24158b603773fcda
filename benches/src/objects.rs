//! S3: small objects beside moto, large ones beside plain files, an object of 5 GiB in parts.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::process::{self, Server, element, root_key};
use crate::report::{Table, count, median, micros, times};
use crate::sign::{AccessKey, Signer};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

const CLIENTS: usize = 32;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
const SMALL_BYTES: usize = 1 << 10;
/// Small objects that are put over and over, and read.
const SMALL_KEYS: usize = 512;
const LARGE_BYTES: u64 = 64 << 20;
const HUGE_BYTES: u64 = 5 << 30;
const PART_BYTES: u64 = 64 << 20;
/// Pieces of bodies and files as they are written.
const PIECE_BYTES: usize = 1 << 20;
/// A smaller object in place of the 5 GiB, for trying the program out.
const HUGE_VARIABLE: &str = "PALISADE_BENCH_HUGE_BYTES";

pub struct Contender {
    pub name: &'static str,
    pub server: Server,
    pub root: AccessKey,
}

impl Contender {
    /// A server with the bucket `bench`.
    pub fn new(name: &'static str, server: Server, root: AccessKey) -> Result<Self> {
        let made = Self { name, server, root };
        made.ask("PUT", "/bench")?;
        Ok(made)
    }

    pub fn palisade(binary: &Path, folder: &Path) -> Result<Self> {
        let server = process::palisade(binary, folder, &[])?;
        Self::new("Palisade", server, root_key(folder)?)
    }

    pub fn signer(&self) -> Signer {
        Signer::new(&self.root, "s3", &self.server.host())
    }

    /// One call with an empty body; its answer's body.
    pub fn ask(&self, method: &str, target: &str) -> Result<String> {
        process::exchange(self.server.address, &self.signer().object(method, target, b""))
    }

    fn load(&self, method: &str, body: &[u8], until: Until) -> Result<Load> {
        let signer = self.signer();
        let request = |key: usize| signer.object(method, &format!("/bench/small/{key:04}"), body);
        let requests = (0..SMALL_KEYS).map(request).collect();
        load::run(self.server.address, requests, CLIENTS, until)
    }

    /// Puts bytes and answers the seconds that it took, and the answer's head.
    fn put(&self, target: &str, bytes: u64) -> Result<(f64, String)> {
        let head = self.signer().unsigned("PUT", target, bytes);
        let began = Instant::now();
        let mut stream = TcpStream::connect(self.server.address)?;
        stream.write_all(head.as_bytes())?;
        write_pieces(&mut stream, bytes)?;
        let (answer, _) = read_answer(&mut stream)?;
        Ok((began.elapsed().as_secs_f64(), answer))
    }

    /// Gets an object of that many bytes and answers the seconds that it took.
    fn get(&self, target: &str, bytes: u64) -> Result<f64> {
        let head = self.signer().object("GET", target, b"");
        let began = Instant::now();
        let mut stream = TcpStream::connect(self.server.address)?;
        stream.write_all(&head)?;
        let (_, read) = read_answer(&mut stream)?;
        if read != bytes {
            return Err(format!("{read} bytes came back, not {bytes}").into());
        }
        Ok(began.elapsed().as_secs_f64())
    }
}

fn pair(palisade: &Path, folder: &Path) -> Result<[Contender; 2]> {
    let ours = Contender::palisade(palisade, folder)?;
    let moto = Contender::new("moto_server", process::moto()?, ours.root.clone())?;
    Ok([ours, moto])
}

/// Puts and gets of 1 KiB.
pub fn small(palisade: &Path, folder: &Path) -> Result<Table> {
    let contenders = pair(palisade, &folder.join("small"))?;
    let body = vec![b'x'; SMALL_BYTES];
    for contender in &contenders {
        contender.load("PUT", &body, Until::Sent)?;
    }
    let title = "S3: objects of 1 KiB from 32 clients";
    let head = ["server", "call", "calls/s", "p50", "p99", "of moto"];
    let mut table = Table::new(title, &head);
    for (call, method, body, name) in [
        ("PutObject", "PUT", body.as_slice(), "PutObject of 1 KiB, of moto"),
        ("GetObject", "GET", &[], "GetObject of 1 KiB, of moto"),
    ] {
        let mut rounds: [Vec<Load>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (contender, loads) in contenders.iter().zip(&mut rounds) {
                loads.push(contender.load(method, body, Until::Elapsed(ROUND))?);
            }
        }
        let of = |loads: &[Load], figure: fn(&Load) -> f64| {
            median(&loads.iter().map(figure).collect::<Vec<_>>())
        };
        let [ours, moto] = &rounds;
        let rate = |loads: &[Load]| of(loads, |load| load.per_second);
        let of_moto = rate(ours) / rate(moto);
        for (contender, loads) in contenders.iter().zip(&rounds) {
            table.row(&[
                contender.name.to_owned(),
                call.to_owned(),
                count(rate(loads)),
                micros(of(loads, |load| load.p50_micros)),
                micros(of(loads, |load| load.p99_micros)),
                times(rate(loads) / rate(moto)),
            ]);
        }
        table.goal(name, "≥ 30 ×", times(of_moto), of_moto / 30.0);
    }
    table.note(
        "Each put is checked, encrypted and on disk, bytes and record, before it is answered; moto \
         keeps objects in memory.",
    );
    Ok(table)
}

/// Puts and gets of 64 MiB by one client, and the same with a plain file.
pub fn large(palisade: &Path, folder: &Path) -> Result<Table> {
    let contenders = pair(palisade, &folder.join("large"))?;
    let file = folder.join("plain");
    let mut puts: [Vec<f64>; 3] = Default::default();
    let mut gets: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (place, contender) in contenders.iter().enumerate() {
            puts[place].push(contender.put("/bench/large", LARGE_BYTES)?.0);
            gets[place].push(contender.get("/bench/large", LARGE_BYTES)?);
        }
        puts[2].push(write_file(&file, LARGE_BYTES)?);
        gets[2].push(read_file(&file)?);
    }
    std::fs::remove_file(&file)?;
    let names = ["Palisade", "moto_server", "a plain file, with fsync"];
    let head = ["what", "put", "get", "put, of plain", "get, of plain"];
    let mut table = Table::new("S3: objects of 64 MiB", &head);
    let (plain_put, plain_get) = (median(&puts[2]), median(&gets[2]));
    let rate = |seconds: f64| format!("{} MiB/s", count(LARGE_BYTES as f64 / seconds / 1048576.0));
    for (place, name) in names.iter().enumerate() {
        let (put, get) = (median(&puts[place]), median(&gets[place]));
        table.row(&[
            (*name).to_owned(),
            rate(put),
            rate(get),
            times(put / plain_put),
            times(get / plain_get),
        ]);
    }
    let (put, get) = (median(&puts[0]) / plain_put, median(&gets[0]) / plain_get);
    table.goal("put of 64 MiB, time of a plain file's", "≤ 1.5 ×", times(put), 1.5 / put);
    table.goal("get of 64 MiB, time of a plain file's", "≤ 1.5 ×", times(get), 1.5 / get);
    table.note(
        "One client on one connection. A put computes MD5 and CRC-64/NVME, encrypts with \
         AES-256-GCM and syncs; a get decrypts and authenticates. The plain file is read from the \
         kernel's cache, as the object's blob is.",
    );
    Ok(table)
}

/// An object of 5 GiB in parts of 64 MiB, put and read, and the server's peak memory.
pub fn multipart(palisade: &Path, folder: &Path) -> Result<Table> {
    let folder = folder.join("huge");
    let bytes = match std::env::var(HUGE_VARIABLE) {
        Ok(text) => text.parse()?,
        Err(_) => HUGE_BYTES,
    };
    let (put, get, peak) = {
        let ours = Contender::palisade(palisade, &folder)?;
        let put = upload(&ours, bytes)?;
        (put, ours.get("/bench/huge", bytes)?, ours.server.peak_mib()?)
    };
    std::fs::remove_dir_all(&folder)?;
    let mib = bytes as f64 / 1048576.0;
    let mut table =
        Table::new("S3: an object in parts of 64 MiB", &["object", "put", "get", "peak memory"]);
    table.row(&[
        format!("{} MiB", count(mib)),
        format!("{} MiB/s", count(mib / put)),
        format!("{} MiB/s", count(mib / get)),
        format!("{} MiB", count(peak)),
    ]);
    let measured = format!("{} MiB", count(peak));
    table.goal("peak memory at 5 GiB put and got", "< 100 MiB", measured, 100.0 / peak);
    table.note("Parts one after the other on connections of their own; peak memory is VmHWM.");
    Ok(table)
}

fn upload(ours: &Contender, bytes: u64) -> Result<f64> {
    let began = Instant::now();
    let made = ours.ask("POST", "/bench/huge?uploads=")?;
    let id = element(&made, "UploadId")?;
    let (mut left, mut number, mut parts) = (bytes, 0, String::new());
    while left > 0 {
        number += 1;
        let size = left.min(PART_BYTES);
        let target = format!("/bench/huge?partNumber={number}&uploadId={id}");
        let (_, head) = ours.put(&target, size)?;
        let etag = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("etag").then(|| value.trim().to_owned())
        });
        let etag = etag.ok_or("a part without ETag")?;
        parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        left -= size;
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let target = format!("/bench/huge?uploadId={id}");
    let request = ours.signer().object("POST", &target, body.as_bytes());
    process::exchange(ours.server.address, &request)?;
    Ok(began.elapsed().as_secs_f64())
}

/// Writes so many bytes, each piece with a beginning of its own.
fn write_pieces(out: &mut impl Write, bytes: u64) -> Result<()> {
    let mut piece: Vec<u8> = (0..PIECE_BYTES).map(|place| (place * 31 % 251) as u8).collect();
    let (mut left, mut turn) = (bytes, 0_u64);
    while left > 0 {
        let size = usize::try_from(left.min(PIECE_BYTES as u64))?;
        if let Some(start) = piece.first_chunk_mut::<8>() {
            *start = turn.to_le_bytes();
        }
        out.write_all(piece.get(..size).unwrap_or_default())?;
        (left, turn) = (left - size as u64, turn + 1);
    }
    Ok(())
}

/// The head of an answer that must be 200, and how many bytes its body has.
fn read_answer(stream: &mut TcpStream) -> Result<(String, u64)> {
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut head, mut body) = (Vec::new(), 0_u64);
    let text = loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err("the connection was closed before an answer".into());
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            body += (head.len() - end - 4) as u64;
            head.truncate(end);
            break String::from_utf8_lossy(&head).into_owned();
        }
    };
    if text.split(' ').nth(1) != Some("200") {
        return Err(format!("not 200: {text}").into());
    }
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is = name.eq_ignore_ascii_case("content-length");
        if is { value.trim().parse::<u64>().ok() } else { None }
    });
    let length = length.ok_or("an answer without length")?;
    while body < length {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err("the connection was closed within an answer".into());
        }
        body += read as u64;
    }
    Ok((text, body))
}

fn write_file(path: &Path, bytes: u64) -> Result<f64> {
    let began = Instant::now();
    let mut file = File::create(path)?;
    write_pieces(&mut file, bytes)?;
    file.sync_all()?;
    Ok(began.elapsed().as_secs_f64())
}

fn read_file(path: &Path) -> Result<f64> {
    let began = Instant::now();
    let (mut file, mut buffer) = (File::open(path)?, vec![0; PIECE_BYTES]);
    while file.read(&mut buffer)? > 0 {}
    Ok(began.elapsed().as_secs_f64())
}
