//! Lists over all managed policies and over all that use one: what ListPolicies and
//! ListEntitiesForPolicy filter, and their pages.

use super::access::Kind;
use super::policy::{NAMES, POLICIES, arn_of, not_attachable, shown};
use super::policy_use::{self, Usage};
use super::{group, list, managed, role, user};
use crate::context::Context;
use crate::page;
use palisade_model::iam::{
    ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, ListPoliciesRequest,
    ListPoliciesResponse, Policy, PolicyGroup, PolicyRole, PolicyUser, entity_type,
    policy_usage_type,
};
use palisade_model::managed_policies;
use palisade_shape::Result;
use std::collections::BTreeSet;

/// Which policies a list is about.
struct Filter {
    local: bool,
    aws: bool,
    path_prefix: Option<String>,
    only_attached: bool,
    usage: Option<String>,
    /// The policies with any use, when only such are wanted.
    used: Option<BTreeSet<String>>,
}

impl Filter {
    fn new(cx: &Context, input: &ListPoliciesRequest) -> Result<Self> {
        let scope = input.scope.as_deref().unwrap_or("All");
        let only_attached = input.only_attached == Some(true);
        let boundaries =
            input.policy_usage_filter.as_deref() == Some(policy_usage_type::PERMISSIONS_BOUNDARY);
        let used = if only_attached || boundaries { Some(policy_use::all_used(cx)?) } else { None };
        Ok(Self {
            local: scope != "AWS",
            aws: scope != "Local",
            path_prefix: input.path_prefix.clone(),
            only_attached,
            usage: input.policy_usage_filter.clone(),
            used,
        })
    }

    /// Whether a policy may be wanted, as far as its ARN and path tell.
    fn may_want(&self, arn: &str, path: &str) -> bool {
        list::under(path, self.path_prefix.as_deref())
            && self.used.as_ref().is_none_or(|used| used.contains(arn))
    }

    /// Whether a policy is wanted with those uses. "Used as a permissions policy" holds for what
    /// is not used at all too, unless only attached ones are asked for.
    fn wants(&self, attachments: i32, boundaries: i32) -> bool {
        match self.usage.as_deref() {
            Some(policy_usage_type::PERMISSIONS_BOUNDARY) => boundaries > 0,
            Some(_) if !self.only_attached => attachments > 0 || boundaries == 0,
            _ => !self.only_attached || attachments > 0,
        }
    }

    /// The policy as a list shows it, if it is wanted.
    fn take(&self, cx: &Context, policy: Policy) -> Result<Option<Policy>> {
        if !self.may_want(arn_of(&policy), policy.path.as_deref().unwrap_or_default()) {
            return Ok(None);
        }
        let policy = Policy { description: None, tags: None, ..shown(cx, policy)? };
        let attachments = policy.attachment_count.unwrap_or_default();
        let boundaries = policy.permissions_boundary_usage_count.unwrap_or_default();
        Ok(self.wants(attachments, boundaries).then_some(policy))
    }
}

/// What the keys of a list begin with: the customer's policies come first, by name, then AWS's.
const LOCAL: &str = "local/";
const AWS: &str = "aws/";

