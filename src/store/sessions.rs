//! Sessions of people who have signed in, and the links with which a password is set once.

use serde_json::json;

use crate::domain::{AccountId, Digest, Timestamp};

use super::accounts::{self, AccountRow, entry};
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, text};
use super::writer::Write;
use super::{Store, StoreError};

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of its secret.
    pub token_hash: Digest,
    /// Whose.
    pub account: AccountId,
    /// When it ends, whatever happens in it.
    pub expires_at: Timestamp,
    /// From which address.
    pub address: String,
    /// What the browser calls itself, cut.
    pub agent: String,
    /// The subjects whose failures are forgotten: [`Store::count_sign_in`].
    pub counted: Vec<String>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of its secret.
    pub token_hash: Digest,
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used, to a minute.
    pub seen_at: Timestamp,
    /// When it ends, whatever happens in it.
    pub expires_at: Timestamp,
    /// From which address it was begun.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
}

const COLUMNS: &str = "s.token_hash, s.account_id, s.begun_at, s.seen_at, s.expires_at, s.address, s.agent";

fn row(row: &sqlx::any::AnyRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        token_hash: row.digest("token_hash")?,
        account: row.parsed("account_id", |t| AccountId::parse(t).ok())?,
        begun_at: row.at("begun_at")?,
        seen_at: row.at("seen_at")?,
        expires_at: row.at("expires_at")?,
        address: row.text("address")?,
        agent: row.text("agent")?,
    })
}

impl Store {
    /// Begins a session. Sessions of anybody that have ended by themselves are removed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin_session(&self, new: NewSession, now: Timestamp) -> Result<(), StoreError> {
        self.task(BeginTask { new, now }).await
    }

    /// The session with this hash and its account, unless it has ended: by its absolute end, or because it was not used since
    /// `seen_after`, or because the account is shut.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn session(
        &self,
        token_hash: Digest,
        seen_after: Timestamp,
        now: Timestamp,
    ) -> Result<Option<(SessionRow, AccountRow)>, StoreError> {
        let select =
            format!("SELECT {COLUMNS}, {} FROM sessions s JOIN accounts a ON a.id = s.account_id", accounts::COLUMNS);
        let found = Select::new(&select)
            .and("s.token_hash = ?", vec![token_hash.into()])
            .and("s.expires_at > ? AND s.seen_at > ?", vec![now.into(), seen_after.into()])
            .and("a.disabled_at IS NULL", vec![])
            .fetch(self.readers())
            .await?;
        found.first().map(|r| Ok((row(r)?, accounts::row(r)?))).transpose()
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn touch_session(&self, token_hash: Digest, now: Timestamp) -> Result<(), StoreError> {
        self.task(TouchTask { token_hash, now }).await
    }

    /// The sessions of an account, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn sessions_of(&self, account: AccountId, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        let found = Select::new(&format!("SELECT {COLUMNS} FROM sessions s"))
            .and("s.account_id = ? AND s.expires_at > ?", vec![text(account), now.into()])
            .push(" ORDER BY s.begun_at DESC LIMIT 100", vec![])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }

    /// Ends one session of the account; whether there was one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_session(
        &self,
        token_hash: Digest,
        account: AccountId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let ended = Ended::One(token_hash);
        Ok(self.task(EndTask { account, ended, actor: actor.to_owned(), now }).await? > 0)
    }

    /// Ends all sessions of the account but one; how many.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_sessions(
        &self,
        account: AccountId,
        keep: Option<Digest>,
        actor: &str,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        self.task(EndTask { account, ended: Ended::AllBut(keep), actor: actor.to_owned(), now }).await
    }

    /// Keeps a link with which the account's password is set once; an earlier one is good no more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_password_link(
        &self,
        token_hash: Digest,
        account: AccountId,
        expires_at: Timestamp,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.task(LinkTask { token_hash, account, expires_at, actor: actor.to_owned(), now }).await
    }

    /// The account whose password this link sets.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn password_link(&self, token_hash: Digest, now: Timestamp) -> Result<Option<AccountRow>, StoreError> {
        let select =
            format!("SELECT {} FROM password_links l JOIN accounts a ON a.id = l.account_id", accounts::COLUMNS);
        let found = Select::new(&select)
            .and("l.token_hash = ? AND l.expires_at > ?", vec![token_hash.into(), now.into()])
            .and("a.disabled_at IS NULL", vec![])
            .fetch(self.readers())
            .await?;
        found.first().map(accounts::row).transpose()
    }
}

