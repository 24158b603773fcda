//! Reading XML by names and namespaces, as much of it as SAML needs.

use uppsala::{Document, NodeId, NodeKind};

pub const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
pub const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";

/// Elements in each other; deeper documents are no responses.
const DEPTH_MAX: u32 = 64;

/// Reads a document. One with a document type is refused, so there are no entities to expand and
/// none to fetch.
pub fn parse(text: &str) -> Option<Document<'_>> {
    let parser = uppsala::Parser::new().with_forbid_dtd(true).with_max_depth(DEPTH_MAX);
    parser.parse(text).ok()
}

pub fn is(document: &Document<'_>, node: NodeId, namespace: &str, name: &str) -> bool {
    document.element(node).is_some_and(|element| {
        element.name.namespace_uri.as_deref() == Some(namespace) && element.name.local_name == name
    })
}

/// The children of that name.
pub fn children(
    document: &Document<'_>,
    parent: NodeId,
    namespace: &str,
    name: &str,
) -> Vec<NodeId> {
    let children = document.children(parent).into_iter();
    children.filter(|child| is(document, *child, namespace, name)).collect()
}

/// The one child of that name; none when there is none, or several.
pub fn child(
    document: &Document<'_>,
    parent: NodeId,
    namespace: &str,
    name: &str,
) -> Option<NodeId> {
    match children(document, parent, namespace, name)[..] {
        [child] => Some(child),
        _ => None,
    }
}

/// All elements of that name.
pub fn everywhere(document: &Document<'_>, namespace: &str, name: &str) -> Vec<NodeId> {
    let all = document.descendants(document.root()).into_iter();
    all.filter(|node| is(document, *node, namespace, name)).collect()
}

/// An attribute without a namespace. None when it is not there, and when the element has another
/// one of the same local name, which others might take for it.
pub fn attribute<'d>(document: &'d Document<'_>, node: NodeId, name: &str) -> Option<&'d str> {
    let attributes = document.element(node)?.attributes.iter();
    let mut found = attributes.filter(|attribute| attribute.name.local_name == name);
    match (found.next(), found.next()) {
        (Some(one), None) if one.name.namespace_uri.is_none() => Some(&one.value),
        _ => None,
    }
}

/// The whole text of an element, as signatures without comments see it: a comment inside does not
/// end it. None when there are elements in it.
pub fn text(document: &Document<'_>, node: NodeId) -> Option<String> {
    let mut text = String::new();
    for child in document.children(node) {
        match document.node_kind(child)? {
            NodeKind::Text(part) | NodeKind::CData(part) => text.push_str(part),
            NodeKind::Comment(_) => {}
            _ => return None,
        }
    }
    Some(text)
}
