//! Decisions: `palisade_policy::decide` beside Cedar's authorizer, the same rules in both.

use crate::Result;
use crate::cedar;
use crate::report::{Table, median, micros, nanos, times};
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

/// Conditions of each statement where only the number of statements or principals grows.
pub const CONDITIONS_EACH: usize = 3;

/// The context keys of the request.
struct Keys {
    name: String,
}

impl ContextKeys for Keys {
    fn get(&self, key: &str) -> Lookup<'_> {
        if key == "aws:username" {
            return Lookup::one(&self.name);
        }
        let Some(family) = key.find(|letter: char| letter.is_ascii_digit()) else {
            return Lookup::Absent;
        };
        match key.get(..family) {
            Some("aws:principaltag/team") => Lookup::one("red"),
            Some("test:address") => Lookup::one("203.0.113.7"),
            Some("test:secure") => Lookup::one("true"),
            _ => Lookup::Absent,
        }
    }
}

/// What the statements of a policy have apart.
#[derive(Clone, Copy, PartialEq)]
pub enum Apart {
    /// Each is about a bucket of its own; only the last one's is asked for.
    Buckets,
    /// All are about everything, and only the last one's first condition holds.
    Conditions,
}

/// The bucket of a statement: only the last statement is about the one that is asked for.
pub fn bucket(index: usize, statements: usize) -> String {
    if index + 1 == statements { "wanted".to_owned() } else { format!("bucket-{index}") }
}

/// The tags that a statement's conditions take.
pub fn teams(index: usize, statements: usize, apart: Apart) -> [&'static str; 2] {
    match apart {
        Apart::Conditions if index + 1 < statements => ["green", "blue"],
        _ => ["red", "blue"],
    }
}

/// Statements of one policy document.
const STATEMENTS_MAX: usize = 100;

