//! Output that ends soon after its program, whoever still holds the other end of the pipe.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Time for which an ended program's output is awaited.
const WAIT: Duration = Duration::from_secs(1);
/// Size of the rest that is read after that without waiting, bytes: the maximum that a pipe of an unprivileged process holds.
const REST_BYTES: usize = 1 << 20;

/// A program's output. It ends when nobody holds the other end any more or, once the program has ended, after a second: what cleared its
/// environment and left its parents is in no tree, and holds the pipe for as long as it likes.
pub struct Pipe<R> {
    inner: R,
    state: State,
    rest: usize,
}

enum State {
    Running(Pin<Box<WaitForCancellationFutureOwned>>),
    Ended(Pin<Box<Sleep>>),
    Over,
}

impl<R> Pipe<R> {
    /// The output of a program whose whole tree is gone once the token is cancelled.
    pub fn new(inner: R, ended: CancellationToken) -> Self {
        Self { inner, state: State::Running(Box::pin(ended.cancelled_owned())), rest: REST_BYTES }
    }

    /// Returns ready if nothing is awaited any more.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.state = match &mut self.state {
                State::Running(ended) => {
                    std::task::ready!(ended.as_mut().poll(context));
                    State::Ended(Box::pin(tokio::time::sleep(WAIT)))
                }
                State::Ended(wait) => {
                    std::task::ready!(wait.as_mut().poll(context));
                    State::Over
                }
                State::Over => return Poll::Ready(()),
            };
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Pipe<R> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let is_over = this.poll_over(context).is_ready();
        if is_over && this.rest == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(context, buffer) {
            Poll::Pending if is_over => Poll::Ready(Ok(())),
            read => {
                if is_over {
                    this.rest = this.rest.saturating_sub(buffer.filled().len() - before);
                }
                read
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    /// All that is read of an output whose other end stays open.
    async fn rest(pipe: &mut Pipe<impl AsyncRead + Unpin>) -> Vec<u8> {
        let mut bytes = Vec::new();
        timeout(Duration::from_secs(20), pipe.read_to_end(&mut bytes)).await.expect("it ends").unwrap();
        bytes
    }

    #[tokio::test]
    async fn output_ends_a_second_after_its_program() {
        let (mut held, output) = tokio::io::duplex(100);
        let ended = CancellationToken::new();
        let mut pipe = Pipe::new(output, ended.clone());
        held.write_all(b"first").await.unwrap();
        pipe.read_exact(&mut [0; 5]).await.unwrap();
        let waits = timeout(WAIT * 2, pipe.read_u8()).await;
        assert!(waits.is_err(), "a program may be silent for as long as it runs");
        ended.cancel();
        held.write_all(b"last").await.unwrap();
        assert_eq!(rest(&mut pipe).await, b"last");
    }

    #[tokio::test]
    async fn output_without_an_end_ends_after_its_program() {
        let ended = CancellationToken::new();
        ended.cancel();
        let mut pipe = Pipe::new(tokio::io::repeat(b'x'), ended);
        pipe.read_exact(&mut [0; 10]).await.unwrap();
        tokio::time::sleep(WAIT).await;
        let left = rest(&mut pipe).await.len();
        assert!(left <= REST_BYTES, "{left}");
    }
}
