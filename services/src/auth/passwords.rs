//! Passwords: argon2id with the parameters that OWASP's Password Storage Cheat Sheet recommends (19 MiB, 2 passes, 1 lane), which are
//! the crate's defaults.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use domain::secret::Secret;
use tokio::sync::Semaphore;

use crate::{Result, ServiceError};

/// The shortest password, in characters (NIST SP 800-63B asks for 8; a control plane deserves more).
pub const MIN_CHARACTERS: usize = 12;
/// The longest password, in bytes: hashing must not become an attack on our own processor.
pub const MAX_BYTES: usize = 1024;

/// Each hash takes 19 MiB and a core; more at once than this would make sign-in an attack on the machine.
static HASHING: Semaphore = Semaphore::const_new(2);

pub(super) fn check(password: &Secret) -> Result<()> {
    let characters = password.expose().chars().count();
    if characters < MIN_CHARACTERS {
        let message = format!("the password has {characters} characters: use at least {MIN_CHARACTERS}");
        return Err(ServiceError::invalid("password", "PASSWORD_TOO_SHORT", message));
    }
    if password.expose().len() > MAX_BYTES {
        return Err(ServiceError::invalid(
            "password",
            "PASSWORD_TOO_LONG",
            format!("the password is too long: use at most {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

pub(super) async fn hash(password: Secret) -> Result<String> {
    off_the_async_threads(move || {
        let hash = Argon2::default().hash_password(password.expose().as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| ServiceError::internal(error.to_string()))
    })
    .await?
}

/// Whether a password matches its hash. Without a hash it takes as long and answers no, so that nobody learns which users exist.
pub(super) async fn verify(password: Secret, hash: Option<String>) -> Result<bool> {
    if password.expose().len() > MAX_BYTES {
        return Ok(false);
    }
    off_the_async_threads(move || {
        let Some(hash) = hash else {
            let _ = Argon2::default().hash_password(password.expose().as_bytes());
            return Ok(false);
        };
        let parsed = PasswordHash::new(&hash).map_err(|error| ServiceError::internal(error.to_string()))?;
        Ok(Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok())
    })
    .await?
}

async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = HASHING.acquire().await.map_err(ServiceError::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(ServiceError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_only_against_its_own_hash() {
        let hash = hash(Secret::new("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify(Secret::new("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!verify(Secret::new("correct horse batterx"), Some(hash)).await.unwrap());
        assert!(!verify(Secret::new("correct horse battery"), None).await.unwrap());
    }

    #[test]
    fn short_and_endless_passwords_are_refused_with_a_remedy() {
        assert_eq!(check(&Secret::new("short")).unwrap_err().to_string(), "the password has 5 characters: use at least 12");
        assert!(check(&Secret::new("x".repeat(2000))).is_err());
        assert!(check(&Secret::new("пароль-пароль")).is_ok());
    }
}
