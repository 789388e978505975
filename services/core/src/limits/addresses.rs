//! Limits per address, by governor's GCRA: a whole window's worth at once, and then as many as the time allows.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::standing::Standing;

const WINDOW: Duration = Duration::from_mins(1);

/// After this many requests the addresses that were quiet for a while are forgotten.
const FORGET_EVERY: usize = 4096;

type Limiter = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// One limit for each address.
pub(super) struct Addresses {
    policy: &'static str,
    limit: NonZeroU32,
    limiter: Limiter,
    clock: DefaultClock,
    counted: AtomicUsize,
}

impl Addresses {
    /// So many requests per minute; `None` for 0, which is no limit.
    pub fn new(policy: &'static str, limit: u32) -> Option<Self> {
        let limit = NonZeroU32::new(limit)?;
        let limiter = RateLimiter::keyed(Quota::per_minute(limit)).with_middleware();
        Some(Self { policy, limit, limiter, clock: DefaultClock::default(), counted: AtomicUsize::new(0) })
    }

    /// Counts a request.
    pub fn count(&self, address: IpAddr) -> Standing {
        if self.counted.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let (remaining, reset, allowed) = match self.limiter.check_key(&network(address)) {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), WINDOW / self.limit.get(), true),
            Err(not_until) => (0, not_until.wait_time_from(self.clock.now()), false),
        };
        Standing { policy: self.policy, limit: self.limit.get(), window: WINDOW, remaining, reset, allowed }
    }
}

/// Returns the network of one customer of a provider: an IPv4 address, or 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_minutes_worth_and_others_have_theirs() {
        let addresses = Addresses::new("anonymous", 3).unwrap();
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let remaining: Vec<_> = (0..3).map(|_| addresses.count(one).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = addresses.count(one);
        assert!(!refused.allowed && (1..=20).contains(&refused.reset_seconds()), "{refused:?}");
        assert!(addresses.count(other).allowed);
        assert!(Addresses::new("anonymous", 0).is_none());
    }

    #[test]
    fn addresses_of_one_customer_count_as_one() {
        for (one, other, same) in [
            ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::", "2001:db8:1:3::", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            assert_eq!(network(one.parse().unwrap()) == network(other.parse().unwrap()), same, "{one} {other}");
        }
    }
}
