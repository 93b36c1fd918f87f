//! Whether a database was used before.

use sqlx::{Connection as _, Row as _};

use super::connect::Connector;
use super::sql::Engine;
use super::{Store, StoreError, StoreOptions, error};

impl Store {
    /// Whether the database (for PostgreSQL: the connection's own schema) has no table at all. Asked before [`Store::open`], which
    /// makes some; changes nothing, but that an embedded database's file is made when it is missing.
    ///
    /// # Errors
    /// [`StoreError::Url`] and [`StoreError::Away`] as of [`Store::open`].
    pub async fn is_empty(options: &StoreOptions) -> Result<bool, StoreError> {
        let connector = Connector::new(options)?;
        let mut conn = connector.connect().await.map_err(error::reading)?;
        let tables = match connector.engine {
            Engine::Sqlite => "SELECT COUNT(*) AS n FROM sqlite_master",
            Engine::Postgres => {
                "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        let row = sqlx::query(tables).fetch_one(&mut conn).await.map_err(error::reading)?;
        let count: i64 = row.try_get("n").map_err(error::reading)?;
        conn.close().await.map_err(error::reading)?;
        Ok(count == 0)
    }
}
