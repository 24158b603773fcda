//! Prints nanoseconds per decision for identity policies of 1, 10 and 100 statements.
//!
//! `cargo run --release -p palisade-policy --example decide_speed`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an example ends by panicking")]

use palisade_policy::{
    ContextKeys, DocumentKind, Lookup, Policies, Policy, PolicySet, Principal, Request,
    ResourceRule, decide,
};
use std::hint::black_box;
use std::time::Instant;

struct Keys;

impl ContextKeys for Keys {
    fn get(&self, key: &str) -> Lookup<'_> {
        match key {
            "aws:sourceip" => Lookup::one("203.0.113.7"),
            "aws:principaltag/team" => Lookup::one("red"),
            "aws:securetransport" => Lookup::one("true"),
            "aws:username" => Lookup::one("ana"),
            _ => Lookup::Absent,
        }
    }
}

/// A policy whose last statement allows what is asked: every statement is about the service.
fn document(statements: usize) -> String {
    let mut parts = Vec::new();
    for index in 0..statements {
        let last = index + 1 == statements;
        let bucket = if last { "wanted".to_owned() } else { format!("bucket-{index}") };
        let action = if index % 3 == 0 { "s3:Get*" } else { "s3:GetObject" };
        let condition = match index % 3 {
            0 => r#"{"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}"#,
            1 => r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            _ => r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
        };
        parts.push(format!(
            r#"{{"Effect": "Allow", "Action": ["{action}", "s3:PutObject"],
            "Resource": "arn:aws:s3:::{bucket}/${{aws:username}}/*", "Condition": {condition}}}"#
        ));
    }
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, parts.join(","))
}

/// The best of many short runs: on a busy machine only the shortest are undisturbed.
fn measure(name: &str, decision: impl Fn() -> bool) {
    let rounds = 1_000;
    let mut best = f64::INFINITY;
    for _ in 0..400 {
        let start = Instant::now();
        for _ in 0..rounds {
            assert!(black_box(decision()));
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
    }
    println!("{name:<36}{best:>8.0} ns");
}

fn main() {
    let caller = Principal::user("arn:aws:iam::111122223333:user/ana");
    let request = Request {
        principal: &caller,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::wanted/ana/report.csv",
        resource_account: Some("111122223333"),
        rule: ResourceRule::Ordinary,
        keys: &Keys,
    };
    for statements in [1, 10, 100] {
        let policy = Policy::parse(&document(statements), DocumentKind::Identity).unwrap();
        let set = PolicySet::of("inline", &policy.compile());
        let policies = Policies { identity: Some(&set), ..Policies::default() };
        measure(&format!("{statements} statements, all of the service"), || {
            decide(black_box(&request), black_box(&policies)).allowed()
        });
        let other = Request { action: "sqs:SendMessage", ..request };
        measure(&format!("{statements} statements, none of the service"), || {
            !decide(black_box(&other), black_box(&policies)).allowed()
        });
    }
}
