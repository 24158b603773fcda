//! What AWS reads from the attributes of an assertion.
//!
//! Source: IAM User Guide, "Configure SAML assertions for the authentication response", "Pass
//! session tags in AWS STS", "Available keys for SAML-based AWS STS federation".

use super::assertion::{Assertion, Fault};
use crate::sts::federation::is_name;

const PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/";
const TAG_PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/PrincipalTag:";

/// What the provider says about the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub name: String,
    pub seconds: Option<i32>,
    pub tags: Vec<(String, String)>,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
}

fn values<'a>(assertion: &'a Assertion, name: &str) -> &'a [String] {
    assertion.attributes.get(&format!("{PREFIX}{name}")).map(Vec::as_slice).unwrap_or_default()
}

/// The roles that the user may have, each with the provider that says so. The two stand in either
/// order in one value.
pub fn roles(assertion: &Assertion) -> impl Iterator<Item = (&str, &str)> {
    values(assertion, "Role").iter().filter_map(|pair| {
        let (one, other) = pair.split_once(',')?;
        let (one, other) = (one.trim(), other.trim());
        Some(if one.contains(":saml-provider/") { (other, one) } else { (one, other) })
    })
}

/// The session's name, length, tags and source.
pub fn session(assertion: &Assertion) -> Result<Session, Fault> {
    let name = match values(assertion, "RoleSessionName") {
        [name] if is_name(name) => name.clone(),
        [] => return Err(Fault::Invalid("RoleSessionName is required in AuthnResponse")),
        _ => {
            return Err(Fault::Invalid(
                "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}",
            ));
        }
    };
    let seconds = match values(assertion, "SessionDuration") {
        [] => None,
        [text] => Some(
            text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)).ok_or(DURATION)?,
        ),
        _ => return Err(DURATION),
    };
    let source_identity = match values(assertion, "SourceIdentity") {
        [] => None,
        [name] if is_name(name) && !name.starts_with("aws:") => Some(name.clone()),
        _ => {
            return Err(Fault::Invalid(
                "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
            ));
        }
    };
    let transitive_tag_keys = values(assertion, "TransitiveTagKeys").to_vec();
    Ok(Session { name, seconds, tags: tags(assertion)?, transitive_tag_keys, source_identity })
}

const DURATION: Fault =
    Fault::Invalid("The SessionDuration in AuthnResponse must be 900 to 43200 seconds.");

fn tags(assertion: &Assertion) -> Result<Vec<(String, String)>, Fault> {
    let mut tags = Vec::new();
    for (name, values) in &assertion.attributes {
        let Some(key) = name.strip_prefix(TAG_PREFIX) else { continue };
        let fits = (1..=128).contains(&key.chars().count());
        match values.as_slice() {
            [value] if fits && value.chars().count() <= 256 => {
                tags.push((key.to_owned(), value.clone()));
            }
            _ => return Err(Fault::Rejected("A session tag of the assertion cannot be used.")),
        }
    }
    Ok(tags)
}

/// Condition keys of attributes that AWS knows: by name in LDAP, X.500 and Active Directory.
const KNOWN: [(&str, &str); 31] = [
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid", "primaryGroupSID"),
    ("http://schemas.xmlsoap.org/claims/CommonName", "commonName"),
    ("http://schemas.xmlsoap.org/claims/Group", "groups"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "mail"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "givenName"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "name"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "surname"),
    ("urn:oid:0.9.2342.19200300.100.1.1", "uid"),
    ("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
    ("urn:oid:0.9.2342.19200300.100.1.45", "organizationStatus"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "eduPersonAffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "eduPersonTargetedID"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "eduPersonAssurance"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "eduPersonNickname"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "eduPersonOrgDN"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "eduPersonOrgUnitDN"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "eduPersonPrimaryAffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "eduPersonEntitlement"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "eduPersonPrimaryOrgUnitDN"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "eduPersonScopedAffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "eduOrgHomePageURI"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "eduOrgIdentityAuthNPolicyURI"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "eduOrgLegalName"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "eduOrgSuperiorURI"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "eduOrgWhitePagesURI"),
    ("urn:oid:2.5.4.3", "cn"),
    ("urn:oid:2.5.4.4", "surname"),
    ("urn:oid:2.5.4.42", "givenName"),
    ("urn:oid:2.5.4.45", "x500UniqueIdentifier"),
    ("urn:oid:2.5.4.10", "organization"),
];

/// `saml:<name>` with the values of each attribute that has one.
pub fn condition_keys(assertion: &Assertion) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    for (name, key) in KNOWN {
        let values = assertion.attributes.get(name).filter(|values| !values.is_empty());
        let Some(values) = values else { continue };
        let key = format!("saml:{key}");
        match keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => known.extend(values.iter().cloned()),
            None => keys.push((key, values.clone())),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(attributes: &[(&str, &[&str])]) -> Assertion {
        let owned = |values: &[&str]| values.iter().map(|text| (*text).to_owned()).collect();
        let attributes = attributes.iter().map(|(name, values)| ((*name).into(), owned(values)));
        Assertion { attributes: attributes.collect(), ..Assertion::default() }
    }

    #[test]
    fn roles_and_providers_stand_in_either_order() {
        let (role, provider) =
            ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:saml-provider/p");
        let values =
            [format!("{role},{provider}"), format!(" {provider} ,\n{role}"), role.to_owned()];
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let assertion = with(&[("https://aws.amazon.com/SAML/Attributes/Role", &values)]);
        let read: Vec<_> = roles(&assertion).collect();
        assert_eq!(read, [(role, provider), (role, provider)]);
    }

    #[test]
    fn what_a_session_is_told_is_checked() {
        const NAME: &str = "https://aws.amazon.com/SAML/Attributes/RoleSessionName";
        let check = |name: &'static str, values: &[&str]| {
            let full = format!("{PREFIX}{name}");
            let mut all = vec![(full.as_str(), values)];
            if name != "RoleSessionName" {
                all.push((NAME, &["ana"]));
            }
            session(&with(&all)).is_ok()
        };
        let cases: [(&str, &[&str], bool); 12] = [
            ("RoleSessionName", &["ana@example.com"], true),
            ("RoleSessionName", &["a"], false),
            ("RoleSessionName", &["ana maria"], false),
            ("RoleSessionName", &["ana", "eva"], false),
            ("SessionDuration", &["900"], true),
            ("SessionDuration", &["899"], false),
            ("SessionDuration", &["43201"], false),
            ("SessionDuration", &["an hour"], false),
            ("SourceIdentity", &["ana"], true),
            ("SourceIdentity", &["aws:ana"], false),
            ("PrincipalTag:team", &["blue"], true),
            ("PrincipalTag:team", &["blue", "red"], false),
        ];
        for (name, values, good) in cases {
            assert_eq!(check(name, values), good, "{name} {values:?}");
        }
        assert!(session(&with(&[])).is_err());
    }
}
