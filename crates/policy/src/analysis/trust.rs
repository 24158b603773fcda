//! Trust policies of roles.
//!
//! Source: the checks of role trust policies; "AWS JSON policy elements: Principal"; "Configuring a
//! role for GitHub OIDC identity provider", IAM User Guide.

use super::Analysis;
use super::glob::{covers, wildcard};
use super::key::{compares, comparing_key};
use super::lower;
use super::outline::{Sheet, Text, Who};
use crate::arn::Arn;
use crate::finding::Severity;

const GITHUB: &str = "token.actions.githubusercontent.com";

/// Keys that only one action sets, in lower case and as AWS writes the action.
const SET_BY: &[(&str, &str)] = &[
    ("aws:requesttag/", "sts:TagSession"),
    ("aws:tagkeys", "sts:TagSession"),
    ("sts:transitivetagkeys", "sts:TagSession"),
    ("sts:sourceidentity", "sts:SetSourceIdentity"),
];

/// What a federated principal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider<'t> {
    Saml,
    /// OpenID Connect, with the provider's host and path.
    OpenId(&'t str),
    Neither,
}

fn provider(text: &str) -> Provider<'_> {
    if let Some(arn) = Arn::parse(text) {
        return match arn.split_resource() {
            Some(("saml-provider", name)) if arn.service == "iam" && !name.is_empty() => {
                Provider::Saml
            }
            Some(("oidc-provider", host)) if arn.service == "iam" && !host.is_empty() => {
                Provider::OpenId(host)
            }
            _ => Provider::Neither,
        };
    }
    let label = |label: &str| {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(valid)
    };
    let host = text.split('/').next().unwrap_or_default();
    let is_domain = host.contains('.') && host.split('.').all(label);
    if is_domain { Provider::OpenId(text) } else { Provider::Neither }
}

impl Analysis<'_, '_> {
    pub(super) fn trust(&mut self, sheet: &Sheet<'_>) {
        let Some(principal) = &sheet.principal else { return };
        if principal.negated {
            let message = "Role trust policies do not support NotPrincipal. Update the policy to \
                use a Principal element instead.";
            let code = "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL";
            self.findings.error(code, principal.key_span, message);
        }
        if principal.entries.iter().any(|entry| entry.key == "*") {
            let message = "\"Principal:\" \"*\" is not supported in the principal element of a \
                role trust policy. Replace the wildcard with a valid principal value.";
            let code = "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL";
            self.findings.error(code, principal.span, message);
        }
        for value in principal.under("Federated") {
            if provider(&value.text) == Provider::Neither {
                let message = "The principal value specifies a federated principal that does not \
                    match the expected format. Update the federated principal to a domain name or \
                    a SAML metadata ARN.";
                let code = "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY";
                self.findings.error(code, value.span, message);
            }
        }
        self.actions_of_principals(sheet, principal);
        self.actions_of_keys(sheet);
        self.sessions_of_trusted_roles(principal);
        if sheet.allows() {
            self.roles_anywhere(sheet, principal);
            self.open_id(sheet, principal);
        }
    }

    /// Each way to assume a role is for one kind of principal.
    fn actions_of_principals(&mut self, sheet: &Sheet<'_>, principal: &Who<'_>) {
        for action in sheet.actions() {
            let lower = lower(action);
            let fits = |key: &str, text: &str| {
                let federated = key == "Federated";
                match &*lower {
                    "sts:assumerolewithsaml" => federated && provider(text) == Provider::Saml,
                    "sts:assumerolewithwebidentity" => {
                        federated && matches!(provider(text), Provider::OpenId(_))
                    }
                    "sts:assumerole" => !federated,
                    _ => true,
                }
            };
            let entries = principal.entries.iter();
            let wrong: Vec<_> =
                entries.filter(|entry| !fits(entry.key, &entry.value.text)).collect();
            if wrong.is_empty() {
                continue;
            }
            let names: Vec<&str> = wrong.iter().map(|entry| &*entry.value.text).collect();
            let message = format!(
                "The {} action is invalid with the following principal(s): {}. Use a SAML provider \
                 principal with the sts:AssumeRoleWithSAML action or use an OIDC provider \
                 principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is \
                 Federated if you use either of the two options.",
                action.text,
                names.join(", ")
            );
            let spans: Vec<_> = std::iter::once(action.span)
                .chain(wrong.iter().map(|entry| entry.value.span))
                .collect();
            let code = "MISMATCHED_ACTION_FOR_PRINCIPAL";
            self.findings.report(Severity::Error, code, &spans, message);
        }
    }

    fn actions_of_keys(&mut self, sheet: &Sheet<'_>) {
        if sheet.action.as_ref().is_none_or(|action| action.negated) {
            return;
        }
        for (key, action) in SET_BY {
            let Some(clause) = sheet.on(key).find(|clause| compares(clause)) else { continue };
            if !names_action(sheet, action) {
                let message = format!(
                    "The {action} action must be in the action block to allow setting values for \
                     the condition key {}. Add {action} to the action block.",
                    clause.key
                );
                let code = "MISSING_ACTION_FOR_CONDITION_KEY";
                self.findings.error(code, clause.key_span, message);
            }
        }
    }

