//! The rules of [`verify`], with requests signed here, and the words for their breach.

use super::test_request::{Request, SECRET, SIGNED_AT};
use super::*;

const SCOPE: &str = "20150830/us-east-1/iam/aws4_request";

fn iam() -> Request {
    let rules = Rules::standard(SIGNED_AT).endpoint("us-east-1", &["iam"]);
    let request = Request::signed(&[("X-Amz-Date", "20150830T123600Z")], SCOPE, rules);
    assert!(matches!(request.verify(SECRET), Ok(BodyProof::Proven)));
    request
}

fn s3(hash: &str) -> Request {
    let rules = Rules::s3(SIGNED_AT).endpoint("us-east-1", &["s3"]);
    let headers = [("X-Amz-Date", "20150830T123600Z"), ("x-amz-content-sha256", hash)];
    Request::signed(&headers, "20150830/us-east-1/s3/aws4_request", rules)
}

#[test]
fn header_form_in_the_words_of_query_services() {
    let check = |change: &dyn Fn(&mut Request), expected: &str| {
        iam().refused(Dialect::Query, change, expected);
    };
    check(
        &|r| *r.header("authorization") = "AWS4-HMAC-SHA256".to_owned(),
        "400 IncompleteSignature: Authorization header requires 'Credential' parameter. \
         Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. \
         (Hashed with SHA-256 and encoded with Base64) \
         Authorization=YI2YWea8FSxnksZL2ETHbs5elHm9HQufxTLK0W0ffV0=",
    );
    check(
        &|r| r.replace("Signature=", "Signature"),
        &format!(
            "400 IncompleteSignature: Invalid key=value pair (missing equal-sign) in \
             Authorization header (hashed with SHA-256 and encoded with Base64): '{}'.",
            hashed_component()
        ),
    );
    check(
        &|r| r.replace("/iam/", "/"),
        "400 IncompleteSignature: Credential must have exactly 5 slash-delimited elements, e.g. \
         keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/aws4_request'",
    );
    check(
        &|r| r.replace("us-east-1", "us-east-2"),
        "403 SignatureDoesNotMatch: Credential should be scoped to a valid region, \
         not 'us-east-2'.",
    );
    check(
        &|r| r.replace("/iam/", "/sts/"),
        "403 SignatureDoesNotMatch: Credential should be scoped to correct service: 'iam'.",
    );
    check(
        &|r| r.replace("aws4_request", "aws4"),
        "403 SignatureDoesNotMatch: Credential should be scoped with a valid terminator: \
         'aws4_request', not 'aws4'.",
    );
    check(
        &|r| r.replace("/20150830/", "/20150829/"),
        "403 SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from \
         ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
    );
}

#[test]
fn time_and_coverage_in_the_words_of_query_services() {
    let check = |change: &dyn Fn(&mut Request), expected: &str| {
        iam().refused(Dialect::Query, change, expected);
    };
    check(
        &|r| *r.header("x-amz-date") = "2015".to_owned(),
        "400 IncompleteSignature: Date must be in ISO-8601 'basic format'. Got '2015'. \
         See http://en.wikipedia.org/wiki/ISO_8601",
    );
    check(
        &|r| r.rules.now += 901,
        "403 SignatureDoesNotMatch: Signature expired: 20150830T123600Z is now earlier than \
         20150830T123601Z (20150830T125101Z - 15 min.)",
    );
    check(
        &|r| r.rules.now -= 901,
        "403 SignatureDoesNotMatch: Signature not yet current: 20150830T123600Z is still later \
         than 20150830T123559Z (20150830T122059Z + 15 min.)",
    );
    check(
        &|r| r.replace("host;", ""),
        "403 SignatureDoesNotMatch: 'Host' or ':authority' must be a 'SignedHeader' in the AWS \
         Authorization.",
    );
    check(
        &|r| r.headers.push(("X-Amz-Target".to_owned(), "x".to_owned())),
        "403 SignatureDoesNotMatch: 'x-amz-target' must be a 'SignedHeader' in the AWS \
         Authorization.",
    );
    check(
        &|r| r.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        "400 IncompleteSignature: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.",
    );
    check(
        &|r| r.headers.retain(|pair| pair.0 != "Authorization"),
        "403 MissingAuthenticationToken: Request is missing Authentication Token",
    );
    let edge = iam();
    for seconds in [-900, 900] {
        let mut request = edge.clone();
        request.rules.now += seconds;
        assert!(request.verify(SECRET).is_ok(), "{seconds}");
    }
}

