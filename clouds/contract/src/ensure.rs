//! The engine: makes things as described, and removes them, over any number of interrupted calls.
//!
//! The journal knows of a thing before the vendor is asked for it. After an answer that got lost the thing is looked for before
//! anything is asked again, so that nothing is made twice; and everything that the journal knows can be removed.

use std::time::Duration;

use domain::event::NewLine;
use uuid::Uuid;

use crate::{
    Asked, Catalogue, CloudError, Entry, EntryState, ErrorKind, Followed, Found, FoundState, Managed, Owner, Ownership, Progress,
    Retry, Scope, ready,
};

/// Steps of one call; the next call goes on.
const STEPS: usize = 8;

/// Names tried where strangers have taken one.
const GENERATIONS: i64 = 3;

/// Pause after an answer that may have got lost, before the thing is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Pause while the vendor says that the thing is busy or in use.
const BUSY: Duration = Duration::from_secs(2);

/// Pause after a removal that failed.
const FAILED_REMOVAL: Duration = Duration::from_secs(10);

/// Counts the looks at a thing whose removal was asked for in an operation that the vendor forgot.
const LOOKS: &str = "looks";

/// Looks at such a thing before its removal is asked for again.
const MOST_LOOKS: usize = 5;

/// Marks an entry whose thing was removed once because it could not be made.
const REMADE: &str = "remade";

/// Makes a thing exist as described. Ready once it does; every call goes on where the one before stopped, however it stopped.
///
/// Fails with the code `FOREIGN` if a thing of its name is somebody else's, which is then not touched.
pub async fn ensure(thing: &dyn Managed, scope: &Scope<'_>) -> Result<Progress<Found>, CloudError> {
    let mut entry = scope.journal.open(&thing.key(), thing.naming()).await?;
    for _ in 0..STEPS {
        stopped(scope)?;
        if entry.state == EntryState::Going {
            ready!(remove_entry(thing, scope, entry).await?);
            entry = scope.journal.open(&thing.key(), thing.naming()).await?;
            continue;
        }
        entry = match followed(thing, scope, entry).await? {
            Ok(entry) => entry,
            Err(wait) => return Ok(Progress::Pending(wait)),
        };
        match ensure_step(thing, scope, entry).await? {
            Step::Again(next) => entry = *next,
            Step::Over(progress) => return Ok(progress),
        }
    }
    Ok(Progress::pending(format!("{} to be as described", thing.title()), LOOK_AGAIN))
}

/// Removes a thing, if the journal knows of it. Ready once it is gone; somebody else's is not touched.
pub async fn remove(thing: &dyn Managed, scope: &Scope<'_>) -> Result<Progress, CloudError> {
    let key = thing.key();
    let entries = scope.journal.entries(key.owner).await?;
    match entries.into_iter().find(|entry| entry.kind == key.kind && entry.purpose == key.purpose) {
        Some(entry) => remove_entry(thing, scope, entry).await,
        None => Ok(Progress::Ready(())),
    }
}

/// Removes everything of an owner, the newest first. Ready once nothing is left.
pub async fn remove_all(catalogue: &dyn Catalogue, scope: &Scope<'_>, owner: Owner) -> Result<Progress, CloudError> {
    for entry in scope.journal.entries(owner).await? {
        let thing = catalogue.revive(&entry)?;
        ready!(remove_entry(thing.as_ref(), scope, entry).await?);
    }
    Ok(Progress::Ready(()))
}

/// Result of a step.
enum Step {
    Again(Box<Entry>),
    Over(Progress<Found>),
}

impl Step {
    fn pending(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::Over(Progress::pending(detail, retry_after))
    }
}

