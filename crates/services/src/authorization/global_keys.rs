//! AWS's global condition keys: what fills each here, or why nothing does.
//!
//! Source: IAM User Guide, "AWS global condition context keys", in the page's own order.

/// A key of every service's requests.
#[derive(Clone, Copy, Debug)]
pub struct GlobalKey {
    /// As AWS writes it; after a `/` stands a tag's key.
    pub name: &'static str,
    pub kind: KeyKind,
    /// It holds a list and wants a set operator.
    pub multivalued: bool,
    pub state: KeyState,
}

/// The type of a key's values, in the words of the Service Authorization Reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Arn,
    Bool,
    Date,
    IpAddress,
    Numeric,
    String,
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

use KeyKind::{Arn, Bool, Date, IpAddress, Numeric, String};
use KeyState::{Absent, Filled};

const fn key(name: &'static str, kind: KeyKind, from: &'static str) -> GlobalKey {
    GlobalKey { name, kind, multivalued: false, state: Filled(from) }
}

const fn list(name: &'static str, from: &'static str) -> GlobalKey {
    GlobalKey { name, kind: String, multivalued: true, state: Filled(from) }
}

const fn never(name: &'static str, kind: KeyKind, why: &'static str) -> GlobalKey {
    GlobalKey { name, kind, multivalued: false, state: Absent(why) }
}

const ELSEWHERE: &str = "only sessions that this AWS service issues have it, and none does here";
const MCP: &str = "only AWS's managed MCP servers set it";

/// All of them.
pub const GLOBAL_KEYS: &[GlobalKey] = &[
    // Properties of the principal.
    key("aws:PrincipalArn", Arn, "the caller; a role session's role"),
    key("aws:PrincipalAccount", String, "the caller"),
    list("aws:PrincipalOrgPaths", "the organization of the caller's account"),
    key("aws:PrincipalOrgID", String, "the organization of the caller's account"),
    key("aws:PrincipalTag/tag-key", String, "session tags, then the user's or role's own"),
    key("aws:PrincipalIsAWSService", Bool, "the caller"),
    key("aws:PrincipalServiceName", String, "a calling service"),
    list("aws:PrincipalServiceNamesList", "a calling service"),
    key("aws:PrincipalType", String, "the caller"),
    key("aws:userid", String, "the caller"),
    key("aws:username", String, "a calling user"),
    // Properties of a role session.
    key("aws:AssumedRoot", Bool, "sessions of AssumeRoot"),
    key("aws:FederatedProvider", String, "sessions of AssumeRoleWithWebIdentity"),
    key("aws:TokenIssueTime", Date, "temporary credentials"),
    never("aws:SignInSessionArn", Arn, "only AWS Sign-In's OAuth sessions have it"),
    key("aws:MultiFactorAuthAge", Numeric, "temporary credentials got with a second factor"),
    key("aws:MultiFactorAuthPresent", Bool, "temporary credentials of unfederated callers"),
    never("aws:ChatbotSourceArn", Arn, ELSEWHERE),
    never("aws:Ec2InstanceSourceVpc", String, ELSEWHERE),
    never("aws:Ec2InstanceSourcePrivateIPv4", IpAddress, ELSEWHERE),
    key("aws:SourceIdentity", String, "sessions with a source identity"),
    never("ec2:RoleDelivery", Numeric, ELSEWHERE),
    never("ec2:SourceInstanceArn", Arn, ELSEWHERE),
    never("glue:RoleAssumedBy", String, ELSEWHERE),
    never("glue:CredentialIssuingService", String, ELSEWHERE),
    never("codebuild:BuildArn", Arn, ELSEWHERE),
    never("codebuild:ProjectArn", Arn, ELSEWHERE),
    never("lambda:SourceFunctionArn", Arn, ELSEWHERE),
    never("ssm:SourceInstanceArn", Arn, ELSEWHERE),
    never("identitystore:UserId", String, ELSEWHERE),
    // Properties of the network.
    key("aws:SourceIp", IpAddress, "the connection, unless it came through a VPC endpoint"),
    key("aws:SourceVpc", String, "the VPC endpoint"),
    key("aws:SourceVpcArn", Arn, "the VPC endpoint"),
    key("aws:SourceVpce", String, "the VPC endpoint"),
    key("aws:VpceAccount", String, "the VPC endpoint"),
    key("aws:VpceOrgID", String, "the organization of the VPC endpoint's account"),
    list("aws:VpceOrgPaths", "the organization of the VPC endpoint's account"),
    key("aws:VpcSourceIp", IpAddress, "the connection, if it came through a VPC endpoint"),
    // Properties of the resource.
    key("aws:ResourceAccount", String, "the resource's owner"),
    key("aws:ResourceOrgID", String, "the organization of the resource's account"),
    list("aws:ResourceOrgPaths", "the organization of the resource's account"),
    key("aws:ResourceTag/tag-key", String, "the stored resource"),
    // Properties of the request.
    list("aws:CalledVia", "the services that a call was forwarded through"),
    key("aws:CalledViaFirst", String, "the services that a call was forwarded through"),
    key("aws:CalledViaLast", String, "the services that a call was forwarded through"),
    never("aws:CalledViaAWSMCP", String, MCP),
    key("aws:ViaAWSService", Bool, "the services that a call was forwarded through"),
    never("aws:ViaAWSMCPService", Bool, MCP),
    key("aws:CurrentTime", Date, "the plane's clock"),
    key("aws:EpochTime", Date, "the plane's clock"),
    key("aws:referer", String, "the request's header"),
    key("aws:RequestedRegion", String, "the credential's scope"),
    key("aws:RequestTag/tag-key", String, "the request"),
    list("aws:TagKeys", "the request"),
    key("aws:SecureTransport", Bool, "the connection"),
    key("aws:SourceAccount", String, "what a calling service acts for"),
    key("aws:SourceArn", Arn, "what a calling service acts for"),
    key("aws:SourceOrgID", String, "the organization of what a calling service acts for"),
    list("aws:SourceOrgPaths", "the organization of what a calling service acts for"),
    key("aws:UserAgent", String, "the request's header"),
    never("aws:IsMcpServiceAction", Bool, MCP),
];

/// The key of that name in any case, tag keys included (`aws:principaltag/team`).
pub fn global_key(name: &str) -> Option<&'static GlobalKey> {
    let family = name.split_once('/').map_or(name, |(family, _)| family);
    GLOBAL_KEYS.iter().find(|known| {
        let known = known.name.split_once('/').map_or(known.name, |(family, _)| family);
        known.eq_ignore_ascii_case(family)
    })
}
