//! Connections: pragmas of SQLite, the readers' pool, migrations.

use std::sync::Once;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqlSafeStr as _};

use super::sql::Engine;
use super::{StoreError, StoreOptions, error};

/// Every migration in order: number, name, text. A published one never changes.
pub(super) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "floor", include_str!("../../migrations/0001_floor.sql")),
    (2, "cases", include_str!("../../migrations/0002_cases.sql")),
    (3, "notifications", include_str!("../../migrations/0003_notifications.sql")),
    (4, "obligation acts", include_str!("../../migrations/0004_obligation_acts.sql")),
    (5, "indexes", include_str!("../../migrations/0005_indexes.sql")),
    (6, "attachments", include_str!("../../migrations/0006_attachments.sql")),
    (7, "parts", include_str!("../../migrations/0007_parts.sql")),
    (8, "consent", include_str!("../../migrations/0008_consent.sql")),
    (10, "late files", include_str!("../../migrations/0010_late_files.sql")),
    (11, "operations", include_str!("../../migrations/0011_operations.sql")),
    (12, "accounts", include_str!("../../migrations/0012_accounts.sql")),
    (13, "traces", include_str!("../../migrations/0013_traces.sql")),
    (14, "pings", include_str!("../../migrations/0014_pings.sql")),
    (15, "reports", include_str!("../../migrations/0015_reports.sql")),
    (18, "desk", include_str!("../../migrations/0018_desk.sql")),
    (19, "finding", include_str!("../../migrations/0019_finding.sql")),
];

/// How long SQLite waits for a lock, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Pages of the write-ahead log after which SQLite copies them into the file, 32 MiB: a page that many commits touch is copied once.
const CHECKPOINT_PAGES: u32 = 8_192;
/// Pages that the one writer of SQLite keeps, KiB; nobody else changes the file under it.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
/// Pages that a reader keeps, KiB: they are stale after the next commit.
const READER_CACHE_KIB: u32 = 4 * 1024;

/// How often opening tries the migrations again when another process migrates the same file.
const MIGRATE_TRIES_MAX: u32 = 40;
/// How long it waits before that.
const MIGRATE_PAUSE: Duration = Duration::from_millis(50);

/// A reading connection that was in use within this time is not asked whether it lives.
const IDLE_TRUSTED_MAX: Duration = Duration::from_secs(1);

static DRIVERS: Once = Once::new();

/// Knows how to connect.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) engine: Engine,
    options: AnyConnectOptions,
    timeout: Duration,
    durable: bool,
    bytes_max: u64,
}

impl Connector {
    /// Reads the URL.
    pub(super) fn new(options: &StoreOptions) -> Result<Self, StoreError> {
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (engine, url) = read_url(&options.url)?;
        let options_read: AnyConnectOptions = url.parse().map_err(|_| StoreError::Url(hint()))?;
        Ok(Self {
            engine,
            options: options_read.disable_statement_logging(),
            timeout: Duration::from_millis(options.connect_timeout_ms),
            durable: options.durable,
            bytes_max: options.bytes_max,
        })
    }

