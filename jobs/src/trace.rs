//! The trace that runs through a request and the jobs that follow from it.

use domain::trace::TraceContext;
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// Does this work as a part of a trace: the jobs that it writes belong to the same one.
pub fn within<F: Future>(context: TraceContext, work: F) -> TaskLocalFuture<TraceContext, F> {
    CURRENT.scope(context, work)
}

/// The trace that the present work belongs to; a new one where nobody began any.
pub fn current() -> TraceContext {
    CURRENT.try_with(|context| *context).unwrap_or_default()
}
