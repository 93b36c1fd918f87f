//! Accounts of people.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::access::{Principal, Role, Scope};
use crate::domain::{AccountId, DataClass, Digest, Line, Login, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, opt_text, text};
use super::writer::Write;
use super::{JournalEntry, Store, StoreError, sessions, sign_ins};

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// Under which it signs in.
    pub login: Login,
    /// The person's name.
    pub name: Line,
    /// Argon2id in PHC form; `None`: no password yet.
    pub password: Option<String>,
    /// Whether the password was given by somebody else and must be changed first.
    pub must_change: bool,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// Its part of the region.
    pub scope: Scope,
    /// The classes of personal data that it may see; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
}

/// An account as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Under which it signs in.
    pub login: Login,
    /// The person's name.
    pub name: String,
    /// Argon2id in PHC form.
    pub password: Option<String>,
    /// Whether the password must be changed first.
    pub must_change: bool,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// Its part of the region.
    pub scope: Scope,
    /// The classes of personal data that it may see; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub password_at: Option<Timestamp>,
    /// Since when it is shut.
    pub disabled_at: Option<Timestamp>,
    /// When somebody last signed in with it.
    pub signed_in_at: Option<Timestamp>,
}

impl std::fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountRow").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AccountRow {
    /// Who this is when signed in.
    pub fn principal(&self) -> Principal {
        let (roles, scope) = (self.roles.clone(), self.scope.clone());
        Principal::new(self.id, self.login.clone(), roles, scope, self.data_classes.clone())
    }
}

/// One change of an account.
#[derive(Debug, Clone)]
pub enum AccountChange {
    /// Another password, Argon2id in PHC form. All other sessions end, and failed sign-ins are forgotten.
    Password {
        /// The hash.
        hash: String,
        /// Whether it must be changed first.
        must_change: bool,
        /// The session that goes on: the one in which it was changed.
        keep: Option<Digest>,
    },
    /// Other rights.
    Access {
        /// The roles.
        roles: BTreeSet<Role>,
        /// The part of the region.
        scope: Scope,
        /// The classes of personal data.
        data_classes: Option<BTreeSet<DataClass>>,
    },
    /// Another name.
    Name(Line),
    /// Shut (all sessions end, tokens and links are good for nothing) or opened again (failed sign-ins are forgotten).
    Disabled(bool),
}

pub(super) const COLUMNS: &str = "a.id, a.login, a.name, a.password, a.must_change, a.roles, a.scope, a.data_classes, a.created_at, \
    a.password_at, a.disabled_at, a.signed_in_at";

pub(super) fn row(row: &sqlx::any::AnyRow) -> Result<AccountRow, StoreError> {
    let roles = |words: &str| words.split_whitespace().map(Role::parse).collect::<Option<BTreeSet<Role>>>();
    Ok(AccountRow {
        id: row.parsed("id", |t| AccountId::parse(t).ok())?,
        login: row.parsed("login", |t| Login::parse(t).ok())?,
        name: row.text("name")?,
        password: row.opt_text("password")?,
        must_change: row.flag("must_change")?,
        roles: row.parsed("roles", roles)?,
        scope: row.parsed("scope", |t| serde_json::from_str(t).ok())?,
        data_classes: row.opt_parsed("data_classes", DataClass::parse_set)?,
        created_at: row.at("created_at")?,
        password_at: row.opt_at("password_at")?,
        disabled_at: row.opt_at("disabled_at")?,
        signed_in_at: row.opt_at("signed_in_at")?,
    })
}

fn words<T>(set: &BTreeSet<T>, word: fn(&T) -> &'static str) -> String {
    set.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn classes(set: Option<&BTreeSet<DataClass>>) -> Option<String> {
    set.map(|set| words(set, |class| class.as_str()))
}

/// The rights of an account, for the journal.
fn access_json(roles: &BTreeSet<Role>, scope: &Scope, data_classes: Option<&BTreeSet<DataClass>>) -> Value {
    json!({ "roles": words(roles, |r| r.as_str()), "scope": scope, "dataClasses": classes(data_classes) })
}

/// An entry about an account: its id and what changed, never a name or a login.
pub(super) fn entry(kind: &str, actor: &str, account: AccountId, more: Value) -> JournalEntry {
    let mut detail = json!({ "account": account });
    if let (Value::Object(to), Value::Object(from)) = (&mut detail, more) {
        to.extend(from);
    }
    JournalEntry { kind: kind.to_owned(), actor: actor.to_owned(), detail, ..JournalEntry::default() }
}

impl Store {
    /// Adds an account; `false` when the login is taken.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn add_account(&self, new: NewAccount, author: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.task(AddTask { new, author: author.to_owned(), now }).await
    }

    /// Changes an account; `false` when there is none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn change_account(
        &self,
        id: AccountId,
        change: AccountChange,
        author: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.task(ChangeTask { id, change, author: author.to_owned(), now }).await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn account(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        let select = Select::new(&format!("SELECT {COLUMNS} FROM accounts a")).and("a.id = ?", vec![text(id)]);
        select.fetch(self.readers()).await?.first().map(row).transpose()
    }

    /// The account with this login.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn account_by_login(&self, login: &Login) -> Result<Option<AccountRow>, StoreError> {
        let select = Select::new(&format!("SELECT {COLUMNS} FROM accounts a")).and("a.login = ?", vec![text(login)]);
        select.fetch(self.readers()).await?.first().map(row).transpose()
    }

    /// Accounts by login, after `after` (the last of the page before).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn accounts(&self, after: Option<&Login>, limit: u32) -> Result<Vec<AccountRow>, StoreError> {
        let found = Select::new(&format!("SELECT {COLUMNS} FROM accounts a"))
            .and_some("a.login > ?", after.map(text))
            .push(" ORDER BY a.login LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(row).collect()
    }

    /// The logins of these accounts, for pages that name who acted.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn logins(
        &self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<std::collections::BTreeMap<AccountId, Login>, StoreError> {
        if ids.is_empty() {
            return Ok(std::collections::BTreeMap::new());
        }
        let found = Select::new("SELECT id, login FROM accounts")
            .and("id IN (", vec![])
            .list(ids.iter().map(text).collect())
            .push(")", vec![])
            .fetch(self.readers())
            .await?;
        found
            .iter()
            .map(|row| {
                let id = row.parsed("id", |t| AccountId::parse(t).ok())?;
                Ok((id, row.parsed("login", |t| Login::parse(t).ok())?))
            })
            .collect()
    }
}

