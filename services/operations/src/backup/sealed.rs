//! The file: a header, then the text in chunks, each sealed with AES-256-GCM.
//!
//! The key is the file's own, derived from the master key and a random salt, so that counting nonces never repeat under it. A nonce holds
//! the chunk's number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): chunks can be
//! neither changed, moved, left out nor cut off unnoticed. The header is authenticated with every chunk. A chunk follows its length, of
//! which the highest bit says that it is the last.

use std::io::{self, Read, Write};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{KeyInit, Payload};
use hmac::{Hmac, Mac};
use services_core::Sealer;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::BackupError;

const MAGIC: &[u8; 8] = b"MIKROBAK";
/// The form of what follows, so that it can change.
const FORM: u8 = 1;
const FINGERPRINT: usize = 16;
const SALT: usize = 32;
const HEADER: usize = MAGIC.len() + 1 + FINGERPRINT + SALT;
/// Size of one chunk's text, bytes.
const CHUNK: usize = 64 * 1024;
/// Size that sealing adds to a chunk: the tag of AES-GCM, bytes.
const TAG: usize = 16;
/// In front of a chunk's length: it is the last.
const LAST: u32 = 1 << 31;
/// The part of the nonce that does not count; the key is used for one file only.
const NONCE: [u8; 7] = [0; 7];

