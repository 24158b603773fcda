//! OpenID Connect providers: the issuers whose tokens roles may trust.
//!
//! A provider without thumbprints trusts the certificate authorities of this machine. AWS would
//! fetch the issuer's top certificate and note its thumbprint; a call of the API opens no
//! connection here, so the list stays empty.
//!
//! Source: IAM API reference, CreateOpenIDConnectProvider and its like; IAM User Guide, "Create an
//! OpenID Connect identity provider in IAM".

use super::{list, provider_arn, quota, tag};
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    AddClientIDToOpenIDConnectProviderRequest, CreateOpenIDConnectProviderRequest,
    CreateOpenIDConnectProviderResponse, DeleteOpenIDConnectProviderRequest, ENTITY_ALREADY_EXISTS,
    GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse, INVALID_INPUT,
    ListOpenIDConnectProviderTagsRequest, ListOpenIDConnectProviderTagsResponse,
    ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse, NO_SUCH_ENTITY,
    OpenIDConnectProviderListEntry, RemoveClientIDFromOpenIDConnectProviderRequest, Tag,
    TagOpenIDConnectProviderRequest, UntagOpenIDConnectProviderRequest,
    UpdateOpenIDConnectProviderThumbprintRequest,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// A provider as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub arn: String,
    /// The issuer's address without `https://`, as AWS shows it and names it in ARNs.
    pub url: String,
    /// The audiences that tokens may be for, sorted.
    pub client_ids: Vec<String>,
    /// SHA-1 fingerprints of certificates, in hex.
    pub thumbprints: Vec<String>,
    pub created_millis: i64,
    pub tags: Vec<(String, String)>,
}

/// Providers, by ARN.
pub static OIDC_PROVIDERS: Table<Provider> = Table::of_private(
    "iam/oidc-provider",
    Scope::Account,
    |provider| provider.arn.clone(),
    |provider| {
        let url = &provider.url;
        ENTITY_ALREADY_EXISTS.because(format!("Provider with url https://{url} already exists."))
    },
    |arn| NO_SUCH_ENTITY.because(format!("OpenIDConnect Provider not found for arn {arn}")),
);

const THUMBPRINTS_MAX: usize = 5;
/// In ARNs.
const KIND: &str = "oidc-provider";

/// The provider of an ARN, or AWS's answer that there is none.
pub fn load(cx: &Context, arn: &str) -> Result<Provider> {
    provider_arn::check(KIND, arn)?;
    cx.find(&OIDC_PROVIDERS, arn)
}

fn store(cx: &mut Context, provider: &Provider) -> Result<Nothing> {
    cx.put(&OIDC_PROVIDERS, provider)?;
    cx.touch("AWS::IAM::OIDCProvider", provider.arn.clone());
    Ok(Nothing)
}

/// What follows `https://` in an issuer's address: a host, and perhaps a path.
fn issuer(url: &str) -> Result<&str> {
    let invalid = || VALIDATION_ERROR.because("Invalid Open ID Connect Provider URL");
    let rest = url.strip_prefix("https://").ok_or_else(invalid)?;
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    // A query, a fragment, a user and a port can stand in no issuer (OpenID Connect Discovery 1.0,
    // section 4.1; the User Guide refuses ports).
    let visible =
        path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte));
    if host.split('.').all(label) && visible {
        Ok(rest.trim_end_matches('/'))
    } else {
        Err(invalid())
    }
}

/// Sorted and without doubles.
fn checked_clients(cx: &Context, mut clients: Vec<String>) -> Result<Vec<String>> {
    clients.sort_unstable();
    clients.dedup();
    quota::check(cx, &quota::CLIENTS_PER_OIDC_PROVIDER, clients.len())?;
    Ok(clients)
}

fn checked_thumbprints(thumbprints: Vec<String>) -> Result<Vec<String>> {
    if thumbprints.len() > THUMBPRINTS_MAX {
        let text = "Thumbprint list must contain fewer than 5 entries.";
        return Err(INVALID_INPUT.because(text));
    }
    let is_hex = |text: &String| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match thumbprints.iter().find(|thumbprint| !is_hex(thumbprint)) {
        Some(bad) => Err(INVALID_INPUT.because(format!("Invalid thumbprint: {bad}"))),
        None => Ok(thumbprints.into_iter().map(|text| text.to_ascii_lowercase()).collect()),
    }
}

/// Makes the issuer one whose tokens roles may trust.
pub fn create_open_id_connect_provider(
    cx: &mut Context,
    input: CreateOpenIDConnectProviderRequest,
) -> Result<CreateOpenIDConnectProviderResponse> {
    let CreateOpenIDConnectProviderRequest { url, client_id_list, thumbprint_list, tags } = input;
    let url = issuer(&url)?.to_owned();
    let tags = tag::given(tags)?;
    let provider = Provider {
        arn: cx.iam_arn("oidc-provider", "/", &url),
        url,
        client_ids: checked_clients(cx, client_id_list.unwrap_or_default())?,
        thumbprints: checked_thumbprints(thumbprint_list.unwrap_or_default())?,
        created_millis: cx.now().millis(),
        tags: tag::pairs(tags.as_deref()),
    };
    cx.insert(&OIDC_PROVIDERS, &provider)?;
    quota::take(cx, &quota::OIDC_PROVIDERS)?;
    store(cx, &provider)?;
    let open_id_connect_provider_arn = Some(provider.arn);
    Ok(CreateOpenIDConnectProviderResponse { open_id_connect_provider_arn, tags })
}

