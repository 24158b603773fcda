//! Replication: a job for each new version that a rule is about copies it to the rule's
//! destination, as the role that the configuration names.
//!
//! What is copied is the record: source and replica name the same encrypted bytes, which stay until
//! both are gone. The replica's key is held for its own bucket.
//!
//! Source: Amazon S3 User Guide, "Replicating objects within and across Regions", "Setting up
//! permissions for live replication", "Replication configuration file elements".

use super::SERVICE;
use super::bucket::{self, BUCKETS, Bucket, Versioning};
use super::configuration;
use super::encryption::{self, Seal, Wanted};
use super::object::{self, PARTS, Parts, Version};
use crate::authorization::{Credential, Requirement, decide, of_caller, without_key};
use crate::caller::{Caller, Principal};
use crate::context::{Context, Request, Source, Way};
use crate::iam::role::ROLES;
use crate::job::{JobKind, Next};
use crate::sts;
use crate::transfer::Transfer;
use palisade_model::iam::Role;
use palisade_model::s3::{
    Destination, GetObjectRequest, ReplicationConfiguration, ReplicationRule, Tag,
};
use palisade_policy::arn::Arn;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// Who replicates.
const PRINCIPAL: &str = "s3.amazonaws.com";

/// Replicates one version: the subject is its row's key, `bucket/key` and what orders it.
pub static REPLICATION: JobKind =
    JobKind { name: "s3/replicate", principal: PRINCIPAL, run: replicate };

/// What became of the replication of a version, or that it came by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Pending,
    Completed,
    Failed,
    Replica,
}

impl Status {
    /// As `x-amz-replication-status` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Replica => "REPLICA",
        }
    }
}

/// Whether a rule is about a version.
fn concerns(rule: &ReplicationRule, version: &Version) -> bool {
    let begins = |prefix: Option<&String>| {
        prefix.is_none_or(|prefix| version.key.starts_with(prefix.as_str()))
    };
    let tagged =
        |tag: &Tag| version.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value);
    let by_filter = rule.filter.as_ref().is_none_or(|filter| {
        let and = filter.and.as_ref();
        begins(filter.prefix.as_ref())
            && filter.tag.as_ref().is_none_or(tagged)
            && and.is_none_or(|and| {
                begins(and.prefix.as_ref()) && and.tags.iter().flatten().all(tagged)
            })
    });
    rule.status == "Enabled"
        && begins(rule.prefix.as_ref())
        && by_filter
        && (!version.marker || follows_markers(rule))
        && (!is_kms(version) || follows_kms(rule))
}

/// Rules of the first version of the schema, which have no filter, replicate delete markers.
fn follows_markers(rule: &ReplicationRule) -> bool {
    match (&rule.filter, &rule.delete_marker_replication) {
        (None, _) => true,
        (Some(_), Some(wanted)) => wanted.status.as_deref() == Some("Enabled"),
        (Some(_), None) => false,
    }
}

fn is_kms(version: &Version) -> bool {
    matches!(version.seal, Some(Seal::Kms { .. }))
}

/// What KMS protects is replicated where the rule says so.
fn follows_kms(rule: &ReplicationRule) -> bool {
    let criteria = rule.source_selection_criteria.as_ref();
    let kms = criteria.and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref());
    kms.is_some_and(|kms| kms.status == "Enabled")
}

fn configured(cx: &Context, bucket: &str) -> Result<Option<ReplicationConfiguration>> {
    configuration::get(cx, bucket, "replication", "")
}

/// The rules that replicate a version: of each destination, that of the highest priority.
fn rules<'a>(wanted: &'a ReplicationConfiguration, version: &Version) -> Vec<&'a ReplicationRule> {
    let mut found: Vec<&ReplicationRule> =
        wanted.rules.iter().filter(|rule| concerns(rule, version)).collect();
    found.sort_by_key(|rule| std::cmp::Reverse(rule.priority.unwrap_or_default()));
    let mut chosen: Vec<&ReplicationRule> = Vec::new();
    for rule in found {
        if chosen.iter().all(|it| it.destination.bucket != rule.destination.bucket) {
            chosen.push(rule);
        }
    }
    chosen
}

