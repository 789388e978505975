//! Timestamps as files have them.

use chrono::{DateTime, NaiveDate};

/// Seconds since 1970 of a text such as `2026-01-01T00:00:00`: with a blank for the `T`, with or without seconds and `Z`, a day alone,
/// or with an offset as RFC 3339 has it.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let day = || {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
        let year = text.get(..4)?.parse().ok()?;
        let dashes = text.get(4..5)? == "-" && text.get(7..8)? == "-";
        dashes.then(|| NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)).flatten()
    };
    let time = text.get(10..)?.trim_end_matches(['Z', 'z']);
    let seconds = match time.strip_prefix(['T', 't', ' ']) {
        Some(clock) => match clock_seconds(clock) {
            Some(seconds) => seconds,
            None => return DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp()),
        },
        None if time.is_empty() => 0,
        None => return None,
    };
    Some(day()?.and_hms_opt(0, 0, 0)?.and_utc().timestamp() + seconds)
}

/// Seconds since midnight of `10:30`, `10:30:00` or `10:30:00.000`.
fn clock_seconds(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let mut part = |limit: i64| {
        let text = parts.next().unwrap_or("00");
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|value| digits && *value < limit)
    };
    let seconds = part(24)? * 3600 + part(60)? * 60 + part(60)?;
    let whole = clock.contains(':') && parts.next().is_none() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    whole.then_some(seconds)
}

/// An origin as it is written: the first 19 characters, with a `T`.
pub(super) fn shown(text: &str) -> String {
    text.trim()
        .chars()
        .take(19)
        .map(|c| if c == ' ' { 'T' } else { c })
        .collect::<String>()
        .trim_end_matches(['Z', 'z'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_in_every_form_that_is_promised() {
        let expected = Some(1_767_263_400);
        for text in [
            "2026-01-01T10:30:00",
            "2026-01-01 10:30:00",
            " 2026-01-01T10:30:00Z ",
            "2026-01-01T10:30",
            "2026-01-01 10:30:00.000",
            "2026-01-01T12:30:00+02:00",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2026-01-01"), Some(1_767_225_600));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "x",
            "2026-13-01T00:00:00",
            "2026-01-01T25:00:00",
            "01/02/2026 10:00",
            "2026-01-01T1:00",
            "2026-01-01T10",
            "20260101T000000",
            "ä026-01-01",
            "2026-01-0ä1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn origins_are_written_as_they_stood() {
        assert_eq!(shown("2026-01-01 10:30:00Z"), "2026-01-01T10:30:00");
        assert_eq!(shown("2026-01-01T10:30:00.000Z"), "2026-01-01T10:30:00");
        assert_eq!(shown("2026-01-01"), "2026-01-01");
    }
}
