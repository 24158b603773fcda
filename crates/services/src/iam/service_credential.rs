//! Service-specific credentials: user names and passwords for CodeCommit and Keyspaces, API keys
//! for Bedrock and CloudWatch Logs.
//!
//! The secret is shown by CreateServiceSpecificCredential and by Reset…, once each, and kept
//! sealed: the services that take it compare it.
//!
//! Source: IAM API reference, CreateServiceSpecificCredential and its like; IAM User Guide,
//! "Service-specific credentials for IAM users".

use super::credential::{self, Kept};
use super::principal::{self, named_or_own};
use super::{list, quota, user};
use crate::context::Context;
use crate::errors::{VALIDATION_ERROR, internal};
use crate::random;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{
    CreateServiceSpecificCredentialRequest, CreateServiceSpecificCredentialResponse,
    DeleteServiceSpecificCredentialRequest, INVALID_INPUT, ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse, NO_SUCH_ENTITY, NOT_SUPPORTED_SERVICE,
    ResetServiceSpecificCredentialRequest, ResetServiceSpecificCredentialResponse,
    ServiceSpecificCredential, ServiceSpecificCredentialMetadata,
    UpdateServiceSpecificCredentialRequest, User, status_type,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// What secrets are sealed for.
pub const PURPOSE: &str = "service-specific-credential";
const CLOUDFORMATION_TYPE: &str = "AWS::IAM::ServiceSpecificCredential";
const DAY_MILLIS: i64 = 86_400_000;

/// How a service's credentials look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A user name and a password, which do not expire.
    NameAndPassword,
    /// One text, which may expire: the prefix, then base64 of alias and secret.
    ApiKey { prefix: &'static str },
}

/// The services that have such credentials.
const SERVICES: [(&str, Form); 4] = [
    ("bedrock.amazonaws.com", Form::ApiKey { prefix: "ABSK" }),
    ("cassandra.amazonaws.com", Form::NameAndPassword),
    ("codecommit.amazonaws.com", Form::NameAndPassword),
    ("logs.amazonaws.com", Form::ApiKey { prefix: "ACWL" }),
];

/// A credential as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The user's unique id: what survives a new name.
    pub user_id: String,
    /// `ACCA…`
    pub id: String,
    /// `codecommit.amazonaws.com`
    pub service: String,
    /// The user name, or the alias of an API key. Unique among the user's of that service.
    pub name: String,
    /// The password or API key, sealed for [`PURPOSE`] and this id, in base64.
    pub sealed_secret: String,
    /// `Active` or `Inactive`.
    pub status: String,
    pub created_millis: i64,
    pub expires_millis: Option<i64>,
}

impl Kept for Record {
    fn kept_since(&self) -> i64 {
        self.created_millis
    }
}

/// Credentials, by user and id.
pub static CREDENTIALS: Table<Record> = Table::of_private(
    "iam/service-credential",
    Scope::Account,
    |record| credential::key(&record.user_id, &record.id),
    |record| internal(format!("credential {} is there already", record.id)),
    |key| {
        let id = key.rsplit('/').next().unwrap_or_default();
        let message = format!("No such credential {id} exists");
        NO_SUCH_ENTITY.because(message)
    },
);

fn form(service: &str) -> Result<Form> {
    let known = SERVICES.iter().find(|(name, _)| *name == service);
    known.map(|(_, form)| *form).ok_or_else(|| unsupported(service))
}

fn unsupported(service: &str) -> Error {
    NOT_SUPPORTED_SERVICE.because(format!("Service {service} is not supported for this operation."))
}

