//! Which IAM actions an AWS operation means, on which resources, under which condition keys; and
//! what each IAM prefix defines. Derived from the Service Authorization Reference by
//! `cargo xtask generate`; `models/authorization/overlay.toml` holds what was written by hand.
//!
//! # Member paths
//!
//! Rows name members of the operation's input by path: member names of the model with `.` to
//! descend, `[]` for each element of a list, `{}` for each key of a map: `Tags[].Key`. Paths with
//! `|` between are alternatives, of which the first that is present counts. A path that begins
//! with `=` is a fixed value.
//!
//! # Which resources
//!
//! An action without a resource row acts on `*`. A required row counts unless its value is an ARN
//! of another type. Rows that are not required are alternatives: one counts when the members that
//! fill its variables are present and of its type; one without variables counts only when it has a
//! `when` that holds. When none counts, the action acts on `*`.
//!
//! How a value fills an ARN: a value that is itself an ARN of the template's service and type
//! replaces the whole template, an ARN of another type means that the row's resource is not this
//! one; a URL gives its last path segment; any other value fills the variable as it is, without a
//! beginning that the template already has (`ou-`, `alias/`). A variable without a path is `*`.
//! `Partition`, `Region` and `Account` come from the request's surroundings. Where that is not how
//! AWS does it (paths of IAM users, aliases of keys), the service's `resources.rs` decides.

use crate::archive::{Archive, Entry};
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

static ARCHIVE: LazyLock<Archive> =
    LazyLock::new(|| Archive::open(include_bytes!("generated/authorization.bin")));

static PREFIXES: LazyLock<BTreeMap<&'static str, Lazy<Prefix>>> =
    LazyLock::new(|| blocks("prefix"));

static SERVICES: LazyLock<BTreeMap<&'static str, Lazy<Rows>>> = LazyLock::new(|| blocks("service"));

/// A block of the archive and, once somebody asked, what it says.
struct Lazy<T> {
    entry: &'static Entry,
    value: OnceLock<T>,
}

type Rows = BTreeMap<&'static str, Vec<ActionRow>>;

fn blocks<T>(kind: &str) -> BTreeMap<&'static str, Lazy<T>> {
    let entries = ARCHIVE.entries.iter().filter(|entry| entry.field(0) == kind);
    entries.map(|entry| (entry.field(1), Lazy { entry, value: OnceLock::new() })).collect()
}

/// One IAM action that an operation needs.
#[derive(Debug)]
pub struct ActionRow {
    /// `iam:CreateUser`
    pub action: &'static str,
    pub access: AccessLevel,
    /// The row counts only when this member is present; after a `!` only when it is absent. Empty:
    /// always.
    pub when: &'static str,
    /// The resource types it may act on; none: only `*`.
    pub resources: Vec<ResourceRow>,
    /// The service's condition keys, and `aws:TagKeys`, that members of the input give.
    pub condition_keys: Vec<(&'static str, &'static str)>,
    /// `aws:RequestTag/…` and `aws:TagKeys` apply.
    pub request_tags: bool,
    /// The member that holds the request's tags: a list of structures with key and value
    /// (`Tags[]`) or a map (`tags{}`); empty when the operation takes none.
    pub tag_member: &'static str,
    /// `aws:ResourceTag/…` applies.
    pub resource_tags: bool,
    /// What the Service Authorization Reference says the caller needs besides.
    pub dependent_actions: &'static [&'static str],
}

/// A resource type that an operation's action acts on.
#[derive(Debug)]
pub struct ResourceRow {
    /// `role`
    pub kind: &'static str,
    /// The prefix that defines it, e.g. `iam`.
    pub prefix: &'static str,
    pub template: &'static Template,
    /// The action always acts on one; otherwise only when the request names one.
    pub required: bool,
    /// As [`ActionRow::when`], for this resource alone.
    pub when: &'static str,
    /// Variable of the template → member path.
    pub variables: Vec<(&'static str, &'static str)>,
    pub condition_keys: &'static [&'static str],
}

