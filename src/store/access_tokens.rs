//! Personal tokens for scripts.

use std::collections::BTreeSet;

use serde_json::json;

use crate::access::Right;
use crate::domain::{AccountId, Digest, Line, Timestamp, TokenId};

use super::accounts::{self, AccountRow, entry};
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, text};
use super::writer::Write;
use super::{Store, StoreError};

/// A token to keep.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// Whose.
    pub account: AccountId,
    /// SHA-256 of the token.
    pub token_hash: Digest,
    /// What it is for.
    pub title: Line,
    /// No more than these rights of the account.
    pub rights: BTreeSet<Right>,
    /// Until when (exclusive).
    pub expires_at: Timestamp,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// Whose.
    pub account: AccountId,
    /// What it is for.
    pub title: String,
    /// No more than these rights of the account.
    pub rights: BTreeSet<Right>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when (exclusive).
    pub expires_at: Timestamp,
    /// When it was last used, to a minute.
    pub used_at: Option<Timestamp>,
    /// Since when it is good no more.
    pub revoked_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "t.id AS token_id, t.account_id, t.title, t.rights, t.made_at, t.expires_at, t.used_at, t.revoked_at";

fn row(row: &sqlx::any::AnyRow) -> Result<TokenRow, StoreError> {
    // A right that this version does not know any more gives nothing.
    let rights = |words: &str| Some(words.split_whitespace().filter_map(Right::parse).collect());
    Ok(TokenRow {
        id: row.parsed("token_id", |t| TokenId::parse(t).ok())?,
        account: row.parsed("account_id", |t| AccountId::parse(t).ok())?,
        title: row.text("title")?,
        rights: row.parsed("rights", rights)?,
        made_at: row.at("made_at")?,
        expires_at: row.at("expires_at")?,
        used_at: row.opt_at("used_at")?,
        revoked_at: row.opt_at("revoked_at")?,
    })
}

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert_token(&self, new: NewToken, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        self.task(InsertTask { new, actor: actor.to_owned(), now }).await
    }

    /// The token with this hash and its account, if it is good at `now` and the account is open.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn token(&self, hash: Digest, now: Timestamp) -> Result<Option<(TokenRow, AccountRow)>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS}, {} FROM access_tokens t JOIN accounts a ON a.id = t.account_id",
            accounts::COLUMNS
        );
        let found = Select::new(&select)
            .and("t.token_hash = ? AND t.expires_at > ?", vec![hash.into(), now.into()])
            .and("t.revoked_at IS NULL AND a.disabled_at IS NULL", vec![])
            .fetch(self.readers())
            .await?;
        found.first().map(|r| Ok((row(r)?, accounts::row(r)?))).transpose()
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn touch_token(&self, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
        self.task(TouchTask { id, now }).await
    }

    /// The tokens of an account, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn tokens_of(&self, account: AccountId) -> Result<Vec<TokenRow>, StoreError> {
        let found = Select::new(&format!("SELECT {COLUMNS} FROM access_tokens t"))
            .and("t.account_id = ?", vec![text(account)])
            .push(" ORDER BY t.made_at DESC, t.id DESC LIMIT 100", vec![])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }

    /// Revokes a token of the account; `false` when it has none with this id, or it was revoked.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revoke_token(
        &self,
        id: TokenId,
        account: AccountId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.task(RevokeTask { id, account, actor: actor.to_owned(), now }).await
    }
}

#[derive(Debug)]
struct InsertTask {
    new: NewToken,
    actor: String,
    now: Timestamp,
}

impl Write for InsertTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<(), Failure> {
        let new = &self.new;
        let rights = new.rights.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" ");
        let sql = "INSERT INTO access_tokens (id, account_id, token_hash, title, rights, made_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let vals = vec![
            text(new.id),
            text(new.account),
            new.token_hash.into(),
            text(&new.title),
            text(&rights),
            self.now.into(),
            new.expires_at.into(),
        ];
        tx.one(sql, vals).await?;
        let more = json!({ "token": new.id, "rights": rights, "until": new.expires_at });
        rows.entry(&entry("token-made", &self.actor, new.account, more), self.now);
        Ok(())
    }
}

#[derive(Debug)]
struct TouchTask {
    id: TokenId,
    now: Timestamp,
}

impl Write for TouchTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        tx.one("UPDATE access_tokens SET used_at = $2 WHERE id = $1", vec![text(self.id), self.now.into()]).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct RevokeTask {
    id: TokenId,
    account: AccountId,
    actor: String,
    now: Timestamp,
}

impl Write for RevokeTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let sql = "UPDATE access_tokens SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL RETURNING id";
        if tx.one(sql, vec![text(self.id), text(self.account), self.now.into()]).await?.is_empty() {
            return Ok(false);
        }
        rows.entry(&entry("token-revoked", &self.actor, self.account, json!({ "token": self.id })), self.now);
        Ok(true)
    }
}
