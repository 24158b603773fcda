//! Blobs on S3-compatible storage: `<prefix>/ab/<64 digits>`.
//!
//! A blob's name is known only at its end, so it is put together in a local file and uploaded then.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::runtime::{Builder, Handle, Runtime};

use super::local::{LocalBlobs, LocalWriter};
use super::{Blob, BlobName, BlobWriter, Blobs, Verifying};
use crate::error::{Result, StoreError};

/// Bytes in one part of an upload and in one read.
const PART: usize = 8 << 20;

/// How to reach the storage.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Such as `https://s3.eu-central-1.amazonaws.com`; `http` only where `allow_http` is set.
    pub endpoint: String,
    /// Whether an `http` endpoint may be used.
    pub allow_http: bool,
    /// The signing region.
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// What the keys begin with; may be empty.
    pub prefix: String,
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

/// Blobs in a bucket.
pub struct S3Blobs {
    shared: Arc<Shared>,
    /// Where blobs are put together.
    spool: LocalBlobs,
}

struct Shared {
    bucket: AmazonS3,
    prefix: Path,
    runtime: Runtime,
}

impl S3Blobs {
    /// Uses a bucket, and a local folder in which blobs are put together.
    pub fn open(options: &S3Options, spool: &FilePath) -> Result<S3Blobs> {
        let bucket = AmazonS3Builder::new()
            .with_endpoint(&options.endpoint)
            .with_allow_http(options.allow_http)
            .with_region(&options.region)
            .with_bucket_name(&options.bucket)
            .with_access_key_id(&options.access_key_id)
            .with_secret_access_key(&options.secret_access_key)
            .build()
            .map_err(s3_error)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-s3")
            .enable_all()
            .build()?;
        let prefix = Path::from(options.prefix.as_str());
        let shared = Arc::new(Shared { bucket, prefix, runtime });
        Ok(S3Blobs { shared, spool: LocalBlobs::open(spool)? })
    }
}

impl Shared {
    fn drawer(&self, number: u8) -> Path {
        self.prefix.clone().join(format!("{number:02x}"))
    }

    fn path(&self, name: &BlobName) -> Path {
        let [first, ..] = name.0;
        self.drawer(first).join(name.to_string())
    }

    /// Waits for a future, on a thread of its own when this one drives another runtime.
    fn wait<T: Send>(
        &self,
        future: impl Future<Output = std::result::Result<T, Error>> + Send,
    ) -> Result<Option<T>> {
        let result = if Handle::try_current().is_err() {
            Ok(self.runtime.block_on(future))
        } else {
            std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(future)).join())
        };
        match result {
            Ok(Ok(value)) => Ok(Some(value)),
            Ok(Err(Error::NotFound { .. })) => Ok(None),
            Ok(Err(error)) => Err(s3_error(error)),
            Err(_) => Err(StoreError::Io("waiting for the blob storage failed".into())),
        }
    }

    async fn upload(&self, path: &Path, file: &mut File) -> std::result::Result<(), Error> {
        let generic =
            |error: std::io::Error| Error::Generic { store: "spool", source: error.into() };
        file.seek(SeekFrom::Start(0)).map_err(generic)?;
        let mut part = read_part(file).map_err(generic)?;
        if part.len() < PART {
            self.bucket.put(path, PutPayload::from(part)).await?;
            return Ok(());
        }
        let mut upload = self.bucket.put_multipart(path).await?;
        while !part.is_empty() {
            if let Err(error) = upload.put_part(PutPayload::from(part)).await {
                // Parts of an upload that is never completed cost until they are removed.
                let _ = upload.abort().await;
                return Err(error);
            }
            part = read_part(file).map_err(generic)?;
        }
        upload.complete().await?;
        Ok(())
    }
}

fn read_part(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part)?;
    Ok(part)
}

fn s3_error(error: Error) -> StoreError {
    StoreError::Io(format!("blob storage: {error}"))
}

struct S3Writer {
    shared: Arc<Shared>,
    spooled: LocalWriter,
}

