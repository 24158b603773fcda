//! Derives the authorization rows of every operation: which IAM actions it means, on which resource
//! types, which members of its input fill the ARN and which give condition keys.
//!
//! The order is fixed: the overlay; an action of the operation's own name; the map of operations
//! whose action has another name. Variables of an ARN are matched by exact member name, then by
//! stem, then by the resource type's name, then a bare `Name`, `Arn` or `Id`.

use crate::Result;
use crate::generate::facts::{Action, Facts, Input, Operation, Prefix, Service, plain};
use crate::generate::overlay::{self, Overlay};
use std::collections::BTreeMap;

#[derive(Clone)]
pub struct Row {
    /// `iam:CreateUser`
    pub action: String,
    pub when: String,
    pub resources: Vec<Resource>,
    /// Condition key and the path of the member that gives it, or `=` and a fixed value.
    pub keys: Vec<(String, String)>,
    /// The member that holds the tags of the request.
    pub tags: String,
}

#[derive(Clone)]
pub struct Resource {
    /// The type's name; with its prefix and a colon when that is not the action's.
    pub kind: String,
    pub required: bool,
    /// As `Row::when`, for this resource alone.
    pub when: String,
    pub variables: Vec<(String, String)>,
}

/// The variables that are not filled from the request.
pub const GIVEN: &[&str] = &["partition", "region", "account"];

/// The IAM prefix under which most of the service's operations are actions.
pub fn prefix<'a>(facts: &'a Facts, name: &str, service: &Service) -> Option<&'a Prefix> {
    if let Some(prefix) = facts.overlay.prefixes.get(name) {
        return facts.prefixes.get(prefix);
    }
    let of = |key: &str| service.metadata.text(key);
    let mapped = facts.map_prefixes.get(&plain(of("serviceId"))).map(String::as_str);
    let candidates = [mapped.unwrap_or_default(), of("signingName"), name, of("endpointPrefix")];
    let mut best: Option<(usize, &Prefix)> = None;
    for prefix in candidates.iter().filter_map(|candidate| facts.prefixes.get(*candidate)) {
        let known =
            |operation: &&String| prefix.actions.contains_key(&operation.to_ascii_lowercase());
        let count = service.operations.keys().filter(known).count();
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, prefix));
        }
    }
    best.map(|(_, prefix)| prefix)
}

/// The rows of every operation of a service that has any.
pub fn rows(facts: &Facts, name: &str, service: &Service) -> Result<BTreeMap<String, Vec<Row>>> {
    let prefix = prefix(facts, name, service);
    let mut all = BTreeMap::new();
    for (operation_name, operation) in &service.operations {
        let context = Context { facts, service: name, prefix, operation };
        let rows = context.rows(operation_name);
        let rows = rows.map_err(|error| format!("{name}: {operation_name}: {error}"))?;
        if !rows.is_empty() {
            all.insert(operation_name.clone(), rows);
        }
    }
    for section in [&facts.overlay.rows, &facts.overlay.also] {
        for operation in section.get(name).iter().flat_map(|operations| operations.keys()) {
            if !service.operations.contains_key(operation) {
                return Err(format!("overlay: {name} has no operation {operation}"));
            }
        }
    }
    Ok(all)
}

struct Context<'a> {
    facts: &'a Facts,
    service: &'a str,
    prefix: Option<&'a Prefix>,
    operation: &'a Operation,
}

