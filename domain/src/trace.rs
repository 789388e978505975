//! Trace of a piece of work back to its request: a trace runs from the request through every job that follows from it.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A place in a trace, written as a `traceparent` header (W3C Trace Context, Recommendation of 23 November 2021, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceContext {
    /// The start of a new trace.
    pub fn new() -> Self {
        // Version 4 sets bits of each half, so neither number is zero, which the header forbids.
        Self { trace_id: Uuid::new_v4().as_u128(), parent_id: Uuid::new_v4().as_u64_pair().1, flags: 0 }
    }

    /// The trace, as 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The next step of the same trace.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { parent_id: Self::new().parent_id, ..*self }
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

/// Not a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no W3C `traceparent`")]
pub struct InvalidTraceContext;

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.splitn(5, '-').collect();
        let (&[version, trace_id, parent_id, flags], rest) = parts.split_first_chunk().ok_or(InvalidTraceContext)?;
        // Later versions may have more after the flags, version 00 may not; version ff is forbidden.
        let is_known = hex::<2>(version)? == 0;
        if version == "ff" || (is_known && !rest.is_empty()) {
            return Err(InvalidTraceContext);
        }
        let (trace_id, parent_id, flags) = (hex::<32>(trace_id)?, hex::<16>(parent_id)?, hex::<2>(flags)?);
        if trace_id == 0 || parent_id == 0 {
            return Err(InvalidTraceContext);
        }
        let (parent_id, flags) = (u64::try_from(parent_id), u8::try_from(flags));
        Ok(Self {
            trace_id,
            parent_id: parent_id.map_err(|_| InvalidTraceContext)?,
            flags: flags.map_err(|_| InvalidTraceContext)?,
        })
    }
}

/// A number of so many lower-case hexadecimal digits.
fn hex<const DIGITS: usize>(text: &str) -> Result<u128, InvalidTraceContext> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != DIGITS || !is_hex {
        return Err(InvalidTraceContext);
    }
    u128::from_str_radix(text, 16).map_err(|_| InvalidTraceContext)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written() {
        let context: TraceContext = HEADER.parse().unwrap();
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.to_string(), HEADER);
        let next = context.next();
        assert!(next.trace_id() == context.trace_id() && next != context);
        assert_ne!(TraceContext::new().trace_id(), TraceContext::new().trace_id());
        assert!(format!("cc{}-more", &HEADER[2..]).parse::<TraceContext>().is_ok(), "a later version");
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let zero_trace = format!("00-{:032x}-00f067aa0ba902b7-01", 0);
        let zero_parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{:016x}-01", 0);
        let bad = ["", "00", &HEADER[..54], &HEADER.to_uppercase(), &format!("{HEADER}-more"), &format!("ff{}", &HEADER[2..])];
        for bad in bad.into_iter().chain([zero_trace.as_str(), &zero_parent]) {
            assert_eq!(bad.parse::<TraceContext>(), Err(InvalidTraceContext), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,80}") {
            if let Ok(context) = text.parse::<TraceContext>() {
                prop_assert_eq!(context.to_string().parse::<TraceContext>(), Ok(context));
            }
        }
    }
}
