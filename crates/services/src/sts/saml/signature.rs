//! Who signed a SAML response, and what of it.
//!
//! The library computes digests and checks signature values. What may stand where is decided here
//! before, by position and not by reference: one response, one assertion in it, and signatures
//! that are children of what they sign and refer to it alone. Whatever else a document could hold
//! is refused, so that no signed part can be moved aside and another one read in its place
//! (Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be", 2012).
//!
//! Source: Assertions and Protocols for SAML V2.0, section 5; XML Signature Syntax and Processing.

use super::xml::{self, ASSERTION, PROTOCOL, SIGNATURE};
use bergshamra_dsig::{DsigContext, VerifyResult};
use bergshamra_keys::{KeysManager, loader};
use std::collections::BTreeSet;
use uppsala::{Document, NodeId};

/// Digests and signatures with SHA-1 are not among them.
const SIGNATURE_METHODS: [&str; 6] = [
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
];
const DIGEST_METHODS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
const CANONICALIZATIONS: [&str; 2] = [
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
];
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Attributes that some software takes for an element's name.
const ID_ATTRIBUTES: [&str; 4] = ["ID", "Id", "id", "AssertionID"];

/// What of a document is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    pub response: bool,
    pub assertion: bool,
}

/// The elements of a document that may bear a signature.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The outermost element.
    pub response: NodeId,
    /// The one assertion, unless it is still encrypted.
    pub assertion: Option<NodeId>,
    /// The assertion was decrypted: the response's signature was made, and checked, before.
    pub opened: bool,
}

/// Checks the signatures of a document. None when one of them is wrong or stands where none should.
pub fn check(
    document: &Document<'_>,
    text: &str,
    part: &Part,
    certificates: &[Vec<u8>],
) -> Option<Signed> {
    if !ids_are_unique(document) {
        return None;
    }
    let mut signed = Signed::default();
    let mut checked = Vec::new();
    for signature in xml::everywhere(document, SIGNATURE, "Signature") {
        let parent = document.parent(signature)?;
        let place = if parent == part.response {
            &mut signed.response
        } else if Some(parent) == part.assertion {
            &mut signed.assertion
        } else {
            return None;
        };
        // One signature in each place.
        if std::mem::replace(place, true) {
            return None;
        }
        if parent == part.response && part.opened {
            continue;
        }
        if !is_plain(document, signature, parent) {
            return None;
        }
        checked.push(signature);
    }
    if !checked.is_empty() && !are_made_by(document, text, &checked, certificates) {
        return None;
    }
    Some(signed)
}

/// The response of a decrypted document, and the one assertion in its encrypted assertion.
pub fn opened(document: &Document<'_>) -> Option<(NodeId, NodeId)> {
    let response = document.document_element()?;
    let [assertion] = xml::everywhere(document, ASSERTION, "Assertion")[..] else { return None };
    let [outer] = xml::everywhere(document, ASSERTION, "EncryptedAssertion")[..] else {
        return None;
    };
    let inside = document.parent(outer) == Some(response);
    let within = document.parent(assertion) == Some(outer);
    (inside && within && xml::is(document, response, PROTOCOL, "Response"))
        .then_some((response, assertion))
}

/// The response and the one assertion or encrypted assertion of a document; none where there are
/// further ones anywhere in it.
pub fn response_and_assertion(document: &Document<'_>) -> Option<(NodeId, NodeId, bool)> {
    let response = document.document_element()?;
    if !xml::is(document, response, PROTOCOL, "Response") {
        return None;
    }
    let plain = xml::everywhere(document, ASSERTION, "Assertion");
    let encrypted = xml::everywhere(document, ASSERTION, "EncryptedAssertion");
    let (assertion, is_encrypted) = match (&plain[..], &encrypted[..]) {
        ([assertion], []) => (*assertion, false),
        ([], [assertion]) => (*assertion, true),
        _ => return None,
    };
    let inside = document.parent(assertion) == Some(response);
    inside.then_some((response, assertion, is_encrypted))
}

fn ids_are_unique(document: &Document<'_>) -> bool {
    let mut seen = BTreeSet::new();
    for node in document.descendants(document.root()) {
        let Some(element) = document.element(node) else { continue };
        for attribute in &element.attributes {
            let is_id = ID_ATTRIBUTES.contains(&&*attribute.name.local_name);
            if is_id && !seen.insert(attribute.value.as_ref()) {
                return false;
            }
        }
    }
    true
}

/// Whether a signature is of the one form that SAML asks for: it refers to its parent alone, and
/// takes nothing from it but itself.
fn is_plain(document: &Document<'_>, signature: NodeId, parent: NodeId) -> bool {
    let one = |parent, name| xml::child(document, parent, SIGNATURE, name);
    let algorithm = |node| xml::attribute(document, node, "Algorithm").unwrap_or_default();
    let check = || {
        let info = one(signature, "SignedInfo")?;
        let reference = one(info, "Reference")?;
        let transforms = one(reference, "Transforms")?;
        let id = xml::attribute(document, parent, "ID").filter(|id| !id.is_empty())?;
        let refers = xml::attribute(document, reference, "URI")?.strip_prefix('#') == Some(id);
        let steps = xml::children(document, transforms, SIGNATURE, "Transform");
        let steps: Vec<&str> = steps.into_iter().map(algorithm).collect();
        let taken = match steps[..] {
            [ENVELOPED] => true,
            [ENVELOPED, last] => CANONICALIZATIONS.contains(&last),
            _ => false,
        };
        let canonical = algorithm(one(info, "CanonicalizationMethod")?);
        let method = algorithm(one(info, "SignatureMethod")?);
        let digest = algorithm(one(reference, "DigestMethod")?);
        let object = xml::children(document, signature, SIGNATURE, "Object");
        Some(
            refers
                && taken
                && object.is_empty()
                && CANONICALIZATIONS.contains(&canonical)
                && SIGNATURE_METHODS.contains(&method)
                && DIGEST_METHODS.contains(&digest),
        )
    };
    check().unwrap_or(false)
}

/// Whether each signature was made with the key of one of the certificates, over its parent. The
/// keys that a signature itself names count for nothing.
fn are_made_by(
    document: &Document<'_>,
    text: &str,
    signatures: &[NodeId],
    certificates: &[Vec<u8>],
) -> bool {
    let mut proven = BTreeSet::new();
    for certificate in certificates {
        let Some(context) = context(certificate) else { continue };
        let results = bergshamra_dsig::verify::verify_all_document_with_source(
            &context,
            document,
            Some(text),
        );
        for result in results.unwrap_or_default() {
            let VerifyResult::Valid { signature_node, references, .. } = result else { continue };
            let parent = document.parent(signature_node);
            let over_parent = matches!(&references[..], [one]
                if one.digest_verified && one.resolved_node == parent && parent.is_some());
            if over_parent {
                proven.insert(signature_node.index());
            }
        }
    }
    signatures.iter().all(|signature| proven.contains(&signature.index()))
}

fn context(certificate: &[u8]) -> Option<DsigContext> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let mut keys = KeysManager::new();
    keys.add_key(loader::load_spki_der(parsed.public_key().raw).ok()?);
    Some(DsigContext::new(keys))
}
