//! AWS's global condition keys: what type each has, and whether it holds several values.
//!
//! Source: "AWS global condition context keys", IAM User Guide.

use crate::key_type::KeyType;

/// A key that the requests of every service may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalKey {
    /// As AWS writes it; a family of tags ends in `/`.
    pub name: &'static str,
    /// What its values are.
    pub kind: KeyType,
    /// It holds a list and wants a set operator.
    pub multivalued: bool,
}

const fn one(name: &'static str, kind: KeyType) -> GlobalKey {
    GlobalKey { name, kind, multivalued: false }
}

const fn many(name: &'static str) -> GlobalKey {
    GlobalKey { name, kind: KeyType::String, multivalued: true }
}

/// All of them, sorted without regard to case. Those that do not begin with `aws:` are of role
/// sessions that one service issues.
pub const GLOBAL_KEYS: &[GlobalKey] = &[
    one("aws:AssumedRoot", KeyType::String),
    many("aws:CalledVia"),
    one("aws:CalledViaAWSMCP", KeyType::String),
    one("aws:CalledViaFirst", KeyType::String),
    one("aws:CalledViaLast", KeyType::String),
    one("aws:ChatbotSourceArn", KeyType::Arn),
    one("aws:CurrentTime", KeyType::Date),
    one("aws:Ec2InstanceSourcePrivateIPv4", KeyType::IpAddress),
    one("aws:Ec2InstanceSourceVpc", KeyType::String),
    one("aws:EpochTime", KeyType::DateOrNumeric),
    one("aws:FederatedProvider", KeyType::String),
    one("aws:IsMcpServiceAction", KeyType::Bool),
    one("aws:MultiFactorAuthAge", KeyType::Numeric),
    one("aws:MultiFactorAuthPresent", KeyType::Bool),
    one("aws:PrincipalAccount", KeyType::String),
    one("aws:PrincipalArn", KeyType::Arn),
    one("aws:PrincipalIsAWSService", KeyType::Bool),
    one("aws:PrincipalOrgID", KeyType::String),
    many("aws:PrincipalOrgPaths"),
    one("aws:PrincipalServiceName", KeyType::String),
    many("aws:PrincipalServiceNamesList"),
    one("aws:PrincipalTag/", KeyType::String),
    one("aws:PrincipalType", KeyType::String),
    one("aws:referer", KeyType::String),
    one("aws:RequestedRegion", KeyType::String),
    one("aws:RequestTag/", KeyType::String),
    one("aws:ResourceAccount", KeyType::String),
    one("aws:ResourceOrgID", KeyType::String),
    many("aws:ResourceOrgPaths"),
    one("aws:ResourceTag/", KeyType::String),
    one("aws:SecureTransport", KeyType::Bool),
    one("aws:SignInSessionArn", KeyType::Arn),
    one("aws:SourceAccount", KeyType::String),
    one("aws:SourceArn", KeyType::Arn),
    one("aws:SourceIdentity", KeyType::String),
    one("aws:SourceIp", KeyType::IpAddress),
    one("aws:SourceOrgID", KeyType::String),
    many("aws:SourceOrgPaths"),
    one("aws:SourceVpc", KeyType::String),
    one("aws:SourceVpcArn", KeyType::Arn),
    one("aws:SourceVpce", KeyType::String),
    many("aws:TagKeys"),
    one("aws:TokenIssueTime", KeyType::Date),
    one("aws:UserAgent", KeyType::String),
    one("aws:userid", KeyType::String),
    one("aws:username", KeyType::String),
    one("aws:ViaAWSMCPService", KeyType::Bool),
    one("aws:ViaAWSService", KeyType::Bool),
    one("aws:VpceAccount", KeyType::String),
    one("aws:VpceOrgID", KeyType::String),
    many("aws:VpceOrgPaths"),
    one("aws:VpcSourceIp", KeyType::IpAddress),
    one("codebuild:BuildArn", KeyType::Arn),
    one("codebuild:ProjectArn", KeyType::Arn),
    one("ec2:RoleDelivery", KeyType::Numeric),
    one("ec2:SourceInstanceArn", KeyType::Arn),
    one("glue:CredentialIssuingService", KeyType::String),
    one("glue:RoleAssumedBy", KeyType::String),
    one("identitystore:UserId", KeyType::String),
    one("lambda:SourceFunctionArn", KeyType::Arn),
    one("ssm:SourceInstanceArn", KeyType::Arn),
];

/// The key of that name in any case, tag keys included (`aws:principaltag/team`).
#[must_use]
pub fn global_key(name: &str) -> Option<&'static GlobalKey> {
    let family = name.split_inclusive('/').next().filter(|family| family.len() < name.len());
    let wanted = family.unwrap_or(name).bytes().map(|byte| byte.to_ascii_lowercase());
    let lower = |key: &GlobalKey| key.name.bytes().map(|byte| byte.to_ascii_lowercase());
    let at = GLOBAL_KEYS.binary_search_by(|key| lower(key).cmp(wanted.clone())).ok()?;
    // A family without a tag's key, or a key with one that is no family, names nothing.
    GLOBAL_KEYS.get(at).filter(|key| key.name.ends_with('/') == family.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_any_case() {
        assert!(GLOBAL_KEYS.is_sorted_by_key(|key| key.name.to_lowercase()));
        let found = |name: &str| global_key(name).map(|key| (key.name, key.multivalued));
        for (name, expected) in [
            ("AWS:principaltag/Team", Some(("aws:PrincipalTag/", false))),
            ("aws:resourcetag/a/b", Some(("aws:ResourceTag/", false))),
            ("aws:resourcetag/", None),
            ("aws:resourcetag", None),
            ("aws:sourceip/x", None),
            ("aws:nosuch", None),
            ("aws:TagKeys", Some(("aws:TagKeys", true))),
            ("EC2:SourceInstanceARN", Some(("ec2:SourceInstanceArn", false))),
        ] {
            assert_eq!(found(name), expected, "{name}");
        }
    }
}
