//! Imported key material: wrapped by its owner for a key of this plane, unwrapped here, and gone
//! when it expires.
//!
//! Source: AWS KMS API reference, GetParametersForImport, ImportKeyMaterial,
//! DeleteImportedKeyMaterial; Developer Guide, "Importing key material".

use super::import_token::{self, Wrapping};
use super::key::{self, EXTERNAL, KEYS, Key};
use super::material::{self, Material, MaterialState};
use super::secret::{self, SYMMETRIC_BYTES, Secret};
use super::spec::Family;
use super::{VALIDATION_EXCEPTION, key_id, replica};
use crate::context::Context;
use crate::job::{JobKind, Next};
use palisade_model::kms::{
    DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse,
    GetParametersForImportRequest, GetParametersForImportResponse,
    INCORRECT_KEY_MATERIAL_EXCEPTION, INVALID_CIPHERTEXT_EXCEPTION, ImportKeyMaterialRequest,
    ImportKeyMaterialResponse, KMS_INVALID_STATE_EXCEPTION, UNSUPPORTED_OPERATION_EXCEPTION,
};
use palisade_shape::{Blob, Result, Timestamp};

const EXPIRES: &str = "KEY_MATERIAL_EXPIRES";
const DOES_NOT_EXPIRE: &str = "KEY_MATERIAL_DOES_NOT_EXPIRE";

/// Deletes imported material whose time is over.
pub static EXPIRE_MATERIAL: JobKind =
    JobKind { name: "kms/expire-material", principal: "kms.amazonaws.com", run: expire };

/// The expiration model of material that ends then, or never.
pub fn model_of(valid_to_millis: Option<i64>) -> &'static str {
    if valid_to_millis.is_some() { EXPIRES } else { DOES_NOT_EXPIRE }
}

fn load(cx: &mut Context, key_id: &str) -> Result<Key> {
    let key = key_id::load_by_id(cx, key_id)?;
    if key.origin != EXTERNAL {
        let text = format!(
            "{} origin is {} which is not valid for this operation.",
            key.arn(),
            key.origin
        );
        return Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
    }
    Ok(key)
}

/// Makes the key pair of [`get_parameters_for_import`] ahead.
pub fn prepare_parameters(cx: &mut Context, input: &GetParametersForImportRequest) -> Result<()> {
    let key = load(cx, &input.key_id)?;
    let wrapping = Wrapping::of(&key, &input.wrapping_algorithm, &input.wrapping_key_spec)?;
    secret::prepared(cx, wrapping.family()).map(drop)
}

/// Answers a public key to wrap material with, and the token that goes with it.
pub fn get_parameters_for_import(
    cx: &mut Context,
    input: GetParametersForImportRequest,
) -> Result<GetParametersForImportResponse> {
    let GetParametersForImportRequest { key_id, wrapping_algorithm, wrapping_key_spec } = input;
    let key = load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    let wrapping = Wrapping::of(&key, &wrapping_algorithm, &wrapping_key_spec)?;
    let made = import_token::make(cx, &key, &wrapping)?;
    key::touch(cx, &key);
    Ok(GetParametersForImportResponse {
        key_id: Some(key.arn()),
        import_token: Some(Blob(made.token)),
        public_key: Some(Blob(made.public)),
        parameters_valid_to: Some(made.valid_to),
    })
}

/// When the material ends; none if it does not.
fn end_of(cx: &Context, model: Option<String>, valid_to: Option<Timestamp>) -> Result<Option<i64>> {
    let refused = |text: &'static str| Err(VALIDATION_EXCEPTION.because(text));
    match (model.as_deref().unwrap_or(EXPIRES), valid_to) {
        (DOES_NOT_EXPIRE, None) => Ok(None),
        (DOES_NOT_EXPIRE, Some(_)) => {
            refused("ValidTo must not be set when ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE.")
        }
        (_, None) => refused(
            "A validTo date must be set if the ExpirationModel is \
                              KEY_MATERIAL_EXPIRES",
        ),
        (_, Some(end)) if end <= cx.now() => refused("ValidTo must be in the future."),
        (_, Some(end)) => Ok(Some(end.millis())),
    }
}

/// Refuses what is no secret of the key's kind.
fn check_secret(key: &Key, secret: &Secret) -> Result<()> {
    let refused = || {
        INCORRECT_KEY_MATERIAL_EXCEPTION
            .because("The key material is not valid for the key spec of the KMS key.")
    };
    match key.spec()?.family {
        Family::Symmetric if secret.len() == SYMMETRIC_BYTES => Ok(()),
        Family::Hmac(bytes) if secret.len() == usize::from(bytes) => Ok(()),
        Family::Symmetric | Family::Hmac(_) => Err(refused()),
        family => secret::public_key(family, secret).map(drop).map_err(|_| refused()),
    }
}