/// Seals what is written into it. Without [`SealedWriter::finish`] the file is recognised as cut short.
pub struct SealedWriter<W: Write> {
    out: W,
    header: [u8; HEADER],
    stream: EncryptorBE32<Aes256Gcm>,
    buffer: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    pub fn new(mut out: W, sealer: &Sealer) -> io::Result<Self> {
        let mut header = [0; HEADER];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        rest[0] = FORM;
        rest[1..=FINGERPRINT].copy_from_slice(fingerprint(sealer).as_ref());
        rest[FINGERPRINT + 1..].copy_from_slice(&rand::random::<[u8; SALT]>());
        out.write_all(&header)?;
        let stream = EncryptorBE32::from_aead(key(sealer, &header), &NONCE.into());
        Ok(Self { out, header, stream, buffer: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    /// Writes the last chunk, and returns what was written into.
    pub fn finish(mut self) -> io::Result<W> {
        let sealed = self.stream.encrypt_last(Payload { msg: &self.buffer, aad: &self.header }).map_err(too_large)?;
        write_chunk(&mut self.out, &sealed, LAST)?;
        Ok(self.out)
    }

    fn seal(&mut self) -> io::Result<()> {
        let sealed = self.stream.encrypt_next(Payload { msg: &self.buffer, aad: &self.header }).map_err(too_large)?;
        self.buffer.clear();
        write_chunk(&mut self.out, &sealed, 0)
    }
}

fn too_large(_: aes_gcm::Error) -> io::Error {
    io::Error::other("the backup is too large")
}

fn write_chunk(out: &mut impl Write, sealed: &[u8], mark: u32) -> io::Result<()> {
    let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
    out.write_all(&(length | mark).to_be_bytes())?;
    out.write_all(sealed)
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == CHUNK {
            self.seal()?;
        }
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what [`SealedWriter`] sealed. It ends only after the last chunk; anything else is an error of kind `InvalidData`.
pub struct SealedReader<R: Read> {
    from: R,
    header: [u8; HEADER],
    /// `None` after the last chunk.
    stream: Option<DecryptorBE32<Aes256Gcm>>,
    chunk: Zeroizing<Vec<u8>>,
    read: usize,
}

impl<R: Read> SealedReader<R> {
    pub fn new(mut from: R, sealer: &Sealer) -> Result<Self, BackupError> {
        let mut header = [0; HEADER];
        match from.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(BackupError::NotABackup),
            done => done?,
        }
        let (magic, rest) = header.split_at(MAGIC.len());
        if magic != MAGIC || rest[0] == 0 {
            return Err(BackupError::NotABackup);
        }
        if rest[0] != FORM {
            return Err(BackupError::Newer);
        }
        if rest[1..=FINGERPRINT] != fingerprint(sealer)[..] {
            return Err(BackupError::WrongKey);
        }
        let stream = DecryptorBE32::from_aead(key(sealer, &header), &NONCE.into());
        Ok(Self { from, header, stream: Some(stream), chunk: Zeroizing::new(Vec::new()), read: 0 })
    }

    /// Opens the next chunk.
    fn next(&mut self, mut stream: DecryptorBE32<Aes256Gcm>) -> io::Result<()> {
        let (sealed, last) = self.sealed_chunk()?;
        let payload = Payload { msg: &sealed, aad: &self.header };
        let changed = |_| damaged("a part was changed");
        self.read = 0;
        if last {
            self.chunk = Zeroizing::new(stream.decrypt_last(payload).map_err(changed)?);
            return if self.from.read(&mut [0])? == 0 { Ok(()) } else { Err(damaged("something was added at its end")) };
        }
        self.chunk = Zeroizing::new(stream.decrypt_next(payload).map_err(changed)?);
        self.stream = Some(stream);
        Ok(())
    }

    /// The bytes of the next chunk, and whether it says that it is the last.
    fn sealed_chunk(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let cut = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("the file ends too early"),
            _ => error,
        };
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(cut)?;
        let marked = u32::from_be_bytes(length);
        let length = (marked & !LAST) as usize;
        if !(TAG..=CHUNK + TAG).contains(&length) {
            return Err(damaged("a part has an impossible length"));
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed).map_err(cut)?;
        Ok((sealed, marked & LAST != 0))
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.read == self.chunk.len()
            && let Some(stream) = self.stream.take()
        {
            self.next(stream)?;
        }
        let taken = bytes.len().min(self.chunk.len() - self.read);
        bytes[..taken].copy_from_slice(&self.chunk[self.read..self.read + taken]);
        self.read += taken;
        Ok(taken)
    }
}

fn fingerprint(sealer: &Sealer) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(sealer.derive("backup fingerprint")[..FINGERPRINT].to_vec())
}

/// The key of one file, which the salt in its header tells apart.
fn key(sealer: &Sealer, header: &[u8; HEADER]) -> Aes256Gcm {
    let master = sealer.derive("backups");
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(master.as_ref()).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    mac.update(&header[HEADER - SALT..]);
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
    Aes256Gcm::new_from_slice(key.as_ref()).unwrap_or_else(|_| unreachable!("the key has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use services_core::MasterKey;

    fn sealer(byte: &str) -> Sealer {
        Sealer::new(MasterKey::from_hex(&byte.repeat(32)).unwrap())
    }

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut writer = SealedWriter::new(Vec::new(), &sealer("07")).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn opened(file: &[u8], key: &str) -> Result<Vec<u8>, BackupError> {
        let mut text = Vec::new();
        SealedReader::new(file, &sealer(key))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_was_written_is_read_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let text: Vec<u8> = (0..length).map(|place| u8::try_from(place % 251).unwrap()).collect();
            assert_eq!(opened(&sealed(&text), "07").unwrap(), text, "{length}");
        }
    }

    #[test]
    fn a_changed_byte_and_a_cut_are_noticed_wherever_they_are() {
        let file = sealed(b"some text");
        for place in 0..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(opened(&changed, "07").is_err(), "byte {place}");
            assert!(opened(&file[..place], "07").is_err(), "cut to {place}");
        }
        assert!(opened(&[&file[..], b"x"].concat(), "07").is_err(), "something is added");
    }

    #[test]
    fn parts_cannot_be_left_out_or_moved() {
        let file = sealed(&vec![7; 3 * CHUNK]);
        let part = |number: usize| {
            let start = HEADER + number * (4 + CHUNK + TAG);
            &file[start..(start + 4 + CHUNK + TAG).min(file.len())]
        };
        let of = |parts: &[&[u8]]| [&[&file[..HEADER]], parts].concat().concat();
        assert!(opened(&of(&[part(0), part(1), part(2)]), "07").is_ok());
        for wrong in
            [&[part(0), part(2)][..], &[part(1), part(0), part(2)], &[part(0), part(1)], &[part(0), part(0), part(1), part(2)]]
        {
            assert!(opened(&of(wrong), "07").is_err());
        }
    }

    #[test]
    fn another_key_is_told_from_damage() {
        assert!(matches!(opened(&sealed(b"text"), "08"), Err(BackupError::WrongKey)));
        assert!(matches!(opened(b"text", "07"), Err(BackupError::NotABackup)));
        let mut newer = sealed(b"text");
        newer[MAGIC.len()] = FORM + 1;
        assert!(matches!(opened(&newer, "07"), Err(BackupError::Newer)));
    }
}