async fn ensure_step(thing: &dyn Managed, scope: &Scope<'_>, entry: Entry) -> Result<Step, CloudError> {
    let Some(found) = thing.find(&entry).await? else { return create(thing, scope, entry).await };
    match &found.owner {
        Ownership::Ours => {}
        // What we asked for, and could not tag yet or lost the tags of.
        Ownership::Untagged if entry.state != EntryState::Intended => {}
        Ownership::Others(who) => return foreign(thing, scope, entry, who).await,
        Ownership::Untagged => return foreign(thing, scope, entry, "somebody who did not tag it").await,
    }
    match &found.state {
        FoundState::Making(wait) | FoundState::Going(wait) => {
            // What is made along with another thing was never asked for by itself: from here on it is known to be there.
            if entry.state == EntryState::Intended {
                let known = Entry { state: EntryState::Asked, external_id: Some(found.id.clone()), ..entry };
                scope.journal.save(&known).await?;
            }
            Ok(Step::Over(Progress::Pending(wait.clone())))
        }
        FoundState::Failed { code, message } => {
            if entry.state == EntryState::There || entry.outputs.contains_key(REMADE) {
                return Err(CloudError::new(ErrorKind::Invalid, code, message.clone()));
            }
            remake(thing, scope, entry, &found).await
        }
        FoundState::Ready if !found.is_current => {
            let asked = thing.update(&entry, &found).await;
            let entry = Entry { external_id: Some(found.id.clone()), ..entry };
            note_asked(thing, scope, entry, asked).await
        }
        FoundState::Ready => {
            let there = Entry {
                state: EntryState::There,
                external_id: Some(found.id.clone()),
                outputs: found.outputs.clone(),
                ..entry.clone()
            };
            if there != entry {
                scope.journal.save(&there).await?;
            }
            Ok(Step::Over(Progress::Ready(found)))
        }
    }
}

async fn create(thing: &dyn Managed, scope: &Scope<'_>, entry: Entry) -> Result<Step, CloudError> {
    if entry.state == EntryState::There {
        say(scope, format!("{} was removed by somebody else: it is made anew", capitalised(&thing.title()))).await?;
    }
    // Written down first: from here on it may exist.
    let entry = scope.journal.save(&Entry { state: EntryState::Asked, external_id: None, ..entry }).await?;
    let asked = thing.create(&entry).await;
    note_asked(thing, scope, entry, asked).await
}

/// Writes down what a vendor took on, or waits where it may have.
async fn note_asked(
    thing: &dyn Managed,
    scope: &Scope<'_>,
    entry: Entry,
    asked: Result<Asked, CloudError>,
) -> Result<Step, CloudError> {
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return unclear(&thing.title(), error).map(Step::Over),
    };
    let Asked { id, operation, retry_after } = asked;
    let is_over = operation.is_none();
    let entry = Entry { external_id: id.or(entry.external_id.clone()), operation, ..entry };
    let entry = scope.journal.save(&entry).await?;
    if is_over || retry_after.is_zero() {
        return Ok(Step::Again(Box::new(entry)));
    }
    Ok(Step::pending(format!("{} to be made", thing.title()), retry_after))
}

/// An error after which the thing has to be looked at: it may have happened, or somebody else is at it.
fn unclear<T>(title: &str, error: CloudError) -> Result<Progress<T>, CloudError> {
    match error.retry {
        Retry::Look => Ok(Progress::pending(format!("{title}: the answer got lost, so it is looked for"), LOOK_AGAIN)),
        Retry::Reread => {
            Ok(Progress::pending(format!("{title}: it exists already or was changed meanwhile, so it is looked at"), LOOK_AGAIN))
        }
        _ if error.kind == ErrorKind::Busy => Ok(Progress::pending(format!("{title}: {error}"), BUSY)),
        _ => Err(error),
    }
}

/// Follows the operation of an entry. The inner error is the wait for it.
async fn followed(thing: &dyn Managed, scope: &Scope<'_>, entry: Entry) -> Result<Result<Entry, crate::Wait>, CloudError> {
    let Some(operation) = &entry.operation else { return Ok(Ok(entry)) };
    let followed = thing.follow(operation).await?;
    let mut entry = Entry { operation: None, ..entry };
    let failure = match followed {
        Followed::Running(wait) => return Ok(Err(wait)),
        Followed::Failed(error) => Some(error),
        Followed::Unknown if entry.state == EntryState::Going => {
            entry.outputs.insert(LOOKS.to_owned(), "0".to_owned());
            None
        }
        Followed::Done | Followed::Unknown => None,
    };
    let entry = scope.journal.save(&entry).await?;
    match failure {
        None => Ok(Ok(entry)),
        // A removal looks at what is left; anything else failed.
        Some(error) if entry.state == EntryState::Going => {
            Ok(Err(crate::Wait { detail: format!("{} to be removed: {error}", thing.title()), retry_after: FAILED_REMOVAL }))
        }
        Some(error) => Err(error),
    }
}

