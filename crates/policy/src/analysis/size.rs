//! How large a document may be.
//!
//! Source: "IAM and AWS STS quotas", IAM User Guide; "Quotas for AWS Organizations"; "Bucket
//! policies", Amazon S3 User Guide.

use super::Analysis;
use crate::document::DocumentKind;
use crate::finding::Severity;

const IDENTITY: usize = 6144;
const TRUST: usize = 2048;
const RESOURCE: usize = 20_480;
const SCP: usize = 10_240;
const RCP: usize = 5120;

impl Analysis<'_, '_> {
    pub(super) fn sizes(&mut self) {
        use DocumentKind::{Boundary, Identity, Rcp, Resource, Scp, Session, Trust, VpcEndpoint};
        let size = self.size();
        let (quota, severity, code, before, after) = match self.kind {
            Identity | Boundary | Session => (
                IDENTITY,
                Severity::Warning,
                "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
                "identity policy, excluding whitespace,",
                "inline and managed policies",
            ),
            Resource | VpcEndpoint => (
                RESOURCE,
                Severity::Warning,
                "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
                "resource policy",
                "resource policies",
            ),
            Scp => (
                SCP,
                Severity::Error,
                "POLICY_SIZE_EXCEEDS_SCP_QUOTA",
                "service control policy (SCP)",
                "SCPs",
            ),
            Rcp => (
                RCP,
                Severity::Error,
                "POLICY_SIZE_EXCEEDS_RCP_QUOTA",
                "resource control policy (RCP)",
                "RCPs",
            ),
            Trust => {
                if size > TRUST {
                    let code = "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA";
                    self.findings.report(Severity::Warning, code, &[], TRUST_TOO_LARGE);
                }
                return;
            }
        };
        if size > quota {
            let message = format!(
                "The {size} characters in the {before} exceed the {quota} character maximum for \
                 {after}. We recommend that you use multiple granular policies."
            );
            self.findings.report(severity, code, &[], message);
        }
    }
}

const TRUST_TOO_LARGE: &str = "The characters in the role trust policy, excluding whitespace, \
    exceed the character maximum. We recommend that you request a role trust policy length quota \
    increase using Service Quotas and AWS Support Center. If the quotas have already been \
    increased, then you can ignore this warning.";
