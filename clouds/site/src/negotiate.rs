//! Content negotiation: the encoding of a file for a request.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
}

impl Encoding {
    /// Its name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }
}

/// The best encoding among those at hand that the request accepts (RFC 9110, section 12.5.3); brotli before gzip at equal weight.
pub fn encoding(headers: &HeaderMap, brotli: bool, gzip: bool) -> Encoding {
    let mut weights = Weights::default();
    for value in headers.get_all(ACCEPT_ENCODING) {
        let Ok(text) = value.to_str() else { continue };
        text.split(',').for_each(|item| weights.read(item));
    }
    let brotli = if brotli { weights.of(weights.brotli) } else { 0 };
    let gzip = if gzip { weights.of(weights.gzip) } else { 0 };
    match (brotli, gzip) {
        (0, 0) => Encoding::Identity,
        (brotli, gzip) if brotli >= gzip => Encoding::Brotli,
        _ => Encoding::Gzip,
    }
}

/// Weights in thousandths.
#[derive(Default)]
struct Weights {
    brotli: Option<u16>,
    gzip: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    fn read(&mut self, item: &str) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters
            .split(';')
            .find_map(|parameter| parameter.trim().strip_prefix("q=").or_else(|| parameter.trim().strip_prefix("Q=")))
            .map_or(1000, thousandths);
        let name = name.trim();
        if name.eq_ignore_ascii_case("br") {
            self.brotli = Some(weight);
        } else if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            self.gzip = Some(weight);
        } else if name == "*" {
            self.any = Some(weight);
        }
    }

    fn of(&self, named: Option<u16>) -> u16 {
        named.or(self.any).unwrap_or(0)
    }
}

/// `0.5` as 500. What is no weight counts as 0.
fn thousandths(text: &str) -> u16 {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("0", Ok(part)) if digits => part,
        ("1", Ok(0)) if digits => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        encoding(&headers, true, true)
    }

    #[test]
    fn the_table_of_encodings() {
        let table = [
            ("", Encoding::Identity),
            ("gzip", Encoding::Gzip),
            ("GZIP, deflate", Encoding::Gzip),
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("br;q=0, gzip", Encoding::Gzip),
            ("br;q=0.5, gzip;q=0.8", Encoding::Gzip),
            ("br;q=0.001", Encoding::Brotli),
            ("br;q=0.000", Encoding::Identity),
            ("*", Encoding::Brotli),
            ("*;q=0", Encoding::Identity),
            ("*, br;q=0", Encoding::Gzip),
            ("br;q=nonsense", Encoding::Identity),
            ("br;q=7", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("brotli", Encoding::Identity),
        ];
        for (accept, expected) in table {
            assert_eq!(chosen(accept), expected, "{accept}");
        }
        assert_eq!(encoding(&HeaderMap::new(), true, true), Encoding::Identity);
    }

    #[test]
    fn what_is_not_at_hand_is_not_chosen() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, "br, gzip;q=0.1".parse().unwrap());
        assert_eq!(encoding(&headers, false, true), Encoding::Gzip);
        assert_eq!(encoding(&headers, false, false), Encoding::Identity);
    }
}
