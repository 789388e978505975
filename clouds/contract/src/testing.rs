//! Journals and interruptions for tests.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::guard::{Call, Probe};
use crate::{CloudError, Entry, EntryState, ErrorKind, Journal, Key, Naming, Owner, Whose};

/// A place at which work is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Before a vendor is called.
    BeforeCall,
    /// After a vendor was called, before anybody knows its answer.
    AfterCall,
    /// After the journal was written.
    AfterJournal,
}

impl Place {
    /// Its name, as the matrix of proofs shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeCall => "before calls",
            Self::AfterCall => "after calls",
            Self::AfterJournal => "after the journal",
        }
    }
}

/// Cuts work off as a crash does: what is under way is dropped where it stands.
#[derive(Debug)]
pub struct Cut {
    at: Option<(Place, usize)>,
    seen: AtomicUsize,
    fired: CancellationToken,
}

impl Cut {
    /// Cuts at the n-th pass of a place, counted from 1.
    pub fn at(place: Place, after: usize) -> Arc<Self> {
        Arc::new(Self { at: Some((place, after)), seen: AtomicUsize::new(0), fired: CancellationToken::new() })
    }

    /// Never cuts.
    pub fn never() -> Arc<Self> {
        Arc::new(Self { at: None, seen: AtomicUsize::new(0), fired: CancellationToken::new() })
    }

    /// Returns true if it cut.
    pub fn has_fired(&self) -> bool {
        self.fired.is_cancelled()
    }

    /// Passes a place; never returns where the work is cut off.
    pub async fn pass(&self, place: Place) {
        if let Some((at, after)) = self.at
            && at == place
            && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == after
        {
            self.fired.cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Result of work; `None` if it was cut off.
    pub async fn run<F: Future>(&self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.fired.cancelled(), if !self.has_fired() => None,
            result = work => Some(result),
        }
    }
}

#[async_trait]
impl Probe for Cut {
    async fn before(&self, _call: &Call) {
        self.pass(Place::BeforeCall).await;
    }

    async fn after(&self, _call: &Call) {
        self.pass(Place::AfterCall).await;
    }
}

/// Entries by owner, kind and purpose, with the number of their making.
type Rows = BTreeMap<(Owner, String, String), (u64, Entry)>;

/// A journal in memory. Clones share the entries.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    whose: Whose,
    rows: Arc<Mutex<Rows>>,
    cut: Arc<Cut>,
    fence: Arc<AtomicBool>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new(whose: Whose) -> Self {
        Self { whose, rows: Arc::default(), cut: Cut::never(), fence: Arc::default() }
    }

    /// The same journal as seen by work that is cut off there.
    #[must_use]
    pub fn with_cut(&self, cut: &Arc<Cut>) -> Self {
        Self { cut: Arc::clone(cut), fence: Arc::default(), ..self.clone() }
    }

    /// The same journal for another owner's names, such as another environment of the account.
    #[must_use]
    pub fn of(&self, whose: Whose) -> Self {
        Self { whose, ..self.clone() }
    }

    /// Takes the work away: further writes through this view fail, as those of a worker whose lease is another's.
    pub fn fence_off(&self) {
        self.fence.store(true, Ordering::SeqCst);
    }

    /// Everything in the journal.
    pub fn all(&self) -> Vec<Entry> {
        self.rows().values().map(|(_, entry)| entry.clone()).collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), CloudError> {
        if self.fence.load(Ordering::SeqCst) {
            return Err(CloudError::new(ErrorKind::Cancelled, "LEASE_LOST", "the work is another worker's now"));
        }
        Ok(())
    }

    fn change(&self, entry: &Entry, next: Option<Entry>) -> Result<(), CloudError> {
        let mut rows = self.rows();
        let key = (entry.owner, entry.kind.clone(), entry.purpose.clone());
        let changed = || CloudError::new(ErrorKind::Conflict, "CHANGED", "somebody else wrote to the journal meanwhile");
        let (number, current) = rows.get(&key).ok_or_else(changed)?;
        if current.revision != entry.revision {
            return Err(changed());
        }
        let number = *number;
        match next {
            Some(next) => rows.insert(key, (number, next)),
            None => rows.remove(&key),
        };
        Ok(())
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn open(&self, key: &Key, naming: Naming) -> Result<Entry, CloudError> {
        self.check()?;
        let (entry, is_new) = {
            let mut rows = self.rows();
            let number = rows.values().map(|(number, _)| number + 1).max().unwrap_or(0);
            let place = (key.owner, key.kind.to_owned(), key.purpose.clone());
            let is_new = !rows.contains_key(&place);
            let row = rows.entry(place).or_insert_with(|| {
                let entry = Entry {
                    kind: key.kind.to_owned(),
                    purpose: key.purpose.clone(),
                    owner: key.owner,
                    name: naming.name(&self.whose, key, 1),
                    generation: 1,
                    token: Uuid::new_v4(),
                    state: EntryState::Intended,
                    external_id: None,
                    operation: None,
                    outputs: BTreeMap::new(),
                    revision: 0,
                };
                (number, entry)
            });
            (row.1.clone(), is_new)
        };
        if is_new {
            self.cut.pass(Place::AfterJournal).await;
        }
        Ok(entry)
    }

    async fn save(&self, entry: &Entry) -> Result<Entry, CloudError> {
        self.check()?;
        let next = Entry { revision: entry.revision + 1, ..entry.clone() };
        self.change(entry, Some(next.clone()))?;
        self.cut.pass(Place::AfterJournal).await;
        Ok(next)
    }

    async fn strike(&self, entry: &Entry) -> Result<(), CloudError> {
        self.check()?;
        self.change(entry, None)?;
        self.cut.pass(Place::AfterJournal).await;
        Ok(())
    }

    async fn entries(&self, owner: Owner) -> Result<Vec<Entry>, CloudError> {
        let rows = self.rows();
        let mut found: Vec<_> = rows.values().filter(|(_, entry)| entry.owner == owner).cloned().collect();
        found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }
}
