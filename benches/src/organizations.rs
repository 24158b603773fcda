//! An organization of ten accounts beside one of ten thousand in a thousand units with two thousand
//! service control policies: what lists, moves and decisions cost, and what the server holds.
//!
//! `PALISADE_BENCH_ACCOUNTS=10,200` measures other sizes.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::process::{self, Server, exchange};
use crate::report::{Table, count, micros, times};
use crate::sign::{AccessKey, Signer};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const SIZES: &str = "10,10000";
const TARGET: &str = "AWSOrganizationsV20161128";
/// Accounts of one unit, and policies attached to it.
const UNIT_ACCOUNTS: usize = 10;
const UNIT_POLICIES: usize = 2;
/// Accounts that are asked for at once, which is as many as may be under way.
const AT_ONCE: usize = 5;
/// The account whose root user is measured as a member.
const MEMBER: &str = "100000000001";
const MOVES: usize = 100;
const ROUND: Duration = Duration::from_secs(4);
const WAIT: Duration = Duration::from_secs(60);

/// What was measured at one size.
struct Figures {
    accounts: usize,
    making_seconds: f64,
    page_micros: f64,
    list_mib: f64,
    decision: Load,
    move_micros: f64,
    next_micros: f64,
    resident_mib: f64,
    stored_bytes: f64,
}

pub fn run(palisade: &Path, folder: &Path) -> Result<Table> {
    let sizes = std::env::var("PALISADE_BENCH_ACCOUNTS").unwrap_or_else(|_| SIZES.to_owned());
    let mut all = Vec::new();
    for size in sizes.split(',') {
        let size: usize = size.trim().parse()?;
        all.push(measure(palisade, &folder.join(format!("organization-{size}")), size)?);
    }
    let head = [
        "accounts",
        "a page of ListAccounts",
        "memory that listing all adds",
        "a member's call, p50",
        "calls/s",
        "MoveAccount",
        "the member's next call",
        "resident",
        "bytes for each account on disk",
        "making each",
    ];
    let mut table = Table::new("Organizations: ten accounts beside ten thousand", &head);
    for of in &all {
        table.row(&[
            count(of.accounts as f64),
            micros(of.page_micros),
            format!("{:.1} MiB", of.list_mib),
            micros(of.decision.p50_micros),
            count(of.decision.per_second),
            micros(of.move_micros),
            micros(of.next_micros),
            format!("{:.0} MiB", of.resident_mib),
            count(of.stored_bytes),
            micros(of.making_seconds * 1e6 / of.accounts as f64),
        ]);
    }
    if let [first, .., last] = all.as_slice() {
        let slower = last.decision.p50_micros / first.decision.p50_micros;
        let name = "a member's call, the largest organization by the smallest";
        table.goal(name, "≤ 1.2 ×", times(slower), 1.2 / slower);
        let slower = last.page_micros / first.page_micros;
        let name = "a page of accounts, the same";
        table.goal(name, "≤ 1.5 ×", times(slower), 1.5 / slower);
    }
    table.note(format!(
        "{UNIT_ACCOUNTS} accounts in each unit, {UNIT_POLICIES} service control policies attached \
         to each unit. A page has 20 accounts. The member's call is iam:ListAccountAliases by its \
         root user, one client; the next call is the first one after a move. Bytes on disk are \
         those of the data folder beyond an empty one, audit events included, by accounts. The \
         accounts are made with CreateAccount, {AT_ONCE} at a time."
    ));
    Ok(table)
}

/// The organization's management account, by its root user.
struct Management<'a> {
    server: &'a Server,
    key: AccessKey,
}

impl Management<'_> {
    fn call(&self, operation: &str, input: &Value) -> Result<Value> {
        call(self.server, &self.key, operation, input)
    }
}

fn call(server: &Server, key: &AccessKey, operation: &str, input: &Value) -> Result<Value> {
    let signer = Signer::new(key, "organizations", &server.host());
    let request = signer.json(&format!("{TARGET}.{operation}"), &input.to_string());
    let answer = exchange(server.address, &request)?;
    Ok(if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer)? })
}

fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    let found = value.pointer(path).and_then(Value::as_str);
    found.ok_or_else(|| format!("no {path} in {value}").into())
}

