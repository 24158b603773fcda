//! The ARNs of a statement's resources.

use super::Analysis;
use super::glob::overlaps;
use super::outline::{Sheet, Text};
use super::region::{PARTITIONS, is_region};
use crate::arn::is_account_id;
use crate::document::DocumentKind;
use crate::knowledge::ResourceFacts;

/// How many fields an ARN has.
const FIELDS: usize = 6;

impl Analysis<'_, '_> {
    pub(super) fn resource_arns(&mut self, sheet: &Sheet<'_>) {
        if self.kind == DocumentKind::Trust {
            return;
        }
        for value in sheet.resource.iter().flat_map(|resource| &resource.values) {
            if !value.is("*") {
                self.resource_arn(value);
            }
        }
    }

    fn resource_arn(&mut self, value: &Text<'_>) {
        let fields = fields(&value.text);
        let [prefix, rest @ ..] = fields.as_slice() else { return };
        if *prefix != "arn" {
            let message = "Add the required prefix (arn) to the resource ARN.";
            self.findings.error("INVALID_ARN_PREFIX", value.span, message);
            return;
        }
        let [partition, service, region, account, resource] = rest else {
            let message = format!(
                "Resource ARNs must include at least {FIELDS} fields in the following structure: \
                 arn:partition:service:region:account:resource"
            );
            self.findings.error("MISSING_ARN_FIELD", value.span, message);
            return;
        };
        if !is_open(partition) && !PARTITIONS.contains(partition) {
            let message = format!(
                "The resource ARN for the service {service} does not support the partition \
                 {partition}. Use the supported values: [{}]",
                PARTITIONS.join(", ")
            );
            self.findings.error("INVALID_PARTITION", value.span, message);
        }
        if service.contains(['*', '?']) {
            let message = "Avoid using wildcards (*, ?) in the service name because it might grant \
                unintended access to other AWS services with similar names.";
            self.findings.suggestion("WILDCARD_IN_SERVICE_NAME", value.span, message);
            return;
        }
        self.resource_for_type(value, service);
        if !region.is_empty() && !is_open(region) && !is_region(region) {
            let message = format!(
                "The Region {region} is not valid for this resource. Update the resource ARN to \
                 include a supported Region."
            );
            self.findings.error("INVALID_ARN_REGION", value.span, message);
        }
        if !self.knows_services() || is_open(service) {
            self.account(value, account, &[]);
            return;
        }
        let knowledge = self.knowledge;
        let Some(types) = knowledge.resources(service) else {
            self.unknown_service(value, service);
            self.account(value, account, &[]);
            return;
        };
        self.account(value, account, types);
        self.resource_type(value, [service, region, account, resource], types);
    }

    fn unknown_service(&mut self, value: &Text<'_>, service: &str) {
        let lower = service.to_ascii_lowercase();
        if lower != service && self.knowledge.resources(&lower).is_some() {
            let message = format!(
                "Update the service name {service} in the resource ARN to use all lowercase \
                 letters."
            );
            self.findings.error("INVALID_ARN_SERVICE_CASE", value.span, message);
        } else if self.knowledge.service(service).is_none() {
            let message =
                format!("The service {service} does not exist. Use a valid service name.");
            self.findings.error("INVALID_SERVICE", value.span, message);
        }
    }

    fn account(&mut self, value: &Text<'_>, account: &str, types: &[ResourceFacts]) {
        // Some resources are AWS's own, or of an account that a service names so.
        let literal = |facts: &ResourceFacts| fields(&facts.template).get(4) == Some(&account);
        let known = account == "aws" || account == "cloudfront" || types.iter().any(literal);
        if !account.is_empty() && !is_open(account) && !is_account_id(account) && !known {
            let message = format!(
                "The resource ARN account ID {account} is not valid. Provide a 12-digit account ID."
            );
            self.findings.error("INVALID_ARN_ACCOUNT", value.span, message);
        }
    }

