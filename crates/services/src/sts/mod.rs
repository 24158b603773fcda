//! AWS Security Token Service: temporary credentials. A session is no row in the store: all that it
//! says travels sealed inside its token ([`session`]), so that it survives a restart, costs no
//! write, and ends with its time or with the principal that it stands for.
//!
//! Source: AWS STS API reference, 2011-06-15; IAM User Guide, "Temporary security credentials".

pub mod authorization_message;
pub mod delegated_access;
pub mod federated_user;
mod federation;
pub mod identity;
pub mod issuer_keys;
pub mod jwt;
pub mod mfa;
pub mod packing;
pub mod resources;
pub mod restriction;
pub mod role;
pub mod root;
pub mod saml;
pub mod session;
pub mod session_policy;
pub mod session_tag;
pub mod session_token;
pub mod web_identity;
pub mod web_identity_token;

use crate::service::{Operation, Proving, Requiring, Service, Typed, read};
use palisade_shape::ErrorCode;

pub use authorization_message::encode_authorization_message;

pub static SERVICE: Service = Service {
    model: &palisade_model::sts::SERVICE,
    operations: OPERATIONS,
    resources: &resources::StsResources,
    jobs: &[],
};

/// Sessions are not stored. What a call may write is that a code was used.
pub static OPERATIONS: &[Operation] = &[
    // Who is calling.
    read("GetCallerIdentity", &Typed(identity::get_caller_identity))
        .requiring(&Requiring(identity::get_caller_identity_requirements)),
    read("GetAccessKeyInfo", &Typed(identity::get_access_key_info)),
    // Sessions.
    read("AssumeRole", &Typed(role::assume_role))
        .requiring(&Requiring(role::assume_role_requirements))
        .writing_with(mfa::brings_code),
    read("GetFederationToken", &Typed(federated_user::get_federation_token))
        .requiring(&Requiring(federated_user::get_federation_token_requirements)),
    read("GetSessionToken", &Typed(session_token::get_session_token))
        .requiring(&Requiring(session_token::get_session_token_requirements))
        .writing_with(mfa::brings_code),
    read("AssumeRoot", &Typed(root::assume_root))
        .requiring(&Requiring(root::assume_root_requirements)),
    // Sessions of whom an identity provider vouches for.
    read("AssumeRoleWithSAML", &Typed(saml::assume_role_with_saml))
        .requiring(&Requiring(saml::assume_role_with_saml_requirements))
        .proven_by(&Proving(saml::prove))
        .writing_with(saml::uses_up_an_assertion),
    read("AssumeRoleWithWebIdentity", &Typed(web_identity::assume_role_with_web_identity))
        .requiring(&Requiring(web_identity::assume_role_with_web_identity_requirements))
        .proven_by(&Proving(web_identity::prove)),
    // What callers get for others.
    read("GetDelegatedAccessToken", &Typed(delegated_access::get_delegated_access_token)),
    read("GetWebIdentityToken", &Typed(web_identity_token::get_web_identity_token))
        .writing_with(web_identity_token::may_make_a_key),
    // Refusals.
    read("DecodeAuthorizationMessage", &Typed(authorization_message::decode_authorization_message)),
];

/// STS answers it for session tags and does not model it.
pub(crate) static INVALID_PARAMETER_VALUE: ErrorCode =
    ErrorCode::plain("InvalidParameterValue", 400);

#[cfg(test)]
pub(crate) mod tests;
