//! Blobs as files: `blobs/ab/<64 digits>`, written in `blobs/incoming` and renamed when whole.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::{Blob, BlobName, BlobWriter, Blobs, Verifying};
use crate::error::Result;

const INCOMING: &str = "incoming";

/// Blobs in a folder of the local disk. One process at a time owns the folder.
pub struct LocalBlobs {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    next: AtomicU64,
    /// Held while a blob takes its name or is removed, so that a blob just written is not removed
    /// for being old.
    naming: Mutex<()>,
}

impl LocalBlobs {
    /// Opens the folder, creating what is missing and removing what was never finished.
    pub fn open(folder: &Path) -> Result<LocalBlobs> {
        let incoming = folder.join(INCOMING);
        std::fs::create_dir_all(&incoming)?;
        for left in std::fs::read_dir(&incoming)? {
            std::fs::remove_file(left?.path())?;
        }
        File::open(folder)?.sync_all()?;
        let folder = folder.to_path_buf();
        let shared = Shared { folder, next: AtomicU64::new(0), naming: Mutex::default() };
        Ok(LocalBlobs { shared: Arc::new(shared) })
    }

    pub(super) fn begin(&self) -> Result<LocalWriter> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.folder.join(INCOMING).join(number.to_string());
        let file = File::options().create_new(true).read(true).write(true).open(&path)?;
        let shared = self.shared.clone();
        Ok(LocalWriter { shared, path, file, digest: Sha256::new(), bytes: 0 })
    }

    fn open_blob(&self, name: &BlobName) -> Result<Option<File>> {
        match File::open(self.shared.path(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Shared {
    fn drawer(&self, name: &BlobName) -> PathBuf {
        let [first, ..] = name.0;
        self.folder.join(format!("{first:02x}"))
    }

    fn path(&self, name: &BlobName) -> PathBuf {
        self.drawer(name).join(name.to_string())
    }
}

pub(super) struct LocalWriter {
    shared: Arc<Shared>,
    path: PathBuf,
    file: File,
    digest: Sha256,
    bytes: u64,
}

impl LocalWriter {
    fn name(&self) -> (BlobName, u64) {
        (BlobName(self.digest.clone().finalize().into()), self.bytes)
    }
}

/// For blobs that are put together here and kept elsewhere.
#[cfg(feature = "s3-blobs")]
impl LocalWriter {
    pub(super) fn spooled(&mut self) -> (BlobName, u64, &mut File) {
        let (name, bytes) = self.name();
        (name, bytes, &mut self.file)
    }
}

impl BlobWriter for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(BlobName, u64)> {
        self.file.sync_all()?;
        let (name, bytes) = self.name();
        let drawer = self.shared.drawer(&name);
        if !drawer.exists() {
            std::fs::create_dir_all(&drawer)?;
            File::open(&self.shared.folder)?.sync_all()?;
        }
        // A blob that is there already is replaced by its equal, which makes it young again.
        let naming = self.shared.naming.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::rename(&self.path, self.shared.path(&name))?;
        drop(naming);
        File::open(drawer)?.sync_all()?;
        Ok((name, bytes))
    }
}

impl Drop for LocalWriter {
    fn drop(&mut self) {
        // Gone already when the blob was finished; what stays behind is removed at the next open.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Blobs for LocalBlobs {
    fn writer(&self) -> Result<Box<dyn BlobWriter>> {
        Ok(Box::new(self.begin()?))
    }

    fn reader(&self, name: &BlobName) -> Result<Option<Box<dyn Read + Send>>> {
        let file = self.open_blob(name)?;
        Ok(file.map(|file| Box::new(Verifying::new(file, *name)) as Box<dyn Read + Send>))
    }

    fn range(
        &self,
        name: &BlobName,
        offset: u64,
        bytes: u64,
    ) -> Result<Option<Box<dyn Read + Send>>> {
        let Some(mut file) = self.open_blob(name)? else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(offset))?;
        Ok(Some(Box::new(file.take(bytes))))
    }

    fn list(&self, after: Option<&BlobName>, limit: usize) -> Result<Vec<Blob>> {
        let mut found = Vec::new();
        let first = after.map_or(0, |name| name.0.first().copied().unwrap_or_default());
        for drawer in first..=u8::MAX {
            if found.len() >= limit {
                break;
            }
            let mut page = list_drawer(&self.shared.folder.join(format!("{drawer:02x}")))?;
            page.retain(|blob| after.is_none_or(|after| blob.name > *after));
            page.sort_by_key(|blob| blob.name);
            found.append(&mut page);
        }
        found.truncate(limit);
        Ok(found)
    }

    fn remove(&self, name: &BlobName, written_before_millis: i64) -> Result<bool> {
        let path = self.shared.path(name);
        let _naming = self.shared.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = match std::fs::metadata(&path) {
            Ok(metadata) if written_millis(&metadata)? >= written_before_millis => Ok(false),
            Ok(_) => std::fs::remove_file(&path).map(|()| true),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            removed => Ok(removed?),
        }
    }
}

fn written_millis(metadata: &std::fs::Metadata) -> Result<i64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn list_drawer(path: &Path) -> Result<Vec<Blob>> {
    let files = match std::fs::read_dir(path) {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut blobs = Vec::new();
    for file in files {
        let file = file?;
        let Some(name) = file.file_name().to_str().and_then(BlobName::from_hex) else {
            continue;
        };
        let metadata = match file.metadata() {
            Ok(metadata) => metadata,
            // Removed since the folder was read.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let written_millis = written_millis(&metadata)?;
        blobs.push(Blob { name, bytes: metadata.len(), written_millis });
    }
    Ok(blobs)
}
