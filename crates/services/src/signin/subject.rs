//! Whom a sign-in is about: a root user, found by its account's e-mail address, or a user, found by
//! account and name.

use crate::accounts;
use crate::caller::{Caller, Session, SessionKind};
use crate::context::Context;
use crate::iam::access::Kind;
use crate::iam::password::{self, Profile};
use crate::iam::principal::{self, Owner};
use crate::iam::{account, user};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// A root user or a user, by what stays the same when it gets another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    pub account: String,
    /// The user's unique id, or the account for root.
    pub id: String,
}

/// What there is behind a [`Subject`] right now.
#[derive(Clone, Debug)]
pub struct Person {
    pub subject: Subject,
    pub owner: Owner,
    pub arn: String,
    /// Empty for root, as is the path.
    pub name: String,
    pub path: String,
}

/// The account that a sign-in form names by id or alias.
pub fn account_named(cx: &Context, text: &str) -> Result<Option<String>> {
    let text = text.trim().to_lowercase();
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let id = match digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Some(digits),
        false => account::of_alias(cx, &text)?,
    };
    match id {
        Some(id) if cx.exists(&accounts::ACCOUNTS, &id)? => Ok(Some(id)),
        _ => Ok(None),
    }
}

/// The root user of an account.
pub fn root(account: &str) -> Person {
    Person {
        subject: Subject { account: account.to_owned(), id: account.to_owned() },
        owner: Owner::Root,
        arn: Caller::root(account).arn.to_string(),
        name: String::new(),
        path: String::new(),
    }
}

/// The user of that name in the account that `cx` sees.
pub fn user_named(cx: &Context, name: &str) -> Result<Option<Person>> {
    let found = cx.get(&user::USERS, &name.trim().to_lowercase())?;
    Ok(found.map(|user| Person {
        subject: Subject { account: cx.account().to_owned(), id: user.user_id },
        owner: Owner::User(user.user_name.clone()),
        arn: user.arn,
        name: user.user_name,
        path: user.path,
    }))
}

impl Subject {
    pub fn is_root(&self) -> bool {
        self.id == self.account
    }

    /// The person as it is now; none when it is gone.
    pub fn person(&self, cx: &mut Context) -> Result<Option<Person>> {
        cx.in_account(&self.account, |cx| {
            if self.is_root() {
                let there = cx.exists(&accounts::ACCOUNTS, &self.account)?;
                return Ok(there.then(|| root(&self.account)));
            }
            let known = principal::by_id(cx, &self.id)?;
            let known = known.filter(|row| row.kind == Kind::User && row.account == self.account);
            match known {
                Some(row) => Ok(user_named(cx, &row.name)?.filter(|user| user.subject == *self)),
                None => Ok(None),
            }
        })
    }
}

impl Person {
    /// The person's login profile, if it has one.
    pub fn profile(&self, cx: &mut Context) -> Result<Option<Profile>> {
        cx.in_account(&self.subject.account, |cx| password::profile(cx, &self.owner))
    }

    /// How the trail and the pages call it.
    pub fn shown_name(&self) -> &str {
        if self.subject.is_root() { "root" } else { &self.name }
    }

    /// A session of the person itself. It has no key yet.
    pub fn session(&self, issued_at_millis: i64, mfa_at_millis: Option<i64>) -> Session {
        Session {
            kind: SessionKind::SignIn,
            access_key_id: String::new(),
            secret_access_key: String::new(),
            account: self.subject.account.clone(),
            issuer_arn: self.arn.clone(),
            issuer_id: self.subject.id.clone(),
            issuer_name: self.name.clone(),
            issuer_path: self.path.clone(),
            name: String::new(),
            issued_at_millis,
            expires_at_millis: 0,
            policies: Vec::new(),
            policy_arns: Vec::new(),
            tags: std::collections::BTreeMap::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_at_millis,
            chained: false,
            federation: std::collections::BTreeMap::new(),
        }
    }
}
