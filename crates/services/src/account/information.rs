//! The account itself: its name, its age and its state.

use super::target;
use crate::accounts::{ACCOUNTS, State};
use crate::context::Context;
use palisade_model::account::{
    GetAccountInformationRequest, GetAccountInformationResponse,
    GetGovCloudAccountInformationRequest, GetGovCloudAccountInformationResponse,
    PutAccountNameRequest, RESOURCE_NOT_FOUND_EXCEPTION, account_state,
};
use palisade_shape::{Nothing, Result, Timestamp};

pub fn get_account_information(
    cx: &mut Context,
    input: GetAccountInformationRequest,
) -> Result<GetAccountInformationResponse> {
    target::within(cx, input.account_id.as_deref(), |cx| {
        let account = cx.find(&ACCOUNTS, cx.account())?;
        let state = match account.state {
            State::Active => account_state::ACTIVE,
            State::PendingClosure | State::Suspended => account_state::SUSPENDED,
            State::Closed => account_state::CLOSED,
        };
        Ok(GetAccountInformationResponse {
            account_id: Some(account.id),
            account_name: Some(account.name),
            account_created_date: Some(Timestamp::from_millis(account.created_millis)),
            account_state: Some(state.to_owned()),
        })
    })
}

/// Gives an account another name.
pub fn put_account_name(cx: &mut Context, input: PutAccountNameRequest) -> Result<Nothing> {
    let PutAccountNameRequest { account_name, account_id } = input;
    target::within(cx, account_id.as_deref(), |cx| {
        let mut account = cx.find(&ACCOUNTS, cx.account())?;
        account.name = account_name;
        cx.put(&ACCOUNTS, &account)?;
        Ok(Nothing)
    })
}

/// There is none: this plane is one partition, and GovCloud is another.
pub fn get_gov_cloud_account_information(
    cx: &mut Context,
    input: GetGovCloudAccountInformationRequest,
) -> Result<GetGovCloudAccountInformationResponse> {
    target::within(cx, input.standard_account_id.as_deref(), |cx| {
        let text = format!("GovCloud Account ID not found for Standard Account - {}", cx.account());
        Err(RESOURCE_NOT_FOUND_EXCEPTION.because(text))
    })
}
