//! Files in a folder: written under a name that nothing else knows (`incoming/`), and put in place by one rename after their bytes are on
//! the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::{Page, Reading, is_name};
use crate::domain::Timestamp;

/// Where files lie while they are written.
const INCOMING: &str = "incoming";
/// Its owner writes, and a scanner of the same group may read.
const FILE_MODE: u32 = 0o640;
/// How many bytes are gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
/// How many bytes are read at once.
const READ_BYTES: usize = 64 * 1024;

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    folder: Arc<Path>,
}

impl Folder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) async fn prepare(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        blocking(move || {
            let incoming = folder.join(INCOMING);
            std::fs::create_dir_all(&incoming)?;
            // All of them now, so that no file is in a folder whose own name is not on the disk yet.
            for shard in shards(0) {
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

    pub(super) async fn begin(&self) -> io::Result<Writing> {
        let path = self.folder.join(INCOMING).join(format!("{}.part", Uuid::now_v7().simple()));
        let file = File::options().write(true).create_new(true).mode(FILE_MODE).open(&path).await?;
        Ok(Writing { path: Temporary(Some(path)), file: BufWriter::with_capacity(BUFFER_BYTES, file) })
    }

    /// Gives a written file its place. It is on the disk then, and its name too.
    pub(super) async fn keep(&self, written: Temporary, name: &str) -> io::Result<()> {
        let (folder, to) = (self.folder.clone(), self.place(name));
        blocking(move || {
            if let Some(from) = written.0.as_deref() {
                put_in_place(&folder, from, &to)?;
            }
            written.forget();
            Ok(())
        })
        .await
    }

    pub(super) async fn holds(&self, name: &str) -> io::Result<bool> {
        tokio::fs::try_exists(self.place(name)).await
    }

    pub(super) async fn read(&self, name: &str, from: u64, size_bytes: u64) -> io::Result<Option<Reading>> {
        let mut file = match File::open(self.place(name)).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if from > 0 {
            file.seek(io::SeekFrom::Start(from)).await?;
        }
        let rest = file.take(size_bytes.saturating_sub(from));
        Ok(Some(ReaderStream::with_capacity(rest, READ_BYTES).boxed()))
    }

    pub(super) async fn remove(&self, name: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.place(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn remove_unfinished(&self, before: Timestamp) -> io::Result<usize> {
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

    /// A page is a folder of those that files have their places in.
    pub(super) async fn names(&self, before: Timestamp, page: Option<Page>) -> io::Result<(Vec<String>, Option<Page>)> {
        let folder = self.folder.clone();
        let first = page.and_then(|Page(shard)| u8::from_str_radix(&shard, 16).ok()).unwrap_or(0);
        blocking(move || {
            let mut rest = shards(first);
            let Some(shard) = rest.next() else { return Ok((Vec::new(), None)) };
            let inside = match older_files(&folder.join(shard), before) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                inside => inside?,
            };
            let inside = inside.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
            Ok((inside.filter(|name| is_name(name)).collect(), rest.next().map(Page)))
        })
        .await
    }

    /// Two hexadecimal digits of folders keep each of them small.
    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name.get(..2).unwrap_or("00")).join(name)
    }
}

/// A file that is written. Dropped before its end, it leaves nothing behind.
pub(super) struct Writing {
    path: Temporary,
    file: BufWriter<File>,
}

impl Writing {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Its bytes are on the disk then.
    pub(super) async fn finish(mut self) -> io::Result<Temporary> {
        self.file.flush().await?;
        self.file.into_inner().sync_all().await?;
        Ok(self.path)
    }
}

/// A file without a place, removed when dropped.
#[derive(Debug)]
pub(super) struct Temporary(Option<PathBuf>);

impl Temporary {
    pub(super) fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }

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

/// The folders that files have their places in, from one on.
fn shards(first: u8) -> impl Iterator<Item = String> {
    (first..=u8::MAX).map(|first| hex::encode([first]))
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

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
