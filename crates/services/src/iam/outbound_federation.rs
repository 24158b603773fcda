//! Outbound web identity federation: whether an account's principals may have themselves confirmed
//! to others by tokens of an issuer of its own.
//!
//! Source: IAM API reference, EnableOutboundWebIdentityFederation and its like.

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    EnableOutboundWebIdentityFederationResponse, FEATURE_DISABLED, FEATURE_ENABLED,
    GetOutboundWebIdentityFederationInfoResponse,
};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};

/// An account's issuer. It keeps its name while the feature is off, so that what others were told
/// to trust is the same when it is on again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuer {
    url: String,
    enabled: bool,
}

static ISSUERS: Table<Issuer> = Table::of_private(
    "iam/outbound-federation",
    Scope::Account,
    |_| String::new(),
    |_| internal("the account has an issuer already"),
    |_| {
        FEATURE_DISABLED
            .because("Outbound web identity federation is not enabled for this account.")
    },
);

/// The account of an issuer, by the first part of its host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    account: String,
}

static NAMES: Table<Named> = Table::of_private(
    "iam/outbound-issuer",
    Scope::Plane,
    |named| named.id.clone(),
    |_| internal("an issuer's name came twice"),
    |_| internal("no such issuer"),
);

/// What comes after an issuer's id in its host.
pub const DOMAIN: &str = ".tokens.sts.global.api.aws";

/// The account and the address of an issuer that is on.
pub fn published(cx: &mut Context, id: &str) -> Result<Option<(String, String)>> {
    let Some(named) = cx.get(&NAMES, id)? else { return Ok(None) };
    let url = cx.in_account(&named.account, |cx| issuer(cx))?;
    Ok(url.map(|url| (named.account, url)))
}

fn enabled(cx: &Context) -> Result<Issuer> {
    let issuer = cx.get(&ISSUERS, "")?.filter(|issuer| issuer.enabled);
    issuer.ok_or_else(|| (ISSUERS.missing)(""))
}

/// The address of the account's issuer, while the feature is on.
pub fn issuer(cx: &Context) -> Result<Option<String>> {
    let known = cx.get(&ISSUERS, "")?;
    Ok(known.filter(|issuer| issuer.enabled).map(|issuer| issuer.url))
}

/// Switches the feature on and names the account's issuer.
pub fn enable_outbound_web_identity_federation(
    cx: &mut Context,
    _: Nothing,
) -> Result<EnableOutboundWebIdentityFederationResponse> {
    let known = cx.get(&ISSUERS, "")?;
    if known.as_ref().is_some_and(|issuer| issuer.enabled) {
        let text = "Outbound web identity federation is already enabled for this account.";
        return Err(FEATURE_ENABLED.because(text));
    }
    let url = match known {
        Some(issuer) => issuer.url,
        None => {
            let named = Named { id: cx.uuid(), account: cx.account().to_owned() };
            cx.insert(&NAMES, &named)?;
            format!("https://{}{DOMAIN}", named.id)
        }
    };
    cx.put(&ISSUERS, &Issuer { url: url.clone(), enabled: true })?;
    Ok(EnableOutboundWebIdentityFederationResponse { issuer_identifier: Some(url) })
}

/// Switches the feature off.
pub fn disable_outbound_web_identity_federation(cx: &mut Context, _: Nothing) -> Result<Nothing> {
    let issuer = enabled(cx)?;
    cx.put(&ISSUERS, &Issuer { enabled: false, ..issuer })?;
    Ok(Nothing)
}

/// Shows the account's issuer, while the feature is on.
pub fn get_outbound_web_identity_federation_info(
    cx: &mut Context,
    _: Nothing,
) -> Result<GetOutboundWebIdentityFederationInfoResponse> {
    let issuer = enabled(cx)?;
    Ok(GetOutboundWebIdentityFederationInfoResponse {
        issuer_identifier: Some(issuer.url),
        jwt_vending_enabled: Some(true),
    })
}
