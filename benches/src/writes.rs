//! Durable writes: iam:TagUser from 32 clients, in accounts that grow.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::process::{self, Server};
use crate::report::{Table, count, median, micros};
use crate::sign::{AccessKey, Signer};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CLIENTS: usize = 32;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
/// AWS's quota of users in an account: further users go to further accounts.
const USERS_PER_ACCOUNT: usize = 5_000;
/// Users that are there before any growth, so that there is something to write to.
const USERS_FIRST: usize = 64;
const SIZES: [usize; 3] = [0, 10_000, 100_000];
/// Different requests, signed ahead for each round.
const REQUESTS: usize = 40_000;

/// All accounts and how many users are in them.
struct Plane {
    server: Server,
    folder: PathBuf,
    roots: Vec<AccessKey>,
    users: usize,
}

pub fn run(palisade: &Path, folder: &Path) -> Result<Table> {
    let folder = folder.join("writes");
    let server = process::palisade(palisade, &folder, &["--lab"])?;
    let mut plane = Plane { server, folder, roots: Vec::new(), users: 0 };
    let head = ["users", "writes/s", "p50", "p99", "of the first", "creating users, each/s"];
    let mut table = Table::new("Durable writes: iam:TagUser from 32 clients", &head);
    let mut first = f64::NAN;
    let (mut slowest, mut last) = (f64::INFINITY, f64::NAN);
    for size in SIZES {
        let created = plane.grow(USERS_FIRST + size)?;
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            rounds.push(plane.tag(round)?);
        }
        let of = |figure: fn(&Load) -> f64| {
            let values: Vec<f64> = rounds.iter().map(figure).collect();
            median(&values)
        };
        let rate = of(|load| load.per_second);
        slowest = slowest.min(rate);
        last = rate;
        if size == 0 {
            first = rate;
        }
        table.row(&[
            count(size as f64),
            count(rate),
            micros(of(|load| load.p50_micros)),
            micros(of(|load| load.p99_micros)),
            crate::report::percent(rate / first),
            if size == 0 { "–".to_owned() } else { count(created) },
        ]);
    }
    table.goal("durable writes/s, the slowest", "≥ 5,000", count(slowest), slowest / 5_000.0);
    let flat = last / first;
    let name = "the same, 100,000 users by none";
    table.goal(name, "≥ 90 %", crate::report::percent(flat), flat / 0.9);
    table.note(format!(
        "Every answer is on disk (SQLite, `synchronous=FULL`) with its audit event and decision. \
         AWS's quota is {USERS_PER_ACCOUNT} users for an account, so the users are spread over \
         accounts made in lab mode; each account's root tags its own. {USERS_FIRST} more users \
         are there from the beginning. Which user is tagged is random among all."
    ));
    Ok(table)
}

impl Plane {
    fn host(&self) -> String {
        self.server.host()
    }

    /// Creates users until there are so many. Answers how many a second.
    fn grow(&mut self, wanted: usize) -> Result<f64> {
        while self.roots.len() * USERS_PER_ACCOUNT < wanted {
            let id = format!("{}", 200_000_000_000 + self.roots.len());
            self.roots.push(self.server.create_account(&self.folder, &id)?);
        }
        let signers = self.signers();
        let create = |index: usize| {
            let form = format!("Action=CreateUser&Version=2010-05-08&UserName=u{index}");
            signers.get(index / USERS_PER_ACCOUNT).map(|signer| signer.form(&form))
        };
        let requests: Vec<Bytes> = (self.users..wanted).filter_map(create).collect();
        let load = load::run(self.server.address, requests, CLIENTS, Until::Sent)?;
        self.users = wanted;
        Ok(load.per_second)
    }

    fn tag(&self, round: usize) -> Result<Load> {
        let signers = self.signers();
        let mut random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_add(round as u64);
        let mut requests = Vec::with_capacity(REQUESTS);
        for turn in 0..REQUESTS {
            random = xorshift(random);
            let user = (random % self.users as u64) as usize;
            let Some(signer) = signers.get(user / USERS_PER_ACCOUNT) else { continue };
            requests.push(signer.form(&format!(
                "Action=TagUser&Version=2010-05-08&UserName=u{user}\
                 &Tags.member.1.Key=round&Tags.member.1.Value={round}-{turn}"
            )));
        }
        load::run(self.server.address, requests, CLIENTS, Until::Elapsed(ROUND))
    }

    fn signers(&self) -> Vec<Signer> {
        self.roots.iter().map(|root| Signer::new(root, "iam", &self.host())).collect()
    }
}

fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    state
}
