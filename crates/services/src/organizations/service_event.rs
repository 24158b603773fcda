//! What Organizations tells the management account of what it did in the background.
//!
//! Source: Organizations User Guide, "Logging AWS Organizations API calls with AWS CloudTrail",
//! CreateAccountResult, CloseAccountResult.

use super::create_account::Creation;
use super::organization::PRINCIPAL;
use crate::audit::{ServiceEvent, time};
use crate::context::Context;
use palisade_shape::{Result, Timestamp};
use serde_json::json;

/// A request for an account has ended. The context stands in the management account.
pub fn account_created(cx: &mut Context, creation: &Creation) -> Result<()> {
    let at = |millis: i64| time(Timestamp::from_millis(millis));
    let mut status = json!({
        "id": creation.id,
        "state": creation.state,
        // Names and addresses are hidden in events.
        "accountName": "****",
        "requestedTimestamp": at(creation.requested_millis),
        "completedTimestamp": at(creation.completed_millis.unwrap_or_default()),
    });
    for (name, value) in [("accountId", &creation.account), ("failureReason", &creation.failure)] {
        if let (Some(value), Some(status)) = (value, status.as_object_mut()) {
            status.insert(name.to_owned(), json!(value));
        }
    }
    let details = json!({ "createAccountStatus": status });
    tell(cx, "CreateAccountResult", &details.to_string())
}

/// An account is closed. The context stands in the management account.
pub fn account_closed(cx: &mut Context, account: &str, requested_millis: i64) -> Result<()> {
    let details = json!({ "closeAccountStatus": {
        "accountId": account,
        "state": "SUCCEEDED",
        "requestedTimestamp": time(Timestamp::from_millis(requested_millis)),
        "completedTimestamp": time(cx.now()),
    } });
    tell(cx, "CloseAccountResult", &details.to_string())
}

fn tell(cx: &mut Context, name: &'static str, details: &str) -> Result<()> {
    let recipient = cx.account().to_owned();
    let event = ServiceEvent {
        name,
        service: "organizations",
        principal: PRINCIPAL,
        recipient: &recipient,
        details,
    };
    event.record(cx)
}