    /// A connection for writing.
    pub(super) async fn connect(&self) -> Result<AnyConnection, sqlx::Error> {
        let connecting = async {
            let mut conn = self.options.connect().await?;
            prepare(&mut conn, self.engine, false, self.durable).await?;
            self.bound(&mut conn).await?;
            Ok(conn)
        };
        tokio::time::timeout(self.timeout, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Bounds an embedded database. SQLite asks of each connection anew; whoever adds pages is this one.
    async fn bound(&self, conn: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if self.engine == Engine::Sqlite && self.bytes_max > 0 {
            let row = sqlx::query("SELECT page_size AS size FROM pragma_page_size").fetch_one(&mut *conn).await?;
            let size: i64 = row.try_get("size")?;
            let pages = self.bytes_max / size.unsigned_abs().max(512);
            sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(conn).await?;
        }
        Ok(())
    }

    /// The pool for reading; connects when first asked.
    pub(super) fn readers(&self, connections_max: u32) -> AnyPool {
        let (engine, durable) = (self.engine, self.durable);
        AnyPoolOptions::new()
            .max_connections(connections_max.max(1))
            .acquire_timeout(self.timeout)
            .after_connect(move |conn, _| Box::pin(prepare(conn, engine, true, durable)))
            // A round trip before every reading; only one that has lain idle may have died unseen.
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    let is_fresh = meta.idle_for < IDLE_TRUSTED_MAX;
                    Ok(is_fresh || conn.ping().await.is_ok())
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// Brings the schema up to date. PostgreSQL: under an advisory lock. SQLite: again, when another process was first; the pragmas
    /// too find the file locked while another process makes it.
    pub(super) async fn migrate(&self) -> Result<AnyConnection, StoreError> {
        let migrator = migrator(self.engine);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.migrated(&migrator).await {
                Err(error) if self.engine == Engine::Sqlite && tries < MIGRATE_TRIES_MAX => {
                    tracing::debug!(%error, "migrating again");
                    tokio::time::sleep(MIGRATE_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn migrated(&self, migrator: &Migrator) -> Result<AnyConnection, StoreError> {
        let mut conn = self.connect().await.map_err(error::reading)?;
        match migrator.run_direct(None, &mut conn, false).await {
            Ok(()) => Ok(conn),
            Err(error) => {
                conn.close().await.map_err(error::reading)?;
                Err(StoreError::Migration(error.to_string()))
            }
        }
    }
}

fn hint() -> String {
    "`sqlite:///path/to/file` or `postgres://user:password@host:port/database` is needed".to_owned()
}

fn read_url(url: &str) -> Result<(Engine, String), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Engine::Postgres, url.to_owned()));
    }
    let rest = url.strip_prefix("sqlite:").ok_or_else(|| StoreError::Url(hint()))?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(":memory:") || path.contains("mode=memory") {
        return Err(StoreError::Url(format!("the store must outlive the process: {}", hint())));
    }
    // Made when missing, unless the URL says otherwise.
    let mode = match (path.contains("mode="), path.contains('?')) {
        (true, _) => "",
        (false, true) => "&mode=rwc",
        (false, false) => "?mode=rwc",
    };
    Ok((Engine::Sqlite, format!("sqlite://{path}{mode}")))
}

async fn prepare(conn: &mut AnyConnection, engine: Engine, reader: bool, durable: bool) -> Result<(), sqlx::Error> {
    let sql = match engine {
        Engine::Postgres => {
            // Every statement of the writer goes by keys. Plans are kept, and a table that was empty when one was made must not
            // be read whole once it is large.
            let by_keys = if reader {
                ""
            } else {
                "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
            };
            format!("SET default_transaction_isolation = 'read committed'; SET jit = off; {by_keys}")
        }
        Engine::Sqlite => format!(
            "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; \
             PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}; \
             PRAGMA foreign_keys = ON; PRAGMA query_only = {};",
            if durable { "FULL" } else { "OFF" },
            if reader { READER_CACHE_KIB } else { WRITER_CACHE_KIB },
            i32::from(reader)
        ),
    };
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

fn migrator(engine: Engine) -> Migrator {
    let (text, bytes) = match engine {
        Engine::Sqlite => ("TEXT", "BLOB"),
        Engine::Postgres => ("TEXT COLLATE \"C\"", "BYTEA"),
    };
    let migrations = MIGRATIONS.iter().map(|(number, name, sql)| {
        let sql = sql.replace("{TEXT}", text).replace("{BYTES}", bytes);
        Migration::new(*number, (*name).into(), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // A newer node may have been here: what its migrations add, this one does without (docs/deployment.en.md has the rule).
    migrator.set_ignore_missing(true);
    migrator
}
