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