    /// Compares an ARN's last three fields with those that the service's types have.
    fn resource_type(
        &mut self,
        value: &Text<'_>,
        [service, region, account, resource]: [&str; 4],
        types: &[ResourceFacts],
    ) {
        let resource = opened(resource);
        let templates = types.iter().map(|facts| (facts, fields(&facts.template)));
        let fitting: Vec<_> = templates
            .filter(|(_, fields)| {
                fields.get(5).is_some_and(|wanted| overlaps(&opened_template(wanted), &resource))
            })
            .collect();
        let Some((first, _)) = fitting.first() else {
            let message = "Resource ARN does not match the expected ARN format. Update the \
                resource portion of the ARN.";
            self.findings.error("INVALID_ARN_RESOURCE", value.span, message);
            return;
        };
        let all = |at: usize, empty: bool| {
            fitting
                .iter()
                .all(|(_, fields)| fields.get(at).is_some_and(|field| field.is_empty() == empty))
        };
        if region.is_empty() && all(3, false) {
            let message = format!("Add a Region to the {service} resource ARN.");
            self.findings.error("MISSING_ARN_REGION", value.span, message);
        } else if !region.is_empty() && !is_open(region) && all(3, true) {
            let message = format!(
                "The service {service} does not support specifying a Region in the resource ARN."
            );
            self.findings.error("ARN_REGION_NOT_ALLOWED", value.span, message);
        }
        if account.is_empty() && all(4, false) {
            let message = format!(
                "The resource {} in the arn is missing an account id. Please provide a 12 digit \
                 account id.",
                first.kind
            );
            self.findings.error("MISSING_ARN_ACCOUNT", value.span, message);
        } else if !account.is_empty() && !is_open(account) && all(4, true) {
            let message = format!(
                "The service {service} does not support specifying an account ID in the resource \
                 ARN."
            );
            self.findings.error("ARN_ACCOUNT_NOT_ALLOWED", value.span, message);
        }
    }

    /// ARNs of another service in the policy of a resource whose type was named.
    fn resource_for_type(&mut self, value: &Text<'_>, service: &str) {
        let Some((resource_type, wanted)) = self.attached_to() else { return };
        if !is_open(service) && service != wanted {
            let message = format!(
                "The resource ARN is not supported for the resource-based policy attached to the \
                 resource type {resource_type}."
            );
            self.findings.error("UNSUPPORTED_RESOURCE_ARN_IN_POLICY", value.span, message);
        }
    }
}

/// Whether a field may stand for several texts.
fn is_open(field: &str) -> bool {
    field.contains(['*', '?']) || field.contains("${")
}

/// The first six fields of an ARN; colons inside `${…}` separate nothing.
fn fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::with_capacity(FIELDS);
    let mut inside = false;
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if text.get(..at).is_some_and(|before| before.ends_with('$')) => inside = true,
            b'}' => inside = false,
            b':' if !inside && fields.len() + 1 < FIELDS => {
                fields.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.extend(text.get(start..));
    fields
}

/// A resource with `*` in place of its variables.
fn opened(text: &str) -> String {
    replaced(text, "*")
}

/// A template in which each variable stands for at least one character.
fn opened_template(text: &str) -> String {
    replaced(text, "?*")
}

fn replaced(text: &str, by: &str) -> String {
    let mut pieces = text.split("${");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(by);
        out.push_str(piece.split_once('}').map_or("", |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_arns() {
        let text = "arn:aws:s3:::${aws:PrincipalTag/a:b}/x:y";
        assert_eq!(fields(text), ["arn", "aws", "s3", "", "", "${aws:PrincipalTag/a:b}/x:y"]);
        assert_eq!(fields("arn:aws"), ["arn", "aws"]);
        assert_eq!(opened("a/${b:c}/d${e"), "a/*/d*");
        assert_eq!(opened_template("role/${RoleNameWithPath}"), "role/?*");
    }
}
