//! Selection of the instance that answers the next request.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::uri::Authority;
use tokio::sync::Notify;

/// A process that answers on this machine.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Address at which it listens, such as `127.0.0.1:40001`.
    pub authority: Authority,
    in_flight: AtomicUsize,
    closed: AtomicBool,
    idle: Notify,
}

impl Instance {
    /// An instance that listens there.
    pub fn new(authority: Authority) -> Arc<Self> {
        Arc::new(Self { authority, in_flight: AtomicUsize::new(0), closed: AtomicBool::new(false), idle: Notify::new() })
    }

    /// Returns the number of requests in progress.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Takes no more requests.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Returns true if it accepts no more requests.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Waits until no request is under way.
    pub async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }

    /// The place of one request, unless it is closed. Counted first and checked then, so that whoever closes it and sees no
    /// request under way can be sure that none will come.
    pub fn lease(self: &Arc<Self>) -> Option<Lease> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let lease = Lease(Arc::clone(self));
        (!self.is_closed()).then_some(lease)
    }
}

/// The place of one request in an instance, held until its answer is sent.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Instance>);

impl Lease {
    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// The instances among which requests are spread.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    instances: RwLock<Vec<Arc<Instance>>>,
    turn: AtomicUsize,
}

impl Pool {
    /// Lets an instance take requests.
    pub fn add(&self, instance: Arc<Instance>) {
        self.instances.write().unwrap_or_else(PoisonError::into_inner).push(instance);
    }

    /// Lets an instance take no more requests.
    pub fn remove(&self, instance: &Arc<Instance>) {
        instance.close();
        self.instances.write().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, instance));
    }

    /// Returns the number of instances that accept requests.
    pub fn len(&self) -> usize {
        self.instances.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns the number of requests in progress.
    pub fn in_flight(&self) -> usize {
        self.instances.read().unwrap_or_else(PoisonError::into_inner).iter().map(|instance| instance.in_flight()).sum()
    }

    /// A place in the instance with the fewest requests under way, in turn among equals; another than `avoid` where there is one.
    pub fn lease(&self, avoid: Option<&Arc<Instance>>) -> Option<Lease> {
        let instances = self.instances.read().unwrap_or_else(PoisonError::into_inner);
        if let [only] = instances.as_slice() {
            return only.lease();
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..instances.len()).map(|offset| &instances[(turn.wrapping_add(offset)) % instances.len()]);
        let avoided = |instance: &Arc<Instance>| avoid.is_some_and(|other| Arc::ptr_eq(other, instance));
        in_turn.min_by_key(|instance| (avoided(instance), instance.in_flight())).and_then(Instance::lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(count: u16) -> (Pool, Vec<Arc<Instance>>) {
        let pool = Pool::default();
        let instances: Vec<_> = (0..count).map(|n| Instance::new(format!("127.0.0.1:{}", 1000 + n).parse().unwrap())).collect();
        for instance in &instances {
            pool.add(Arc::clone(instance));
        }
        (pool, instances)
    }

    #[test]
    fn requests_spread_evenly_and_avoid_what_just_failed() {
        let (pool, instances) = pool(3);
        let leases: Vec<_> = (0..6).map(|_| pool.lease(None).unwrap()).collect();
        assert!(instances.iter().all(|instance| instance.in_flight() == 2));
        drop(leases);
        for _ in 0..6 {
            let lease = pool.lease(Some(&instances[1])).unwrap();
            assert!(!Arc::ptr_eq(lease.instance(), &instances[1]));
        }
    }

    #[tokio::test]
    async fn a_closed_instance_takes_nothing_and_is_idle_when_the_last_request_ends() {
        let (pool, instances) = pool(1);
        let lease = pool.lease(None).unwrap();
        pool.remove(&instances[0]);
        assert!(pool.lease(None).is_none() && instances[0].lease().is_none());
        let waiting = tokio::spawn({
            let instance = Arc::clone(&instances[0]);
            async move { instance.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(lease);
        waiting.await.unwrap();
    }
}
