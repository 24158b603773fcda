//! What each kind of key is for, and with which algorithms.
//!
//! Source: AWS KMS Developer Guide, "Key spec reference".

use super::VALIDATION_EXCEPTION;
use palisade_shape::Result;

pub const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
pub const ENCRYPT_DECRYPT: &str = "ENCRYPT_DECRYPT";
pub const SIGN_VERIFY: &str = "SIGN_VERIFY";
pub const GENERATE_VERIFY_MAC: &str = "GENERATE_VERIFY_MAC";
pub const KEY_AGREEMENT: &str = "KEY_AGREEMENT";

/// How keys of a spec are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Symmetric,
    /// The size in bits.
    Rsa(u16),
    Ec(Curve),
    Ed25519,
    MlDsa(MlDsa),
    /// The key's length in bytes, which is that of the hash.
    Hmac(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

/// The parameter sets of FIPS 204.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// One key spec.
#[derive(Debug)]
pub struct Spec {
    pub name: &'static str,
    pub family: Family,
    /// The algorithms of each usage that keys of the spec may have.
    usages: &'static [(&'static str, &'static [&'static str])],
}

const OAEP: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
const RSASSA: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];
const RSA: &[(&str, &[&str])] = &[(ENCRYPT_DECRYPT, OAEP), (SIGN_VERIFY, RSASSA)];
const ECDH: (&str, &[&str]) = (KEY_AGREEMENT, &["ECDH"]);
const SHAKE: &[(&str, &[&str])] = &[(SIGN_VERIFY, &["ML_DSA_SHAKE_256"])];

static SPECS: [Spec; 16] = [
    of(SYMMETRIC_DEFAULT, Family::Symmetric, &[(ENCRYPT_DECRYPT, &[SYMMETRIC_DEFAULT])]),
    of("RSA_2048", Family::Rsa(2048), RSA),
    of("RSA_3072", Family::Rsa(3072), RSA),
    of("RSA_4096", Family::Rsa(4096), RSA),
    of("ECC_NIST_P256", Family::Ec(Curve::P256), &[(SIGN_VERIFY, &["ECDSA_SHA_256"]), ECDH]),
    of("ECC_NIST_P384", Family::Ec(Curve::P384), &[(SIGN_VERIFY, &["ECDSA_SHA_384"]), ECDH]),
    of("ECC_NIST_P521", Family::Ec(Curve::P521), &[(SIGN_VERIFY, &["ECDSA_SHA_512"]), ECDH]),
    of("ECC_SECG_P256K1", Family::Ec(Curve::Secp256k1), &[(SIGN_VERIFY, &["ECDSA_SHA_256"])]),
    of(
        "ECC_NIST_EDWARDS25519",
        Family::Ed25519,
        &[(SIGN_VERIFY, &["ED25519_PH_SHA_512", "ED25519_SHA_512"])],
    ),
    of("ML_DSA_44", Family::MlDsa(MlDsa::MlDsa44), SHAKE),
    of("ML_DSA_65", Family::MlDsa(MlDsa::MlDsa65), SHAKE),
    of("ML_DSA_87", Family::MlDsa(MlDsa::MlDsa87), SHAKE),
    of("HMAC_224", Family::Hmac(28), &[(GENERATE_VERIFY_MAC, &["HMAC_SHA_224"])]),
    of("HMAC_256", Family::Hmac(32), &[(GENERATE_VERIFY_MAC, &["HMAC_SHA_256"])]),
    of("HMAC_384", Family::Hmac(48), &[(GENERATE_VERIFY_MAC, &["HMAC_SHA_384"])]),
    of("HMAC_512", Family::Hmac(64), &[(GENERATE_VERIFY_MAC, &["HMAC_SHA_512"])]),
];

const fn of(
    name: &'static str,
    family: Family,
    usages: &'static [(&'static str, &'static [&'static str])],
) -> Spec {
    Spec { name, family, usages }
}

impl Spec {
    /// The spec of that name. SM2 has none: only the regions in China have it.
    pub fn named(name: &str) -> Result<&'static Spec> {
        let found = SPECS.iter().find(|spec| spec.name == name);
        found.ok_or_else(|| {
            VALIDATION_EXCEPTION.because(format!("KeySpec {name} is not supported in this Region."))
        })
    }

    pub fn is_symmetric_encryption(&self) -> bool {
        self.family == Family::Symmetric
    }

    /// Whether it has a public key.
    pub fn is_asymmetric(&self) -> bool {
        !matches!(self.family, Family::Symmetric | Family::Hmac(_))
    }

    /// What keys of the spec can do in that usage, or nothing if they cannot have it.
    pub fn algorithms(&self, usage: &str) -> Option<&'static [&'static str]> {
        let found = self.usages.iter().find(|(known, _)| *known == usage);
        found.map(|(_, algorithms)| *algorithms)
    }
}

/// The usage of a new key: only symmetric encryption keys have one by default.
pub fn usage_of_new(spec: &Spec, usage: Option<String>) -> Result<String> {
    let Some(usage) = usage else {
        if spec.is_symmetric_encryption() {
            return Ok(ENCRYPT_DECRYPT.to_owned());
        }
        return Err(VALIDATION_EXCEPTION.because(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption \
             keys.",
        ));
    };
    if spec.algorithms(&usage).is_none() {
        let name = spec.name;
        return Err(VALIDATION_EXCEPTION
            .because(format!("KeyUsage {usage} is not compatible with KeySpec {name}")));
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_fit_specs() {
        let usage = |spec: &str, usage: Option<&str>| {
            let spec = Spec::named(spec).map_err(|error| error.to_string())?;
            usage_of_new(spec, usage.map(str::to_owned)).map_err(|error| error.to_string())
        };
        assert_eq!(usage("SYMMETRIC_DEFAULT", None).as_deref(), Ok(ENCRYPT_DECRYPT));
        assert_eq!(usage("RSA_2048", Some(SIGN_VERIFY)).as_deref(), Ok(SIGN_VERIFY));
        assert_eq!(usage("ECC_NIST_P384", Some(KEY_AGREEMENT)).as_deref(), Ok(KEY_AGREEMENT));
        let refused = usage("HMAC_256", None).unwrap_err();
        assert!(refused.contains("You must specify a KeyUsage value"), "{refused}");
        for (spec, wrong) in [
            ("SYMMETRIC_DEFAULT", SIGN_VERIFY),
            ("ECC_NIST_P256", ENCRYPT_DECRYPT),
            ("ECC_SECG_P256K1", KEY_AGREEMENT),
            ("HMAC_256", SIGN_VERIFY),
        ] {
            let refused = usage(spec, Some(wrong)).unwrap_err();
            let text = format!("KeyUsage {wrong} is not compatible with KeySpec {spec}");
            assert_eq!(refused, format!("ValidationException: {text}"));
        }
        assert!(usage("SM2", Some(SIGN_VERIFY)).unwrap_err().contains("SM2"));
    }
}
