//! Signing in, the session that follows, and the password.

use tracing::warn;

use super::{PasswordError, SignInError, Signed};
use crate::access::password;
use crate::access::throttle::Counted;
use crate::crypto::{generate, sha256};
use crate::domain::{AccountId, Digest, Login};
use crate::gateway::Gateway;
use crate::store::{AccountChange, AccountRow, JournalEntry, NewSession, SignIn, StoreError, login_subject};

/// How often a session's last use is written down, in seconds.
const TOUCH_SECONDS: i64 = 60;
/// What is kept of a browser's name.
const AGENT_CHARS_MAX: usize = 160;
/// What is looked at of a login that somebody types.
const LOGIN_BYTES_MAX: usize = 256;

/// An attempt to sign in.
#[derive(Debug, Clone)]
pub struct SignInTry {
    /// The login as it was typed.
    pub login: String,
    /// The password as it was typed.
    pub password: String,
    /// From where.
    pub address: String,
    /// Whether failures from this address are counted: behind a proxy it is everybody's.
    pub count_address: bool,
    /// What the browser calls itself.
    pub agent: String,
    /// The secret of the session that the browser has now; it ends.
    pub before: Option<String>,
}

fn hash(secret: &str) -> Digest {
    sha256(secret.as_bytes())
}

impl Gateway {
    /// Signs somebody in: a new session with its secret. Its id is never one that was there before.
    ///
    /// # Errors
    /// When the login or password is wrong, too many attempts failed, or the database is away.
    pub async fn sign_in(&self, attempt: SignInTry) -> Result<(String, AccountRow), SignInError> {
        let (store, now) = (self.store(), self.clock().now());
        let typed: String = attempt.login.trim().to_lowercase();
        let typed = typed.get(..LOGIN_BYTES_MAX).unwrap_or(&typed);
        let mut subjects = vec![(login_subject(typed), Counted::Login)];
        if attempt.count_address {
            subjects.push((format!("address:{}", attempt.address), Counted::Address));
        }
        let counted: Vec<String> = subjects.iter().map(|(subject, _)| subject.clone()).collect();
        if let SignIn::Blocked(until) = store.count_sign_in(subjects, now).await? {
            return Err(SignInError::Blocked(until));
        }
        let account = match Login::parse(typed) {
            Ok(login) => store.account_by_login(&login).await?,
            Err(_) => None,
        };
        let known = account.as_ref().and_then(|a| a.password.clone());
        let right = self.hasher().verify(attempt.password, known).await.map_err(SignInError::Defect)?;
        let Some(account) = account.filter(|a| right && a.disabled_at.is_none()) else {
            self.note_refusal(typed, &attempt.address).await?;
            return Err(SignInError::Wrong);
        };
        let secret = self.begin_session(&account, &attempt.address, &attempt.agent, counted).await?;
        // Whoever's it was: one browser, one session.
        if let Some(before) = attempt.before
            && let Some(signed) = self.session(&before, false).await?
        {
            self.sign_out(&signed).await?;
        }
        Ok((secret, account))
    }

