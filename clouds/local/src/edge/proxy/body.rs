//! Bodies on their way through.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

use crate::edge::body::BoxError;

/// A request's body. Clones share it, so that it can be offered to another process as long as nobody has read from it.
#[derive(Clone)]
pub(crate) struct RequestBody(Option<Arc<Source>>);

struct Source {
    body: Mutex<UnsyncBoxBody<Bytes, BoxError>>,
    touched: AtomicBool,
}

impl RequestBody {
    /// Takes a body as it came.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Self(None);
        }
        let body = Mutex::new(body.map_err(Into::into).boxed_unsync());
        Self(Some(Arc::new(Source { body, touched: AtomicBool::new(false) })))
    }

    /// Returns true if it can still be sent from its beginning.
    pub fn is_whole(&self) -> bool {
        self.0.as_ref().is_none_or(|source| !source.touched.load(Ordering::SeqCst))
    }
}

impl Source {
    fn lock(&self) -> MutexGuard<'_, UnsyncBoxBody<Bytes, BoxError>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(source) = &self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *source.lock()).poll_frame(cx);
        if polled.is_ready() {
            source.touched.store(true, Ordering::SeqCst);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|source| source.lock().is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |source| source.lock().size_hint())
    }
}

/// A process's answer, which holds on to something (its place in the process) until it is sent.
pub(crate) struct ResponseBody<G> {
    inner: Incoming,
    _held: G,
}

impl<G> ResponseBody<G> {
    /// The body, holding on to `held`.
    pub fn new(inner: Incoming, held: G) -> Self {
        Self { inner, _held: held }
    }
}

impl<G: Unpin> Body for ResponseBody<G> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx).map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
