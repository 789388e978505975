/// Rules that a vendor has for the names of a kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// Characters it takes.
    pub alphabet: Alphabet,
    /// Longest name, in characters.
    pub longest: usize,
    /// The name is unique in the world, so that a stranger may have it.
    pub is_global: bool,
}

/// Characters of a name. Every one starts with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Small letters, digits and hyphens.
    Hyphens,
    /// Small letters and digits.
    Alphanumeric,
}
