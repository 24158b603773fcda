//! Replays every hand-written case of `cases/*.jsonl`: outcome, denying layer, and that the trace
//! agrees with the decision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use palisade_policy::{Case, Layer, Outcome};
use std::collections::BTreeSet;
use std::path::Path;

fn layer_name(layer: Layer) -> String {
    serde_json::to_value(layer).unwrap().as_str().unwrap().to_owned()
}

fn check(case: &Case) -> Result<(), String> {
    let id = &case.id;
    let expected = case.expected.ok_or_else(|| format!("{id}: nothing expected"))?;
    case.source.as_ref().ok_or_else(|| format!("{id}: no source"))?;
    let answer = case.answer();
    if answer.decision != expected {
        return Err(format!("{id}: {answer:?}, expected {expected:?}"));
    }
    let denied_by = answer.denied_by.map(layer_name);
    if case.expected_denied_by.is_some() && denied_by != case.expected_denied_by {
        return Err(format!("{id}: by {denied_by:?}, expected {:?}", case.expected_denied_by));
    }
    if denied_by.is_some() != (answer.decision != Outcome::Allowed) {
        return Err(format!("{id}: {answer:?}"));
    }
    let trace = case.explain();
    if trace.decision != case.decide() {
        return Err(format!("{id}: the trace says {:?}", trace.decision));
    }
    Ok(())
}

#[test]
fn every_case_is_decided_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut ids = BTreeSet::new();
    let mut failures = Vec::new();
    for file in files {
        for (line, text) in (1..).zip(std::fs::read_to_string(&file).unwrap().lines()) {
            let place = format!("{}:{line}", file.file_name().unwrap().to_string_lossy());
            match Case::parse(text) {
                Ok(case) => {
                    failures.extend(check(&case).err().map(|error| format!("{place}: {error}")));
                    assert!(ids.insert(case.id.clone()), "{place}: {} stands twice", case.id);
                }
                Err(error) => failures.push(format!("{place}: {error}")),
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert!(ids.len() >= 650, "only {} cases", ids.len());
}
