//! Judges a proof: scope, time, coverage, signature, body; in this order, so that a client with a
//! wrong clock or region learns that rather than "does not match".

use super::asymmetric;
use super::canonical::{self, Canonical, Path};
use super::chunk_seed::ChunkSeed;
use super::error::{Error, ExpiresProblem, Mismatch, Missing, Skew};
use super::hex;
use super::parse::{Algorithm, Form, Parsed};
use super::payload::{self, BodyProof, Payload, Promise};
use super::request::RequestParts;
use super::signing_key::{Key, SigningKeys};
use sha2::{Digest, Sha256};

/// `X-Amz-Expires` may be at most seven days (S3 API Reference, "Authenticating Requests: Using
/// Query Parameters").
const MAX_EXPIRES_SECONDS: i64 = 604_800;
/// More names than any request has headers: a list beyond it is refused before the quadratic work.
const MAX_SIGNED_HEADERS: usize = 256;
const TERMINATOR: &str = "aws4_request";

/// What a service demands of a proof.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// S3's rules: the path encoded once and unnormalized, `x-amz-content-sha256` required,
    /// `aws-chunked` bodies, presigned requests that live for `X-Amz-Expires` seconds.
    /// Elsewhere a presigned request lives as long as a signed one, whatever it asks for, as
    /// STS does it.
    pub s3: bool,
    /// The server's time in Unix seconds.
    pub now: i64,
    /// How far the request's date may be from `now`; AWS allows 900 seconds.
    pub max_skew_seconds: u32,
    /// The endpoint's region; `None` accepts every region.
    pub region: Option<&'a str>,
    /// The endpoint's signing names, such as `["s3", "s3-object-lambda"]`; empty accepts every one.
    pub services: &'a [&'a str],
    /// Whether a body may stay unsigned (`UNSIGNED-PAYLOAD`, `STREAMING-UNSIGNED-PAYLOAD-TRAILER`).
    /// AWS allows it to S3, and to operations whose model says `v4-unsigned-body`, over TLS.
    /// A presigned S3 request without `X-Amz-Content-Sha256` leaves its body unsigned by
    /// definition.
    pub unsigned_payload: bool,
    /// Whether a session token may have been added after signing. S3 signs it; AWS documents that
    /// others (IoT Core, OpenSearch) add it afterwards. The token is the caller's to check against
    /// the access key either way, so an unsigned one proves no less.
    pub unsigned_token: bool,
}

impl<'a> Rules<'a> {
    /// The rules of S3 at `now`, for any region and service name.
    pub fn s3(now: i64) -> Self {
        Self { s3: true, unsigned_payload: true, unsigned_token: false, ..Self::standard(now) }
    }

    /// The rules of every other service at `now`, for any region and service name.
    pub fn standard(now: i64) -> Self {
        Self {
            s3: false,
            now,
            max_skew_seconds: 900,
            region: None,
            services: &[],
            unsigned_payload: false,
            unsigned_token: true,
        }
    }

    /// The same rules for one endpoint.
    pub fn endpoint(self, region: &'a str, services: &'a [&'a str]) -> Self {
        Self { region: Some(region), services, ..self }
    }
}

/// A proven request.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    /// The names of the signed headers, sorted, as sent.
    pub signed_headers: Vec<&'a str>,
    /// How far the body is proven. **Read it**: a streamed body is not proven yet.
    pub body: BodyProof,
}