impl ResourceRow {
    /// The path of the member that fills a variable.
    pub fn variable(&self, name: &str) -> Option<&'static str> {
        self.variables.iter().find(|(variable, _)| *variable == name).map(|(_, path)| *path)
    }
}

/// An ARN with variables: `arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`.
#[derive(Debug)]
pub struct Template {
    pub text: &'static str,
    pub parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Literal(&'static str),
    Variable(&'static str),
}

/// The access levels of the Service Authorization Reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    List,
    Read,
    Write,
    PermissionsManagement,
    Tagging,
}

/// What one IAM prefix defines.
#[derive(Debug)]
pub struct Prefix {
    /// `iam`
    pub name: &'static str,
    /// Resource control policies apply to it.
    pub rcp: bool,
    /// By name in lower case, as IAM compares actions.
    actions: BTreeMap<String, Action>,
    /// By name in lower case.
    resource_types: BTreeMap<String, ResourceType>,
    /// Condition key as the reference writes it → its type (`String`, `Bool`, `ArrayOfString`, …).
    pub condition_keys: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug)]
pub struct Action {
    /// Without the prefix: `CreateUser`.
    pub name: &'static str,
    /// `iam:CreateUser`
    pub full_name: String,
    pub access: AccessLevel,
    /// Resource types, and whether one is required.
    pub resource_types: Vec<(&'static str, bool)>,
    pub condition_keys: Vec<&'static str>,
    pub dependent_actions: Vec<&'static str>,
}

#[derive(Debug)]
pub struct ResourceType {
    pub kind: &'static str,
    pub template: Template,
    pub condition_keys: Vec<&'static str>,
}

impl Prefix {
    /// The actions, sorted by name.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    /// An action by its name without the prefix, ignoring case.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(&name.to_ascii_lowercase())
    }

    /// The resource types, sorted by name.
    pub fn resource_types(&self) -> impl Iterator<Item = &ResourceType> {
        self.resource_types.values()
    }

    pub fn resource_type(&self, kind: &str) -> Option<&ResourceType> {
        self.resource_types.get(&kind.to_ascii_lowercase())
    }
}

/// The rows of an operation of a service (botocore's name); `None` when neither the reference nor
/// the overlay knows an action for it.
pub fn rows(service: &str, operation: &str) -> Option<&'static [ActionRow]> {
    let lazy = SERVICES.get(service)?;
    let rows = lazy.value.get_or_init(|| service_rows(ARCHIVE.inflate(lazy.entry).leak()));
    rows.get(operation).map(Vec::as_slice)
}

/// All IAM prefixes, sorted.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    PREFIXES.keys().copied()
}

/// What an IAM prefix defines.
pub fn prefix(name: &str) -> Option<&'static Prefix> {
    let lazy = PREFIXES.get(name)?;
    Some(lazy.value.get_or_init(|| decode_prefix(lazy.entry)))
}

/// An action by its full name, ignoring case: `iam:createuser`.
pub fn action(full_name: &str) -> Option<&'static Action> {
    let (name, action) = full_name.split_once(':')?;
    prefix(&name.to_ascii_lowercase())?.action(action)
}

/// Whether resource control policies apply to the actions of a prefix.
pub fn rcp_supported(prefix: &str) -> bool {
    PREFIXES.get(prefix).is_some_and(|lazy| lazy.entry.field(2) == "rcp")
}

