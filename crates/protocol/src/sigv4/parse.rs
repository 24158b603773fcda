//! Reads the proof out of a request, without judging it.

use std::borrow::Cow;

use super::canonical;
use super::error::{Error, Missing};
use super::request::RequestParts;
use super::timestamp::Timestamp;

/// The symmetric algorithm's name.
pub(super) const HMAC: &str = "AWS4-HMAC-SHA256";
/// The asymmetric algorithm's name.
pub(super) const ECDSA: &str = "AWS4-ECDSA-P256-SHA256";

/// The two algorithms of Signature Version 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Signature Version 4, `AWS4-HMAC-SHA256`.
    HmacSha256,
    /// Signature Version 4A, `AWS4-ECDSA-P256-SHA256`.
    EcdsaP256Sha256,
}

impl Algorithm {
    /// The name that begins the header and the string to sign.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => HMAC,
            Self::EcdsaP256Sha256 => ECDSA,
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            HMAC => Some(Self::HmacSha256),
            ECDSA => Some(Self::EcdsaP256Sha256),
            _ => None,
        }
    }
}

/// Where a proof was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The `Authorization` header.
    Header,
    /// The query of a presigned request.
    Query,
}

/// What a request offers as its proof.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives on the stack per request; a box would cost each an allocation"
)]
pub enum Proof<'a> {
    /// A signature, still to be verified.
    Signature(Parsed<'a>),
    /// `Authorization: Bearer …`; the token as sent.
    Bearer(&'a str),
    /// Nothing.
    Anonymous,
}

/// A signature and what it says about itself. **Nothing in here is proven before
/// [`verify`](super::verify()) returns.**
#[derive(Clone)]
pub struct Parsed<'a> {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Where it was found.
    pub form: Form,
    /// The access key id, to look up the secret with.
    pub access_key_id: Cow<'a, str>,
    /// The rest of the credential.
    pub scope: Scope<'a>,
    /// `X-Amz-Region-Set` of Signature Version 4A.
    pub region_set: Option<Cow<'a, str>>,
    /// The session token, from the header or the query, signed or not.
    pub session_token: Option<Cow<'a, str>>,
    /// When the request was signed.
    pub timestamp: Timestamp,
    /// `X-Amz-Expires` as sent; only S3 gives it a meaning (see [`Rules`](super::Rules)).
    pub expires: Option<Cow<'a, str>>,
    /// `SignedHeaders` as sent, names joined by `;`.
    pub signed_headers: Cow<'a, str>,
    /// The signature as sent, hexadecimal.
    pub signature: Cow<'a, str>,
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Signature(parsed) => parsed.fmt(formatter),
            Self::Bearer(_) => formatter.write_str("Bearer(..)"),
            Self::Anonymous => formatter.write_str("Anonymous"),
        }
    }
}

impl std::fmt::Debug for Parsed<'_> {
    /// Without token and signature: a log of them could be replayed.
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter
            .debug_struct("Parsed")
            .field("algorithm", &self.algorithm)
            .field("form", &self.form)
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("timestamp", &self.timestamp.basic())
            .finish_non_exhaustive()
    }
}

/// The credential scope: what the signature is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The day, `20150830`.
    pub date: Cow<'a, str>,
    /// The region; `None` for Signature Version 4A, whose regions are the region set.
    pub region: Option<Cow<'a, str>>,
    /// The signing name of the service.
    pub service: Cow<'a, str>,
    /// `aws4_request` in a right credential.
    pub terminator: Cow<'a, str>,
}

/// Reads the proof of a request: header form, presigned form, bearer token, or none.
///
/// # Errors
/// [`Error::TwoMechanisms`], [`Error::UnsupportedAlgorithm`], [`Error::Incomplete`],
/// [`Error::NotKeyValue`], [`Error::RepeatedParameter`], [`Error::NotText`],
/// [`Error::MalformedCredential`] and [`Error::MalformedDate`].
pub fn parse<'a>(parts: &RequestParts<'a>) -> Result<Proof<'a>, Error> {
    let header = parts.single("authorization")?;
    let query = QueryParameters::read(parts)?;
    match (header, query) {
        (None, None) => Ok(Proof::Anonymous),
        (None, Some(query)) => parse_query(query).map(Proof::Signature),
        (Some(header), None) => parse_header(parts, text("Authorization", header)?),
        (Some(header), Some(_)) => Err(Error::TwoMechanisms { authorization: lossy(header) }),
    }
}

