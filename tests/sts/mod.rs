//! STS through boto3: sessions, what they can do, and what is refused.

mod assume_role;
mod identity;
mod saml;
mod user_sessions;
mod web_identity;
