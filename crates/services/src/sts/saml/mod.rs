//! Roles for users of SAML identity providers.
//!
//! Source: STS API reference, AssumeRoleWithSAML; IAM User Guide, "SAML 2.0 federation",
//! "Troubleshoot SAML federation with IAM", "Available keys for SAML-based AWS STS federation".

pub mod assertion;
pub mod attribute;
pub mod replay;
pub mod response;
mod signature;
mod xml;

use super::federation::{self, Asked, Issued};
use crate::authorization::Requirement;
use crate::caller::{Caller, Federated, FederationProof, SamlProof, SessionKind};
use crate::context::Context;
use crate::errors::internal;
use crate::iam::saml_metadata;
use crate::iam::saml_provider::{PURPOSE, PrivateKey, Provider, SAML_PROVIDERS};
use crate::service::Input;
use assertion::{Assertion, Fault};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::assertion_encryption_mode_type;
use palisade_model::sts::{
    AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse, EXPIRED_TOKEN_EXCEPTION,
    IDP_REJECTED_CLAIM, INVALID_IDENTITY_TOKEN,
};
use palisade_shape::{Error, Result};
use std::collections::BTreeMap;

/// Issues credentials of a role to whom the assertion is about, once for each role.
pub fn assume_role_with_saml(
    cx: &mut Context,
    input: AssumeRoleWithSAMLRequest,
) -> Result<AssumeRoleWithSAMLResponse> {
    let AssumeRoleWithSAMLRequest {
        role_arn,
        principal_arn,
        saml_assertion: _,
        policy_arns,
        policy,
        duration_seconds,
    } = input;
    let federated = federation::federated(cx)?;
    let FederationProof::Saml(proof) = &federated.proof else {
        return Err(internal("a SAML call that something else proved"));
    };
    let role = federation::role_arn(&role_arn)?;
    replay::use_up(cx, &role, proof)?;
    let asked = Asked {
        role,
        kind: SessionKind::AssumeRoleWithSaml,
        session_name: proof.session_name.clone(),
        policy,
        policy_arns,
        duration_seconds: duration_seconds.or(proof.session_seconds),
        seconds_max: seconds_left(cx, proof)?,
    };
    let Issued { credentials, assumed_role_user, packed_policy_size } =
        federation::issue(cx, &federated, asked)?;
    cx.touch("AWS::IAM::SAMLProvider", principal_arn);
    Ok(AssumeRoleWithSAMLResponse {
        credentials: Some(credentials),
        assumed_role_user: Some(assumed_role_user),
        packed_policy_size,
        subject: Some(federated.subject.clone()),
        subject_type: Some(proof.subject_type.clone()),
        issuer: Some(proof.issuer.clone()),
        audience: Some(federated.audience.clone()),
        name_qualifier: Some(proof.name_qualifier.clone()),
        source_identity: federated.source_identity.clone(),
    })
}

pub fn assume_role_with_saml_requirements(
    cx: &mut Context,
    input: &AssumeRoleWithSAMLRequest,
) -> Result<Vec<Requirement>> {
    let federated = federation::federated(cx)?;
    let FederationProof::Saml(proof) = &federated.proof else {
        return Err(internal("a SAML call that something else proved"));
    };
    Ok(federation::requirements(
        "sts:AssumeRoleWithSAML",
        &federated,
        &federation::role_arn(&input.role_arn)?,
        &proof.session_name,
        input.duration_seconds.or(proof.session_seconds),
    ))
}

/// Each use is kept, so that there is no second one.
pub fn uses_up_an_assertion(_: &dyn Input) -> bool {
    true
}

/// Proves who calls by the assertion.
pub fn prove(cx: &mut Context, input: &AssumeRoleWithSAMLRequest) -> Result<Caller> {
    let role = federation::role_arn(&input.role_arn)?;
    let wanted = input.principal_arn.as_str();
    let found = cx.in_account(&role.account, |cx| cx.get(&SAML_PROVIDERS, wanted))?;
    let Some(provider) = found else { return Err(invalid("Specified provider doesn't exist")) };
    if provider.valid_until_millis <= cx.now().millis() {
        return Err(invalid("The metadata of the specified provider is no longer valid."));
    }
    let metadata = saml_metadata::parse(&provider.metadata).map_err(internal)?;
    let required = assertion_encryption_mode_type::REQUIRED;
    let trusted = response::Trusted {
        entity_id: &metadata.entity_id,
        certificates: &metadata.certificates,
        private_keys: &private_keys(cx, &provider)?,
        encryption_required: provider.encryption.as_deref() == Some(required),
    };
    let assertion = response::verify(&input.saml_assertion, &trusted, cx.now()).map_err(refused)?;
    if !attribute::roles(&assertion).any(|(of, by)| of == input.role_arn && by == wanted) {
        let text = "SAML Assertion doesn't contain the requested Role and Metadata in the \
                    attributes";
        return Err(invalid(text));
    }
    Ok(Caller::federated(&role.account, federated(&role.account, &provider, assertion)?))
}