/// Shows a provider.
pub fn get_open_id_connect_provider(
    cx: &mut Context,
    input: GetOpenIDConnectProviderRequest,
) -> Result<GetOpenIDConnectProviderResponse> {
    let provider = load(cx, &input.open_id_connect_provider_arn)?;
    Ok(GetOpenIDConnectProviderResponse {
        url: Some(provider.url),
        client_id_list: Some(provider.client_ids),
        thumbprint_list: Some(provider.thumbprints),
        create_date: Some(Timestamp::from_millis(provider.created_millis)),
        tags: Some(tag::sorted(tag::shapes(provider.tags))),
    })
}

/// Lists the ARNs of all providers. There are no pages: a quota keeps them few.
pub fn list_open_id_connect_providers(
    cx: &mut Context,
    _: ListOpenIDConnectProvidersRequest,
) -> Result<ListOpenIDConnectProvidersResponse> {
    let entry = |provider: Provider| OpenIDConnectProviderListEntry { arn: Some(provider.arn) };
    let list = cx.all(&OIDC_PROVIDERS, "")?.into_iter().map(entry).collect();
    Ok(ListOpenIDConnectProvidersResponse { open_id_connect_provider_list: Some(list) })
}

/// Deletes a provider. One that is not there is no error, as in AWS; roles that trust it keep their
/// trust policies.
pub fn delete_open_id_connect_provider(
    cx: &mut Context,
    input: DeleteOpenIDConnectProviderRequest,
) -> Result<Nothing> {
    let arn = input.open_id_connect_provider_arn;
    provider_arn::check(KIND, &arn)?;
    if cx.delete(&OIDC_PROVIDERS, &arn)? {
        quota::give_back(cx, &quota::OIDC_PROVIDERS)?;
    }
    cx.touch("AWS::IAM::OIDCProvider", arn);
    Ok(Nothing)
}

/// Adds an audience. One that is there already is no error.
pub fn add_client_id_to_open_id_connect_provider(
    cx: &mut Context,
    input: AddClientIDToOpenIDConnectProviderRequest,
) -> Result<Nothing> {
    let mut provider = load(cx, &input.open_id_connect_provider_arn)?;
    provider.client_ids.push(input.client_id);
    provider.client_ids = checked_clients(cx, provider.client_ids)?;
    store(cx, &provider)
}

/// Removes an audience. One that is not there is no error.
pub fn remove_client_id_from_open_id_connect_provider(
    cx: &mut Context,
    input: RemoveClientIDFromOpenIDConnectProviderRequest,
) -> Result<Nothing> {
    let mut provider = load(cx, &input.open_id_connect_provider_arn)?;
    provider.client_ids.retain(|known| *known != input.client_id);
    store(cx, &provider)
}

/// Replaces all thumbprints.
pub fn update_open_id_connect_provider_thumbprint(
    cx: &mut Context,
    input: UpdateOpenIDConnectProviderThumbprintRequest,
) -> Result<Nothing> {
    let mut provider = load(cx, &input.open_id_connect_provider_arn)?;
    provider.thumbprints = checked_thumbprints(input.thumbprint_list)?;
    store(cx, &provider)
}

/// Adds tags to a provider; a key that is there gets the new value.
pub fn tag_open_id_connect_provider(
    cx: &mut Context,
    input: TagOpenIDConnectProviderRequest,
) -> Result<Nothing> {
    let arn = input.open_id_connect_provider_arn;
    change_tags(cx, &arn, |tags| tag::merged(tags, input.tags))
}

/// Removes tags from a provider; a key that is not there is no error.
pub fn untag_open_id_connect_provider(
    cx: &mut Context,
    input: UntagOpenIDConnectProviderRequest,
) -> Result<Nothing> {
    let arn = input.open_id_connect_provider_arn;
    change_tags(cx, &arn, |tags| Ok(tag::without(tags, &input.tag_keys)))
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
pub fn list_open_id_connect_provider_tags(
    cx: &mut Context,
    input: ListOpenIDConnectProviderTagsRequest,
) -> Result<ListOpenIDConnectProviderTagsResponse> {
    let ListOpenIDConnectProviderTagsRequest { open_id_connect_provider_arn, marker, max_items } =
        input;
    let tags = tag::sorted(tag::shapes(load(cx, &open_id_connect_provider_arn)?.tags));
    let page = list::of_items(tags, marker.as_deref(), max_items)?;
    Ok(ListOpenIDConnectProviderTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_hosts_with_a_path_at_most() {
        let cases = [
            ("https://token.actions.githubusercontent.com", true),
            ("https://oidc.eks.us-west-2.amazonaws.com/id/ABC123", true),
            ("https://host", true),
            ("https://host/", true),
            ("http://host", false),
            ("host", false),
            ("https://", false),
            ("https:///path", false),
            ("https://host:8443", false),
            ("https://user@host", false),
            ("https://host/a?b=c", false),
            ("https://host/a#b", false),
            ("https://-host", false),
            ("https://a..b", false),
            ("https://hôst", false),
        ];
        for (url, good) in cases {
            assert_eq!(issuer(url).is_ok(), good, "{url}");
        }
    }
}
