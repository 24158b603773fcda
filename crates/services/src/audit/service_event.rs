//! Events that are no calls: what a service did of its own accord, told to the account that it did
//! it for.
//!
//! Source: CloudTrail User Guide, "AWS service events"; Organizations User Guide, "Logging AWS
//! Organizations API calls with AWS CloudTrail".

use super::{CallerFragment, Decision, Event, EventType, Field, Origin, region, source};
use crate::context::{Context, Notes, Request};
use palisade_shape::{Result, Timestamp};
use palisade_store::AuditRecord;

/// One such event.
pub struct ServiceEvent<'a> {
    /// `CreateAccountResult`
    pub name: &'static str,
    /// The model's name of the service, which is its label in host names too.
    pub service: &'static str,
    /// Its principal.
    pub principal: &'a str,
    /// The account whose trail gets it.
    pub recipient: &'a str,
    /// `serviceEventDetails`, as JSON.
    pub details: &'a str,
}

impl ServiceEvent<'_> {
    /// Records it with the transaction of `cx`.
    pub fn record(&self, cx: &mut Context) -> Result<()> {
        let Self { name, service, principal, recipient, details } = *self;
        let request = Request { operation: name, service, ..cx.request.clone() };
        let who = CallerFragment::of_service_event(recipient, principal);
        let region = region(service, &request.region);
        let event_id = cx.uuid();
        let lab = cx.plane.settings.lab;
        let event = Event {
            id: &event_id,
            request: &request,
            caller: &who,
            origin: Origin {
                event_type: EventType::AwsServiceEvent,
                source: source(service, service),
                region,
                read_only: false,
                invoked_by: None,
                tls: None,
                lab,
            },
            error: None,
            input: Field::Null,
            output: Field::Null,
            additional: Field::Null,
            details: Field::Json(details.as_bytes()),
            notes: &Notes::default(),
            recipient,
            shared_id: None,
        };
        let mut written = Vec::with_capacity(1024);
        event.write(&mut written);
        let mut decision = Vec::with_capacity(512);
        let decided = Decision {
            request: &request,
            caller: &who,
            revision: cx.reader().revision(),
            requirements: &[],
            policies: b"",
            levels: &[],
            error: None,
            lab,
        };
        decided.write(&mut decision);
        let record = AuditRecord {
            time_millis: request.at.millis(),
            account: recipient.to_owned(),
            region: region.to_owned(),
            event: written,
            decision,
            event_id,
        };
        cx.audit(record)
    }
}

/// `Sep 16, 2020 9:20:50 PM`, as the details of these events have times.
pub fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_cloudtrail_shows_them() {
        assert_eq!(time(Timestamp::from_seconds(1_600_291_250)), "Sep 16, 2020 9:20:50 PM");
        assert_eq!(time(Timestamp::from_seconds(1_641_084_003)), "Jan 2, 2022 12:40:03 AM");
    }
}
