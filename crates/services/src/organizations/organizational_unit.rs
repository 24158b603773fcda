//! Organizational units: up to five levels of them below the root.

use super::node::{self, ACCOUNT_PLACES, Kind, NODES, Node, UNIT_PLACES, UnitPlace};
use super::organization::Organization;
use super::refusal::{constraint, no_parent};
use super::{list, policy, policy_type, quota, tag};
use crate::context::Context;
use crate::random;
use palisade_model::organizations::{
    CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse,
    DUPLICATE_ORGANIZATIONAL_UNIT_EXCEPTION, DeleteOrganizationalUnitRequest,
    DescribeOrganizationalUnitRequest, DescribeOrganizationalUnitResponse,
    ListOrganizationalUnitsForParentRequest, ListOrganizationalUnitsForParentResponse,
    ORGANIZATIONAL_UNIT_NOT_EMPTY_EXCEPTION, ORGANIZATIONAL_UNIT_NOT_FOUND_EXCEPTION,
    OrganizationalUnit, UpdateOrganizationalUnitRequest, UpdateOrganizationalUnitResponse,
};
use palisade_shape::{Error, Nothing, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Levels of units below the root.
const DEPTH_MAX: usize = 5;

/// The unit as the API shows it.
pub fn shown(cx: &Context, organization: &Organization, unit: &Node) -> Result<OrganizationalUnit> {
    let way = node::way_to(cx, &unit.id)?;
    Ok(OrganizationalUnit {
        id: Some(unit.id.clone()),
        arn: Some(unit.arn(organization)),
        name: Some(unit.name.clone()),
        path: Some(node::path(organization, &way)),
    })
}

fn load(cx: &Context, id: &str) -> Result<Node> {
    let text = "You specified an organizational unit that doesn't exist.";
    let missing = || ORGANIZATIONAL_UNIT_NOT_FOUND_EXCEPTION.because(text);
    node::find(cx, id)?.ok_or_else(missing)
}

/// The root or unit that something is to be below.
pub fn parent(cx: &Context, id: &str) -> Result<Node> {
    let found = node::find(cx, id)?;
    found.filter(|node| node.kind() != Kind::Account).ok_or_else(no_parent)
}

fn duplicate() -> Error {
    DUPLICATE_ORGANIZATIONAL_UNIT_EXCEPTION.because("An OU with the same name already exists.")
}

/// Makes a unit below the root or below another unit.
pub fn create_organizational_unit(
    cx: &mut Context,
    organization: &Organization,
    input: CreateOrganizationalUnitRequest,
) -> Result<CreateOrganizationalUnitResponse> {
    let CreateOrganizationalUnitRequest { parent_id, name, tags } = input;
    let parent = parent(cx, &parent_id)?;
    // The way holds the root besides the units above.
    if node::way_to(cx, &parent.id)?.len() > DEPTH_MAX {
        let text = "You have exceeded the maximum depth of the organizational unit tree.";
        return Err(constraint("OU_DEPTH_LIMIT_EXCEEDED", text));
    }
    let root_id = organization.root.trim_start_matches("r-");
    let mut unit = Node {
        id: random::lower_id(&*cx.plane.random, &format!("ou-{root_id}-"), 8),
        name: name.clone(),
        parent: Some(parent.id.clone()),
        attached: BTreeMap::new(),
        tags: tag::given(tags)?,
        enabled: BTreeSet::new(),
        joined: None,
    };
    let place = UnitPlace { parent: parent.id, name, unit: unit.id.clone() };
    if cx.exists(&UNIT_PLACES, &(UNIT_PLACES.key)(&place))? {
        return Err(duplicate());
    }
    quota::take(cx, &quota::UNITS)?;
    policy_type::attach_defaults(cx, organization, &mut unit)?;
    cx.insert(&NODES, &unit)?;
    cx.put(&UNIT_PLACES, &place)?;
    cx.touch("AWS::Organizations::OrganizationalUnit", unit.arn(organization));
    let shown = shown(cx, organization, &unit)?;
    Ok(CreateOrganizationalUnitResponse { organizational_unit: Some(shown) })
}

pub fn describe_organizational_unit(
    cx: &mut Context,
    organization: &Organization,
    input: DescribeOrganizationalUnitRequest,
) -> Result<DescribeOrganizationalUnitResponse> {
    let unit = load(cx, &input.organizational_unit_id)?;
    let shown = shown(cx, organization, &unit)?;
    Ok(DescribeOrganizationalUnitResponse { organizational_unit: Some(shown) })
}

/// Renames a unit. Without a name nothing changes.
pub fn update_organizational_unit(
    cx: &mut Context,
    organization: &Organization,
    input: UpdateOrganizationalUnitRequest,
) -> Result<UpdateOrganizationalUnitResponse> {
    let UpdateOrganizationalUnitRequest { organizational_unit_id, name } = input;
    let mut unit = load(cx, &organizational_unit_id)?;
    if let Some(name) = name.filter(|name| *name != unit.name) {
        let parent = unit.parent.clone().unwrap_or_default();
        let place = UnitPlace { parent: parent.clone(), name: name.clone(), unit: unit.id.clone() };
        if cx.exists(&UNIT_PLACES, &(UNIT_PLACES.key)(&place))? {
            return Err(duplicate());
        }
        cx.delete(&UNIT_PLACES, &format!("{parent}/{}", unit.name))?;
        cx.put(&UNIT_PLACES, &place)?;
        unit.name = name;
        cx.put(&NODES, &unit)?;
        cx.touch("AWS::Organizations::OrganizationalUnit", unit.arn(organization));
    }
    let shown = shown(cx, organization, &unit)?;
    Ok(UpdateOrganizationalUnitResponse { organizational_unit: Some(shown) })
}

/// Deletes a unit that nothing is in.
pub fn delete_organizational_unit(
    cx: &mut Context,
    organization: &Organization,
    input: DeleteOrganizationalUnitRequest,
) -> Result<Nothing> {
    let unit = load(cx, &input.organizational_unit_id)?;
    let below = format!("{}/", unit.id);
    let accounts = cx.scan(&ACCOUNT_PLACES, &below, None, 1)?;
    let units = cx.scan(&UNIT_PLACES, &below, None, 1)?;
    if !(accounts.is_empty() && units.is_empty()) {
        let text = "The specified OU is not empty. Move all accounts to another root or to other \
                    OUs, remove all child OUs, and try the operation again.";
        return Err(ORGANIZATIONAL_UNIT_NOT_EMPTY_EXCEPTION.because(text));
    }
    policy::detach_all(cx, &unit)?;
    let parent = unit.parent.as_deref().unwrap_or_default();
    cx.delete(&UNIT_PLACES, &format!("{parent}/{}", unit.name))?;
    cx.delete(&NODES, &node::key(&unit.id))?;
    quota::give_back(cx, &quota::UNITS)?;
    cx.touch("AWS::Organizations::OrganizationalUnit", unit.arn(organization));
    Ok(Nothing)
}

/// Lists the units just below a root or unit, by name.
pub fn list_organizational_units_for_parent(
    cx: &mut Context,
    organization: &Organization,
    input: ListOrganizationalUnitsForParentRequest,
) -> Result<ListOrganizationalUnitsForParentResponse> {
    let ListOrganizationalUnitsForParentRequest { parent_id, next_token, max_results } = input;
    let below = format!("{}/", parent(cx, &parent_id)?.id);
    let page = list::page(cx, &UNIT_PLACES, &below, (next_token, max_results), |cx, place| {
        let unit = load(cx, &place.unit)?;
        shown(cx, organization, &unit).map(Some)
    })?;
    Ok(ListOrganizationalUnitsForParentResponse {
        organizational_units: Some(page.items),
        next_token: page.next,
    })
}
