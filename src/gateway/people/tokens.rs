//! Personal tokens for scripts.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{SignInError, Signed};
use crate::access::Right;
use crate::crypto::{generate, sha256};
use crate::domain::{Line, TokenId};
use crate::gateway::Gateway;
use crate::store::{AccountRow, NewToken, StoreError};

/// How a token begins, so that a scanner for leaked secrets knows one.
pub const TOKEN_PREFIX: &str = "mzv_";
/// How often a token's last use is written down, in seconds.
const TOUCH_SECONDS: i64 = 60;

/// A token to make.
#[derive(Debug, Clone)]
pub struct TokenWish {
    /// What it is for.
    pub title: Line,
    /// Its rights; those that the account has not are left out.
    pub rights: BTreeSet<Right>,
    /// Days that it is good for.
    pub days: u32,
}

impl Gateway {
    /// Makes a token of the account and tells it once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn make_token(
        &self,
        account: &AccountRow,
        wish: TokenWish,
        actor: &str,
    ) -> Result<(TokenId, String), SignInError> {
        let now = self.clock().now();
        let secret = generate::token().map_err(|e| SignInError::Defect(e.to_string()))?;
        let token = format!("{TOKEN_PREFIX}{secret}");
        let has = account.principal();
        // A token makes no tokens and changes no password.
        let rights = wish.rights.into_iter().filter(|r| has.may(*r) && *r != Right::OwnAccess).collect();
        let new = NewToken {
            id: TokenId::from_uuid(Uuid::now_v7()),
            account: account.id,
            token_hash: sha256(token.as_bytes()),
            title: wish.title,
            rights,
            expires_at: now.plus_seconds(i64::from(wish.days) * 86_400),
        };
        let id = new.id;
        self.store().insert_token(new, actor, now).await?;
        Ok((id, token))
    }

    /// Whose token this is, if it is good: with the account's rights of today, and no more than the token's.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn token(&self, token: &str) -> Result<Option<Signed>, StoreError> {
        if !token.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let now = self.clock().now();
        let Some((row, account)) = self.store().token(sha256(token.as_bytes()), now).await? else { return Ok(None) };
        if row.used_at.is_none_or(|at| now.since(at) > TOUCH_SECONDS * 1_000_000) {
            self.store().touch_token(row.id, now).await?;
        }
        Ok(Some(Signed { principal: account.principal().narrowed(&row.rights), account, session: None }))
    }
}
