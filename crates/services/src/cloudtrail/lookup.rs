//! LookupEvents: the event history, by one attribute.

use super::history::{Cursors, Fetch, History};
use super::listed::Listed;
use crate::context::Context;
use crate::errors::internal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use palisade_model::cloudtrail::{
    Event, INVALID_EVENT_CATEGORY_EXCEPTION, INVALID_LOOKUP_ATTRIBUTES_EXCEPTION,
    INVALID_MAX_RESULTS_EXCEPTION, INVALID_NEXT_TOKEN_EXCEPTION, INVALID_TIME_RANGE_EXCEPTION,
    LookupAttribute, LookupEventsRequest, LookupEventsResponse,
};
use palisade_shape::{Result, Timestamp};
use palisade_store::{AuditCursor, AuditQuery};
use serde::{Deserialize, Serialize};

/// How far back the event history goes.
const DAYS_MAX: i64 = 90;
const RESULTS_MAX: i32 = 50;
/// Records looked at in one call. What is rarer comes after more calls, each of them quick.
const RECORDS_MAX: usize = 20_000;

/// Lists management events of the caller's account in the region of the call, newest first.
pub fn lookup_events(cx: &mut Context, input: LookupEventsRequest) -> Result<LookupEventsResponse> {
    let LookupEventsRequest {
        lookup_attributes,
        start_time,
        end_time,
        event_category,
        max_results,
        next_token,
    } = input;
    let size = page_size(max_results)?;
    let filter = Filter::of(lookup_attributes.unwrap_or_default())?;
    let span = Span::of(cx.now(), start_time, end_time)?;
    let question = question(&filter, start_time, end_time);
    let cursors = next_token.map_or(Ok([None, None]), |token| continued(&token, &question))?;
    match event_category.as_deref() {
        None => {}
        // Insights are events of trails that collect them.
        Some("insight") => {
            return Ok(LookupEventsResponse { events: Some(Vec::new()), next_token: None });
        }
        Some(other) => {
            let message = format!("{other} is not a valid event category.");
            return Err(INVALID_EVENT_CATEGORY_EXCEPTION.because(message));
        }
    }
    let mut history = history(cx, span, cursors);
    let (events, next) = page(&mut history, &filter, size)?;
    let next_token = next.map(|cursors| token(cursors, question)).transpose()?;
    Ok(LookupEventsResponse { events: Some(events), next_token })
}

/// Up to `size` events that pass, and where to go on if there may be more.
fn page(
    history: &mut History<'_>,
    filter: &Filter,
    size: usize,
) -> Result<(Vec<Event>, Option<Cursors>)> {
    let mut events = Vec::new();
    let mut full = None;
    for _ in 0..RECORDS_MAX {
        if full.is_none() && events.len() == size {
            full = Some(history.cursors());
        }
        let Some(record) = history.next()? else { return Ok((events, None)) };
        if is_data(&record.event) || !filter.may_pass(&record.event) {
            continue;
        }
        let listed = Listed::parse(&record.event).map_err(internal)?;
        if !filter.passes(&listed) {
            continue;
        }
        if full.is_some() {
            // One more is there: the page ends before it.
            return Ok((events, full));
        }
        events.push(listed.into_event(&record));
    }
    let next = full.unwrap_or_else(|| history.cursors());
    Ok((events, Some(next)))
}

/// Data events are no part of the event history. Within a text the quotes would be escaped.
fn is_data(event: &[u8]) -> bool {
    memchr::memmem::find(event, br#""eventCategory":"Data""#).is_some()
}

fn history<'a>(cx: &'a Context<'_>, span: Span, cursors: Cursors) -> History<'a> {
    let query = move |after: Option<AuditCursor>, limit: usize| AuditQuery {
        account: cx.account(),
        region: Some(cx.region()),
        from_millis: span.from_millis,
        to_millis: span.to_millis,
        newest_first: true,
        after,
        limit,
    };
    let changes: Fetch<'a> =
        Box::new(move |after, limit| cx.reader().audit_scan(&query(after, limit)));
    let reads: Fetch<'a> = Box::new(move |after, limit| cx.plane.reads.scan(&query(after, limit)));
    History::new(changes, reads, cursors)
}

fn page_size(asked: Option<i32>) -> Result<usize> {
    let size = asked.unwrap_or(RESULTS_MAX);
    if !(1..=RESULTS_MAX).contains(&size) {
        return Err(INVALID_MAX_RESULTS_EXCEPTION
            .because(format!("MaxResults must be between 1 and {RESULTS_MAX}.")));
    }
    Ok(usize::try_from(size).unwrap_or(1))
}

/// The time that is looked at, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from_millis: i64,
    to_millis: i64,
}

