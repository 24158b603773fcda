//! How the server starts, and what it refuses to start with.

use crate::support::{Boto, Caller, Keys, Ran, Server, finish, have_boto3, palisade, skip};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// `palisade serve` that must not start: it has ten seconds to end.
fn refused(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = std::process::Command::new("timeout");
    command.arg("10").arg(palisade().get_program()).arg("serve").args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PALISADE_")) {
        command.env_remove(name);
    }
    command.arg("--data-dir").arg(folder).envs(variables.iter().copied());
    let ran = finish(&mut command);
    assert!(!matches!(ran.code, Some(0 | 124) | None), "{arguments:?} {variables:?}: {ran:?}");
    ran
}

/// Arguments, variables, and what the refusal must name.
type Nonsense<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn nonsense_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("bad.toml"), "listn = \"127.0.0.1:1\"\n").unwrap();
    let bad = path.join("bad.toml");
    let bad = bad.to_str().unwrap();
    let cases: [Nonsense<'_>; 8] = [
        (&["--no-such-option"], &[], "--no-such-option"),
        (&["--listen", "0.0.0.0:0"], &[], "not a loopback address"),
        (&["--listen", "[::]:0"], &[], "not a loopback address"),
        (&["--account-id", "12"], &[], "twelve digits"),
        (&["--config", bad], &[], "listn"),
        (&[], &[("PALISADE_NO_SUCH_OPTION", "1")], "PALISADE_NO_SUCH_OPTION"),
        (&["--store", "mysql://x"], &[], "mysql"),
        (
            &["--listen", "127.0.0.1:0"],
            &[
                ("PALISADE_ROOT_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA"),
                ("PALISADE_ROOT_SECRET_ACCESS_KEY", "secret"),
            ],
            "only lab mode",
        ),
    ];
    for (arguments, variables, part) in cases {
        let ran = refused(path, arguments, variables);
        assert!(ran.err.contains(part), "{arguments:?} {variables:?}: {}", ran.err);
    }
}

#[test]
fn a_production_folder_refuses_lab_mode() {
    let mut server = Server::start(&["--listen", "127.0.0.1:0"]);
    let (status, health) = server.plain("GET", "/_palisade/health", "", None);
    assert_eq!(status, 200);
    assert!(health.contains("\"mode\":\"production\""), "{health}");
    for (method, path) in [("POST", "reset"), ("PUT", "clock")] {
        assert_eq!(server.operator(method, path, Some(&json!({}))).0, 404, "{path}");
    }
    // Codes of the outbox make their reader root: here only the operator's token opens it.
    assert_eq!(server.plain("GET", "/_palisade/outbox", "", None).0, 403);
    assert_eq!(server.operator("GET", "outbox", None), (200, json!({ "messages": [] })));
    assert_eq!(server.terminate().code(), Some(0));
    let ran = refused(server.folder.path(), &["--lab", "--listen", "127.0.0.1:0"], &[]);
    assert!(ran.err.contains("production"), "{}", ran.err);
}