fn hashed_component() -> String {
    use base64::Engine;
    use sha2::Digest;
    let mut request = iam();
    request.replace("Signature=", "Signature");
    let component = request.header("authorization").rsplit(", ").next().unwrap().to_owned();
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(component))
}

#[test]
fn requests_that_could_be_read_in_two_ways() {
    let check = |change: &dyn Fn(&mut Request), expected: &str| {
        iam().refused(Dialect::Query, change, expected);
    };
    let again = |name: &'static str| {
        move |request: &mut Request| {
            let value = request.header(name).clone();
            request.headers.push((name.to_ascii_uppercase(), value));
        }
    };
    check(
        &again("x-amz-date"),
        "400 IncompleteSignature: 'x-amz-date' must have one value in the request.",
    );
    check(
        &again("authorization"),
        "400 IncompleteSignature: 'authorization' must have one value in the request.",
    );
    check(&again("host"), "400 IncompleteSignature: 'host' must have one value in the request.");
    check(
        &|r| r.authority = Some("other.amazonaws.com".to_owned()),
        "400 IncompleteSignature: 'host' must have one value in the request.",
    );
    check(
        &|r| r.replace("Signature=", "Credential=a/b/c/d/e, Signature="),
        "400 IncompleteSignature: 'Credential' must have one value in the request.",
    );
    check(
        &|r| r.query = "X-Amz-Signature=0".to_owned(),
        "400 IncompleteSignature: The request contains a query parameter that duplicates a \
         header value.",
    );
    let mut over_h2 = iam();
    over_h2.headers.retain(|pair| pair.0 != "Host");
    over_h2.authority = Some("iam.amazonaws.com".to_owned());
    assert!(over_h2.verify(SECRET).is_ok(), ":authority stands for Host");
}

#[test]
fn codes_of_the_other_protocols() {
    let mismatch = |request: &mut Request| request.body.push(b'x');
    let text = "The request signature we calculated does not match the signature you provided. \
                Check your AWS Secret Access Key and signing method. Consult the service \
                documentation for details.";
    iam().refused(Dialect::Json, mismatch, &format!("400 InvalidSignatureException: {text}"));
    iam().refused(Dialect::RestJson, mismatch, &format!("403 InvalidSignatureException: {text}"));
    iam().refused(Dialect::Query, mismatch, &format!("403 SignatureDoesNotMatch: {text}"));
    let ec2 = "401 AuthFailure: AWS was not able to validate the provided access credentials";
    iam().refused(Dialect::Ec2, mismatch, ec2);
    let late = |request: &mut Request| request.rules.now += 901;
    iam().refused(Dialect::Ec2, late, "400 RequestExpired: Request has expired.");
    let answer = |error: Error, dialect| {
        let answer = error.answer(dialect);
        format!("{} {}: {}", answer.status, answer.code, answer.message)
    };
    let unknown = || Error::UnknownAccessKey { access_key_id: "AKIA".to_owned() };
    let invalid = "The security token included in the request is invalid.";
    assert_eq!(answer(unknown(), Dialect::Query), format!("403 InvalidClientTokenId: {invalid}"));
    assert_eq!(
        answer(unknown(), Dialect::Json),
        format!("400 UnrecognizedClientException: {invalid}")
    );
    assert_eq!(
        answer(unknown(), Dialect::S3),
        "403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."
    );
    let expired = || Error::ExpiredToken { token: "t".to_owned() };
    assert_eq!(
        answer(expired(), Dialect::Query),
        "403 ExpiredToken: The security token included in the request is expired"
    );
    assert_eq!(answer(expired(), Dialect::S3), "400 ExpiredToken: The provided token has expired.");
}

