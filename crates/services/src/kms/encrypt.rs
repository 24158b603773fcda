//! Encrypting and decrypting small data, with symmetric keys and RSA.
//!
//! Source: AWS KMS API reference, Encrypt, Decrypt, ReEncrypt; Developer Guide, "Encryption
//! context".

use super::ciphertext::{self, Binding, Blob as Ciphertext, EncryptionContext};
use super::key::{self, KEYS, Key};
use super::material::{self, Material};
use super::secret::{self, Secret, failed};
use super::spec::{ENCRYPT_DECRYPT, SYMMETRIC_DEFAULT};
use super::{VALIDATION_EXCEPTION, dry_run, grant_token, key_id, last_usage, recipient};
use crate::context::Context;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use palisade_model::kms::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, INCORRECT_KEY_EXCEPTION,
    INVALID_CIPHERTEXT_EXCEPTION, INVALID_KEY_USAGE_EXCEPTION, KEY_UNAVAILABLE_EXCEPTION,
    ReEncryptRequest, ReEncryptResponse,
};
use palisade_shape::{Blob, Error, Result};
use zeroize::Zeroizing;

fn oaep(algorithm: &str) -> &'static OaepAlgorithm {
    if algorithm == "RSAES_OAEP_SHA_1" { &OAEP_SHA1_MGF1SHA1 } else { &OAEP_SHA256_MGF1SHA256 }
}

/// Refuses a key that cannot encrypt with that algorithm now.
fn check(cx: &Context, key: &Key, algorithm: &str, operation: &str) -> Result<()> {
    key.refuse_unusable(cx.now())?;
    key.refuse_other_usage(ENCRYPT_DECRYPT, operation)?;
    key.refuse_other_algorithm(algorithm)
}

/// The material that encrypts now.
pub fn current<'k>(cx: &Context, key: &'k Key) -> Result<&'k Material> {
    let current = key.current().filter(|material| material.is_there(cx.now()));
    current.ok_or_else(|| {
        KEY_UNAVAILABLE_EXCEPTION.because(format!("{} has no key material.", key.arn()))
    })
}

/// Encrypts with a symmetric key.
pub fn seal(cx: &Context, key: &Key, plain: &[u8], context: &EncryptionContext) -> Result<Vec<u8>> {
    let material = current(cx, key)?;
    let binding = Binding {
        account: &key.account,
        region: &key.region,
        key_id: &key.id,
        material_id: material.id_bytes()?,
        context,
    };
    let mut salt = [0; 32];
    cx.plane.random.fill(&mut salt);
    ciphertext::seal(&binding, &material::unseal(cx, key, material)?, &salt, plain)
}

/// Encrypts with the public half of an RSA key.
fn seal_rsa(key: &Key, algorithm: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let public = PublicEncryptingKey::from_der(&key::public_key(key)?).map_err(failed)?;
    let public = OaepPublicEncryptingKey::new(public).map_err(failed)?;
    let most = public.max_plaintext_size(oaep(algorithm));
    if plain.len() > most {
        return Err(VALIDATION_EXCEPTION.because(format!(
            "Algorithm {algorithm} and key spec {} cannot encrypt data larger than {most} bytes.",
            key.spec
        )));
    }
    let mut out = vec![0; public.ciphertext_size()];
    let length = public.encrypt(oaep(algorithm), plain, &mut out, None).map_err(failed)?.len();
    out.truncate(length);
    Ok(out)
}

fn refuse_context(algorithm: &str, context: Option<&EncryptionContext>) -> Result<()> {
    if algorithm == SYMMETRIC_DEFAULT || context.is_none_or(EncryptionContext::is_empty) {
        return Ok(());
    }
    Err(VALIDATION_EXCEPTION.because(format!(
        "EncryptionContext is not supported when EncryptionAlgorithm is {algorithm}."
    )))
}

fn encrypted(
    cx: &Context,
    key: &Key,
    algorithm: &str,
    plain: &[u8],
    context: &EncryptionContext,
) -> Result<Vec<u8>> {
    match algorithm {
        SYMMETRIC_DEFAULT => seal(cx, key, plain, context),
        _ => seal_rsa(key, algorithm, plain),
    }
}

fn or_default(algorithm: Option<String>) -> String {
    algorithm.unwrap_or_else(|| SYMMETRIC_DEFAULT.to_owned())
}

