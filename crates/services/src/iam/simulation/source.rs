//! The policies of a simulation: those of a user, group or role, and those handed in, each under
//! the name that results call it by.

use super::scenario::Caller;
use crate::authorization::Dependencies;
use crate::context::Context;
use crate::errors::internal;
use crate::iam::access::{self, Access, GROUP_ACCESS, Kind};
use crate::iam::role::ROLES;
use crate::iam::user::USERS;
use crate::iam::{boundary, group, managed, tag};
use palisade_model::iam::{
    INVALID_INPUT, NO_SUCH_ENTITY, POLICY_EVALUATION, Position, Statement as Place,
};
use palisade_policy::arn::Arn;
use palisade_policy::{CompiledPolicy, DocumentKind, Malformed, Policy, Principal, Span, position};
use palisade_shape::{Error, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One policy and the name that results call it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// `PolicyInputList.1`, `user_ana_Inline`, or a managed policy's name.
    pub id: String,
    /// Where it is attached.
    pub origin: Origin,
    pub text: String,
    pub policy: Arc<CompiledPolicy>,
}

/// Where a policy comes from, for who wants to leave some out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Handed in with the request.
    Input,
    Managed {
        arn: String,
    },
    Inline {
        kind: Kind,
        owner: String,
        name: String,
    },
}

/// All policies of one user, group or role.
#[derive(Debug)]
pub struct PolicySource {
    pub policies: Vec<Source>,
    pub boundary: Option<Source>,
    /// Who the simulated calls come from.
    pub caller: Caller,
}

impl Source {
    pub fn parse(id: String, text: String, kind: DocumentKind) -> Result<Self, Malformed> {
        let policy = Policy::parse(&text, kind)?.compile();
        Ok(Self { id, origin: Origin::Input, text, policy })
    }

    /// A stored policy. One that cannot be read stops the simulation: what it denies is unknown.
    fn stored(id: String, origin: Origin, text: String, kind: DocumentKind) -> Result<Self> {
        let unreadable = format!("Policy {id} could not be evaluated.");
        let source = Self::parse(id, text, kind);
        source.map(|source| Self { origin, ..source }).map_err(|malformed| {
            POLICY_EVALUATION.because(unreadable).internally(malformed.to_string())
        })
    }

    /// The reference to a statement of this policy. `kind` as AWS names kinds of sources.
    pub fn place(&self, kind: &str, index: usize) -> Place {
        let statement = self.policy.document().statements.get(index);
        let span = statement.map(|statement| statement.span).unwrap_or_default();
        Place {
            source_policy_id: Some(self.id.clone()),
            source_policy_type: Some(kind.to_owned()),
            start_position: Some(place(&self.text, start(&self.text, span))),
            end_position: Some(place(&self.text, span.end)),
        }
    }
}

/// Where AWS's parser stands when it takes a statement up: behind the token before it, which is the
/// list's bracket or the statement before; behind its own brace when it stands in no list.
fn start(text: &str, span: Span) -> usize {
    let before = text.get(..span.start).unwrap_or_default().trim_end();
    match before.strip_suffix(',') {
        Some(before) => before.trim_end().len(),
        None if before.ends_with('[') => before.len(),
        None => span.start + 1,
    }
}

fn place(text: &str, offset: usize) -> Position {
    let (line, column) = position(text, offset);
    let number = |number: usize| i32::try_from(number).ok();
    Position { line: number(line), column: number(column) }
}

/// AWS's answer to a document of a list that it cannot read; the list counts from 1.
pub fn invalid_content(index: usize) -> Error {
    INVALID_INPUT.because(format!("Policy input list item {} has invalid content", index + 1))
}

