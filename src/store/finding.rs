//! What messages are found by besides their headers: numbers of documents, and people under a keyed hash.
//!
//! The rows are written with the message, are of its contents, and go with them. The key is in the database, where all nodes of the
//! installation and its backups have the same: the bodies stand beside it in clear, so it guards what is copied of the index alone.

use sqlx::AnyConnection;

use crate::crypto::generate;
use crate::domain::{MessageType, RecordId};
use crate::search::{FoldedNumber, Marks, NumberKind, PersonMark, SearchKey};

use super::error::{self, Failure};
use super::rows::Rows;
use super::sql::{Columns as _, Select, Stmt, Tx, Val, Vals, opt_text, text};
use super::writer::Write;
use super::{Content, Store, StoreError, messages};

/// The one row of keys.
const KEY: i64 = 1;

/// By what messages are listed, besides their headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// A number of a document, of one of these kinds.
    Number(Vec<NumberKind>, FoldedNumber),
    /// Somebody.
    Person(PersonMark),
}

/// A message that may be found by nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfound {
    /// Which.
    pub record_id: RecordId,
    /// What it is.
    pub message_type: MessageType,
    /// Its bytes.
    pub content: Content,
}

/// One way into a listing of messages, whose order an index gives.
pub(super) struct Way<'f> {
    from: &'static str,
    /// What the listing is ordered by.
    pub(super) key: &'static str,
    conditions: Vec<(&'static str, Val<'f>)>,
}

impl<'f> Way<'f> {
    /// The statement so far.
    pub(super) fn select(&self) -> Select<'f> {
        let begin = Select::new(&format!("SELECT {} FROM {}", messages::COLUMNS, self.from));
        let begin = if self.conditions.is_empty() { begin } else { begin.and("m.record_id = f.record_id", vec![]) };
        self.conditions.iter().fold(begin, |select, (condition, value)| select.and(condition, vec![value.clone()]))
    }
}

/// The ways into a listing: one for each kind of number. The index is said to be read first (SQLite takes `CROSS JOIN` for that).
pub(super) fn ways(sought: Option<&Sought>) -> Vec<Way<'_>> {
    let (numbers, people) = ("message_numbers f CROSS JOIN messages m", "message_people f CROSS JOIN messages m");
    match sought {
        None => vec![Way { from: "messages m", key: "m.record_id", conditions: Vec::new() }],
        Some(Sought::Number(kinds, number)) => {
            let way = |kind: &NumberKind| Way {
                from: numbers,
                key: "f.record_id",
                conditions: vec![
                    ("f.kind = ?", Val::Word(kind.as_str())),
                    ("f.number = ?", Val::Word(number.as_str())),
                ],
            };
            kinds.iter().map(way).collect()
        }
        Some(Sought::Person(mark)) => vec![Way {
            from: people,
            key: "f.record_id",
            conditions: vec![("f.kind = ?", Val::Word(mark.kind.as_str())), ("f.hash = ?", mark.hash.into())],
        }],
    }
}

/// The numbers of a message.
pub(super) fn number_rows(record_id: RecordId, marks: &Marks) -> impl Iterator<Item = Vals<'_>> {
    marks
        .numbers
        .iter()
        .map(move |(kind, number)| vec![Val::Word(kind.as_str()), Val::Word(number.as_str()), text(record_id)])
}

/// The people of a message.
pub(super) fn person_rows(record_id: RecordId, marks: &Marks) -> impl Iterator<Item = Vals<'_>> {
    marks.people.iter().map(move |mark| vec![Val::Word(mark.kind.as_str()), mark.hash.into(), text(record_id)])
}

pub(super) const INSERT_NUMBERS: Stmt = Stmt {
    head: "INSERT INTO message_numbers (kind, number, record_id) VALUES ",
    tail: " ON CONFLICT (kind, number, record_id) DO NOTHING",
};

pub(super) const INSERT_PEOPLE: Stmt = Stmt {
    head: "INSERT INTO message_people (kind, hash, record_id) VALUES ",
    tail: " ON CONFLICT (kind, hash, record_id) DO NOTHING",
};

