//! The owner's address.

use super::target;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::account::{
    ContactInformation, GetContactInformationRequest, GetContactInformationResponse,
    PutContactInformationRequest, RESOURCE_NOT_FOUND_EXCEPTION,
};
use palisade_shape::{Nothing, Result};

/// The one key of the table.
const ONLY: &str = "contact-information";

static CONTACTS: Table<ContactInformation> = Table::of_shapes(
    "account/contact-information",
    Scope::Account,
    |_| ONLY.to_owned(),
    |_| internal("the contact information is there already"),
    |_| {
        let text = "No contact information found for the account.";
        RESOURCE_NOT_FOUND_EXCEPTION.because(text)
    },
);

pub fn get_contact_information(
    cx: &mut Context,
    input: GetContactInformationRequest,
) -> Result<GetContactInformationResponse> {
    target::within(cx, input.account_id.as_deref(), |cx| {
        let contact_information = Some(cx.find(&CONTACTS, ONLY)?);
        Ok(GetContactInformationResponse { contact_information })
    })
}

/// Sets the address as a whole.
pub fn put_contact_information(
    cx: &mut Context,
    input: PutContactInformationRequest,
) -> Result<Nothing> {
    let PutContactInformationRequest { contact_information, account_id } = input;
    target::within(cx, account_id.as_deref(), |cx| {
        cx.put(&CONTACTS, &contact_information)?;
        Ok(Nothing)
    })
}
