//! Decisions: `palisade_policy::decide` beside Cedar's authorizer, the same rules in both.

use crate::Result;
use crate::cedar;
use crate::report::{Table, micros, nanos, times};
use palisade_policy::{
    ContextKeys, DocumentKind, Lookup, Policies, Policy, PolicySet, Principal, Request,
    ResourceRule, decide,
};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

pub const ACCOUNT: &str = "111122223333";
/// Statements of each principal where the account grows.
pub const STATEMENTS_EACH: usize = 2;
/// How many of an account's principals ask, in turn.
const ASKING: usize = 1_000;

/// The context keys of the request.
struct Keys {
    name: String,
}

impl ContextKeys for Keys {
    fn get(&self, key: &str) -> Lookup<'_> {
        match key {
            "aws:sourceip" => Lookup::one("203.0.113.7"),
            "aws:principaltag/team" => Lookup::one("red"),
            "aws:securetransport" => Lookup::one("true"),
            "aws:username" => Lookup::one(&self.name),
            _ => Lookup::Absent,
        }
    }
}

/// The bucket of a statement: only the last statement is about the one that is asked for.
pub fn bucket(index: usize, statements: usize) -> String {
    if index + 1 == statements { "wanted".to_owned() } else { format!("bucket-{index}") }
}

/// A policy whose last statement allows what is asked; all are about the service.
fn document(statements: usize) -> String {
    let statement = |index| {
        let bucket = bucket(index, statements);
        let action = if index % 3 == 0 { "s3:Get*" } else { "s3:GetObject" };
        let condition = match index % 3 {
            0 => r#"{"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}"#,
            1 => r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            _ => r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
        };
        format!(
            r#"{{"Effect": "Allow", "Action": ["{action}", "s3:PutObject"],
            "Resource": "arn:aws:s3:::{bucket}/${{aws:username}}/*", "Condition": {condition}}}"#
        )
    };
    let all: Vec<String> = (0..statements).map(statement).collect();
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, all.join(","))
}

/// Someone who asks for a file of their own.
struct Caller {
    principal: Principal,
    arn: String,
    resource: String,
    keys: Keys,
}

impl Caller {
    fn new(name: &str) -> Self {
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        Self {
            principal: Principal::user(arn.as_str()),
            arn,
            resource: format!("arn:aws:s3:::wanted/{name}/report.csv"),
            keys: Keys { name: name.to_owned() },
        }
    }

    fn decide(&self, set: &PolicySet) -> bool {
        let request = Request {
            principal: &self.principal,
            action: "s3:GetObject",
            resource: &self.resource,
            resource_account: Some(ACCOUNT),
            rule: ResourceRule::Ordinary,
            keys: &self.keys,
        };
        let policies = Policies { identity: Some(set), ..Policies::default() };
        decide(black_box(&request), black_box(&policies)).allowed()
    }
}

/// Nanoseconds of one decision: of many short runs the fastest, as other work on the machine can
/// only slow one down. `decision` is told which time it is called and must say allowed.
pub fn measure(mut decision: impl FnMut(usize) -> bool) -> f64 {
    let mut rounds = 1;
    let mut calls = 0;
    let mut run = |rounds: u32| {
        let began = Instant::now();
        for _ in 0..rounds {
            assert!(black_box(decision(calls)), "a benchmark's decision must be allowed");
            calls += 1;
        }
        began.elapsed()
    };
    while run(rounds) < Duration::from_millis(1) && rounds < 1 << 20 {
        rounds *= 2;
    }
    let began = Instant::now();
    let mut best = f64::INFINITY;
    while began.elapsed() < Duration::from_millis(700) {
        best = best.min(run(rounds).as_secs_f64() * 1e9 / f64::from(rounds));
    }
    best
}

/// A principal with 1, 10 and 100 statements.
pub fn statements() -> Result<Table> {
    let mut table = Table::new(
        "Decisions, by statements",
        &["statements", "Palisade", "Cedar", "times faster"],
    );
    let caller = Caller::new("ana");
    let mut least = f64::INFINITY;
    for statements in [1, 10, 100] {
        let set = compile(&document(statements))?;
        let ours = measure(|_| caller.decide(&set));
        let peer = cedar::Account::new(1, statements)?;
        let asked = peer.request("user-0")?;
        let theirs = measure(|_| peer.decide_own(&asked));
        least = least.min(theirs / ours);
        table.row(&[statements.to_string(), nanos(ours), nanos(theirs), times(theirs / ours)]);
    }
    table.goal("a decision, beside Cedar's", "≥ 5 × faster", times(least), least / 5.0);
    Ok(table)
}

/// 10 to 100,000 principals in the account: find the caller's policy set, then decide.
pub fn principals() -> Result<Table> {
    let mut table = Table::new(
        "Decisions, by principals in the account",
        &[
            "principals",
            "Palisade",
            "Cedar, a set for each principal",
            "times faster",
            "Cedar, one set for the account",
        ],
    );
    let mut first = None;
    let mut last = f64::NAN;
    for count in [10, 100, 1_000, 10_000, 100_000] {
        let ours = ours_among(count)?;
        first.get_or_insert(ours);
        last = ours;
        let peer = cedar::Account::new(count, STATEMENTS_EACH)?;
        let asked: Vec<_> =
            sample(count).map(|index| peer.request(&name(index))).collect::<Result<_>>()?;
        let own = measure(|turn| peer.decide_own(&asked[turn % asked.len()]));
        let whole = measure(|turn| peer.decide_whole(&asked[turn % asked.len()]));
        table.row(&[
            count.to_string(),
            nanos(ours),
            nanos(own),
            times(own / ours),
            micros(whole / 1_000.0),
        ]);
    }
    let growth = last / first.unwrap_or(f64::NAN);
    // Nothing walks the account, but a larger map is further from the processor: twice is flat.
    let name = "a decision among 100,000 principals";
    table.goal(name, "≤ 2 × that among 10", times(growth), 2.0 / growth);
    Ok(table)
}

fn ours_among(count: usize) -> Result<f64> {
    let text = document(STATEMENTS_EACH);
    let mut sets: HashMap<String, PolicySet> = HashMap::new();
    for index in 0..count {
        sets.insert(Caller::new(&name(index)).arn, compile(&text)?);
    }
    let callers: Vec<Caller> = sample(count).map(|index| Caller::new(&name(index))).collect();
    Ok(measure(|turn| {
        let caller = &callers[turn % callers.len()];
        sets.get(&caller.arn).is_some_and(|set| caller.decide(set))
    }))
}

pub fn name(index: usize) -> String {
    format!("user-{index}")
}

/// Principals from all over the account.
fn sample(count: usize) -> impl Iterator<Item = usize> {
    let asking = count.min(ASKING);
    (0..asking).map(move |turn| turn * (count / asking))
}

fn compile(text: &str) -> Result<PolicySet> {
    let policy = Policy::parse(text, DocumentKind::Identity).map_err(|e| format!("{e:?}"))?;
    Ok(PolicySet::of("inline", &policy.compile()))
}
