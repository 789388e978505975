//! Requests as simulated clouds read them, and their answers.

mod answer;
mod call;
mod destination;
mod origin;
mod query;
mod range;

pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub(crate) use destination::{Destination, is_registry};
pub(crate) use origin::{Origin, Reach};
pub(crate) use query::{decode_path, encode_path, pairs};
pub(crate) use range::ranged;
