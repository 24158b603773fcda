//! One recorded event as LookupEvents lists it.

use palisade_model::cloudtrail::{Event, Resource};
use palisade_shape::Timestamp;
use palisade_store::AuditRecord;
use serde::Deserialize;
use std::borrow::Cow;

/// What a listing takes from an event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed<'a> {
    #[serde(borrow)]
    user_identity: Identity<'a>,
    #[serde(borrow)]
    pub event_source: Cow<'a, str>,
    #[serde(borrow)]
    pub event_name: Cow<'a, str>,
    #[serde(rename = "eventID", borrow)]
    pub event_id: Cow<'a, str>,
    pub read_only: bool,
    #[serde(default, borrow)]
    resources: Vec<Touched<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    /// What a service tells of its own accord has none.
    #[serde(rename = "type", default, borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    arn: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    user_name: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    invoked_by: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Touched<'a> {
    #[serde(rename = "ARN", borrow)]
    arn: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

impl<'a> Listed<'a> {
    pub fn parse(event: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(event)
    }

    pub fn access_key_id(&self) -> Option<&str> {
        self.user_identity.access_key_id.as_deref()
    }

    /// The user's name, the name of a session, `root`, or the service.
    pub fn username(&self) -> Option<&str> {
        let identity = &self.user_identity;
        match &*identity.kind {
            "Root" => Some("root"),
            "AssumedRole" | "FederatedUser" => {
                identity.arn.as_deref().and_then(|arn| arn.rsplit('/').next())
            }
            "AWSService" | "" => identity.invoked_by.as_deref(),
            _ => identity.user_name.as_deref(),
        }
    }

    /// The resources by type, each under its ARN and under its name.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources.iter().flat_map(|touched| {
            let arn = &*touched.arn;
            let name = Some(short_name(arn)).filter(|name| *name != arn);
            std::iter::once(arn).chain(name).map(|name| (&*touched.kind, name))
        })
    }

    /// The answer's form of it.
    pub fn into_event(self, record: &AuditRecord) -> Event {
        let named = |(kind, name): (&str, &str)| Resource {
            resource_type: Some(kind.to_owned()),
            resource_name: Some(name.to_owned()),
        };
        Event {
            resources: Some(self.resources().map(named).collect()),
            username: self.username().map(str::to_owned),
            access_key_id: self.access_key_id().map(str::to_owned),
            event_id: Some(self.event_id.into_owned()),
            event_name: Some(self.event_name.into_owned()),
            event_source: Some(self.event_source.into_owned()),
            event_time: Some(Timestamp::from_millis(record.time_millis).whole_seconds()),
            read_only: Some(self.read_only.to_string()),
            cloud_trail_event: Some(String::from_utf8_lossy(&record.event).into_owned()),
        }
    }
}

/// The resource's name: what stands after the last slash or colon of its ARN.
fn short_name(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}