/// Queues the replication of a new version that a rule is about, and says so in its record. What
/// came by replication, and what lifecycle rules delete, goes no further.
pub fn begin(cx: &mut Context, bucket: &Bucket, version: &mut Version) -> Result<()> {
    let internal = cx.caller.is_service(PRINCIPAL);
    if !bucket.replicates || version.replication == Some(Status::Replica) || internal {
        return Ok(());
    }
    let Some(wanted) = configured(cx, &bucket.name)? else { return Ok(()) };
    if rules(&wanted, version).is_empty() {
        return Ok(());
    }
    if !version.marker {
        version.replication = Some(Status::Pending);
    }
    let subject = object::version_key(&bucket.name, &version.key, &version.order);
    let (account, now) = (bucket.account.clone(), cx.now());
    cx.in_account(&account, |cx| cx.later(&REPLICATION, now, &subject))
}

fn replicate(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some((name, row)) = subject.split_once('/') else { return Ok(Next::Done) };
    let Some((key, order)) = object::split_version_key(row) else { return Ok(Next::Done) };
    let Some(bucket) = cx.get(&BUCKETS, name)? else { return Ok(Next::Done) };
    let Some(version) = object::by_order(cx, name, &key, order)? else { return Ok(Next::Done) };
    let Some(wanted) = configured(cx, name)? else { return Ok(Next::Done) };
    let role = assumed(cx, &bucket, &wanted.role)?;
    let mut status = Status::Completed;
    for rule in rules(&wanted, &version) {
        let done = match &role {
            Some(role) => copy(cx, role, &bucket, &version, rule)?,
            None => false,
        };
        if !done {
            status = Status::Failed;
        }
    }
    if !version.marker {
        object::update(cx, &Version { replication: Some(status), ..version })?;
    }
    Ok(Next::Done)
}

/// The role of the configuration, as S3 assumes it; none where its trust policy does not let S3.
fn assumed(cx: &mut Context, bucket: &Bucket, role: &str) -> Result<Option<Credential>> {
    let Some(arn) = Arn::parse(role) else { return Ok(None) };
    let name = arn.resource.rsplit('/').next().unwrap_or_default().to_owned();
    let account = arn.account.to_owned();
    let found = cx.in_account(&account, |cx| cx.get(&ROLES, &name.to_lowercase()))?;
    let Some(Role { role_id, path, role_name, .. }) = found else { return Ok(None) };
    let service = without_key(Caller::service(PRINCIPAL));
    let wanted = Requirement::new("sts:AssumeRole", role, &account).of_kind("role");
    let input = GetObjectRequest::default();
    let source = Source { arn: bucket.arn(), account: bucket.account.clone() };
    let way = Way { source: Some(source), ..Way::default() };
    let request = Request { way, ..cx.request.clone() };
    let nothing = Transfer::default();
    let decided = cx.as_caller(&service.caller, &request, &nothing, |cx| {
        decide(cx, &sts::SERVICE, wanted, &input, &service)
    })?;
    if !decided.decision.allowed() || account != bucket.account {
        return Ok(None);
    }
    let session = "s3-replication";
    let caller = Caller {
        arn: format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session}").into(),
        account: account.into(),
        user_id: format!("{role_id}:{session}").into(),
        principal: Principal::AssumedRole {
            role: role_name.into(),
            path: path.into(),
            id: role_id.into(),
            session: session.into(),
        },
        access_key_id: None,
        session: None,
    };
    of_caller(cx.plane, cx.reader(), caller)
}