/// Verifies the proof of a request against the secret access key of `parsed.access_key_id`.
///
/// # Errors
/// All of [`Error`] but those of [`parse`](super::parse()) and of the caller's lookup.
pub fn verify<'p>(
    parsed: &'p Parsed,
    parts: &RequestParts,
    secret: &[u8],
    payload: Payload,
    rules: &Rules,
    keys: &SigningKeys,
) -> Result<Verified<'p>, Error> {
    check_scope(parsed, rules)?;
    check_time(parsed, rules)?;
    let signed_headers = check_coverage(parsed, parts, rules)?;
    let declared = payload::declared(parsed, parts, payload, rules)?;

    let mut canonical = Canonical {
        path: if rules.s3 { Path::Unnormalized } else { Path::Normalized },
        signed_headers: &signed_headers,
        payload_hash: &declared.line,
        skip_security_token: false,
    };
    let request = canonical.write(parts);
    let string_to_sign = string_to_sign(parsed, &request);
    let cached = keys.find(parsed, secret);
    let fresh = cached.is_none();
    let key = cached.or_else(|| Key::derive(parsed, secret));
    let holds =
        |text: &[u8]| key.as_ref().filter(|key| key.signed(text, parsed.signature.as_bytes()));
    let mut proven = holds(&string_to_sign);
    if proven.is_none() && added_later(parsed, rules) {
        canonical.skip_security_token = true;
        proven = holds(&self::string_to_sign(parsed, &canonical.write(parts)));
    }
    let Some(key) = proven else {
        return Err(Error::SignatureMismatch(Box::new(Mismatch {
            access_key_id: parsed.access_key_id.to_string(),
            signature_provided: parsed.signature.to_string(),
            string_to_sign: String::from_utf8_lossy(&string_to_sign).into_owned(),
            canonical_request: request,
        })));
    };
    if fresh {
        keys.keep(parsed, secret, key);
    }
    let body = match declared.promise {
        Promise::Computed => BodyProof::Proven,
        Promise::Unsigned => BodyProof::Unsigned,
        Promise::Sha256(hash) => payload::settle(hash, payload)?,
        Promise::Chunked(signing) => {
            BodyProof::Chunked(Box::new(ChunkSeed::new(signing, parsed, key.clone())))
        }
    };
    Ok(Verified { signed_headers, body })
}

/// Whether the token of a presigned request may have been added after signing.
fn added_later(parsed: &Parsed, rules: &Rules) -> bool {
    rules.unsigned_token && parsed.form == Form::Query && parsed.session_token.is_some()
}

pub(super) fn string_to_sign(parsed: &Parsed, canonical_request: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(parsed.algorithm.name().as_bytes());
    out.push(b'\n');
    out.extend_from_slice(parsed.timestamp.basic().as_bytes());
    out.push(b'\n');
    push_scope(&mut out, parsed);
    out.push(b'\n');
    hex::push(&mut out, &Sha256::digest(canonical_request));
    out
}

/// Writes the scope as the string to sign has it: the credential without its access key id.
pub(super) fn push_scope(out: &mut Vec<u8>, parsed: &Parsed) {
    let scope = &parsed.scope;
    out.extend_from_slice(scope.date.as_bytes());
    out.push(b'/');
    if let Some(region) = &scope.region {
        out.extend_from_slice(region.as_bytes());
        out.push(b'/');
    }
    out.extend_from_slice(scope.service.as_bytes());
    out.push(b'/');
    out.extend_from_slice(scope.terminator.as_bytes());
}

fn check_scope(parsed: &Parsed, rules: &Rules) -> Result<(), Error> {
    let (form, scope) = (parsed.form, &parsed.scope);
    if scope.terminator != TERMINATOR {
        return Err(Error::WrongTerminator { form, terminator: scope.terminator.to_string() });
    }
    if scope.date.len() != 8 || !scope.date.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::MalformedScopeDate { form, date: scope.date.to_string() });
    }
    if let Some(expected) = rules.services.first()
        && !rules.services.contains(&&*scope.service)
    {
        return Err(Error::WrongService {
            form,
            service: scope.service.to_string(),
            expected: (*expected).to_owned(),
        });
    }
    if let Some(expected) = rules.region {
        let (sent, fits) = match (parsed.algorithm, &scope.region, &parsed.region_set) {
            (Algorithm::EcdsaP256Sha256, _, Some(set)) => {
                (set, asymmetric::region_in_set(expected, set))
            }
            (_, Some(region), _) => (region, region == expected),
            (_, None, None) => {
                return Err(Error::Incomplete(Missing {
                    form: Some(form),
                    region_set: true,
                    ..Missing::default()
                }));
            }
            (_, None, Some(set)) => (set, false),
        };
        if !fits {
            let (region, expected) = (sent.to_string(), expected.to_owned());
            return Err(Error::WrongRegion { form, region, expected });
        }
    }
    if scope.date != parsed.timestamp.day() {
        return Err(Error::ScopeDate {
            form,
            scope_date: scope.date.to_string(),
            timestamp: parsed.timestamp.basic().to_owned(),
        });
    }
    Ok(())
}