impl Context<'_> {
    fn rows(&self, operation: &str) -> Result<Vec<Row>> {
        let Overlay { rows, also, .. } = &self.facts.overlay;
        let listed = |section: &BTreeMap<String, BTreeMap<String, Vec<overlay::Row>>>| {
            section.get(self.service).and_then(|section| section.get(operation)).cloned()
        };
        let mut result = Vec::new();
        match listed(rows) {
            Some(rows) => {
                for row in &rows {
                    result.push(self.overlay_row(row)?);
                }
            }
            None => result = self.derived(operation),
        }
        for row in listed(also).iter().flatten() {
            result.push(self.overlay_row(row)?);
        }
        Ok(result)
    }

    fn derived(&self, operation: &str) -> Vec<Row> {
        let Some(prefix) = self.prefix else { return Vec::new() };
        let key = operation.to_ascii_lowercase();
        if let Some(action) = prefix.actions.get(&key) {
            let mut rows = vec![self.row(prefix, action)];
            rows.extend(self.passed_role(prefix, action));
            return rows;
        }
        let mapped = self.facts.map.get(&(prefix.name.clone(), key));
        let mut rows: Vec<Row> = Vec::new();
        for name in mapped.into_iter().flatten() {
            if let Some((prefix, action)) = self.facts.action(name) {
                let row = self.row(prefix, action);
                if rows.iter().all(|other| other.action != row.action) {
                    rows.push(row);
                }
            }
        }
        rows
    }

    fn row(&self, prefix: &Prefix, action: &Action) -> Row {
        let skip = self.facts.overlay.skip.get(self.service);
        let only = self.facts.overlay.only.get(self.service);
        let resources = action.resources.iter().filter_map(|(kind, required)| {
            let resource = prefix.resources.get(&kind.to_ascii_lowercase())?;
            if skip.is_some_and(|skip| skip.contains(&resource.kind)) {
                return None;
            }
            let names = variables(&resource.template);
            let filled = names.iter().enumerate().filter_map(|(index, variable)| {
                let last = index + 1 == names.len();
                let fit = Fit { kind: &resource.kind, variable, last, only: names.len() == 1 };
                Some((variable.to_string(), self.matching(prefix, &fit)?))
            });
            let variables = filled.collect();
            let mut when =
                only.and_then(|only| only.get(&resource.kind)).cloned().unwrap_or_default();
            if self.exists(when.trim_start_matches('!')).is_err() {
                // A member that the input does not have is always absent.
                if !when.starts_with('!') {
                    return None;
                }
                when.clear();
            }
            Some(Resource { kind: resource.kind.clone(), required: *required, when, variables })
        });
        let mut row = Row {
            action: format!("{}:{}", prefix.name, action.name),
            when: String::new(),
            resources: resources.collect(),
            keys: self.keys(prefix, action),
            tags: String::new(),
        };
        self.tags(action, &mut row);
        row
    }

    /// The role that the operation hands to a service, which needs `iam:PassRole`.
    fn passed_role(&self, prefix: &Prefix, action: &Action) -> Option<Row> {
        if !action.needs.iter().any(|action| action == "iam:PassRole") {
            return None;
        }
        let is_role = |input: &&Input| {
            let leaf = plain(&input.leaf);
            leaf.ends_with("rolearn") || leaf.ends_with("iamrole") || leaf == "role"
        };
        let role = self.operation.members.iter().find(is_role)?;
        let service = self.facts.overlay.passed_to.get(&prefix.name);
        let service = service.cloned().unwrap_or_else(|| format!("{}.amazonaws.com", prefix.name));
        Some(Row {
            action: "iam:PassRole".into(),
            when: role.path.clone(),
            resources: vec![Resource {
                kind: "role".into(),
                required: true,
                when: String::new(),
                variables: vec![("RoleNameWithPath".into(), role.path.clone())],
            }],
            keys: vec![("iam:PassedToService".into(), format!("={service}"))],
            tags: String::new(),
        })
    }

    fn overlay_row(&self, row: &overlay::Row) -> Result<Row> {
        let (prefix, action) =
            self.facts.action(&row.action).ok_or_else(|| format!("no action {}", row.action))?;
        let mut result = self.row(prefix, action);
        result.when = row.when.clone();
        self.exists(row.when.trim_start_matches('!'))?;
        if let Some(resources) = &row.resources {
            result.resources.clear();
            for resource in resources {
                result.resources.push(self.overlay_resource(prefix, resource)?);
            }
        }
        for (key, path) in &row.keys {
            self.exists(path)?;
            result.keys.retain(|(other, _)| other != key);
            result.keys.push((key.clone(), path.clone()));
        }
        result.keys.sort();
        Ok(result)
    }

    fn overlay_resource(&self, prefix: &Prefix, row: &overlay::Resource) -> Result<Resource> {
        let (prefix, kind) = match row.kind.split_once(':') {
            Some((other, kind)) => (self.facts.prefixes.get(other), kind),
            None => (Some(prefix), row.kind.as_str()),
        };
        let found = prefix.and_then(|prefix| prefix.resources.get(&kind.to_ascii_lowercase()));
        let found = found.ok_or_else(|| format!("no resource type {}", row.kind))?;
        let known = variables(&found.template);
        for (variable, path) in &row.variables {
            if !known.contains(&variable.as_str()) {
                return Err(format!("{} has no variable {variable}", row.kind));
            }
            self.exists(path)?;
        }
        let variables = row.variables.iter().map(|(name, path)| (name.clone(), path.clone()));
        Ok(Resource {
            kind: row.kind.clone(),
            required: row.required,
            when: String::new(),
            variables: variables.collect(),
        })
    }

    /// A path of the overlay must name a member of the input, or the beginning of one.
    fn exists(&self, path: &str) -> Result<()> {
        let begins = |input: &Input| {
            input.path.strip_prefix(path).is_some_and(|rest| {
                rest.is_empty() || path.is_empty() || rest.starts_with(['.', '[', '{'])
            })
        };
        let known = path.is_empty() || path.starts_with('=');
        if known || path.contains('|') && path.split('|').all(|path| self.exists(path).is_ok()) {
            return Ok(());
        }
        if self.operation.members.iter().any(begins) {
            return Ok(());
        }
        Err(format!("the input has no member {path}"))
    }

    /// The paths of the members that fill a variable, the first that is present winning.
    fn matching(&self, prefix: &Prefix, fit: &Fit<'_>) -> Option<String> {
        let by_hand = self.facts.overlay.variables.get(&prefix.name);
        let of_kind = format!("{}/{}", fit.kind, fit.variable);
        let by_hand = by_hand.and_then(|it| it.get(&of_kind).or_else(|| it.get(fit.variable)));
        if let Some(paths) = by_hand {
            let paths = paths.list().iter().map(String::as_str);
            let known: Vec<&str> = paths.filter(|path| self.exists(path).is_ok()).collect();
            if !known.is_empty() {
                return Some(known.join("|"));
            }
        }
        let members = self.operation.members.iter();
        let ranked =
            members.filter_map(|input| Some((rank(input, prefix, fit)?, input.depth(), input)));
        let ranked: Vec<_> = ranked.collect();
        let best = ranked.iter().map(|(rank, depth, _)| (*rank, *depth)).min()?;
        // A name and an ARN of the same thing are alternatives; guesses of the last rank are not.
        let alternative = |(rank, depth): (u8, usize)| depth == 0 && best.1 == 0 && rank <= 1;
        let mut paths = ranked.iter().filter(|(rank, depth, _)| (*rank, *depth) == best).take(1);
        let first = paths.next()?.2.path.as_str();
        let others = ranked.iter().filter(|(rank, depth, input)| {
            best.0 <= 1 && alternative((*rank, *depth)) && input.path != first
        });
        let all = std::iter::once(first).chain(others.map(|(_, _, input)| input.path.as_str()));
        Some(all.collect::<Vec<&str>>().join("|"))
    }

    fn keys(&self, prefix: &Prefix, action: &Action) -> Vec<(String, String)> {
        let by_hand = self.facts.overlay.keys.get(&prefix.name);
        let mut keys = Vec::new();
        let resource_keys = action
            .resources
            .iter()
            .filter_map(|(kind, _)| Some(&prefix.resources.get(&kind.to_ascii_lowercase())?.keys));
        let mut wanted: Vec<&String> = action.keys.iter().chain(resource_keys.flatten()).collect();
        wanted.sort();
        wanted.dedup();
        for key in wanted {
            let Some((family, name)) = key.split_once(':') else { continue };
            if family == "aws" {
                continue;
            }
            let name = plain(name.split(['/', '$']).next().unwrap_or_default());
            let listed = by_hand.and_then(|by_hand| by_hand.get(key));
            let listed = listed.iter().flat_map(|paths| paths.list());
            let listed = listed.filter(|path| path.starts_with('=') || self.exists(path).is_ok());
            let same = |input: &&Input| {
                !name.is_empty() && (plain(&input.leaf) == name || plain(&input.wire) == name)
            };
            let derived =
                self.operation.members.iter().filter(|input| input.depth() <= 1).find(same);
            let path = listed.map(String::as_str).next();
            if let Some(path) = path.or(derived.map(|input| input.path.as_str())) {
                keys.push((key.clone(), path.to_string()));
            }
        }
        keys
    }

    /// The member with the request's tags, and where its keys stand (`aws:TagKeys`).
    fn tags(&self, action: &Action, row: &mut Row) {
        if !takes_tags(action) {
            return;
        }
        for input in &self.operation.members {
            let parent = input.path.rsplit_once('.').map_or("", |(parent, _)| parent);
            let holder = plain(parent.rsplit('.').next().unwrap_or_default());
            let leaf = plain(&input.leaf);
            let names =
                ["tags", "tagset", "taglist", "resourcetags", "tagspecifications", "tagslist"];
            let list = names.contains(&holder.as_str()) || holder.ends_with("tags");
            if list && parent.ends_with("[]") && ["key", "tagkey"].contains(&leaf.as_str()) {
                row.tags = parent.to_string();
            } else if input.path.ends_with("{}") && (leaf.ends_with("tags") || leaf == "tagmap") {
                row.tags = input.path.clone();
            } else if !["tagkeys", "tagkeylist", "tagstoremove"].contains(&leaf.as_str()) {
                continue;
            }
            row.keys.push(("aws:TagKeys".into(), input.path.clone()));
            row.keys.sort();
            return;
        }
    }
}

