//! The thin layer over `sqlx`: engines, values with a type even when NULL, multi-row statements, and readers of columns.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments, AssertSqlSafe, Row as _};

use crate::domain::{Digest, Timestamp};

use super::StoreError;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Picks the text of a statement that differs (the claims).
    pub(crate) fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }

    /// What makes of a statement the question how it would be done.
    pub(crate) fn explain(self) -> &'static str {
        self.pick("EXPLAIN QUERY PLAN", "EXPLAIN")
    }

    /// The tail of a subquery whose rows are about to be taken.
    pub(crate) fn for_update(self) -> &'static str {
        self.pick("", " FOR UPDATE SKIP LOCKED")
    }
}

/// One value of a statement. NULL keeps its type: PostgreSQL wants to know it.
#[derive(Debug, Clone)]
pub(crate) enum Val<'a> {
    Int(Option<i64>),
    Text(Option<String>),
    Word(&'a str),
    Bytes(Option<&'a [u8]>),
    Owned(Vec<u8>),
}

impl From<i64> for Val<'_> {
    fn from(v: i64) -> Self {
        Self::Int(Some(v))
    }
}

impl From<bool> for Val<'_> {
    fn from(v: bool) -> Self {
        Self::Int(Some(i64::from(v)))
    }
}

impl From<Timestamp> for Val<'_> {
    fn from(v: Timestamp) -> Self {
        Self::Int(Some(v.micros()))
    }
}

impl From<Option<Timestamp>> for Val<'_> {
    fn from(v: Option<Timestamp>) -> Self {
        Self::Int(v.map(Timestamp::micros))
    }
}

impl From<Digest> for Val<'_> {
    fn from(v: Digest) -> Self {
        Self::Owned(v.bytes().to_vec())
    }
}

impl<'a> From<Option<&'a Digest>> for Val<'a> {
    fn from(v: Option<&'a Digest>) -> Self {
        Self::Bytes(v.map(|d| d.bytes().as_slice()))
    }
}

impl<'a> From<&'a [u8]> for Val<'a> {
    fn from(v: &'a [u8]) -> Self {
        Self::Bytes(Some(v))
    }
}

impl<'a> From<Option<&'a [u8]>> for Val<'a> {
    fn from(v: Option<&'a [u8]>) -> Self {
        Self::Bytes(v)
    }
}

/// A text value from anything that shows itself.
pub(crate) fn text<'a>(v: impl ToString) -> Val<'a> {
    Val::Text(Some(v.to_string()))
}

/// A text value or a NULL of type text.
pub(crate) fn opt_text<'a, T: ToString>(v: Option<T>) -> Val<'a> {
    Val::Text(v.map(|v| v.to_string()))
}

/// The values of one row.
pub(crate) type Vals<'a> = Vec<Val<'a>>;

fn arguments(rows: &[Vals<'_>]) -> Result<AnyArguments, sqlx::Error> {
    let mut args = AnyArguments::default();
    args.reserve(rows.iter().map(Vec::len).sum(), 0);
    for value in rows.iter().flatten() {
        match value {
            Val::Int(v) => args.add(*v),
            Val::Text(v) => args.add(v.as_deref()),
            Val::Word(v) => args.add(*v),
            Val::Bytes(Some(v)) => args.add(*v),
            Val::Bytes(None) => args.add(None::<Vec<u8>>),
            Val::Owned(v) => args.add(v.as_slice()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(args)
}

/// A statement around a list of rows: `head (..), (..) tail`.
#[derive(Debug)]
pub(crate) struct Stmt {
    pub(crate) head: &'static str,
    pub(crate) tail: &'static str,
}

/// The most rows in one statement; larger lists go in several. Sizes are powers of two, so that few texts are prepared.
const STATEMENT_ROWS_MAX: usize = 64;

/// Texts of multi-row statements, made once for each size.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashMap<(&'static str, &'static str, usize), Arc<str>>);

impl Texts {
    fn get(&mut self, engine: Engine, stmt: &'static Stmt, rows: usize, columns: usize) -> Arc<str> {
        let make = || multi_row(engine, stmt, rows, columns).into();
        Arc::clone(self.0.entry((stmt.head, stmt.tail, rows)).or_insert_with(make))
    }
}

/// The text of a multi-row statement. On SQLite values have no names: a name is looked for in a list of all of them, for each value that is
/// bound. And there a statement that fails leaves what it did so far, instead of keeping every page it touches aside for undoing that: the
/// transaction is rolled back in any case.
fn multi_row(engine: Engine, stmt: &Stmt, rows: usize, columns: usize) -> String {
    let mut text = match engine {
        Engine::Sqlite => stmt.head.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1),
        Engine::Postgres => stmt.head.to_owned(),
    };
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { ", " });
            match engine {
                Engine::Sqlite => text.push('?'),
                Engine::Postgres => text.push_str(&format!("${}", row * columns + column + 1)),
            }
        }
        text.push(')');
    }
    match engine {
        Engine::Sqlite => text.push_str(&stmt.tail.replacen(") UPDATE ", ") UPDATE OR FAIL ", 1)),
        Engine::Postgres => text.push_str(stmt.tail),
    }
    text
}

