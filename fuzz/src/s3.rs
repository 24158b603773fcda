//! What S3 reads beyond the protocol: documents of its operations, headers with a grammar of their
//! own, forms of browsers and their policies.

use http::{HeaderMap, Method};
use palisade_model::s3::{LifecycleRule, SERVICE};
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::form_data::{FilePiece, FormDecoder, FormError, FormFields, boundary};
use palisade_protocol::sigv4::PostProof;
use palisade_protocol::{Parts, from_json, read_request, respond, to_json};
use palisade_services::s3::copy::{self, Source};
use palisade_services::s3::post_form::PostForm;
use palisade_services::s3::post_policy::PostPolicy;
use palisade_services::s3::{acl, checksum, lifecycle, read, tagging};
use palisade_shape::{Error, Kind, Operation, Protocol, Timestamp};
use std::sync::LazyLock;

/// The operations of S3 whose input has a document in its body.
pub fn with_documents() -> &'static [&'static Operation] {
    static ALL: LazyLock<Vec<&'static Operation>> = LazyLock::new(|| {
        let has_document = |operation: &&&Operation| {
            let payload = operation.input.payload.and_then(|at| operation.input.members.get(at));
            payload.is_some_and(|member| matches!(member.target.kind, Kind::Structure(_)))
        };
        SERVICE.operations.iter().filter(has_document).copied().collect()
    });
    &ALL
}

/// Byte 0: the operation; then its document. What is accepted is written and read again unchanged.
pub fn s3_xml(data: &[u8]) {
    let Some((number, body)) = data.split_first() else { return };
    let operation = with_documents()[usize::from(*number) % with_documents().len()];
    let labels = [("Bucket", "bucket".to_owned()), ("Key", "key".to_owned())];
    let mut input = Dynamic::of(operation.input);
    let parts = |headers, body| Parts {
        method: &Method::PUT,
        raw_path: "/",
        raw_query: "id=x&versionId=v&uploadId=u",
        headers,
        body,
        labels: &labels,
    };
    let none = HeaderMap::new();
    let first = parts(&none, body);
    if let Err(error) = read_request(Protocol::RestXml, &SERVICE, operation, &first, &mut input) {
        assert!((400..500).contains(&error.code.status), "{error}");
        return;
    }
    let stored = to_json(&input);
    let mut again = Dynamic::of(operation.input);
    from_json(&stored, &mut again).expect("the store's form is read");
    assert_eq!(again, input);
    // The answer with the same members is the request's document.
    let turned = Operation { output: operation.input, ..*operation };
    let answer = respond(Protocol::RestXml, &SERVICE, &turned, &input, "id");
    let mut written = Dynamic::of(operation.input);
    let text = String::from_utf8_lossy(&answer.body);
    let second = parts(&answer.headers, &answer.body);
    let told = read_request(Protocol::RestXml, &SERVICE, operation, &second, &mut written);
    told.unwrap_or_else(|error| panic!("{}: {error}: {text}", operation.name));
    assert_eq!(written, input, "{}: {text}", operation.name);
    rules(&stored);
}

/// Rules of a lifecycle are refused as a client's error, or are sound.
fn rules(stored: &[u8]) {
    let stored: serde_json::Value = serde_json::from_slice(stored).expect("JSON");
    let list = stored["LifecycleConfiguration"]["Rules"].as_array();
    for rule in list.into_iter().flatten() {
        let mut typed = LifecycleRule::default();
        let read = from_json(rule.to_string().as_bytes(), &mut typed);
        read.expect("a rule of the document is a rule");
        of_client(lifecycle::check_rule(&typed));
    }
}

fn of_client<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!((400..500).contains(&error.code.status), "{error}");
            None
        }
    }
}

/// Byte 0: which header or what of a form; then its text.
pub fn s3_headers(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind % 8 == 7 {
        return form(rest);
    }
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind % 8 {
        0 => copy_source(text),
        1 => range(text),
        2 => checksums(text),
        3 => tags(text),
        4 => grants(text),
        5 => post_policy(text),
        _ => post_proof(text),
    }
}

fn copy_source(text: &str) {
    let Some(source) = of_client(Source::parse(text)) else { return };
    assert!(!source.bucket.is_empty() && !source.key.is_empty());
    assert!(!source.bucket.contains('/'), "{source:?}");
}

