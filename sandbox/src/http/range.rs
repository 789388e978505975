//! Parts of contents.

use http::StatusCode;

use super::Answer;

/// The range lies beyond the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsatisfiable;

/// The part of an answer's body that a header such as `bytes=0-9` asks for (RFC 9110, section 14.2). Several parts at once are not
/// simulated: such a header counts as none.
pub(crate) fn ranged(header: &str, mut answer: Answer) -> Result<Answer, Unsatisfiable> {
    let Some((start, end)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return Ok(answer) };
    let length = answer.body.len();
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(end)) => (start, end.saturating_add(1).min(length)),
        (Ok(start), Err(_)) => (start, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        (Err(_), Err(_)) => return Ok(answer),
    };
    if start >= end {
        return Err(Unsatisfiable);
    }
    answer.body = answer.body.slice(start..end);
    answer.status = StatusCode::PARTIAL_CONTENT;
    Ok(answer.with("content-range", &format!("bytes {start}-{}/{length}", end - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_of_the_content() {
        let get = |header: &str| ranged(header, Answer::text(StatusCode::OK, "0123456789")).map(|answer| answer.body.to_vec());
        for (header, part) in
            [("bytes=1-2", "12"), ("bytes=8-", "89"), ("bytes=-3", "789"), ("bytes=5-99", "56789"), ("", "0123456789")]
        {
            assert_eq!(get(header).unwrap(), part.as_bytes(), "{header}");
        }
        assert_eq!(get("bytes=10-"), Err(Unsatisfiable));
    }
}
