//! Segment files: finding, repairing, sealing and removing them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frame::{Found, LogPosition, entry, frame_at, is_sound};
use crate::error::Result;

/// What is known about a segment without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number; segments are written in the order of their numbers.
    pub number: u64,
    /// Bytes of whole records.
    pub bytes: u64,
    /// The earliest time of a record; greater than `last_millis` while it is empty.
    pub first_millis: i64,
    /// The latest time of a record.
    pub last_millis: i64,
}

impl Segment {
    pub(crate) fn empty(number: u64) -> Segment {
        Segment { number, bytes: 0, first_millis: i64::MAX, last_millis: i64::MIN }
    }

    pub(crate) fn add(&mut self, bytes: u64, first_millis: i64, last_millis: i64) {
        self.bytes += bytes;
        self.first_millis = self.first_millis.min(first_millis);
        self.last_millis = self.last_millis.max(last_millis);
    }

    /// The line kept beside a sealed segment, so that opening need not read it.
    fn to_line(self) -> String {
        let Segment { number, bytes, first_millis, last_millis } = self;
        let line = format!("{number} {bytes} {first_millis} {last_millis}");
        let checksum = crc32fast::hash(line.as_bytes());
        format!("{line} {checksum}\n")
    }

    fn from_line(line: &str) -> Option<Segment> {
        let (fields, checksum) = line.trim_end().rsplit_once(' ')?;
        if checksum.parse() != Ok(crc32fast::hash(fields.as_bytes())) {
            return None;
        }
        let mut fields = fields.split(' ');
        Some(Segment {
            number: fields.next()?.parse().ok()?,
            bytes: fields.next()?.parse().ok()?,
            first_millis: fields.next()?.parse().ok()?,
            last_millis: fields.next()?.parse().ok()?,
        })
    }
}

pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.log"))
}

fn index_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.idx"))
}

/// Makes entries created in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

/// All segments in order. The last one is cut where it is torn; the others have been sealed, or are
/// read once more.
pub(crate) fn open_all(folder: &Path) -> Result<Vec<Segment>> {
    std::fs::create_dir_all(folder)?;
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let name = file?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
        numbers.extend::<Option<u64>>(number);
    }
    numbers.sort_unstable();
    let last = numbers.last().copied();
    let mut segments = Vec::new();
    for number in numbers {
        let index = std::fs::read_to_string(index_path(folder, number)).unwrap_or_default();
        let known = Segment::from_line(&index)
            .filter(|known| known.number == number && Some(number) != last);
        segments.push(match known {
            Some(segment) => segment,
            None => repair(folder, number)?,
        });
    }
    Ok(segments)
}

/// Reads a segment to its end and cuts off what is no whole record, keeping the cut beside it.
fn repair(folder: &Path, number: u64) -> Result<Segment> {
    let path = path(folder, number);
    let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
    let mut segment = Segment::empty(number);
    let mut buffer = Vec::new();
    let mut at = 0;
    let mut wanted = 1 << 20;
    loop {
        match frame_at(&buffer, at) {
            Found::Frame(frame) if is_sound(&buffer, &frame) => {
                let place = LogPosition { segment: number, offset: segment.bytes };
                let payload = buffer.get(frame.payload.clone()).unwrap_or_default();
                let Some(entry) = entry(payload, place) else {
                    break;
                };
                segment.add((frame.end - at) as u64, entry.time_millis, entry.time_millis);
                at = frame.end;
            }
            Found::Short(bytes) => {
                wanted = wanted.max(bytes);
                buffer.drain(..at);
                at = 0;
                let before = buffer.len();
                (&mut file).take((wanted - before.min(wanted)) as u64).read_to_end(&mut buffer)?;
                if buffer.len() == before {
                    break;
                }
                wanted = 1 << 20;
            }
            _ => break,
        }
    }
    if file.metadata()?.len() > segment.bytes {
        let mut torn = Vec::new();
        file.seek(SeekFrom::Start(segment.bytes))?;
        file.read_to_end(&mut torn)?;
        // A tail that was never acknowledged as durable; kept for whoever wants to look.
        std::fs::write(path.with_extension("torn"), torn)?;
        file.set_len(segment.bytes)?;
        file.sync_all()?;
    }
    Ok(segment)
}

/// Creates the file of a new segment.
pub(crate) fn create(folder: &Path, number: u64) -> Result<File> {
    let file =
        OpenOptions::new().create(true).append(true).read(true).open(path(folder, number))?;
    sync_folder(folder)?;
    Ok(file)
}

/// Notes what a full segment holds.
pub(crate) fn seal(folder: &Path, segment: Segment) -> Result<()> {
    let mut file = File::create(index_path(folder, segment.number))?;
    file.write_all(segment.to_line().as_bytes())?;
    file.sync_all()?;
    sync_folder(folder)
}

pub(crate) fn remove(folder: &Path, number: u64) -> Result<()> {
    std::fs::remove_file(path(folder, number))?;
    for rest in [index_path(folder, number), path(folder, number).with_extension("torn")] {
        if rest.exists() {
            std::fs::remove_file(rest)?;
        }
    }
    Ok(())
}
