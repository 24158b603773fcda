//! AWS's words for what is wrong with a document. IAM reads its own policies with one parser;
//! policies with a `Principal` go through another, whose messages other services show as well.
//!
//! Source: responses of IAM and S3 as recorded in the tests and issues of public projects.

use crate::document::DocumentKind;

pub(crate) const SYNTAX: &str = "Syntax errors in policy.";
pub(crate) const LEGACY: &str = "The policy failed legacy parsing";

/// The messages of one parser.
pub(crate) struct Wording {
    pub invalid_json: &'static str,
    pub invalid_version: &'static str,
    pub missing_statement: &'static str,
    pub empty_statement: &'static str,
    pub missing_effect: &'static str,
    pub missing_action: &'static str,
    pub missing_resource: &'static str,
    pub duplicate_sid: &'static str,
}

static IDENTITY: Wording = Wording {
    invalid_json: SYNTAX,
    invalid_version: SYNTAX,
    missing_statement: SYNTAX,
    empty_statement: SYNTAX,
    missing_effect: SYNTAX,
    missing_action: "Policy statement must contain actions.",
    missing_resource: "Policy statement must contain resources.",
    duplicate_sid: "Statement IDs (SID) in a single policy must be unique.",
};

static RESOURCE: Wording = Wording {
    invalid_json: "This policy contains invalid Json",
    invalid_version: "The policy must contain a valid version string",
    missing_statement: "Missing required field Statement",
    empty_statement: "Could not parse the policy: Statement is empty!",
    missing_effect: "Missing required field Effect",
    missing_action: "Missing required field Action",
    missing_resource: "Missing required field Resource",
    duplicate_sid: "The Statement Ids in the policy are not unique",
};

impl DocumentKind {
    pub(crate) fn wording(self) -> &'static Wording {
        if self.has_principal() { &RESOURCE } else { &IDENTITY }
    }
}
