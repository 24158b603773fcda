//! Caller and requirement of a decision record, as the authorizer wants them.

use palisade_policy::arn::Arn;
use palisade_services::audit::{CallerRecord, RequirementRecord, SessionRecord, TagRecord};
use palisade_services::authorization::{Requirement, caller_of};
use palisade_services::caller::{
    Caller, Federated, FederationProof, Principal, Session, SessionKind,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The caller of a record.
pub fn caller(record: &CallerRecord) -> Option<Caller> {
    if let Some(session) = &record.session {
        return Some(caller_of(&Arc::new(self::session(record, session)?)));
    }
    if let Some(proof) = federation_proof(&record.kind) {
        return Some(federated(record, proof));
    }
    let (path, name) = path_and_name(&record.arn).unwrap_or_default();
    let principal = match record.kind.as_str() {
        "root" => Principal::Root,
        "user" => Principal::User {
            name: name.into(),
            path: path.into(),
            id: record.user_id.as_str().into(),
        },
        "service" => Principal::Service { name: record.service.as_deref()?.into() },
        "anonymous" => Principal::Anonymous,
        _ => return None,
    };
    Some(Caller {
        account: record.account.as_str().into(),
        principal,
        arn: record.arn.as_str().into(),
        user_id: record.user_id.as_str().into(),
        access_key_id: record.access_key_id.as_deref().map(Into::into),
        session: None,
    })
}

fn federation_proof(kind: &str) -> Option<FederationProof> {
    match kind {
        "web-identity-user" => Some(FederationProof::WebIdentity),
        "saml-user" => Some(FederationProof::Saml(Box::default())),
        _ => None,
    }
}

/// Whom a provider vouched for. What else it said stands among the keys of the requirements.
fn federated(record: &CallerRecord, proof: FederationProof) -> Caller {
    let federated = Federated {
        proof,
        provider: record.arn.clone(),
        identity_provider: String::new(),
        subject: String::new(),
        audience: String::new(),
        keys: Vec::new(),
        kept: BTreeMap::new(),
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
    };
    let user_id = record.user_id.as_str().into();
    Caller { user_id, ..Caller::federated(&record.account, federated) }
}

/// The session without its secret, which no record has.
fn session(caller: &CallerRecord, record: &SessionRecord) -> Option<Session> {
    let (path, name) = path_and_name(&record.issuer_arn)?;
    Some(Session {
        kind: kind(&record.issued_by)?,
        access_key_id: caller.access_key_id.clone().unwrap_or_default(),
        secret_access_key: String::new(),
        account: caller.account.clone(),
        issuer_arn: record.issuer_arn.clone(),
        issuer_id: record.issuer_id.clone(),
        issuer_name: name,
        issuer_path: path,
        name: record.name.clone(),
        issued_at_millis: millis(&record.issued_at)?,
        expires_at_millis: millis(&record.expires_at)?,
        policies: record.policies.clone(),
        policy_arns: record.policy_arns.clone(),
        tags: record.tags.clone(),
        transitive_tag_keys: record.transitive_tag_keys.clone(),
        source_identity: record.source_identity.clone(),
        mfa_at_millis: record.mfa_at.as_deref().and_then(millis),
        chained: record.chained,
        federation: record.federation.clone(),
    })
}

fn kind(issued_by: &str) -> Option<SessionKind> {
    Some(match issued_by {
        "AssumeRole" => SessionKind::AssumeRole,
        "AssumeRoleWithSAML" => SessionKind::AssumeRoleWithSaml,
        "AssumeRoleWithWebIdentity" => SessionKind::AssumeRoleWithWebIdentity,
        "AssumeRoot" => SessionKind::AssumeRoot,
        "GetFederationToken" => SessionKind::FederationToken,
        "GetSessionToken" => SessionKind::SessionToken,
        "ConsoleLogin" => SessionKind::SignIn,
        _ => return None,
    })
}

fn millis(time: &str) -> Option<i64> {
    Some(time.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

/// `/path/` and name of a user's or role's ARN; both empty for root.
fn path_and_name(arn: &str) -> Option<(String, String)> {
    let resource = Arn::parse(arn)?.resource;
    let Some((_, rest)) = resource.split_once('/') else {
        return Some((String::new(), String::new()));
    };
    let (path, name) = match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    };
    Some((path, name.to_owned()))
}

/// What had to be allowed.
pub fn requirement(record: &RequirementRecord) -> Requirement {
    let tags = |tags: &Vec<TagRecord>| {
        tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
    };
    Requirement {
        action: record.action.clone(),
        kind: record.kind.clone(),
        resource: record.resource.clone(),
        account: record.resource_account.clone(),
        keys: record.keys.iter().map(|(key, values)| (key.clone(), values.clone())).collect(),
        request_tags: record.request_tags.as_ref().map(tags),
    }
}
