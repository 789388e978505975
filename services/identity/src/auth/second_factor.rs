//! Second factors: time-based one-time passwords (RFC 6238: six digits, 30 seconds, HMAC-SHA-1, as all authenticator programs know
//! them), with recovery codes for who loses the device. A code is taken once.

use chrono::TimeDelta;
use domain::access::Origin;
use domain::id::UserId;
use domain::secret::Secret;
use domain::session::SecurityEventKind;
use domain::team::User;
use domain::time::now;
use rand::Rng;
use serde::{Deserialize, Serialize};
use services_core::audit::{Action, AuditEntry, AuditOutcome, record_about_user};
use services_core::{Result, ServiceError};
use totp_rs::{Builder, Totp};

use super::account::{Account, tell_user};
use super::flows::Flow;
use super::sessions::{Method, SignedIn};
use super::throttle::Guess;
use super::token_hash;
use crate::SecondFactors;

const SECRET_BYTES: usize = 20;
const ISSUER: &str = "MikroCloud";
const RECOVERY_CODES: usize = 10;
/// Without letters and digits that are taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const CODE_CHARACTERS: usize = 16;

/// Somebody whose password was right and who has to show a code.
#[derive(Serialize, Deserialize)]
pub(super) struct SecondFactorAsked {
    user: UserId,
    method: Method,
}

impl Flow for SecondFactorAsked {
    const KIND: &'static str = "second-factor";
    const LIFETIME: TimeDelta = TimeDelta::minutes(10);
}

/// A secret that an authenticator program takes.
pub struct Enrolment {
    /// In base32, to be typed in.
    pub secret: Secret,
    /// The same as an `otpauth:` address, to be shown as a QR code.
    pub address: Secret,
}

/// State of the second factor of a user's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Requires a code at sign-in.
    pub enabled: bool,
    /// Number of remaining recovery codes.
    pub recovery_codes: i64,
}

/// Returns the identity that a secret is bound to.
pub fn identity(user: UserId) -> String {
    format!("second factor {user}")
}

fn totp(secret: &[u8], account: &str) -> Result<Totp> {
    let secret = totp_rs::Secret::new(secret.to_vec().into_boxed_slice());
    // A colon would end the issuer's name in the address.
    let account = account.replace(':', " ");
    let builder = Builder::new().with_secret(secret).with_issuer(Some(ISSUER)).with_account_name(account);
    builder.build().map_err(ServiceError::internal)
}

/// A recovery code as it is kept, whatever was typed between its groups.
fn recovery_hash(user: UserId, code: &str) -> String {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    token_hash(&format!("{user} {code}"))
}

