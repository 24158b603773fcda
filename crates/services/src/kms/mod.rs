//! AWS Key Management Service: keys whose material never leaves, the policies, grants and aliases
//! that say who uses them, and the cryptography that they do.
//!
//! A key's own policy must allow, or a grant; identity policies count where the key policy gives
//! the account its say. Material is sealed by the plane, and asymmetric cryptography, like the
//! symmetric, is aws-lc's.
//!
//! Source: AWS KMS API reference, 2014-11-01; AWS KMS Developer Guide.

mod agreement;
mod alias;
pub mod ciphertext;
mod custom_key_store;
mod data_key;
mod dry_run;
mod encrypt;
pub mod forwarded;
mod grant;
mod grant_token;
mod grant_use;
mod import;
mod import_token;
mod key;
mod key_id;
mod key_pair;
mod key_policy;
mod key_state;
pub mod last_usage;
mod list;
mod mac;
mod managed;
mod material;
mod policy_document;
mod quota;
mod recipient;
mod replica;
mod requirements;
mod resources;
mod rotation;
mod secret;
mod signature;
mod signing;
mod spec;
mod tag;

pub use key::customer_keys;

use crate::service::{Input, Operation, Preparing, Requiring, Service, Typed, read, write};
use palisade_model::kms::DescribeKeyRequest;
use palisade_shape::ErrorCode;
use requirements::OnKey;

pub static SERVICE: Service = Service {
    model: &palisade_model::kms::SERVICE,
    operations: OPERATIONS,
    resources: &resources::KmsResources,
    jobs: &[
        &key_state::DELETE_KEY,
        &rotation::ROTATE_KEY,
        &rotation::ROTATE_ON_DEMAND,
        &import::EXPIRE_MATERIAL,
    ],
};

/// Answered for what the model does not constrain itself.
static VALIDATION_EXCEPTION: ErrorCode = ErrorCode::plain("ValidationException", 400);
static NOT_AUTHORIZED_EXCEPTION: ErrorCode = ErrorCode::plain("NotAuthorizedException", 400);
static ACCESS_DENIED_EXCEPTION: ErrorCode = ErrorCode::plain("AccessDeniedException", 400);

/// An alias of an AWS service makes that service's key.
fn makes_a_key(input: &dyn Input) -> bool {
    let input = input.as_any().downcast_ref::<DescribeKeyRequest>();
    input.is_some_and(|input| managed::may_be_wanted(&input.key_id))
}