/// Encrypts up to 4,096 bytes.
pub fn encrypt(cx: &mut Context, input: EncryptRequest) -> Result<EncryptResponse> {
    let EncryptRequest {
        key_id,
        plaintext,
        encryption_context,
        grant_tokens,
        encryption_algorithm,
        dry_run,
    } = input;
    let plain = Zeroizing::new(plaintext.0);
    grant_token::check(cx, grant_tokens.as_deref())?;
    let algorithm = or_default(encryption_algorithm);
    refuse_context(&algorithm, encryption_context.as_ref())?;
    let key = key_id::load(cx, &key_id)?;
    check(cx, &key, &algorithm, "Encrypt")?;
    dry_run::stop(dry_run)?;
    let context = encryption_context.unwrap_or_default();
    let sealed = encrypted(cx, &key, &algorithm, &plain, &context)?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(EncryptResponse {
        ciphertext_blob: Some(Blob(sealed)),
        key_id: Some(key.arn()),
        encryption_algorithm: Some(algorithm),
    })
}

pub fn invalid() -> Error {
    INVALID_CIPHERTEXT_EXCEPTION.because("")
}

/// What AWS says of a ciphertext under a key that is not there, whether it ever was or not.
fn unreachable() -> Error {
    super::ACCESS_DENIED_EXCEPTION.because(
        "The ciphertext refers to a customer master key that does not exist, does not exist in \
         this region, or you are not allowed to access.",
    )
}

/// The key that a symmetric ciphertext names, in the call's region.
pub fn key_of(cx: &mut Context, ciphertext: &Ciphertext<'_>) -> Result<Key> {
    let Ciphertext { account, region, key_id, .. } = ciphertext;
    // All keys of a multi-Region family open what any of them sealed.
    if *region != cx.region() && !key_id.starts_with("mrk-") {
        return Err(unreachable());
    }
    let row = key::row(cx.region(), key_id);
    cx.in_account(account, |cx| cx.get(&KEYS, &row))?.ok_or_else(unreachable)
}

/// The key that a call is to decrypt with: the one that it names, else the ciphertext's.
pub fn decrypting_key(
    cx: &mut Context,
    named: Option<&str>,
    algorithm: &str,
    blob: Option<&Blob>,
) -> Result<Key> {
    if let Some(named) = named {
        return key_id::load(cx, named);
    }
    if algorithm != SYMMETRIC_DEFAULT {
        return Err(VALIDATION_EXCEPTION
            .because("KeyId is required when EncryptionAlgorithm is not SYMMETRIC_DEFAULT."));
    }
    let blob = blob.ok_or_else(|| {
        VALIDATION_EXCEPTION.because("KeyId is required when there is no CiphertextBlob.")
    })?;
    key_of(cx, &Ciphertext::parse(&blob.0).ok_or_else(invalid)?)
}

/// What was decrypted, and the material that it was encrypted under.
pub struct Opened {
    pub plain: Secret,
    pub material_id: Option<String>,
}