/// A variable of the ARN of a resource type.
struct Fit<'a> {
    kind: &'a str,
    variable: &'a str,
    /// It is the last of the ARN, which names the resource itself; those before name its parents.
    last: bool,
    only: bool,
}

/// How well a member fits a variable; 0 is best.
fn rank(input: &Input, prefix: &Prefix, fit: &Fit<'_>) -> Option<u8> {
    let (variable, kind) = (plain(fit.variable), plain(fit.kind));
    let wanted = stem(&variable);
    let leaf = plain(&input.leaf);
    let own = stem(&leaf);
    let near = input.depth() <= 1 && !own.is_empty();
    if leaf == variable {
        Some(0)
    } else if near && (own == wanted || own == format!("{}{wanted}", plain(&prefix.name))) {
        Some(1)
    } else if fit.last && near && (own == kind || own == stem(&kind)) {
        Some(2)
    } else if fits_bare(fit, &leaf) && input.depth() == 0 && BARE.contains(&leaf.as_str()) {
        Some(3)
    } else {
        None
    }
}

/// A bare name can only be that of a resource without parents; an ARN brings its parents along.
fn fits_bare(fit: &Fit<'_>, leaf: &str) -> bool {
    fit.only || fit.last && (leaf.ends_with("arn") || leaf.ends_with("arns"))
}