/// The installation's key, made if there is none: of two nodes at once one makes it.
pub(super) async fn key(conn: &mut AnyConnection) -> Result<SearchKey, StoreError> {
    for _ in 0..2 {
        let query = sqlx::query("SELECT secret FROM search_keys WHERE id = $1").bind(KEY);
        if let Some(row) = query.fetch_optional(&mut *conn).await.map_err(error::reading)? {
            let secret = row.bytes("secret")?.try_into();
            return secret.map(SearchKey::new).map_err(|_| StoreError::Corrupt("column secret".to_owned()));
        }
        let made = generate::secret().map_err(|e| StoreError::Refused(e.to_string()))?;
        let sql = "INSERT INTO search_keys (id, secret) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
        sqlx::query(sql).bind(KEY).bind(made.as_slice()).execute(&mut *conn).await.map_err(error::reading)?;
    }
    Err(StoreError::Corrupt("table search_keys".to_owned()))
}

impl Store {
    /// The key under which people are hashed in this installation.
    pub fn search_key(&self) -> &SearchKey {
        &self.inner.search_key
    }

    /// The next messages that were not looked at again, in the order of their acceptance; from the first, or from where the last
    /// [`Store::find_again`] ended.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn to_find_again(&self, limit: u32) -> Result<Vec<Unfound>, StoreError> {
        let found = Select::new(
            "SELECT m.record_id, m.type_name, m.type_version, c.bytes, c.canonical, c.receipt \
             FROM messages m JOIN contents c ON c.record_id = m.record_id",
        )
        .and("m.record_id > COALESCE((SELECT indexed_to FROM search_keys WHERE id = ?), '')", vec![KEY.into()])
        .push(" ORDER BY m.record_id LIMIT ?", vec![i64::from(limit).into()])
        .fetch(self.readers())
        .await?;
        let row = |row: &sqlx::any::AnyRow| {
            let message_type = MessageType::new(&row.text("type_name")?, row.count("type_version")?);
            Ok(Unfound {
                record_id: row.parsed("record_id", |t| RecordId::parse(t).ok())?,
                message_type: message_type.map_err(|_| StoreError::Corrupt("column type_name".to_owned()))?,
                content: Content {
                    bytes: row.bytes("bytes")?,
                    canonical: row.opt_bytes("canonical")?,
                    receipt: row.opt_bytes("receipt")?,
                },
            })
        };
        found.iter().map(row).collect()
    }

    /// Writes what messages are found by, and that all up to `to` were looked at. What is there already stays.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_again(&self, found: Vec<(RecordId, Marks)>, to: RecordId) -> Result<(), StoreError> {
        self.task(AgainTask { found, to: Some(to) }).await
    }

    /// Forgets how far the messages were looked at again.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_from_the_first(&self) -> Result<(), StoreError> {
        self.task(AgainTask { found: Vec::new(), to: None }).await
    }
}

#[derive(Debug)]
struct AgainTask {
    found: Vec<(RecordId, Marks)>,
    to: Option<RecordId>,
}

impl Write for AgainTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        // What was destroyed meanwhile has no contents that the rows could be of.
        let mut there = std::collections::HashSet::new();
        let ids: Vec<_> = self.found.iter().map(|(id, _)| vec![text(id)]).collect();
        for row in tx.many(&THERE, &ids).await? {
            there.insert(row.text("record_id")?);
        }
        let found: Vec<_> = self.found.iter().filter(|(id, _)| there.contains(&id.to_string())).collect();
        let numbers: Vec<_> = found.iter().flat_map(|(id, marks)| number_rows(*id, marks)).collect();
        let people: Vec<_> = found.iter().flat_map(|(id, marks)| person_rows(*id, marks)).collect();
        tx.many(&INSERT_NUMBERS, &numbers).await?;
        tx.many(&INSERT_PEOPLE, &people).await?;
        tx.one("UPDATE search_keys SET indexed_to = $2 WHERE id = $1", vec![KEY.into(), opt_text(self.to)]).await?;
        Ok(())
    }
}

const THERE: Stmt = Stmt { head: "SELECT record_id FROM contents WHERE record_id IN (VALUES ", tail: ")" };
