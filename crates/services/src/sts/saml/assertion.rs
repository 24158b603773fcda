//! What an assertion says, and whether it is for us and still good.
//!
//! Source: Assertions and Protocols for SAML V2.0, sections 2 and 3.2; Profiles for SAML V2.0,
//! section 4.1.4; IAM User Guide, "Configure SAML assertions for the authentication response".

use super::xml::{self, ASSERTION, PROTOCOL};
use palisade_shape::Timestamp;
use std::collections::BTreeMap;
use uppsala::{Document, NodeId};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const FORMATS: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
const AUDIENCE: &str = "urn:amazon:webservices";
/// How far a provider's clock may be ahead of ours.
const AHEAD_SECONDS_MAX: i64 = 300;
/// How long after it was made an assertion can be used.
const REDEEM_SECONDS_MAX: i64 = 300;

/// What an assertion says once it was found to be for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assertion {
    pub id: String,
    pub issuer: String,
    pub subject: String,
    pub subject_type: String,
    /// The address that it was sent to.
    pub recipient: String,
    pub session_ends: Option<Timestamp>,
    /// No later than this it can be used.
    pub usable_until: Timestamp,
    /// Values of attributes, by name; those of one name together.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// Why an assertion is refused, in AWS's words where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Invalid(&'static str),
    Expired(&'static str),
    Rejected(&'static str),
}

const MALFORMED: Fault = Fault::Invalid("Invalid base64 SAMLResponse");
const NO_SUBJECT: Fault = Fault::Invalid("Subject is not well formed");
const NOT_OURS: Fault = Fault::Invalid("Response does not contain the required audience");
const TIMELESS: Fault = Fault::Invalid("The assertion has a time that is none.");

/// Reads the assertion of a response; the signatures were checked before.
pub fn read(
    document: &Document<'_>,
    response: NodeId,
    assertion: NodeId,
    entity_id: &str,
    now: Timestamp,
) -> Result<Assertion, Fault> {
    check_response(document, response, entity_id)?;
    let issuer = issuer(document, assertion).ok_or(MALFORMED)?;
    if issuer != entity_id {
        return Err(Fault::Invalid("Issuer not present in specified provider"));
    }
    let attribute = |name| xml::attribute(document, assertion, name);
    if attribute("Version") != Some("2.0") {
        return Err(Fault::Invalid("The assertion is not of SAML 2.0."));
    }
    let id = attribute("ID").filter(|id| !id.is_empty()).ok_or(MALFORMED)?.to_owned();
    let issued = time(attribute("IssueInstant"))?.ok_or(TIMELESS)?;
    if issued > now.plus_seconds(AHEAD_SECONDS_MAX) {
        return Err(Fault::Invalid("The assertion was issued in the future."));
    }
    let redeemable = issued.plus_seconds(REDEEM_SECONDS_MAX);
    if redeemable <= now {
        return Err(Fault::Expired("Token must be redeemed within 5 minutes of issuance"));
    }
    check_conditions(document, assertion, now)?;
    let Subject { name, format, recipient } = subject(document, assertion, now)?;
    Ok(Assertion {
        id,
        issuer,
        subject: name,
        subject_type: format.strip_prefix(FORMATS).unwrap_or(&format).to_owned(),
        recipient,
        session_ends: session_ends(document, assertion)?,
        usable_until: redeemable,
        attributes: attributes(document, assertion)?,
    })
}

fn check_response(document: &Document<'_>, response: NodeId, entity_id: &str) -> Result<(), Fault> {
    let status = xml::child(document, response, PROTOCOL, "Status");
    let code = status.and_then(|status| xml::child(document, status, PROTOCOL, "StatusCode"));
    let code = code.and_then(|code| xml::attribute(document, code, "Value"));
    if code != Some(SUCCESS) {
        return Err(Fault::Rejected("The identity provider did not report success."));
    }
    if !xml::children(document, response, ASSERTION, "Issuer").is_empty()
        && issuer(document, response).as_deref() != Some(entity_id)
    {
        return Err(Fault::Invalid("Issuer not present in specified provider"));
    }
    match document.element(response).and_then(|element| element.get_attribute("Destination")) {
        Some(address) if !is_endpoint(address) => Err(NOT_OURS),
        _ => Ok(()),
    }
}

fn issuer(document: &Document<'_>, parent: NodeId) -> Option<String> {
    let issuer = xml::child(document, parent, ASSERTION, "Issuer")?;
    Some(xml::text(document, issuer)?.trim().to_owned())
}

/// The addresses that AWS takes responses at: `https://signin.aws.amazon.com/saml` and those of
/// regions, for all providers or for one (`/saml/acs/…`).
fn is_endpoint(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://") else { return false };
    let Some((host, path)) = rest.split_once('/') else { return false };
    let path = path == "saml" || path.strip_prefix("saml/acs/").is_some_and(|id| !id.is_empty());
    let region = |region: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !region.is_empty() && region.bytes().all(plain)
    };
    let host = host == "signin.aws.amazon.com"
        || host.strip_suffix(".signin.aws.amazon.com").is_some_and(region);
    host && path
}

fn time(text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let parsed: jiff::Timestamp = text.parse().map_err(|_| TIMELESS)?;
    Ok(Some(Timestamp::from_millis(parsed.as_millisecond())))
}