pub static OPERATIONS: &[Operation] = &[
    // Keys.
    write("CreateKey", &Typed(key::create_key))
        .requiring(&Requiring(requirements::create_key))
        .preparing(&Preparing(key::prepare_key)),
    read("DescribeKey", &Typed(key::describe_key))
        .requiring(&OnKey("DescribeKey"))
        .writing_with(makes_a_key),
    read("ListKeys", &Typed(key::list_keys)),
    write("UpdateKeyDescription", &Typed(key::update_key_description))
        .requiring(&OnKey("UpdateKeyDescription")),
    write("EnableKey", &Typed(key_state::enable_key)).requiring(&OnKey("EnableKey")),
    write("DisableKey", &Typed(key_state::disable_key)).requiring(&OnKey("DisableKey")),
    write("ScheduleKeyDeletion", &Typed(key_state::schedule_key_deletion))
        .requiring(&OnKey("ScheduleKeyDeletion")),
    write("CancelKeyDeletion", &Typed(key_state::cancel_key_deletion))
        .requiring(&OnKey("CancelKeyDeletion")),
    read("GetKeyLastUsage", &Typed(last_usage::get_key_last_usage))
        .requiring(&OnKey("GetKeyLastUsage")),
    // Tags.
    write("TagResource", &Typed(tag::tag_resource)).requiring(&OnKey("TagResource")),
    write("UntagResource", &Typed(tag::untag_resource)).requiring(&OnKey("UntagResource")),
    read("ListResourceTags", &Typed(tag::list_resource_tags)).requiring(&OnKey("ListResourceTags")),
    // Key policies.
    read("GetKeyPolicy", &Typed(key_policy::get_key_policy)).requiring(&OnKey("GetKeyPolicy")),
    write("PutKeyPolicy", &Typed(key_policy::put_key_policy)).requiring(&OnKey("PutKeyPolicy")),
    read("ListKeyPolicies", &Typed(key_policy::list_key_policies))
        .requiring(&OnKey("ListKeyPolicies")),
    // Aliases.
    write("CreateAlias", &Typed(alias::create_alias))
        .requiring(&Requiring(requirements::create_alias)),
    write("UpdateAlias", &Typed(alias::update_alias))
        .requiring(&Requiring(requirements::update_alias)),
    write("DeleteAlias", &Typed(alias::delete_alias))
        .requiring(&Requiring(requirements::delete_alias)),
    read("ListAliases", &Typed(alias::list_aliases))
        .requiring(&Requiring(requirements::list_aliases)),
    // Grants.
    write("CreateGrant", &Typed(grant::create_grant)).requiring(&OnKey("CreateGrant")),
    read("ListGrants", &Typed(grant::list_grants)).requiring(&OnKey("ListGrants")),
    read("ListRetirableGrants", &Typed(grant::list_retirable_grants)),
    write("RetireGrant", &Typed(grant::retire_grant))
        .requiring(&Requiring(requirements::retire_grant)),
    write("RevokeGrant", &Typed(grant::revoke_grant)).requiring(&OnKey("RevokeGrant")),
    // Encryption and data keys.
    read("Encrypt", &Typed(encrypt::encrypt)).requiring(&OnKey("Encrypt")),
    read("Decrypt", &Typed(encrypt::decrypt)).requiring(&Requiring(requirements::decrypt)),
    read("ReEncrypt", &Typed(encrypt::re_encrypt)).requiring(&Requiring(requirements::re_encrypt)),
    read("GenerateDataKey", &Typed(data_key::generate_data_key))
        .requiring(&OnKey("GenerateDataKey")),
    read("GenerateDataKeyWithoutPlaintext", &Typed(data_key::generate_data_key_without_plaintext))
        .requiring(&OnKey("GenerateDataKeyWithoutPlaintext")),
    read("GenerateDataKeyPair", &Typed(key_pair::generate_data_key_pair))
        .requiring(&OnKey("GenerateDataKeyPair"))
        .preparing(&Preparing(key_pair::prepare_pair)),
    read(
        "GenerateDataKeyPairWithoutPlaintext",
        &Typed(key_pair::generate_data_key_pair_without_plaintext),
    )
    .requiring(&OnKey("GenerateDataKeyPairWithoutPlaintext"))
    .preparing(&Preparing(key_pair::prepare_pair_without_plaintext)),
    read("GenerateRandom", &Typed(data_key::generate_random)),
    // Signatures, codes and agreements.
    read("Sign", &Typed(signing::sign)).requiring(&OnKey("Sign")),
    read("Verify", &Typed(signing::verify)).requiring(&OnKey("Verify")),
    read("GetPublicKey", &Typed(signing::get_public_key)).requiring(&OnKey("GetPublicKey")),
    read("GenerateMac", &Typed(mac::generate_mac)).requiring(&OnKey("GenerateMac")),
    read("VerifyMac", &Typed(mac::verify_mac)).requiring(&OnKey("VerifyMac")),
    read("DeriveSharedSecret", &Typed(agreement::derive_shared_secret))
        .requiring(&OnKey("DeriveSharedSecret")),
    // Rotation.
    write("EnableKeyRotation", &Typed(rotation::enable_key_rotation))
        .requiring(&OnKey("EnableKeyRotation")),
    write("DisableKeyRotation", &Typed(rotation::disable_key_rotation))
        .requiring(&OnKey("DisableKeyRotation")),
    read("GetKeyRotationStatus", &Typed(rotation::get_key_rotation_status))
        .requiring(&OnKey("GetKeyRotationStatus")),
    write("RotateKeyOnDemand", &Typed(rotation::rotate_key_on_demand))
        .requiring(&OnKey("RotateKeyOnDemand")),
    read("ListKeyRotations", &Typed(rotation::list_key_rotations))
        .requiring(&OnKey("ListKeyRotations")),
    // Imported material.
    read("GetParametersForImport", &Typed(import::get_parameters_for_import))
        .requiring(&OnKey("GetParametersForImport"))
        .preparing(&Preparing(import::prepare_parameters)),
    write("ImportKeyMaterial", &Typed(import::import_key_material))
        .requiring(&OnKey("ImportKeyMaterial")),
    write("DeleteImportedKeyMaterial", &Typed(import::delete_imported_key_material))
        .requiring(&OnKey("DeleteImportedKeyMaterial")),
    // Multi-Region keys.
    write("ReplicateKey", &Typed(replica::replicate_key))
        .requiring(&Requiring(requirements::replicate_key)),
    write("UpdatePrimaryRegion", &Typed(replica::update_primary_region))
        .requiring(&Requiring(requirements::update_primary_region)),
    // Custom key stores.
    write("CreateCustomKeyStore", &Typed(custom_key_store::create_custom_key_store)),
    read("DescribeCustomKeyStores", &Typed(custom_key_store::describe_custom_key_stores)),
    write("ConnectCustomKeyStore", &Typed(custom_key_store::connect_custom_key_store)),
    write("DisconnectCustomKeyStore", &Typed(custom_key_store::disconnect_custom_key_store)),
    write("UpdateCustomKeyStore", &Typed(custom_key_store::update_custom_key_store)),
    write("DeleteCustomKeyStore", &Typed(custom_key_store::delete_custom_key_store)),
];
