//! Moves and attachments while members call: every decision is one of a state that was there while
//! the call ran.

use super::Organization;
use crate::support::{Boto, Caller, Lab, policy};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const READERS: usize = 2;
const ROUNDS: usize = 10;
const SCP: &str = "SERVICE_CONTROL_POLICY";

/// The states that the writer goes through, over and over, and what each allows: to list users, to
/// list roles.
const STATES: [(bool, bool); 4] = [(true, true), (false, true), (false, false), (true, false)];

/// Calls until it is stopped. What a call was answered must be what one of the states between the
/// last that was done before it and the last that was begun after it allows.
fn read(caller: &Caller<'_>, begun: &AtomicU64, done: &AtomicU64, stop: &AtomicBool) -> usize {
    let mut exact = 0;
    while !stop.load(Ordering::SeqCst) {
        for (operation, users) in [("ListUsers", true), ("ListRoles", false)] {
            let first = done.load(Ordering::SeqCst);
            let allowed = caller.call("iam", operation, json!({})).is_ok();
            let last = begun.load(Ordering::SeqCst);
            let allows = |state: u64| {
                let (of_users, of_roles) = STATES[(state % 4) as usize];
                if users { of_users } else { of_roles }
            };
            assert!(
                (first..=last).any(|state| allows(state) == allowed),
                "{operation}: allowed is {allowed}, which no state of {first}..={last} explains"
            );
            exact += usize::from(first == last);
        }
    }
    exact
}

fn with(input: &Value, member: &str, text: &str) -> Value {
    let mut input = input.clone();
    input[member] = json!(text);
    input
}

#[test]
fn every_decision_is_one_of_a_state_that_was_there() {
    let test = "every_decision_is_one_of_a_state_that_was_there";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let root = organization.root.clone();
    let account = organization.new_account("member");
    let keys = organization.inside(&account).keys;
    let unit = organization.new_unit(&root, "unit");
    let no_users = policy("Deny", &["iam:ListUsers"], &["*"]);
    organization.bind(SCP, "no users", &no_users, &unit);
    let no_roles = policy("Deny", &["iam:ListRoles"], &["*"]);
    let no_roles = organization.new_policy(SCP, "no roles", &no_roles);
    let on_account = json!({ "PolicyId": no_roles, "TargetId": account });
    let moved = |from: &str, to: &str| {
        let parents = json!({ "SourceParentId": from, "DestinationParentId": to });
        with(&parents, "AccountId", &account)
    };
    let steps = [
        ("MoveAccount", moved(&root, &unit)),
        ("AttachPolicy", on_account.clone()),
        ("MoveAccount", moved(&unit, &root)),
        ("DetachPolicy", on_account),
    ];
    let (begun, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let (stop, url) = (AtomicBool::new(false), lab.server.url.clone());
    std::thread::scope(|scope| {
        let reader = || {
            scope.spawn(|| {
                let boto = Boto::start(&url);
                read(&Caller { boto: &boto, keys: keys.clone() }, &begun, &done, &stop)
            })
        };
        let readers: Vec<_> = (0..READERS).map(|_| reader()).collect();
        for (operation, input) in (0..ROUNDS).flat_map(|_| steps.clone()) {
            begun.fetch_add(1, Ordering::SeqCst);
            organization.ok(operation, input);
            done.fetch_add(1, Ordering::SeqCst);
            // Some calls fall between two steps: there is one answer to those.
            std::thread::sleep(std::time::Duration::from_millis(15));
        }
        stop.store(true, Ordering::SeqCst);
        let exact: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert!(exact > 0, "no call met a state that stood still");
    });
}
