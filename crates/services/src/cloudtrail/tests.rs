use super::lookup::lookup_events;
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::cloudtrail::{LookupAttribute, LookupEventsRequest, LookupEventsResponse};
use palisade_shape::Timestamp;
use palisade_store::AuditRecord;

/// An event, as far as lookups look at it. Even minutes are changes, odd ones reads.
fn record(minute: i64, name: &str, identity: &str) -> AuditRecord {
    let event = format!(
        "{{\"userIdentity\":{identity},\"eventSource\":\"iam.amazonaws.com\",\
         \"eventName\":\"{name}\",\"eventID\":\"event-{minute}\",\"readOnly\":{},\
         \"resources\":[{{\"ARN\":\"arn:aws:iam::123456789012:role/team/R{minute}\",\
         \"accountId\":\"123456789012\",\"type\":\"AWS::IAM::Role\"}}]}}",
        minute % 2 == 1
    );
    AuditRecord {
        event_id: format!("event-{minute}"),
        time_millis: NOW.millis() - minute * 60_000,
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        event: event.into_bytes(),
        decision: b"{}".to_vec(),
    }
}

const ROOT: &str =
    r#"{"type":"Root","arn":"arn:aws:iam::123456789012:root","accessKeyId":"AKIAROOT"}"#;
const USER: &str = r#"{"type":"IAMUser","userName":"a\"na","accessKeyId":"AKIAUSER"}"#;
const ROLE: &str =
    r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/R/nightly","accessKeyId":"ASIA"}"#;

fn add(lab: &Lab, record: AuditRecord) {
    if record.event_id.ends_with(['1', '3', '5', '7', '9']) {
        return lab.plane.reads.append(&record).unwrap();
    }
    let write = move |transaction: &mut dyn palisade_store::Transaction| {
        Ok(transaction.audit(record.clone())?)
    };
    lab.plane.store.write_blocking(Box::new(write)).unwrap();
}

/// Ten events, newest first: 0 to 9 minutes old.
fn lab() -> Lab {
    let lab = Lab::new();
    for minute in (0..10).rev() {
        let identity = [ROOT, USER, ROLE][usize::try_from(minute % 3).unwrap()];
        let name = if minute % 2 == 1 { "GetRole" } else { "UpdateRole" };
        add(&lab, record(minute, name, identity));
    }
    let elsewhere = AuditRecord { region: "eu-west-1".into(), ..record(20, "GetRole", ROOT) };
    let foreign = AuditRecord { account: "210987654321".into(), ..record(22, "GetRole", ROOT) };
    let old = AuditRecord {
        time_millis: NOW.plus_seconds(-91 * 86_400).millis(),
        ..record(24, "GetRole", ROOT)
    };
    for record in [elsewhere, foreign, old] {
        add(&lab, record);
    }
    lab
}

fn by(key: &str, value: &str) -> LookupEventsRequest {
    let attribute = LookupAttribute { attribute_key: key.into(), attribute_value: value.into() };
    LookupEventsRequest { lookup_attributes: Some(vec![attribute]), ..Default::default() }
}

fn ids(answer: &LookupEventsResponse) -> Vec<&str> {
    let events = answer.events.as_deref().unwrap();
    events.iter().map(|event| event.event_id.as_deref().unwrap()).collect()
}

#[track_caller]
fn check(lab: &Lab, input: LookupEventsRequest, expected: &[i64]) {
    let answer = lab.call(lookup_events, input).unwrap();
    let expected: Vec<String> = expected.iter().map(|minute| format!("event-{minute}")).collect();
    assert_eq!(ids(&answer), expected);
    assert_eq!(answer.next_token, None);
}

