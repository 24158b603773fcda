//! What policies cost before they are asked, and what a decision cannot do without.

use crate::Result;
use crate::cedar;
use crate::decisions::{Apart, CONDITIONS_EACH, Caller, compile, cost, documents, measure};
use crate::report::{Table, count, micros, nanos, times};
use palisade_policy::{DocumentKind, Policy, PolicySet};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Reading, compiling and indexing a policy, and what it then holds.
pub fn compiling() -> Result<Table> {
    let mut table = Table::new(
        "Policies: cold compile time and size",
        &["statements", "document", "parse", "compile and index", "bytes held", "Cedar, parse"],
    );
    for statements in [1, 10, 100, 1_000] {
        let texts = documents(statements, CONDITIONS_EACH, Apart::Buckets);
        let length: usize = texts.iter().map(String::len).sum();
        let parse = || {
            let texts = black_box(&texts).iter();
            let parsed = texts.map(|text| Policy::parse(text, DocumentKind::Identity));
            parsed.collect::<std::result::Result<Vec<_>, _>>()
        };
        let policies = parse().map_err(|error| error.to_string())?;
        let parsing = measure(|_| parse().is_ok());
        let build = || PolicySet::new(policies.iter().map(|it| ("inline".into(), it.compile())));
        let compiling = measure(|_| !build().is_empty());
        let region = Region::new(ALLOCATOR);
        let set = build();
        let change = region.change();
        let held = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
        drop(set);
        let rules = cedar::policies("user-0", statements, CONDITIONS_EACH, Apart::Buckets)?;
        let theirs = measure(|_| black_box(&rules).parse::<cedar_policy::PolicySet>().is_ok());
        table.row(&[
            statements.to_string(),
            format!("{} bytes", count(length as f64)),
            micros(parsing / 1_000.0),
            micros(compiling / 1_000.0),
            count(held as f64),
            micros(theirs / 1_000.0),
        ]);
    }
    table.note("The bytes include a copy of the parsed document, which traces and messages need.");
    Ok(table)
}

/// Texts that a decision at 100 statements cannot do without comparing, as two equal ones each.
fn compared() -> Vec<(String, String)> {
    let texts =
        ["s3", "getobject", "arn:aws:s3:::wanted/", "ana", "/", "red", "203.0.113.", "true"];
    texts.iter().map(|text| ((*text).to_owned(), (*text).to_owned())).collect()
}

/// How far a decision is above comparing what must be compared, and that it allocates nothing.
pub fn floor() -> Result<Table> {
    let mut table = Table::new("The floor", &["what", "measured"]);
    let set = compile(&documents(100, CONDITIONS_EACH, Apart::Buckets))?;
    let caller = Caller::new("ana");
    assert!(caller.decide(&set), "the decision must be allowed");
    let region = Region::new(ALLOCATOR);
    for _ in 0..10_000 {
        assert!(black_box(caller.decide(black_box(&set))), "the decision must be allowed");
    }
    let allocations = region.change().allocations;
    let decision = cost(|_| caller.decide(&set));
    let texts = compared();
    let bytes: usize = texts.iter().map(|(one, _)| one.len()).sum();
    let least = measure(|_| {
        black_box(&texts).iter().all(|(one, other)| black_box(one) == black_box(other))
    });
    let above = times(decision.best / least);
    for (what, measured) in [
        ("bytes that must be compared at 100 statements of 3 conditions", bytes.to_string()),
        ("comparing them and nothing else", nanos(least)),
        ("the decision", nanos(decision.best)),
        ("how far above the floor", above),
        ("allocations in 10,000 decisions", allocations.to_string()),
    ] {
        table.row(&[what.to_owned(), measured]);
    }
    let share = if allocations == 0 { 1.0 } else { 0.0 };
    table.goal("allocations of a decision", "0", allocations.to_string(), share);
    Ok(table)
}
