//! Which APIs the sessions of users cannot call at all, whatever policies say. Sessions of roles
//! can call all of them.
//!
//! Source: IAM User Guide, "Compare AWS STS credentials".

use crate::caller::{Session, SessionKind};
use crate::errors::ACCESS_DENIED;
use palisade_shape::{ErrorCode, Result};

static INVALID_CLIENT_TOKEN_ID: ErrorCode = ErrorCode::plain("InvalidClientTokenId", 403);

/// Refuses what AWS keeps from the session. For the pipeline, before it authorizes; `service` and
/// `operation` as the model names them.
pub fn check(session: &Session, service: &str, operation: &str) -> Result<()> {
    let (sts, iam) = match session.kind {
        SessionKind::FederationToken => (operation == "GetCallerIdentity", false),
        SessionKind::SessionToken => (
            matches!(operation, "GetCallerIdentity" | "AssumeRole"),
            session.mfa_at_millis.is_some(),
        ),
        _ => return Ok(()),
    };
    match service {
        "iam" if !iam => Err(INVALID_CLIENT_TOKEN_ID
            .because("The security token included in the request is invalid")),
        "sts" if !sts => {
            Err(ACCESS_DENIED.because(format!("Cannot call {operation} with session credentials")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_kind_of_session_can_call() {
        use SessionKind::{AssumeRole, FederationToken, SessionToken};
        let invalid = Some("InvalidClientTokenId");
        let denied = Some("AccessDenied");
        let cases = [
            (FederationToken, None, "iam", "GetUser", invalid),
            (FederationToken, Some(1), "iam", "GetUser", invalid),
            (FederationToken, None, "sts", "AssumeRole", denied),
            (FederationToken, None, "sts", "GetCallerIdentity", None),
            (FederationToken, None, "s3", "ListBuckets", None),
            (SessionToken, None, "iam", "GetUser", invalid),
            (SessionToken, Some(1), "iam", "GetUser", None),
            (SessionToken, None, "sts", "AssumeRole", None),
            (SessionToken, None, "sts", "GetSessionToken", denied),
            (SessionToken, None, "sts", "DecodeAuthorizationMessage", denied),
            (AssumeRole, None, "iam", "GetUser", None),
            (AssumeRole, None, "sts", "AssumeRole", None),
        ];
        for (kind, mfa_at_millis, service, operation, expected) in cases {
            let session = Session { kind, mfa_at_millis, ..super::super::tests::plain_session() };
            let refused = check(&session, service, operation).err();
            let code = refused.map(|error| error.code.code);
            assert_eq!(code, expected, "{kind:?} {mfa_at_millis:?} {service}:{operation}");
        }
    }
}
