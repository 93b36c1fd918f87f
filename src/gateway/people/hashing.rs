//! Argon2id with the parameters that OWASP's Password Storage Cheat Sheet names first for little memory: 19 MiB, two passes, one lane.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: each holds its memory and a processor.
const AT_ONCE_MAX: usize = 4;

fn argon() -> Result<Argon2<'static>, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| e.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password in PHC form, with a new salt. Takes tens of milliseconds: not for an async thread.
///
/// # Errors
/// When the library has no randomness.
pub fn hash_password(password: &str) -> Result<String, String> {
    Ok(argon()?.hash_password(password.as_bytes()).map_err(|e| e.to_string())?.to_string())
}

fn verify(password: &str, hash: &str) -> Result<bool, String> {
    let hash = PasswordHash::new(hash).map_err(|e| e.to_string())?;
    Ok(argon()?.verify_password(password.as_bytes(), &hash).is_ok())
}

/// Hashes on blocking threads, a few at once.
#[derive(Debug)]
pub struct Hasher {
    places: Semaphore,
    /// The hash of nobody's password, for logins that do not exist.
    nobody: tokio::sync::OnceCell<String>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE_MAX), nobody: tokio::sync::OnceCell::new() }
    }
}

impl Hasher {
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let _place = self.places.acquire().await.map_err(|e| e.to_string())?;
        tokio::task::spawn_blocking(work).await.map_err(|e| e.to_string())?
    }

    /// The hash of a password.
    ///
    /// # Errors
    /// When the library has no randomness.
    pub async fn hash(&self, password: String) -> Result<String, String> {
        self.blocking(move || hash_password(&password)).await
    }

    /// Whether the password is the one of the hash. Without a hash the same work is done, and the answer is no.
    ///
    /// # Errors
    /// When the stored hash cannot be read.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, String> {
        let known = hash.is_some();
        let hash = match hash {
            Some(hash) => hash,
            None => self.nobody().await?,
        };
        Ok(self.blocking(move || verify(&password, &hash)).await? && known)
    }

    /// Made once, before the first question, so that the first unknown login takes no longer than others.
    pub(in crate::gateway) async fn nobody(&self) -> Result<String, String> {
        let make = || async { self.hash(crate::crypto::generate::token().map_err(|e| e.to_string())?).await };
        self.nobody.get_or_try_init(make).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_nobody_has_one() {
        let hasher = Hasher::default();
        let hash = hasher.hash("синий трамвай у моста".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, hash, yes) in [
            ("синий трамвай у моста", Some(&hash), true),
            ("синий трамвай у Моста", Some(&hash), false),
            ("синий трамвай у моста", None, false),
        ] {
            assert_eq!(hasher.verify(password.to_owned(), hash.cloned()).await, Ok(yes));
        }
        assert!(hasher.verify("x".to_owned(), Some("plain".to_owned())).await.is_err());
    }
}
