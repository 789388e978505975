//! Files that a project brings compressed, as game engines write them, to be sent with a `Content-Encoding` of its `_headers`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::negotiate::Encoding;

/// Length of what is read to recognise brotli, which has no signature, bytes.
const SAMPLE: usize = 16 * 1024;

/// Returns true if the file's content is in this encoding.
pub(crate) fn is_stored(file: &Path, encoding: Encoding) -> bool {
    let Ok(mut file) = File::open(file) else { return false };
    match encoding {
        Encoding::Identity => true,
        Encoding::Gzip => {
            // Signature and method (RFC 1952, section 2.3.1).
            let mut head = [0; 3];
            file.read_exact(&mut head).is_ok() && head == [0x1f, 0x8b, 8]
        }
        Encoding::Brotli => {
            let mut sample = vec![0; SAMPLE];
            brotli::Decompressor::new(file, 4096).read(&mut sample).is_ok_and(|read| read > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn encodings_are_recognised_by_content() {
        let directory = tempfile::tempdir().unwrap();
        let text = b"hello world, hello world, hello world".as_slice();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text).unwrap();
        let mut brotli = Vec::new();
        brotli::BrotliCompress(&mut &text[..], &mut brotli, &brotli::enc::BrotliEncoderParams::default()).unwrap();
        let table =
            [(text, [false, false]), (&gzip.finish().unwrap(), [true, false]), (&brotli, [false, true]), (b"", [false; 2])];
        for (content, expected) in table {
            let file = directory.path().join("file");
            std::fs::write(&file, content).unwrap();
            assert_eq!([Encoding::Gzip, Encoding::Brotli].map(|encoding| is_stored(&file, encoding)), expected, "{content:?}");
        }
    }
}
