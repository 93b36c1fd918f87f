//! People who use the console: signing in, sessions, passwords, tokens.
//!
//! A secret (of a session, a token, a link) is 256 random bits; the store keeps its SHA-256. A password is hashed by Argon2id on a
//! blocking thread, a few at once. A login that does not exist costs the same as a wrong password and is counted alike.

mod hashing;
mod sessions;
mod tokens;

use crate::access::Principal;
use crate::access::password::Weak;
use crate::domain::{AccountId, Timestamp};
use crate::store::{AccountRow, SessionRow, StoreError};

pub use hashing::{Hasher, hash_password};
pub use sessions::SignInTry;
pub use tokens::{TOKEN_PREFIX, TokenWish};

/// Somebody in a session.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who, and what they may.
    pub principal: Principal,
    /// The account.
    pub account: AccountRow,
    /// The session; `None`: a token.
    pub session: Option<SessionRow>,
}

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The login or the password is wrong, or the account is shut: nobody is told which.
    #[error("логин или пароль неверен / wrong login or password")]
    Wrong,
    /// Too many failures.
    #[error("слишком много попыток / too many attempts")]
    Blocked(Timestamp),
    /// The database.
    #[error("база данных / the database")]
    Store(#[from] StoreError),
    /// The library of hashes, or randomness.
    #[error("password hashing: {0}")]
    Defect(String),
}

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The rules do not take it.
    #[error("{}", .0.said())]
    Weak(Weak),
    /// The present password is wrong.
    #[error("прежний пароль неверен / the present password is wrong")]
    Wrong,
    /// There is no such account, or the link is good no more.
    #[error("учётной записи нет / no such account")]
    NoAccount,
    /// The database.
    #[error("база данных / the database")]
    Store(#[from] StoreError),
    /// The library of hashes, or randomness.
    #[error("password hashing: {0}")]
    Defect(String),
}

/// A new account's id.
pub fn new_account_id() -> AccountId {
    AccountId::from_uuid(uuid::Uuid::now_v7())
}
