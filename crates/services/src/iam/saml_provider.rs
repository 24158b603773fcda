//! SAML identity providers: whose responses roles may trust, as their metadata says.
//!
//! Source: IAM API reference, CreateSAMLProvider and its like; IAM User Guide, "Create a SAML
//! identity provider in IAM".

use super::saml_metadata::{self, Metadata};
use super::{list, provider_arn, quota, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use aws_lc_rs::rsa::KeyPair;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{
    CreateSAMLProviderRequest, CreateSAMLProviderResponse, DeleteSAMLProviderRequest,
    ENTITY_ALREADY_EXISTS, GetSAMLProviderRequest, GetSAMLProviderResponse, INVALID_INPUT,
    ListSAMLProviderTagsRequest, ListSAMLProviderTagsResponse, ListSAMLProvidersRequest,
    ListSAMLProvidersResponse, NO_SUCH_ENTITY, SAMLPrivateKey, SAMLProviderListEntry, Tag,
    TagSAMLProviderRequest, UntagSAMLProviderRequest, UpdateSAMLProviderRequest,
    UpdateSAMLProviderResponse, assertion_encryption_mode_type,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// A provider as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub arn: String,
    pub name: String,
    /// What AWS calls the provider's UUID: a unique id.
    pub id: String,
    /// As it was given.
    pub metadata: String,
    pub created_millis: i64,
    pub valid_until_millis: i64,
    /// `Required` or `Allowed`; none when the provider never had a key.
    pub encryption: Option<String>,
    pub private_keys: Vec<PrivateKey>,
    pub tags: Vec<(String, String)>,
}

/// A key that assertions may be encrypted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateKey {
    pub id: String,
    pub added_millis: i64,
    /// The key in DER, sealed for [`PURPOSE`] and its id, in base64.
    pub sealed: String,
}

/// What private keys are sealed for.
pub const PURPOSE: &str = "saml-private-key";
const PRIVATE_KEYS_MAX: usize = 2;
/// How long metadata holds that does not say so: AWS answers a hundred years.
const VALID_SECONDS: i64 = 100 * 365 * 86_400;

/// Providers, by ARN.
pub static SAML_PROVIDERS: Table<Provider> = Table::of_private(
    "iam/saml-provider",
    Scope::Account,
    |provider| provider.arn.clone(),
    |provider| {
        let name = &provider.name;
        ENTITY_ALREADY_EXISTS.because(format!("SAMLProvider with name {name} already exists."))
    },
    |arn| NO_SUCH_ENTITY.because(format!("Manifest not found for arn {arn}")),
);

/// In ARNs.
const KIND: &str = "saml-provider";

/// The provider of an ARN, or AWS's answer that there is none.
pub fn load(cx: &Context, arn: &str) -> Result<Provider> {
    provider_arn::check(KIND, arn)?;
    cx.find(&SAML_PROVIDERS, arn)
}

fn store(cx: &mut Context, provider: &Provider) -> Result<Nothing> {
    cx.put(&SAML_PROVIDERS, provider)?;
    cx.touch("AWS::IAM::SAMLProvider", provider.arn.clone());
    Ok(Nothing)
}

fn checked(metadata: &str) -> Result<Metadata> {
    saml_metadata::parse(metadata).map_err(|fault| INVALID_INPUT.because(fault))
}

fn valid_until(cx: &Context, metadata: &Metadata) -> i64 {
    metadata.valid_until.unwrap_or_else(|| cx.now().plus_seconds(VALID_SECONDS)).millis()
}