fn check_time(parsed: &Parsed, rules: &Rules) -> Result<(), Error> {
    let (signed_at, now) = (parsed.timestamp.seconds, rules.now);
    let skew = Skew { signed_at, now, max_skew_seconds: rules.max_skew_seconds, form: parsed.form };
    let age = now.saturating_sub(signed_at);
    let max_skew = i64::from(rules.max_skew_seconds);
    if age < -max_skew {
        return Err(Error::SignatureNotYetCurrent(skew));
    }
    if rules.s3 && parsed.form == Form::Query {
        let expires_seconds = expires_seconds(parsed)?;
        if age > expires_seconds {
            let expired_at = signed_at.saturating_add(expires_seconds);
            return Err(Error::PresignedExpired { expires_seconds, expired_at, now });
        }
        return Ok(());
    }
    if age > max_skew {
        return Err(Error::SignatureExpired(skew));
    }
    Ok(())
}

fn expires_seconds(parsed: &Parsed) -> Result<i64, Error> {
    let Some(text) = &parsed.expires else {
        return Err(Error::Incomplete(Missing {
            form: Some(Form::Query),
            expires: true,
            ..Missing::default()
        }));
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Expires(ExpiresProblem::NotANumber));
    }
    if digits.len() < text.len() && digits.bytes().any(|byte| byte != b'0') {
        return Err(Error::Expires(ExpiresProblem::Negative));
    }
    match digits.parse() {
        Ok(seconds) if seconds <= MAX_EXPIRES_SECONDS => Ok(seconds),
        _ => Err(Error::Expires(ExpiresProblem::TooLarge)),
    }
}

/// Checks that the signature covers what AWS says it must: `host` (`:authority`), and every
/// `x-amz-*` header sent. The IAM User Guide demands both of every service; S3 refuses the second
/// by name. It matters elsewhere too: an unsigned `X-Amz-Target` could be changed on its way into
/// another operation. Excepted is the session token where it may be added after signing.
fn check_coverage<'p>(
    parsed: &'p Parsed,
    parts: &RequestParts,
    rules: &Rules,
) -> Result<Vec<&'p str>, Error> {
    parts.check_host()?;
    let signed = canonical::sorted_names(&parsed.signed_headers);
    if signed.len() > MAX_SIGNED_HEADERS {
        return Err(Error::Incomplete(Missing {
            form: Some(parsed.form),
            signed_headers: true,
            ..Missing::default()
        }));
    }
    let covers = |name: &str| signed.iter().any(|header| header.eq_ignore_ascii_case(name));
    if !covers("host") {
        return Err(Error::HostNotSigned);
    }
    let demanded = |name: &str| {
        name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
            && !(rules.unsigned_token && name.eq_ignore_ascii_case("x-amz-security-token"))
    };
    let names = parts.headers.iter().map(|field| field.0);
    let unsigned: Vec<String> =
        names.filter(|name| demanded(name) && !covers(name)).map(str::to_ascii_lowercase).collect();
    if unsigned.is_empty() {
        return Ok(signed);
    }
    Err(Error::HeadersNotSigned { names: unsigned })
}
