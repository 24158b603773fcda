//! Roles for users of OpenID Connect issuers: pods, pipelines of other clouds, apps.
//!
//! Source: STS API reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation", "Pass
//! session tags in AWS STS", "Available keys for AWS OIDC federation".

use super::federation::{self, Asked, Issued};
use super::issuer_keys::{Failure, Found};
use super::jwt::{Claim, KeySet, OneOrMany, Token};
use super::role::RoleArn;
use crate::authorization::Requirement;
use crate::caller::{Caller, Federated, FederationProof, SessionKind};
use crate::context::Context;
use crate::iam::oidc_provider::OIDC_PROVIDERS;
use crate::service::Input;
use palisade_model::sts::{
    AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, EXPIRED_TOKEN_EXCEPTION,
    IDP_COMMUNICATION_ERROR, IDP_REJECTED_CLAIM, INVALID_IDENTITY_TOKEN,
};
use palisade_shape::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Issuers that AWS knows without a provider's record; trust policies name them by their hosts.
const BUILT_IN: [&str; 2] = ["accounts.google.com", "cognito-identity.amazonaws.com"];
/// Providers of access tokens, which only they themselves can check.
const OF_ACCESS_TOKENS: [&str; 2] = ["graph.facebook.com", "www.amazon.com"];
/// How far an issuer's clock may be ahead of ours.
const AHEAD_SECONDS_MAX: i64 = 300;
/// Claims of GitHub's tokens that AWS makes condition keys of.
const GITHUB_CLAIMS: [&str; 10] = [
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
];
const GITHUB: &str = "token.actions.githubusercontent.com";

const TAGS: &str = "https://aws.amazon.com/tags";
const TAG_PREFIX: &str = "https://aws.amazon.com/tags/principal_tags/";
const TRANSITIVE: &str = "https://aws.amazon.com/tags/transitive_tag_keys";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// Issues credentials of a role to whom the token was made for.
pub fn assume_role_with_web_identity(
    cx: &mut Context,
    input: AssumeRoleWithWebIdentityRequest,
) -> Result<AssumeRoleWithWebIdentityResponse> {
    let AssumeRoleWithWebIdentityRequest {
        role_arn,
        role_session_name,
        web_identity_token: _,
        provider_id: _,
        policy_arns,
        policy,
        duration_seconds,
    } = input;
    let federated = federation::federated(cx)?;
    let asked = Asked {
        role: federation::role_arn(&role_arn)?,
        kind: SessionKind::AssumeRoleWithWebIdentity,
        session_name: role_session_name,
        policy,
        policy_arns,
        duration_seconds,
        seconds_max: None,
    };
    let Issued { credentials, assumed_role_user, packed_policy_size } =
        federation::issue(cx, &federated, asked)?;
    Ok(AssumeRoleWithWebIdentityResponse {
        credentials: Some(credentials),
        subject_from_web_identity_token: Some(federated.subject.clone()),
        assumed_role_user: Some(assumed_role_user),
        packed_policy_size,
        provider: Some(federated.provider.clone()),
        audience: Some(federated.audience.clone()),
        source_identity: federated.source_identity.clone(),
    })
}

pub fn assume_role_with_web_identity_requirements(
    cx: &mut Context,
    input: &AssumeRoleWithWebIdentityRequest,
) -> Result<Vec<Requirement>> {
    let federated = federation::federated(cx)?;
    Ok(federation::requirements(
        "sts:AssumeRoleWithWebIdentity",
        &federated,
        &federation::role_arn(&input.role_arn)?,
        &input.role_session_name,
        input.duration_seconds,
    ))
}

/// Keys that must be fetched before a call can be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The issuer without `https://`.
    pub issuer: String,
    /// The key that the token names.
    pub key_id: Option<String>,
    /// SHA-1 fingerprints of certificates that may vouch for it, in lower-case hex.
    pub thumbprints: Vec<String>,
}

/// The keys that the call's token has to be checked with, if they are to be fetched. Only those of
/// an issuer that the role's account knows are.
pub fn keys_wanted(cx: &mut Context, input: &dyn Input) -> Result<Option<Wanted>> {
    let Some(input) = input.as_any().downcast_ref::<AssumeRoleWithWebIdentityRequest>() else {
        return Ok(None);
    };
    let (Ok(role), Some(token)) =
        (federation::role_arn(&input.role_arn), Token::parse(&input.web_identity_token))
    else {
        return Ok(None);
    };
    let Some(issuer) = token.text("iss").and_then(without_scheme) else { return Ok(None) };
    let Some(provider) = provider(cx, &role, issuer)? else { return Ok(None) };
    let keys = &cx.plane.issuer_keys;
    Ok(match keys.find(issuer, token.key_id.as_deref(), cx.now()) {
        Found::Wanted => Some(Wanted {
            issuer: issuer.to_owned(),
            key_id: token.key_id.clone(),
            thumbprints: provider.thumbprints,
        }),
        Found::Keys(_) | Found::Failed(_) | Found::NotAllowed => None,
    })
}