    fn roles_anywhere(&mut self, sheet: &Sheet<'_>, principal: &Who<'_>) {
        let service = principal.under("Service").find(|it| it.is("rolesanywhere.amazonaws.com"));
        let Some(service) = service else { return };
        let wanted = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
        if !wanted.iter().all(|action| names_action(sheet, action)) {
            let message = "The rolesanywhere.amazonaws.com service principal requires the \
                sts:AssumeRole, sts:SetSourceIdentity, and sts:TagSession permissions to assume a \
                role. Add the missing permissions to the policy.";
            let code = "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY";
            self.findings.error(code, service.span, message);
        }
    }

    /// Whoever else the identity provider knows must be kept out by a condition.
    fn open_id(&mut self, sheet: &Sheet<'_>, principal: &Who<'_>) {
        for value in principal.under("Federated") {
            let Provider::OpenId(host) = provider(&value.text) else { continue };
            let prefix = format!("{}:", host.to_lowercase());
            let limited = sheet.clauses.iter().any(|clause| clause.lower.starts_with(&prefix));
            if !limited {
                let message = "Using an Open ID Connect principal without a condition can be \
                    overly permissive. Add condition keys with a prefix that matches your \
                    federated OIDC principals to ensure that only the intended identity provider \
                    assumes the role.";
                let code = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL";
                self.findings.security(code, value.span, message);
            }
            if host.eq_ignore_ascii_case(GITHUB) {
                self.github(sheet, value);
            }
        }
    }

    fn github(&mut self, sheet: &Sheet<'_>, principal: &Text<'_>) {
        let subject = format!("{GITHUB}:sub");
        if !comparing_key(sheet, &subject) {
            let message = "Granting a federated GitHub principal permissions without a condition \
                key can allow more sources to assume the role than you intended. Add the \
                token.actions.githubusercontent.com:sub condition key and specify the branch and \
                repository name in the value.";
            let code = "MISSING_GITHUB_REPO_CONDITION_KEY";
            self.findings.security(code, principal.span, message);
        }
        let branch = comparing_key(sheet, &format!("{GITHUB}:ref"));
        let subjects = sheet.on(&subject).flat_map(|clause| &clause.values);
        for value in subjects.filter(|value| too_many_sources(&value.text, branch)) {
            let message = "Using a wildcard (*) in token.actions.githubusercontent.com:sub can \
                allow requests from more sources than you intended. Specify the value of \
                token.actions.githubusercontent.com:sub with the repository and branch name. If \
                the subject claim does not include the branch, specify it in a \
                token.actions.githubusercontent.com:ref condition key.";
            let code = "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED";
            self.findings.warning(code, value.span, message);
        }
    }

    /// A session of a role that the statement trusts as a whole.
    fn sessions_of_trusted_roles(&mut self, principal: &Who<'_>) {
        let named = |text: &str| {
            let arn = Arn::parse(text)?;
            let (kind, name) = arn.split_resource()?;
            let role = match kind {
                "role" => name.rsplit('/').next()?,
                "assumed-role" => name.split('/').next()?,
                _ => return None,
            };
            Some((kind == "role", format!("{}/{role}", arn.account)))
        };
        let roles: Vec<_> = principal
            .under("AWS")
            .filter_map(|value| named(&value.text).map(|(whole, name)| (whole, name, value)))
            .collect();
        for (_, name, session) in roles.iter().filter(|(whole, ..)| !whole) {
            let parent = roles.iter().find(|(whole, other, _)| *whole && other == name);
            let Some((_, _, parent)) = parent else { continue };
            let message = format!(
                "The assumed-role principal {} is redundant with its parent role {}. Remove the \
                 assumed-role principal.",
                session.text, parent.text
            );
            let code = "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY";
            self.findings.suggestion(code, session.span, message);
        }
    }
}

/// Whether one of the statement's actions is, or covers, the named one.
fn names_action(sheet: &Sheet<'_>, action: &str) -> bool {
    let wanted = action.to_ascii_lowercase();
    sheet.actions().iter().any(|value| covers(&lower(value), &wanted))
}

/// Whether a subject (`repo:octo-org/octo-repo:ref:refs/heads/main`) leaves repository or branch
/// open.
fn too_many_sources(subject: &str, branch: bool) -> bool {
    let Some(at) = wildcard(subject) else { return false };
    let literal = subject.get(..at).unwrap_or_default();
    let mut parts = literal.splitn(3, ':').skip(1);
    let repository = parts.next().is_some_and(|name| name.contains('/'));
    let behind = parts.next();
    let named = behind.is_some_and(|rest| rest.len() > "ref:refs/heads/".len());
    !(repository && behind.is_some() && (branch || named))
}
