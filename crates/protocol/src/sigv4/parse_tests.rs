//! No bytes make parsing, verifying or wording an error panic.

use proptest::prelude::*;

use super::test_request::SECRET;
use super::*;

/// Runs a request through everything; any outcome but a panic will do.
fn run(path: &[u8], query: &[u8], headers: &[(&str, &[u8])], s3: bool) {
    let parts = RequestParts { method: "PUT", path, query, headers, authority: None };
    let outcome = parse(&parts).and_then(|proof| {
        let Proof::Signature(parsed) = proof else { return Ok(()) };
        let now = parsed.timestamp.seconds;
        let rules = if s3 { Rules::s3(now) } else { Rules::standard(now) };
        let keys = SigningKeys::new(1);
        verify(&parsed, &parts, SECRET, Payload::Body(b"x"), &rules, &keys).map(|_| ())
    });
    if let Err(error) = outcome {
        for dialect in [Dialect::Query, Dialect::Ec2, Dialect::Json, Dialect::RestJson, Dialect::S3]
        {
            let answer = error.answer(dialect);
            assert!(!answer.code.is_empty() && (400..500).contains(&answer.status));
        }
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(
        path in bytes(), query in bytes(), authorization in bytes(), date in bytes(), s3: bool,
    ) {
        let headers: [(&str, &[u8]); 4] = [
            ("host", b"h"),
            ("authorization", &authorization),
            ("x-amz-date", &date),
            ("x-amz-content-sha256", &path),
        ];
        run(&path, &query, &headers, s3);
        run(&path, &query, &headers[..1], s3);
    }

    #[test]
    fn nearly_right_headers(
        algorithm in "AWS4-(HMAC-SHA256|ECDSA-P256-SHA256)",
        rest in "( |,|=|/|Credential=|AKID/2015|20150830/|us/|s3/|aws4_request|SignedHeaders=\
                 |host|;|Signature=|0a|é){0,24}",
        credential in "(Credential=AKID/20150830/us/s3/aws4_request,)?(SignedHeaders=host;?,)?",
        value in bytes(),
        s3: bool,
    ) {
        let authorization = format!("{algorithm} {credential}{rest}");
        let headers: [(&str, &[u8]); 5] = [
            ("host", &value),
            ("x-amz-date", b"20150830T123600Z"),
            ("x-amz-region-set", &value),
            ("x-amz-security-token", &value),
            ("authorization", authorization.as_bytes()),
        ];
        run(&value, b"", &headers, s3);
    }

    #[test]
    fn nearly_right_queries(
        query in "(X-Amz-(Algorithm=AWS4-HMAC-SHA256|Algorithm=AWS4-ECDSA-P256-SHA256\
                  |Credential=A%2F20150830%2Fus%2Fs3%2Faws4_request|Date=20150830T123600Z\
                  |Expires=[0-9a-]{0,3}|SignedHeaders=host|Signature=0a%|Region-Set=%2a\
                  |Security-Token=%ff)&){0,8}[%+&=a]{0,5}",
        path in bytes(),
        s3: bool,
    ) {
        run(&path, query.as_bytes(), &[("host", b"h")], s3);
    }

    #[test]
    fn canonical_paths_are_stable(path in "/[a./%2é ]{0,20}") {
        // Normalizing twice changes nothing but the escapes: no dot segment survives.
        let canonical = canonical::Canonical {
            path: canonical::Path::Normalized,
            signed_headers: &[],
            payload_hash: b"",
            skip_security_token: false,
        };
        let parts = RequestParts {
            method: "GET", path: path.as_bytes(), query: b"", headers: &[], authority: None,
        };
        let text = String::from_utf8(canonical.write(&parts)).unwrap();
        let written = text.lines().nth(1).unwrap();
        prop_assert!(written.starts_with('/'));
        prop_assert!(!written.contains("//"));
        prop_assert!(!written.split('/').any(|segment| matches!(segment, "." | "..")));
    }
}