/// Decrypts with a key that may be used.
pub fn open(cx: &Context, key: &Key, blob: &[u8], context: &EncryptionContext) -> Result<Opened> {
    let ciphertext = Ciphertext::parse(blob).ok_or_else(invalid)?;
    let region_fits = ciphertext.region == key.region || key.is_multi_region();
    if ciphertext.key_id != key.id || ciphertext.account != key.account || !region_fits {
        return Err(INCORRECT_KEY_EXCEPTION.because(
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    let id = data_encoding::HEXLOWER.encode(&ciphertext.material_id);
    let material = key.material(&id).ok_or_else(invalid)?;
    if !material.is_there(cx.now()) {
        let text = format!("The key material {id} of {} is not available.", key.arn());
        return Err(KEY_UNAVAILABLE_EXCEPTION.because(text));
    }
    let secret = material::unseal(cx, key, material)?;
    let plain = ciphertext::open(&ciphertext, &secret, context).ok_or_else(invalid)?;
    Ok(Opened { plain, material_id: Some(id) })
}

fn open_rsa(cx: &Context, key: &Key, algorithm: &str, blob: &[u8]) -> Result<Opened> {
    let secret = material::unseal(cx, key, current(cx, key)?)?;
    let private = PrivateDecryptingKey::from_pkcs8(&secret).map_err(failed)?;
    let private = OaepPrivateDecryptingKey::new(private).map_err(failed)?;
    let mut plain = Zeroizing::new(vec![0; private.min_output_size()]);
    let length =
        private.decrypt(oaep(algorithm), blob, &mut plain, None).map_err(|_| invalid())?.len();
    plain.truncate(length);
    Ok(Opened { plain, material_id: None })
}

fn opened(
    cx: &Context,
    key: &Key,
    algorithm: &str,
    blob: &[u8],
    context: &EncryptionContext,
) -> Result<Opened> {
    match algorithm {
        SYMMETRIC_DEFAULT => open(cx, key, blob, context),
        _ => open_rsa(cx, key, algorithm, blob),
    }
}

/// The ciphertext of a call; only a dry run that says so does without.
fn given(blob: Option<Blob>, dry: Option<bool>, modifiers: Option<&[String]>) -> Result<Blob> {
    let ignored = modifiers.unwrap_or_default().iter().any(|one| one == "IGNORE_CIPHERTEXT");
    if ignored && dry != Some(true) {
        return Err(VALIDATION_EXCEPTION.because("DryRunModifiers needs DryRun."));
    }
    match blob {
        Some(blob) if !ignored => Ok(blob),
        Some(_) => Err(VALIDATION_EXCEPTION
            .because("CiphertextBlob must be absent with the modifier IGNORE_CIPHERTEXT.")),
        None if ignored => Ok(Blob::default()),
        None => Err(VALIDATION_EXCEPTION.because(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy \
             constraint: Member must not be null",
        )),
    }
}

/// Decrypts what [`encrypt`] and the data key operations encrypted.
pub fn decrypt(cx: &mut Context, input: DecryptRequest) -> Result<DecryptResponse> {
    let DecryptRequest {
        ciphertext_blob,
        encryption_context,
        grant_tokens,
        key_id,
        encryption_algorithm,
        recipient,
        dry_run,
        dry_run_modifiers,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    recipient::refuse(recipient.as_ref())?;
    let algorithm = or_default(encryption_algorithm);
    refuse_context(&algorithm, encryption_context.as_ref())?;
    let blob = given(ciphertext_blob, dry_run, dry_run_modifiers.as_deref())?;
    let key = decrypting_key(cx, key_id.as_deref(), &algorithm, Some(&blob))?;
    check(cx, &key, &algorithm, "Decrypt")?;
    if blob.0.is_empty() {
        dry_run::stop(dry_run)?;
    }
    let context = encryption_context.unwrap_or_default();
    let Opened { plain, material_id } = opened(cx, &key, &algorithm, &blob.0, &context)?;
    dry_run::stop(dry_run)?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(DecryptResponse {
        key_id: Some(key.arn()),
        plaintext: Some(Blob(plain.to_vec())),
        encryption_algorithm: Some(algorithm),
        ciphertext_for_recipient: None,
        key_material_id: material_id,
    })
}

/// Decrypts with one key and encrypts with another; the plaintext does not leave.
pub fn re_encrypt(cx: &mut Context, input: ReEncryptRequest) -> Result<ReEncryptResponse> {
    let ReEncryptRequest {
        ciphertext_blob,
        source_encryption_context,
        source_key_id,
        destination_key_id,
        destination_encryption_context,
        source_encryption_algorithm,
        destination_encryption_algorithm,
        grant_tokens,
        dry_run,
        dry_run_modifiers,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let from = or_default(source_encryption_algorithm);
    let to = or_default(destination_encryption_algorithm);
    refuse_context(&from, source_encryption_context.as_ref())?;
    refuse_context(&to, destination_encryption_context.as_ref())?;
    let blob = given(ciphertext_blob, dry_run, dry_run_modifiers.as_deref())?;
    let source = decrypting_key(cx, source_key_id.as_deref(), &from, Some(&blob))?;
    let destination = key_id::load(cx, &destination_key_id)?;
    check(cx, &source, &from, "ReEncryptFrom")?;
    check(cx, &destination, &to, "ReEncryptTo")?;
    if blob.0.is_empty() {
        dry_run::stop(dry_run)?;
    }
    let context = source_encryption_context.unwrap_or_default();
    let Opened { plain, material_id } = opened(cx, &source, &from, &blob.0, &context)?;
    let context = destination_encryption_context.unwrap_or_default();
    let sealed = encrypted(cx, &destination, &to, &plain, &context)?;
    dry_run::stop(dry_run)?;
    for key in [&source, &destination] {
        last_usage::note(cx, key);
        key::touch(cx, key);
    }
    Ok(ReEncryptResponse {
        ciphertext_blob: Some(Blob(sealed)),
        source_key_id: Some(source.arn()),
        key_id: Some(destination.arn()),
        source_encryption_algorithm: Some(from),
        destination_encryption_algorithm: Some(to),
        source_key_material_id: material_id,
        destination_key_material_id: destination.shown_material_id(),
    })
}

/// Refuses keys that make no data keys: only symmetric encryption keys do.
pub fn refuse_asymmetric(cx: &Context, key: &Key, operation: &str) -> Result<()> {
    key.refuse_unusable(cx.now())?;
    key.refuse_other_usage(ENCRYPT_DECRYPT, operation)?;
    if key.spec()?.is_symmetric_encryption() {
        return Ok(());
    }
    Err(INVALID_KEY_USAGE_EXCEPTION.because(format!(
        "{} key spec is {} which is not valid for {operation}.",
        key.arn(),
        key.spec
    )))
}

/// Fresh random bytes and the same sealed.
pub fn data_key(
    cx: &Context,
    key: &Key,
    bytes: usize,
    context: &EncryptionContext,
) -> Result<(Secret, Vec<u8>)> {
    let plain = secret::random(cx, bytes);
    let sealed = seal(cx, key, &plain, context)?;
    Ok((plain, sealed))
}
