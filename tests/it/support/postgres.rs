//! A PostgreSQL database a test, and a server of its own for a test that crashes it.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{eventually, run, variable};

static CREATED: AtomicU32 = AtomicU32::new(0);

/// A new, empty database of its own on the private server; dropped with it, whoever is still connected.
pub(crate) struct PostgresDatabase {
    server: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    /// Creates the database. Blocks; fit for sync and async tests.
    pub(crate) fn create() -> Self {
        Self::create_on(&variable("MEZHVED_TEST_POSTGRES"))
    }

    /// Creates the database on this server (`postgres://.../DATABASE`).
    pub(crate) fn create_on(server: &str) -> Self {
        let name = format!("test_{}_{}", std::process::id(), CREATED.fetch_add(1, Ordering::Relaxed));
        administer(server, format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("CREATE DATABASE {name}: {error}"));
        let (before, _) = server.rsplit_once('/').expect("a server's address ends with /DATABASE");
        Self { url: format!("{before}/{name}"), server: server.to_owned(), name }
    }

    /// Ends all its connections and lets nobody in, as if the server had gone, until [`PostgresDatabase::mend`].
    pub(crate) fn cut(&self) {
        administer(&self.server, format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).unwrap();
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        administer(&self.server, end).unwrap();
    }

    /// Lets everybody in again.
    pub(crate) fn mend(&self) {
        administer(&self.server, format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).unwrap();
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/NAME`, of a superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let dropped = administer(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name));
        if !std::thread::panicking() {
            dropped.unwrap_or_else(|error| panic!("DROP DATABASE {}: {error}", self.name));
        }
    }
}

/// How long a server may take to answer after its start, with what it has to recover.
const SERVER_MAX: Duration = Duration::from_secs(60);

/// A PostgreSQL server that is one test's alone, durable as one in use; it may be crashed.
pub(crate) struct PostgresServer {
    folder: tempfile::TempDir,
    programs: PathBuf,
    /// PostgreSQL refuses to run as root: then who runs it.
    user: Option<(u32, u32)>,
    port: u16,
    server: Child,
}

impl PostgresServer {
    /// Makes an empty cluster and starts it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let user = ordinary_user();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let programs = programs();
        let mut initdb = as_user(Command::new(programs.join("initdb")), user);
        initdb.arg("-D").arg(folder.path().join("data"));
        run(initdb.args(["--username=mezhved", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]))
            .done();
        // Kept for the next start, so that the address stays; until then nobody else has reason to take it.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = serve(&programs, &folder, user, port);
        let own = Self { folder, programs, user, port, server };
        own.until_it_answers();
        own
    }

    /// `postgres://USER@127.0.0.1:PORT/postgres`, of a superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://mezhved@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once and without a checkpoint (SIGQUIT), as a power cut would, and starts it again on the same port: it recovers from its
    /// log.
    pub(crate) fn crash(&mut self) {
        self.quit();
        self.server = serve(&self.programs, &self.folder, self.user, self.port);
        self.until_it_answers();
    }

    fn quit(&mut self) {
        run(Command::new("sh").arg("-c").arg(format!("kill -QUIT {}", self.server.id()))).done();
        self.server.wait().unwrap();
    }

    fn until_it_answers(&self) {
        let url = self.url();
        eventually("PostgreSQL", SERVER_MAX, || administer(&url, "SELECT 1".to_owned()).ok());
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.server.kill());
            drop(self.server.wait());
        } else {
            self.quit();
        }
    }
}

fn serve(programs: &std::path::Path, folder: &tempfile::TempDir, user: Option<(u32, u32)>, port: u16) -> Child {
    let mut command = as_user(Command::new(programs.join("postgres")), user);
    command.arg("-D").arg(folder.path().join("data"));
    command.args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

/// Where `initdb` and `postgres` are: the newest of those of the system, as of `scripts/services`.
fn programs() -> PathBuf {
    let found = run(Command::new("sh").args([
        "-c",
        "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 | grep . || dirname \"$(command -v initdb)\"",
    ]))
    .done();
    PathBuf::from(found.stdout.trim())
}

/// `postgres`, or `nobody`, when this is root.
fn ordinary_user() -> Option<(u32, u32)> {
    let id = |what: &str, of: &str| {
        let found = run(Command::new("id").args([what, of]));
        (found.status == Some(0)).then(|| found.stdout.trim().parse::<u32>().unwrap())
    };
    let own = run(Command::new("id").arg("-u")).done();
    if own.stdout.trim() != "0" {
        return None;
    }
    let of = |name: &str| Some((id("-u", name)?, id("-g", name)?));
    of("postgres").or_else(|| of("nobody"))
}

/// Runs one statement on the server's own database, on a thread with a runtime of its own: the caller may be in one.
fn administer(server: &str, statement: String) -> Result<(), sqlx::Error> {
    let url = server.to_owned();
    let work = async move {
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await
    };
    std::thread::spawn(move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
        .join()
        .unwrap()
}