impl BlobWriter for S3Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.spooled.write(bytes)
    }

    fn finish(mut self: Box<Self>) -> Result<(BlobName, u64)> {
        let (name, bytes, file) = self.spooled.spooled();
        let path = self.shared.path(&name);
        let uploaded = self.shared.wait(self.shared.upload(&path, file))?;
        uploaded.ok_or_else(|| StoreError::Io("blob storage: the bucket is missing".into()))?;
        Ok((name, bytes))
    }
}

/// Reads a range of an object, a part at a time.
struct S3Reader {
    shared: Arc<Shared>,
    path: Path,
    next: u64,
    end: u64,
    part: std::io::Cursor<Vec<u8>>,
}

impl Read for S3Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.part.read(buffer)?;
        if count > 0 || buffer.is_empty() || self.next >= self.end {
            return Ok(count);
        }
        let end = self.end.min(self.next + PART as u64);
        let range = self.shared.bucket.get_range(&self.path, self.next..end);
        let part = self.shared.wait(range).map_err(std::io::Error::other)?;
        let part = part.ok_or(std::io::ErrorKind::NotFound)?;
        if part.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.next += part.len() as u64;
        self.part = std::io::Cursor::new(part.to_vec());
        self.part.read(buffer)
    }
}

impl S3Blobs {
    fn open_range(&self, name: &BlobName, offset: u64, bytes: u64) -> Result<Option<S3Reader>> {
        let path = self.shared.path(name);
        let Some(found) = self.shared.wait(self.shared.bucket.head(&path))? else {
            return Ok(None);
        };
        let end = found.size.min(offset.saturating_add(bytes));
        let part = std::io::Cursor::default();
        Ok(Some(S3Reader { shared: self.shared.clone(), path, next: offset, end, part }))
    }
}

impl Blobs for S3Blobs {
    fn writer(&self) -> Result<Box<dyn BlobWriter>> {
        let (shared, spooled) = (self.shared.clone(), self.spool.begin()?);
        Ok(Box::new(S3Writer { shared, spooled }))
    }

    fn reader(&self, name: &BlobName) -> Result<Option<Box<dyn Read + Send>>> {
        let reader = self.open_range(name, 0, u64::MAX)?;
        Ok(reader.map(|reader| Box::new(Verifying::new(reader, *name)) as Box<dyn Read + Send>))
    }

    fn range(
        &self,
        name: &BlobName,
        offset: u64,
        bytes: u64,
    ) -> Result<Option<Box<dyn Read + Send>>> {
        let reader = self.open_range(name, offset, bytes)?;
        Ok(reader.map(|reader| Box::new(reader) as Box<dyn Read + Send>))
    }

    fn list(&self, after: Option<&BlobName>, limit: usize) -> Result<Vec<Blob>> {
        let mut found = Vec::new();
        let first = after.map_or(0, |name| name.0.first().copied().unwrap_or_default());
        for drawer in first..=u8::MAX {
            if found.len() >= limit {
                break;
            }
            let drawer = self.shared.drawer(drawer);
            let listed = self.shared.wait(self.shared.bucket.list_with_delimiter(Some(&drawer)))?;
            let objects = listed.map(|listed| listed.objects).unwrap_or_default();
            let mut page: Vec<Blob> = objects
                .into_iter()
                .filter_map(|object| {
                    let name = BlobName::from_hex(object.location.filename()?)?;
                    let written_millis = object.last_modified.timestamp_millis();
                    Some(Blob { name, bytes: object.size, written_millis })
                })
                .filter(|blob| after.is_none_or(|after| blob.name > *after))
                .collect();
            page.sort_by_key(|blob| blob.name);
            found.append(&mut page);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The storage cannot compare and delete at once: leave a margin in the time given.
    fn remove(&self, name: &BlobName, written_before_millis: i64) -> Result<bool> {
        let path = self.shared.path(name);
        match self.shared.wait(self.shared.bucket.head(&path))? {
            None => Ok(true),
            Some(found) if found.last_modified.timestamp_millis() >= written_before_millis => {
                Ok(false)
            }
            Some(_) => self.shared.wait(self.shared.bucket.delete(&path)).map(|_| true),
        }
    }
}
