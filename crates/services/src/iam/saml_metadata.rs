//! The metadata of a SAML identity provider: what AWS refuses to take, and what is read from it.
//!
//! Source: Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0.

use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_shape::Timestamp;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Elements in each other; deeper documents are no metadata.
const DEPTH_MAX: usize = 64;
/// Keys of one provider (IAM User Guide, "IAM and AWS STS quotas").
const KEYS_MAX: usize = 10;

/// What metadata says about an identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    pub entity_id: String,
    /// Until when the document holds, if it says so.
    pub valid_until: Option<Timestamp>,
    /// The certificates that responses may be signed with, in DER.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads metadata, or tells what is wrong with it.
pub fn parse(text: &str) -> Result<Metadata, &'static str> {
    let mut reader = NsReader::from_str(text);
    let mut found = Metadata::default();
    let mut path = Vec::new();
    let mut sign_on = false;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| UNREADABLE)?;
        let known = of_namespace(&namespace);
        match event {
            Event::Start(start) => {
                let element = Element::of(known, &start)?;
                if path.is_empty() {
                    read_outermost(&mut found, element, &start)?;
                }
                path.push(element);
                sign_on |= path == SIGN_ON;
            }
            Event::Empty(start) => {
                let element = Element::of(known, &start)?;
                sign_on |= path == [Element::Entity, Element::IdentityProvider]
                    && element == Element::SingleSignOn;
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) if is_signing_certificate(&path) => {
                found.certificates.push(certificate(&text)?);
            }
            // A document type could name entities to expand.
            Event::DocType(_) => return Err(UNREADABLE),
            Event::GeneralRef(_) | Event::CData(_) if is_signing_certificate(&path) => {
                return Err(UNREADABLE);
            }
            Event::Eof if !path.is_empty() => return Err(UNREADABLE),
            Event::Eof => break,
            _ => {}
        }
        if path.len() > DEPTH_MAX {
            return Err(UNREADABLE);
        }
    }
    match (found.entity_id.is_empty(), sign_on, found.certificates.len()) {
        (true, ..) => Err("The metadata has no EntityDescriptor with an entityID."),
        (_, false, _) => Err("The metadata has no IDPSSODescriptor with a SingleSignOnService."),
        (.., 0) => Err("The metadata has no certificate that responses could be signed with."),
        (.., 1..=KEYS_MAX) => Ok(found),
        _ => Err("The metadata has more than 10 keys."),
    }
}

const UNREADABLE: &str = "Could not parse metadata";

/// Where an identity provider says how users come to it.
const SIGN_ON: [Element; 3] = [Element::Entity, Element::IdentityProvider, Element::SingleSignOn];

/// A certificate in a key of the identity provider that may sign.
fn is_signing_certificate(path: &[Element]) -> bool {
    let begins = path.starts_with(&[Element::Entity, Element::IdentityProvider, Element::Key]);
    begins && path.last() == Some(&Element::Certificate)
}

/// The elements that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Entity,
    IdentityProvider,
    SingleSignOn,
    /// A key that may sign: one for encryption alone is none.
    Key,
    Certificate,
    Other,
}

#[derive(Clone, Copy)]
enum Known {
    Metadata,
    Signature,
    Other,
}

fn of_namespace(namespace: &ResolveResult<'_>) -> Known {
    match namespace {
        ResolveResult::Bound(Namespace(name)) if *name == METADATA => Known::Metadata,
        ResolveResult::Bound(Namespace(name)) if *name == SIGNATURE => Known::Signature,
        _ => Known::Other,
    }
}

impl Element {
    fn of(known: Known, start: &BytesStart<'_>) -> Result<Self, &'static str> {
        Ok(match (known, start.local_name().as_ref()) {
            (Known::Metadata, "EntityDescriptor") => Self::Entity,
            (Known::Metadata, "IDPSSODescriptor") => Self::IdentityProvider,
            (Known::Metadata, "SingleSignOnService") => Self::SingleSignOn,
            (Known::Metadata, "KeyDescriptor") => match attribute(start, "use")?.as_deref() {
                None | Some("signing") => Self::Key,
                Some(_) => Self::Other,
            },
            (Known::Signature, "X509Certificate") => Self::Certificate,
            _ => Self::Other,
        })
    }
}

/// Reads the attributes of the one element that all others stand in.
fn read_outermost(
    found: &mut Metadata,
    element: Element,
    start: &BytesStart<'_>,
) -> Result<(), &'static str> {
    if element != Element::Entity || !found.entity_id.is_empty() {
        return Err("The metadata must be one EntityDescriptor.");
    }
    found.entity_id = attribute(start, "entityID")?.unwrap_or_default();
    let until = attribute(start, "validUntil")?;
    found.valid_until = until.map(|text| instant(&text)).transpose()?;
    Ok(())
}

fn instant(text: &str) -> Result<Timestamp, &'static str> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(|at| Timestamp::from_millis(at.as_millisecond()))
        .map_err(|_| "The validUntil of the metadata is no time.")
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, &'static str> {
    let found = start.try_get_attribute(name).map_err(|_| UNREADABLE)?;
    let Some(found) = found else { return Ok(None) };
    let value = found.normalized_value(XmlVersion::Implicit1_0).map_err(|_| UNREADABLE)?;
    Ok(Some(value.into_owned()))
}

fn certificate(text: &str) -> Result<Vec<u8>, &'static str> {
    const BAD: &str = "The metadata has a certificate that is none.";
    let letters: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(letters).map_err(|_| BAD)?;
    match x509_parser::parse_x509_certificate(&bytes) {
        Ok(([], _)) => Ok(bytes),
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests;
