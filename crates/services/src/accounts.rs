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
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// When its closure began, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_millis: Option<i64>,
}

/// Where an account is in its life. Only an active one proves anything and answers anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    #[default]
    Active,
    /// Its closure was asked for.
    PendingClosure,
    /// Closed, and can be opened again.
    Suspended,
    /// Closed for good.
    Closed,
}

impl State {
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active)
    }
}

/// Accounts, by id.
pub static ACCOUNTS: Table<Account> = Table::of_private(
    "plane/account",
    Scope::Plane,
    |account: &Account| account.id.clone(),
    |account| VALIDATION_ERROR.because(format!("Account {} exists already.", account.id)),
    |id| VALIDATION_ERROR.because(format!("There is no account {id}.")),
);

/// Which account has an e-mail address: root users sign in with it, so all accounts share them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Email {
    /// In lower case.
    email: String,
    account: String,
}

static EMAILS: Table<Email> = Table::of_private(
    "plane/account-email",
    Scope::Plane,
    |row| row.email.clone(),
    |row| {
        let email = &row.email;
        VALIDATION_ERROR.because(format!("An account with the e-mail address {email} exists."))
    },
    |email| VALIDATION_ERROR.because(format!("No account has the e-mail address {email}.")),
);

fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Makes an account. Its root user has no password and no key yet. Refuses an id or an e-mail
/// address (ignoring case) that an account has.
pub fn create(cx: &mut Context, id: &str, name: &str, email: &str) -> Result<Account> {
    let account = Account {
        id: id.to_owned(),
        name: name.to_owned(),
        email: email.to_owned(),
        created_millis: cx.now().millis(),
        state: State::Active,
        closed_millis: None,
    };
    cx.insert(&ACCOUNTS, &account)?;
    cx.insert(&EMAILS, &Email { email: normal(email), account: id.to_owned() })?;
    Ok(account)
}

/// The account whose root user has that e-mail address, ignoring case.
pub fn of_email(cx: &Context, email: &str) -> Result<Option<String>> {
    Ok(cx.get(&EMAILS, &normal(email))?.map(|row| row.account))
}

/// Notes the addresses of accounts that an older version made. Of two accounts with one address the
/// first has it, and the root user of the other cannot sign in by it.
pub fn index_emails(cx: &mut Context) -> Result<()> {
    for account in cx.all(&ACCOUNTS, "")? {
        let row = Email { email: normal(&account.email), account: account.id };
        if !cx.exists(&EMAILS, &row.email)? {
            cx.put(&EMAILS, &row)?;
        }
    }
    Ok(())
}

/// Gives an account another e-mail address. Refuses one that another account has.
pub fn change_email(cx: &mut Context, id: &str, email: &str) -> Result<()> {
    let mut account = cx.find(&ACCOUNTS, id)?;
    cx.delete(&EMAILS, &normal(&account.email))?;
    cx.insert(&EMAILS, &Email { email: normal(email), account: id.to_owned() })?;
    account.email = email.to_owned();
    cx.put(&ACCOUNTS, &account)
}

/// Whether the account exists and is not closed or about to be.
pub fn is_active(cx: &Context, id: &str) -> Result<bool> {
    Ok(cx.get(&ACCOUNTS, id)?.is_some_and(|account| account.state.is_active()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lab;

    #[test]
    fn an_address_is_of_one_account() {
        let lab = Lab::new();
        let make = |id: &'static str, email: &'static str| {
            lab.write(move |cx| create(cx, id, "Test", email).map(drop))
        };
        let found = |email: &'static str| lab.read(|cx| of_email(cx, email)).unwrap();
        make("111111111111", "Ann@example.com").unwrap();
        let refused = make("222222222222", " ann@EXAMPLE.com").unwrap_err().to_string();
        assert!(refused.contains("ann@example.com exists"), "{refused}");
        assert_eq!(found("ann@example.COM").as_deref(), Some("111111111111"));
        make("222222222222", "ben@example.com").unwrap();
        let change =
            |email: &'static str| lab.write(move |cx| change_email(cx, "222222222222", email));
        assert!(change("ANN@example.com").is_err());
        change("eva@example.com").unwrap();
        assert_eq!(found("ben@example.com"), None);
        // As an older version left it.
        lab.write(|cx| cx.delete(&EMAILS, "eva@example.com")).unwrap();
        assert_eq!(found("eva@example.com"), None);
        lab.write(index_emails).unwrap();
        assert_eq!(found("eva@example.com").as_deref(), Some("222222222222"));
        assert_eq!(found("ann@example.com").as_deref(), Some("111111111111"));
        assert_eq!(found("eva@example.com").as_deref(), Some("222222222222"));
    }
}
