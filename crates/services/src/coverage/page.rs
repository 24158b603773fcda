//! The ledger as the page docs/coverage.md.

use super::{ActionCoverage, KeyCoverage, Ledger};
use std::fmt::{self, Write as _};

/// The whole page.
#[must_use]
pub fn markdown(ledger: &Ledger) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, ledger);
    page
}

const HEAD: &str = "\
# What can be decided

Written by `cargo xtask coverage` from the tables that the pipeline works with; `palisade
coverage --output json` prints the same for programs, `palisade coverage POLICY…` says what of a
policy cannot be decided ([explain.md](explain.md)).

An action can be decided when an implemented operation asks for it. A call of any other is
refused with 501 before there is anything to decide. A condition key is **filled** wherever AWS
would fill it, **absent** where AWS would not fill it either, or **unresolvable**: AWS would know
it and Palisade does not, so whatever hangs on it is denied, in Allow and Deny statements alike
([decision 006](decisions/006-what-cannot-be-resolved.md)). A key that AWS documents for no action
in question is absent here as there.
";

fn write_page(out: &mut String, ledger: &Ledger) -> fmt::Result {
    writeln!(out, "{HEAD}\n## Global condition keys\n")?;
    writeln!(out, "| key | state | why |\n| --- | --- | --- |")?;
    for KeyCoverage { key, state, why } in &ledger.global_keys {
        writeln!(out, "| `{key}` | {state} | {} |", why.unwrap_or_default())?;
    }
    for prefix in &ledger.prefixes {
        let (known, name) = (prefix.actions.len(), prefix.prefix);
        let all = known + prefix.not_implemented.len();
        writeln!(out, "\n## `{name}`: {known} of {all} actions\n")?;
        writeln!(out, "| action | resource types | service keys |\n| --- | --- | --- |")?;
        for action in &prefix.actions {
            write_action(out, name, action)?;
        }
        if !prefix.not_implemented.is_empty() {
            let names = prefix.not_implemented.join(", ");
            writeln!(out, "\nAsked for by no implemented operation: {names}.")?;
        }
    }
    let actions: usize = ledger.not_implemented.iter().map(|(_, actions)| actions).sum();
    let prefixes = ledger.not_implemented.len();
    writeln!(out, "\n## Not implemented: {actions} actions of {prefixes} prefixes\n")?;
    let names = ledger.not_implemented.iter().map(|(name, actions)| format!("{name} {actions}"));
    writeln!(out, "{}.", names.collect::<Vec<_>>().join(", "))
}

fn write_action(out: &mut String, prefix: &str, action: &ActionCoverage) -> fmt::Result {
    let name = action.action.split_once(':').map_or(action.action, |(_, name)| name);
    let resources = action.resources.iter().map(|resource| match resource.undecided {
        None => resource.kind.to_owned(),
        Some(why) => format!("~~{}~~ ({why})", resource.kind),
    });
    let own = action.keys.iter().filter(|key| !key.key.starts_with("aws:"));
    let keys = own.map(|key| match key.why {
        None => format!("`{}`", short(key.key, prefix)),
        Some(_) => format!("`{}` {}", short(key.key, prefix), key.state),
    });
    let resources: Vec<String> = resources.collect();
    let keys: Vec<String> = keys.collect();
    writeln!(out, "| {name} | {} | {} |", resources.join(", "), keys.join(", "))
}

/// A key of the prefix's own service without it.
fn short<'k>(key: &'k str, prefix: &str) -> &'k str {
    key.strip_prefix(prefix).unwrap_or(key)
}
