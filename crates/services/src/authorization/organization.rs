//! Where an account stands in an organization: the one place that decisions ask.

use super::Attached;
use super::compiled::PolicyCache;
use super::identity::Dependencies;
use super::standing_cache::{Levels, StandingCache};
use crate::audit::{PolicyUse, push_policies};
use crate::context::Context;
use crate::errors::internal;
use crate::organizations::membership::{MEMBERS, Member};
use crate::organizations::node::{self, NODES, Node};
use crate::organizations::policy::POLICIES;
use crate::organizations::policy_type::{self, RCP, SCP};
use palisade_policy::{DocumentKind, Layer, PolicySet};
use palisade_shape::Result;
use palisade_store::{Key, OwnedKey, Read};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What binds an account because of the organization it is in. Empty: it is in none.
#[derive(Default)]
pub struct Standing {
    pub membership: Option<Membership>,
    /// The service control policies of each level, the root first, then each unit on the way, and
    /// the account last. Every level must allow.
    pub scps: Vec<Arc<PolicySet>>,
    /// The resource control policies of each level, likewise.
    pub rcps: Vec<Arc<PolicySet>>,
    /// The documents of `scps`, level by level, with their revisions.
    pub scp_documents: Vec<Arc<[Attached]>>,
    /// The documents of `rcps`.
    pub rcp_documents: Vec<Arc<[Attached]>>,
    /// The policies of `scps`, as decision records list them.
    pub consulted_scps: Vec<u8>,
    /// Those of `rcps`.
    pub consulted_rcps: Vec<u8>,
}

impl std::fmt::Debug for Standing {
    /// The place alone; the policies are many.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing").field("membership", &self.membership).finish_non_exhaustive()
    }
}

/// An account's place in its organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// `o-a1b2c3d4e5`
    pub organization_id: String,
    /// `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`, as `aws:PrincipalOrgPaths` holds it.
    pub path: String,
    /// SCPs do not limit its principals, RCPs not its resources.
    pub management_account: String,
}

impl Standing {
    /// The same place, of a resource that resource control policies do not limit.
    pub fn without_rcps(&self) -> Self {
        Self {
            membership: self.membership.clone(),
            scps: self.scps.clone(),
            scp_documents: self.scp_documents.clone(),
            consulted_scps: self.consulted_scps.clone(),
            ..Self::default()
        }
    }

    pub fn management_account(&self) -> Option<&str> {
        self.membership.as_ref().map(|place| place.management_account.as_str())
    }
}

/// Where the account stands, as the context sees the store. Outside transactions it is kept until
/// a document it was made of changes; inside one it is read anew, so that what a group of
/// transactions has not made durable reaches nobody else.
pub fn standing(cx: &Context, account: &str) -> Result<Arc<Standing>> {
    let credentials = &cx.plane.credentials;
    let (cache, compiled) = (credentials.standings(), credentials.compiled());
    let read = cx.reader();
    if cx.is_transaction() {
        if let Some(known) = cache.unchanged(read, account)? {
            return Ok(known);
        }
        return Ok(load(read, account, &Uncached { compiled })?.0);
    }
    if let Some(known) = cache.known(read, account)? {
        return Ok(known);
    }
    let (loaded, seen) = load(read, account, &Kept { cache, compiled })?;
    cache.keep(account, &loaded, seen, read.revision());
    Ok(loaded)
}

/// Makes the set of one level's policies.
trait Compiles {
    fn level(&self, attached: Vec<Attached>, kind: DocumentKind) -> Result<Levels>;
}

struct Uncached<'a> {
    compiled: &'a PolicyCache,
}

impl Compiles for Uncached<'_> {
    fn level(&self, attached: Vec<Attached>, kind: DocumentKind) -> Result<Levels> {
        let set = Arc::new(self.compiled.set(&attached, kind)?);
        Ok(Levels { set, documents: attached.into() })
    }
}

/// A level that many accounts have in common is put together once.
struct Kept<'a> {
    cache: &'a StandingCache,
    compiled: &'a PolicyCache,
}

impl Compiles for Kept<'_> {
    fn level(&self, attached: Vec<Attached>, kind: DocumentKind) -> Result<Levels> {
        self.cache.level(attached, |attached| {
            let set = Arc::new(self.compiled.set(&attached, kind)?);
            Ok(Levels { set, documents: attached.into() })
        })
    }
}

/// A standing and the documents it was made of.
type Loaded = (Arc<Standing>, Vec<(OwnedKey, Option<u64>)>);

