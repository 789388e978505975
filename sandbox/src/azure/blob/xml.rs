//! XML, as far as the blob service needs it.

use quick_xml::Reader;
use quick_xml::events::Event;

/// A text with its special characters escaped.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Elements without children, in their order: their names and texts. Empty for what is no XML.
pub(super) fn leaves(document: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(document);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let (mut found, mut open) = (Vec::new(), None::<(String, String)>);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => open = Some((name_of(start.name().as_ref()), String::new())),
            Ok(Event::Empty(start)) => found.push((name_of(start.name().as_ref()), String::new())),
            Ok(Event::Text(text)) => {
                if let (Some((_, content)), Ok(text)) = (open.as_mut(), text.decode()) {
                    content.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let entity =
                    reference.decode().ok().and_then(|name| quick_xml::escape::resolve_xml_entity(&name).map(str::to_owned));
                if let (Some((_, content)), Some(text)) = (open.as_mut(), character.or(entity)) {
                    content.push_str(&text);
                }
            }
            Ok(Event::End(_)) => found.extend(open.take().map(|(name, text)| (name, text.trim().to_owned()))),
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

fn name_of(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_have_names_and_texts() {
        let document = b"<?xml version=\"1.0\"?><a><b>1 &amp; 2</b><c/><d><e>\n x</e></d></a>";
        let expected = [("b", "1 & 2"), ("c", ""), ("e", "x")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(leaves(document), expected);
        assert_eq!(leaves(b"no"), []);
    }
}