#[derive(Debug)]
struct AddTask {
    new: NewAccount,
    author: String,
    now: Timestamp,
}

impl Write for AddTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let new = &self.new;
        let scope = serde_json::to_string(&new.scope).map_err(|e| Failure::Rows(e.to_string()))?;
        let sql = "INSERT INTO accounts (id, login, name, password, must_change, roles, scope, data_classes, created_at, password_at, \
                   version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1) ON CONFLICT DO NOTHING RETURNING id";
        let vals = vec![
            text(new.id),
            text(&new.login),
            text(&new.name),
            opt_text(new.password.as_ref()),
            new.must_change.into(),
            text(words(&new.roles, |r| r.as_str())),
            text(scope),
            opt_text(classes(new.data_classes.as_ref())),
            self.now.into(),
            new.password.as_ref().map(|_| self.now).into(),
        ];
        if tx.one(sql, vals).await?.is_empty() {
            return Ok(false);
        }
        let access = access_json(&new.roles, &new.scope, new.data_classes.as_ref());
        rows.entry(&entry("account-added", &self.author, new.id, access), self.now);
        Ok(true)
    }
}

#[derive(Debug)]
struct ChangeTask {
    id: AccountId,
    change: AccountChange,
    author: String,
    now: Timestamp,
}

impl Write for ChangeTask {
    type Out = bool;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        let (select, more, kind) = match &self.change {
            AccountChange::Password { hash, must_change, .. } => {
                let set = Select::new("UPDATE accounts SET version = version + 1").push(
                    ", password = ?, must_change = ?, password_at = ?",
                    vec![text(hash), (*must_change).into(), self.now.into()],
                );
                (set, json!({ "mustChange": must_change }), "account-password-set")
            }
            AccountChange::Access { roles, scope, data_classes } => {
                let as_text = serde_json::to_string(scope).map_err(|e| Failure::Rows(e.to_string()))?;
                let set = Select::new("UPDATE accounts SET version = version + 1").push(
                    ", roles = ?, scope = ?, data_classes = ?",
                    vec![text(words(roles, |r| r.as_str())), text(as_text), opt_text(classes(data_classes.as_ref()))],
                );
                (set, access_json(roles, scope, data_classes.as_ref()), "account-access-changed")
            }
            AccountChange::Name(name) => {
                let set = Select::new("UPDATE accounts SET version = version + 1").push(", name = ?", vec![text(name)]);
                (set, Value::Null, "account-renamed")
            }
            AccountChange::Disabled(off) => {
                let set = Select::new("UPDATE accounts SET version = version + 1")
                    .push(", disabled_at = ?", vec![off.then_some(self.now).into()]);
                (set, Value::Null, if *off { "account-disabled" } else { "account-enabled" })
            }
        };
        let (sql, vals) = select.push(" WHERE id = ? RETURNING login", vec![text(self.id)]).into_parts();
        let changed = tx.built(sql, vals).await?;
        let Some(changed) = changed.first() else { return Ok(false) };
        let opened = matches!(self.change, AccountChange::Password { .. } | AccountChange::Disabled(false));
        if opened {
            // Whoever gives somebody a new way in does not leave the pause before it.
            let subject = sign_ins::login_subject(&changed.text("login")?);
            tx.one("DELETE FROM sign_in_failures WHERE subject = $1", vec![text(subject)]).await?;
        }
        match &self.change {
            AccountChange::Password { keep, .. } => {
                sessions::end_all(tx, self.id, *keep).await?;
                tx.one("DELETE FROM password_links WHERE account_id = $1", vec![text(self.id)]).await?;
            }
            AccountChange::Disabled(true) => {
                sessions::end_all(tx, self.id, None).await?;
                tx.one("DELETE FROM password_links WHERE account_id = $1", vec![text(self.id)]).await?;
            }
            AccountChange::Access { .. } | AccountChange::Name(_) | AccountChange::Disabled(false) => {}
        }
        rows.entry(&entry(kind, &self.author, self.id, more), self.now);
        Ok(true)
    }
}