/// Makes the provider of the metadata one whose users roles may trust.
pub fn create_saml_provider(
    cx: &mut Context,
    input: CreateSAMLProviderRequest,
) -> Result<CreateSAMLProviderResponse> {
    let CreateSAMLProviderRequest {
        saml_metadata_document: metadata,
        name,
        tags,
        assertion_encryption_mode: encryption,
        add_private_key,
    } = input;
    let tags = tag::given(tags)?;
    let valid_until_millis = valid_until(cx, &checked(&metadata)?);
    let mut provider = Provider {
        arn: cx.iam_arn("saml-provider", "/", &name),
        name,
        id: cx.unique_id("SAMLP"),
        metadata,
        created_millis: cx.now().whole_seconds().millis(),
        valid_until_millis,
        encryption,
        private_keys: Vec::new(),
        tags: tag::pairs(tags.as_deref()),
    };
    if let Some(pem) = add_private_key {
        add_key(cx, &mut provider, &pem)?;
    }
    check_encryption(&provider)?;
    cx.insert(&SAML_PROVIDERS, &provider)?;
    quota::take(cx, &quota::SAML_PROVIDERS)?;
    store(cx, &provider)?;
    Ok(CreateSAMLProviderResponse { saml_provider_arn: Some(provider.arn), tags })
}

/// Encryption can be asked for only with a key to decrypt with.
fn check_encryption(provider: &Provider) -> Result<()> {
    let required = provider.encryption.as_deref() == Some(assertion_encryption_mode_type::REQUIRED);
    if required && provider.private_keys.is_empty() {
        let text = "AssertionEncryptionMode Required needs a private key to decrypt with.";
        return Err(INVALID_INPUT.because(text));
    }
    Ok(())
}

fn add_key(cx: &Context, provider: &mut Provider, pem: &str) -> Result<()> {
    if provider.private_keys.len() >= PRIVATE_KEYS_MAX {
        return Err(palisade_model::iam::LIMIT_EXCEEDED
            .because("Cannot exceed quota for PrivateKeysPerSAMLProvider: 2"));
    }
    let der = rsa_key(pem).ok_or_else(|| {
        INVALID_INPUT.because("The private key must be an RSA key in PEM, not encrypted.")
    })?;
    let id = cx.unique_id("SAMLK");
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, &id, &der, random).map_err(internal)?;
    let added_millis = cx.now().whole_seconds().millis();
    provider.private_keys.push(PrivateKey { id, added_millis, sealed: STANDARD.encode(sealed) });
    // AWS allows encryption from the first key on, unless it is told to require it.
    let allowed = || assertion_encryption_mode_type::ALLOWED.to_owned();
    provider.encryption.get_or_insert_with(allowed);
    Ok(())
}

/// The DER of an RSA key in PEM, of PKCS #8 or PKCS #1.
fn rsa_key(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let letters: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(letters).ok()?;
    let valid = match label {
        "PRIVATE KEY" => KeyPair::from_pkcs8(&der).is_ok(),
        "RSA PRIVATE KEY" => KeyPair::from_der(&der).is_ok(),
        _ => false,
    };
    valid.then_some(der)
}

/// Shows a provider, without its private keys.
pub fn get_saml_provider(
    cx: &mut Context,
    input: GetSAMLProviderRequest,
) -> Result<GetSAMLProviderResponse> {
    let provider = load(cx, &input.saml_provider_arn)?;
    let key = |key: PrivateKey| SAMLPrivateKey {
        key_id: Some(key.id),
        timestamp: Some(Timestamp::from_millis(key.added_millis)),
    };
    let keys: Vec<_> = provider.private_keys.into_iter().map(key).collect();
    Ok(GetSAMLProviderResponse {
        saml_provider_uuid: Some(provider.id),
        saml_metadata_document: Some(provider.metadata),
        create_date: Some(Timestamp::from_millis(provider.created_millis)),
        valid_until: Some(Timestamp::from_millis(provider.valid_until_millis)),
        tags: Some(tag::sorted(tag::shapes(provider.tags))),
        assertion_encryption_mode: provider.encryption,
        private_key_list: if keys.is_empty() { None } else { Some(keys) },
    })
}