#[test]
fn each_attribute_finds_its_events_newest_first() {
    let lab = lab();
    check(&lab, LookupEventsRequest::default(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    check(&lab, by("EventId", "event-7"), &[7]);
    check(&lab, by("EventName", "GetRole"), &[1, 3, 5, 7, 9]);
    check(&lab, by("ReadOnly", "false"), &[0, 2, 4, 6, 8]);
    check(&lab, by("Username", "root"), &[0, 3, 6, 9]);
    check(&lab, by("Username", "a\"na"), &[1, 4, 7]);
    check(&lab, by("Username", "nightly"), &[2, 5, 8]);
    check(&lab, by("AccessKeyId", "AKIAUSER"), &[1, 4, 7]);
    check(&lab, by("ResourceType", "AWS::IAM::User"), &[]);
    check(&lab, by("ResourceName", "R5"), &[5]);
    check(&lab, by("ResourceName", "arn:aws:iam::123456789012:role/team/R5"), &[5]);
    check(&lab, by("EventSource", "sts.amazonaws.com"), &[]);
}

#[test]
fn times_bound_both_ends() {
    let lab = lab();
    let ago = |minutes: i64| Some(NOW.whole_seconds().plus_seconds(-60 * minutes));
    let between = |start_time: Option<Timestamp>, end_time| LookupEventsRequest {
        start_time,
        end_time,
        ..Default::default()
    };
    check(&lab, between(ago(5), ago(3)), &[3, 4, 5]);
    check(&lab, between(ago(200 * 1440), ago(100 * 1440)), &[]);
    let refusal = lab.refusal(lookup_events, between(ago(1), ago(2)));
    assert!(refusal.starts_with("InvalidTimeRangeException"));
}

#[test]
fn pages_follow_each_other_without_gap_while_new_events_arrive() {
    let lab = lab();
    let mut input = LookupEventsRequest { max_results: Some(3), ..Default::default() };
    let mut seen = Vec::new();
    for page in 0.. {
        let answer = lab.call(lookup_events, input.clone()).unwrap();
        seen.extend(ids(&answer).into_iter().map(str::to_owned));
        add(&lab, record(-2 - 2 * page, "UpdateRole", ROOT));
        let Some(token) = answer.next_token else { break };
        input.next_token = Some(token);
    }
    assert_eq!(seen, (0..10).map(|minute| format!("event-{minute}")).collect::<Vec<_>>());
    let other = LookupEventsRequest { next_token: input.next_token, ..by("EventName", "GetRole") };
    assert!(lab.refusal(lookup_events, other).starts_with("InvalidNextTokenException"));
}

#[test]
fn an_event_is_listed_with_what_stands_in_it() {
    let lab = lab();
    let answer = lab.call(lookup_events, by("EventId", "event-2")).unwrap();
    let event = &answer.events.unwrap()[0];
    assert_eq!(event.username.as_deref(), Some("nightly"));
    assert_eq!(event.access_key_id.as_deref(), Some("ASIA"));
    assert_eq!(event.read_only.as_deref(), Some("false"));
    assert_eq!(event.event_time, Some(NOW.plus_seconds(-120).whole_seconds()));
    let names = event.resources.as_ref().unwrap();
    let names: Vec<_> = names.iter().filter_map(|named| named.resource_name.as_deref()).collect();
    assert_eq!(names, ["arn:aws:iam::123456789012:role/team/R2", "R2"]);
    let expected = String::from_utf8(record(2, "UpdateRole", ROLE).event).unwrap();
    assert_eq!(event.cloud_trail_event.as_deref(), Some(expected.as_str()));
}

#[test]
fn what_cannot_be_looked_up() {
    let lab = lab();
    let two = LookupEventsRequest {
        lookup_attributes: Some(
            [by("EventId", "a"), by("EventId", "b")]
                .into_iter()
                .flat_map(|one| one.lookup_attributes.unwrap())
                .collect(),
        ),
        ..Default::default()
    };
    let size = |size| LookupEventsRequest { max_results: Some(size), ..Default::default() };
    let token = LookupEventsRequest { next_token: Some("x".into()), ..Default::default() };
    let category =
        LookupEventsRequest { event_category: Some("other".into()), ..Default::default() };
    for (input, expected) in [
        (two, "InvalidLookupAttributesException"),
        (by("ReadOnly", "yes"), "InvalidLookupAttributesException"),
        (by("Colour", "red"), "InvalidLookupAttributesException"),
        (size(0), "InvalidMaxResultsException"),
        (size(51), "InvalidMaxResultsException"),
        (token, "InvalidNextTokenException"),
        (category, "InvalidEventCategoryException"),
    ] {
        let refusal = lab.refusal(lookup_events, input);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
    let insight =
        LookupEventsRequest { event_category: Some("insight".into()), ..Default::default() };
    check(&lab, insight, &[]);
}