impl Record {
    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_millis.is_some_and(|at| at <= now.millis())
    }

    /// The status as it is shown: age counts.
    fn shown_status(&self, now: Timestamp) -> String {
        let status = if self.is_expired(now) { status_type::EXPIRED } else { &self.status };
        status.to_owned()
    }

    /// The name as user name or as alias, whichever the service has.
    fn names(&self) -> Result<(Option<String>, Option<String>)> {
        Ok(match form(&self.service)? {
            Form::NameAndPassword => (Some(self.name.clone()), None),
            Form::ApiKey { .. } => (None, Some(self.name.clone())),
        })
    }

    fn metadata(self, user: &str, now: Timestamp) -> Result<ServiceSpecificCredentialMetadata> {
        let (service_user_name, service_credential_alias) = self.names()?;
        Ok(ServiceSpecificCredentialMetadata {
            user_name: user.to_owned(),
            status: self.shown_status(now),
            service_user_name,
            service_credential_alias,
            create_date: Timestamp::from_millis(self.created_millis),
            expiration_date: self.expires_millis.map(Timestamp::from_millis),
            service_specific_credential_id: self.id,
            service_name: self.service,
        })
    }

    fn with_secret(
        self,
        user: &str,
        secret: String,
        now: Timestamp,
    ) -> Result<ServiceSpecificCredential> {
        let (service_user_name, service_credential_alias) = self.names()?;
        let (service_password, service_credential_secret) = match service_user_name {
            Some(_) => (Some(secret), None),
            None => (None, Some(secret)),
        };
        Ok(ServiceSpecificCredential {
            create_date: Timestamp::from_millis(self.created_millis),
            expiration_date: self.expires_millis.map(Timestamp::from_millis),
            status: self.shown_status(now),
            service_name: self.service,
            service_user_name,
            service_password,
            service_credential_alias,
            service_credential_secret,
            service_specific_credential_id: self.id,
            user_name: user.to_owned(),
        })
    }
}

/// `ann-at-123456789012`, and `ann+1-at-…` for the second one.
fn free_name(user: &str, account: &str, taken: &[Record]) -> String {
    let name = |number: usize| match number {
        0 => format!("{user}-at-{account}"),
        number => format!("{user}+{number}-at-{account}"),
    };
    let is_free = |name: &String| !taken.iter().any(|record| record.name == *name);
    (0..=taken.len()).map(name).find(is_free).unwrap_or_else(|| name(taken.len() + 1))
}

/// A new secret, and the same sealed.
fn new_secret(cx: &Context, form: Form, id: &str, name: &str) -> Result<(String, String)> {
    let password = random::service_password(&*cx.plane.random);
    let secret = match form {
        Form::NameAndPassword => password,
        Form::ApiKey { prefix } => {
            format!("{prefix}{}", STANDARD.encode(format!("{name}:{password}")))
        }
    };
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, id, secret.as_bytes(), random);
    let sealed = STANDARD.encode(sealed.map_err(internal)?);
    Ok((secret, sealed))
}

/// Makes a credential for a user. Answers its secret this once.
pub fn create_service_specific_credential(
    cx: &mut Context,
    input: CreateServiceSpecificCredentialRequest,
) -> Result<CreateServiceSpecificCredentialResponse> {
    let CreateServiceSpecificCredentialRequest { user_name, service_name, credential_age_days } =
        input;
    let user = user::load(cx, &user_name)?;
    let form = form(&service_name)?;
    if credential_age_days.is_some() && form == Form::NameAndPassword {
        let message = format!("CredentialAgeDays is not supported for service {service_name}.");
        return Err(INVALID_INPUT.because(message));
    }
    let mut known = credential::all(cx, &CREDENTIALS, &user.user_id)?;
    known.retain(|record| record.service == service_name);
    quota::check(cx, &quota::SERVICE_CREDENTIALS_PER_USER, known.len() + 1)?;
    let now = cx.now().whole_seconds().millis();
    let (id, name) = (cx.unique_id("ACCA"), free_name(&user.user_name, cx.account(), &known));
    let (secret, sealed_secret) = new_secret(cx, form, &id, &name)?;
    let record = Record {
        user_id: user.user_id,
        id,
        service: service_name,
        name,
        sealed_secret,
        status: status_type::ACTIVE.to_owned(),
        created_millis: now,
        expires_millis: credential_age_days.map(|days| now + i64::from(days) * DAY_MILLIS),
    };
    cx.insert(&CREDENTIALS, &record)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    let shown = record.with_secret(&user.user_name, secret, cx.now())?;
    Ok(CreateServiceSpecificCredentialResponse { service_specific_credential: Some(shown) })
}

