//! The root of an organization's tree. There is one.

use super::node::{self, Node};
use super::organization::Organization;
use super::{list, policy_type};
use crate::context::Context;
use palisade_model::organizations::{
    ListRootsRequest, ListRootsResponse, PolicyTypeSummary, ROOT_NOT_FOUND_EXCEPTION, Root,
    policy_type_status,
};
use palisade_shape::Result;

/// The root as the API shows it, with the policy types that are enabled in it.
pub fn shown(organization: &Organization, node: &Node) -> Root {
    let enabled = policy_type::TYPES.iter().filter(|known| node.enabled.contains(known.name));
    let enabled = enabled.map(|known| PolicyTypeSummary {
        r#type: Some(known.name.to_owned()),
        status: Some(policy_type_status::ENABLED.to_owned()),
    });
    Root {
        id: Some(node.id.clone()),
        arn: Some(node.arn(organization)),
        name: Some(node.name.clone()),
        policy_types: Some(enabled.collect()),
    }
}

/// The root of that id.
pub fn load(cx: &Context, organization: &Organization, id: &str) -> Result<Node> {
    if id != organization.root {
        let text = "You specified a root that doesn't exist.";
        return Err(ROOT_NOT_FOUND_EXCEPTION.because(text));
    }
    node::target(cx, id)
}

pub fn list_roots(
    cx: &mut Context,
    organization: &Organization,
    input: ListRootsRequest,
) -> Result<ListRootsResponse> {
    let ListRootsRequest { next_token, max_results } = input;
    let root = node::target(cx, &organization.root)?;
    let page = list::of_items(vec![shown(organization, &root)], (next_token, max_results))?;
    Ok(ListRootsResponse { roots: Some(page.items), next_token: page.next })
}