impl Span {
    fn of(now: Timestamp, start: Option<Timestamp>, end: Option<Timestamp>) -> Result<Self> {
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            return Err(INVALID_TIME_RANGE_EXCEPTION
                .because("The start time must not be after the end time."));
        }
        let oldest = now.plus_seconds(-DAYS_MAX * 86_400).millis();
        let from_millis = start.map_or(oldest, |start| start.millis().max(oldest));
        // An end of a whole second includes all events that show this second.
        let end = end.map(|end| end.whole_seconds().millis().saturating_add(999));
        Ok(Self { from_millis, to_millis: end.unwrap_or(i64::MAX) })
    }
}

/// The one attribute that events are looked up by.
struct Filter {
    attribute: Option<LookupAttribute>,
    /// Text that the bytes of every event that passes contain.
    needle: Option<Finder<'static>>,
}

impl Filter {
    fn of(attributes: Vec<LookupAttribute>) -> Result<Self> {
        let mut attributes = attributes.into_iter();
        let (first, second) = (attributes.next(), attributes.next());
        if second.is_some() {
            return Err(INVALID_LOOKUP_ATTRIBUTES_EXCEPTION
                .because("You can specify only one lookup attribute."));
        }
        let Some(attribute) = first else { return Ok(Self { attribute: None, needle: None }) };
        let LookupAttribute { attribute_key: key, attribute_value: value } = &attribute;
        let needle = match key.as_str() {
            "ReadOnly" if !matches!(value.as_str(), "true" | "false") => {
                return Err(INVALID_LOOKUP_ATTRIBUTES_EXCEPTION
                    .because("The value of ReadOnly must be true or false."));
            }
            // The event says these in other words.
            "ReadOnly" => None,
            "Username" if value == "root" => None,
            "EventId" | "EventName" | "Username" | "ResourceType" | "ResourceName"
            | "EventSource" | "AccessKeyId" => Some(needle(value)),
            _ => {
                let message = format!("{key} is not a valid lookup attribute.");
                return Err(INVALID_LOOKUP_ATTRIBUTES_EXCEPTION.because(message));
            }
        };
        Ok(Self { attribute: Some(attribute), needle })
    }

    /// False when the event cannot pass, by a look at its bytes.
    fn may_pass(&self, event: &[u8]) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.find(event).is_some())
    }

    fn passes(&self, listed: &Listed<'_>) -> bool {
        let Some(LookupAttribute { attribute_key: key, attribute_value: value }) = &self.attribute
        else {
            return true;
        };
        let value = value.as_str();
        match key.as_str() {
            "EventId" => listed.event_id == value,
            "EventName" => listed.event_name == value,
            "EventSource" => listed.event_source == value,
            "ReadOnly" => listed.read_only == (value == "true"),
            "Username" => listed.username() == Some(value),
            "AccessKeyId" => listed.access_key_id() == Some(value),
            "ResourceType" => listed.resources().any(|(kind, _)| kind == value),
            "ResourceName" => listed.resources().any(|(_, name)| name == value),
            _ => false,
        }
    }
}

/// The value as it stands in JSON, without its quotes.
fn needle(value: &str) -> Finder<'static> {
    let mut json = Vec::with_capacity(value.len() + 2);
    palisade_protocol::trail::push_string(&mut json, value);
    let inner = json.len().checked_sub(1).and_then(|end| json.get(1..end));
    Finder::new(inner.unwrap_or_default()).into_owned()
}

/// A token: where the page before ended, and what was asked, since AWS takes a token only with the
/// question that it answered.
#[derive(Serialize, Deserialize)]
struct Token {
    question: String,
    /// Time in milliseconds and position in each place.
    after: [Option<(i64, u64)>; 2],
}

fn token(cursors: Cursors, question: String) -> Result<String> {
    let after = cursors.map(|cursor| cursor.map(|cursor| (cursor.time_millis, cursor.position)));
    let json = serde_json::to_vec(&Token { question, after }).map_err(internal)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn continued(token: &str, question: &str) -> Result<Cursors> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let token = bytes.and_then(|bytes| serde_json::from_slice::<Token>(&bytes).ok());
    match token {
        Some(token) if token.question == question => Ok(token.after.map(|place| {
            place.map(|(time_millis, position)| AuditCursor { time_millis, position })
        })),
        _ => Err(INVALID_NEXT_TOKEN_EXCEPTION.because("Invalid NextToken.")),
    }
}

/// What was asked, apart from the size of the page.
fn question(filter: &Filter, start: Option<Timestamp>, end: Option<Timestamp>) -> String {
    let (key, value) = match &filter.attribute {
        Some(LookupAttribute { attribute_key, attribute_value }) => {
            (attribute_key.as_str(), attribute_value.as_str())
        }
        None => ("", ""),
    };
    let millis = |time: Option<Timestamp>| time.map(Timestamp::millis);
    format!("{:?}/{:?}/{key}/{value}", millis(start), millis(end))
}
