//! Signing in with a browser: who is signed in, for how long, what is left to prove, and what the
//! trail says of it. The pages themselves are the server's (`crates/palisade/src/signin/`).

pub mod federation;
pub mod record;
pub mod recovery;
pub mod security_key;
pub mod session;
pub mod step;
pub mod subject;

use crate::context::Context;
use crate::table::Table;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_shape::Result;

/// Bytes of what a browser is known by: 256 bits.
const SECRET_BYTES: usize = 32;
/// Rows looked at for each that is added.
const SWEEP_MAX: usize = 16;

/// A random text that nobody guesses, for a cookie.
pub fn secret(cx: &Context) -> String {
    let mut bytes = [0; SECRET_BYTES];
    cx.plane.random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a text that must not be known to who reads the store.
pub fn hashed(purpose: &str, text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, format!("{purpose}\0{text}").as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// Removes rows that are over. Keys are hashes, so the neighbours of a new one are any rows: with
/// each new row that sweeps its neighbours, few dead ones stay, and no job is needed.
fn sweep<T>(
    cx: &mut Context,
    table: &Table<T>,
    beside: &str,
    is_over: impl Fn(&T) -> bool,
) -> Result<()> {
    let mut rows = cx.scan(table, "", Some(beside), SWEEP_MAX)?;
    if rows.len() < SWEEP_MAX {
        rows.extend(cx.scan(table, "", None, SWEEP_MAX - rows.len())?);
    }
    for (key, row) in rows {
        if is_over(&row) {
            cx.delete(table, &key)?;
        }
    }
    Ok(())
}