fn parse_header<'a>(parts: &RequestParts<'a>, header: &'a str) -> Result<Proof<'a>, Error> {
    let header = header.trim_ascii();
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Proof::Bearer(rest.trim_ascii()));
    }
    let Some(algorithm) = Algorithm::named(scheme) else {
        return Err(Error::UnsupportedAlgorithm {
            form: Form::Header,
            algorithm: scheme.to_owned(),
        });
    };
    let components = Components::read(header, rest)?;
    let date = match parts.single("x-amz-date")? {
        Some(date) => Some((date, Timestamp::parse_basic(date.trim_ascii()))),
        None => parts
            .single("date")?
            .map(|date| (date, Timestamp::parse_date_header(date.trim_ascii()))),
    };
    let region_set = match algorithm {
        Algorithm::EcdsaP256Sha256 => parts.single("x-amz-region-set")?,
        Algorithm::HmacSha256 => None,
    };
    let lacks_regions = algorithm == Algorithm::EcdsaP256Sha256 && region_set.is_none();
    let (Some(credential), Some(signature), Some(signed_headers), Some((date, time)), false) = (
        components.credential,
        components.signature,
        components.signed_headers,
        date,
        lacks_regions,
    ) else {
        return Err(Error::Incomplete(Missing {
            form: Some(Form::Header),
            credential: components.credential.is_none(),
            signature: components.signature.is_none(),
            signed_headers: components.signed_headers.is_none(),
            date: date.is_none(),
            region_set: lacks_regions,
            authorization: header.to_owned(),
            ..Missing::default()
        }));
    };
    let timestamp =
        time.ok_or_else(|| Error::MalformedDate { form: Form::Header, date: lossy(date) })?;
    let (access_key_id, scope) = credential_parts(Form::Header, algorithm, credential.into())?;
    let token = parts.single("x-amz-security-token")?;
    Ok(Proof::Signature(Parsed {
        algorithm,
        form: Form::Header,
        access_key_id,
        scope,
        region_set: region_set.map(|set| text("X-Amz-Region-Set", set)).transpose()?.map(Cow::from),
        session_token: token
            .map(|token| text("X-Amz-Security-Token", token.trim_ascii()))
            .transpose()?
            .map(Cow::from),
        timestamp,
        expires: None,
        signed_headers: signed_headers.into(),
        signature: signature.into(),
    }))
}

/// The comma-separated components of the header form.
#[derive(Default)]
struct Components<'a> {
    credential: Option<&'a str>,
    signature: Option<&'a str>,
    signed_headers: Option<&'a str>,
}

impl<'a> Components<'a> {
    fn read(header: &str, rest: &'a str) -> Result<Self, Error> {
        let mut components = Self::default();
        for component in rest.split(',').map(str::trim_ascii).filter(|part| !part.is_empty()) {
            let Some((key, value)) = component.split_once('=') else {
                return Err(Error::NotKeyValue {
                    component: component.to_owned(),
                    authorization: header.to_owned(),
                });
            };
            let (name, place) = match key {
                "Credential" => ("Credential", &mut components.credential),
                "Signature" => ("Signature", &mut components.signature),
                "SignedHeaders" => ("SignedHeaders", &mut components.signed_headers),
                // AWS ignores components that it does not know.
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(Error::RepeatedParameter { name });
            }
        }
        Ok(components)
    }
}

/// The presigned form's parameters, undecoded.
#[derive(Clone, Copy, Default)]
struct QueryParameters<'a> {
    algorithm: Option<&'a [u8]>,
    credential: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    expires: Option<&'a [u8]>,
    region_set: Option<&'a [u8]>,
    security_token: Option<&'a [u8]>,
    signature: Option<&'a [u8]>,
    signed_headers: Option<&'a [u8]>,
}

impl<'a> QueryParameters<'a> {
    /// `None` when the query offers no proof. The names are matched as AWS writes them; an
    /// escaped spelling of a name is an ordinary parameter, so it can only make a request
    /// anonymous, never prove it.
    fn read(parts: &RequestParts<'a>) -> Result<Option<Self>, Error> {
        let mut found = Self::default();
        let mut version_two = (false, false);
        for (key, value) in parts.query_pairs() {
            let (name, place) = match key {
                b"X-Amz-Algorithm" => ("X-Amz-Algorithm", &mut found.algorithm),
                b"X-Amz-Credential" => ("X-Amz-Credential", &mut found.credential),
                b"X-Amz-Date" => ("X-Amz-Date", &mut found.date),
                b"X-Amz-Expires" => ("X-Amz-Expires", &mut found.expires),
                b"X-Amz-Region-Set" => ("X-Amz-Region-Set", &mut found.region_set),
                b"X-Amz-Security-Token" => ("X-Amz-Security-Token", &mut found.security_token),
                b"X-Amz-Signature" => ("X-Amz-Signature", &mut found.signature),
                b"X-Amz-SignedHeaders" => ("X-Amz-SignedHeaders", &mut found.signed_headers),
                b"AWSAccessKeyId" => {
                    version_two.0 = true;
                    continue;
                }
                b"Signature" => {
                    version_two.1 = true;
                    continue;
                }
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(Error::RepeatedParameter { name });
            }
        }
        if version_two == (true, true) {
            let algorithm = "AWS".to_owned();
            return Err(Error::UnsupportedAlgorithm { form: Form::Query, algorithm });
        }
        let offers = [found.algorithm, found.credential, found.signature];
        Ok(offers.iter().any(Option::is_some).then_some(found))
    }
}

