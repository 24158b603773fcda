//! Whom to write to about the bill, about operations and about security.

use super::target;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::account::{
    AlternateContact, DeleteAlternateContactRequest, GetAlternateContactRequest,
    GetAlternateContactResponse, PutAlternateContactRequest, RESOURCE_NOT_FOUND_EXCEPTION,
};
use palisade_shape::{Nothing, Result};

/// By type: `BILLING`, `OPERATIONS`, `SECURITY`.
static CONTACTS: Table<AlternateContact> = Table::of_shapes(
    "account/alternate-contact",
    Scope::Account,
    |contact| contact.alternate_contact_type.clone().unwrap_or_default(),
    |_| internal("the alternate contact is there already"),
    |_| {
        let text = "No contact of the inputted alternate contact type found.";
        RESOURCE_NOT_FOUND_EXCEPTION.because(text)
    },
);

/// Whether the account that the context sees has a contact of that type.
pub fn is_set(cx: &Context, kind: &str) -> Result<bool> {
    cx.exists(&CONTACTS, kind)
}

pub fn get_alternate_contact(
    cx: &mut Context,
    input: GetAlternateContactRequest,
) -> Result<GetAlternateContactResponse> {
    let GetAlternateContactRequest { alternate_contact_type, account_id } = input;
    target::within(cx, account_id.as_deref(), |cx| {
        let alternate_contact = Some(cx.find(&CONTACTS, &alternate_contact_type)?);
        Ok(GetAlternateContactResponse { alternate_contact })
    })
}

/// Sets the contact of a type.
pub fn put_alternate_contact(
    cx: &mut Context,
    input: PutAlternateContactRequest,
) -> Result<Nothing> {
    let PutAlternateContactRequest {
        name,
        title,
        email_address,
        phone_number,
        alternate_contact_type,
        account_id,
    } = input;
    let contact = AlternateContact {
        name: Some(name),
        title: Some(title),
        email_address: Some(email_address.trim().to_owned()),
        phone_number: Some(phone_number),
        alternate_contact_type: Some(alternate_contact_type),
    };
    target::within(cx, account_id.as_deref(), |cx| {
        cx.put(&CONTACTS, &contact)?;
        Ok(Nothing)
    })
}

pub fn delete_alternate_contact(
    cx: &mut Context,
    input: DeleteAlternateContactRequest,
) -> Result<Nothing> {
    let DeleteAlternateContactRequest { alternate_contact_type, account_id } = input;
    target::within(cx, account_id.as_deref(), |cx| {
        if !cx.delete(&CONTACTS, &alternate_contact_type)? {
            return Err((CONTACTS.missing)(&alternate_contact_type));
        }
        Ok(Nothing)
    })
}