/// Policies whose last statement allows what is asked; all are about the service.
pub fn documents(statements: usize, conditions: usize, apart: Apart) -> Vec<String> {
    let statement = |index| {
        let action = if index % 3 == 0 { "s3:Get*" } else { "s3:GetObject" };
        let resource = match apart {
            Apart::Buckets => {
                format!("arn:aws:s3:::{}/${{aws:username}}/*", bucket(index, statements))
            }
            Apart::Conditions => "*".to_owned(),
        };
        let [one, other] = teams(index, statements, apart);
        let mut operators = [Vec::new(), Vec::new(), Vec::new()];
        for number in 0..conditions {
            operators[number % 3].push(match number % 3 {
                0 => format!(r#""aws:PrincipalTag/team{number}": ["{one}", "{other}"]"#),
                1 => format!(r#""test:address{number}": "203.0.113.0/24""#),
                _ => format!(r#""test:secure{number}": "true""#),
            });
        }
        let names = ["StringEquals", "IpAddress", "Bool"].iter().zip(&operators);
        let named = names.filter(|(_, keys)| !keys.is_empty());
        let operators: Vec<String> =
            named.map(|(name, keys)| format!(r#""{name}": {{{}}}"#, keys.join(","))).collect();
        format!(
            r#"{{"Effect": "Allow", "Action": ["{action}", "s3:PutObject"],
            "Resource": "{resource}", "Condition": {{{}}}}}"#,
            operators.join(",")
        )
    };
    let all: Vec<String> = (0..statements).map(statement).collect();
    let document = |part: &[String]| {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, part.join(","))
    };
    all.chunks(STATEMENTS_MAX).map(document).collect()
}

/// Someone who asks for a file of their own.
pub struct Caller {
    principal: Principal,
    arn: String,
    resource: String,
    keys: Keys,
}

impl Caller {
    pub fn new(name: &str) -> Self {
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        Self {
            principal: Principal::user(arn.as_str()),
            arn,
            resource: format!("arn:aws:s3:::wanted/{name}/report.csv"),
            keys: Keys { name: name.to_owned() },
        }
    }

    /// The same, asking for a file that no statement is about.
    fn astray(name: &str) -> Self {
        Self { resource: format!("arn:aws:s3:::bucket-x/{name}/report.csv"), ..Self::new(name) }
    }

    pub fn decide(&self, set: &PolicySet) -> bool {
        self.decide_by(&Policies { identity: Some(set), ..Policies::default() })
    }

    pub fn decide_by(&self, policies: &Policies<'_>) -> bool {
        let request = Request {
            principal: &self.principal,
            action: "s3:GetObject",
            resource: &self.resource,
            resource_account: Some(ACCOUNT),
            rule: ResourceRule::Ordinary,
            keys: &self.keys,
        };
        decide(black_box(&request), black_box(policies)).allowed()
    }
}

/// Nanoseconds of one decision.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Of many short runs the fastest, as other work on the machine can only slow one down.
    pub best: f64,
    /// The run in the middle.
    pub median: f64,
}

/// What a decision costs. `decision` is told which time it is called and must say that it came out
/// as it should.
pub fn cost(mut decision: impl FnMut(usize) -> bool) -> Cost {
    let mut rounds = 1;
    let mut calls = 0;
    let mut run = |rounds: u32| {
        let began = Instant::now();
        for _ in 0..rounds {
            assert!(black_box(decision(calls)), "a benchmark's decision came out wrong");
            calls += 1;
        }
        began.elapsed()
    };
    while run(rounds) < Duration::from_micros(200) && rounds < 1 << 20 {
        rounds *= 2;
    }
    let began = Instant::now();
    let mut runs = Vec::new();
    while began.elapsed() < Duration::from_millis(500) {
        runs.push(run(rounds).as_secs_f64() * 1e9 / f64::from(rounds));
    }
    Cost { best: runs.iter().copied().fold(f64::INFINITY, f64::min), median: median(&runs) }
}

/// The fastest of [`cost`].
pub fn measure(decision: impl FnMut(usize) -> bool) -> f64 {
    cost(decision).best
}

const HEAD: [&str; 6] = ["", "hit", "median", "miss", "Cedar, hit", "times faster"];

/// One row: the same rules in both, asked for what the last statement allows and what none does.
fn row(
    label: &str,
    statements: usize,
    conditions: usize,
    apart: Apart,
) -> Result<(Vec<String>, Cost, f64)> {
    let set = compile(&documents(statements, conditions, apart))?;
    let (caller, astray) = (Caller::new("ana"), Caller::astray("ana"));
    let hit = cost(|_| caller.decide(&set));
    let miss = match apart {
        Apart::Buckets => nanos(measure(|_| !astray.decide(&set))),
        Apart::Conditions => "–".to_owned(),
    };
    let peer = cedar::Account::new(1, statements, conditions, apart)?;
    let asked = peer.request("user-0")?;
    let theirs = measure(|_| peer.decide_own(&asked));
    let faster = theirs / hit.best;
    let cells =
        [label.to_owned(), nanos(hit.best), nanos(hit.median), miss, nanos(theirs), times(faster)];
    Ok((cells.to_vec(), hit, faster))
}

/// A principal with 1 to 1,000 statements.
pub fn statements() -> Result<Table> {
    let mut head = HEAD;
    head[0] = "statements";
    let mut table = Table::new("Decisions, by statements of three conditions", &head);
    for statements in [1, 10, 100, 1_000] {
        let (cells, hit, faster) =
            row(&statements.to_string(), statements, CONDITIONS_EACH, Apart::Buckets)?;
        table.row(&cells);
        if statements == 100 {
            let (name, wanted) = ("a decision at 100 statements of 3 conditions", "< 1 µs");
            table.goal(name, wanted, nanos(hit.median), 1_000.0 / hit.median);
            table.goal("the same, beside Cedar's", "≥ 10 × faster", times(faster), faster / 10.0);
        }
    }
    let label = "100, all about `*`";
    let (cells, hit, _) = row(label, 100, CONDITIONS_EACH, Apart::Conditions)?;
    table.row(&cells);
    let name = "the same where only conditions tell them apart";
    table.goal(name, "< 1 µs", nanos(hit.median), 1_000.0 / hit.median);
    table.note(
        "Each statement is about a folder of a bucket of its own, with a policy variable, and the \
         last one allows; a miss asks for a bucket that none is about. In the last row all are \
         about everything, and the first condition of all but the last does not hold: that is the \
         shape that no index helps with.",
    );
    Ok(table)
}

/// 100 statements of 0 to 10 conditions.
pub fn conditions() -> Result<Table> {
    let mut head = HEAD;
    head[0] = "conditions of each";
    let mut table = Table::new("Decisions, by conditions of each of 100 statements", &head);
    for conditions in [0, 1, 3, 5, 10] {
        table.row(&row(&conditions.to_string(), 100, conditions, Apart::Buckets)?.0);
    }
    Ok(table)
}

/// All kinds of policies at once.
pub fn kinds() -> Result<Table> {
    let mut table = Table::new(
        "Decisions, by kinds of policies of 100 statements each",
        &["kinds", "hit", "median"],
    );
    let text = documents(100, CONDITIONS_EACH, Apart::Buckets).concat();
    let own = compile_as(&[text.clone()], DocumentKind::Identity)?;
    let named = text.replace(r#""Action""#, r#""Principal": "*", "Action""#);
    let resource = compile_as(&[named.clone()], DocumentKind::Resource)?;
    let denying = named.replace("Allow", "Deny").replace("wanted", "unwanted");
    let levels = |set: &PolicySet| vec![std::sync::Arc::new(set.clone()); 3];
    let (scps, rcps) = (levels(&own), levels(&compile_as(&[denying], DocumentKind::Rcp)?));
    let caller = Caller::new("ana");
    let rows = [
        ("identity", Policies { identity: Some(&own), ..Policies::default() }),
        (
            "and boundary, session",
            Policies {
                identity: Some(&own),
                boundary: Some(&own),
                session: Some(&own),
                ..Policies::default()
            },
        ),
        (
            "and resource, VPC endpoint, SCPs and RCPs of three levels",
            Policies {
                identity: Some(&own),
                boundary: Some(&own),
                session: Some(&own),
                resource: Some(&resource),
                vpc_endpoint: Some(&resource),
                scps: &scps,
                rcps: &rcps,
                ..Policies::default()
            },
        ),
    ];
    for (label, policies) in rows {
        let cost = cost(|_| caller.decide_by(&policies));
        table.row(&[label.to_owned(), nanos(cost.best), nanos(cost.median)]);
    }
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
    for count in [1, 10, 100, 1_000, 10_000, 100_000] {
        let ours = ours_among(count)?;
        first.get_or_insert(ours);
        last = ours;
        let peer = cedar::Account::new(count, STATEMENTS_EACH, CONDITIONS_EACH, Apart::Buckets)?;
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
    let texts = documents(STATEMENTS_EACH, CONDITIONS_EACH, Apart::Buckets);
    let mut sets: HashMap<String, PolicySet> = HashMap::new();
    for index in 0..count {
        sets.insert(Caller::new(&name(index)).arn, compile(&texts)?);
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

pub fn compile(texts: &[String]) -> Result<PolicySet> {
    compile_as(texts, DocumentKind::Identity)
}

fn compile_as(texts: &[String], kind: DocumentKind) -> Result<PolicySet> {
    let policies = texts.iter().zip(0..).map(|(text, number)| {
        let policy = Policy::parse(text, kind).map_err(|error| error.to_string())?;
        Ok((format!("inline-{number}").into(), policy.compile()))
    });
    Ok(PolicySet::new(policies.collect::<Result<Vec<_>>>()?))
}
