//! The signature of a form that a browser uploads: over its policy document, as it was sent.
//!
//! Source: Amazon S3 API Reference, "Authenticating Requests in Browser-Based Uploads Using POST
//! (AWS Signature Version 4)".

use super::error::{Error, Mismatch};
use super::hex;
use super::parse::HMAC;
use super::signing_key::{hmac_key, mac};
use super::timestamp::Timestamp;
use subtle::ConstantTimeEq as _;

/// The proof in the fields of a form. **Nothing of it is proven before [`PostProof::verify`].**
pub struct PostProof<'a> {
    /// The access key id, to look up the secret with.
    pub access_key_id: &'a str,
    /// The region in the credential.
    pub region: &'a str,
    /// When the policy was signed, in Unix seconds.
    pub signed_at: i64,
    date: &'a str,
}

/// Why the fields are no proof: the name of the field, and what is wrong with it.
pub type Malformed = (&'static str, &'static str);

impl<'a> PostProof<'a> {
    /// Reads `x-amz-algorithm`, `x-amz-credential` and `x-amz-date`.
    ///
    /// # Errors
    /// The field that is wrong, with words for it.
    pub fn read(algorithm: &str, credential: &'a str, date: &str) -> Result<Self, Malformed> {
        if algorithm != HMAC {
            let message = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
            return Err(("x-amz-algorithm", message));
        }
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, "s3", "aws4_request"] = parts.as_slice() else {
            let message = "the Credential is mal-formed; expecting \
                           \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
            return Err(("x-amz-credential", message));
        };
        let signed_at = Timestamp::parse_basic(date.as_bytes()).ok_or((
            "x-amz-date",
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ))?;
        if signed_at.basic().get(..8) != Some(*day) {
            let message = "the date in the credential is not the same as X-Amz-Date.";
            return Err(("x-amz-credential", message));
        }
        Ok(Self { access_key_id, region, signed_at: signed_at.seconds, date: day })
    }

    /// Checks the signature (hexadecimal, as sent) of a policy (base64, as sent), in a time that
    /// does not depend on where they differ.
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`].
    pub fn verify(&self, secret: &[u8], policy: &str, signature: &str) -> Result<(), Error> {
        let key = hmac_key(secret, self.date, self.region, "s3");
        let mut expected = Vec::with_capacity(64);
        hex::push(&mut expected, &mac(key, policy.as_bytes()));
        if expected.as_slice().ct_eq(signature.as_bytes()).into() {
            return Ok(());
        }
        Err(Error::SignatureMismatch(Box::new(Mismatch {
            access_key_id: self.access_key_id.to_owned(),
            signature_provided: signature.to_owned(),
            string_to_sign: policy.to_owned(),
            canonical_request: Vec::new(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request";
    const DATE: &str = "20151229T000000Z";
    const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    /// Of the policy `{}`; computed with Python's `hmac`.
    const SIGNATURE: &str = "41b0bda71d74c76f0557dcc39c95a626695e622348e2fbf7b9f2df51152bb3f8";

    #[test]
    fn signatures() {
        let proof = PostProof::read(HMAC, CREDENTIAL, DATE).unwrap();
        assert_eq!((proof.access_key_id, proof.region), ("AKIAIOSFODNN7EXAMPLE", "us-east-1"));
        assert!(proof.verify(SECRET, "e30=", SIGNATURE).is_ok());
        let refusals = [
            proof.verify(b"another", "e30=", SIGNATURE),
            proof.verify(SECRET, "e30", SIGNATURE),
            proof.verify(SECRET, "e30=", &SIGNATURE[1..]),
            proof.verify(SECRET, "e30=", ""),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Err(Error::SignatureMismatch(_))));
        }
    }

    #[test]
    fn malformed_proofs() {
        let check = |algorithm: &str, credential: &str, date: &str, expected: &str| {
            let found = PostProof::read(algorithm, credential, date).map(|proof| proof.signed_at);
            assert_eq!(found.unwrap_err().0, expected, "{algorithm} {credential} {date}");
        };
        check("AWS4-ECDSA-P256-SHA256", CREDENTIAL, DATE, "x-amz-algorithm");
        check(HMAC, "AKIA", DATE, "x-amz-credential");
        check(HMAC, &CREDENTIAL.replace("/s3/", "/iam/"), DATE, "x-amz-credential");
        check(HMAC, CREDENTIAL, "2015-12-29T00:00:00Z", "x-amz-date");
        check(HMAC, CREDENTIAL, "20151230T000000Z", "x-amz-credential");
    }
}