/// A name that is somebody else's: where names are the world's another is tried, otherwise it is an error.
async fn foreign(thing: &dyn Managed, scope: &Scope<'_>, entry: Entry, who: &str) -> Result<Step, CloudError> {
    let naming = thing.naming();
    if naming.is_global && entry.state != EntryState::There && entry.generation < GENERATIONS {
        let generation = entry.generation + 1;
        let name = naming.name(&scope.whose, &thing.key(), generation);
        let next = Entry { name, generation, token: Uuid::new_v4(), state: EntryState::Intended, external_id: None, ..entry };
        return Ok(Step::Again(Box::new(scope.journal.save(&next).await?)));
    }
    let message = format!(
        "{} `{}` exists already and belongs to {who}, not to this installation ({}): it is left alone. Remove or rename it, then deploy again",
        thing.title(),
        entry.name,
        scope.whose.installation
    );
    Err(CloudError::new(ErrorKind::Conflict, "FOREIGN", message).with_retry(Retry::Never))
}

/// Removes what could not be made, so that it is made once more.
async fn remake(thing: &dyn Managed, scope: &Scope<'_>, mut entry: Entry, found: &Found) -> Result<Step, CloudError> {
    entry.outputs.insert(REMADE.to_owned(), "1".to_owned());
    let entry = scope.journal.save(&entry).await?;
    let asked = thing.delete(&entry, found).await;
    note_asked(thing, scope, entry, asked).await
}

async fn remove_entry(thing: &dyn Managed, scope: &Scope<'_>, mut entry: Entry) -> Result<Progress, CloudError> {
    if entry.state == EntryState::Intended {
        // Nothing was asked of the vendor.
        scope.journal.strike(&entry).await?;
        return Ok(Progress::Ready(()));
    }
    if entry.state != EntryState::Going {
        entry = scope.journal.save(&Entry { state: EntryState::Going, ..entry }).await?;
    }
    for _ in 0..STEPS {
        stopped(scope)?;
        entry = match followed(thing, scope, entry).await? {
            Ok(entry) => entry,
            Err(wait) => return Ok(Progress::Pending(wait)),
        };
        let found = match thing.find(&entry).await? {
            Some(found) if !matches!(found.owner, Ownership::Others(_)) => found,
            Some(_) | None => {
                scope.journal.strike(&entry).await?;
                return Ok(Progress::Ready(()));
            }
        };
        if let FoundState::Going(wait) = found.state {
            return Ok(Progress::Pending(wait));
        }
        if let Some(looks) = entry.outputs.remove(LOOKS).and_then(|looks| looks.parse::<usize>().ok())
            && looks < MOST_LOOKS
        {
            // It may be on its way: asking again would begin anew.
            entry.outputs.insert(LOOKS.to_owned(), (looks + 1).to_string());
            scope.journal.save(&entry).await?;
            return Ok(Progress::pending(format!("{} to be gone", thing.title()), LOOK_AGAIN));
        }
        let asked = match thing.delete(&entry, &found).await {
            Ok(asked) => asked,
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return unclear(&thing.title(), error),
        };
        if asked.operation.is_some() {
            entry = scope.journal.save(&Entry { operation: asked.operation, ..entry }).await?;
            if !asked.retry_after.is_zero() {
                return Ok(Progress::pending(format!("{} to be removed", thing.title()), asked.retry_after));
            }
        }
    }
    Ok(Progress::pending(format!("{} to be removed", thing.title()), LOOK_AGAIN))
}

fn stopped(scope: &Scope<'_>) -> Result<(), CloudError> {
    if !scope.stop.is_cancelled() {
        return Ok(());
    }
    Err(CloudError::new(ErrorKind::Cancelled, "CANCELLED", "the work was stopped"))
}

async fn say(scope: &Scope<'_>, text: String) -> Result<(), CloudError> {
    scope.log.write(vec![NewLine::system(text)]).await
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
#[path = "ensure_tests.rs"]
mod tests;
