//! A PostgreSQL server of the bench's own, where the programs are installed: a free port, a temporary folder, flushing on.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::BenchError;

const START_MAX: Duration = Duration::from_secs(30);
/// `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// A running server; ended and removed when dropped.
pub(super) struct Postgres {
    child: Child,
    port: u16,
    programs: PathBuf,
    folder: tempfile::TempDir,
}

/// The newest programs of the server that Debian has installed, or those on the path.
fn programs() -> Option<PathBuf> {
    let has =
        |bin: &PathBuf| ["initdb", "postgres", "createdb", "dropdb"].iter().all(|program| bin.join(program).is_file());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin")).filter(has).max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.or_else(|| std::env::split_paths(&path).find(has))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8");
    if is_root() {
        command.gid(NOBODY).uid(NOBODY);
    }
    command
}

impl Postgres {
    /// Starts one; `None` where PostgreSQL is not installed.
    pub(super) async fn start() -> Result<Option<Self>, BenchError> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder =
            tempfile::Builder::new().prefix("mezhved-bench-pg-").tempdir().map_err(|e| BenchError::defect(&e))?;
        let data = folder.path().join("data");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).map_err(|e| BenchError::defect(&e))?;
        }
        let made = command(&programs.join("initdb"), folder.path())
            .args(["--username=mezhved", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "-D"])
            .arg(&data)
            .status()
            .map_err(|e| BenchError::defect(&e))?;
        if !made.success() {
            return Err(BenchError::Postgres("initdb"));
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| BenchError::defect(&e))?;
        let socket = format!("unix_socket_directories={}", folder.path().display());
        let child = command(&programs.join("postgres"), folder.path())
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={}", free.port()), "-c", &socket])
            // What docs/administrators recommends for a database that matters.
            .args(["-c", "shared_buffers=512MB", "-c", "wal_compression=lz4"])
            .spawn()
            .map_err(|e| BenchError::defect(&e))?;
        let mut server = Self { child, port: free.port(), programs, folder };
        server.wait().await?;
        Ok(Some(server))
    }

    async fn wait(&mut self) -> Result<(), BenchError> {
        let ends = Instant::now() + START_MAX;
        while Instant::now() < ends {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(BenchError::Postgres("postgres"));
            }
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(BenchError::Postgres("postgres"))
    }

    /// The address of a new database.
    pub(super) async fn database(&self, name: &str) -> Result<String, BenchError> {
        let ends = Instant::now() + START_MAX;
        let port = self.port.to_string();
        while Instant::now() < ends {
            // It listens before it lets anybody in.
            let made = command(&self.programs.join("createdb"), self.folder.path())
                .args(["-h", "127.0.0.1", "-p", &port, "-U", "mezhved", name])
                .status()
                .map_err(|e| BenchError::defect(&e))?;
            if made.success() {
                return Ok(format!("postgres://mezhved@127.0.0.1:{port}/{name}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(BenchError::Postgres("createdb"))
    }

    /// Drops a database, for the next scenario needs the room.
    pub(super) async fn forget(&self, name: &str) -> Result<(), BenchError> {
        let port = self.port.to_string();
        let dropped = command(&self.programs.join("dropdb"), self.folder.path())
            .args(["--force", "-h", "127.0.0.1", "-p", &port, "-U", "mezhved", name])
            .status()
            .map_err(|e| BenchError::defect(&e))?;
        if dropped.success() { Ok(()) } else { Err(BenchError::Postgres("dropdb")) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Thrown away: nothing is to be saved.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