/// Whether the role may do what is asked.
fn may(
    cx: &mut Context,
    role: &Credential,
    input: &GetObjectRequest,
    wanted: Vec<Requirement>,
) -> Result<bool> {
    for one in wanted {
        if !decide(cx, &SERVICE, one, input, role)?.decision.allowed() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the role must be allowed to replicate a version.
fn wanted(
    source: &Bucket,
    target: &Bucket,
    version: &Version,
    overrides: bool,
) -> Vec<Requirement> {
    let from = version.arn();
    let to = format!("{}/{}", target.arn(), version.key);
    let of_source = |action: &str| {
        let one = Requirement::new(action, from.clone(), &source.account).of_kind("object");
        one.with_key("s3:versionid", version.id())
    };
    let of_bucket =
        |action: &str| Requirement::new(action, source.arn(), &source.account).of_kind("bucket");
    let of_target =
        |action: &str| Requirement::new(action, to.clone(), &target.account).of_kind("object");
    let mut wanted = vec![of_bucket("s3:GetReplicationConfiguration"), of_bucket("s3:ListBucket")];
    if version.marker {
        wanted.push(of_target("s3:ReplicateDelete"));
        return wanted;
    }
    wanted.push(of_source("s3:GetObjectVersionForReplication"));
    wanted.push(of_source("s3:GetObjectVersionAcl"));
    wanted.push(of_target("s3:ReplicateObject"));
    if !version.tags.is_empty() {
        wanted.push(of_source("s3:GetObjectVersionTagging"));
        wanted.push(of_target("s3:ReplicateTags"));
    }
    if overrides {
        wanted.push(of_target("s3:ObjectOwnerOverrideToBucketOwner"));
    }
    wanted
}

/// Replicates a version by one rule; false where the role may not, or there is nowhere to go.
fn copy(
    cx: &mut Context,
    role: &Credential,
    source: &Bucket,
    version: &Version,
    rule: &ReplicationRule,
) -> Result<bool> {
    let Destination { bucket, account, access_control_translation, .. } = &rule.destination;
    let name = bucket.trim_start_matches("arn:aws:s3:::");
    let Some(target) = cx.get(&BUCKETS, name)? else { return Ok(false) };
    let named = account.as_ref().is_none_or(|account| *account == target.account);
    if target.versioning != Versioning::Enabled || !named {
        return Ok(false);
    }
    let overrides = access_control_translation.is_some();
    let input = GetObjectRequest {
        bucket: source.name.clone(),
        key: version.key.clone(),
        version_id: Some(version.id().to_owned()),
        ..GetObjectRequest::default()
    };
    let wanted = wanted(source, &target, version, overrides);
    let request = cx.request.clone();
    let nothing = Transfer::default();
    let permitted =
        cx.as_caller(&role.caller, &request, &nothing, |cx| may(cx, role, &input, wanted))?;
    if !permitted {
        return Ok(false);
    }
    let held = cx
        .as_caller(&role.caller, &request, &nothing, |cx| held(cx, source, &target, version, rule));
    let seal = match held {
        Ok(seal) => seal,
        Err(error) if error.code.status >= 500 => return Err(error),
        Err(_) => return Ok(false),
    };
    store(cx, &target, version, rule, seal, overrides)?;
    Ok(true)
}

/// The key of the object, held for the replica as the rule says.
fn held(
    cx: &mut Context,
    source: &Bucket,
    target: &Bucket,
    version: &Version,
    rule: &ReplicationRule,
) -> Result<Option<Seal>> {
    let Some(seal) = &version.seal else { return Ok(None) };
    if matches!(seal, Seal::Customer { .. }) {
        return Ok(Some(seal.clone()));
    }
    let input = GetObjectRequest::default();
    let key = encryption::open(cx, source, seal, &version.arn(), (&input, "SSECustomer"))?;
    let wanted = match seal {
        Seal::Kms { context, bucket_key, dual, .. } => {
            let chosen = rule.destination.encryption_configuration.as_ref();
            let key_id = chosen.and_then(|chosen| chosen.replica_kms_key_id.clone());
            let (context, bucket_key) = (context.clone(), *bucket_key);
            Wanted::Kms { key_id, context, bucket_key, dual: *dual }
        }
        Seal::S3 { .. } | Seal::Customer { .. } => Wanted::S3,
    };
    let arn = format!("{}/{}", target.arn(), version.key);
    encryption::hold(cx, target, &wanted, &arn, &key).map(Some)
}

fn store(
    cx: &mut Context,
    target: &Bucket,
    version: &Version,
    rule: &ReplicationRule,
    seal: Option<Seal>,
    overrides: bool,
) -> Result<()> {
    let owned = target.acls_disabled() || overrides;
    let class = rule.destination.storage_class.clone();
    let replica = Version {
        bucket: target.name.clone(),
        owner: if owned { target.account.clone() } else { version.owner.clone() },
        grants: version.grants.clone().filter(|_| !owned),
        storage_class: class.unwrap_or_else(|| version.storage_class.clone()),
        seal,
        replication: Some(Status::Replica),
        noncurrent_since: 0,
        restore: None,
        ..version.clone()
    };
    if let Some(there) = object::by_order(cx, &target.name, &version.key, &version.order)? {
        // It is there already: what was changed of the source since is changed of it.
        let Version { tags, grants, lock, seal, .. } = replica;
        return object::update(cx, &Version { tags, grants, lock, seal, ..there });
    }
    if version.parts > 0 {
        let parts = cx.find(&PARTS, &version.parts_key())?.parts;
        for part in &parts {
            object::reference(cx, &part.piece)?;
        }
        cx.put(&PARTS, &Parts { order: replica.parts_key(), parts })?;
    }
    object::store(cx, target, replica)?;
    bucket::touch(cx, target);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::s3::{
        DeleteMarkerReplication, ReplicationRuleAndOperator, ReplicationRuleFilter,
    };

    fn rule(filter: Option<ReplicationRuleFilter>) -> ReplicationRule {
        ReplicationRule { status: "Enabled".into(), filter, ..ReplicationRule::default() }
    }

    #[test]
    fn rules_and_what_they_are_about() {
        let tag = || Tag { key: "a".into(), value: "1".into() };
        let version = Version {
            key: "logs/x".into(),
            tags: vec![("a".into(), "1".into())],
            ..Version::default()
        };
        let with = |prefix: Option<&str>, tag: Option<Tag>| ReplicationRuleFilter {
            prefix: prefix.map(str::to_owned),
            tag,
            and: None,
        };
        assert!(concerns(&rule(None), &version));
        assert!(concerns(&rule(Some(with(Some("logs/"), None))), &version));
        assert!(!concerns(&rule(Some(with(Some("data/"), None))), &version));
        assert!(concerns(&rule(Some(with(None, Some(tag())))), &version));
        let and = ReplicationRuleAndOperator {
            prefix: Some("logs/".into()),
            tags: Some(vec![tag(), Tag { key: "b".into(), value: "2".into() }]),
        };
        let both = ReplicationRuleFilter { and: Some(and), ..ReplicationRuleFilter::default() };
        assert!(!concerns(&rule(Some(both)), &version));
        let off = ReplicationRule { status: "Disabled".into(), ..rule(None) };
        assert!(!concerns(&off, &version));
        let marker = Version { marker: true, ..version };
        assert!(concerns(&rule(None), &marker));
        let filtered = rule(Some(with(Some(""), None)));
        assert!(!concerns(&filtered, &marker));
        let wanted = DeleteMarkerReplication { status: Some("Enabled".into()) };
        let following = ReplicationRule { delete_marker_replication: Some(wanted), ..filtered };
        assert!(concerns(&following, &marker));
    }

    #[test]
    fn of_each_destination_one_rule() {
        let to = |bucket: &str, priority: i32| {
            let destination = Destination { bucket: bucket.into(), ..Destination::default() };
            ReplicationRule { priority: Some(priority), destination, ..rule(None) }
        };
        let wanted = ReplicationConfiguration {
            role: String::new(),
            rules: vec![to("a", 1), to("b", 2), to("a", 3)],
        };
        let version = Version::default();
        let found = rules(&wanted, &version);
        let found: Vec<_> = found.iter().map(|rule| rule.priority.unwrap()).collect();
        assert_eq!(found, [3, 2]);
    }
}
