//! XML documents as trees.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element of a document; names are without their namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The root of a document; `None` for what is no XML.
    pub fn parse(document: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(document);
        let mut reader = Reader::from_str(&text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::named(start.local_name().as_ref())),
                Event::Empty(start) => open.last_mut()?.children.push(Self::named(start.local_name().as_ref())),
                Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                    let entity = quick_xml::escape::resolve_xml_entity(&reference.decode().ok()?).map(str::to_owned);
                    open.last_mut()?.text.push_str(&character.or(entity)?);
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Eof => return open.pop()?.children.pop(),
                _ => {}
            }
        }
    }

    fn named(name: &[u8]) -> Self {
        Self { name: String::from_utf8_lossy(name).into_owned(), ..Self::default() }
    }

    /// The first element at a path such as `Origins/Items`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    /// The text at a path; empty where there is none.
    pub fn text_at(&self, path: &str) -> &str {
        self.at(path).map_or("", |element| element.text.trim())
    }

    /// Children of the element at a path.
    pub fn items(&self, path: &str) -> &[Self] {
        self.at(path).map_or(&[], |element| element.children.as_slice())
    }

    /// The element as a document without its declaration.
    pub fn write(&self) -> String {
        let inner: Vec<_> = self.children.iter().map(Self::write).collect();
        let text = if self.children.is_empty() { escaped(&self.text) } else { String::new() };
        format!("<{name}>{text}{}</{name}>", inner.concat(), name = self.name)
    }

    /// The same with another name.
    #[must_use]
    pub fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

/// A text with its special characters escaped.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_written() {
        let document = "<?xml version=\"1.0\"?><a xmlns=\"x\"><b>1 &amp; 2</b><c/><d>\n <e>x</e></d></a>";
        let root = Element::parse(document.as_bytes()).unwrap();
        assert_eq!((root.text_at("b"), root.text_at("d/e"), root.text_at("c"), root.text_at("no")), ("1 & 2", "x", "", ""));
        assert_eq!(root.write(), "<a><b>1 &amp; 2</b><c></c><d><e>x</e></d></a>");
        assert_eq!(root.items("d").len(), 1);
        assert!(Element::parse(b"no").is_none());
    }
}