fn measure(palisade: &Path, folder: &Path, size: usize) -> Result<Figures> {
    let server = process::palisade(palisade, folder, &["--lab"])?;
    let management = Management { server: &server, key: process::root_key(folder)? };
    management.call("CreateOrganization", &json!({}))?;
    let root = management.call("ListRoots", &json!({}))?;
    let root = text(&root, "/Roots/0/Id")?.to_owned();
    let enable = json!({ "RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    management.call("EnablePolicyType", &enable)?;
    let member = join(&server, folder, &management)?;
    let before = stored(folder)?;
    let began = Instant::now();
    // The management account and the member count too.
    let made = size.saturating_sub(2).max(1);
    let units = grow(&management, &root, made)?;
    let making_seconds = began.elapsed().as_secs_f64();
    let stored_bytes = (stored(folder)? - before) / made as f64;

    let resident = server.resident_mib()?;
    let began = Instant::now();
    let pages = list(&management)?;
    let page_micros = began.elapsed().as_secs_f64() * 1e6 / pages as f64;
    let list_mib = (server.resident_mib()? - resident).max(0.0);

    let first = units.first().ok_or("no unit")?;
    let moved = |from: &str, to: &str| {
        let input =
            json!({ "AccountId": MEMBER, "SourceParentId": from, "DestinationParentId": to });
        management.call("MoveAccount", &input)
    };
    moved(&root, first)?;
    let form = "Action=ListAccountAliases&Version=2010-05-08";
    let request = Signer::new(&member, "iam", &server.host()).form(form);
    let decision = load::run(server.address, vec![request], 1, Until::Elapsed(ROUND))?;

    let (mut moves, mut nexts) = (Vec::new(), Vec::new());
    let mut place = first.clone();
    for turn in 0..MOVES {
        let to = units.get(turn * 7 % units.len()).filter(|to| **to != place).unwrap_or(&root);
        let began = Instant::now();
        moved(&place, to)?;
        moves.push(began.elapsed().as_secs_f64() * 1e6);
        place.clone_from(to);
        let began = Instant::now();
        server.call(&member, "iam", form)?;
        nexts.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Figures {
        accounts: size,
        making_seconds,
        page_micros,
        list_mib,
        decision,
        move_micros: crate::report::median(&moves),
        next_micros: crate::report::median(&nexts),
        resident_mib: server.resident_mib()?,
        stored_bytes,
    })
}

/// An account with a root key, which joins by invitation.
fn join(server: &Server, folder: &Path, management: &Management<'_>) -> Result<AccessKey> {
    let key = server.create_account(folder, MEMBER)?;
    let input = json!({ "Target": { "Id": MEMBER, "Type": "ACCOUNT" } });
    let asked = management.call("InviteAccountToOrganization", &input)?;
    let handshake = json!({ "HandshakeId": text(&asked, "/Handshake/Id")? });
    call(server, &key, "AcceptHandshake", &handshake)?;
    Ok(key)
}

/// Makes so many accounts, in units with policies. Answers the units.
fn grow(management: &Management<'_>, root: &str, size: usize) -> Result<Vec<String>> {
    let mut units = Vec::new();
    for unit in 0..size.div_ceil(UNIT_ACCOUNTS) {
        let input = json!({ "ParentId": root, "Name": format!("unit {unit}") });
        let made = management.call("CreateOrganizationalUnit", &input)?;
        let id = text(&made, "/OrganizationalUnit/Id")?.to_owned();
        for policy in 0..UNIT_POLICIES {
            let content = json!({
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Deny", "Action": format!("s3:Get{unit}x{policy}*"), "Resource": "*",
                },
            });
            let input = json!({
                "Name": format!("policy {unit} {policy}"), "Description": "",
                "Type": "SERVICE_CONTROL_POLICY", "Content": content.to_string(),
            });
            let made = management.call("CreatePolicy", &input)?;
            let input = json!({
                "PolicyId": text(&made, "/Policy/PolicySummary/Id")?, "TargetId": id,
            });
            management.call("AttachPolicy", &input)?;
        }
        units.push(id);
    }
    for begin in (0..size).step_by(AT_ONCE) {
        let mut asked = Vec::new();
        for number in begin..size.min(begin + AT_ONCE) {
            let email = format!("account-{number}@example.com");
            let input = json!({ "Email": email, "AccountName": format!("account {number}") });
            let made = management.call("CreateAccount", &input)?;
            asked.push((number, text(&made, "/CreateAccountStatus/Id")?.to_owned()));
        }
        for (number, request) in asked {
            let account = wait(management, &request)?;
            let unit = units.get(number / UNIT_ACCOUNTS).ok_or("no unit")?;
            let input = json!({
                "AccountId": account, "SourceParentId": root, "DestinationParentId": unit,
            });
            management.call("MoveAccount", &input)?;
        }
    }
    Ok(units)
}

/// The id of an account once it is made.
fn wait(management: &Management<'_>, request: &str) -> Result<String> {
    let began = Instant::now();
    let input = json!({ "CreateAccountRequestId": request });
    while began.elapsed() < WAIT {
        let told = management.call("DescribeCreateAccountStatus", &input)?;
        match text(&told, "/CreateAccountStatus/State")? {
            "IN_PROGRESS" => std::thread::sleep(Duration::from_millis(1)),
            "SUCCEEDED" => return Ok(text(&told, "/CreateAccountStatus/AccountId")?.to_owned()),
            _ => return Err(format!("an account was not made: {told}").into()),
        }
    }
    Err("an account was not made in time".into())
}

/// Lists all accounts; how many pages that took.
fn list(management: &Management<'_>) -> Result<usize> {
    let (mut pages, mut input) = (0, json!({}));
    loop {
        let page = management.call("ListAccounts", &input)?;
        pages += 1;
        match page.get("NextToken") {
            Some(next) => input = json!({ "NextToken": next }),
            None => return Ok(pages),
        }
    }
}

/// Bytes of all files of the data folder.
fn stored(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { stored(&entry.path())? as u64 } else { about.len() };
    }
    Ok(bytes as f64)
}