fn recovery_code() -> String {
    let mut bytes = [0; CODE_CHARACTERS];
    rand::rng().fill_bytes(&mut bytes);
    let characters: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

fn wrong_code() -> ServiceError {
    ServiceError::invalid("code", "WRONG_CODE", "this code is wrong, or was used before: wait for the next one")
}

impl SecondFactors {
    /// The token with which a sign-in goes on that needs a code; `None` for a user who has no second factor.
    pub(super) async fn ask(&self, user: UserId, method: Method) -> Result<Option<Secret>> {
        let factor = self.store().second_factor_get(user).await?;
        if factor.is_none_or(|factor| factor.confirmed_at.is_none()) {
            return Ok(None);
        }
        self.sessions().begin_flow(&SecondFactorAsked { user, method }).await.map(Some)
    }

    /// Goes on with a sign-in by a code of the authenticator, or a recovery code.
    pub async fn sign_in_with_code(&self, token: &str, code: &str, origin: &Origin) -> Result<SignedIn> {
        const GONE: ServiceError = ServiceError::Unauthenticated("this sign-in took too long or was used: begin again");
        let SecondFactorAsked { user, method } = self.sessions().flow(token).await?.ok_or(GONE)?;
        self.check_code(user, code, origin).await?;
        let mut tx = self.begin().await?;
        if !self.sessions().end_flow::<SecondFactorAsked>(&mut tx, token).await? {
            return Err(GONE);
        }
        tx.commit().await?;
        self.sessions().open(user, method, None, origin).await
    }

    /// Checks a code of a user's, and uses it up.
    pub(super) async fn check_code(&self, user: UserId, code: &str, origin: &Origin) -> Result<()> {
        let guess = Guess::SecondFactor(user);
        self.sessions().guess(guess, Some(user), origin).await?;
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let taken = if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.take_code(user, &digits).await?
        } else {
            self.take_recovery_code(user, code, origin).await?
        };
        if !taken {
            return Err(wrong_code());
        }
        self.sessions().guessed(guess).await
    }

    async fn take_code(&self, user: UserId, digits: &str) -> Result<bool> {
        let Some(factor) = self.store().second_factor_get(user).await? else { return Ok(false) };
        let secret = self.sealer().open_own(self.store(), &identity(user), &factor.sealed).await?;
        let at = u64::try_from(now().timestamp()).map_err(ServiceError::internal)?;
        let Some(step) = totp(&secret, "")?.check(digits, at) else { return Ok(false) };
        let mut tx = self.begin().await?;
        let taken = tx.second_factor_use(user, i64::try_from(step).map_err(ServiceError::internal)?).await?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn take_recovery_code(&self, user: UserId, code: &str, origin: &Origin) -> Result<bool> {
        let mut tx = self.begin().await?;
        let taken = tx.recovery_code_use(user, &recovery_hash(user, code)).await?;
        if taken {
            tell_user(&mut tx, user, SecurityEventKind::RecoveryCodeUsed, origin).await?;
        }
        tx.commit().await?;
        Ok(taken)
    }

    /// Returns the state of an account's second factor.
    pub async fn state(&self, user: UserId) -> Result<SecondFactorState> {
        let factor = self.store().second_factor_get(user).await?;
        let enabled = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        Ok(SecondFactorState { enabled, recovery_codes: self.store().recovery_code_count(user).await? })
    }

    /// Makes a secret for an authenticator program. Nothing is asked for until a first code confirms it.
    pub async fn start(&self, account: &Account, user: &User, password: Option<Secret>) -> Result<Enrolment> {
        self.accounts().confirm(account, password).await?;
        let mut secret = zeroize::Zeroizing::new([0_u8; SECRET_BYTES]);
        rand::rng().fill_bytes(secret.as_mut());
        let sealed = self.sealer().seal_own(self.store(), &identity(account.user_id), secret.as_ref()).await?;
        let mut tx = self.begin().await?;
        if !tx.second_factor_put(account.user_id, &sealed).await? {
            let message = "a second factor is asked for already: disable it first";
            return Err(ServiceError::invalid("secondFactor", "ENABLED", message));
        }
        tx.commit().await?;
        let totp = totp(secret.as_ref(), &user.email)?;
        let address = totp.to_url().map_err(ServiceError::internal)?;
        Ok(Enrolment { secret: Secret::new(totp.secret().to_base32()), address: Secret::new(address) })
    }

    /// Asks for a second factor from now on, and returns the recovery codes, which are shown this once.
    pub async fn confirm(&self, account: &Account, code: &str) -> Result<Vec<Secret>> {
        let user = account.user_id;
        match self.store().second_factor_get(user).await? {
            Some(factor) if factor.confirmed_at.is_none() => self.check_code(user, code, &account.origin).await?,
            Some(_) => return Err(ServiceError::invalid("code", "ENABLED", "the second factor is enabled already")),
            None => {
                return Err(ServiceError::invalid("code", "NOT_BEGUN", "begin with a new secret for the authenticator first"));
            }
        }
        self.new_recovery_codes(account, Some(SecurityEventKind::SecondFactorEnabled)).await
    }

    /// Replaces the recovery codes; takes a code.
    pub async fn renew_recovery_codes(&self, account: &Account, code: &str) -> Result<Vec<Secret>> {
        self.require_enabled(account.user_id).await?;
        self.check_code(account.user_id, code, &account.origin).await?;
        self.new_recovery_codes(account, None).await
    }

    /// Asks for a second factor no longer; takes a code.
    pub async fn disable(&self, account: &Account, code: &str) -> Result<()> {
        self.require_enabled(account.user_id).await?;
        self.check_code(account.user_id, code, &account.origin).await?;
        let mut tx = self.begin().await?;
        tx.second_factor_delete(account.user_id).await?;
        tell_user(&mut tx, account.user_id, SecurityEventKind::SecondFactorDisabled, &account.origin).await?;
        Ok(tx.commit().await?)
    }

    async fn require_enabled(&self, user: UserId) -> Result<()> {
        if self.state(user).await?.enabled {
            return Ok(());
        }
        Err(ServiceError::invalid("code", "NOT_ENABLED", "no second factor is asked for"))
    }

    async fn new_recovery_codes(&self, account: &Account, event: Option<SecurityEventKind>) -> Result<Vec<Secret>> {
        let codes: Vec<Secret> = std::iter::repeat_with(|| Secret::new(recovery_code())).take(RECOVERY_CODES).collect();
        let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(account.user_id, code.expose())).collect();
        let mut tx = self.begin().await?;
        tx.recovery_codes_put(account.user_id, &hashes).await?;
        if let Some(kind) = event {
            tell_user(&mut tx, account.user_id, kind, &account.origin).await?;
        } else {
            let change = AuditEntry::new(Action::RecoveryCodesRenew).on("user", account.user_id);
            record_about_user(&mut tx, account.user_id, Some(&account.origin), &change, AuditOutcome::Done).await?;
        }
        tx.commit().await?;
        Ok(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of eight digits.
        let totp = totp(b"12345678901234567890", "ada@example.org").unwrap();
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.check(code, at), Some(at / 30), "{at}");
            assert_eq!(totp.check(code, at + 90), None, "{at}: too late");
        }
        let address = totp.to_url().unwrap();
        assert!(address.starts_with("otpauth://totp/MikroCloud:ada%40example.org?secret="), "{address}");
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let user = UserId::new();
        let code = recovery_code();
        assert_eq!(code.len(), 19);
        let typed = format!(" {} ", code.replace('-', " ").to_uppercase());
        assert_eq!(recovery_hash(user, &code), recovery_hash(user, &typed));
        assert_ne!(recovery_hash(user, &code), recovery_hash(UserId::new(), &code));
    }
}