fn decode_prefix(entry: &'static Entry) -> Prefix {
    let block: &'static str = ARCHIVE.inflate(entry).leak();
    let mut keys: Vec<&'static str> = Vec::new();
    let mut prefix = Prefix {
        name: entry.field(1),
        rcp: entry.field(2) == "rcp",
        actions: BTreeMap::new(),
        resource_types: BTreeMap::new(),
        condition_keys: BTreeMap::new(),
    };
    for line in block.lines() {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        match next() {
            "K" => {
                let (key, kind) = (next(), next());
                keys.push(key);
                prefix.condition_keys.insert(key, kind);
            }
            "R" => {
                let (kind, template) = (next(), template(next()));
                let condition_keys = numbered(next(), &keys);
                let resource = ResourceType { kind, template, condition_keys };
                prefix.resource_types.insert(kind.to_ascii_lowercase(), resource);
            }
            _ => {
                let name = next();
                let action = Action {
                    name,
                    full_name: format!("{}:{name}", prefix.name),
                    access: level(next()),
                    resource_types: next().split_terminator(',').map(marked).collect(),
                    condition_keys: numbered(next(), &keys),
                    dependent_actions: next().split_terminator(' ').collect(),
                };
                prefix.actions.insert(name.to_ascii_lowercase(), action);
            }
        }
    }
    prefix
}

fn numbered(list: &str, keys: &[&'static str]) -> Vec<&'static str> {
    let numbers = list.split_terminator(' ').filter_map(|number| number.parse::<usize>().ok());
    numbers.filter_map(|number| keys.get(number).copied()).collect()
}

fn marked(kind: &'static str) -> (&'static str, bool) {
    match kind.strip_suffix('!') {
        Some(kind) => (kind, true),
        None => (kind, false),
    }
}

fn level(letter: &str) -> AccessLevel {
    match letter {
        "L" => AccessLevel::List,
        "R" => AccessLevel::Read,
        "P" => AccessLevel::PermissionsManagement,
        "T" => AccessLevel::Tagging,
        _ => AccessLevel::Write,
    }
}

fn template(text: &'static str) -> Template {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}').unwrap_or((after, ""));
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts.push(Part::Variable(variable));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Template { text, parts }
}

fn service_rows(block: &'static str) -> Rows {
    let mut rows = Rows::new();
    let mut operation = "";
    for line in block.lines() {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        match next() {
            "O" => operation = next(),
            "A" => {
                let (name, when, tags, keys) = (next(), next(), next(), pairs(next()));
                if let Some(row) = action(name).map(|action| action_row(action, when, tags, keys)) {
                    rows.entry(operation).or_default().push(row);
                }
            }
            _ => {
                let row = rows.get_mut(operation).and_then(|rows| rows.last_mut());
                let Some(row) = row else { continue };
                let (kind, required) = (next(), next() == "!");
                let (when, variables) = (next(), pairs(next()));
                row.resources.extend(resource_row(row.action, kind, required, when, variables));
            }
        }
    }
    rows
}

fn action_row(
    action: &'static Action,
    when: &'static str,
    tag_member: &'static str,
    condition_keys: Vec<(&'static str, &'static str)>,
) -> ActionRow {
    let has = |wanted: &str| {
        let matches = |key: &&str| key.to_ascii_lowercase().starts_with(wanted);
        action.condition_keys.iter().any(matches)
    };
    ActionRow {
        action: &action.full_name,
        access: action.access,
        when,
        resources: Vec::new(),
        condition_keys,
        request_tags: has("aws:requesttag") || has("aws:tagkeys"),
        tag_member,
        resource_tags: has("aws:resourcetag"),
        dependent_actions: &action.dependent_actions,
    }
}

fn resource_row(
    action: &'static str,
    kind: &'static str,
    required: bool,
    when: &'static str,
    variables: Vec<(&'static str, &'static str)>,
) -> Option<ResourceRow> {
    let own = action.split(':').next().unwrap_or_default();
    let (name, kind) = kind.split_once(':').unwrap_or((own, kind));
    let prefix = prefix(name)?;
    let found = prefix.resource_type(kind)?;
    Some(ResourceRow {
        kind: found.kind,
        prefix: prefix.name,
        template: &found.template,
        required,
        when,
        variables,
        condition_keys: &found.condition_keys,
    })
}

/// `name path;name path`
fn pairs(text: &'static str) -> Vec<(&'static str, &'static str)> {
    text.split_terminator(';').filter_map(|pair| pair.split_once(' ')).collect()
}

#[cfg(test)]
mod tests;
