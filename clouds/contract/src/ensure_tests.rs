use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{EnvironmentId, PlacementId, ProjectId, TeamId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::guard::{Call, Guards};
use crate::testing::{Cut, MemoryJournal, Place};
use crate::{EnvironmentPlace, Journal as _, Key, Naming, Operation, Outputs, Unneeded, Wait, Whose};

/// A vendor with one kind of thing, whose changes take one look.
#[derive(Default)]
struct World {
    things: BTreeMap<String, Thing>,
    made: usize,
    lose_operations: bool,
    fail_creation: usize,
}

struct Thing {
    value: u32,
    owner: Ownership,
    changing: bool,
    failed: bool,
}

/// One of those things.
struct Box1 {
    world: Arc<Mutex<World>>,
    guards: Guards,
    owner: PlacementId,
    value: u32,
    is_global: bool,
}

const FIND: Call = Call::freely("test", "get");
const CHANGE: Call = Call::once("test", "change");

fn soon(detail: &str) -> Wait {
    Wait { detail: detail.to_owned(), retry_after: Duration::ZERO }
}

impl Box1 {
    async fn change(&self, change: impl Fn(&mut World) -> Result<(), CloudError> + Send + Sync) -> Result<Asked, CloudError> {
        self.guards.call(CHANGE, || async { change(&mut self.world.lock().unwrap()) }).await?;
        Ok(Asked { id: None, operation: Some(Operation(json!({"of": "thing"}))), retry_after: Duration::ZERO })
    }
}

#[async_trait]
impl Managed for Box1 {
    fn key(&self) -> Key {
        Key { kind: "test.box", purpose: "app".to_owned(), owner: Owner::Placement(self.owner) }
    }

    fn naming(&self) -> Naming {
        Naming { is_global: self.is_global, ..Naming::hyphens(30) }
    }

    fn title(&self) -> String {
        "the box".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        self.guards
            .call(FIND, || async {
                let mut world = self.world.lock().unwrap();
                let Some(thing) = world.things.get_mut(&entry.name) else { return Ok(None) };
                let state = match (thing.changing, thing.failed) {
                    (true, _) => FoundState::Making(soon("making")),
                    (_, true) => FoundState::Failed { code: "BROKEN", message: "it broke".to_owned() },
                    _ => FoundState::Ready,
                };
                thing.changing = false;
                Ok(Some(Found {
                    id: entry.name.clone(),
                    state,
                    is_current: thing.value == self.value,
                    owner: thing.owner.clone(),
                    version: None,
                    outputs: Outputs::from([("value".to_owned(), thing.value.to_string())]),
                }))
            })
            .await
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        self.change(|world| {
            if world.things.contains_key(&entry.name) {
                return Err(CloudError::new(ErrorKind::Conflict, "ALREADY_EXISTS", "it exists"));
            }
            world.made += 1;
            let failed = world.fail_creation > 0;
            world.fail_creation = world.fail_creation.saturating_sub(1);
            let thing = Thing { value: self.value, owner: Ownership::Ours, changing: true, failed };
            world.things.insert(entry.name.clone(), thing);
            Ok(())
        })
        .await
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.change(|world| {
            let thing = world.things.get_mut(&entry.name).unwrap();
            (thing.value, thing.changing) = (self.value, true);
            Ok(())
        })
        .await
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.change(|world| {
            world.things.remove(&entry.name);
            Ok(())
        })
        .await
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        let lost = self.world.lock().unwrap().lose_operations;
        self.guards.call(FIND, || async { Ok(if lost { Followed::Unknown } else { Followed::Done }) }).await
    }
}

struct Setting {
    world: Arc<Mutex<World>>,
    journal: MemoryJournal,
    whose: Whose,
    owner: PlacementId,
    is_global: bool,
}

impl Setting {
    fn new() -> Self {
        let owner = PlacementId::new();
        let (project, environment, placement) = (ProjectId::new(), EnvironmentId::new(), owner);
        let environment = Some(EnvironmentPlace { project, environment, placement, label: "shop".to_owned() });
        let whose = Whose { installation: "0123456789ab".to_owned(), team: TeamId::new(), environment };
        let journal = MemoryJournal::new(whose.clone());
        Self { world: Arc::default(), journal, whose, owner, is_global: false }
    }

    fn thing(&self, value: u32, cut: &Arc<Cut>) -> Box1 {
        let guards = Guards::new("test", &[("test", 40_000)], 0).with_probe(Some(Arc::clone(cut) as _));
        Box1 { world: Arc::clone(&self.world), guards, owner: self.owner, value, is_global: self.is_global }
    }

    fn name(&self) -> String {
        Naming::hyphens(30).name(&self.whose, &self.thing(1, &Cut::never()).key(), 1)
    }

    fn place(&self, owner: Ownership) {
        let thing = Thing { value: 9, owner, changing: false, failed: false };
        self.world.lock().unwrap().things.insert(self.name(), thing);
    }

    /// Goes on until it is ready or cut off; `None` if it was cut off.
    async fn until<T>(
        &self,
        cut: &Arc<Cut>,
        work: impl AsyncFn(&Scope<'_>) -> Result<Progress<T>, CloudError>,
    ) -> Option<Result<T, CloudError>> {
        let (journal, base, stop) = (self.journal.with_cut(cut), Outputs::new(), CancellationToken::new());
        let scope = Scope {
            whose: self.whose.clone(),
            region: "",
            base: &base,
            journal: &journal,
            inputs: &Unneeded,
            log: &Unneeded,
            stop: &stop,
        };
        cut.run(async {
            for _ in 0..50 {
                match work(&scope).await {
                    Ok(Progress::Ready(value)) => return Ok(value),
                    Ok(Progress::Pending(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            panic!("it never becomes ready")
        })
        .await
    }

    async fn ensured(&self, value: u32) -> Result<Found, CloudError> {
        let cut = Cut::never();
        let thing = self.thing(value, &cut);
        self.until(&cut, async |scope| ensure(&thing, scope).await).await.unwrap()
    }

    async fn removed(&self) {
        let cut = Cut::never();
        let thing = self.thing(1, &cut);
        self.until(&cut, async |scope| remove(&thing, scope).await).await.unwrap().unwrap();
    }

    fn count(&self) -> (usize, usize) {
        (self.world.lock().unwrap().things.len(), self.journal.all().len())
    }
}

#[tokio::test]
async fn a_thing_is_made_once_changed_and_removed() {
    let setting = Setting::new();
    for _ in 0..2 {
        assert_eq!(setting.ensured(1).await.unwrap().outputs["value"], "1");
    }
    assert_eq!(setting.ensured(2).await.unwrap().outputs["value"], "2");
    assert_eq!((setting.count(), setting.world.lock().unwrap().made), ((1, 1), 1));
    assert_eq!(setting.journal.all()[0].state, EntryState::There);
    setting.removed().await;
    setting.removed().await;
    assert_eq!(setting.count(), (0, 0));
}

#[tokio::test]
async fn work_that_is_cut_off_anywhere_goes_on_and_leaves_nothing_twice() {
    for lose_operations in [false, true] {
        for place in [Place::BeforeCall, Place::AfterCall, Place::AfterJournal] {
            for after in 1.. {
                let setting = Setting::new();
                setting.world.lock().unwrap().lose_operations = lose_operations;
                let cut = Cut::at(place, after);
                let mut whole = true;
                for value in [1, 2] {
                    let thing = setting.thing(value, &cut);
                    whole = whole && setting.until(&cut, async |scope| ensure(&thing, scope).await).await.is_some();
                }
                assert_eq!(setting.ensured(2).await.unwrap().outputs["value"], "2", "{place:?} {after}");
                assert_eq!((setting.count(), setting.world.lock().unwrap().made), ((1, 1), 1), "{place:?} {after}");
                let cut = Cut::at(place, after);
                let thing = setting.thing(1, &cut);
                let is_removed = setting.until(&cut, async |scope| remove(&thing, scope).await).await.is_some();
                setting.removed().await;
                assert_eq!(setting.count(), (0, 0), "{place:?} {after}");
                if whole && is_removed {
                    assert!(after > 2, "nothing was cut off");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_refused_and_left_alone() {
    for owner in [Ownership::Others("installation ffffffffffff".to_owned()), Ownership::Untagged] {
        let setting = Setting::new();
        setting.place(owner.clone());
        let error = setting.ensured(1).await.unwrap_err();
        assert_eq!((error.code, error.retry), ("FOREIGN", Retry::Never));
        setting.removed().await;
        assert_eq!(setting.count(), (1, 0));
        let world = setting.world.lock().unwrap();
        let thing = &world.things[&setting.name()];
        assert_eq!((thing.value, &thing.owner), (9, &owner));
    }
}

#[tokio::test]
async fn a_name_of_the_world_that_is_taken_leads_to_the_next_one() {
    let setting = Setting { is_global: true, ..Setting::new() };
    setting.place(Ownership::Others("a stranger".to_owned()));
    assert_ne!(setting.ensured(1).await.unwrap().id, setting.name());
    assert_eq!((setting.count(), setting.journal.all()[0].generation), ((2, 1), 2));
    setting.removed().await;
    assert_eq!(setting.count(), (1, 0));
}

#[tokio::test]
async fn what_somebody_else_removed_is_made_anew_and_a_lost_id_is_found_again() {
    let setting = Setting::new();
    setting.ensured(1).await.unwrap();
    setting.world.lock().unwrap().things.clear();
    setting.ensured(1).await.unwrap();
    assert_eq!(setting.count(), (1, 1));
    let entry = setting.journal.all().remove(0);
    setting.journal.save(&Entry { external_id: None, ..entry }).await.unwrap();
    assert_eq!(setting.ensured(1).await.unwrap().id, setting.name());
    assert!(setting.journal.all()[0].external_id.is_some());
}

#[tokio::test]
async fn what_could_not_be_made_is_made_once_more() {
    let setting = Setting::new();
    setting.world.lock().unwrap().fail_creation = 1;
    setting.ensured(1).await.unwrap();
    assert_eq!(setting.world.lock().unwrap().made, 2);
    let setting = Setting::new();
    setting.world.lock().unwrap().fail_creation = 2;
    assert_eq!(setting.ensured(1).await.unwrap_err().code, "BROKEN");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing() {
    let setting = Setting::new();
    setting.ensured(1).await.unwrap();
    let entry = setting.journal.all().remove(0);
    let stale = setting.journal.with_cut(&Cut::never());
    stale.fence_off();
    assert_eq!(stale.save(&entry).await.unwrap_err().code, "LEASE_LOST");
    setting.journal.save(&entry).await.unwrap();
    assert_eq!(setting.journal.save(&entry).await.unwrap_err().kind, ErrorKind::Conflict);
}