/// The one writing transaction.
#[derive(Debug)]
pub(crate) struct Tx<'c> {
    pub(crate) conn: &'c mut AnyConnection,
    pub(crate) engine: Engine,
    pub(crate) texts: &'c mut Texts,
}

impl Tx<'_> {
    /// Runs a multi-row statement; returns what it returns. No rows, no statement.
    pub(crate) async fn many(&mut self, stmt: &'static Stmt, rows: &[Vals<'_>]) -> Result<Vec<AnyRow>, sqlx::Error> {
        let mut found = Vec::new();
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let mut size = STATEMENT_ROWS_MAX;
            while size > rest.len() {
                size /= 2;
            }
            let (now, later) = rest.split_at(size);
            let sql = self.texts.get(self.engine, stmt, size, first.len());
            let query = sqlx::query_with(AssertSqlSafe(sql), arguments(now)?);
            let got = query.fetch_all(&mut *self.conn).await?;
            if found.is_empty() {
                found = got;
            } else {
                found.extend(got);
            }
            rest = later;
        }
        Ok(found)
    }

    /// How the database would go about a statement, without doing it.
    pub(crate) async fn explain(&mut self, sql: &str, vals: Vals<'_>) -> Result<Vec<String>, sqlx::Error> {
        let found = self.built(format!("{} {sql}", self.engine.explain()), vals).await?;
        Ok(plan_lines(self.engine, &found))
    }

    /// The same of a multi-row statement.
    pub(crate) async fn explain_many(
        &mut self,
        stmt: &'static Stmt,
        rows: Vec<Vals<'_>>,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = self.texts.get(self.engine, stmt, rows.len(), rows.first().map_or(0, Vec::len));
        self.explain(&sql, rows.into_iter().flatten().collect()).await
    }

    /// Runs one statement.
    pub(crate) async fn one(&mut self, sql: &'static str, vals: Vals<'_>) -> Result<Vec<AnyRow>, sqlx::Error> {
        sqlx::query_with(sql, arguments(&[vals])?).fetch_all(&mut *self.conn).await
    }

    /// Runs a statement whose text was put together from fixed pieces.
    pub(crate) async fn built(&mut self, sql: String, vals: Vals<'_>) -> Result<Vec<AnyRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(sql), arguments(&[vals])?).fetch_all(&mut *self.conn).await
    }
}

/// A reading statement under construction: fixed pieces, values by `$n`.
#[derive(Debug)]
pub(crate) struct Select<'a> {
    sql: String,
    vals: Vals<'a>,
    wheres: u32,
}