#[test]
fn the_whole_text_of_a_mismatch() {
    let mut request = iam();
    request.body.clear();
    let answer = request.verify(SECRET).unwrap_err().answer(Dialect::Query);
    let (_, detail) = answer.message.split_once("\n\n").unwrap();
    assert_eq!(
        detail,
        "The Canonical String for this request should have been\n'POST\n/\n\n\
         host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\n\
         The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n\
         20150830/us-east-1/iam/aws4_request\n\
         83905c3aadfa8ccf90824d8a40a9941de916ed39a917face0bef50c2568c772e'\n"
    );
    let answer = request.verify(SECRET).unwrap_err().answer(Dialect::S3);
    let names: Vec<_> = answer.fields.iter().map(|field| field.0).collect();
    assert_eq!(
        names,
        [
            "AWSAccessKeyId",
            "StringToSign",
            "SignatureProvided",
            "StringToSignBytes",
            "CanonicalRequest",
            "CanonicalRequestBytes"
        ]
    );
    assert!(answer.fields[3].1.starts_with("41 57 53 34 2d 48"), "{}", answer.fields[3].1);
    let log = format!("{:?}", request.verify(SECRET).unwrap_err());
    assert!(!log.contains("x-amz-date"), "{log}");
}

#[test]
fn bodies() {
    let hash = "4b30e6a4b4a43fcb8c4a2d90a3bdbc0bd1d9f0e0b9a3c2e4f3c6a2f1d0e9c8b7";
    let refused = |request: Request, expected: &str| {
        request.refused(Dialect::S3, |_| (), expected);
    };
    refused(
        s3(hash),
        "400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match \
         what was computed.",
    );
    let one_of = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
        STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
        STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
        STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
    refused(s3("something"), &format!("400 InvalidArgument: {one_of}"));
    refused(
        s3("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
        &format!("400 InvalidArgument: {one_of}"),
    );
    assert!(matches!(s3("UNSIGNED-PAYLOAD").verify(SECRET), Ok(BodyProof::Unsigned)));
    let mut strict = s3("UNSIGNED-PAYLOAD");
    strict.rules.unsigned_payload = false;
    refused(strict, &format!("400 InvalidArgument: {one_of}"));
    let mut without = s3("UNSIGNED-PAYLOAD");
    without.headers.retain(|pair| pair.0 != "x-amz-content-sha256");
    refused(
        without,
        "400 InvalidRequest: Missing required header for this request: x-amz-content-sha256",
    );

    let keys = SigningKeys::new(8);
    let unread = s3(hash).verify_with(SECRET, Payload::Unread, &keys).unwrap();
    assert!(matches!(&unread, BodyProof::Sha256(_)));
    let declared = hex::decode_hash(hash.as_bytes()).unwrap();
    assert!(unread.check(declared).is_ok());
    assert!(unread.check([0; 32]).is_err());
    assert!(s3(hash).verify_with(SECRET, Payload::Hash(declared), &keys).is_ok());
    let unread = iam().verify_with(SECRET, Payload::Unread, &keys);
    assert_eq!(unread.unwrap_err(), Error::PayloadHashMissing);

    // Outside S3 the body decides, and a header that contradicts it is refused.
    let rules = Rules::standard(SIGNED_AT);
    let headers = [("X-Amz-Date", "20150830T123600Z"), ("X-Amz-Content-Sha256", hash)];
    let mut request = Request::signed(&headers, SCOPE, rules);
    assert!(matches!(request.verify(SECRET), Err(Error::PayloadHashMismatch { .. })));
    request.headers[2].1 = "UNSIGNED-PAYLOAD".to_owned();
    assert!(matches!(request.verify(SECRET), Err(Error::PayloadHashInvalid { .. })));
}

#[test]
fn presigned_with_s3() {
    let rules = || Rules::s3(SIGNED_AT).endpoint("us-east-1", &["s3"]);
    let request = Request::presigned("&X-Amz-Expires=86400", rules());
    assert!(matches!(request.verify(SECRET), Ok(BodyProof::Unsigned)));
    let check = |query: &str, seconds: i64, expected: &str| {
        let request = Request::presigned(query, rules());
        request.refused(Dialect::S3, |request| request.rules.now += seconds, expected);
    };
    let code = "400 AuthorizationQueryParametersError: ";
    check("&X-Amz-Expires=86400", 86_401, "403 AccessDenied: Request has expired");
    check("&X-Amz-Expires=86400", -901, "403 AccessDenied: Request is not yet valid");
    let too_large = format!(
        "{code}X-Amz-Expires must be less than a week (in seconds); that is, the given \
         X-Amz-Expires must be less than 604800 seconds"
    );
    check("&X-Amz-Expires=604801", 0, &too_large);
    check("&X-Amz-Expires=99999999999999999999", 0, &too_large);
    check("&X-Amz-Expires=-1", 0, &format!("{code}X-Amz-Expires must be non-negative"));
    check("&X-Amz-Expires=1h", 0, &format!("{code}X-Amz-Expires should be a number"));
    check(
        "",
        0,
        &format!(
            "{code}Query-string authentication version 4 requires the X-Amz-Algorithm, \
             X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and \
             X-Amz-Expires parameters."
        ),
    );
    let mut last_second = request.clone();
    last_second.rules.now += 86_400;
    assert!(last_second.verify(SECRET).is_ok());
    request.refused(
        Dialect::S3,
        |r| r.rules = Rules::s3(SIGNED_AT).endpoint("eu-west-1", &["s3"]),
        &format!(
            "{code}Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; \
             expecting 'eu-west-1'"
        ),
    );
    request.refused(
        Dialect::S3,
        |r| r.headers.push(("x-amz-acl".to_owned(), "public-read".to_owned())),
        "403 AccessDenied: There were headers present in the request which were not signed",
    );
}

#[test]
fn a_token_added_after_signing() {
    let elsewhere = Rules::standard(SIGNED_AT);
    for rules in [elsewhere, Rules::s3(SIGNED_AT)] {
        let mut request = Request::presigned("&X-Amz-Expires=60", rules);
        request.query.push_str("&X-Amz-Security-Token=T");
        assert_eq!(request.verify(SECRET).is_ok(), !rules.s3);
        let mut signed = Request::presigned("&X-Amz-Expires=60&X-Amz-Security-Token=T", rules);
        assert!(signed.verify(SECRET).is_ok());
        signed.query = signed.query.replace("Token=T", "Token=U");
        assert!(signed.verify(SECRET).is_err(), "a signed token cannot be changed");
    }
}

#[test]
fn cached_keys() {
    let keys = SigningKeys::new(16);
    let verify = |request: &Request, secret: &[u8]| {
        request.verify_with(secret, Payload::Body(&request.body), &keys)
    };
    assert!(verify(&iam(), b"wrong").is_err());
    assert!(keys.is_empty(), "an unproven key is not kept");
    assert!(verify(&iam(), SECRET).is_ok());
    assert_eq!(keys.len(), 1);
    assert!(verify(&iam(), SECRET).is_ok());
    assert!(verify(&iam(), b"wrong").is_err(), "another secret misses");
    assert!(verify(&iam(), SECRET).is_ok());
    assert_eq!(keys.len(), 1);
    for day in 1..=28 {
        for region in 0..4 {
            let scope = format!("201508{day:02}/region-{region}/iam/aws4_request");
            let date = format!("201508{day:02}T000000Z");
            let now = Timestamp::parse_basic(date.as_bytes()).unwrap().seconds;
            let request = Request::signed(&[("X-Amz-Date", &date)], &scope, Rules::standard(now));
            assert!(verify(&request, SECRET).is_ok());
        }
    }
    assert!(keys.len() <= 16, "{}", keys.len());
}

#[test]
fn other_proofs() {
    let parse_header = |value: &str| {
        let headers: [(&str, &[u8]); 2] = [("host", b"h"), ("authorization", value.as_bytes())];
        let parts = RequestParts {
            method: "GET",
            path: b"/",
            query: b"",
            headers: &headers,
            authority: None,
        };
        match parse(&parts) {
            Ok(proof) => format!("{proof:?}"),
            Err(error) => error.answer(Dialect::S3).message,
        }
    };
    assert_eq!(parse_header("Bearer abc"), "Bearer(..)");
    assert_eq!(parse_header("Basic abc"), "Unsupported Authorization Type");
    assert_eq!(
        parse_header("AWS AKID:signature"),
        "The authorization mechanism you have provided is not supported. Please use \
         AWS4-HMAC-SHA256."
    );
    let anonymous =
        RequestParts { method: "GET", path: b"/", query: b"a=b", headers: &[], authority: None };
    assert!(matches!(parse(&anonymous), Ok(Proof::Anonymous)));
}
