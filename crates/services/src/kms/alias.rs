//! Aliases: names of an account and region that stand for keys.
//!
//! Source: AWS KMS API reference, CreateAlias and its like; Developer Guide, "Aliases in AWS KMS".

use super::key::{self, Key};
use super::{VALIDATION_EXCEPTION, key_id, list, managed};
use crate::context::Context;
use crate::errors::internal;
use crate::page::{self, Page};
use crate::table::{Scope, Table};
use palisade_model::kms::{
    ALREADY_EXISTS_EXCEPTION, AliasListEntry, CreateAliasRequest, DeleteAliasRequest,
    INVALID_ALIAS_NAME_EXCEPTION, INVALID_MARKER_EXCEPTION, KMS_INVALID_STATE_EXCEPTION,
    LIMIT_EXCEEDED_EXCEPTION, ListAliasesRequest, ListAliasesResponse, NOT_FOUND_EXCEPTION,
    UpdateAliasRequest,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// With its `alias/`.
    pub name: String,
    pub account: String,
    pub region: String,
    pub key_id: String,
    pub created_millis: i64,
    pub updated_millis: i64,
}

pub static ALIASES: Table<Alias> = Table::of_private(
    "kms/alias",
    Scope::Account,
    |alias| key::row(&alias.region, &alias.name),
    |alias| {
        let text = format!("An alias with the name {} already exists", alias.arn());
        ALREADY_EXISTS_EXCEPTION.because(text)
    },
    |row| NOT_FOUND_EXCEPTION.because(format!("Alias {row} is not found.")),
);

/// Aliases of one key (Developer Guide, "Resource quotas").
const ALIASES_OF_KEY_MAX: usize = 50;

/// Names that only AWS gives.
pub const RESERVED: &str = "alias/aws/";

impl Alias {
    pub fn arn(&self) -> String {
        arn(&self.region, &self.account, &self.name)
    }
}

/// `name` has its `alias/`.
pub fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{name}")
}