/// The user that a call names, or the caller, and its credential.
fn owned(cx: &Context, name: Option<&str>, id: &str) -> Result<(User, Record)> {
    let user = credential::user_of(cx, &named_or_own(cx, name)?)?;
    let record = credential::find(cx, &CREDENTIALS, &user.user_id, id)?;
    Ok((user, record))
}

/// Lists the credentials of a user, of the caller, or of all users of one service.
pub fn list_service_specific_credentials(
    cx: &mut Context,
    input: ListServiceSpecificCredentialsRequest,
) -> Result<ListServiceSpecificCredentialsResponse> {
    let ListServiceSpecificCredentialsRequest {
        user_name,
        service_name,
        all_users,
        marker,
        max_items,
    } = input;
    if let Some(service) = &service_name {
        form(service)?;
    }
    let is_wanted = |record: &Record| service_name.as_ref().is_none_or(|s| *s == record.service);
    let page = if all_users == Some(true) {
        if user_name.is_some() {
            let message = "UserName and AllUsers cannot be specified together.";
            return Err(VALIDATION_ERROR.because(message));
        }
        list::page(cx, &CREDENTIALS, "", marker.as_deref(), max_items, is_wanted)?
    } else {
        let user = credential::user_of(cx, &named_or_own(cx, user_name.as_deref())?)?;
        let mut records = credential::all(cx, &CREDENTIALS, &user.user_id)?;
        records.retain(is_wanted);
        list::of_items(records, marker.as_deref(), max_items)?
    };
    let mut shown = Vec::with_capacity(page.items.len());
    for record in page.items {
        let user = principal::by_id(cx, &record.user_id)?;
        let user = user.ok_or_else(|| internal(format!("{} has no user", record.id)))?;
        shown.push(record.metadata(&user.name, cx.now())?);
    }
    Ok(ListServiceSpecificCredentialsResponse {
        service_specific_credentials: Some(shown),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Makes a credential active or inactive.
pub fn update_service_specific_credential(
    cx: &mut Context,
    input: UpdateServiceSpecificCredentialRequest,
) -> Result<Nothing> {
    let UpdateServiceSpecificCredentialRequest {
        user_name,
        service_specific_credential_id,
        status,
    } = input;
    let (user, mut record) = owned(cx, user_name.as_deref(), &service_specific_credential_id)?;
    record.status = credential::status(status)?;
    cx.put(&CREDENTIALS, &record)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    Ok(Nothing)
}

/// Gives a credential a new secret, which is answered this once; the old one is gone.
pub fn reset_service_specific_credential(
    cx: &mut Context,
    input: ResetServiceSpecificCredentialRequest,
) -> Result<ResetServiceSpecificCredentialResponse> {
    let ResetServiceSpecificCredentialRequest { user_name, service_specific_credential_id } = input;
    let (user, mut record) = owned(cx, user_name.as_deref(), &service_specific_credential_id)?;
    let (secret, sealed) = new_secret(cx, form(&record.service)?, &record.id, &record.name)?;
    record.sealed_secret = sealed;
    cx.put(&CREDENTIALS, &record)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    let shown = record.with_secret(&user.user_name, secret, cx.now())?;
    Ok(ResetServiceSpecificCredentialResponse { service_specific_credential: Some(shown) })
}

/// Deletes a credential.
pub fn delete_service_specific_credential(
    cx: &mut Context,
    input: DeleteServiceSpecificCredentialRequest,
) -> Result<Nothing> {
    let DeleteServiceSpecificCredentialRequest { user_name, service_specific_credential_id } =
        input;
    let (user, record) = owned(cx, user_name.as_deref(), &service_specific_credential_id)?;
    credential::remove(cx, &CREDENTIALS, &record.user_id, &record.id)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    Ok(Nothing)
}

#[cfg(test)]
mod tests;
