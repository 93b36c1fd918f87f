//! Floor 4: files that are named by what is in them, in a folder or in a bucket of an S3-compatible store.
//!
//! A file is hashed (and, where its bytes go to a bucket, scanned) while it comes, and has its place only once it is whole: by one rename
//! in a folder, by the end of its upload in a bucket. Each has a name of its own (its digest and an id), so that removing an old one
//! never touches a newer one with the same bytes. Which names are in use is said by the store.
//!
//! Not here: who may write and read, and how large a file may be.

mod folder;
mod s3;
mod scan;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::BoxStream;
use tokio_util::bytes::Bytes;
use uuid::Uuid;

use folder::Folder;
use s3::Bucket;
pub use s3::{S3Error, S3Options};
use scan::Feed;
pub use scan::{Scan, Scanner};

use crate::crypto::Sha256;
use crate::domain::{Digest, Timestamp};

/// The bytes of a file as they are read.
pub type Reading = BoxStream<'static, io::Result<Bytes>>;

/// From where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(String);

/// Where files lie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault(Backend);

#[derive(Debug, Clone)]
enum Backend {
    Folder(Folder),
    Bucket(Arc<Bucket>),
}

impl Vault {
    /// A vault in this folder; nothing is touched yet.
    pub fn folder(folder: PathBuf) -> Self {
        Self(Backend::Folder(Folder::new(folder)))
    }

    /// A vault in a bucket; nothing is asked yet.
    ///
    /// # Errors
    /// When the authorities' certificates cannot be read, or the address is none.
    pub fn bucket(options: S3Options) -> Result<Self, S3Error> {
        Ok(Self(Backend::Bucket(Arc::new(Bucket::new(options)?))))
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        match &self.0 {
            Backend::Folder(folder) => folder.path().display().to_string(),
            Backend::Bucket(bucket) => bucket.place(),
        }
    }

    /// Makes the folders where they are missing, and sees that files can be written. A bucket's store that is away is no error.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn prepare(&self) -> io::Result<()> {
        match &self.0 {
            Backend::Folder(folder) => folder.prepare().await,
            Backend::Bucket(bucket) => bucket.prepare().await.map_err(io::Error::other),
        }
    }

    /// Begins a file that is to have this digest, and that this scanner is to see.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn begin(&self, digest: Digest, scanner: Scanner) -> io::Result<Incoming> {
        let name = format!("{digest}.{}", Uuid::now_v7().simple());
        let (to, feed) = match &self.0 {
            Backend::Folder(folder) => (To::Folder(folder.begin().await?), None),
            // Nothing of it is on this machine: the scanner sees the bytes as they pass.
            Backend::Bucket(bucket) => (To::Bucket(bucket.begin(&name)), scanner.feed()),
        };
        Ok(Incoming { name, announced: digest, to, hash: Sha256::new(), size_bytes: 0, scanner, feed })
    }

    /// Gives a received file its place and answers its name. It is durable then, and its name too.
    ///
    /// # Errors
    /// When it has another digest than it was begun with, or cannot be put there; it is gone then.
    pub async fn keep(&self, received: Received) -> io::Result<String> {
        if received.digest != received.announced {
            return Err(io::Error::other("the bytes have another digest than the name says"));
        }
        match (&self.0, received.at) {
            (Backend::Folder(folder), At::Folder(written)) => folder.keep(written, &received.name).await?,
            (Backend::Bucket(bucket), At::Bucket(sent)) => bucket.keep(sent, received.size_bytes).await?,
            (Backend::Folder(_), At::Bucket(_)) | (Backend::Bucket(_), At::Folder(_)) => {
                return Err(io::Error::other("a file of another vault"));
            }
        }
        Ok(received.name)
    }

    /// Whether a file is there.
    ///
    /// # Errors
    /// When the disk fails, or the bucket's store is away.
    pub async fn holds(&self, name: &str) -> io::Result<bool> {
        match &self.0 {
            Backend::Folder(folder) => folder.holds(name).await,
            Backend::Bucket(bucket) => Ok(bucket.size_of(name).await?.is_some()),
        }
    }

    /// Reads a file of this size from a byte on; `None`: it is not there.
    ///
    /// # Errors
    /// When the disk fails, or the bucket's store is away.
    pub async fn read(&self, name: &str, from: u64, size_bytes: u64) -> io::Result<Option<Reading>> {
        match &self.0 {
            Backend::Folder(folder) => folder.read(name, from, size_bytes).await,
            Backend::Bucket(bucket) => Ok(bucket.clone().read(name, from, size_bytes).await?),
        }
    }

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// When the disk fails, or the bucket's store is away.
    pub async fn remove(&self, name: &str) -> io::Result<()> {
        match &self.0 {
            Backend::Folder(folder) => folder.remove(name).await,
            Backend::Bucket(bucket) => Ok(bucket.remove(name).await?),
        }
    }

    /// Removes what was begun, in a folder not written to since an instant, in a bucket begun before it: a node died over it. Answers how
    /// many there were.
    ///
    /// # Errors
    /// When the disk fails, or the bucket's store is away.
    pub async fn remove_unfinished(&self, before: Timestamp) -> io::Result<usize> {
        match &self.0 {
            Backend::Folder(folder) => folder.remove_unfinished(before).await,
            Backend::Bucket(bucket) => Ok(bucket.remove_unfinished(before).await?),
        }
    }

    /// Names of files that have their place and were not written to since an instant, a page of them, and the next page if there is one.
    ///
    /// # Errors
    /// When the disk fails, or the bucket's store is away.
    pub async fn names(&self, before: Timestamp, page: Option<Page>) -> io::Result<(Vec<String>, Option<Page>)> {
        match &self.0 {
            Backend::Folder(folder) => folder.names(before, page).await,
            Backend::Bucket(bucket) => Ok(bucket.names(before, page).await?),
        }
    }
}

