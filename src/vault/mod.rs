//! Floor 4: a folder of files that are named by what is in them.
//!
//! A file comes into being under a name that nothing else knows (`incoming/`), is hashed while it is written, and takes its place by one
//! rename after its bytes are on the disk. Each has a name of its own (its digest and an id), so that removing an old one never touches
//! a newer one with the same bytes. Which names are in use is said by the store.
//!
//! Not here: who may write and read, and how large a file may be.

mod scan;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use uuid::Uuid;

pub use scan::{Scan, scan};

use crate::crypto::Sha256;
use crate::domain::{Digest, Timestamp};

/// Where files lie while they are written.
const INCOMING: &str = "incoming";
/// Its owner writes, and a scanner of the same group may read.
const FILE_MODE: u32 = 0o640;
/// How many bytes are gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: Arc<Path>,
}

impl Vault {
    /// A vault in this folder; nothing is touched yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folders where they are missing, and sees that files can be written.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn prepare(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        blocking(move || {
            let incoming = folder.join(INCOMING);
            std::fs::create_dir_all(&incoming)?;
            // All of them now, so that no file is in a folder whose own name is not on the disk yet.
            for shard in shards() {
                match std::fs::create_dir(folder.join(shard)) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            std::fs::File::open(&folder)?.sync_all()?;
            drop(tempfile::Builder::new().prefix("start-").tempfile_in(&incoming)?);
            Ok(())
        })
        .await
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn begin(&self) -> io::Result<Incoming> {
        let path = self.folder.join(INCOMING).join(format!("{}.part", Uuid::now_v7().simple()));
        let file = File::options().write(true).create_new(true).mode(FILE_MODE).open(&path).await?;
        let path = Temporary(Some(path));
        Ok(Incoming { path, file: BufWriter::with_capacity(BUFFER_BYTES, file), hash: Sha256::new(), size_bytes: 0 })
    }

    /// Gives a received file its place and answers its name. It is on the disk then, and its name too.
    ///
    /// # Errors
    /// When it cannot be moved; it is gone then.
    pub async fn keep(&self, received: Received) -> io::Result<String> {
        let name = format!("{}.{}", received.digest, Uuid::now_v7().simple());
        let (folder, to) = (self.folder.clone(), self.path(&name));
        let path = received.path;
        blocking(move || {
            if let Some(from) = path.0.as_deref() {
                put_in_place(&folder, from, &to)?;
            }
            path.forget();
            Ok(())
        })
        .await?;
        Ok(name)
    }

    /// Opens a file; `None`: it is not there.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn open(&self, name: &str) -> io::Result<Option<File>> {
        match File::open(self.path(name)).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn remove(&self, name: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.path(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes what was begun and not written to since an instant: a node died over it. Answers how many there were.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn remove_unfinished(&self, before: Timestamp) -> io::Result<usize> {
        let incoming = self.folder.join(INCOMING);
        blocking(move || {
            let mut removed = 0;
            for path in older_files(&incoming, before)? {
                std::fs::remove_file(path)?;
                removed += 1;
            }
            Ok(removed)
        })
        .await
    }

    /// The names of all files that have their place and were not written to since an instant.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn names(&self, before: Timestamp) -> io::Result<Vec<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            let mut names = Vec::new();
            for shard in shards() {
                let inside = match older_files(&folder.join(shard), before) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    inside => inside?,
                };
                let inside = inside.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
                names.extend(inside.filter(|name| is_name(name)));
            }
            Ok(names)
        })
        .await
    }

    /// Two hexadecimal digits of folders keep each of them small.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name.get(..2).unwrap_or("00")).join(name)
    }
}

/// A file on its way in. Dropped before its end, it leaves nothing behind.
pub struct Incoming {
    path: Temporary,
    file: BufWriter<File>,
    hash: Sha256,
    size_bytes: u64,
}

