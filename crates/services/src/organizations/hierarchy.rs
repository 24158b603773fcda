//! What is below what: parents and children, for walking the tree.

use super::node::{self, ACCOUNT_PLACES, Kind, UNIT_PLACES};
use super::organization::Organization;
use super::{list, organizational_unit};
use crate::context::Context;
use palisade_model::organizations::{
    CHILD_NOT_FOUND_EXCEPTION, Child, ListChildrenRequest, ListChildrenResponse,
    ListParentsRequest, ListParentsResponse, Parent, child_type,
};
use palisade_shape::Result;

/// Tells the one parent of an account or unit.
pub fn list_parents(
    cx: &mut Context,
    _organization: &Organization,
    input: ListParentsRequest,
) -> Result<ListParentsResponse> {
    let ListParentsRequest { child_id, next_token, max_results } = input;
    let parent = node::find(cx, &child_id)?.and_then(|child| child.parent);
    let missing = || CHILD_NOT_FOUND_EXCEPTION.because("You specified a child that doesn't exist.");
    let parent = parent.ok_or_else(missing)?;
    let kind = Kind::of(&parent).target_type().to_owned();
    let parents = vec![Parent { id: Some(parent), r#type: Some(kind) }];
    let page = list::of_items(parents, (next_token, max_results))?;
    Ok(ListParentsResponse { parents: Some(page.items), next_token: page.next })
}

/// Lists the accounts or the units just below a root or unit.
pub fn list_children(
    cx: &mut Context,
    _organization: &Organization,
    input: ListChildrenRequest,
) -> Result<ListChildrenResponse> {
    let ListChildrenRequest { parent_id, child_type, next_token, max_results } = input;
    let below = format!("{}/", organizational_unit::parent(cx, &parent_id)?.id);
    let child = |id: String| Child { id: Some(id), r#type: Some(child_type.clone()) };
    let at = (next_token, max_results);
    let page = match child_type.as_str() {
        child_type::ACCOUNT => {
            list::page(cx, &ACCOUNT_PLACES, &below, at, |_, place| Ok(Some(child(place.account))))?
        }
        _ => list::page(cx, &UNIT_PLACES, &below, at, |_, place| Ok(Some(child(place.unit))))?,
    };
    Ok(ListChildrenResponse { children: Some(page.items), next_token: page.next })
}
