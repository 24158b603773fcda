//! Passing roles and making service-linked ones: what an identity policy allows too widely.

use super::Analysis;
use super::glob::{covers, has_wildcard};
use super::lower;
use super::outline::{Part, Sheet, Text};
use crate::document::DocumentKind;
use crate::finding::{Severity, Span};

/// One of the two actions, and what AWS says of it.
struct Privilege {
    action: &'static str,
    severity: Severity,
    /// A condition on it limits the action well enough.
    limited_by: &'static str,
    not_resource: Issue,
    star_action_not_resource: Issue,
    not_action_not_resource: Issue,
    star_resource: Issue,
    star_action_and_resource: Issue,
    star_resource_not_action: Issue,
}

type Issue = (&'static str, &'static str);

static PASS_ROLE: Privilege = Privilege {
    action: "iam:passrole",
    severity: Severity::SecurityWarning,
    limited_by: "iam:passedtoservice",
    not_resource: (
        "PASS_ROLE_WITH_NOT_RESOURCE",
        "Using the iam:PassRole action with NotResource can be overly permissive because it can \
         allow iam:PassRole permissions on multiple resources. We recommend that you specify \
         resource ARNs instead.",
    ),
    star_action_not_resource: (
        "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
        "Using an action with a wildcard (*) and NotResource can be overly permissive because it \
         can allow iam:PassRole permissions on multiple resources. We recommend that you specify \
         resource ARNs instead.",
    ),
    not_action_not_resource: (
        "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE",
        "Using NotAction with NotResource can be overly permissive because it can allow \
         iam:PassRole permissions on multiple resources.. We recommend that you specify resource \
         ARNs instead.",
    ),
    star_resource: (
        "PASS_ROLE_WITH_STAR_IN_RESOURCE",
        "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive \
         because it allows iam:PassRole permissions on multiple resources. We recommend that you \
         specify resource ARNs or add the iam:PassedToService condition key to your statement.",
    ),
    star_action_and_resource: (
        "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
        "Using wildcards (*) in the action and the resource can be overly permissive because it \
         allows iam:PassRole permissions on all resources. We recommend that you specify resource \
         ARNs or add the iam:PassedToService condition key to your statement.",
    ),
    star_resource_not_action: (
        "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
        "Using a resource with wildcards (*) and NotAction can be overly permissive because it \
         allows iam:PassRole permissions on all resources. We recommend that you specify resource \
         ARNs or add the iam:PassedToService condition key to your statement.",
    ),
};

static CREATE_SERVICE_LINKED_ROLE: Privilege = Privilege {
    action: "iam:createservicelinkedrole",
    severity: Severity::Warning,
    limited_by: "iam:awsservicename",
    not_resource: (
        "CREATE_SLR_WITH_NOT_RESOURCE",
        "Using the iam:CreateServiceLinkedRole action with NotResource can allow creation of \
         unintended service-linked roles for multiple resources. We recommend that you specify \
         resource ARNs instead.",
    ),
    star_action_not_resource: (
        "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
        "Using an action with a wildcard(*) and NotResource can allow creation of unintended \
         service-linked roles because it can allow iam:CreateServiceLinkedRole permissions on \
         multiple resources. We recommend that you specify resource ARNs instead.",
    ),
    not_action_not_resource: (
        "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE",
        "Using NotAction with NotResource can allow creation of unintended service-linked roles \
         because it allows iam:CreateServiceLinkedRole permissions on multiple resources. We \
         recommend that you specify resource ARNs instead.",
    ),
    star_resource: (
        "CREATE_SLR_WITH_STAR_IN_RESOURCE",
        "Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource can allow \
         creation of unintended service-linked roles. We recommend that you specify resource ARNs \
         instead.",
    ),
    star_action_and_resource: (
        "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
        "Using wildcards (*) in the action and the resource can allow creation of unintended \
         service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all \
         resources. We recommend that you specify resource ARNs instead.",
    ),
    star_resource_not_action: (
        "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
        "Using a resource with wildcards (*) and NotAction can allow creation of unintended \
         service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all \
         resources. We recommend that you specify resource ARNs instead.",
    ),
};

/// How an action is allowed.
enum By {
    Name(Span),
    Wildcard(Span),
    NotAction(Span),
}

impl Analysis<'_, '_> {
    pub(super) fn privileges(&mut self, sheet: &Sheet<'_>) {
        if self.kind != DocumentKind::Identity || !sheet.allows() {
            return;
        }
        for privilege in [&PASS_ROLE, &CREATE_SERVICE_LINKED_ROLE] {
            self.privilege(sheet, privilege);
        }
    }

    fn privilege(&mut self, sheet: &Sheet<'_>, privilege: &Privilege) {
        let (Some(action), Some(resource)) = (&sheet.action, &sheet.resource) else { return };
        let Some(by) = allowed(action, privilege.action) else { return };
        let (issue, spans) = if resource.negated {
            let (issue, span) = match by {
                By::Name(span) => (privilege.not_resource, span),
                By::Wildcard(span) => (privilege.star_action_not_resource, span),
                By::NotAction(span) => (privilege.not_action_not_resource, span),
            };
            (issue, [span, resource.span])
        } else {
            let open = resource.values.iter().find(|value| names_any_role(value));
            let Some(open) = open else { return };
            if super::key::comparing_key(sheet, privilege.limited_by) {
                return;
            }
            let (issue, span) = match by {
                By::Name(span) => (privilege.star_resource, span),
                By::Wildcard(span) => (privilege.star_action_and_resource, span),
                By::NotAction(span) => (privilege.star_resource_not_action, span),
            };
            (issue, [span, open.span])
        };
        let (code, message) = issue;
        self.findings.report(privilege.severity, code, &spans, message);
    }
}

fn allowed(action: &Part<'_>, wanted: &str) -> Option<By> {
    let mut matching = action.values.iter().filter(|value| covers(&lower(value), wanted));
    if action.negated {
        return matching.next().is_none().then_some(By::NotAction(action.span));
    }
    let found: Vec<&Text<'_>> = matching.collect();
    let wild = found.iter().find(|value| has_wildcard(&value.text));
    match wild {
        Some(value) => Some(By::Wildcard(value.span)),
        None => found.first().map(|value| By::Name(value.span)),
    }
}

/// Whether a resource names roles by nothing but a wildcard, a path of AWS's aside.
fn names_any_role(value: &Text<'_>) -> bool {
    let name = match value.text.splitn(6, ':').nth(5) {
        Some(resource) => resource.strip_prefix("role/").unwrap_or(resource),
        None => &value.text,
    };
    let begin = name.split(['*', '?', '$']).next().unwrap_or(name);
    let open = begin.len() < name.len();
    open && matches!(begin, "" | "role" | "aws-service-role/")
}