fn load(read: &dyn Read, account: &str, compiles: &dyn Compiles) -> Result<Loaded> {
    let mut dependencies = Dependencies::new(read);
    let standing = make(&mut dependencies, account, compiles)?;
    Ok((standing, dependencies.into_seen()))
}

/// The standing of an account, noting all that was read for it.
#[cfg(test)]
pub fn standing_of(dependencies: &mut Dependencies<'_>, account: &str) -> Result<Arc<Standing>> {
    make(dependencies, account, &Uncached { compiled: &PolicyCache::default() })
}

fn make(
    dependencies: &mut Dependencies<'_>,
    account: &str,
    compiles: &dyn Compiles,
) -> Result<Arc<Standing>> {
    let key = Key { collection: MEMBERS.name, account: "", region: "", key: account };
    let Some(found) = dependencies.get(&key)? else {
        return Ok(Arc::default());
    };
    let member = MEMBERS.decode(&found.body)?;
    let way = way(dependencies, &member)?;
    let mut standing =
        Standing { membership: Some(membership(&member, &way)), ..Standing::default() };
    let Some(root) = way.first() else { return Ok(standing.into()) };
    for (policy_type, kind) in [(SCP, DocumentKind::Scp), (RCP, DocumentKind::Rcp)] {
        if !root.enabled.contains(policy_type) {
            continue;
        }
        for node in &way {
            let attached = attached(dependencies, &member, node, policy_type)?;
            let Levels { set, documents } = compiles.level(attached, kind)?;
            let (sets, texts) = match kind {
                DocumentKind::Scp => (&mut standing.scps, &mut standing.scp_documents),
                _ => (&mut standing.rcps, &mut standing.rcp_documents),
            };
            sets.push(set);
            texts.push(documents);
        }
    }
    standing.consulted_scps = consulted(Layer::Scp, &standing.scp_documents);
    standing.consulted_rcps = consulted(Layer::Rcp, &standing.rcp_documents);
    Ok(standing.into())
}

/// The list of policies for decision records, written once: one that binds on several levels is one
/// policy.
fn consulted(layer: Layer, levels: &[Arc<[Attached]>]) -> Vec<u8> {
    let all = levels.iter().flat_map(|level| level.iter());
    let uses: BTreeSet<(&str, u64)> =
        all.map(|policy| (policy.label.as_str(), policy.revision)).collect();
    let mut list = Vec::new();
    let uses = uses.into_iter().map(|(label, revision)| PolicyUse { layer, label, revision });
    push_policies(&mut list, uses);
    list
}

/// The nodes from the root to the account.
fn way(dependencies: &mut Dependencies<'_>, member: &Member) -> Result<Vec<Node>> {
    let management = member.management_account.as_str();
    let mut way = Vec::new();
    let mut next = Some(member.account.clone());
    while let Some(id) = next {
        let key = node::key(&id);
        let key = Key { collection: NODES.name, account: management, region: "", key: &key };
        let Some(found) = dependencies.get(&key)? else {
            // Without its place nothing is known of what binds it.
            return Err(internal(format!("node {id} on the way of {} is gone", member.account)));
        };
        let node = NODES.decode(&found.body)?;
        next = node.parent.clone();
        way.push(node);
    }
    way.reverse();
    Ok(way)
}

fn membership(member: &Member, way: &[Node]) -> Membership {
    let mut path = format!("{}/", member.organization_id);
    for node in way.iter().filter(|node| node.id != member.account) {
        path.push_str(&node.id);
        path.push('/');
    }
    Membership {
        organization_id: member.organization_id.clone(),
        path,
        management_account: member.management_account.clone(),
    }
}

/// The policies of a type that are attached to a node, by their ARNs.
fn attached(
    dependencies: &mut Dependencies<'_>,
    member: &Member,
    node: &Node,
    policy_type: &str,
) -> Result<Vec<Attached>> {
    let management = member.management_account.as_str();
    let organization = &member.organization_id;
    let mut attached = Vec::new();
    for id in node.policies(policy_type) {
        if let Some((of, managed)) = policy_type::managed(id) {
            attached.push(Attached {
                label: managed.arn(of),
                managed: true,
                revision: 0,
                document: managed.content.to_owned(),
            });
            continue;
        }
        let key = Key { collection: POLICIES.name, account: management, region: "", key: id };
        let Some(found) = dependencies.get(&key)? else {
            return Err(internal(format!("policy {id} is attached to {} and gone", node.id)));
        };
        let kind = policy_type.to_lowercase();
        attached.push(Attached {
            label: format!("arn:aws:organizations::{management}:policy/{organization}/{kind}/{id}"),
            managed: true,
            revision: found.revision,
            document: POLICIES.decode(&found.body)?.content,
        });
    }
    Ok(attached)
}