/// Ends all sessions of an account but one, within a transaction.
pub(super) async fn end_all(tx: &mut Tx<'_>, account: AccountId, keep: Option<Digest>) -> Result<u32, Failure> {
    let mut end = Select::new("DELETE FROM sessions").and("account_id = ?", vec![text(account)]);
    if let Some(keep) = keep {
        end = end.and("token_hash <> ?", vec![keep.into()]);
    }
    let (sql, vals) = end.push(" RETURNING account_id", vec![]).into_parts();
    Ok(u32::try_from(tx.built(sql, vals).await?.len()).unwrap_or(u32::MAX))
}

#[derive(Debug)]
struct BeginTask {
    new: NewSession,
    now: Timestamp,
}

impl Write for BeginTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        let new = &self.new;
        tx.one("DELETE FROM sessions WHERE expires_at <= $1", vec![self.now.into()]).await?;
        for subject in &new.counted {
            tx.one("DELETE FROM sign_in_failures WHERE subject = $1", vec![text(subject)]).await?;
        }
        let sql = "INSERT INTO sessions (token_hash, account_id, begun_at, seen_at, expires_at, address, agent) \
                   VALUES ($1, $2, $3, $3, $4, $5, $6)";
        let vals = vec![
            new.token_hash.into(),
            text(new.account),
            self.now.into(),
            new.expires_at.into(),
            text(&new.address),
            text(&new.agent),
        ];
        tx.one(sql, vals).await?;
        let signed_in = "UPDATE accounts SET signed_in_at = $2 WHERE id = $1";
        tx.one(signed_in, vec![text(new.account), self.now.into()]).await?;
        let actor = format!("account:{}", new.account);
        rows.entry(&entry("signed-in", &actor, new.account, json!({ "address": new.address })), self.now);
        Ok(())
    }
}

#[derive(Debug)]
struct TouchTask {
    token_hash: Digest,
    now: Timestamp,
}

impl Write for TouchTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        let sql = "UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2";
        tx.one(sql, vec![self.token_hash.into(), self.now.into()]).await?;
        Ok(())
    }
}

#[derive(Debug)]
enum Ended {
    One(Digest),
    AllBut(Option<Digest>),
}

#[derive(Debug)]
struct EndTask {
    account: AccountId,
    ended: Ended,
    actor: String,
    now: Timestamp,
}

impl Write for EndTask {
    type Out = u32;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<u32, Failure> {
        let count = match &self.ended {
            Ended::One(hash) => {
                let sql = "DELETE FROM sessions WHERE token_hash = $1 AND account_id = $2 RETURNING account_id";
                u32::from(!tx.one(sql, vec![(*hash).into(), text(self.account)]).await?.is_empty())
            }
            Ended::AllBut(keep) => end_all(tx, self.account, *keep).await?,
        };
        if count > 0 {
            rows.entry(&entry("signed-out", &self.actor, self.account, json!({ "sessions": count })), self.now);
        }
        Ok(count)
    }
}

#[derive(Debug)]
struct LinkTask {
    token_hash: Digest,
    account: AccountId,
    expires_at: Timestamp,
    actor: String,
    now: Timestamp,
}

impl Write for LinkTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        tx.one("DELETE FROM password_links WHERE account_id = $1", vec![text(self.account)]).await?;
        let sql = "INSERT INTO password_links (token_hash, account_id, expires_at) VALUES ($1, $2, $3)";
        tx.one(sql, vec![self.token_hash.into(), text(self.account), self.expires_at.into()]).await?;
        rows.entry(
            &entry("password-link-made", &self.actor, self.account, json!({ "until": self.expires_at })),
            self.now,
        );
        Ok(())
    }
}
