//! The checksum of Cloud Storage: CRC-32C (RFC 3720, section 12.1), base64 of its big-endian bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The polynomial of Castagnoli, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The checksum of a content as the JSON API writes it.
pub(super) fn crc32c(content: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
        }
    }
    STANDARD.encode((!crc).to_be_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_that_of_the_standard() {
        assert_eq!(super::crc32c(b"123456789"), "4waSgw==");
        assert_eq!(super::crc32c(b""), "AAAAAA==");
    }
}
