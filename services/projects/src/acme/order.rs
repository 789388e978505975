//! An order: the names, the proof that they lead here, the certificate.

use std::time::Duration;

use chrono::DateTime;
use domain::time::{Timestamp, now};
use instant_acme::{
    AuthorizationStatus, ChallengeHandle, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use services_core::ServiceError;
use x509_cert::Certificate;
use x509_cert::time::Time;
use zeroize::Zeroizing;

use super::renewal::LEASE;
use super::{Certificates, Issued, Wanted, account};

/// Time within which the authority has to check the proof, and to issue the certificate.
const PATIENCE: Duration = Duration::from_mins(1);

/// Remedy for the owner of a domain.
const REMEDY: &str = "The name has to lead here on port 443, by whichever of its addresses, and no CAA record may forbid it";

/// Maximum length of the authority's message that is stored, in characters.
const LONGEST_PROBLEM: usize = 1000;

/// Reason for which there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error("the authority did not do what was asked")]
    Authority(#[from] Error),
    #[error("the authority does not offer to look with TLS-ALPN-01 whether `{0}` leads here")]
    NoChallenge(String),
    #[error("the authority did not find that the names lead here: {0}")]
    Refused(String),
    #[error("what the authority issued cannot be read: {0}")]
    Unreadable(String),
    #[error("the order took longer than {} minutes", super::renewal::ORDER.as_secs() / 60)]
    TimedOut,
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl OrderError {
    /// The problem in the words for whose domain it is: nothing of the inside of this installation, and what to do.
    pub(super) fn told(&self) -> String {
        let what = match self {
            Self::Authority(Error::Api(problem)) => format!("the certificates' authority refused it: {problem}. {REMEDY}"),
            Self::Authority(_) => "the certificates' authority cannot be reached, or did not answer as it should".to_owned(),
            Self::NoChallenge(_) | Self::Unreadable(_) => self.to_string(),
            Self::Refused(why) => format!("the certificates' authority did not find that the name leads here: {why}. {REMEDY}"),
            Self::TimedOut => format!("the certificates' authority took too long. {REMEDY}"),
            Self::Service(_) => "something went wrong here: the server's log says what".to_owned(),
        };
        // What the authority says may quote whatever it met under the name.
        what.chars().filter(|c| !c.is_control()).take(LONGEST_PROBLEM).collect()
    }
}

impl Certificates {
    /// Orders a certificate and waits for it.
    pub(super) async fn order(&self, wanted: &Wanted) -> Result<Issued, OrderError> {
        let mut order = self.begin_order(wanted).await?;
        self.prove(&mut order).await?;
        let retries = RetryPolicy::default().timeout(PATIENCE);
        if order.poll_ready(&retries).await? != OrderStatus::Ready {
            return Err(OrderError::Refused(refusal(&mut order).await));
        }
        let key = Zeroizing::new(order.finalize().await?);
        let chain = order.poll_certificate(&retries).await?;
        let (not_before, not_after) = validity(&chain)?;
        Ok(Issued { chain, key, not_before, not_after, stored_at: now() })
    }

    async fn begin_order(&self, wanted: &Wanted) -> Result<Order, OrderError> {
        let identifiers: Vec<_> = wanted.names.iter().cloned().map(Identifier::Dns).collect();
        let asked = NewOrder::new(&identifiers);
        let account = self.account(None).await?;
        match account.new_order(&asked).await {
            Err(error) if account::is_unknown(&error) => {}
            begun => return Ok(begun?),
        }
        let account = self.account(Some(account.id())).await?;
        Ok(account.new_order(&asked).await?)
    }

    /// Shows the authority that the names lead here, each that it does not know of yet.
    async fn prove(&self, order: &mut Order) -> Result<(), OrderError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let domain = authorization.identifier().to_string();
            let mut challenge =
                authorization.challenge(ChallengeType::TlsAlpn01).ok_or_else(|| OrderError::NoChallenge(domain.clone()))?;
            self.show(&domain, &challenge).await?;
            challenge.set_ready().await?;
        }
        Ok(())
    }

    /// Writes down what every process of the installation shows the authority: a balancer may lead it to any.
    async fn show(&self, domain: &str, challenge: &ChallengeHandle<'_>) -> Result<(), ServiceError> {
        let digest = challenge.key_authorization().digest();
        let mut tx = self.services.begin().await?;
        tx.acme_challenge_put(domain, digest.as_ref(), now() + LEASE).await?;
        Ok(tx.commit().await?)
    }
}

/// Returns the authority's reason for the refusal.
async fn refusal(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return problem.to_string();
        }
    }
    "it does not say why".to_owned()
}

/// Returns the start and end of validity of a chain's first certificate.
pub(super) fn validity(chain: &str) -> Result<(Timestamp, Timestamp), OrderError> {
    let unreadable = |error: x509_cert::der::Error| OrderError::Unreadable(error.to_string());
    let chain = Certificate::load_pem_chain(chain.as_bytes()).map_err(unreadable)?;
    let first = chain.first().ok_or_else(|| OrderError::Unreadable("there is no certificate".to_owned()))?;
    let moment = |time: Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
        let moment = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        moment.ok_or_else(|| OrderError::Unreadable("a date in it is out of range".to_owned()))
    };
    let validity = first.tbs_certificate.validity;
    Ok((moment(validity.not_before)?, moment(validity.not_after)?))
}