/// The policies of `PolicyInputList`.
pub fn given(texts: &[String]) -> Result<Vec<Source>> {
    let parse = |(index, text): (usize, &String)| {
        let id = format!("PolicyInputList.{}", index + 1);
        Source::parse(id, text.clone(), DocumentKind::Identity).map_err(|_| invalid_content(index))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// The policy of `PermissionsBoundaryPolicyInputList`, which holds one at most.
pub fn given_boundary(texts: Option<Vec<String>>) -> Result<Option<Source>> {
    let texts = texts.unwrap_or_default();
    if texts.len() > 1 {
        let message = "The list of Permissions Boundary policies cannot exceed 1 items.";
        return Err(INVALID_INPUT.because(message));
    }
    let Some(text) = texts.into_iter().next() else { return Ok(None) };
    let id = "PermissionsBoundaryPolicyInputList.1".to_owned();
    let refusal = "Permissions Boundary policy input list item 1 has invalid content";
    let source = Source::parse(id, text, DocumentKind::Boundary);
    source.map(Some).map_err(|_| INVALID_INPUT.because(refusal))
}

/// What a user's and a role's record tell about the caller they are.
struct Entity {
    arn: String,
    id: String,
    tags: Vec<(String, String)>,
    boundary: Option<String>,
}

/// The policies of a `PolicySourceArn`. The path in it does not count: names are unique without.
pub fn find(cx: &Context, arn: &str) -> Result<PolicySource> {
    let (kind, name) = parse_arn(cx, arn)?;
    let missing = || NO_SUCH_ENTITY.because("Unable to retrieve specified IAM entity.");
    let entity = entity(cx, kind, &name.to_lowercase())?.ok_or_else(missing)?;
    let access = access::load(cx, kind, &name)?;
    let mut collected = Collected { cx, seen: BTreeSet::new(), policies: Vec::new() };
    collected.add(kind, &access)?;
    for group in &access.groups {
        let group = cx.get(&GROUP_ACCESS, group)?.ok_or_else(|| {
            internal(format!("user {name} is in group {group}, which is not there"))
        })?;
        collected.add(Kind::Group, &group)?;
    }
    let boundary = entity.boundary.as_deref();
    let boundary =
        boundary.map(|arn| collected.managed(arn, DocumentKind::Boundary)).transpose()?;
    let policies = collected.policies;
    Ok(PolicySource { policies, boundary, caller: caller(kind, entity) })
}

fn caller(kind: Kind, entity: Entity) -> Caller {
    let Entity { arn, id, tags, .. } = entity;
    match kind {
        // Nobody calls as a group: what its policies say is asked for a member without a name.
        Kind::Group => Caller::unnamed(Arn::parse(&arn).map_or("", |arn| arn.account)),
        Kind::User => Caller::named(Principal::user(&arn), &id, tags),
        Kind::Role => Caller::named(Principal::role(&arn), &id, tags),
    }
}

/// The kind and name of the principal that an ARN of the account names.
fn parse_arn(cx: &Context, text: &str) -> Result<(Kind, String)> {
    let invalid = || INVALID_INPUT.because(format!("Invalid ARN provided in the request: {text}"));
    let arn = Arn::parse(text).ok_or_else(invalid)?;
    let kind = match arn.split_resource() {
        Some(("user", _)) => Kind::User,
        Some(("group", _)) => Kind::Group,
        Some(("role", _)) => Kind::Role,
        _ => return Err(invalid()),
    };
    let name = arn.resource_name();
    if (arn.partition, arn.service, arn.region) != ("aws", "iam", "") || name.is_empty() {
        return Err(invalid());
    }
    let account = arn.account_id().ok_or_else(invalid)?;
    if account != cx.account() {
        let own = cx.account();
        return Err(INVALID_INPUT.because(format!(
            "Invalid Policy Source Arn: caller's account {own} does not have access to policies in \
             account {account}."
        )));
    }
    Ok((kind, name.to_owned()))
}

fn entity(cx: &Context, kind: Kind, key: &str) -> Result<Option<Entity>> {
    let limit = |stored: Option<&_>| boundary::arn(stored).map(str::to_owned);
    Ok(match kind {
        Kind::User => cx.get(&USERS, key)?.map(|user| Entity {
            tags: tag::pairs(user.tags.as_deref()),
            boundary: limit(user.permissions_boundary.as_ref()),
            arn: user.arn,
            id: user.user_id,
        }),
        Kind::Role => cx.get(&ROLES, key)?.map(|role| Entity {
            tags: tag::pairs(role.tags.as_deref()),
            boundary: limit(role.permissions_boundary.as_ref()),
            arn: role.arn,
            id: role.role_id,
        }),
        Kind::Group => cx.get(&group::GROUPS, key)?.map(|group| Entity {
            tags: Vec::new(),
            boundary: None,
            arn: group.arn,
            id: group.group_id,
        }),
    })
}

/// The caller of an ARN that need not be there: hypothetical users may be simulated too.
pub fn named_caller(cx: &Context, kind: Kind, arn: &str) -> Result<Caller> {
    let account = Arn::parse(arn).map_or("", |arn| arn.account);
    let name = Arn::parse(arn).map_or("", |arn| arn.resource_name()).to_lowercase();
    let known = if account == cx.account() { entity(cx, kind, &name)? } else { None };
    // AWS fills `aws:userid` with the ARN where it has nothing better.
    let made_up =
        || Entity { arn: arn.to_owned(), id: arn.to_owned(), tags: Vec::new(), boundary: None };
    let known = known.filter(|known| known.arn == arn);
    Ok(caller(kind, known.unwrap_or_else(made_up)))
}

/// Collects policies, a managed one once however often it is attached.
struct Collected<'a, 'c> {
    cx: &'a Context<'c>,
    seen: BTreeSet<String>,
    policies: Vec<Source>,
}

impl Collected<'_, '_> {
    fn add(&mut self, kind: Kind, access: &Access) -> Result<()> {
        let (word, owner) = (kind.word(), &access.name);
        for (name, text) in &access.inline {
            let id = format!("{word}_{owner}_{name}");
            let origin = Origin::Inline { kind, owner: owner.clone(), name: name.clone() };
            let source = Source::stored(id, origin, text.clone(), DocumentKind::Identity)?;
            self.policies.push(source);
        }
        for arn in &access.attached {
            if self.seen.insert(arn.clone()) {
                let source = self.managed(arn, DocumentKind::Identity)?;
                self.policies.push(source);
            }
        }
        Ok(())
    }

    fn managed(&self, arn: &str, kind: DocumentKind) -> Result<Source> {
        let found = managed::document_of(&mut Dependencies::new(self.cx.reader()), arn)?;
        let found =
            found.ok_or_else(|| internal(format!("policy {arn} is attached and not there")))?;
        let id = managed::name_of(arn).to_owned();
        Source::stored(id, Origin::Managed { arn: arn.to_owned() }, found.document, kind)
    }
}
