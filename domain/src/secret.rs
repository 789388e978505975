//! Text that must not be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text. `Debug` and `Display` hide it, it cannot be serialised, and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns true if the presented bytes equal the secret. Takes the same time wherever they differ.
    pub fn equals(&self, shown: &[u8]) -> bool {
        let differences = self.0.as_bytes().iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
        shown.len() == self.0.len() && differences == 0
    }

    /// The text itself, for the one place that has to use it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Replaces every one of some secrets in a line of text by `***`. Values shorter than [`Mask::SHORTEST`] are left alone:
/// masking `1` or `on` would make logs unreadable and hide nothing.
#[derive(Clone, Default)]
pub struct Mask(Vec<Secret>);

impl Mask {
    /// The shortest value that is masked, in bytes.
    pub const SHORTEST: usize = 6;

    /// A mask for these values. A value of several lines is masked line by line, as logs show it.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut parts: Vec<Secret> = secrets
            .into_iter()
            .flat_map(|secret| secret.expose().lines().map(str::trim).map(Secret::new).collect::<Vec<_>>())
            .filter(|part| part.expose().len() >= Self::SHORTEST)
            .collect();
        // The longest first, so that a secret that contains another is hidden whole.
        parts.sort_by_key(|part| std::cmp::Reverse(part.expose().len()));
        Self(parts)
    }

    /// The text with every secret replaced.
    pub fn apply(&self, text: String) -> String {
        self.0.iter().fold(
            text,
            |text, secret| {
                if text.contains(secret.expose()) { text.replace(secret.expose(), "***") } else { text }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed() {
        let secret = Secret::new("hunter2hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** Secret(***) Some(Secret(***))");
    }

    #[test]
    fn masks_hide_the_longest_secret_first_and_each_line_of_a_long_one() {
        let secrets = [Secret::new("abcdef"), Secret::new("abcdefghi"), Secret::new("line-one\nline-two"), Secret::new("on")];
        let mask = Mask::new(&secrets);
        assert_eq!(mask.apply("abcdefghi abcdef line-two on".to_owned()), "*** *** *** on");
    }
}
