//! AWS Account Management: what AWS knows of an account's owner, and which regions it uses.
//!
//! An account speaks for itself when no account is named. The management account of an organization
//! and a delegated administrator name a member ([`target`]).
//!
//! Source: Account Management API reference, 2021-02-01.

pub mod alternate_contact;
pub mod contact_information;
pub mod information;
pub mod primary_email;
pub mod region;
pub mod target;

use crate::service::{Operation, Requiring, Service, Typed, read, write};

pub static SERVICE: Service = Service {
    model: &palisade_model::account::SERVICE,
    operations: OPERATIONS,
    resources: &target::AccountResources,
    jobs: &[&region::FINISH],
};

pub static OPERATIONS: &[Operation] = &[
    // The account.
    read("GetAccountInformation", &Typed(information::get_account_information)),
    write("PutAccountName", &Typed(information::put_account_name)),
    read("GetGovCloudAccountInformation", &Typed(information::get_gov_cloud_account_information)),
    // Whom to reach.
    read("GetContactInformation", &Typed(contact_information::get_contact_information)),
    write("PutContactInformation", &Typed(contact_information::put_contact_information)),
    read("GetAlternateContact", &Typed(alternate_contact::get_alternate_contact)),
    write("PutAlternateContact", &Typed(alternate_contact::put_alternate_contact)),
    write("DeleteAlternateContact", &Typed(alternate_contact::delete_alternate_contact)),
    // The root user's e-mail address.
    read("GetPrimaryEmail", &Typed(primary_email::get_primary_email)),
    write("StartPrimaryEmailUpdate", &Typed(primary_email::start_primary_email_update))
        .requiring(&Requiring(primary_email::start_requirements)),
    write("AcceptPrimaryEmailUpdate", &Typed(primary_email::accept_primary_email_update))
        .requiring(&Requiring(primary_email::accept_requirements)),
    // Regions.
    read("ListRegions", &Typed(region::list_regions)),
    read("GetRegionOptStatus", &Typed(region::get_region_opt_status)),
    write("EnableRegion", &Typed(region::enable_region)),
    write("DisableRegion", &Typed(region::disable_region)),
];

#[cfg(test)]
mod tests;