    /// Begins a session of an account whose owner has proved to be it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin_session(
        &self,
        account: &AccountRow,
        address: &str,
        agent: &str,
        counted: Vec<String>,
    ) -> Result<String, SignInError> {
        let now = self.clock().now();
        let secret = generate::token().map_err(|e| SignInError::Defect(e.to_string()))?;
        let hours = i64::from(self.settings().console.session_hours_max);
        let new = NewSession {
            token_hash: hash(&secret),
            account: account.id,
            expires_at: now.plus_seconds(hours * 3600),
            address: address.to_owned(),
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect(),
            counted,
        };
        self.store().begin_session(new, now).await?;
        Ok(secret)
    }

    async fn note_refusal(&self, typed: &str, address: &str) -> Result<(), StoreError> {
        let now = self.clock().now();
        // The account by its id where there is one; what was typed may be a password in the wrong field.
        let account = match Login::parse(typed) {
            Ok(login) => self.store().account_by_login(&login).await?.map(|a| a.id),
            Err(_) => None,
        };
        let detail = serde_json::json!({ "account": account, "address": address });
        let kind = "sign-in-refused".to_owned();
        let entry = JournalEntry { kind, actor: "console".to_owned(), detail, ..JournalEntry::default() };
        self.store().append_journal(vec![entry], now).await
    }

    /// Whose session this is, unless it has ended. What a page asks for by itself does not count as use: `used` is `false`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn session(&self, secret: &str, used: bool) -> Result<Option<Signed>, StoreError> {
        let now = self.clock().now();
        let idle = i64::from(self.settings().console.session_idle_minutes) * 60;
        let found = self.store().session(hash(secret), now.plus_seconds(-idle), now).await?;
        let Some((session, account)) = found else { return Ok(None) };
        if used && now.since(session.seen_at) > TOUCH_SECONDS * 1_000_000 {
            self.store().touch_session(session.token_hash, now).await?;
        }
        Ok(Some(Signed { principal: account.principal(), account, session: Some(session) }))
    }

    /// Ends the session with this secret.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sign_out(&self, signed: &Signed) -> Result<(), StoreError> {
        let Some(session) = &signed.session else { return Ok(()) };
        let (account, actor) = (signed.account.id, signed.principal.actor());
        self.store().end_session(session.token_hash, account, &actor, self.clock().now()).await.map(drop)
    }

    /// Changes one's own password. All other sessions end.
    ///
    /// # Errors
    /// When the present password is wrong, the new one is not taken, or the database is away.
    pub async fn change_password(&self, signed: &Signed, present: String, new: String) -> Result<(), PasswordError> {
        let account = &signed.account;
        // Counted like a sign-in: whoever sits down at an open screen must not try on and on.
        let subject = (login_subject(account.login.as_str()), Counted::Login);
        if let SignIn::Blocked(_) = self.store().count_sign_in(vec![subject], self.clock().now()).await? {
            return Err(PasswordError::Wrong);
        }
        let right = self.hasher().verify(present, account.password.clone()).await.map_err(PasswordError::Defect)?;
        if !right {
            return Err(PasswordError::Wrong);
        }
        let keep = signed.session.as_ref().map(|s| s.token_hash);
        self.set_password(account, new, keep, false, &signed.principal.actor()).await
    }

    /// Sets the password of a one-time link.
    ///
    /// # Errors
    /// When the link is good no more, the password is not taken, or the database is away.
    pub async fn set_password_by_link(&self, secret: &str, new: String) -> Result<AccountRow, PasswordError> {
        let account = self.password_link(secret).await?.ok_or(PasswordError::NoAccount)?;
        let actor = account.principal().actor();
        self.set_password(&account, new, None, false, &actor).await?;
        Ok(account)
    }

    /// Whose password this one-time link sets.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn password_link(&self, secret: &str) -> Result<Option<AccountRow>, StoreError> {
        self.store().password_link(hash(secret), self.clock().now()).await
    }

    /// Makes a one-time link for the account: its secret. An earlier one is good no more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn make_password_link(&self, account: AccountId, actor: &str) -> Result<String, SignInError> {
        let now = self.clock().now();
        let secret = generate::token().map_err(|e| SignInError::Defect(e.to_string()))?;
        let hours = i64::from(self.settings().console.password_link_hours);
        let until = now.plus_seconds(hours * 3600);
        self.store().insert_password_link(hash(&secret), account, until, actor, now).await?;
        Ok(secret)
    }

    async fn set_password(
        &self,
        account: &AccountRow,
        new: String,
        keep: Option<Digest>,
        must_change: bool,
        actor: &str,
    ) -> Result<(), PasswordError> {
        password::check(&new, &account.login).map_err(PasswordError::Weak)?;
        let hash = self.hasher().hash(new).await.map_err(PasswordError::Defect)?;
        let change = AccountChange::Password { hash, must_change, keep };
        let changed = self.store().change_account(account.id, change, actor, self.clock().now()).await?;
        if changed { Ok(()) } else { Err(PasswordError::NoAccount) }
    }

    /// Makes ready what the first sign-in needs.
    pub async fn warm_people(&self) {
        if let Err(error) = self.hasher().nobody().await {
            warn!(%error, "password hashing does not work");
        }
    }
}
