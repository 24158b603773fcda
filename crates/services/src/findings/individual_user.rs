//! People come as themselves: as users, through an identity provider, or out of another account.

use super::document::{allows, named};
use super::state::State;
use super::{Affected, Check, Severity, root_arn};
use crate::context::Context;
use crate::iam::oidc_provider::OIDC_PROVIDERS;
use crate::iam::saml_provider::SAML_PROVIDERS;
use palisade_policy::{DocumentKind, PrincipalType};
use palisade_shape::Result;

pub static CHECK: Check = Check {
    id: "individual-users",
    title: "People have users of their own",
    severity: Severity::High,
    why: "Where there is nobody but the root user, everybody is the root user. Make a user for \
          each person, connect an identity provider, or let people in by a role.",
    reads: &["iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"],
    look,
};

fn look(cx: &mut Context, state: &State) -> Result<Option<Vec<Affected>>> {
    let comes = !state.users.is_empty()
        || !cx.scan(&SAML_PROVIDERS, "", None, 1)?.is_empty()
        || !cx.scan(&OIDC_PROVIDERS, "", None, 1)?.is_empty()
        || lets_someone_in(state)?;
    if comes {
        return Ok(Some(Vec::new()));
    }
    let why = "Only the root user can sign in to this account.";
    Ok(Some(vec![Affected::new(&root_arn(cx), why)]))
}

/// A role lets people in who have a user elsewhere.
fn lets_someone_in(state: &State) -> Result<bool> {
    for (role, _) in &state.roles {
        let Some(trust) = &role.assume_role_policy_document else { continue };
        let statements = allows(trust, DocumentKind::Trust)?;
        if statements.iter().any(|one| !named(one, PrincipalType::Aws).is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}
