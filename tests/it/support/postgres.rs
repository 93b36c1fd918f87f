//! A PostgreSQL database a test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::variable;

static CREATED: AtomicU32 = AtomicU32::new(0);

/// A new, empty database of its own on the private server; dropped with it, whoever is still connected.
pub(crate) struct PostgresDatabase {
    name: String,
    url: String,
}

impl PostgresDatabase {
    /// Creates the database. Blocks; fit for sync and async tests.
    pub(crate) fn create() -> Self {
        let name = format!("test_{}_{}", std::process::id(), CREATED.fetch_add(1, Ordering::Relaxed));
        administer(format!("CREATE DATABASE {name}")).unwrap_or_else(|error| panic!("CREATE DATABASE {name}: {error}"));
        let server = variable("MEZHVED_TEST_POSTGRES");
        let (before, _) = server.rsplit_once('/').expect("MEZHVED_TEST_POSTGRES ends with /DATABASE");
        Self { url: format!("{before}/{name}"), name }
    }

    /// Ends all its connections and lets nobody in, as if the server had gone, until [`PostgresDatabase::mend`].
    pub(crate) fn cut(&self) {
        administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).unwrap();
        administer(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name))
            .unwrap();
    }

    /// Lets everybody in again.
    pub(crate) fn mend(&self) {
        administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).unwrap();
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/NAME`, of a superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let dropped = administer(format!("DROP DATABASE {} WITH (FORCE)", self.name));
        if !std::thread::panicking() {
            dropped.unwrap_or_else(|error| panic!("DROP DATABASE {}: {error}", self.name));
        }
    }
}

/// Runs one statement on the server's own database, on a thread with a runtime of its own: the caller may be in one.
fn administer(statement: String) -> Result<(), sqlx::Error> {
    let url = variable("MEZHVED_TEST_POSTGRES");
    let work = async move {
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await
    };
    std::thread::spawn(move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
        .join()
        .unwrap()
}
