//! Client tokens: a call that is sent again with its token is done once and answered as before.
//!
//! Source: RAM API reference, `clientToken` of each operation.

use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::service::{Handler, Input, typed};
use crate::table::{Scope, Table};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::ram::{
    IDEMPOTENT_PARAMETER_MISMATCH_EXCEPTION, INVALID_CLIENT_TOKEN_EXCEPTION,
};
use palisade_protocol::{json, select::select};
use palisade_shape::{Named, Result, Shape, Structure};
use serde::{Deserialize, Serialize};

/// How long a token is known.
const KNOWN_SECONDS: i64 = 86_400;
/// The longest token, in characters: what a UUID needs, and some room.
const TOKEN_MAX: usize = 128;

/// A call that was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    /// The operation and the token.
    key: String,
    /// The hash of the input.
    asked: String,
    /// The output, in JSON.
    answer: String,
}

static DONE: Table<Done> = Table::of_private(
    "ram/client-token",
    Scope::Region,
    |done| done.key.clone(),
    |done| internal(format!("{} is done already", done.key)),
    |key| internal(format!("{key} is not done")),
);

/// Forgets a token. The job's subject is its key.
pub static FORGET: JobKind =
    JobKind { name: "ram/forget-client-token", principal: "ram.amazonaws.com", run: forget };

fn forget(cx: &mut Context, subject: &str) -> Result<Next> {
    cx.delete(&DONE, subject)?;
    Ok(Next::Done)
}

/// A handler whose input may have a `clientToken`.
pub struct Once<I, O>(pub fn(&mut Context, I) -> Result<O>);

impl<I: Named + Clone + Sync, O: Named> Once<I, O> {
    fn answer(&self, cx: &mut Context, input: &I) -> Result<O> {
        let Some(token) = select(input, "clientToken").pop() else {
            return (self.0)(cx, input.clone());
        };
        let is_good = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || token.len() > TOKEN_MAX || !is_good {
            let text = "The specified client token is not valid.";
            return Err(INVALID_CLIENT_TOKEN_EXCEPTION.because(text));
        }
        let key = format!("{}|{token}", cx.request.operation);
        let asked = digest::digest(&digest::SHA256, &json::to_json(input));
        let asked = URL_SAFE_NO_PAD.encode(asked);
        if let Some(done) = cx.get(&DONE, &key)? {
            if done.asked != asked {
                let text = "The specified client token was used before with other parameters.";
                return Err(IDEMPOTENT_PARAMETER_MISMATCH_EXCEPTION.because(text));
            }
            let mut answer = O::default();
            json::from_json(done.answer.as_bytes(), &mut answer)
                .map_err(|error| internal(format!("stored answer: {error:?}")))?;
            return Ok(answer);
        }
        let answer = (self.0)(cx, input.clone())?;
        let text = String::from_utf8(json::to_json(&answer)).map_err(internal)?;
        cx.put(&DONE, &Done { key: key.clone(), asked, answer: text })?;
        cx.later(&FORGET, cx.now().plus_seconds(KNOWN_SECONDS), &key)?;
        Ok(answer)
    }
}

impl<I: Named + Clone + Sync, O: Named> Handler for Once<I, O> {
    fn new_input(&self) -> Box<dyn Input> {
        Box::new(I::default())
    }

    fn call(&self, cx: &mut Context, input: &dyn Input) -> Result<Box<dyn Shape + Send>> {
        let input = typed::<I>(input)?;
        Ok(Box::new(self.answer(cx, input)?))
    }

    fn structures(&self) -> (&'static Structure, &'static Structure) {
        (I::STRUCTURE, O::STRUCTURE)
    }
}
