//! An XML document as a flat tree, so that members may come in any order.

use crate::findings::DEPTH_MAX;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// More elements than this are refused; 1,000 keys of a `DeleteObjects` need 3,001.
const NODES_MAX: usize = 200_000;

/// One element.
#[derive(Debug, Default)]
pub struct Node {
    /// Without its prefix: AWS's services do not look at namespaces of elements.
    pub name: String,
    /// With their prefixes, as the tables have them (`xsi:type`).
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<usize>,
}

/// A document; the root is the first node.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    pub fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The children of a node with a name.
    pub fn children<'t>(&'t self, index: usize, name: &'t str) -> impl Iterator<Item = usize> {
        let children = self.node(index).map(|node| node.children.as_slice()).unwrap_or_default();
        children.iter().copied().filter(move |child| self.is_named(*child, name))
    }

    pub fn child(&self, index: usize, name: &str) -> Option<usize> {
        let node = self.node(index)?;
        node.children.iter().copied().find(|child| self.is_named(*child, name))
    }

    fn is_named(&self, index: usize, name: &str) -> bool {
        // A name in the table may carry a prefix, which is not kept here.
        let local = name.rsplit(':').next().unwrap_or(name);
        self.node(index).is_some_and(|node| node.name == local)
    }
}

/// Reads a document. The reason is for the log: XML with a document type, with entities other
/// than the five that are always there, or nested too deep is refused as broken XML is.
pub fn parse(body: &[u8]) -> Result<Tree, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8")?;
    // XML 1.0, section 2.2; the reader below does not look.
    if text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err("control character");
    }
    let mut reader = quick_xml::Reader::from_str(text);
    let mut tree = Tree::default();
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| "not well-formed")? {
            Event::Start(start) => {
                let index = tree.add(&start, open.last().copied())?;
                open.push(index);
                if open.len() > DEPTH_MAX {
                    return Err("nested too deep");
                }
            }
            Event::Empty(start) => {
                tree.add(&start, open.last().copied())?;
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => tree.append(open.last(), &text.xml10_content())?,
            Event::CData(text) => tree.append(open.last(), &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref().map_err(|_| "bad reference")?;
                match letter {
                    Some(letter) => tree.append(open.last(), letter.encode_utf8(&mut [0; 4]))?,
                    None => {
                        let name = reference.xml10_content();
                        let known = quick_xml::escape::resolve_xml_entity(&name);
                        tree.append(open.last(), known.ok_or("unknown entity")?)?;
                    }
                }
            }
            Event::DocType(_) => return Err("has a document type"),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() && !tree.nodes.is_empty() => return Ok(tree),
            Event::Eof => return Err("ends too early"),
        }
    }
}

impl Tree {
    fn add(
        &mut self,
        start: &BytesStart<'_>,
        parent: Option<usize>,
    ) -> Result<usize, &'static str> {
        if self.nodes.len() >= NODES_MAX {
            return Err("too many elements");
        }
        let index = self.nodes.len();
        match parent.and_then(|parent| self.nodes.get_mut(parent)) {
            Some(parent) => parent.children.push(index),
            None if index > 0 => return Err("more than one root"),
            None => {}
        }
        let mut node = Node::default();
        node.name.push_str(start.local_name().as_ref());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| "bad attribute")?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| "bad attribute")?.into_owned();
            node.attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        self.nodes.push(node);
        Ok(index)
    }

    fn append(&mut self, open: Option<&usize>, text: &str) -> Result<(), &'static str> {
        match open.and_then(|index| self.nodes.get_mut(*index)) {
            Some(node) => node.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("text outside the root"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_dangerous_or_broken() {
        let deep = "<a>".repeat(300);
        let cases = [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&b;</a>",
            "<a b=\"&c;\"/>",
            "<a><b></a></b>",
            "<a/><b/>",
            "<a>",
            "",
            "text",
            "<a x='1' x='2'/>",
            "<a>\0</a>",
            "<a x='\u{1f}'/>",
            "<a>&#0;</a>",
            deep.as_str(),
        ];
        for text in cases {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn keeps_text() {
        let tree =
            parse(b"<?xml version='1.0'?>\n<a> x&amp;&#x41;<![CDATA[<b>]]>\r\n</a>").unwrap();
        assert_eq!(tree.node(0).unwrap().text, " x&A<b>\n");
    }
}
