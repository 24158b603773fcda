//! The regions of an account. Most are there for everybody; others an account enables first, and
//! one that it has not enabled answers none of its requests.
//!
//! Source: Account Management reference guide, "Enable or disable AWS Regions in your account".

use super::target;
use crate::context::{Context, from_store};
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::page;
use crate::table::{Scope, Table};
use palisade_model::account::{
    CONFLICT_EXCEPTION, DisableRegionRequest, EnableRegionRequest, GetRegionOptStatusRequest,
    GetRegionOptStatusResponse, ListRegionsRequest, ListRegionsResponse, Region,
    VALIDATION_EXCEPTION, region_opt_status,
};
use palisade_shape::{Error, Nothing, Result};
use palisade_store::{Key, Read};

/// Regions that every account has. Sorted.
const BY_DEFAULT: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Regions that an account enables. Sorted.
const OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Regions of a page unless `MaxResults` says otherwise.
const USUAL: usize = 50;

/// What an account chose. A region without a row is as it is from the beginning.
static CHOICES: Table<Region> = Table::of_shapes(
    "account/region",
    Scope::Account,
    |region| region.region_name.clone().unwrap_or_default(),
    |region| internal(format!("{:?} was chosen already", region.region_name)),
    |region| internal(format!("{region} was not chosen")),
);

/// Ends the enabling or disabling of a region. The job's subject is the region.
pub static FINISH: JobKind =
    JobKind { name: "account/finish-region", principal: "account.amazonaws.com", run: finish };

/// Whether an account may use a region: one of AWS's opt-in regions only when it has enabled it.
pub fn is_enabled(read: &dyn Read, account: &str, region: &str) -> Result<bool> {
    if OPT_IN.binary_search(&region).is_err() {
        return Ok(true);
    }
    let key = Key { collection: CHOICES.name, account, region: "", key: region };
    let Some(found) = read.get(&key).map_err(from_store)? else { return Ok(false) };
    let status = CHOICES.decode(&found.body)?.region_opt_status;
    Ok(status.as_deref() == Some(region_opt_status::ENABLED))
}

fn unknown(region: &str) -> Error {
    let text = format!("The region {region} is not a region that can be enabled or disabled.");
    VALIDATION_EXCEPTION.because(text).with("reason", "invalidRegionOptTarget")
}

fn status(cx: &Context, region: &str) -> Result<String> {
    if BY_DEFAULT.binary_search(&region).is_ok() {
        return Ok(region_opt_status::ENABLED_BY_DEFAULT.to_owned());
    }
    if OPT_IN.binary_search(&region).is_err() {
        return Err(unknown(region));
    }
    let chosen = cx.get(&CHOICES, region)?.and_then(|choice| choice.region_opt_status);
    Ok(chosen.unwrap_or_else(|| region_opt_status::DISABLED.to_owned()))
}

fn set(cx: &mut Context, region: &str, status: &str) -> Result<()> {
    let choice =
        Region { region_name: Some(region.to_owned()), region_opt_status: Some(status.to_owned()) };
    cx.put(&CHOICES, &choice)
}

pub fn get_region_opt_status(
    cx: &mut Context,
    input: GetRegionOptStatusRequest,
) -> Result<GetRegionOptStatusResponse> {
    let GetRegionOptStatusRequest { account_id, region_name } = input;
    target::within(cx, account_id.as_deref(), |cx| {
        let status = status(cx, &region_name)?;
        Ok(GetRegionOptStatusResponse {
            region_name: Some(region_name),
            region_opt_status: Some(status),
        })
    })
}

/// Lists all regions by name, or those of some states.
pub fn list_regions(cx: &mut Context, input: ListRegionsRequest) -> Result<ListRegionsResponse> {
    let ListRegionsRequest { account_id, max_results, next_token, region_opt_status_contains } =
        input;
    let size = max_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(USUAL);
    let after = page::start(next_token.as_deref(), &VALIDATION_EXCEPTION)?;
    target::within(cx, account_id.as_deref(), |cx| {
        let mut names: Vec<&str> = BY_DEFAULT.into_iter().chain(OPT_IN).collect();
        names.sort_unstable();
        let mut rows = Vec::new();
        for name in names {
            if after.as_deref().is_some_and(|after| name <= after) {
                continue;
            }
            let status = status(cx, name)?;
            if region_opt_status_contains.as_ref().is_none_or(|states| states.contains(&status)) {
                let region =
                    Region { region_name: Some(name.to_owned()), region_opt_status: Some(status) };
                rows.push((name.to_owned(), region));
            }
        }
        rows.truncate(size + 1);
        let page = page::cut(rows, size);
        Ok(ListRegionsResponse { next_token: page.next, regions: Some(page.items) })
    })
}

/// Begins to change a region from one state to the other; one that is there already stays.
fn change(
    cx: &mut Context,
    account: Option<&str>,
    region: &str,
    (on_the_way, there): (&str, &str),
) -> Result<Nothing> {
    target::within(cx, account, |cx| {
        let now = status(cx, region)?;
        match now.as_str() {
            region_opt_status::ENABLED_BY_DEFAULT => Err(unknown(region)),
            region_opt_status::ENABLING | region_opt_status::DISABLING => {
                let text = format!("The region {region} is currently {}.", now.to_lowercase());
                Err(CONFLICT_EXCEPTION.because(text))
            }
            state if state == there => Ok(Nothing),
            _ => {
                set(cx, region, on_the_way)?;
                cx.later(&FINISH, cx.now(), region)?;
                Ok(Nothing)
            }
        }
    })
}

pub fn enable_region(cx: &mut Context, input: EnableRegionRequest) -> Result<Nothing> {
    let EnableRegionRequest { account_id, region_name } = input;
    let way = (region_opt_status::ENABLING, region_opt_status::ENABLED);
    change(cx, account_id.as_deref(), &region_name, way)
}

pub fn disable_region(cx: &mut Context, input: DisableRegionRequest) -> Result<Nothing> {
    let DisableRegionRequest { account_id, region_name } = input;
    let way = (region_opt_status::DISABLING, region_opt_status::DISABLED);
    change(cx, account_id.as_deref(), &region_name, way)
}

fn finish(cx: &mut Context, subject: &str) -> Result<Next> {
    match status(cx, subject)?.as_str() {
        region_opt_status::ENABLING => set(cx, subject, region_opt_status::ENABLED)?,
        region_opt_status::DISABLING => set(cx, subject, region_opt_status::DISABLED)?,
        _ => {}
    }
    Ok(Next::Done)
}
