//! Parts of the sandbox that answering a call needs.

use crate::data_plane::Runtimes;
use crate::world::{Blobs, State};

/// Parts of the sandbox that answering a call needs.
pub(crate) struct Environment<'a> {
    pub state: &'a mut State,
    pub blobs: &'a Blobs,
    pub runtimes: &'a dyn Runtimes,
}