/// Proves who calls by the token.
pub fn prove(cx: &mut Context, input: &AssumeRoleWithWebIdentityRequest) -> Result<Caller> {
    let role = federation::role_arn(&input.role_arn)?;
    if let Some(provider) = &input.provider_id {
        return Err(access_token(provider));
    }
    let token = Token::parse(&input.web_identity_token).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
             Access Token)",
        )
    })?;
    let issuer = claim(&token, "iss")?;
    let Some(host) = without_scheme(issuer) else {
        return Err(invalid("Issuer must be a valid URL"));
    };
    let Some(provider) = provider(cx, &role, host)? else {
        let text = format!("No OpenIDConnect provider found in your account for {issuer}");
        return Err(invalid(text));
    };
    let keys = keys(cx, host, &token)?;
    if !token.is_signed_by(&keys) {
        return Err(invalid("Token signature is invalid"));
    }
    check_times(cx, &token)?;
    let subject = claim(&token, "sub")?.to_owned();
    let audience = audience(&token)?;
    if !provider.client_ids.is_empty() || !provider.built_in {
        let known = provider.client_ids.contains(&audience);
        known.then_some(()).ok_or_else(|| invalid("Incorrect token audience"))?;
    }
    let (tags, transitive_tag_keys) = session_tags(&token)?;
    let federated = Federated {
        proof: FederationProof::WebIdentity,
        keys: condition_keys(host, &token, &subject, &audience),
        kept: kept(host, &provider.principal, &subject, &audience),
        provider: provider.principal,
        identity_provider: host.to_owned(),
        subject,
        audience,
        tags,
        transitive_tag_keys,
        source_identity: source_identity(&token)?,
    };
    Ok(Caller::federated(&role.account, federated))
}

fn invalid(message: impl Into<String>) -> Error {
    INVALID_IDENTITY_TOKEN.because(message.into())
}

fn access_token(provider: &str) -> Error {
    if OF_ACCESS_TOKENS.contains(&provider) {
        return IDP_COMMUNICATION_ERROR.because(format!(
            "Palisade asks no other party about a token: {provider} cannot be reached."
        ));
    }
    invalid("ProviderId must not be given for OpenID Connect ID tokens.")
}

/// What follows `https://` in an issuer.
fn without_scheme(issuer: &str) -> Option<&str> {
    let rest = issuer.strip_prefix("https://").unwrap_or(issuer).trim_end_matches('/');
    (!rest.is_empty() && !rest.contains("://")).then_some(rest)
}

/// A provider that vouches for users, as an account knows it.
struct Provider {
    /// What trust policies name.
    principal: String,
    client_ids: Vec<String>,
    thumbprints: Vec<String>,
    built_in: bool,
}

/// The provider of an issuer in the account of the role.
fn provider(cx: &mut Context, role: &RoleArn, issuer: &str) -> Result<Option<Provider>> {
    if BUILT_IN.contains(&issuer) {
        return Ok(Some(Provider {
            principal: issuer.to_owned(),
            client_ids: Vec::new(),
            thumbprints: Vec::new(),
            built_in: true,
        }));
    }
    let arn = format!("arn:{}:iam::{}:oidc-provider/{issuer}", cx.partition(), role.account);
    let found = cx.in_account(&role.account, |cx| cx.get(&OIDC_PROVIDERS, &arn))?;
    Ok(found.map(|found| Provider {
        principal: found.arn,
        client_ids: found.client_ids,
        thumbprints: found.thumbprints,
        built_in: false,
    }))
}

/// The keys of the issuer. That they were fetched is seen to before the call comes here.
fn keys(cx: &Context, issuer: &str, token: &Token<'_>) -> Result<Arc<KeySet>> {
    match cx.plane.issuer_keys.find(issuer, token.key_id.as_deref(), cx.now()) {
        Found::Keys(keys) => Ok(keys),
        Found::NotAllowed => Err(IDP_COMMUNICATION_ERROR.because(format!(
            "Palisade opens no connection to https://{issuer}: name the issuer in an \
             [[oidc-issuer]] table of its configuration, with its keys or with fetch = true."
        ))),
        Found::Failed(Failure::Certificate) => Err(invalid(
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
        )),
        Found::Failed(Failure::Unusable) => Err(invalid(
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        )),
        Found::Failed(Failure::Unreachable) | Found::Wanted => Err(IDP_COMMUNICATION_ERROR
            .because(format!("The identity provider https://{issuer} could not be reached."))),
    }
}

