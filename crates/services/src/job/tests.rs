use super::*;
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_store::Read;

static ONCE: JobKind = JobKind {
    name: "test/once",
    principal: "test.amazonaws.com",
    run: |cx, subject| {
        assert_eq!((cx.account(), cx.region(), subject), (ACCOUNT, "us-east-1", "what"));
        Ok(Next::Done)
    },
};

static DAILY: JobKind = JobKind {
    name: "test/daily",
    principal: "test.amazonaws.com",
    run: |cx, _| Ok(Next::Again(cx.now().plus_seconds(86_400))),
};

static FAILING: JobKind = JobKind {
    name: "test/failing",
    principal: "test.amazonaws.com",
    run: |_, _| Err(internal("not now")),
};

fn due(lab: &Lab, at: Timestamp) -> Vec<DueJob> {
    lab.plane.store.snapshot().due_jobs(at.millis(), 10).unwrap()
}

fn queued(kind: &'static JobKind) -> (Lab, DueJob, Body) {
    let lab = Lab::new();
    lab.write(move |cx| cx.later(kind, NOW, "what")).unwrap();
    let one = due(&lab, NOW).remove(0);
    let body = body(&one).unwrap();
    (lab, one, body)
}

fn run_once(lab: &Lab, kind: &'static JobKind, one: &DueJob, body: &Body) -> Result<()> {
    let (one, body) = (one.clone(), body.clone());
    lab.write(move |cx| run(cx, kind, &one, &body))
}

#[test]
fn a_job_runs_at_its_time_and_once() {
    let (lab, one, body) = queued(&ONCE);
    assert!(due(&lab, NOW.plus_seconds(-1)).is_empty());
    run_once(&lab, &ONCE, &one, &body).unwrap();
    assert!(due(&lab, NOW).is_empty());
    // Another node that took it as well undoes what it did.
    assert!(run_once(&lab, &ONCE, &one, &body).is_err());
}

#[test]
fn a_periodic_job_comes_again() {
    let (lab, one, body) = queued(&DAILY);
    run_once(&lab, &DAILY, &one, &body).unwrap();
    assert!(due(&lab, NOW.plus_seconds(86_399)).is_empty());
    assert_eq!(due(&lab, NOW.plus_seconds(86_400)).len(), 1);
}

#[test]
fn a_failing_job_waits_longer_each_time() {
    let (lab, mut one, mut found) = queued(&FAILING);
    let mut at = NOW;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600] {
        assert!(run_once(&lab.at(at), &FAILING, &one, &found).is_err());
        let (failed, its) = (one.clone(), found.clone());
        lab.at(at).write(move |cx| postpone(cx, &failed, &its)).unwrap();
        assert!(due(&lab, at.plus_seconds(wait - 1)).is_empty(), "{wait}");
        at = at.plus_seconds(wait);
        one = due(&lab, at).remove(0);
        found = body(&one).unwrap();
    }
}

#[test]
fn names_are_those_of_their_services_and_unique() {
    let mut names = Vec::new();
    for service in SERVICES {
        for kind in service.jobs {
            let prefix = kind.name.split_once('/').map(|(prefix, _)| prefix);
            assert_eq!(prefix, Some(service.model.name), "{}", kind.name);
            names.push(kind.name);
        }
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(kind("test/once").is_none());
}