/// Lists policies, without their descriptions and tags.
pub fn list_policies(cx: &mut Context, input: ListPoliciesRequest) -> Result<ListPoliciesResponse> {
    let filter = Filter::new(cx, &input)?;
    let size = list::size(input.max_items);
    let after = list::start(input.marker.as_deref())?;
    let mut found = Vec::new();
    if filter.local && !after.as_deref().is_some_and(|key| key.starts_with(AWS)) {
        let after_name = after.as_deref().and_then(|key| key.strip_prefix(LOCAL));
        local_policies(cx, &filter, after_name, size + 1, &mut found)?;
    }
    if filter.aws {
        let after_aws = after.as_deref().and_then(|key| key.strip_prefix(AWS)).unwrap_or_default();
        for aws in managed_policies::all().iter().filter(|aws| aws.name > after_aws) {
            if found.len() > size {
                break;
            }
            if let Some(policy) = filter.take(cx, managed::shape(aws)?)? {
                found.push((format!("{AWS}{}", aws.name), policy));
            }
        }
    }
    let page = page::cut(found, size);
    Ok(ListPoliciesResponse {
        policies: Some(page.items),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Appends up to `most` of the wanted policies of the account whose names come after `after`.
fn local_policies(
    cx: &Context,
    filter: &Filter,
    after: Option<&str>,
    most: usize,
    found: &mut Vec<(String, Policy)>,
) -> Result<()> {
    let mut after = after.map(str::to_owned);
    loop {
        let rows = cx.scan(&NAMES, "", after.as_deref(), most)?;
        let last = rows.len() < most;
        for (name, row) in rows {
            let policy = cx.find(&POLICIES, &row.arn)?;
            if let Some(policy) = filter.take(cx, policy)? {
                found.push((format!("{LOCAL}{name}"), policy));
            }
            if found.len() >= most {
                return Ok(());
            }
            after = Some(name);
        }
        if last {
            return Ok(());
        }
    }
}

/// Lists the users, groups and roles that have a policy attached or as their boundary.
pub fn list_entities_for_policy(
    cx: &mut Context,
    input: ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse> {
    let arn = &input.policy_arn;
    managed::check_arn(arn)?;
    managed::find(cx, arn)?.ok_or_else(|| not_attachable(arn))?;
    let after = list::start(input.marker.as_deref())?;
    let size = list::size(input.max_items);
    let mut entities: Vec<(String, Entity)> = Vec::new();
    for row in policy_use::uses_of(cx, arn)? {
        let key = format!("{}/{}", row.kind.word(), row.name);
        let seen = after.as_ref().is_some_and(|after| key <= *after)
            || entities.last().is_some_and(|(last, _)| *last == key);
        if seen || !usage_wanted(row.usage, input.policy_usage_filter.as_deref()) {
            continue;
        }
        if !kind_wanted(row.kind, input.entity_filter.as_deref()) {
            continue;
        }
        let (path, entity) = entity(cx, row.kind, &row.name)?;
        if list::under(&path, input.path_prefix.as_deref()) {
            entities.push((key, entity));
        }
        if entities.len() > size {
            break;
        }
    }
    let page = page::cut(entities, size);
    let (mut groups, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for entity in page.items {
        match entity {
            Entity::Group(group) => groups.push(group),
            Entity::User(user) => users.push(user),
            Entity::Role(role) => roles.push(role),
        }
    }
    Ok(ListEntitiesForPolicyResponse {
        policy_groups: Some(groups),
        policy_users: Some(users),
        policy_roles: Some(roles),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

enum Entity {
    Group(PolicyGroup),
    User(PolicyUser),
    Role(PolicyRole),
}

fn usage_wanted(usage: Usage, filter: Option<&str>) -> bool {
    match filter {
        None => true,
        Some(policy_usage_type::PERMISSIONS_BOUNDARY) => usage == Usage::Boundary,
        Some(_) => usage == Usage::Permissions,
    }
}

fn kind_wanted(kind: Kind, filter: Option<&str>) -> bool {
    match filter {
        None => true,
        Some(entity_type::USER) => kind == Kind::User,
        Some(entity_type::GROUP) => kind == Kind::Group,
        Some(entity_type::ROLE) => kind == Kind::Role,
        // The other values of the type are kinds of policies, and no policy is attached to one.
        Some(_) => false,
    }
}

/// The path of a principal and what this list shows of it.
fn entity(cx: &Context, kind: Kind, name: &str) -> Result<(String, Entity)> {
    Ok(match kind {
        Kind::User => {
            let user = cx.find(&user::USERS, name)?;
            let shown = PolicyUser { user_name: Some(user.user_name), user_id: Some(user.user_id) };
            (user.path, Entity::User(shown))
        }
        Kind::Group => {
            let group = cx.find(&group::GROUPS, name)?;
            let shown =
                PolicyGroup { group_name: Some(group.group_name), group_id: Some(group.group_id) };
            (group.path, Entity::Group(shown))
        }
        Kind::Role => {
            let role = cx.find(&role::ROLES, name)?;
            let shown = PolicyRole { role_name: Some(role.role_name), role_id: Some(role.role_id) };
            (role.path, Entity::Role(shown))
        }
    })
}
