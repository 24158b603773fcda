//! One event in CloudTrail's form.
//!
//! Source: CloudTrail User Guide, "CloudTrail record contents" (version 1.11) and "Non-API events".

use super::caller::CallerFragment;
use super::{catalog, json};
use crate::context::{Notes, Request};
use palisade_protocol::trail;
use palisade_shape::{Error, Shape};
use std::io::Write as _;

/// CloudTrail cuts `userAgent`, `errorCode` and `errorMessage` here.
const TEXT_BYTES_MAX: usize = 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventType {
    #[default]
    AwsApiCall,
    AwsConsoleSignIn,
    AwsServiceEvent,
}

impl EventType {
    const fn name(self) -> &'static str {
        match self {
            Self::AwsApiCall => "AwsApiCall",
            Self::AwsConsoleSignIn => "AwsConsoleSignIn",
            Self::AwsServiceEvent => "AwsServiceEvent",
        }
    }
}

/// What stands in `requestParameters` and its like.
#[derive(Clone, Copy, Default)]
pub enum Field<'a> {
    #[default]
    Null,
    /// A request or an answer, in CloudTrail's casing and without its secrets.
    Shape(&'a dyn Shape),
    /// JSON as it is.
    Json(&'a [u8]),
}

/// The TLS connection of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls<'a> {
    /// `TLSv1.3`
    pub version: &'a str,
    /// `TLS_AES_128_GCM_SHA256`
    pub cipher_suite: &'a str,
    /// The `Host` header.
    pub host: &'a str,
}

/// What a request is to the trail, whoever made it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    pub event_type: EventType,
    /// See [`super::source`].
    pub source: &'a str,
    /// See [`super::region`].
    pub region: &'a str,
    pub read_only: bool,
    /// The service that made the call on the caller's behalf.
    pub invoked_by: Option<&'a str>,
    pub tls: Option<Tls<'a>>,
    /// Lab mode: the event says so.
    pub lab: bool,
}

/// All that one event says.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// `eventID`, a UUID.
    pub id: &'a str,
    pub request: &'a Request,
    pub caller: &'a CallerFragment,
    pub origin: Origin<'a>,
    /// Why the call failed, if it did.
    pub error: Option<&'a Error>,
    pub input: Field<'a>,
    /// The answer, where [`super::Visibility`] shows it. Of a failed call nothing is shown, but a
    /// sign-in says in here how it ended.
    pub output: Field<'a>,
    /// `additionalEventData`.
    pub additional: Field<'a>,
    /// `serviceEventDetails`, of an event that is no call.
    pub details: Field<'a>,
    pub notes: &'a Notes,
    /// The account whose trail this is for.
    pub recipient: &'a str,
    /// Ties together the events of one call in several accounts.
    pub shared_id: Option<&'a str>,
}

impl Event<'_> {
    /// Appends the event.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"eventVersion\":\"1.11\",\"userIdentity\":");
        out.extend_from_slice(self.caller.identity(self.recipient));
        json::optional(out, "invokedBy", self.origin.invoked_by);
        out.push(b'}');
        self.write_call(out);
        self.write_outcome(out);
        self.write_records(out);
        out.push(b'}');
    }

    fn write_call(&self, out: &mut Vec<u8>) {
        let request = self.request;
        json::time(out, "eventTime", request.at.whole_seconds());
        out.extend_from_slice(b",\"eventSource\":\"");
        out.extend_from_slice(self.origin.source.as_bytes());
        out.extend_from_slice(b".amazonaws.com\"");
        json::string(out, "eventName", request.operation);
        json::string(out, "awsRegion", self.origin.region);
        // A service that calls for someone is named instead of its address and its client.
        if let Some(service) = self.origin.invoked_by.or(self.caller.service.as_deref()) {
            json::string(out, "sourceIPAddress", service);
            json::string(out, "userAgent", service);
            return;
        }
        out.extend_from_slice(b",\"sourceIPAddress\":\"");
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{}\"", request.source_ip.to_canonical());
        if let Some(agent) = &request.user_agent {
            json::string(out, "userAgent", cut(agent));
        }
    }

    fn write_outcome(&self, out: &mut Vec<u8>) {
        if let Some(error) = self.error {
            // CloudTrail names the exception's shape, not the code on the wire.
            // A refused sign-in has a message and no code.
            if !error.code.shape.is_empty() {
                json::string(out, "errorCode", cut(error.code.shape));
            }
            json::string(out, "errorMessage", cut(&error.message));
        }
        push_field(out, "requestParameters", self.input);
        let shown = self.error.is_none() || self.origin.event_type == EventType::AwsConsoleSignIn;
        let output = if shown { self.output } else { Field::Null };
        push_field(out, "responseElements", output);
        if !matches!(self.additional, Field::Null) {
            push_field(out, "additionalEventData", self.additional);
        }
        if self.origin.event_type != EventType::AwsServiceEvent {
            json::string(out, "requestID", &self.request.id);
        }
        json::string(out, "eventID", self.id);
        json::boolean(out, "readOnly", self.origin.read_only);
    }

    fn write_records(&self, out: &mut Vec<u8>) {
        if !self.notes.resources.is_empty() {
            json::raw(out, "resources", b"[");
            for resource in &self.notes.resources {
                json::separate(out);
                out.push(b'{');
                json::string(out, "ARN", &resource.arn);
                json::string(out, "accountId", &resource.account);
                json::string(out, "type", resource.kind);
                out.push(b'}');
            }
            out.push(b']');
        }
        json::string(out, "eventType", self.origin.event_type.name());
        let data = catalog::is_data(self.request.service, self.request.operation);
        json::boolean(out, "managementEvent", !data);
        json::string(out, "recipientAccountId", self.recipient);
        if !matches!(self.details, Field::Null) {
            push_field(out, "serviceEventDetails", self.details);
        }
        json::optional(out, "sharedEventID", self.shared_id);
        json::string(out, "eventCategory", if data { "Data" } else { "Management" });
        if self.caller.from_console {
            json::string(out, "sessionCredentialFromConsole", "true");
        }
        if let Some(tls) = &self.origin.tls {
            json::raw(out, "tlsDetails", b"{");
            json::string(out, "tlsVersion", tls.version);
            json::string(out, "cipherSuite", tls.cipher_suite);
            json::string(out, "clientProvidedHostHeader", cut(tls.host));
            out.push(b'}');
        }
        if self.origin.lab {
            json::raw(out, "palisade", b"{");
            json::boolean(out, "lab", true);
            json::string(out, "decision", &self.request.id);
            out.push(b'}');
        }
    }
}

fn push_field(out: &mut Vec<u8>, name: &str, field: Field<'_>) {
    json::name(out, name);
    match field {
        Field::Null => out.extend_from_slice(b"null"),
        Field::Shape(shape) => trail::write(out, name, shape),
        Field::Json(json) => out.extend_from_slice(json),
    }
}

/// The first bytes of a text, whole characters only.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default()
}