#[test]
fn what_is_secret_is_only_the_owners() {
    let server = Server::lab();
    for name in ["root-credentials.csv", "operator-token", "master.key"] {
        let file = std::fs::metadata(server.folder.path().join(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_server_told_to_stop_ends_well_and_starts_again() {
    let mut server = Server::lab();
    let began = Instant::now();
    let ended = server.terminate();
    assert_eq!(ended.code(), Some(0), "{ended}");
    assert!(began.elapsed() < Duration::from_secs(10));
    let down = server.palisade(&["health"]);
    assert_ne!(down.code, Some(0), "{down:?}");
    server.start_again();
    let up = server.palisade(&["health"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    // A second server on the same folder would write beside the first.
    let ran = refused(server.folder.path(), &["--lab", "--listen", "127.0.0.1:0"], &[]);
    assert!(!ran.err.is_empty());
}

#[test]
fn tls_is_made_and_trusted() {
    let test = "tls_is_made_and_trusted";
    if !have_boto3() {
        return skip(test, "boto3 is not installed");
    }
    let server = Server::start(&["--lab", "--listen", "127.0.0.1:0", "--tls", "auto"]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let env = server.palisade(&["env"]);
    let bundle = env.out.lines().find_map(|line| line.strip_prefix("export AWS_CA_BUNDLE="));
    let mut boto = Boto::start(&server.url);
    boto.ca_bundle = Some(bundle.expect("env names the bundle").to_owned());
    let root = Caller { boto: &boto, keys: server.root_keys() };
    let identity = root.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(identity["Account"], json!(server.account_id()));
    assert_eq!(server.palisade(&["health"]).code, Some(0));
    let events = root.ok("cloudtrail", "LookupEvents", json!({}));
    let event = events["Events"][0]["CloudTrailEvent"].as_str().expect("an event");
    let event: Value = serde_json::from_str(event).unwrap();
    let details = &event["tlsDetails"];
    assert_eq!(details["tlsVersion"], "TLSv1.3", "{event}");
    assert!(details["cipherSuite"].as_str().unwrap().starts_with("TLS_"), "{event}");
    assert_eq!(details["clientProvidedHostHeader"], json!(server.url.replace("https://", "")));
    let distrustful = Boto::start(&server.url);
    let root = Caller { boto: &distrustful, keys: server.root_keys() };
    let refusal = root.call("sts", "GetCallerIdentity", json!({})).unwrap_err();
    assert_eq!(refusal.code, "SSLError", "{}", refusal.text);
}

#[test]
fn the_operators_paths_want_the_operator() {
    let id = "123456789012";
    let server = Server::start(&["--lab", "--listen", "127.0.0.1:0", "--account-id", id]);
    assert_eq!(server.account_id(), id);
    let env = server.palisade(&["env"]);
    for part in ["AWS_ENDPOINT_URL=http://127.0.0.1:", "AWS_ACCESS_KEY_ID=AKIA", "AWS_REGION="] {
        assert!(env.out.contains(part), "{part} is not in\n{}", env.out);
    }
    let (status, metrics) = server.operator("GET", "metrics", None);
    assert_eq!(status, 200);
    assert!(metrics.as_str().unwrap().contains("# TYPE"), "{metrics}");
    assert_eq!(server.plain("GET", "/_palisade/metrics", "", None).0, 403);
    let wrong = "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n";
    assert_eq!(server.plain("GET", "/_palisade/metrics", wrong, None).0, 403);
    assert_eq!(server.operator("GET", "no-such-path", None).0, 404);
}

/// Ended when the test ends, however that is.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}

#[test]
fn memory_and_a_chosen_key_serve_tests() {
    let test = "memory_and_a_chosen_key_serve_tests";
    if !have_boto3() {
        return skip(test, "boto3 is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    // Free now; nothing else asks for a port that it does not choose itself.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let keys = Keys::of("AKIACHOSENBYTHELAB00", "a-secret-that-the-lab-chose");
    let mut command = palisade();
    command
        .args(["serve", "--lab", "--ephemeral", "--listen", &address])
        .env("PALISADE_ROOT_ACCESS_KEY_ID", &keys.id)
        .env("PALISADE_ROOT_SECRET_ACCESS_KEY", &keys.secret)
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let running = Running(command.spawn().unwrap());
    let until = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < until, "the server does not answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    let boto = Boto::start(&format!("http://{address}"));
    let root = Caller { boto: &boto, keys };
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let users = root.ok("iam", "ListUsers", json!({}));
    assert_eq!(users["Users"].as_array().unwrap().len(), 1);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "memory leaves no files");
    drop(running);
}

/// Takes documents out of the store of a server that does not run.
fn forget(folder: &Path, collections: &str) {
    let script = "import sqlite3, sys, pathlib\n\
        path = pathlib.Path(sys.argv[1]) / 'palisade.sqlite3'\n\
        store = sqlite3.connect(path)\n\
        names = sys.argv[2].split(',')\n\
        for table in ('document', 'history'):\n\
        \x20   for name in names:\n\
        \x20       store.execute(f'DELETE FROM {table} WHERE collection = ?', (name,))\n\
        store.commit()\n";
    let mut command = std::process::Command::new("python3");
    let ran = finish(command.args(["-c", script]).arg(folder).arg(collections));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn a_folder_of_an_older_version_is_brought_up_to_date() {
    let mut server = Server::lab();
    let account = |server: &Server, id: &str, email: &str| {
        let wanted = json!({ "name": "Other", "email": email, "id": id });
        server.operator("POST", "accounts", Some(&wanted))
    };
    assert_eq!(account(&server, "111111111111", "ann@example.com").0, 200);
    assert!(server.terminate().success());
    forget(server.folder.path(), "plane/account-email,plane/upgrade");
    server.start_again();
    // The addresses of accounts are found again: nobody else gets them.
    for email in ["ann@example.com", "root@localhost"] {
        let (status, told) = account(&server, "222222222222", email);
        assert_eq!(status, 400, "{told}");
        assert!(told["message"].as_str().unwrap().contains("exists"), "{told}");
    }
    assert_eq!(account(&server, "222222222222", "ben@example.com").0, 200);
    // A reset goes back to the state that the older version made.
    assert_eq!(server.operator("POST", "reset", None).0, 200);
    assert_eq!(account(&server, "222222222222", "root@localhost").0, 400);
}
