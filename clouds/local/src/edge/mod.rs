//! The edge: makes the desired state true on this machine and answers requests by host label.

mod body;
mod config;
mod deployed;
mod files;
mod front;
mod functions;
mod instance;
mod logs;
mod page;
mod proxy;
mod reconcile;
mod server;
mod shared;
mod site;
mod status;
mod table;
mod workdir;

pub use body::{BoxError, EdgeBody};
pub use config::EdgeConfig;
#[doc(hidden)]
pub use files::fuzzing;
pub(crate) use files::prepare as prepare_site;
pub use front::Edge;
pub use proxy::ClientAddress;
