//! `cargo xtask tidy`: the rules of the house that neither rustfmt nor clippy knows.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE_LINES_MAX: usize = 500;
const LINE_COLUMNS_MAX: usize = 100;

/// Text that must not appear in hand-written Rust, and why.
const BANNED: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "open an issue instead"),
    (concat!("FIX", "ME"), "open an issue instead"),
    (concat!("format!(\"", "<"), "XML is written by the protocol's writer"),
    (concat!("#[ign", "ore]"), "a test that is left out says why"),
];

pub fn run(root: &Path) -> Result<()> {
    println!("== house rules");
    let mut complaints = Vec::new();
    for path in hand_written(root)? {
        let text = std::fs::read_to_string(root.join(&path)).map_err(|error| error.to_string())?;
        look(&path, &text, &mut complaints);
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

/// The Rust files that git knows, but for what is generated.
fn hand_written(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .output()
        .map_err(|error| error.to_string())?;
    let paths = String::from_utf8_lossy(&output.stdout);
    let wanted = paths.lines().filter(|path| !path.contains("/generated/"));
    Ok(wanted.map(PathBuf::from).filter(|path| root.join(path).exists()).collect())
}

fn look(path: &Path, text: &str, complaints: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        let path = path.display();
        complaints.push(format!("{path}: {lines} lines; at most {FILE_LINES_MAX}, split it"));
    }
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), index + 1);
        if line.chars().count() > LINE_COLUMNS_MAX {
            complaints.push(format!("{}: longer than {LINE_COLUMNS_MAX} columns", place()));
        }
        for (banned, why) in BANNED {
            // Tests write requests by hand, XML among them.
            let in_test = why.starts_with("XML")
                && path.iter().any(|part| part == "tests" || part == "benches");
            if line.contains(banned) && !in_test {
                complaints.push(format!("{}: `{banned}`: {why}", place()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_noticed() {
        let check = |text: &str| {
            let mut complaints = Vec::new();
            look(Path::new("a.rs"), text, &mut complaints);
            complaints.len()
        };
        assert_eq!(check("fn fine() {}\n"), 0);
        assert_eq!(check(&"x\n".repeat(501)), 1);
        assert_eq!(check(&"x".repeat(101)), 1);
        for (banned, _) in BANNED {
            assert_eq!(check(banned), 1, "{banned}");
        }
    }

    #[test]
    fn the_repository_is_tidy() {
        run(&crate::root()).unwrap();
    }
}
