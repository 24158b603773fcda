//! Measures one verification, from parsing the header to the verdict, in nanoseconds.
//!
//! `cargo run --release -p palisade-protocol --example sigv4_speed`

use std::hint::black_box;
use std::time::Instant;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use palisade_protocol::sigv4::{
    Error, Payload, Proof, RequestParts, Rules, SigningKeys, parse, verify,
};
use sha2::Sha256;

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const RUNS: usize = 1_000;

/// One request to verify over and over.
struct Sample {
    name: &'static str,
    method: &'static str,
    body: &'static [u8],
    headers: Vec<(&'static str, Vec<u8>)>,
    rounds: u32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for sample in [query_request()?, asymmetric_request()] {
        let keys = SigningKeys::new(1024);
        let cached = sample.measure(|| None, &keys)?;
        let derived = sample.measure(|| Some(SigningKeys::new(1)), &keys)?;
        println!("{:<42} key cached {cached:>7} ns, derived {derived:>7} ns", sample.name);
    }
    Ok(())
}

/// A signed `POST /` of a query service with the headers that botocore sends.
fn query_request() -> Result<Sample, Box<dyn std::error::Error>> {
    let mut sample = Sample {
        name: "sts:GetCallerIdentity, AWS4-HMAC-SHA256",
        method: "POST",
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
        headers: vec![
            ("host", b"127.0.0.1:4570".to_vec()),
            ("accept-encoding", b"identity".to_vec()),
            ("content-type", b"application/x-www-form-urlencoded; charset=utf-8".to_vec()),
            ("user-agent", b"Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux lang/python".to_vec()),
            ("x-amz-date", b"20150830T123600Z".to_vec()),
            ("amz-sdk-invocation-id", b"7f5e2f0e-58a5-4a0f-9a3c-0f6c1d3d9f42".to_vec()),
            ("amz-sdk-request", b"attempt=1".to_vec()),
            ("content-length", b"43".to_vec()),
        ],
        rounds: 50,
    };
    let header = |signature: &str| {
        let credential = "AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request";
        format!(
            "AWS4-HMAC-SHA256 Credential={credential}, \
             SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
        )
    };
    sample.headers.push(("authorization", header("0").into_bytes()));
    // The refusal says what to sign.
    let Err(Error::SignatureMismatch(mismatch)) = sample.once(&SigningKeys::new(1)) else {
        return Err("the made-up signature was not refused".into());
    };
    let mut key = [b"AWS4", SECRET].concat();
    for part in ["20150830", "us-east-1", "sts", "aws4_request", &mismatch.string_to_sign] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    let signature: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    sample.headers.pop();
    sample.headers.push(("authorization", header(&signature).into_bytes()));
    Ok(sample)
}

/// `get-vanilla` of AWS's signing suite for 4A.
fn asymmetric_request() -> Sample {
    let authorization = "AWS4-ECDSA-P256-SHA256 \
        Credential=AKIDEXAMPLE/20150830/service/aws4_request, \
        SignedHeaders=host;x-amz-date;x-amz-region-set, \
        Signature=3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc\
        022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e";
    Sample {
        name: "get-vanilla, AWS4-ECDSA-P256-SHA256",
        method: "GET",
        body: b"",
        headers: vec![
            ("host", b"example.amazonaws.com".to_vec()),
            ("x-amz-date", b"20150830T123600Z".to_vec()),
            ("x-amz-region-set", b"us-east-1".to_vec()),
            ("authorization", authorization.as_bytes().to_vec()),
        ],
        rounds: 1,
    }
}

impl Sample {
    /// The tenth percentile of many short runs, which other load on the machine disturbs least.
    fn measure(
        &self,
        fresh: impl Fn() -> Option<SigningKeys>,
        keys: &SigningKeys,
    ) -> Result<u128, Error> {
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            for _ in 0..self.rounds {
                let fresh = fresh();
                black_box(self).once(fresh.as_ref().unwrap_or(keys))?;
            }
            runs.push(start.elapsed().as_nanos() / u128::from(self.rounds));
        }
        runs.sort_unstable();
        Ok(runs.get(RUNS / 10).copied().unwrap_or_default())
    }

    fn once(&self, keys: &SigningKeys) -> Result<(), Error> {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let parts = RequestParts {
            method: self.method,
            path: b"/",
            query: b"",
            headers: &headers,
            authority: None,
        };
        let Proof::Signature(parsed) = parse(&parts)? else {
            return Err(Error::MissingAuthenticationToken);
        };
        let now = parsed.timestamp.seconds;
        let rules = Rules::standard(now).endpoint("us-east-1", &["sts", "service"]);
        verify(&parsed, &parts, SECRET, Payload::Body(self.body), &rules, keys)?;
        Ok(())
    }
}