/// A file on its way in. Dropped before its end, it leaves nothing behind.
pub struct Incoming {
    name: String,
    announced: Digest,
    to: To,
    hash: Sha256,
    size_bytes: u64,
    scanner: Scanner,
    feed: Option<Feed>,
}

enum To {
    Folder(folder::Writing),
    Bucket(s3::Sending),
}

impl Incoming {
    /// How much has come.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the disk fails or is full, or the bucket's store does not take them.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        if let Some(feed) = &mut self.feed {
            feed.write(bytes).await;
        }
        match &mut self.to {
            To::Folder(writing) => writing.write(bytes).await,
            To::Bucket(sending) => Ok(sending.write(bytes).await?),
        }
    }

    /// Ends the file: its bytes are durable then, or small enough to be sent when it is kept.
    ///
    /// # Errors
    /// When the disk fails or is full, or the bucket's store does not take them.
    pub async fn finish(self) -> io::Result<Received> {
        let Self { name, announced, to, hash, size_bytes, scanner, feed } = self;
        let at = match to {
            To::Folder(writing) => At::Folder(writing.finish().await?),
            To::Bucket(sending) => At::Bucket(sending.finish().await?),
        };
        Ok(Received { name, announced, at, digest: hash.finish(), size_bytes, scanner, feed })
    }
}

/// A whole file that has no place yet. Dropped, it is removed.
pub struct Received {
    name: String,
    announced: Digest,
    at: At,
    /// What is in it.
    pub digest: Digest,
    /// How large it is.
    pub size_bytes: u64,
    scanner: Scanner,
    feed: Option<Feed>,
}

enum At {
    Folder(folder::Temporary),
    Bucket(s3::Sent),
}

impl Received {
    /// What the scanner says of it.
    pub async fn scan(&mut self) -> Scan {
        match (self.feed.take(), &self.at) {
            (Some(feed), _) => feed.finish().await,
            (None, At::Folder(written)) => match written.path() {
                Some(path) => self.scanner.look_at(path).await,
                None => Scan::Unknown("the file is gone".to_owned()),
            },
            // It was fed if there is a scanner; asked twice, there is nothing more to say.
            (None, At::Bucket(_)) if self.scanner.is_none() => Scan::Clean,
            (None, At::Bucket(_)) => Scan::Unknown("the scanner was asked before".to_owned()),
        }
    }
}

/// Whether a name is of the form that [`Vault::begin`] gives; other files are not ours to remove.
fn is_name(name: &str) -> bool {
    let id = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    name.split_once('.').is_some_and(|(digest, rest)| Digest::parse_hex(digest).is_ok() && id(rest))
}