fn federated(account: &str, provider: &Provider, assertion: Assertion) -> Result<Federated> {
    let session = attribute::session(&assertion).map_err(refused)?;
    let name_qualifier = name_qualifier(&assertion.issuer, account, &provider.name);
    let own = [
        ("saml:aud", &assertion.recipient),
        ("saml:iss", &assertion.issuer),
        ("saml:sub", &assertion.subject),
        ("saml:sub_type", &assertion.subject_type),
        ("saml:namequalifier", &name_qualifier),
        ("saml:doc", &format!("{account}/{}", provider.name)),
    ];
    let mut keys: Vec<(String, Vec<String>)> =
        own.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).clone()])).collect();
    keys.extend(attribute::condition_keys(&assertion));
    let kept = ["saml:sub", "saml:sub_type", "saml:namequalifier"];
    let mut kept: BTreeMap<String, String> = own
        .iter()
        .filter(|(key, _)| kept.contains(key))
        .map(|(key, value)| ((*key).to_owned(), (*value).clone()))
        .collect();
    kept.insert("aws:FederatedProvider".to_owned(), provider.arn.clone());
    Ok(Federated {
        proof: FederationProof::Saml(Box::new(SamlProof {
            assertion_id: assertion.id,
            issuer: assertion.issuer,
            subject_type: assertion.subject_type,
            name_qualifier: name_qualifier.clone(),
            session_name: session.name,
            session_seconds: session.seconds,
            session_ends_millis: assertion.session_ends.map(|ends| ends.millis()),
            usable_until_millis: assertion.usable_until.millis(),
        })),
        provider: provider.arn.clone(),
        identity_provider: name_qualifier,
        subject: assertion.subject,
        audience: assertion.recipient,
        keys,
        kept,
        tags: session.tags,
        transitive_tag_keys: session.transitive_tag_keys,
        source_identity: session.source_identity,
    })
}

/// Base64 of the SHA-1 of issuer, account and the provider's name (STS API reference,
/// AssumeRoleWithSAML, `NameQualifier`). It only tells users of different providers apart.
fn name_qualifier(issuer: &str, account: &str, provider: &str) -> String {
    let text = format!("{issuer}{account}/{provider}");
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// The seconds until the provider ends the user's session there.
fn seconds_left(cx: &Context, proof: &SamlProof) -> Result<Option<i32>> {
    let Some(ends) = proof.session_ends_millis else { return Ok(None) };
    let left = (ends - cx.now().millis()) / 1000;
    if left < 1 {
        let text = "The session at the identity provider has ended.";
        return Err(EXPIRED_TOKEN_EXCEPTION.because(text));
    }
    Ok(Some(i32::try_from(left).unwrap_or(i32::MAX)))
}

fn private_keys(cx: &Context, provider: &Provider) -> Result<Vec<Vec<u8>>> {
    let open = |key: &PrivateKey| {
        let sealed = STANDARD.decode(&key.sealed).map_err(internal)?;
        cx.plane.sealer.unseal(PURPOSE, &key.id, &sealed).map_err(internal).map(|der| der.to_vec())
    };
    provider.private_keys.iter().map(open).collect()
}

fn invalid(message: &'static str) -> Error {
    INVALID_IDENTITY_TOKEN.because(message)
}

fn refused(fault: Fault) -> Error {
    match fault {
        Fault::Invalid(text) => INVALID_IDENTITY_TOKEN.because(text),
        Fault::Expired(text) => EXPIRED_TOKEN_EXCEPTION.because(text),
        Fault::Rejected(text) => IDP_REJECTED_CLAIM.because(text),
    }
}

#[cfg(test)]
mod tests;