/// Names that mean the resource itself, whatever it is.
const BARE: &[&str] = &[
    "arn",
    "id",
    "identifier",
    "name",
    "resource",
    "resourcearn",
    "resourceid",
    "resourceidentifier",
    "resourcename",
    "resources",
    "resourcearns",
];

/// Whether the action's conditions look at the tags of the request.
pub fn takes_tags(action: &Action) -> bool {
    let of_request = |key: &String| {
        let key = key.to_ascii_lowercase();
        key.starts_with("aws:requesttag") || key == "aws:tagkeys"
    };
    action.keys.iter().any(of_request)
}

/// A plain name without what says only that it names: `rolename` is `role`.
fn stem(name: &str) -> String {
    let mut stem = name;
    loop {
        let shorter = STEMS.iter().find_map(|suffix| stem.strip_suffix(suffix));
        match shorter {
            Some(shorter) if !shorter.is_empty() => stem = shorter,
            _ => return stem.to_string(),
        }
    }
}

/// What says of a name only that it names something, longer ones before their endings.
const STEMS: &[&str] = &[
    "withpath",
    "identifiers",
    "identifier",
    "names",
    "name",
    "arns",
    "arn",
    "urls",
    "url",
    "ids",
    "id",
];

/// The variables of an ARN template that come from the request, in order.
pub fn variables(template: &str) -> Vec<&str> {
    let parts = template.split("${").skip(1).filter_map(|part| part.split('}').next());
    parts.filter(|name| !GIVEN.contains(&name.to_ascii_lowercase().as_str())).collect()
}
