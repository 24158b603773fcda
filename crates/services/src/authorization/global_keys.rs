//! AWS's global condition keys: what fills each here, or why nothing does.
//!
//! Source: IAM User Guide, "AWS global condition context keys", in the page's own order.

/// A key of every service's requests. Its type is in [`palisade_policy::GLOBAL_KEYS`].
#[derive(Clone, Copy, Debug)]
pub struct GlobalKey {
    /// As AWS writes it; after a `/` stands a tag's key.
    pub name: &'static str,
    pub state: KeyState,
}

/// What becomes of a condition on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The pipeline fills it wherever AWS would: from this.
    Filled(&'static str),
    /// It is never there, as it would not be in AWS for what this plane does: the reason.
    Absent(&'static str),
    /// AWS would fill it and this plane cannot know it, so what hangs on it is denied: the reason.
    Unresolvable(&'static str),
}

use KeyState::{Absent, Filled};

const fn key(name: &'static str, from: &'static str) -> GlobalKey {
    GlobalKey { name, state: Filled(from) }
}

const fn never(name: &'static str, why: &'static str) -> GlobalKey {
    GlobalKey { name, state: Absent(why) }
}

const ELSEWHERE: &str = "only sessions that this AWS service issues have it, and none does here";
const MCP: &str = "only AWS's managed MCP servers set it";

/// All of them.
pub const GLOBAL_KEYS: &[GlobalKey] = &[
    // Properties of the principal.
    key("aws:PrincipalArn", "the caller; a role session's role"),
    key("aws:PrincipalAccount", "the caller"),
    key("aws:PrincipalOrgPaths", "the organization of the caller's account"),
    key("aws:PrincipalOrgID", "the organization of the caller's account"),
    key("aws:PrincipalTag/tag-key", "session tags, then the user's or role's own"),
    key("aws:PrincipalIsAWSService", "the caller"),
    key("aws:PrincipalServiceName", "a calling service"),
    key("aws:PrincipalServiceNamesList", "a calling service"),
    key("aws:PrincipalType", "the caller"),
    key("aws:userid", "the caller"),
    key("aws:username", "a calling user"),
    // Properties of a role session.
    key("aws:AssumedRoot", "sessions of AssumeRoot"),
    key("aws:FederatedProvider", "sessions of AssumeRoleWithWebIdentity"),
    key("aws:TokenIssueTime", "temporary credentials"),
    never("aws:SignInSessionArn", "only AWS Sign-In's OAuth sessions have it"),
    key("aws:MultiFactorAuthAge", "temporary credentials got with a second factor"),
    key("aws:MultiFactorAuthPresent", "temporary credentials of unfederated callers"),
    never("aws:ChatbotSourceArn", ELSEWHERE),
    never("aws:Ec2InstanceSourceVpc", ELSEWHERE),
    never("aws:Ec2InstanceSourcePrivateIPv4", ELSEWHERE),
    key("aws:SourceIdentity", "sessions with a source identity"),
    key("ec2:RoleDelivery", "sessions of the instance metadata service"),
    key("ec2:SourceInstanceArn", "sessions of the instance metadata service"),
    never("glue:RoleAssumedBy", ELSEWHERE),
    never("glue:CredentialIssuingService", ELSEWHERE),
    never("codebuild:BuildArn", ELSEWHERE),
    never("codebuild:ProjectArn", ELSEWHERE),
    never("lambda:SourceFunctionArn", ELSEWHERE),
    never("ssm:SourceInstanceArn", ELSEWHERE),
    never("identitystore:UserId", ELSEWHERE),
    // Properties of the network.
    key("aws:SourceIp", "the connection, unless it came through a VPC endpoint"),
    key("aws:SourceVpc", "the VPC endpoint"),
    key("aws:SourceVpcArn", "the VPC endpoint"),
    key("aws:SourceVpce", "the VPC endpoint"),
    key("aws:VpceAccount", "the VPC endpoint"),
    key("aws:VpceOrgID", "the organization of the VPC endpoint's account"),
    key("aws:VpceOrgPaths", "the organization of the VPC endpoint's account"),
    key("aws:VpcSourceIp", "the connection, if it came through a VPC endpoint"),
    // Properties of the resource.
    key("aws:ResourceAccount", "the resource's owner"),
    key("aws:ResourceOrgID", "the organization of the resource's account"),
    key("aws:ResourceOrgPaths", "the organization of the resource's account"),
    key("aws:ResourceTag/tag-key", "the stored resource"),
    // Properties of the request.
    key("aws:CalledVia", "the services that a call was forwarded through"),
    key("aws:CalledViaFirst", "the services that a call was forwarded through"),
    key("aws:CalledViaLast", "the services that a call was forwarded through"),
    never("aws:CalledViaAWSMCP", MCP),
    key("aws:ViaAWSService", "the services that a call was forwarded through"),
    never("aws:ViaAWSMCPService", MCP),
    key("aws:CurrentTime", "the plane's clock"),
    key("aws:EpochTime", "the plane's clock"),
    key("aws:referer", "the request's header"),
    key("aws:RequestedRegion", "the credential's scope"),
    key("aws:RequestTag/tag-key", "the request"),
    key("aws:TagKeys", "the request"),
    key("aws:SecureTransport", "the connection"),
    key("aws:SourceAccount", "what a calling service acts for"),
    key("aws:SourceArn", "what a calling service acts for"),
    key("aws:SourceOrgID", "the organization of what a calling service acts for"),
    key("aws:SourceOrgPaths", "the organization of what a calling service acts for"),
    key("aws:UserAgent", "the request's header"),
    never("aws:IsMcpServiceAction", MCP),
];

/// The key of that name in any case, tag keys included (`aws:principaltag/team`).
pub fn global_key(name: &str) -> Option<&'static GlobalKey> {
    let family = name.split_once('/').map_or(name, |(family, _)| family);
    GLOBAL_KEYS.iter().find(|known| {
        let known = known.name.split_once('/').map_or(known.name, |(family, _)| family);
        known.eq_ignore_ascii_case(family)
    })
}
