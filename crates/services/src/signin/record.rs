//! What the trail says of sign-ins.
//!
//! Source: CloudTrail User Guide, "AWS Management Console sign-in events".

use crate::audit::{CallerFragment, Decision, Event, EventType, Field, Origin, Tls};
use crate::context::{Context, Notes, Request};
use crate::plane::Plane;
use palisade_protocol::trail;
use palisade_shape::{Error, ErrorCode, Result};
use palisade_store::AuditRecord;

/// Where sign-ins of root users, and roles that are switched to, are recorded.
pub const GLOBAL_REGION: &str = "us-east-1";

/// A refused sign-in: CloudTrail gives a message and no code.
static REFUSED: ErrorCode = ErrorCode::plain("", 403);

/// One event of the sign-in service.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// `ConsoleLogin`, `CheckMfa`, `SwitchRole`, `ExitRole` or `GetSigninToken`.
    pub name: &'static str,
    pub who: CallerFragment,
    /// The accounts whose trails get it.
    pub recipients: Vec<String>,
    pub region: String,
    /// `errorMessage`, which makes it a failure.
    pub failure: Option<&'static str>,
    /// Members of `responseElements` beside the outcome, as JSON.
    pub answer: Vec<(&'static str, String)>,
    /// Members of `additionalEventData`.
    pub additional: Vec<(&'static str, String)>,
}

impl SignIn {
    /// A success in the trail of one account.
    pub fn of(name: &'static str, who: CallerFragment, region: &str) -> Self {
        let recipients = vec![who.account.to_string()];
        let (answer, additional) = (Vec::new(), Vec::new());
        Self { name, who, recipients, region: region.to_owned(), failure: None, answer, additional }
    }

    /// Records it with the transaction of `cx`.
    pub fn record(&self, cx: &mut Context) -> Result<()> {
        let revision = cx.reader().revision();
        for record in self.records(cx.plane, cx.request, revision) {
            cx.audit(record)?;
        }
        Ok(())
    }

    fn records(&self, plane: &Plane, request: &Request, revision: u64) -> Vec<AuditRecord> {
        let request = Request { operation: self.name, service: "signin", ..request.clone() };
        let fresh = || crate::random::uuid(&*plane.random);
        let shared = (self.recipients.len() > 1).then(fresh);
        let mut records = Vec::new();
        for (index, recipient) in self.recipients.iter().enumerate() {
            let event_id = if index == 0 { request.id.clone() } else { fresh() };
            records.push(AuditRecord {
                event: self.event(plane, &request, &event_id, recipient, shared.as_deref()),
                decision: self.decision(plane, &request, revision),
                event_id,
                time_millis: request.at.millis(),
                account: recipient.clone(),
                region: self.region.clone(),
            });
        }
        records
    }

    fn event(
        &self,
        plane: &Plane,
        request: &Request,
        id: &str,
        recipient: &str,
        shared_id: Option<&str>,
    ) -> Vec<u8> {
        let error = self.failure.map(failure);
        let (answer, additional) = (self.outcome(), object(&self.additional));
        let origin = Origin {
            event_type: EventType::AwsConsoleSignIn,
            source: "signin",
            region: &self.region,
            read_only: false,
            invoked_by: None,
            tls: request.tls.as_ref().map(|tls| Tls {
                version: tls.version,
                cipher_suite: tls.cipher_suite,
                host: &tls.host,
            }),
            lab: plane.settings.lab,
        };
        let event = Event {
            id,
            request,
            caller: &self.who,
            origin,
            error: error.as_ref(),
            input: Field::Null,
            output: Field::Json(&answer),
            additional: Field::Json(&additional),
            details: Field::Null,
            notes: &Notes::default(),
            recipient,
            shared_id,
        };
        let mut written = Vec::with_capacity(1024);
        event.write(&mut written);
        written
    }

    fn decision(&self, plane: &Plane, request: &Request, revision: u64) -> Vec<u8> {
        let error = self.failure.map(failure);
        let decision = Decision {
            request,
            caller: &self.who,
            revision,
            requirements: &[],
            policies: b"",
            levels: &[],
            error: error.as_ref(),
            lab: plane.settings.lab,
        };
        let mut written = Vec::with_capacity(512);
        decision.write(&mut written);
        written
    }

    /// `{"ConsoleLogin":"Success"}`
    fn outcome(&self) -> Vec<u8> {
        let outcome = if self.failure.is_some() { "Failure" } else { "Success" };
        let mut out = object(&[(self.name, outcome.to_owned())]);
        for (name, json) in &self.answer {
            out.pop();
            out.push(b',');
            trail::push_string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(json.as_bytes());
            out.push(b'}');
        }
        out
    }
}

fn failure(message: &'static str) -> Error {
    REFUSED.because(message)
}

fn object(members: &[(&'static str, String)]) -> Vec<u8> {
    let mut out = b"{".to_vec();
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        trail::push_string(&mut out, name);
        out.push(b':');
        trail::push_string(&mut out, value);
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ACCOUNT, Lab};
    use serde_json::{Value, json};

    fn written(event: &SignIn) -> Vec<Value> {
        let lab = Lab::new();
        let records = event.records(&lab.plane, &lab.request, 1);
        records.iter().map(|record| serde_json::from_slice(&record.event).unwrap()).collect()
    }

    #[test]
    fn a_refused_user_is_hidden_unless_there_is_such_a_user() {
        let check = |who: CallerFragment, message, expected: Value| {
            let mut event = SignIn::of("ConsoleLogin", who, "us-east-1");
            event.failure = Some(message);
            event.additional.push(("MFAUsed", "No".to_owned()));
            let event = written(&event).remove(0);
            assert_eq!(event["userIdentity"], expected);
            assert_eq!(event["errorMessage"], message);
            assert_eq!(event.get("errorCode"), None);
            assert_eq!(event["responseElements"], json!({ "ConsoleLogin": "Failure" }));
            assert_eq!(event["additionalEventData"], json!({ "MFAUsed": "No" }));
            assert_eq!(event["eventType"], "AwsConsoleSignIn");
            assert_eq!(event["eventSource"], "signin.amazonaws.com");
        };
        check(
            CallerFragment::unproven(ACCOUNT, Some("hunter2"), None),
            "No username found in supplied account",
            json!({ "type": "IAMUser", "accountId": ACCOUNT, "accessKeyId": "",
                "userName": "HIDDEN_DUE_TO_SECURITY_REASONS" }),
        );
        let arn = "arn:aws:iam::123456789012:user/ana";
        check(
            CallerFragment::unproven(ACCOUNT, Some("ana"), Some(("AIDA1", arn))),
            "Failed authentication",
            json!({ "type": "IAMUser", "principalId": "AIDA1", "arn": arn, "accountId": ACCOUNT,
                "accessKeyId": "", "userName": "ana" }),
        );
    }

    #[test]
    fn an_event_of_two_accounts_is_tied_together() {
        let who = CallerFragment::of(&Lab::new().caller);
        let mut event = SignIn::of("SwitchRole", who, "us-east-1");
        event.recipients.push("210987654321".to_owned());
        event.answer.push(("more", "{\"a\":1}".to_owned()));
        let events = written(&event);
        assert_eq!(events.len(), 2);
        assert!(events[0]["sharedEventID"].is_string());
        assert_eq!(events[0]["sharedEventID"], events[1]["sharedEventID"]);
        assert_ne!(events[0]["eventID"], events[1]["eventID"]);
        let answer = json!({ "SwitchRole": "Success", "more": { "a": 1 } });
        assert_eq!(events[0]["responseElements"], answer);
        assert_eq!(events[0].get("errorMessage"), None);
    }
}
