//! The accounts of this plane. The first start makes one; Organizations and, in lab mode, the
//! operator make more.

use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::table::{Scope, Table};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// One AWS account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    pub name: String,
    pub email: String,
    /// Milliseconds since the epoch.
    pub created_millis: i64,
}

/// Accounts, by id.
pub static ACCOUNTS: Table<Account> = Table::of_private(
    "plane/account",
    Scope::Plane,
    |account: &Account| account.id.clone(),
    |account| VALIDATION_ERROR.because(format!("Account {} exists already.", account.id)),
    |id| VALIDATION_ERROR.because(format!("There is no account {id}.")),
);

/// Makes an account. Its root user has no password and no key yet.
pub fn create(cx: &mut Context, id: &str, name: &str, email: &str) -> Result<Account> {
    let account = Account {
        id: id.to_owned(),
        name: name.to_owned(),
        email: email.to_owned(),
        created_millis: cx.now().millis(),
    };
    cx.insert(&ACCOUNTS, &account)?;
    Ok(account)
}