impl Incoming {
    /// How much has come.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the disk fails or is full.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        self.file.write_all(bytes).await
    }

    /// Ends the file: its bytes are on the disk then.
    ///
    /// # Errors
    /// When the disk fails or is full.
    pub async fn finish(mut self) -> io::Result<Received> {
        self.file.flush().await?;
        self.file.into_inner().sync_all().await?;
        Ok(Received { path: self.path, digest: self.hash.finish(), size_bytes: self.size_bytes })
    }
}

/// A whole file that has no place yet. Dropped, it is removed.
#[derive(Debug)]
pub struct Received {
    path: Temporary,
    /// What is in it.
    pub digest: Digest,
    /// How large it is.
    pub size_bytes: u64,
}

impl Received {
    /// Where it lies for now.
    pub fn path(&self) -> Option<&Path> {
        self.path.0.as_deref()
    }
}

/// Removed when dropped.
#[derive(Debug)]
struct Temporary(Option<PathBuf>);

impl Temporary {
    /// It is where it belongs.
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "an unfinished file is left for the sweep");
        }
    }
}

/// The folders that files have their places in.
fn shards() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|first| hex::encode([first]))
}

fn put_in_place(folder: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let shard = to.parent().unwrap_or(folder);
    std::fs::rename(from, to)?;
    std::fs::File::open(shard)?.sync_all()
}

fn older_files(folder: &Path, before: Timestamp) -> io::Result<Vec<PathBuf>> {
    let since = Duration::from_micros(u64::try_from(before.micros()).unwrap_or(0));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Gone meanwhile: somebody else's business.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() && about.modified()? < SystemTime::UNIX_EPOCH + since {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether a name is of the form that [`Vault::keep`] gives; other files in the folder are not ours to remove.
fn is_name(name: &str) -> bool {
    let id = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    name.split_once('.').is_some_and(|(digest, rest)| Digest::parse_hex(digest).is_ok() && id(rest))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sha256;

    const LATER: Timestamp = Timestamp::from_micros(i64::MAX / 2);

    async fn vault(folder: &tempfile::TempDir) -> Vault {
        let vault = Vault::new(folder.path().join("files"));
        vault.prepare().await.unwrap();
        vault
    }

    async fn begun(vault: &Vault, bytes: &[u8]) -> Incoming {
        let mut incoming = vault.begin().await.unwrap();
        for part in bytes.chunks(3) {
            incoming.write(part).await.unwrap();
        }
        incoming
    }

    #[tokio::test]
    async fn a_file_has_its_place_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder).await;
        let received = begun(&vault, b"whole bytes").await.finish().await.unwrap();
        assert_eq!((received.digest, received.size_bytes), (sha256(b"whole bytes"), 11));
        assert!(vault.names(LATER).await.unwrap().is_empty());
        let name = vault.keep(received).await.unwrap();
        assert_eq!(vault.names(LATER).await.unwrap(), std::slice::from_ref(&name));
        assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 0);
        assert!(vault.names(Timestamp::from_micros(0)).await.unwrap().is_empty(), "younger files are not named");
        let second = begun(&vault, b"whole bytes").await.finish().await.unwrap();
        let second = vault.keep(second).await.unwrap();
        vault.remove(&name).await.unwrap();
        vault.remove(&name).await.unwrap();
        assert!(vault.open(&name).await.unwrap().is_none());
        assert!(vault.open(&second).await.unwrap().is_some(), "each upload has a name of its own");
    }

    #[tokio::test]
    async fn what_is_dropped_leaves_nothing_and_what_died_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder).await;
        drop(begun(&vault, b"cut").await);
        drop(begun(&vault, b"refused").await.finish().await.unwrap());
        assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 0);
        begun(&vault, b"died").await.path.forget();
        assert_eq!(vault.remove_unfinished(Timestamp::from_micros(0)).await.unwrap(), 0, "it may still be written");
        assert_eq!(vault.remove_unfinished(LATER).await.unwrap(), 1);
        std::fs::create_dir_all(folder.path().join("files/0a")).unwrap();
        std::fs::write(folder.path().join("files/0a/notes.txt"), "").unwrap();
        assert!(vault.names(LATER).await.unwrap().is_empty(), "other people's files are not ours");
    }
}
