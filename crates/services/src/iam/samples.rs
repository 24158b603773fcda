//! Requests and documents that tests begin with.

use super::{group, policy, role, user};
use crate::testing::Lab;
use palisade_model::iam::{
    CreateGroupRequest, CreatePolicyRequest, CreateRoleRequest, CreateUserRequest, Tag,
};

/// A trust policy that lets EC2 in.
pub const TRUST: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","#,
    r#""Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#
);

/// An identity policy.
pub const DOCUMENT: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","#,
    r#""Action":"s3:GetObject","Resource":"*"}]}"#
);

/// One of AWS's policies.
pub const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// An identity policy of at least that many characters.
pub fn long_document(size: usize) -> String {
    let actions = r#""s3:GetObject","#.repeat(size / 15 + 1);
    DOCUMENT.replace(r#""s3:GetObject""#, &format!(r#"[{actions}"s3:PutObject"]"#))
}

pub fn new_role(name: &str) -> CreateRoleRequest {
    CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        ..CreateRoleRequest::default()
    }
}

pub fn new_policy(name: &str) -> CreatePolicyRequest {
    CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: DOCUMENT.to_owned(),
        ..CreatePolicyRequest::default()
    }
}

/// Makes a policy and answers its ARN.
pub fn make_policy(lab: &Lab, name: &str) -> String {
    lab.call(policy::create_policy, new_policy(name)).unwrap().policy.unwrap().arn.unwrap()
}

/// Makes a user, a group and a role, all of one name.
pub fn make_all(lab: &Lab, name: &str) {
    let user_name = name.to_owned();
    lab.call(user::create_user, CreateUserRequest { user_name, ..Default::default() }).unwrap();
    let group_name = name.to_owned();
    lab.call(group::create_group, CreateGroupRequest { group_name, ..Default::default() }).unwrap();
    lab.call(role::create_role, new_role(name)).unwrap();
}

pub fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Vec<Tag> {
    let tag = |(key, value): (&str, &str)| Tag { key: key.to_owned(), value: value.to_owned() };
    pairs.into_iter().map(tag).collect()
}

/// An authority that signs certificates for the year from 2025-12-31.
pub struct Issuer {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

fn params(name: &str) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2025, 12, 31);
    params.not_after = rcgen::date_time_ymd(2026, 12, 31);
    params
}

impl Issuer {
    /// Signed by `above`, or by itself.
    pub fn new(name: &str, above: Option<&Self>) -> Self {
        let mut params = params(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = match above {
            Some(above) => params.signed_by(&key, &above.issuer),
            None => params.self_signed(&key),
        };
        Self { certificate: certificate.unwrap(), issuer: rcgen::Issuer::new(params, key) }
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }
}

/// A certificate of that name and its private key, both in PEM.
pub fn leaf(issuer: &Issuer, name: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params(name).signed_by(&key, &issuer.issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}