/// Refuses what cannot be the name of a customer's alias.
fn check_name(name: &str) -> Result<()> {
    let Some(rest) = name.strip_prefix("alias/").filter(|rest| !rest.is_empty()) else {
        return Err(INVALID_ALIAS_NAME_EXCEPTION.because(
            "Alias must start with the prefix \"alias/\". Please see \
                      https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    };
    if rest.contains(':') {
        let text = format!("{name} contains invalid characters for an alias");
        return Err(VALIDATION_EXCEPTION.because(text));
    }
    refuse_reserved(name)
}

fn refuse_reserved(name: &str) -> Result<()> {
    if name.starts_with(RESERVED) {
        return Err(super::NOT_AUTHORIZED_EXCEPTION.because(""));
    }
    Ok(())
}

/// The key that an alias is to stand for: one of the caller's account, by its id or ARN.
fn target(cx: &mut Context, key_id: &str) -> Result<Key> {
    if key_id::parse(cx, key_id)?.is_alias() {
        return Err(VALIDATION_EXCEPTION.because("Aliases must refer to keys. Not aliases"));
    }
    let key = key_id::load(cx, key_id)?;
    if key.account != cx.account() {
        return Err(NOT_FOUND_EXCEPTION.because(format!("Key '{}' does not exist", key.arn())));
    }
    key.refuse_pending_deletion()?;
    Ok(key)
}

/// Adds the name to the key's.
fn add(cx: &mut Context, key: &mut Key, name: &str) -> Result<()> {
    if key.aliases.len() >= ALIASES_OF_KEY_MAX {
        let text = format!("{} has {ALIASES_OF_KEY_MAX} aliases already.", key.arn());
        return Err(LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    key.aliases.push(name.to_owned());
    key.aliases.sort();
    key::put(cx, key)
}

/// Makes a name for a key of the account.
pub fn create_alias(cx: &mut Context, input: CreateAliasRequest) -> Result<Nothing> {
    let CreateAliasRequest { alias_name, target_key_id } = input;
    check_name(&alias_name)?;
    let mut key = target(cx, &target_key_id)?;
    let now = cx.now().millis();
    let alias = Alias {
        account: key.account.clone(),
        region: key.region.clone(),
        key_id: key.id.clone(),
        created_millis: now,
        updated_millis: now,
        name: alias_name,
    };
    cx.insert(&ALIASES, &alias)?;
    add(cx, &mut key, &alias.name)?;
    key::touch(cx, &key);
    cx.touch("AWS::KMS::Alias", alias.arn());
    Ok(Nothing)
}

/// The alias of that name in the account and region.
fn load(cx: &Context, name: &str) -> Result<Alias> {
    let found = cx.get(&ALIASES, &key::row(cx.region(), name))?;
    found.ok_or_else(|| {
        let arn = arn(cx.region(), cx.account(), name);
        NOT_FOUND_EXCEPTION.because(format!("Alias {arn} is not found."))
    })
}

/// Lets an alias stand for another key of the same type and usage.
pub fn update_alias(cx: &mut Context, input: UpdateAliasRequest) -> Result<Nothing> {
    let UpdateAliasRequest { alias_name, target_key_id } = input;
    refuse_reserved(&alias_name)?;
    let mut alias = load(cx, &alias_name)?;
    let mut key = target(cx, &target_key_id)?;
    if key.id == alias.key_id {
        return Ok(Nothing);
    }
    if let Some(mut old) = cx.get(&key::KEYS, &key::row(&alias.region, &alias.key_id))? {
        if (old.spec()?.family, &old.usage) != (key.spec()?.family, &key.usage) {
            let text = format!(
                "Alias {} cannot be changed from {} to {} because their key specs or key usages \
                 differ.",
                alias.arn(),
                old.arn(),
                key.arn()
            );
            return Err(KMS_INVALID_STATE_EXCEPTION.because(text));
        }
        old.aliases.retain(|name| *name != alias.name);
        key::put(cx, &old)?;
    }
    alias.key_id = key.id.clone();
    alias.updated_millis = cx.now().millis();
    cx.put(&ALIASES, &alias)?;
    add(cx, &mut key, &alias.name)?;
    key::touch(cx, &key);
    cx.touch("AWS::KMS::Alias", alias.arn());
    Ok(Nothing)
}

/// Takes a name away; its key stays.
pub fn delete_alias(cx: &mut Context, input: DeleteAliasRequest) -> Result<Nothing> {
    let DeleteAliasRequest { alias_name } = input;
    refuse_reserved(&alias_name)?;
    let alias = load(cx, &alias_name)?;
    cx.delete(&ALIASES, &key::row(&alias.region, &alias.name))?;
    if let Some(mut key) = cx.get(&key::KEYS, &key::row(&alias.region, &alias.key_id))? {
        key.aliases.retain(|name| *name != alias.name);
        key::put(cx, &key)?;
        key::touch(cx, &key);
    }
    cx.touch("AWS::KMS::Alias", alias.arn());
    Ok(Nothing)
}

/// Takes all names of a key away that is deleted.
pub fn forget_all(cx: &mut Context, key: &Key) -> Result<()> {
    for name in &key.aliases {
        cx.delete(&ALIASES, &key::row(&key.region, name))?;
    }
    Ok(())
}

/// Stores the alias of an AWS managed key.
pub fn put_managed(cx: &mut Context, key: &Key) -> Result<()> {
    let name = key.aliases.first().ok_or_else(|| internal("a managed key without an alias"))?;
    let alias = Alias {
        name: name.clone(),
        account: key.account.clone(),
        region: key.region.clone(),
        key_id: key.id.clone(),
        created_millis: key.created_millis,
        updated_millis: key.created_millis,
    };
    cx.insert(&ALIASES, &alias)
}

/// One page of all aliases of the account in the region, with those of AWS services that have no
/// key there yet.
fn all(cx: &Context, marker: Option<&str>, limit: Option<i32>) -> Result<Page<Alias>> {
    let (region, account) = (cx.region().to_owned(), cx.account().to_owned());
    let prefix = key::row(&region, "");
    let after = page::start(marker, &INVALID_MARKER_EXCEPTION)?;
    let size = list::SHORT.of(limit);
    let mut rows = cx.scan(&ALIASES, &prefix, after.as_deref(), size + 1)?;
    for name in managed::aliases() {
        let row = key::row(&region, &name);
        let passed = after.as_ref().is_some_and(|after| row <= *after);
        if !passed && !cx.exists(&ALIASES, &row)? {
            let alias = Alias {
                name,
                account: account.clone(),
                region: region.clone(),
                key_id: String::new(),
                created_millis: 0,
                updated_millis: 0,
            };
            rows.push((row, alias));
        }
    }
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(page::cut(rows, size))
}

/// Lists the aliases of the account in the region, or those of one of its keys.
pub fn list_aliases(cx: &mut Context, input: ListAliasesRequest) -> Result<ListAliasesResponse> {
    let ListAliasesRequest { key_id, limit, marker } = input;
    let page: Page<Alias> = match key_id {
        None => all(cx, marker.as_deref(), limit)?,
        Some(key_id) => {
            let key = key_id::load_by_id(cx, &key_id)?;
            let mut rows = Vec::with_capacity(key.aliases.len());
            for name in key.aliases {
                let row = key::row(&key.region, &name);
                let alias = cx.in_account(&key.account, |cx| cx.find(&ALIASES, &row))?;
                rows.push((name, alias));
            }
            list::page_of(rows, marker.as_deref(), limit, list::SHORT)?
        }
    };
    // An alias that stands for nothing yet was never made either.
    let date = |key_id: &str, at: i64| (!key_id.is_empty()).then(|| Timestamp::from_millis(at));
    let entry = |alias: Alias| AliasListEntry {
        alias_arn: Some(alias.arn()),
        alias_name: Some(alias.name),
        creation_date: date(&alias.key_id, alias.created_millis),
        last_updated_date: date(&alias.key_id, alias.updated_millis),
        target_key_id: Some(alias.key_id).filter(|id| !id.is_empty()),
    };
    Ok(ListAliasesResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        aliases: Some(page.items.into_iter().map(entry).collect()),
    })
}
