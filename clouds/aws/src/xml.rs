//! XML documents as trees: S3, CloudFront, IAM and STS speak XML.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element of a document; names are without their namespaces, attributes are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The root of a document; `None` for what is no XML.
    pub fn parse(document: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(document).ok()?;
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::of_bytes(start.local_name().as_ref())),
                Event::Empty(start) => open.last_mut()?.children.push(Self::of_bytes(start.local_name().as_ref())),
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
                Event::Eof => {
                    let mut root = open.pop().filter(|_| open.is_empty())?;
                    return root.children.pop();
                }
                _ => {}
            }
        }
    }

    fn of_bytes(name: &[u8]) -> Self {
        Self { name: String::from_utf8_lossy(name).into_owned(), ..Self::default() }
    }

    /// An element with a text.
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), children: Vec::new() }
    }

    /// An element with others in it.
    pub fn with(name: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self { name: name.to_owned(), text: String::new(), children: children.into_iter().collect() }
    }

    /// A list as CloudFront writes them: a count, then the items where there are any.
    pub fn list(name: &str, items: Vec<Self>) -> Self {
        let count = Self::text("Quantity", items.len().to_string());
        let items = (!items.is_empty()).then(|| Self::with("Items", items));
        Self::with(name, [count].into_iter().chain(items))
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

    /// Children with this name.
    pub fn named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Puts a child in the place of the one of its name, or after the others.
    pub fn set(&mut self, child: Self) {
        match self.children.iter_mut().find(|present| present.name == child.name) {
            Some(present) => *present = child,
            None => self.children.push(child),
        }
    }

    /// The element as a document of a namespace.
    pub fn document(&self, namespace: &str) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut text, &format!(" xmlns=\"{namespace}\""));
        text
    }

    fn write(&self, to: &mut String, attributes: &str) {
        to.extend(["<", &self.name, attributes, ">"]);
        if self.children.is_empty() {
            to.push_str(&quick_xml::escape::escape(self.text.as_str()));
        }
        for child in &self.children {
            child.write(to, "");
        }
        to.extend(["</", &self.name, ">"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_changed_and_written() {
        let document = "<?xml version=\"1.0\"?><a xmlns=\"x\"><b>1 &amp; 2</b><c/><d>\n <e>x</e></d></a>";
        let mut root = Element::parse(document.as_bytes()).unwrap();
        assert_eq!((root.text_at("b"), root.text_at("d/e"), root.text_at("c"), root.text_at("no")), ("1 & 2", "x", "", ""));
        root.set(Element::text("c", "<"));
        root.set(Element::list("f", vec![Element::text("g", "1")]));
        assert!(root.document("n").ends_with(
            "<a xmlns=\"n\"><b>1 &amp; 2</b><c>&lt;</c><d><e>x</e></d><f><Quantity>1</Quantity><Items><g>1</g></Items></f></a>"
        ));
    }

    #[test]
    fn what_is_no_document_is_none() {
        for text in [&b"no"[..], b"", b"<a>", b"<a></b>", b"</a>", b"<a>&unknown;</a>", b"\xff", b"{\"a\": 1}"] {
            assert_eq!(Element::parse(text), None, "{text:?}");
        }
    }
}
