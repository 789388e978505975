//! A reader that ends with an error when more comes out of it than may.

use std::io::{self, Read};

/// Shows through I/O errors that the limit was the cause.
#[derive(Debug, thiserror::Error)]
#[error("more data than allowed")]
pub(super) struct OverLimit;

/// Lets at most `left` bytes through.
pub(super) struct Limited<R> {
    pub reader: R,
    pub left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(OverLimit))?;
        Ok(read)
    }
}

/// Returns true if the limit caused this failure.
pub(super) fn is_over(error: &io::Error) -> bool {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if error.is::<OverLimit>() {
            return true;
        }
        cause = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    false
}