/// Lists all providers. There are no pages: a quota keeps them few.
pub fn list_saml_providers(
    cx: &mut Context,
    _: ListSAMLProvidersRequest,
) -> Result<ListSAMLProvidersResponse> {
    let entry = |provider: Provider| SAMLProviderListEntry {
        arn: Some(provider.arn),
        valid_until: Some(Timestamp::from_millis(provider.valid_until_millis)),
        create_date: Some(Timestamp::from_millis(provider.created_millis)),
    };
    let list = cx.all(&SAML_PROVIDERS, "")?.into_iter().map(entry).collect();
    Ok(ListSAMLProvidersResponse { saml_provider_list: Some(list) })
}

/// Changes a provider's metadata, its mode of encryption and its private keys.
pub fn update_saml_provider(
    cx: &mut Context,
    input: UpdateSAMLProviderRequest,
) -> Result<UpdateSAMLProviderResponse> {
    let UpdateSAMLProviderRequest {
        saml_metadata_document,
        saml_provider_arn,
        assertion_encryption_mode,
        add_private_key,
        remove_private_key,
    } = input;
    let mut provider = load(cx, &saml_provider_arn)?;
    if let Some(metadata) = saml_metadata_document {
        provider.valid_until_millis = valid_until(cx, &checked(&metadata)?);
        provider.metadata = metadata;
    }
    if let Some(id) = remove_private_key {
        let Some(place) = provider.private_keys.iter().position(|key| key.id == id) else {
            return Err(
                NO_SUCH_ENTITY.because(format!("Private key with id {id} cannot be found."))
            );
        };
        provider.private_keys.remove(place);
    }
    if let Some(pem) = add_private_key {
        add_key(cx, &mut provider, &pem)?;
    }
    provider.encryption = assertion_encryption_mode.or(provider.encryption);
    check_encryption(&provider)?;
    store(cx, &provider)?;
    Ok(UpdateSAMLProviderResponse { saml_provider_arn: Some(saml_provider_arn) })
}

/// Deletes a provider. Roles that trust it keep their trust policies, and nobody comes that way.
pub fn delete_saml_provider(cx: &mut Context, input: DeleteSAMLProviderRequest) -> Result<Nothing> {
    let provider = load(cx, &input.saml_provider_arn)?;
    cx.delete(&SAML_PROVIDERS, &provider.arn)?;
    quota::give_back(cx, &quota::SAML_PROVIDERS)?;
    cx.touch("AWS::IAM::SAMLProvider", provider.arn);
    Ok(Nothing)
}

/// Adds tags to a provider; a key that is there gets the new value.
pub fn tag_saml_provider(cx: &mut Context, input: TagSAMLProviderRequest) -> Result<Nothing> {
    change_tags(cx, &input.saml_provider_arn, |tags| tag::merged(tags, input.tags))
}

/// Removes tags from a provider; a key that is not there is no error.
pub fn untag_saml_provider(cx: &mut Context, input: UntagSAMLProviderRequest) -> Result<Nothing> {
    change_tags(cx, &input.saml_provider_arn, |tags| Ok(tag::without(tags, &input.tag_keys)))
}

fn change_tags(
    cx: &mut Context,
    arn: &str,
    change: impl FnOnce(Option<Vec<Tag>>) -> Result<Option<Vec<Tag>>>,
) -> Result<Nothing> {
    let mut provider = load(cx, arn)?;
    let changed = change(tag::shapes(provider.tags))?;
    provider.tags = tag::pairs(changed.as_deref());
    store(cx, &provider)
}

/// Lists a provider's tags, by key.
pub fn list_saml_provider_tags(
    cx: &mut Context,
    input: ListSAMLProviderTagsRequest,
) -> Result<ListSAMLProviderTagsResponse> {
    let ListSAMLProviderTagsRequest { saml_provider_arn, marker, max_items } = input;
    let tags = tag::sorted(tag::shapes(load(cx, &saml_provider_arn)?.tags));
    let page = list::of_items(tags, marker.as_deref(), max_items)?;
    Ok(ListSAMLProviderTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}