fn parse_query<'a>(query: QueryParameters<'a>) -> Result<Parsed<'a>, Error> {
    let form = Form::Query;
    let algorithm = match query.algorithm {
        None => None,
        Some(name) => {
            let name = decoded("X-Amz-Algorithm", name)?;
            let Some(known) = Algorithm::named(&name) else {
                return Err(Error::UnsupportedAlgorithm { form, algorithm: name.into_owned() });
            };
            Some(known)
        }
    };
    let asymmetric = algorithm == Some(Algorithm::EcdsaP256Sha256);
    let lacks_regions = asymmetric && query.region_set.is_none();
    let (Some(algorithm), Some(credential), Some(signature), Some(signed), Some(date), false) = (
        algorithm,
        query.credential,
        query.signature,
        query.signed_headers,
        query.date,
        lacks_regions,
    ) else {
        return Err(Error::Incomplete(Missing {
            form: Some(form),
            algorithm: algorithm.is_none(),
            credential: query.credential.is_none(),
            signature: query.signature.is_none(),
            signed_headers: query.signed_headers.is_none(),
            date: query.date.is_none(),
            region_set: lacks_regions,
            ..Missing::default()
        }));
    };
    let date = decoded("X-Amz-Date", date)?;
    let Some(timestamp) = Timestamp::parse_basic(date.as_bytes()) else {
        return Err(Error::MalformedDate { form, date: date.into_owned() });
    };
    let credential = decoded("X-Amz-Credential", credential)?;
    let (access_key_id, scope) = credential_parts(form, algorithm, credential)?;
    let optional = |name, value: Option<&'a [u8]>| value.map(|v| decoded(name, v)).transpose();
    Ok(Parsed {
        algorithm,
        form,
        access_key_id,
        scope,
        region_set: optional("X-Amz-Region-Set", query.region_set.filter(|_| asymmetric))?,
        session_token: optional("X-Amz-Security-Token", query.security_token)?,
        timestamp,
        expires: optional("X-Amz-Expires", query.expires)?,
        signed_headers: decoded("X-Amz-SignedHeaders", signed)?,
        signature: decoded("X-Amz-Signature", signature)?,
    })
}

fn credential_parts<'a>(
    form: Form,
    algorithm: Algorithm,
    credential: Cow<'a, str>,
) -> Result<(Cow<'a, str>, Scope<'a>), Error> {
    let split = match &credential {
        Cow::Borrowed(text) => split_credential(algorithm, text, Cow::Borrowed),
        Cow::Owned(text) => split_credential(algorithm, text, |part| Cow::Owned(part.to_owned())),
    };
    split.ok_or_else(|| Error::MalformedCredential { form, credential: credential.into_owned() })
}

/// Splits `key/day/region/service/terminator`; Signature Version 4A has no region there.
fn split_credential<'t, 'a>(
    algorithm: Algorithm,
    credential: &'t str,
    own: impl Fn(&'t str) -> Cow<'a, str>,
) -> Option<(Cow<'a, str>, Scope<'a>)> {
    let mut parts = credential.split('/');
    let access_key_id = parts.next().filter(|id| !id.is_empty())?;
    let date = parts.next()?;
    let region = match algorithm {
        Algorithm::HmacSha256 => Some(parts.next()?),
        Algorithm::EcdsaP256Sha256 => None,
    };
    let (service, terminator) = (parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let scope = Scope {
        date: own(date),
        region: region.map(&own),
        service: own(service),
        terminator: own(terminator),
    };
    Some((own(access_key_id), scope))
}

fn decoded<'a>(name: &'static str, value: &'a [u8]) -> Result<Cow<'a, str>, Error> {
    match canonical::decode_query(value) {
        Cow::Borrowed(bytes) => text(name, bytes).map(Cow::Borrowed),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(value) => Ok(Cow::Owned(value)),
            Err(_) => Err(Error::NotText { name }),
        },
    }
}

fn text<'a>(name: &'static str, value: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(value).map_err(|_| Error::NotText { name })
}

pub(super) fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
