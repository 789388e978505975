//! Limit of one user's concurrent feeds. A feed costs memory and polls the database for as long as it is open, however few
//! requests it took.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::UserId;
use services_core::{Result, ServiceError};

/// The most feeds of one user in one process.
const MOST: usize = 2000;

/// Number of feeds that each user has open.
#[derive(Clone, Default)]
pub(crate) struct FeedPlaces(Arc<Mutex<HashMap<UserId, usize>>>);

/// The place of a feed, for as long as it is open.
pub(crate) struct FeedPlace {
    places: FeedPlaces,
    user: UserId,
}

impl FeedPlaces {
    /// A place for one more feed of a user.
    pub fn take(&self, user: UserId) -> Result<FeedPlace> {
        let mut open = self.open();
        let count = open.entry(user).or_default();
        if *count >= MOST {
            return Err(ServiceError::TooManyFeeds { limit: MOST });
        }
        *count += 1;
        Ok(FeedPlace { places: self.clone(), user })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        // Counts are whole whenever the lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FeedPlace {
    fn drop(&mut self) {
        let mut open = self.places.open();
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_follows_so_much_and_no_more_until_something_ends() {
        let (places, ada, bob) = (FeedPlaces::default(), UserId::new(), UserId::new());
        let mut taken: Vec<_> = (0..MOST).map(|_| places.take(ada).unwrap()).collect();
        assert!(matches!(places.take(ada), Err(ServiceError::TooManyFeeds { limit: MOST })));
        let of_bob = places.take(bob).unwrap();
        taken.pop();
        taken.push(places.take(ada).unwrap());
        assert!(places.take(ada).is_err());
        drop((taken, of_bob));
        assert!(places.open().is_empty(), "nothing is kept of who follows nothing");
    }
}
