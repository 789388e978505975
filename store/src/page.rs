//! Pages of lists.

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Indicates that more items follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` rows: the extra row only tells that there are more.
    pub(crate) fn from_rows(mut items: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}
