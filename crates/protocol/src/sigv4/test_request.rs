//! A request signed for a test, to be changed and verified.

use hmac::Mac;

use super::signing_key::hmac;
use super::*;

pub(super) const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z.
pub(super) const SIGNED_AT: i64 = 1_440_938_160;

/// A request to sign and then to change.
#[derive(Clone)]
pub(super) struct Request {
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub authority: Option<String>,
    pub rules: Rules<'static>,
}

/// Signs with the string to sign that the refusal of a wrong signature names, so that the rules
/// are what is tested here; the suites and other signers test the canonical form.
pub(super) fn mac(scope: &str, text: &str) -> String {
    let mut key = [b"AWS4", SECRET].concat();
    for part in scope.split('/').chain([text]) {
        let mut state = hmac(&key);
        state.update(part.as_bytes());
        key = state.finalize().into_bytes().to_vec();
    }
    hex::encode(&key)
}

impl Request {
    pub fn signed(headers: &[(&str, &str)], scope: &str, rules: Rules<'static>) -> Self {
        let mut request = Self {
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![("Host".to_owned(), "iam.amazonaws.com".to_owned())],
            body: b"Action=GetUser".to_vec(),
            authority: None,
            rules,
        };
        let own = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        request.headers.extend(headers.iter().map(own));
        let mut names: Vec<_> =
            request.headers.iter().map(|pair| pair.0.to_ascii_lowercase()).collect();
        names.sort();
        let (scope, names) = (scope.to_owned(), names.join(";"));
        let authorization = |signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, \
                 Signature={signature}"
            )
        };
        request.headers.push(("Authorization".to_owned(), authorization("0")));
        if let Err(Error::SignatureMismatch(mismatch)) = request.verify(SECRET) {
            let signature = mac(&scope, &mismatch.string_to_sign);
            request.headers.pop();
            request.headers.push(("Authorization".to_owned(), authorization(&signature)));
        }
        request
    }

    pub fn presigned(query: &str, rules: Rules<'static>) -> Self {
        let scope = "20150830/us-east-1/s3/aws4_request";
        let credential = scope.replace('/', "%2F");
        let mut request = Self {
            path: "/bucket/key".to_owned(),
            query: format!(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F{credential}\
                 &X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host{query}"
            ),
            headers: vec![("Host".to_owned(), "s3.amazonaws.com".to_owned())],
            body: Vec::new(),
            authority: None,
            rules,
        };
        request.query.push_str("&X-Amz-Signature=0");
        if let Err(Error::SignatureMismatch(mismatch)) = request.verify(SECRET) {
            request.query.pop();
            request.query.push_str(&mac(scope, &mismatch.string_to_sign));
        }
        request
    }

    pub fn verify(&self, secret: &[u8]) -> Result<BodyProof, Error> {
        self.verify_with(secret, Payload::Body(&self.body), &SigningKeys::new(8))
    }

    pub fn verify_with(
        &self,
        secret: &[u8],
        payload: Payload,
        keys: &SigningKeys,
    ) -> Result<BodyProof, Error> {
        let headers: Vec<_> =
            self.headers.iter().map(|pair| (pair.0.as_str(), pair.1.as_bytes())).collect();
        let parts = RequestParts {
            method: "POST",
            path: self.path.as_bytes(),
            query: self.query.as_bytes(),
            headers: &headers,
            authority: self.authority.as_deref().map(str::as_bytes),
        };
        let Proof::Signature(parsed) = parse(&parts)? else {
            return Err(Error::MissingAuthenticationToken);
        };
        verify(&parsed, &parts, secret, payload, &self.rules, keys).map(|proven| proven.body)
    }

    /// Checks that the request, changed, is refused with these words.
    #[track_caller]
    pub fn refused(&self, dialect: Dialect, change: impl Fn(&mut Self), expected: &str) {
        let mut request = self.clone();
        change(&mut request);
        let answer = request.verify(SECRET).expect_err(expected).answer(dialect);
        let line = answer.message.lines().next().unwrap();
        assert_eq!(format!("{} {}: {line}", answer.status, answer.code), expected);
    }

    pub fn header(&mut self, name: &str) -> &mut String {
        let mut fields = self.headers.iter_mut();
        &mut fields.find(|pair| pair.0.eq_ignore_ascii_case(name)).unwrap().1
    }

    pub fn replace(&mut self, from: &str, to: &str) {
        let header = self.header("authorization");
        assert!(header.contains(from), "{header}");
        *header = header.replace(from, to);
    }
}
