//! Signing a command line in through a browser that runs anywhere (RFC 8628).

use chrono::TimeDelta;
use domain::access::{Origin, Permissions};
use domain::id::TeamId;
use domain::secret::Secret;
use domain::session::SecurityEventKind;
use domain::time::now;
use rand::Rng;
use services_core::audit::{Action, AuditEntry, record_in_team};
use services_core::{Result, ServiceError};
use store::{DeviceLogin, LetIn, StoreError};

use super::account::{Account, tell_user};
use super::{ApiKeySecret, random_token, token_hash};
use crate::Devices;

const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// Time for which a command line stays signed in.
const SIGNED_IN: TimeDelta = TimeDelta::days(90);
/// Letters that make no words and are not taken for one another (RFC 8628, 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE: usize = 8;
/// Maximum number of concurrently waiting devices. With so many the chance to guess a code is one in 25 million.
const WAITING: i64 = 1000;

/// Interval at which a command line may poll, seconds.
pub const INTERVAL: i64 = 2;

/// A command line that waits.
pub struct DeviceStart {
    /// Code with which the command line polls.
    pub device_code: Secret,
    /// Code that its user types in.
    pub user_code: String,
    /// Lifetime of the codes, seconds.
    pub expires_in: i64,
}

/// A command line as its user sees it before deciding.
pub struct WaitingDevice {
    /// Name that the machine gives itself.
    pub name: String,
    /// Address from which it asks.
    pub address: String,
    /// The code as it is shown.
    pub user_code: String,
}

/// Response to a command line that polls.
pub enum DeviceState {
    /// Nobody has decided yet.
    Pending,
    /// It asked earlier than it may.
    TooEarly,
    /// Somebody denied it.
    Denied,
    /// It is unknown, used or late.
    Expired,
    /// It is signed in: its API key.
    Done(Secret),
}

fn user_code() -> String {
    let mut code = String::with_capacity(USER_CODE);
    while code.len() < USER_CODE {
        // Of 256 values the first 240 are as many for each letter.
        let byte = rand::rng().next_u32().to_le_bytes()[0];
        if byte < 240 {
            code.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
    }
    code
}

/// Returns the typed code without insignificant characters.
fn normalised(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).take(USER_CODE + 1).collect()
}

fn shown(code: &str) -> String {
    let (start, rest) = code.split_at(code.len().min(USER_CODE / 2));
    format!("{start}-{rest}")
}

fn unknown_code() -> ServiceError {
    let message = "no command line waits with this code: look at it again, or begin anew with `mikrocloud login`";
    ServiceError::invalid("code", "UNKNOWN_CODE", message)
}

impl Devices {
    /// Lets a command line wait for its user.
    pub async fn start(&self, name: &str, origin: &Origin) -> Result<DeviceStart> {
        if self.store().device_count(now()).await? >= WAITING {
            return Err(ServiceError::Unavailable(
                "too many command lines wait to be signed in: try again in 15 minutes".to_owned(),
            ));
        }
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(80).collect();
        let name = if name.is_empty() { "a machine without a name".to_owned() } else { name };
        let device_code = random_token("mcd_");
        let mut device = DeviceLogin {
            hash: token_hash(device_code.expose()),
            user_code: user_code(),
            name,
            address: origin.address.to_string(),
            expires_at: now() + LIFETIME,
            polled_at: None,
            decided_at: None,
            user_id: None,
            team_id: None,
            session_ends_at: None,
        };
        loop {
            let mut tx = self.begin().await?;
            match tx.device_insert(&device).await {
                Ok(()) => tx.commit().await?,
                Err(StoreError::Exists) => {
                    device.user_code = user_code();
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let user_code = shown(&device.user_code);
            return Ok(DeviceStart { device_code, user_code, expires_in: LIFETIME.num_seconds() });
        }
    }

    /// The command line that waits with this code.
    pub async fn waiting(&self, code: &str) -> Result<WaitingDevice> {
        let device = self.store().device_by_user_code(&normalised(code), now()).await?.ok_or_else(unknown_code)?;
        Ok(WaitingDevice { name: device.name, address: device.address, user_code: shown(&device.user_code) })
    }

    /// Signs the command line with this code in, in one of one's teams, or denies it.
    pub async fn decide(&self, account: &Account, code: &str, team: Option<TeamId>, allow: bool) -> Result<()> {
        let mut teams = self.store().standing_list(account.user_id).await?.into_iter().map(|standing| standing.team_id);
        let team = match team {
            Some(team) => teams.find(|own| *own == team),
            None => teams.next(),
        };
        let let_in = |team| LetIn { user: account.user_id, team, session_ends_at: account.until };
        let allowed = allow.then(|| team.map(let_in).ok_or(ServiceError::NotFound("team"))).transpose()?;
        let mut tx = self.begin().await?;
        if !tx.device_decide(&normalised(code), allowed).await? {
            return Err(unknown_code());
        }
        if allow {
            tell_user(&mut tx, account.user_id, SecurityEventKind::DeviceApproved, &account.origin).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Returns the state of a command line that polls with its code. Its key is created and returned once.
    pub async fn ask(&self, device_code: &str, origin: &Origin) -> Result<DeviceState> {
        let hash = token_hash(device_code);
        let mut tx = self.begin().await?;
        let Some(device) = tx.device_find(&hash).await? else { return Ok(DeviceState::Expired) };
        if device.expires_at <= now() {
            return Ok(DeviceState::Expired);
        }
        if device.decided_at.is_none() {
            let early = device.polled_at.is_some_and(|at| (now() - at).num_milliseconds() < INTERVAL * 1000 - 500);
            tx.device_polled(&hash).await?;
            tx.commit().await?;
            return Ok(if early { DeviceState::TooEarly } else { DeviceState::Pending });
        }
        tx.device_delete(&hash).await?;
        let (Some(user), Some(team)) = (device.user_id, device.team_id) else {
            tx.commit().await?;
            return Ok(DeviceState::Denied);
        };
        let secret = ApiKeySecret::generate();
        let name = format!("mikrocloud login on {}", device.name);
        let lasting = now() + SIGNED_IN;
        let until = device.session_ends_at.map_or(lasting, |ends_at| ends_at.min(lasting));
        let key = secret.insert(&mut tx, team, user, &name, Permissions::ALL, Some(until)).await?;
        tx.api_key_is_login(team, key.id).await?;
        record_in_team(&mut tx, team, user, origin, AuditEntry::new(Action::ApiKeyCreate).on("api_key", key.id).named(&name))
            .await?;
        tx.commit().await?;
        Ok(DeviceState::Done(secret.into_secret()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        for _ in 0..100 {
            let code = user_code();
            assert_eq!((code.len(), normalised(&shown(&code).to_lowercase())), (8, code));
        }
        assert_eq!(normalised(" bcdf ghjk\n"), "BCDFGHJK");
        assert_eq!(normalised("BCDFGHJKL"), "BCDFGHJKL", "one too many is not cut to a right one");
        assert_eq!(shown(""), "-");
    }
}
