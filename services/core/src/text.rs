//! Texts of others, cut to a bound.

/// The beginning of a text, of so many characters.
pub fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(chars.saturating_sub(1)).collect();
    shown.push('…');
    shown
}
