//! A folder of policy files, asked as if it were an account.
//!
//! ```text
//! users/ana/*.json          identity policies of user ana
//! users/ana/boundary.json   her permissions boundary
//! users/ana/groups          names of her groups, one a line
//! groups/devs/*.json        policies of group devs
//! roles/app/*.json          identity policies of role app
//! roles/app/trust.json      its trust policy
//! roles/app/boundary.json   its permissions boundary
//! resources/*.json          {"Arn": "arn:aws:s3:::app", "Policy": {…}}: policies of resources
//! scps/1-root/*.json        service control policies, a folder a level, in the order of names
//! ```
//!
//! The account is that of the ARNs that tests name, or `111122223333`.

use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, PolicySet, Principal, ResourceRule};
use palisade_services::iam::simulation::{Caller, Question, Scenario, Source, Verdict};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The account of principals that tests name without an ARN.
const ACCOUNT: &str = "111122223333";

/// The folder, read and checked.
pub struct Folder {
    root: PathBuf,
    levels: Vec<Arc<PolicySet>>,
    resources: Vec<(String, Source)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Resource {
    arn: String,
    policy: Box<RawValue>,
}

impl Folder {
    /// Reads what concerns everybody, and every file once: a folder with an unreadable policy is
    /// no base for an answer.
    pub fn open(root: &Path) -> Result<Self, String> {
        if !root.is_dir() {
            return Err(format!("{} is not a folder", root.display()));
        }
        let mut folder = Self { root: root.to_owned(), levels: Vec::new(), resources: Vec::new() };
        let known = ["users", "groups", "roles", "resources", "scps"];
        if !known.iter().any(|name| root.join(name).is_dir()) {
            return Err(format!("{} has none of {}", root.display(), known.join(", ")));
        }
        for level in folders(&root.join("scps"))? {
            let mut sources = Vec::new();
            for file in documents(&level)? {
                sources.push(folder.source(&file, DocumentKind::Scp)?);
            }
            let named = sources.iter().map(|one| (Arc::from(one.id.as_str()), one.policy.clone()));
            folder.levels.push(Arc::new(PolicySet::new(named)));
        }
        for file in documents(&root.join("resources"))? {
            let text = read(&file)?;
            let Resource { arn, policy } = serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let id = folder.label(&file);
            let source = Source::parse(id, policy.get().to_owned(), DocumentKind::Resource);
            let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
            folder.resources.push((arn, source));
        }
        for kind in ["users", "roles", "groups"] {
            for owner in folders(&root.join(kind))? {
                folder.policies(&owner)?;
                folder.single(&owner, "boundary.json", DocumentKind::Boundary)?;
                folder.single(&owner, "trust.json", DocumentKind::Trust)?;
            }
        }
        Ok(folder)
    }

    /// Answers one question.
    pub fn ask(&self, question: &Question) -> Result<Verdict, String> {
        let named = Arn::parse(&question.principal);
        let account = named.and_then(|arn| arn.account_id()).unwrap_or(ACCOUNT);
        let mut scenario = Scenario::new(account);
        scenario.whole = true;
        scenario.levels.clone_from(&self.levels);
        self.principal(&mut scenario, account, &question.principal)?;
        scenario.set_resource_policy(self.resource_policy(question)?);
        scenario.give(&question.context);
        Ok(scenario.answer(question))
    }

    fn principal(
        &self,
        scenario: &mut Scenario,
        account: &str,
        principal: &str,
    ) -> Result<(), String> {
        let root = format!("arn:aws:iam::{account}:root");
        if principal == "root" || principal == root {
            scenario.caller = Caller::named(Principal::root(&root), account, Vec::new());
            return Ok(());
        }
        let arn = Arn::parse(principal);
        let name = arn.map_or(principal, |arn| arn.resource_name());
        if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(format!("`{principal}` is not the name of a principal"));
        }
        let kind = arn.map(|arn| arn.resource_type());
        let (user, role) = (self.root.join("users").join(name), self.root.join("roles").join(name));
        let is_user = user.is_dir() && kind.is_none_or(|kind| kind == Some("user"));
        let is_role = role.is_dir() && kind.is_none_or(|kind| kind == Some("role"));
        let (owner, word) = match (is_user, is_role) {
            (true, _) => (user, "user"),
            (false, true) => (role, "role"),
            (false, false) => return Err(format!("there is no user and no role `{principal}`")),
        };
        let full = format!("arn:aws:iam::{account}:{word}/{name}");
        let full = arn.map_or(full, |_| principal.to_owned());
        let caller = if is_user { Principal::user(&full) } else { Principal::role(&full) };
        let mut caller = Caller::named(caller, name, Vec::new());
        // The files name principals by their ARNs, never by unique ids.
        caller.principal.unique_id = None;
        scenario.caller = caller;
        let mut policies = self.policies(&owner)?;
        for group in groups(&owner)? {
            policies.extend(self.policies(&self.root.join("groups").join(&group))?);
        }
        scenario.set_identity(policies);
        scenario.set_boundary(self.single(&owner, "boundary.json", DocumentKind::Boundary)?);
        Ok(())
    }

    fn resource_policy(&self, question: &Question) -> Result<Option<Source>, String> {
        let Question { action, resource, .. } = question;
        if ResourceRule::of(action, resource) == ResourceRule::TrustPolicy {
            let name = Arn::parse(resource).map_or("", |arn| arn.resource_name());
            let owner = self.root.join("roles").join(name);
            return self.single(&owner, "trust.json", DocumentKind::Trust);
        }
        let found = self.resources.iter().find(|(arn, _)| {
            resource == arn || resource.strip_prefix(arn).is_some_and(|rest| rest.starts_with('/'))
        });
        Ok(found.map(|(_, source)| source.clone()))
    }

    /// The identity policies in a principal's folder.
    fn policies(&self, owner: &Path) -> Result<Vec<Source>, String> {
        let special = ["boundary.json", "trust.json"];
        let mut sources = Vec::new();
        for file in documents(owner)? {
            if !special.iter().any(|name| file.ends_with(name)) {
                sources.push(self.source(&file, DocumentKind::Identity)?);
            }
        }
        Ok(sources)
    }

    fn single(
        &self,
        owner: &Path,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Option<Source>, String> {
        let file = owner.join(name);
        if file.is_file() { self.source(&file, kind).map(Some) } else { Ok(None) }
    }

    fn source(&self, file: &Path, kind: DocumentKind) -> Result<Source, String> {
        let source = Source::parse(self.label(file), read(file)?, kind);
        source.map_err(|error| format!("{}: {error}", file.display()))
    }

    /// How a file is called in answers: its path in the folder.
    fn label(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// The names of a user's groups.
fn groups(owner: &Path) -> Result<Vec<String>, String> {
    let file = owner.join("groups");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = read(&file)?;
    let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// What stands in a folder, by name; nothing when it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let wrong = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        paths.push(entry.map_err(wrong)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn documents(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    Ok(entries(folder)?.into_iter().filter(is_json).collect())
}