/// A claim that each token must have.
fn claim<'c>(token: &'c Token<'_>, name: &str) -> Result<&'c str> {
    token.text(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    invalid(format!("Missing a required claim: {name}"))
}

fn check_times(cx: &Context, token: &Token<'_>) -> Result<()> {
    let now = cx.now().seconds();
    let ends = token.time("exp").ok_or_else(|| missing("exp"))?;
    let issued = token.time("iat").ok_or_else(|| missing("iat"))?;
    if ends <= now {
        return Err(EXPIRED_TOKEN_EXCEPTION.because(format!(
            "Token expired: current date/time {now} must be before the expiration date/time{ends}"
        )));
    }
    let begins = token.time("nbf").unwrap_or(issued);
    if begins.max(issued) > now + AHEAD_SECONDS_MAX {
        return Err(invalid(format!(
            "Token is not valid yet: current date/time {now} must be after {}",
            begins.max(issued)
        )));
    }
    Ok(())
}

/// Whom the token is for: `azp` where it is there, else the one `aud`.
fn audience(token: &Token<'_>) -> Result<String> {
    let audiences = token.texts("aud");
    match (token.text("azp"), audiences.as_slice()) {
        (_, []) => Err(missing("aud")),
        (Some(authorized), _) => Ok(authorized.to_owned()),
        (None, [audience]) if !audience.is_empty() => Ok((*audience).to_owned()),
        (None, [_]) => Err(missing("aud")),
        (None, _) => Err(missing("azp")),
    }
}

/// `<issuer>:<claim>` with the values that a trust policy can ask for.
fn condition_keys(
    issuer: &str,
    token: &Token<'_>,
    subject: &str,
    audience: &str,
) -> Vec<(String, Vec<String>)> {
    let one = |text: &str| vec![text.to_owned()];
    let all = |name| token.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut keys = vec![
        (format!("{issuer}:sub"), one(subject)),
        (format!("{issuer}:aud"), one(audience)),
        (format!("{issuer}:oaud"), all("aud")),
    ];
    for name in ["amr", "azp", "email"] {
        let values = all(name);
        if !values.is_empty() {
            keys.push((format!("{issuer}:{name}"), values));
        }
    }
    if issuer == GITHUB {
        let given = GITHUB_CLAIMS.iter().filter_map(|name| Some((name, token.text(name)?)));
        keys.extend(given.map(|(name, value)| (format!("{issuer}:{name}"), one(value))));
    }
    keys
}

/// What the session says of its origin ever after.
fn kept(issuer: &str, provider: &str, subject: &str, audience: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("aws:FederatedProvider".to_owned(), provider.to_owned()),
        (format!("{issuer}:aud"), audience.to_owned()),
        (format!("{issuer}:sub"), subject.to_owned()),
    ])
}

type Tags = Vec<(String, String)>;

/// The session tags of the token, in the nested form or in the flat one, and which of them are
/// transitive.
fn session_tags(token: &Token<'_>) -> Result<(Tags, Vec<String>)> {
    let mut tags = Tags::new();
    let mut transitive = Vec::new();
    if let Some(claim) = token.claims.get(TAGS) {
        let Claim::SessionTags(nested) = claim else { return Err(rejected(TAGS)) };
        for (key, value) in &nested.principal_tags {
            let value = match value {
                OneOrMany::One(value) => value,
                OneOrMany::Many(values) => match values.as_slice() {
                    [value] => value,
                    _ => return Err(rejected(key)),
                },
            };
            tags.push((key.clone(), value.clone()));
        }
        transitive.clone_from(&nested.transitive_tag_keys);
    }
    for name in token.claims.keys() {
        let Some(key) = name.strip_prefix(TAG_PREFIX) else { continue };
        let [value] = token.texts(name)[..] else { return Err(rejected(name)) };
        tags.push((key.to_owned(), value.to_owned()));
    }
    transitive.extend(token.texts(TRANSITIVE).into_iter().map(str::to_owned));
    let too_long = tags.iter().find(|(key, value)| {
        !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256
    });
    match too_long {
        Some((key, _)) => Err(rejected(key)),
        None => Ok((tags, transitive)),
    }
}

fn rejected(claim: &str) -> Error {
    IDP_REJECTED_CLAIM.because(format!("The claim {claim} of the token cannot be used."))
}

fn source_identity(token: &Token<'_>) -> Result<Option<String>> {
    let Some(given) = token.claims.get(SOURCE_IDENTITY) else { return Ok(None) };
    match given {
        Claim::Text(name) if federation::is_name(name) && !name.starts_with("aws:") => {
            Ok(Some(name.clone()))
        }
        _ => Err(invalid(
            "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
        )),
    }
}

#[cfg(test)]
mod tests;