impl<'a> Select<'a> {
    /// Begins with `SELECT .. FROM ..`.
    pub(crate) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), vals: Vec::new(), wheres: 0 }
    }

    /// Adds a condition; each `?` in it takes the next value.
    pub(crate) fn and(mut self, condition: &str, vals: Vals<'a>) -> Self {
        self.sql.push_str(if self.wheres == 0 { " WHERE " } else { " AND " });
        self.wheres += 1;
        self.push(condition, vals)
    }

    /// Adds a condition when there is a value.
    pub(crate) fn and_some(self, condition: &str, val: Option<Val<'a>>) -> Self {
        match val {
            Some(val) => self.and(condition, vec![val]),
            None => self,
        }
    }

    /// Adds text; each `?` in it takes the next value.
    pub(crate) fn push(mut self, text: &str, vals: Vals<'a>) -> Self {
        let mut vals = vals.into_iter();
        for piece in text.split_inclusive('?') {
            match (piece.strip_suffix('?'), vals.next()) {
                (Some(before), Some(val)) => {
                    self.vals.push(val);
                    self.sql.push_str(&format!("{before}${}", self.vals.len()));
                }
                (_, _) => self.sql.push_str(piece),
            }
        }
        self
    }

    /// Adds `?, ?, ..` for a list (of `IN`). The last value is repeated up to a power of two, so that few texts are prepared.
    pub(crate) fn list(mut self, mut vals: Vals<'a>) -> Self {
        if let Some(last) = vals.last().cloned() {
            vals.resize(vals.len().next_power_of_two(), last);
        }
        for (i, val) in vals.into_iter().enumerate() {
            self = self.push(if i == 0 { "?" } else { ", ?" }, vec![val]);
        }
        self
    }

    /// The text and its values.
    pub(crate) fn into_parts(self) -> (String, Vals<'a>) {
        (self.sql, self.vals)
    }

    /// How the database would go about it, without doing it.
    pub(crate) async fn explain(mut self, engine: Engine, pool: &sqlx::AnyPool) -> Result<Vec<String>, StoreError> {
        self.sql.insert_str(0, &format!("{} ", engine.explain()));
        Ok(plan_lines(engine, &self.fetch(pool).await?))
    }

    /// Runs it on the readers' pool.
    pub(crate) async fn fetch(self, pool: &sqlx::AnyPool) -> Result<Vec<AnyRow>, StoreError> {
        let args = arguments(&[self.vals]).map_err(super::error::reading)?;
        sqlx::query_with(AssertSqlSafe(self.sql), args).fetch_all(pool).await.map_err(super::error::reading)
    }
}

/// The lines of a plan, in the engine's own words.
fn plan_lines(engine: Engine, found: &[AnyRow]) -> Vec<String> {
    let column = engine.pick("detail", "QUERY PLAN");
    found.iter().filter_map(|row| row.try_get::<String, _>(column).ok()).collect()
}

/// Reads columns by name; an unreadable one is [`StoreError::Corrupt`] with the column's name.
pub(crate) trait Columns {
    fn int(&self, column: &'static str) -> Result<i64, StoreError>;
    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError>;
    fn opt_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError>;

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    fn at(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_micros(self.int(column)?))
    }

    fn opt_at(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }

    fn count(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| corrupt(column))
    }

    /// Parses a word or an id.
    fn parsed<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(&self.text(column)?).ok_or_else(|| corrupt(column))
    }

    fn opt_parsed<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?.map(|t| parse(&t).ok_or_else(|| corrupt(column))).transpose()
    }

    fn digest(&self, column: &'static str) -> Result<Digest, StoreError> {
        self.bytes(column)?.try_into().map(Digest::from_bytes).map_err(|_| corrupt(column))
    }

    fn opt_digest(&self, column: &'static str) -> Result<Option<Digest>, StoreError> {
        let found = self.opt_bytes(column)?;
        found.map(|b| b.try_into().map(Digest::from_bytes).map_err(|_| corrupt(column))).transpose()
    }

    fn opt_json(&self, column: &'static str) -> Result<Option<serde_json::Value>, StoreError> {
        self.opt_text(column)?.map(|t| serde_json::from_str(&t).map_err(|_| corrupt(column))).transpose()
    }
}

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(format!("column {column}"))
}

impl Columns for AnyRow {
    fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
    fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
    fn opt_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_get(column).map_err(|_| corrupt(column))
    }
}
