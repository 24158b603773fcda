//! Signed requests over loopback: Palisade, bare hyper without and with SigV4, and moto.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::process::{self, Server, element, free_address, root_key};
use crate::report::{Table, count, median, micros, percent, times};
use crate::sign::{AccessKey, Signer};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
/// Different requests, signed ahead.
const REQUESTS: usize = 512;
/// Users whom iam:GetUser asks for, beside the caller.
const USERS: usize = 256;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"},
    {"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"},
    {"Effect":"Deny","Action":"iam:*","Resource":"*",
     "Condition":{"NotIpAddress":{"aws:SourceIp":["127.0.0.0/8","10.0.0.0/8"]}}}]}"#;

struct Contender {
    name: &'static str,
    server: Server,
    key: AccessKey,
}

#[derive(Clone, Copy)]
enum Asked {
    GetCallerIdentity,
    GetUser,
}

/// What was measured of one server in one round.
#[derive(Clone, Copy)]
struct Measured {
    load: Load,
    cpu_micros: f64,
}

pub fn run(palisade: &Path, folder: &Path) -> Result<Vec<Table>> {
    let contenders = contenders(palisade, folder)?;
    let asked = [
        ("Requests: sts:GetCallerIdentity", Asked::GetCallerIdentity),
        ("Requests: iam:GetUser", Asked::GetUser),
    ];
    asked.into_iter().map(|(title, asked)| compare(title, &contenders, asked)).collect()
}

fn contenders(palisade: &Path, folder: &Path) -> Result<Vec<Contender>> {
    let (grouped, synced) = (folder.join("grouped"), folder.join("synced"));
    let server = process::palisade(palisade, &grouped, &[])?;
    let key = prepare(&server, &root_key(&grouped)?)?;
    let ours = Contender { name: "Palisade", server, key: key.clone() };
    let server = process::palisade(palisade, &synced, &["--audit-reads", "synced"])?;
    let synced_key = prepare(&server, &root_key(&synced)?)?;
    let synced = Contender { name: "Palisade, `synced`", server, key: synced_key };
    let server = bare("bare", None)?;
    let plain = Contender { name: "bare hyper", server, key: key.clone() };
    let server = bare("signed", Some(&key))?;
    let signed = Contender { name: "bare hyper + SigV4", server, key: key.clone() };
    let moto = Contender { name: "moto_server", server: moto(&key)?, key };
    Ok(vec![ours, synced, plain, signed, moto])
}

fn bare(kind: &str, key: Option<&AccessKey>) -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(kind).arg(address.to_string());
    if let Some(key) = key {
        command.args([&key.id, &key.secret]);
    }
    Server::start(command, address)
}

fn moto(key: &AccessKey) -> Result<Server> {
    let server = process::moto()?;
    create_users(&server, key)?;
    Ok(server)
}

/// A user with a policy, who is the caller, and users to ask for.
fn prepare(server: &Server, root: &AccessKey) -> Result<AccessKey> {
    let version = "Version=2010-05-08";
    server.call(root, "iam", &format!("Action=CreateUser&{version}&UserName=ana"))?;
    let policy = percent_encoded(POLICY);
    server.call(
        root,
        "iam",
        &format!(
            "Action=PutUserPolicy&{version}&UserName=ana&PolicyName=reader&PolicyDocument={policy}"
        ),
    )?;
    let form = format!("Action=CreateAccessKey&{version}&UserName=ana");
    let made = server.call(root, "iam", &form)?;
    create_users(server, root)?;
    Ok(AccessKey { id: element(&made, "AccessKeyId")?, secret: element(&made, "SecretAccessKey")? })
}

fn create_users(server: &Server, key: &AccessKey) -> Result<()> {
    let signer = Signer::new(key, "iam", &server.host());
    let form =
        |index| format!("Action=CreateUser&Version=2010-05-08&Path=/team/&UserName=u{index}");
    let requests = (0..USERS).map(|index| signer.form(&form(index))).collect();
    load::run(server.address, requests, 4, Until::Sent).map(drop)
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn compare(title: &'static str, contenders: &[Contender], asked: Asked) -> Result<Table> {
    let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, measured) in contenders.iter().zip(&mut rounds) {
            measured.push(measure(contender, asked)?);
        }
    }
    let figures: Vec<[f64; 4]> = rounds.iter().map(|rounds| medians(rounds)).collect();
    let rate = |name: &str| {
        let place = contenders.iter().position(|contender| contender.name == name);
        place.and_then(|place| figures.get(place)).map_or(f64::NAN, |[rate, ..]| *rate)
    };
    let (signed, moto) = (rate("bare hyper + SigV4"), rate("moto_server"));
    let head =
        ["server", "requests/s", "p50", "p99", "server CPU each", "of bare + SigV4", "of moto"];
    let mut table = Table::new(title, &head);
    for (contender, [rate, p50, p99, cpu]) in contenders.iter().zip(&figures) {
        table.row(&[
            contender.name.to_owned(),
            count(*rate),
            micros(*p50),
            micros(*p99),
            micros(*cpu),
            percent(rate / signed),
            times(rate / moto),
        ]);
    }
    let ours = rate("Palisade");
    let (of_signed, of_moto) = (ours / signed, ours / moto);
    let names = match asked {
        Asked::GetCallerIdentity => ["GetCallerIdentity, of bare + SigV4", "the same, of moto"],
        Asked::GetUser => ["GetUser, of bare + SigV4", "the same, of moto"],
    };
    table.goal(names[0], "≥ 70 %", percent(of_signed), of_signed / 0.7);
    table.goal(names[1], "≥ 100 ×", times(of_moto), of_moto / 100.0);
    Ok(table)
}

fn measure(contender: &Contender, asked: Asked) -> Result<Measured> {
    let Contender { server, key, .. } = contender;
    let (service, connections) = match asked {
        Asked::GetCallerIdentity => ("sts", CONNECTIONS),
        Asked::GetUser => ("iam", CONNECTIONS),
    };
    let signer = Signer::new(key, service, &server.host());
    let request = |index: usize| match asked {
        Asked::GetCallerIdentity => {
            signer.form(&format!("Action=GetCallerIdentity&Version=2011-06-15&Turn={index}"))
        }
        Asked::GetUser => {
            let user = index % USERS;
            signer.form(&format!("Action=GetUser&Version=2010-05-08&UserName=u{user}&Turn={index}"))
        }
    };
    let requests = (0..REQUESTS).map(request).collect();
    let before = server.cpu_seconds()?;
    let load = load::run(server.address, requests, connections, Until::Elapsed(ROUND))?;
    let cpu = server.cpu_seconds()? - before;
    // The processor time is of the whole round, the rate of its counted part.
    let cpu_micros = cpu * 1e6 / (load.per_second * ROUND.as_secs_f64());
    Ok(Measured { load, cpu_micros })
}

fn medians(rounds: &[Measured]) -> [f64; 4] {
    let of = |figure: fn(&Measured) -> f64| {
        let values: Vec<f64> = rounds.iter().map(figure).collect();
        median(&values)
    };
    [
        of(|measured| measured.load.per_second),
        of(|measured| measured.load.p50_micros),
        of(|measured| measured.load.p99_micros),
        of(|measured| measured.cpu_micros),
    ]
}
