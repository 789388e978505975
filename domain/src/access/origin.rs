use std::net::IpAddr;

/// The longest id or name of a program that is kept of a request, in bytes.
const LONGEST: usize = 200;

/// Origin of a request. It decides nothing: the audit log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address.
    pub address: IpAddr,
    /// The request's id: its sender's, or one that was made for it.
    pub request: Option<String>,
    /// The program, as it calls itself.
    pub agent: Option<String>,
}

impl Origin {
    /// The origin of a request; what clients say about it is kept to a length.
    pub fn new(address: IpAddr, request: Option<&str>, agent: Option<&str>) -> Self {
        let kept = |text: &str| text[..text.floor_char_boundary(LONGEST)].to_owned();
        Self { address, request: request.map(kept), agent: agent.map(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_is_kept_to_a_length() {
        let origin = Origin::new([203, 0, 113, 7].into(), Some(&"\u{fc}".repeat(150)), Some("mikrocloud/0.1.0"));
        assert_eq!((origin.request.map(|id| id.len()), origin.agent.as_deref()), (Some(200), Some("mikrocloud/0.1.0")));
    }
}
