//! Clients at the same time: what only one may have, one gets.

use crate::support::{Boto, Caller, Keys, Lab};
use serde_json::json;

const CLIENTS: usize = 4;

/// Calls `work` with each of several clients at once, and answers the sum of what they say.
fn at_once(lab: &Lab, work: impl Fn(&Caller<'_>) -> usize + Sync) -> usize {
    let (url, keys): (&str, Keys) = (&lab.server.url, lab.server.root_keys());
    std::thread::scope(|scope| {
        let client = || {
            let (work, keys) = (&work, keys.clone());
            scope.spawn(move || work(&Caller { boto: &Boto::start(url), keys }))
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| client()).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    })
}

#[test]
fn of_clients_that_race_one_wins() {
    let Some(lab) = Lab::start("of_clients_that_race_one_wins") else { return };
    let root = lab.root();
    // Each name can be had once.
    let made = at_once(&lab, |client| {
        let create = |n: usize| {
            let made = client.call("iam", "CreateUser", json!({ "UserName": format!("u{n}") }));
            match made {
                Ok(_) => 1,
                Err(refusal) => {
                    assert_eq!(refusal.code, "EntityAlreadyExists", "{}", refusal.text);
                    0
                }
            }
        };
        (0..15).map(create).sum()
    });
    assert_eq!(made, 15);
    let users = root.ok("iam", "ListUsers", json!({}));
    assert_eq!(users["Users"].as_array().unwrap().len(), 15);
    // A quota holds however many ask at once.
    let keys = at_once(&lab, |client| {
        let create = |_| {
            let made = client.call("iam", "CreateAccessKey", json!({ "UserName": "u0" }));
            match made {
                Ok(_) => 1,
                Err(refusal) => {
                    assert_eq!(refusal.code, "LimitExceeded", "{}", refusal.text);
                    0
                }
            }
        };
        (0..3).map(create).sum()
    });
    assert_eq!(keys, 2);
    // Nor is any of the group's members lost.
    root.ok("iam", "CreateGroup", json!({ "GroupName": "all" }));
    at_once(&lab, |client| {
        for n in 0..15 {
            let input = json!({ "GroupName": "all", "UserName": format!("u{n}") });
            client.ok("iam", "AddUserToGroup", input);
        }
        0
    });
    let group = root.ok("iam", "GetGroup", json!({ "GroupName": "all" }));
    assert_eq!(group["Users"].as_array().unwrap().len(), 15);
}
