//! What a simulation is asked, checked. The texts of the refusals are AWS's, as observed.

use super::scenario::{Caller, Scenario, set_of};
use super::source::{self, Source};
use crate::context::Context;
use crate::iam::access::Kind;
use crate::page;
use palisade_model::iam::{INVALID_INPUT, OrderedOrganizationPolicyType};
use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, PolicySet};
use palisade_shape::{Error, Result};
use std::sync::Arc;

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    INVALID_INPUT.because(message)
}

/// The resources, `*` when none are named. `*` stands alone.
pub fn resources(arns: Option<Vec<String>>) -> Result<Vec<String>> {
    let arns = arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(vec!["*".to_owned()]);
    }
    let alone = arns.len() == 1;
    for arn in &arns {
        let whole = Arn::parse(arn).is_some_and(|parsed| {
            !parsed.partition.is_empty()
                && !parsed.service.is_empty()
                && !parsed.resource.is_empty()
        });
        if !(whole || alone && arn == "*") {
            let text = format!("ResourceNames are not in a valid ARN format: {arn}.");
            return Err(invalid(text));
        }
    }
    Ok(arns)
}

/// Whether the simulation names resources.
pub fn names_resources(resources: &[String]) -> bool {
    resources.iter().any(|resource| resource != "*")
}

pub fn check_actions(actions: &[String]) -> Result<()> {
    match actions.iter().all(|action| action.contains(':')) {
        true => Ok(()),
        false => Err(invalid("The action is invalid since it is missing names")),
    }
}

/// The scenarios of `ResourceHandlingOption`, all of `ec2:RunInstances`.
const SCENARIOS: [&str; 4] =
    ["EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet", "EC2-VPC-EBS", "EC2-VPC-EBS-Subnet"];

/// Refuses a scenario that an action has not. AWS was seen to take scenarios whose resources are
/// not all named, and so does this.
pub fn check_handling(
    actions: &[String],
    resources: &[String],
    option: Option<&str>,
) -> Result<()> {
    let Some(option) = option.filter(|_| names_resources(resources)) else { return Ok(()) };
    let supported = |action: &str| {
        SCENARIOS.contains(&option) && action.eq_ignore_ascii_case("ec2:RunInstances")
    };
    match actions.iter().find(|action| !supported(action)) {
        None => Ok(()),
        Some(action) => Err(invalid(format!(
            "Invalid input resource handling options. Action does not support resource handling \
             options: {action}."
        ))),
    }
}

/// The SCPs of `OrderedOrganizationPolicyInputList`, root first.
pub fn levels(levels: Option<Vec<OrderedOrganizationPolicyType>>) -> Result<Vec<Arc<PolicySet>>> {
    let mut sets = Vec::new();
    for (index, level) in (1..).zip(levels.unwrap_or_default()) {
        let texts = level.service_control_policy_input_list.unwrap_or_default();
        if texts.is_empty() {
            return Err(invalid(format!(
                "Organization policy at index {index} must contain at least one service control \
                 policy"
            )));
        }
        let parse = |(place, text): (usize, String)| {
            let id = format!("OrderedOrganizationPolicyInputList.{index}.{}", place + 1);
            let refusal = format!("Organization policy at index {index} has invalid content");
            Source::parse(id, text, DocumentKind::Scp).map_err(|_| invalid(refusal))
        };
        let sources: Result<Vec<Source>> = texts.into_iter().enumerate().map(parse).collect();
        sets.push(Arc::new(set_of(sources?.iter())));
    }
    Ok(sets)
}

/// The caller of `CallerArn`: a user, a role or a group, of any account.
pub fn caller(cx: &Context, text: &str) -> Result<Caller> {
    let refusal =
        || invalid("Invalid caller - Caller must be an IAM user, role or group in this context.");
    let arn = Arn::parse(text).ok_or_else(refusal)?;
    let kind = match arn.split_resource() {
        Some(("user", _)) => Kind::User,
        Some(("group", _)) => Kind::Group,
        Some(("role", _)) => Kind::Role,
        _ => return Err(refusal()),
    };
    if arn.service != "iam" || arn.account_id().is_none() || arn.resource_name().is_empty() {
        return Err(refusal());
    }
    source::named_caller(cx, kind, text)
}

/// The account of `ResourceOwner`, an ARN of the account or of something in it.
pub fn owner(text: &str) -> Result<String> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "iam" && !arn.resource.is_empty());
    let account = arn.and_then(|arn| arn.account_id());
    account.map(str::to_owned).ok_or_else(|| invalid("Invalid Resource Owner."))
}

/// Puts the resource policy into the scenario: it needs a caller to name and resources to be of.
pub fn set_resource_policy(
    scenario: &mut Scenario,
    text: Option<String>,
    resources: &[String],
) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    if !scenario.caller.named {
        return Err(invalid("Invalid caller - Caller cannot be null or empty."));
    }
    if !names_resources(resources) {
        return Err(invalid("Invalid Entity Arn: * does not clearly define entity type and name."));
    }
    scenario.set_resource_policy(Some(super::resource_policy(text)?));
    Ok(())
}

/// The place of the first action of the page.
pub fn start(marker: Option<&str>) -> Result<usize> {
    let refusal = || invalid("Invalid marker for pagination.");
    let Some(marker) = marker else { return Ok(0) };
    let place = page::start(Some(marker), &INVALID_INPUT).map_err(|_| refusal())?;
    place.and_then(|place| place.parse().ok()).ok_or_else(refusal)
}

pub fn marker(place: usize) -> String {
    page::marker(&place.to_string())
}
