//! Encoded authorization messages: what a refusal was decided on, readable only for those who may.
//!
//! Source: STS API reference, DecodeAuthorizationMessage; IAM User Guide, "Troubleshoot access
//! denied error messages".

use crate::context::Context;
use crate::errors::internal;
use crate::plane::Plane;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use palisade_model::sts::{
    DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse,
    INVALID_AUTHORIZATION_MESSAGE_EXCEPTION,
};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Write as _};

const PURPOSE: &str = "authorization-message";
/// What the API takes.
const ENCODED_CHARACTERS_MAX: usize = 10_240;
const DECODED_BYTES_MAX: u64 = 256 * 1024;

/// The `{"items": […]}` around every list of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items<T> {
    pub items: Vec<T>,
}

impl<T> FromIterator<T> for Items<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { items: items.into_iter().collect() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    pub value: String,
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self { value: value.to_owned() }
    }
}

/// The whole message, with AWS's member names and order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationMessage {
    pub allowed: bool,
    /// A statement denied; otherwise nothing allowed.
    pub explicit_deny: bool,
    pub matched_statements: Items<MatchedStatement>,
    pub failures: Items<Value>,
    pub context: MessageContext,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchedStatement {
    pub statement_id: String,
    /// `DENY` or `ALLOW`.
    pub effect: String,
    pub principals: Items<Value>,
    pub principal_groups: Items<Value>,
    pub actions: Items<Value>,
    pub resources: Items<Value>,
    pub conditions: Items<MessageCondition>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContext {
    pub principal: MessagePrincipal,
    pub action: String,
    pub resource: String,
    pub conditions: Items<MessageCondition>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePrincipal {
    /// `aws:userid`.
    pub id: String,
    /// Of IAM users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub arn: String,
}

/// A condition key and its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCondition {
    pub key: String,
    pub values: Items<Value>,
}

/// Seals a message for the account whose principal was refused. What grows too long for the API to
/// take back loses its conditions first, then its statements.
pub fn encode_authorization_message(
    plane: &Plane,
    account: &str,
    message: &AuthorizationMessage,
) -> Result<String> {
    let encoded = encode(plane, account, message)?;
    if encoded.len() <= ENCODED_CHARACTERS_MAX {
        return Ok(encoded);
    }
    let mut shorter = message.clone();
    shorter.context.conditions.items.clear();
    let encoded = encode(plane, account, &shorter)?;
    if encoded.len() <= ENCODED_CHARACTERS_MAX {
        return Ok(encoded);
    }
    shorter.matched_statements.items.clear();
    encode(plane, account, &shorter)
}

fn encode(plane: &Plane, account: &str, message: &AuthorizationMessage) -> Result<String> {
    let json = serde_json::to_vec(message).map_err(internal)?;
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&json).map_err(internal)?;
    let packed = packer.finish().map_err(internal)?;
    let sealed = plane
        .sealer
        .seal(PURPOSE, account, &packed, &mut |bytes| plane.random.fill(bytes))
        .map_err(internal)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a message. It is bound to the account of the principal that was refused: to others it is
/// no message.
pub fn decode_authorization_message(
    cx: &mut Context,
    input: DecodeAuthorizationMessageRequest,
) -> Result<DecodeAuthorizationMessageResponse> {
    let DecodeAuthorizationMessageRequest { encoded_message } = input;
    match decode(cx.plane, cx.account(), &encoded_message) {
        Some(message) => Ok(DecodeAuthorizationMessageResponse { decoded_message: Some(message) }),
        None => Err(INVALID_AUTHORIZATION_MESSAGE_EXCEPTION.because("Message is not valid")),
    }
}

fn decode(plane: &Plane, account: &str, encoded: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let packed = plane.sealer.unseal(PURPOSE, account, &sealed).ok()?;
    let mut json = String::new();
    DeflateDecoder::new(&packed[..]).take(DECODED_BYTES_MAX).read_to_string(&mut json).ok()?;
    Some(json)
}
