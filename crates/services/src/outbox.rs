//! The outbox: mail that Palisade has for people, such as the code that recovers a root password.
//! It is kept with the change that it tells of, and whoever runs the server reads it: in lab mode
//! any client of the same machine, otherwise the holder of the operator's token.
//!
//! What a message says is sealed: who reads the store must not find codes in it.

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Messages are kept so long.
const KEPT_DAYS: i64 = 7;
const DAY_MILLIS: i64 = 86_400_000;
/// Old messages removed for each new one.
const SWEEP_MAX: usize = 16;
const PURPOSE: &str = "outbox";

/// A message to send.
pub struct Mail<'a> {
    /// What it is for, such as `root-password-recovery`.
    pub kind: &'a str,
    /// The e-mail address.
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    /// The code that the text tells, so that programs need not look for it.
    pub code: Option<&'a str>,
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: String,
    pub at: Timestamp,
    /// The account that it is about.
    pub account: String,
    pub kind: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub code: Option<String>,
}

/// A message as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    at_millis: i64,
    account: String,
    kind: String,
    /// A [`Letter`], sealed for [`PURPOSE`] and the id, in base64.
    sealed: String,
}

/// The sealed part of a message.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Letter {
    to: String,
    subject: String,
    text: String,
    code: Option<String>,
}

/// Messages, the oldest first.
static MESSAGES: Table<Record> = Table::of_private(
    "plane/outbox",
    Scope::Plane,
    |record| key(record.at_millis, &record.id),
    |record| internal(format!("message {} is there already", record.id)),
    |id| internal(format!("there is no message {id}")),
);

fn key(at_millis: i64, id: &str) -> String {
    format!("{at_millis:016}/{id}")
}

/// Puts a message about the account of `cx` into the outbox, once the transaction commits. Answers
/// its id.
pub fn send(cx: &mut Context, mail: &Mail<'_>) -> Result<String> {
    let id = cx.uuid();
    let letter = Letter {
        to: mail.to.to_owned(),
        subject: mail.subject.to_owned(),
        text: mail.text.to_owned(),
        code: mail.code.map(str::to_owned),
    };
    let letter = serde_json::to_vec(&letter).map_err(internal)?;
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, &id, &letter, random).map_err(internal)?;
    let record = Record {
        id: id.clone(),
        at_millis: cx.now().millis(),
        account: cx.account().to_owned(),
        kind: mail.kind.to_owned(),
        sealed: STANDARD.encode(sealed),
    };
    cx.insert(&MESSAGES, &record)?;
    sweep(cx)?;
    Ok(id)
}

/// Removes what is too old to be of use.
fn sweep(cx: &mut Context) -> Result<()> {
    let too_old = cx.now().millis() - KEPT_DAYS * DAY_MILLIS;
    for (key, record) in cx.scan(&MESSAGES, "", None, SWEEP_MAX)? {
        if record.at_millis < too_old {
            cx.delete(&MESSAGES, &key)?;
        }
    }
    Ok(())
}

/// All messages, the oldest first.
pub fn messages(cx: &Context) -> Result<Vec<Sent>> {
    cx.all(&MESSAGES, "")?.into_iter().map(|record| opened(cx, record)).collect()
}

fn opened(cx: &Context, record: Record) -> Result<Sent> {
    let Record { id, at_millis, account, kind, sealed } = record;
    let sealed = STANDARD.decode(sealed).map_err(internal)?;
    let letter = cx.plane.sealer.unseal(PURPOSE, &id, &sealed).map_err(internal)?;
    let Letter { to, subject, text, code } = serde_json::from_slice(&letter).map_err(internal)?;
    let at = Timestamp::from_millis(at_millis);
    Ok(Sent { id, at, account, kind, to, subject, text, code })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ACCOUNT, Lab, NOW};

    fn send_code(lab: &Lab, to: &'static str, code: &'static str) {
        lab.write(move |cx| {
            let text = format!("Your code is {code}.");
            let mail = Mail { kind: "test", to, subject: "A code", text: &text, code: Some(code) };
            send(cx, &mail)
        })
        .unwrap();
    }

    #[test]
    fn messages_are_sealed_and_come_in_order() {
        let lab = Lab::new();
        send_code(&lab, "ann@example.com", "code-1");
        send_code(&lab.at(NOW.plus_seconds(1)), "ben@example.com", "code-2");
        let sent = lab.read(|cx| messages(cx)).unwrap();
        let shown: Vec<_> = sent.iter().map(|m| (m.to.as_str(), m.code.as_deref())).collect();
        let expected = [("ann@example.com", Some("code-1")), ("ben@example.com", Some("code-2"))];
        assert_eq!(shown, expected);
        assert_eq!((sent[0].account.as_str(), sent[0].at), (ACCOUNT, NOW));
        assert_eq!(sent[0].text, "Your code is code-1.");
        let kept = lab.read(|cx| cx.all(&MESSAGES, "")).unwrap();
        let stored = serde_json::to_string(&kept).unwrap();
        assert!(!stored.contains("code-1") && !stored.contains("ann@"), "{stored}");
    }

    #[test]
    fn old_messages_go() {
        let lab = Lab::new();
        send_code(&lab, "ann@example.com", "code-1");
        send_code(&lab.at(NOW.plus_seconds(KEPT_DAYS * 86_400)), "ann@example.com", "code-2");
        assert_eq!(lab.read(|cx| messages(cx)).unwrap().len(), 2);
        send_code(&lab.at(NOW.plus_seconds(KEPT_DAYS * 86_400 + 1)), "ann@example.com", "code-3");
        let sent = lab.read(|cx| messages(cx)).unwrap();
        let codes: Vec<_> = sent.iter().filter_map(|m| m.code.as_deref()).collect();
        assert_eq!(codes, ["code-2", "code-3"]);
    }
}
