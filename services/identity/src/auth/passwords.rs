//! Passwords: argon2id with the parameters that OWASP's Password Storage Cheat Sheet recommends (19 MiB, 2 passes, 1 lane), which are
//! the crate's defaults. New ones have to be long, hard to guess, and in no breach (NIST SP 800-63B, 5.1.1.2).

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use domain::secret::Secret;
use domain::team::User;
use services_core::{Result, ServiceError};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use crate::Sessions;

/// The shortest password, in characters (NIST SP 800-63B asks for 8; a control plane deserves more).
pub const MIN_CHARACTERS: usize = 12;
/// The longest password, in bytes: hashing must not become an attack on our own processor.
pub const MAX_BYTES: usize = 1024;
/// Somebody who has the hash needs 10^8 guesses or more: "safely unguessable" as zxcvbn calls it.
const HARD_ENOUGH: Score = Score::Three;

/// Each hash takes 19 MiB and a core; more at once than this would make sign-in an attack on the machine.
static HASHING: Semaphore = Semaphore::const_new(2);

impl Sessions {
    /// The hash of a new password of this user, if it can be taken.
    pub(super) async fn new_password(&self, password: Secret, user: Option<&User>) -> Result<String> {
        let known = user.map_or_else(Vec::new, |user| vec![user.email.clone(), user.name.clone()]);
        let checked = password.clone();
        off_the_async_threads(move || check(&checked, &known)).await??;
        if let Some(breaches) = self.breaches()
            && breaches.contain(&password).await
        {
            let message = "this password is in lists of stolen passwords, which attackers try first: choose another";
            return Err(ServiceError::invalid("password", "PASSWORD_BREACHED", message));
        }
        hash(password).await
    }
}

fn check(password: &Secret, known: &[String]) -> Result<()> {
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
    let parts = known.iter().flat_map(|text| text.split(['@', '.', ' '])).chain(["mikrocloud"]);
    let inputs: Vec<&str> = known.iter().map(String::as_str).chain(parts).collect();
    let estimate = zxcvbn(password.expose(), &inputs);
    if estimate.score() < HARD_ENOUGH {
        let why = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning).map(|warning| warning.to_string());
        let why = why.unwrap_or_else(|| "It is made of few or common parts.".to_owned());
        let message = format!("the password is easy to guess. {why} Use some uncommon words, or a password manager");
        return Err(ServiceError::invalid("password", "PASSWORD_GUESSABLE", message));
    }
    Ok(())
}

async fn hash(password: Secret) -> Result<String> {
    off_the_async_threads(move || {
        let hash = Argon2::default().hash_password(password.expose().as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| ServiceError::internal(error.to_string()))
    })
    .await?
}

/// Returns true if a password matches its hash. Without a hash it takes as long and returns false, so that nobody learns which
/// users exist.
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
    let permit = HASHING.acquire().await.map_err(ServiceError::internal)?;
    let work = move || {
        // The work goes on when its client hangs up, and has its place until it ends.
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(ServiceError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> Option<&'static str> {
        let known = ["ada.lovelace@example.org".to_owned(), "Ada Lovelace".to_owned()];
        match check(&Secret::new(password), &known) {
            Ok(()) => None,
            Err(ServiceError::Invalid { field: "password", code, .. }) => Some(code),
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_hash_keeps_its_place_though_nobody_waits_for_it_any_more() {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (sender, begun) = tokio::sync::oneshot::channel();
        let hashing = off_the_async_threads(move || {
            sender.send(()).unwrap();
            released.recv()
        });
        tokio::select! {
            _ = hashing => panic!("it has not ended"),
            started = begun => started.unwrap(),
        }
        assert!(HASHING.available_permits() < 2);
        drop(release);
    }

    #[test]
    fn passwords_are_long_and_hard_to_guess() {
        for (password, expected) in [
            ("short", Some("PASSWORD_TOO_SHORT")),
            (&*"x".repeat(MAX_BYTES + 1), Some("PASSWORD_TOO_LONG")),
            ("passwordpassword", Some("PASSWORD_GUESSABLE")),
            ("qwertyuiopasdf", Some("PASSWORD_GUESSABLE")),
            ("aaaaaaaaaaaaaaaaaaaa", Some("PASSWORD_GUESSABLE")),
            ("ada.lovelace@example.org", Some("PASSWORD_GUESSABLE")),
            ("mikrocloud2026", Some("PASSWORD_GUESSABLE")),
            ("correct horse battery staple", None),
            ("пароль не угадать никак", None),
            ("🦀🦑🐙🦐🦞🐡🐠🐟🐬🐳🐋🦈", None),
            ("x7#kPq2!vLm9", None),
        ] {
            assert_eq!(refused(password), expected, "{password}");
        }
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_nothing_matches_no_hash() {
        let password = Secret::new("correct horse battery staple");
        let known = hash(password.clone()).await.unwrap();
        assert!(known.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{known}");
        assert!(verify(password.clone(), Some(known.clone())).await.unwrap());
        assert!(!verify(Secret::new("correct horse battery stapl"), Some(known)).await.unwrap());
        assert!(!verify(password, None).await.unwrap());
    }
}