/// The first line is a size, the second the header.
fn range(text: &str) {
    let (size, header) = text.split_once('\n').unwrap_or(("10", text));
    let Ok(size) = size.parse::<u64>() else { return };
    if let Some(span) = of_client(read::span(Some(header), size)) {
        let end = span.offset.checked_add(span.bytes).expect("a span ends somewhere");
        assert!(end <= size, "{span:?} of {size}");
        assert!(!span.partial || span.bytes > 0, "{span:?} of {size}");
    }
    if let Some((offset, bytes)) = of_client(copy::span(Some(header), size)) {
        assert!(offset.checked_add(bytes).is_some_and(|end| end <= size) && bytes > 0);
    }
}

/// The first line is what was computed, the second an algorithm, the third what was declared.
fn checksums(text: &str) {
    let mut lines = text.split('\n');
    let (computed, name) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let Some(algorithm) = checksum::Algorithm::named(name) else { return };
    let declared = lines.next().unwrap_or("");
    of_client(checksum::check(algorithm, declared, computed.as_bytes()));
}

fn tags(text: &str) {
    let Some(tags) = of_client(tagging::of_header(Some(text))) else { return };
    assert!(tags.len() <= tagging::OBJECT_TAGS_MAX);
    let form = PostForm::default();
    let headers = of_client(form.headers(&tags)).expect("tags that were taken are taken again");
    let header = headers.iter().find(|(name, _)| name == "x-amz-tagging");
    let again = tagging::of_header(header.map(|(_, value)| value.as_str()));
    assert_eq!(of_client(again).as_ref(), Some(&tags), "{text}");
}

fn grants(text: &str) {
    for named in text.split(',') {
        let (kind, name) = acl::kind_and_name(named.trim());
        assert!(!kind.contains('=') && !name.starts_with('"') && !name.ends_with('"'));
    }
}

/// Base64 of the policy is made here, so that its text is what is tried. Its conditions are tried
/// on a form that has every field that it names with its own value.
fn post_policy(text: &str) {
    of_client(PostPolicy::parse(text));
    let Some(policy) = of_client(PostPolicy::parse(&base64(text.as_bytes()))) else { return };
    let form = PostForm::new("bucket", vec![("key".to_owned(), text.to_owned())], "f");
    let Some(form) = of_client(form) else { return };
    let early = Timestamp::from_millis(0);
    if let Ok(sizes) = policy.check(&form, early) {
        let late = Timestamp::from_millis(i64::MAX);
        assert!(policy.check(&form, late).is_err(), "no policy is for ever");
        if let Some(sizes) = sizes {
            assert!(sizes.check_most(sizes.most).is_ok() && sizes.check_least(sizes.least).is_ok());
        }
    }
}

/// Lines: algorithm, credential, date, policy, signature. Nothing is proven.
fn post_proof(text: &str) {
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or("");
    let (algorithm, credential, date) = (line(), line(), line());
    let Ok(proof) = PostProof::read(algorithm, credential, date) else { return };
    assert!(!proof.access_key_id.contains('/') && !proof.region.contains('/'));
    assert!(proof.verify(b"a secret", line(), line()).is_err(), "nobody signed it");
}

/// The first line is a content type, byte 0 of the second how the body is cut. However it is cut,
/// it gives the same fields and the same file.
fn form(data: &[u8]) {
    let Some(at) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (kind, rest) = (&data[..at], &data[at + 1..]);
    let Some(boundary) = std::str::from_utf8(kind).ok().and_then(boundary) else { return };
    let Some((cut, body)) = rest.split_first() else { return };
    let whole = read_form(boundary, body, body.len().max(1));
    assert_eq!(read_form(boundary, body, usize::from(*cut).max(1)), whole, "in pieces of {cut}");
    if let Ok((fields, file)) = whole {
        assert!(file.len() <= body.len());
        of_client(PostForm::new("bucket", fields.fields, &fields.file_name));
    }
}

fn read_form(boundary: &str, body: &[u8], cut: usize) -> Result<(FormFields, Vec<u8>), FormError> {
    let mut decoder = FormDecoder::new(boundary);
    let (mut fields, mut file) = (None, Vec::new());
    for piece in body.chunks(cut) {
        decoder.feed(piece);
        if fields.is_none() {
            fields = decoder.fields()?;
        }
        while fields.is_some()
            && let FilePiece::Bytes(bytes) = decoder.file()
        {
            assert!(!bytes.is_empty());
            file.extend(bytes);
        }
    }
    decoder.finish()?;
    Ok((fields.expect("a file comes behind its fields"), file))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default()];
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
