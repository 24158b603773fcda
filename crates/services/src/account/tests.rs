//! Account Management from inside.

use super::primary_email::{accept_requirements, start_requirements};
use super::region::is_enabled;
use crate::testing::{ACCOUNT, Lab};
use palisade_model::account::{
    AcceptPrimaryEmailUpdateRequest, DisableRegionRequest, EnableRegionRequest,
    StartPrimaryEmailUpdateRequest,
};

#[test]
fn a_region_is_enabled_once_its_job_ran() {
    let lab = Lab::new();
    let enabled = |region: &str| lab.read(|cx| is_enabled(cx.reader(), ACCOUNT, region)).unwrap();
    assert!(enabled("us-east-1") && enabled("local") && !enabled("eu-south-1"));
    let region_name = || "eu-south-1".to_owned();
    let enable = EnableRegionRequest { account_id: None, region_name: region_name() };
    lab.call(super::region::enable_region, enable.clone()).unwrap();
    assert!(!enabled("eu-south-1"));
    let busy = lab.refusal(super::region::enable_region, enable.clone());
    assert_eq!(busy, "ConflictException: The region eu-south-1 is currently enabling.");
    lab.run_jobs();
    assert!(enabled("eu-south-1"));
    // Enabled it stays, and another account has not enabled it.
    lab.call(super::region::enable_region, enable).unwrap();
    let other = lab.read(|cx| is_enabled(cx.reader(), "210987654321", "eu-south-1")).unwrap();
    assert!(!other);
    let disable = DisableRegionRequest { account_id: None, region_name: region_name() };
    lab.call(super::region::disable_region, disable).unwrap();
    assert!(!enabled("eu-south-1"));
    let default = DisableRegionRequest { account_id: None, region_name: "us-east-1".into() };
    let refused = lab.refusal(super::region::disable_region, default);
    assert!(refused.starts_with("ValidationException: The region us-east-1"), "{refused}");
}

#[test]
fn a_new_address_is_decided_by_its_domain() {
    let lab = Lab::new();
    let start = StartPrimaryEmailUpdateRequest {
        account_id: "210987654321".into(),
        primary_email: "a@sub.example.com".into(),
    };
    let accept = AcceptPrimaryEmailUpdateRequest {
        account_id: start.account_id.clone(),
        primary_email: start.primary_email.clone(),
        otp: "abc123".into(),
    };
    let mut requirements = lab.read(|cx| start_requirements(cx, &start)).unwrap();
    requirements.extend(lab.read(|cx| accept_requirements(cx, &accept)).unwrap());
    assert_eq!(requirements.len(), 2);
    let domain = ("account:emailtargetdomain".to_owned(), vec!["sub.example.com".to_owned()]);
    for requirement in requirements {
        assert_eq!(requirement.keys, std::slice::from_ref(&domain), "{requirement:?}");
    }
}
