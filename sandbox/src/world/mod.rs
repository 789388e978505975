//! The simulated world: everything that exists, in memory, with a snapshot on disk.

mod blobs;
mod object;
mod objects;
mod phase;
mod state;
mod store;

pub(crate) use blobs::{Blobs, digest_of, md5_of};
pub(crate) use object::Object;
pub(crate) use objects::Objects;
pub(crate) use phase::{Behaviours, Ending, Phase};
pub(crate) use state::State;
pub(crate) use store::World;
