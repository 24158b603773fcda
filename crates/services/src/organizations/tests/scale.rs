//! Organizations of ten and of ten thousand accounts, side by side: what a decision reads does not
//! grow with them. The figures of docs/organizations.md come from the ignored test:
//!
//! `cargo nextest run --workspace --release --run-ignored all --no-capture -E 'test(/figures/)'`

use super::{Made, made};
use crate::accounts;
use crate::authorization::Dependencies;
use crate::organizations::{access, list, node, organization};
use std::collections::BTreeMap;
use std::time::Instant;

/// An organization with units of ten accounts, each unit with policies of its own, and the ids of
/// its units and accounts.
fn of_size(accounts_wanted: usize) -> (Made, Vec<String>, Vec<String>) {
    let made = made();
    let (mut units, mut accounts_made) = (Vec::new(), Vec::new());
    for unit_number in 0..accounts_wanted.div_ceil(10) {
        let unit = made.unit(&made.root, &format!("unit {unit_number}"));
        for policy in 0..2 {
            let action = format!("s3:Get{unit_number}x{policy}*");
            made.bind(&format!("policy {unit_number} {policy}"), &action, &unit);
        }
        let first = 100_000_000_000 + unit_number * 10;
        let ids: Vec<String> = (first..first + 10).map(|id| id.to_string()).collect();
        let (below, joined) = (unit.clone(), ids.clone());
        made.lab
            .write(move |cx| {
                let own = access::organization_of(cx, super::ACCOUNT)?.unwrap();
                for id in &joined {
                    accounts::create(cx, id, "member", &format!("{id}@example.com"))?;
                    organization::join(cx, &own, id, "CREATED", BTreeMap::new())?;
                    let mut place = node::target(cx, id)?;
                    node::unplace_account(cx, &place)?;
                    place.parent = Some(below.clone());
                    cx.put(&node::NODES, &place)?;
                    node::place_account(cx, &place)?;
                }
                Ok(())
            })
            .unwrap();
        units.push(unit);
        accounts_made.extend(ids);
    }
    (made, units, accounts_made)
}

/// Documents read for the standing of one account.
fn read_for(made: &Made, account: &str) -> usize {
    made.lab
        .read(|cx| {
            let mut dependencies = Dependencies::new(cx.reader());
            crate::authorization::standing_of(&mut dependencies, account)?;
            Ok(dependencies.into_seen().len())
        })
        .unwrap()
}

#[test]
fn what_a_decision_reads_does_not_grow() {
    let (small, _, few) = of_size(10);
    let (large, _, many) = of_size(200);
    assert_eq!(read_for(&small, &few[3]), read_for(&large, &many[173]));
    // Membership, account, unit, root, and the unit's own two policies.
    assert_eq!(read_for(&large, &many[173]), 6);
}

#[test]
#[ignore = "takes a minute; prints figures"]
fn figures() {
    for size in [10, 10_000] {
        let began = Instant::now();
        let (made, units, accounts) = of_size(size);
        println!("{size} accounts, {} units: made in {:?}", units.len(), began.elapsed());
        let each = |name: &str, rounds: usize, work: &mut dyn FnMut(usize)| {
            let began = Instant::now();
            (0..rounds).for_each(work);
            let nanos = began.elapsed().as_nanos() / rounds as u128;
            println!("  {name}: {nanos} ns");
        };
        let of = |number: usize| accounts[(number * 7) % accounts.len()].as_str();
        let rounds = accounts.len().min(2_000);
        each("standing, first time", rounds, &mut |number| {
            made.standing(of(number));
        });
        each("standing, again", 100_000, &mut |_| {
            made.standing(of(0));
        });
        made.moved(of(0), &units[0], &made.root);
        each("another account's standing after a move", rounds, &mut |number| {
            made.standing(of(number + 1));
        });
        made.moved(of(0), &made.root, &units[0]);
        let began = Instant::now();
        let (mut pages, mut next) = (0, None);
        loop {
            let page = made
                .lab
                .read(|cx| {
                    let at = (next.clone(), None);
                    list::page(cx, &node::NODES, "account/", at, |_, node| Ok(Some(node.id)))
                })
                .unwrap();
            pages += 1;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        println!("  a page of ListAccounts: {:?} ({pages} pages)", began.elapsed() / pages);
        let bytes: usize = made
            .lab
            .read(|cx| {
                let reader = cx.reader();
                let mut bytes = 0;
                for table in ["organizations/node", "organizations/account-place"] {
                    let rows = reader.scan(table, super::ACCOUNT, "", "", None, usize::MAX);
                    let rows = rows.map_err(crate::context::from_store)?;
                    bytes +=
                        rows.iter().map(|(key, row)| key.len() + row.body.len()).sum::<usize>();
                }
                for table in ["organizations/membership", "plane/account", "plane/account-email"] {
                    let rows = reader.scan(table, "", "", "", None, usize::MAX);
                    let rows = rows.map_err(crate::context::from_store)?;
                    bytes +=
                        rows.iter().map(|(key, row)| key.len() + row.body.len()).sum::<usize>();
                }
                Ok(bytes)
            })
            .unwrap();
        println!("  bytes of rows for each account: {}", bytes / accounts.len());
    }
}
