//! Several nodes on one database.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palisade_store::{Read, Store, StoreError};

use crate::backends::{options, user};

/// A named check of nodes that share the database at a URL.
pub type NodeCheck = (&'static str, fn(&str));

pub const CHECKS: &[NodeCheck] = &[
    ("nodes that start together create the tables once", start_together),
    ("increments from several nodes lose nothing", increments),
    ("a node sees another's commits by polling", follows),
    ("injected serialization failures are retried", injected),
    ("a lost server is an error and then works again", outage),
];

fn open(url: &str) -> Store {
    Store::open_postgres(url, &options()).unwrap()
}

fn start_together(url: &str) {
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(open(url).snapshot().revision(), 0));
        }
    });
}

fn increments(url: &str) {
    const ROUNDS: u64 = 40;
    let nodes = [open(url), open(url), open(url)];
    std::thread::scope(|scope| {
        for node in nodes.iter().chain(&nodes) {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let committed = node.write_blocking(Box::new(|tx| {
                        let now = tx.get(&user("counter"))?.map_or(0, |d| d.body.len());
                        Ok(tx.put(&user("counter"), &vec![b'x'; now + 1])?)
                    }));
                    let committed = committed.unwrap().revision;
                    let seen = node.snapshot().get(&user("counter")).unwrap().unwrap();
                    assert!(seen.revision >= committed, "a node reads its own writes");
                    assert_eq!(seen.body.len() as u64, seen.revision);
                }
            });
        }
    });
    let after = open(url).snapshot();
    assert_eq!(after.revision(), 6 * ROUNDS);
    let feed = after.changes_since(0, usize::MAX).unwrap();
    let revisions: Vec<u64> = feed.changes.iter().map(|change| change.revision).collect();
    assert_eq!(revisions, (1..=6 * ROUNDS).collect::<Vec<_>>());
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(10), "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn follows(url: &str) {
    let (writer, reader) = (open(url), open(url));
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    reader.subscribe(Box::new(move |changes| {
        let names = changes.iter().map(|change| change.key.as_key().key.to_string());
        telling.lock().unwrap().extend(names);
    }));
    assert_eq!(reader.snapshot().get(&user("a")).unwrap(), None);
    let before = reader.snapshot();
    writer.write_blocking(Box::new(|tx| Ok(tx.put(&user("a"), b"1")?))).unwrap();
    assert_eq!(before.get(&user("a")).unwrap(), None, "a snapshot stays where it is");
    wait_for("the poll", || reader.snapshot().get(&user("a")).unwrap().is_some());
    wait_for("the subscriber", || *told.lock().unwrap() == ["a"]);
    assert_eq!(before.get(&user("a")).unwrap(), None);
    let seen = reader.snapshot();
    writer.write_blocking(Box::new(|tx| Ok(tx.delete(&user("a"))?))).unwrap();
    wait_for("the deletion", || reader.snapshot().get(&user("a")).unwrap().is_none());
    assert!(seen.get(&user("a")).unwrap().is_some());
    wait_for("freshness", || reader.status().staleness < Duration::from_millis(500));
    // A node's own write first learns what the others did.
    writer.write_blocking(Box::new(|tx| Ok(tx.put(&user("b"), b"1")?))).unwrap();
    let work = |tx: &mut dyn palisade_store::Transaction| {
        assert!(tx.get(&user("b"))?.is_some());
        Ok(tx.put(&user("c"), b"1")?)
    };
    assert_eq!(reader.write_blocking(Box::new(work)).unwrap().revision, 4);
}

/// Runs SQL past the store.
fn run(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(driver);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        let _ = driver.await;
    });
}

fn injected(url: &str) {
    let store = open(url);
    run(
        url,
        "CREATE FUNCTION fail_sometimes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF random() < 0.4 THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; END IF;
            RETURN NULL; END $$;
        CREATE TRIGGER fail_history AFTER INSERT ON history
            FOR EACH STATEMENT EXECUTE FUNCTION fail_sometimes();
        CREATE CONSTRAINT TRIGGER fail_commit AFTER INSERT ON history
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_sometimes();",
    );
    for number in 1..=60 {
        let committed = store.write_blocking(Box::new(|tx| {
            let now = tx.get(&user("counter"))?.map_or(0, |document| document.body.len());
            Ok(tx.put(&user("counter"), &vec![b'x'; now + 1])?)
        }));
        assert_eq!(committed.unwrap().revision, number);
        let counter = store.snapshot().get(&user("counter")).unwrap().unwrap();
        assert_eq!(counter.body.len() as u64, number);
    }
}

/// TLS is used when asked for, and only with a certificate that is trusted.
pub fn tls(url: &str, certificate: &Path) {
    let trusted = format!("{url}&sslmode=require&sslrootcert={}", certificate.display());
    let store = open(&trusted);
    store.write_blocking(Box::new(|tx| Ok(tx.put(&user("a"), b"1")?))).unwrap();
    run(
        url,
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE ssl AND application_name = 'palisade') THEN RAISE 'no TLS'; END IF; END $$",
    );
    let untrusted = Store::open_postgres(&format!("{url}&sslmode=require"), &options());
    assert!(matches!(untrusted.err(), Some(StoreError::Io(_))));
    let by_name = trusted.replace("127.0.0.1", "localhost");
    assert!(Store::open_postgres(&by_name, &options()).is_err(), "the name is verified");
}

/// Ends all of the store's connections on the server.
fn end_connections(url: &str) {
    run(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'palisade' AND pid <> pg_backend_pid()",
    );
}

fn outage(url: &str) {
    let store = open(url);
    let name = |number: u32| format!("{number}");
    for round in 0..5 {
        let key = name(round);
        store.write_blocking(Box::new(move |tx| Ok(tx.put(&user(&key), b"1")?))).unwrap();
        assert_eq!(store.snapshot().get(&user("none")).unwrap(), None);
        end_connections(url);
        // Reads are repeated on a new connection.
        let missing = format!("missing-{round}");
        assert_eq!(store.snapshot().get(&user(&missing)).unwrap(), None);
        // A write may fail, and then left nothing; the next one works.
        let key = format!("after-{round}");
        let result = store.write_blocking(Box::new(move |tx| Ok(tx.put(&user(&key), b"1")?)));
        assert!(matches!(result, Ok(_) | Err(StoreError::Io(_))), "{result:?}");
        wait_for("the connection", || store.write_blocking(Box::new(|_| Ok(()))).is_ok());
        let there = store.snapshot().get(&user(&format!("after-{round}"))).unwrap();
        assert_eq!(there.is_some(), result.is_ok());
    }
}
