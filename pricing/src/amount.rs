//! Decimal numbers as books have them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number of 0 or more, written as decimal digits. The text is kept: a book that is read and written is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    text: String,
    value: f64,
}

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no amount: write digits, with a point if needed, such as 0.04048")]
pub struct AmountError(String);

impl Amount {
    /// Its value.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Its digits.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Amount of a text that may have an exponent (`2e-07`), divided by a power of ten, without rounding.
    pub fn from_vendor(text: &str, tens: u32) -> Result<Self, AmountError> {
        let bad = || AmountError(text.to_owned());
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !(whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        let exponent: i64 = exponent.parse().map_err(|_| bad())?;
        let point = i64::try_from(whole.len()).unwrap_or(0) + exponent - i64::from(tens);
        if point.abs() > 40 {
            return Err(bad());
        }
        let all = format!("{whole}{fraction}");
        let before = usize::try_from(point).unwrap_or(0);
        let zeros = usize::try_from(-point).unwrap_or(0);
        let padded = format!("{}{all:0<before$}", "0".repeat(zeros));
        let (whole, fraction) = padded.split_at(before);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        Self::try_from(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.len() <= 40 && part.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if are_digits(whole) && are_digits(fraction) => Ok(Self { text, value }),
            _ => Err(AmountError(text)),
        }
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.text
    }
}
