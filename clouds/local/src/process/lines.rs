//! Lines of raw output, bounded in length.

use std::io;

use domain::event::MAX_LINE_BYTES;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Splits raw output at line ends. What is beyond the longest line that is kept is read and thrown away, so that output without
/// any line end needs no more memory than other output.
pub struct LineReader<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// Reads lines from this reader.
    pub fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(32 * 1024, reader), line: Vec::new() }
    }

    /// The next line without its line end, `None` at the end of the output. A line longer than [`MAX_LINE_BYTES`] comes with one
    /// byte more than that, by which the one who shows it knows that it was cut. Dropping the future loses nothing.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok((!self.line.is_empty()).then(|| std::mem::take(&mut self.line)));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let text = &chunk[..end.unwrap_or(chunk.len())];
            let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            let read = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(read);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(raw: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = LineReader::new(raw);
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn lines_come_whole_with_or_without_a_last_line_end() {
        assert_eq!(lines(b"").await, Vec::<Vec<u8>>::new());
        assert_eq!(lines(b"a\n\nb").await, [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
        assert_eq!(lines(b"a\0\xff\n").await, [b"a\0\xff".to_vec()]);
    }

    #[tokio::test]
    async fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut raw = vec![b'x'; 100_000];
        raw.extend_from_slice(b"\nshort\n");
        let lines = lines(&raw).await;
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [MAX_LINE_BYTES + 1, 5]);
    }

    #[tokio::test]
    async fn a_hundred_megabytes_without_a_line_end_stay_one_bounded_line() {
        let endless = tokio::io::AsyncReadExt::take(tokio::io::repeat(b'x'), 100 << 20);
        let mut reader = LineReader::new(endless);
        let line = reader.next().await.unwrap().unwrap();
        assert!(line.capacity() <= 4 * MAX_LINE_BYTES, "{}", line.capacity());
        assert_eq!(reader.next().await.unwrap(), None);
    }
}