fn check_window(document: &Document<'_>, node: NodeId, now: Timestamp) -> Result<(), Fault> {
    let begins = time(xml::attribute(document, node, "NotBefore"))?;
    if begins.is_some_and(|begins| begins > now.plus_seconds(AHEAD_SECONDS_MAX)) {
        return Err(Fault::Invalid("The assertion is not valid yet."));
    }
    match time(xml::attribute(document, node, "NotOnOrAfter"))? {
        Some(ends) if ends <= now => {
            Err(Fault::Expired("The assertion in the request has expired."))
        }
        _ => Ok(()),
    }
}

fn check_conditions(
    document: &Document<'_>,
    assertion: NodeId,
    now: Timestamp,
) -> Result<(), Fault> {
    let conditions = xml::child(document, assertion, ASSERTION, "Conditions").ok_or(NOT_OURS)?;
    check_window(document, conditions, now)?;
    let mut restricted = false;
    for node in document.children(conditions) {
        let Some(element) = document.element(node) else { continue };
        match &*element.name.local_name {
            "AudienceRestriction" => {
                let audiences = xml::children(document, node, ASSERTION, "Audience");
                let ours = audiences.iter().any(|audience| {
                    let text = xml::text(document, *audience).unwrap_or_default();
                    text.trim() == AUDIENCE || is_endpoint(text.trim())
                });
                ours.then_some(()).ok_or(NOT_OURS)?;
                restricted = true;
            }
            // What these ask for is done anyway.
            "OneTimeUse" | "ProxyRestriction" => {}
            // A condition that is not understood makes the assertion worthless (section 2.5.1.1).
            _ => return Err(Fault::Invalid("The assertion has a condition that is not known.")),
        }
    }
    restricted.then_some(()).ok_or(NOT_OURS)
}

struct Subject {
    name: String,
    format: String,
    recipient: String,
}

fn subject(document: &Document<'_>, assertion: NodeId, now: Timestamp) -> Result<Subject, Fault> {
    let subject = xml::child(document, assertion, ASSERTION, "Subject").ok_or(NO_SUBJECT)?;
    let name_id = xml::child(document, subject, ASSERTION, "NameID").ok_or(NO_SUBJECT)?;
    let name = xml::text(document, name_id).ok_or(NO_SUBJECT)?.trim().to_owned();
    if name.is_empty() {
        return Err(NO_SUBJECT);
    }
    let format = xml::attribute(document, name_id, "Format").unwrap_or(UNSPECIFIED).to_owned();
    let mut why = NO_SUBJECT;
    for confirmation in xml::children(document, subject, ASSERTION, "SubjectConfirmation") {
        match confirmed(document, confirmation, now) {
            Ok(recipient) => return Ok(Subject { name, format, recipient }),
            Err(fault) => why = fault,
        }
    }
    Err(why)
}

/// The recipient of a bearer's confirmation that holds.
fn confirmed(document: &Document<'_>, node: NodeId, now: Timestamp) -> Result<String, Fault> {
    if xml::attribute(document, node, "Method") != Some(BEARER) {
        return Err(NO_SUBJECT);
    }
    let data = xml::child(document, node, ASSERTION, "SubjectConfirmationData");
    let data = data.ok_or(NO_SUBJECT)?;
    let attribute = |name| xml::attribute(document, data, name);
    if attribute("NotOnOrAfter").is_none() {
        return Err(NO_SUBJECT);
    }
    check_window(document, data, now)?;
    let recipient = attribute("Recipient").filter(|address| is_endpoint(address));
    recipient.map(str::to_owned).ok_or(NOT_OURS)
}

/// The earliest end of a session that the provider names.
fn session_ends(document: &Document<'_>, assertion: NodeId) -> Result<Option<Timestamp>, Fault> {
    let mut earliest = None;
    for statement in xml::children(document, assertion, ASSERTION, "AuthnStatement") {
        if let Some(ends) = time(xml::attribute(document, statement, "SessionNotOnOrAfter"))? {
            earliest = Some(earliest.map_or(ends, |known: Timestamp| known.min(ends)));
        }
    }
    Ok(earliest)
}

fn attributes(
    document: &Document<'_>,
    assertion: NodeId,
) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    const BAD: Fault = Fault::Invalid("The assertion has an attribute that cannot be read.");
    let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in xml::children(document, assertion, ASSERTION, "AttributeStatement") {
        for node in xml::children(document, statement, ASSERTION, "Attribute") {
            let name = xml::attribute(document, node, "Name").ok_or(BAD)?.to_owned();
            let values = attributes.entry(name).or_default();
            for value in xml::children(document, node, ASSERTION, "AttributeValue") {
                // Values that are elements themselves, such as eduPersonTargetedID, have no text.
                values.extend(xml::text(document, value).map(|text| text.trim().to_owned()));
            }
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_responses_are_taken() {
        let cases = [
            ("https://signin.aws.amazon.com/saml", true),
            ("https://eu-west-1.signin.aws.amazon.com/saml", true),
            ("https://us-east-1.signin.aws.amazon.com/saml/acs/SAMLSP4D2", true),
            ("http://signin.aws.amazon.com/saml", false),
            ("https://signin.aws.amazon.com/saml/", false),
            ("https://signin.aws.amazon.com/saml/acs/", false),
            ("https://signin.aws.amazon.com.evil.example/saml", false),
            ("https://evil.example/.signin.aws.amazon.com/saml", false),
            ("https://evil@signin.aws.amazon.com/saml", false),
            ("https://a.b.signin.aws.amazon.com/saml", false),
            ("", false),
        ];
        for (address, ours) in cases {
            assert_eq!(is_endpoint(address), ours, "{address}");
        }
    }
}