/// Imports material into a key: its first, the same again, or new for the next rotation.
pub fn import_key_material(
    cx: &mut Context,
    input: ImportKeyMaterialRequest,
) -> Result<ImportKeyMaterialResponse> {
    let ImportKeyMaterialRequest {
        key_id,
        import_token,
        encrypted_key_material,
        valid_to,
        expiration_model,
        import_type,
        key_material_description,
        key_material_id,
    } = input;
    let mut key = load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    let wrapping = import_token::open(cx, &key, &import_token.0)?;
    let valid_to_millis = end_of(cx, expiration_model, valid_to)?;
    let unwrapped = wrapping.unwrap(&encrypted_key_material.0);
    let unwrapped = unwrapped.ok_or_else(|| INVALID_CIPHERTEXT_EXCEPTION.because(""))?;
    let secret = import_token::as_kept(key.spec()?.family, unwrapped).ok_or_else(|| {
        INCORRECT_KEY_MATERIAL_EXCEPTION
            .because("The key material is not valid for the key spec of the KMS key.")
    })?;
    check_secret(&key, &secret)?;
    let spec = key.spec()?;
    let mut new = material::seal(cx, (&key.account, &key.id), spec, &secret)?;
    new.valid_to_millis = valid_to_millis;
    new.description = key_material_description;
    if key_material_id.is_some_and(|named| named != new.id) {
        return Err(INCORRECT_KEY_MATERIAL_EXCEPTION
            .because("The key material is not that of the given key material ID."));
    }
    let id = new.id.clone();
    let as_new = import_type.as_deref() == Some("NEW_KEY_MATERIAL");
    place(cx, &mut key, new, as_new)?;
    key::put(cx, &key)?;
    if let Some(end) = valid_to_millis {
        cx.later(&EXPIRE_MATERIAL, Timestamp::from_millis(end), &key.row())?;
    }
    key::touch(cx, &key);
    let shown = spec.is_symmetric_encryption().then_some(id);
    Ok(ImportKeyMaterialResponse { key_id: Some(key.arn()), key_material_id: shown })
}

/// Puts imported material where it belongs.
fn place(cx: &mut Context, key: &mut Key, mut new: Material, as_new: bool) -> Result<()> {
    if let Some(known) = key.materials.iter_mut().find(|known| known.id == new.id) {
        if as_new && known.sealed.is_some() {
            return Err(INCORRECT_KEY_MATERIAL_EXCEPTION
                .because("The key material is associated with the KMS key already."));
        }
        known.sealed = new.sealed;
        known.valid_to_millis = new.valid_to_millis;
        known.description = new.description.or_else(|| known.description.take());
        return Ok(());
    }
    if key.materials.is_empty() {
        // The first: a replica's is that of its primary key.
        if !replica::is_primary(cx, key)? {
            return Err(INCORRECT_KEY_MATERIAL_EXCEPTION
                .because("The key material is not that of the primary key."));
        }
        key.materials.push(new);
        return Ok(());
    }
    if !as_new || !key.spec()?.is_symmetric_encryption() {
        return Err(INCORRECT_KEY_MATERIAL_EXCEPTION.because(
            "The key material in the request is not the key material that was associated with the \
             KMS key before.",
        ));
    }
    if key.materials.iter().any(|known| known.state == MaterialState::PendingRotation) {
        let text = format!("{} has key material that waits for rotation already.", key.arn());
        return Err(KMS_INVALID_STATE_EXCEPTION.because(text));
    }
    if key.is_multi_region() {
        let text = format!(
            "{} is a multi-Region key, whose imported key material Palisade does \
                            not rotate.",
            key.arn()
        );
        return Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
    }
    new.state = MaterialState::PendingRotation;
    key.materials.push(new);
    Ok(())
}

/// Deletes imported material; the same can be imported again.
pub fn delete_imported_key_material(
    cx: &mut Context,
    input: DeleteImportedKeyMaterialRequest,
) -> Result<DeleteImportedKeyMaterialResponse> {
    let DeleteImportedKeyMaterialRequest { key_id, key_material_id } = input;
    let mut key = load(cx, &key_id)?;
    let wanted = key_material_id.or_else(|| key.current().map(|current| current.id.clone()));
    if let Some(wanted) = &wanted {
        let found = key.materials.iter_mut().find(|material| material.id == *wanted);
        let Some(material) = found else {
            let text = format!("{} has no key material {wanted}.", key.arn());
            return Err(INCORRECT_KEY_MATERIAL_EXCEPTION.because(text));
        };
        forget(material);
    }
    key::put(cx, &key)?;
    key::touch(cx, &key);
    let shown = key.spec()?.is_symmetric_encryption();
    Ok(DeleteImportedKeyMaterialResponse {
        key_id: Some(key.arn()),
        key_material_id: wanted.filter(|_| shown),
    })
}

fn forget(material: &mut Material) {
    material.sealed = None;
    material.valid_to_millis = None;
}

/// Deletes what of a key has expired, and waits for what has not.
fn expire(cx: &mut Context, row: &str) -> Result<Next> {
    let Some(mut key) = cx.get(&KEYS, row)? else { return Ok(Next::Done) };
    let now = cx.now();
    let mut next = None;
    let mut changed = false;
    for material in &mut key.materials {
        match material.valid_to_millis {
            Some(end) if end <= now.millis() => {
                forget(material);
                changed = true;
            }
            Some(end) => next = Some(next.map_or(end, |known: i64| known.min(end))),
            None => {}
        }
    }
    if changed {
        key::put(cx, &key)?;
        key::touch(cx, &key);
    }
    Ok(next.map_or(Next::Done, |end| Next::Again(Timestamp::from_millis(end))))
}
