//! The types of policies: what limits each, what its documents may say, and in which roots it is
//! enabled.
//!
//! Source: Organizations User Guide, "Managing organization policies", "Quotas and service limits".

use super::node::{self, NODES, Node};
use super::organization::Organization;
use super::policy_attachment::{TARGETS, Target};
use super::refusal::{constraint, not_all_features};
use super::{root, service_access};
use crate::context::Context;
use palisade_model::organizations::{
    DisablePolicyTypeRequest, DisablePolicyTypeResponse, EnablePolicyTypeRequest,
    EnablePolicyTypeResponse, POLICY_TYPE_ALREADY_ENABLED_EXCEPTION,
    POLICY_TYPE_NOT_ENABLED_EXCEPTION,
};
use palisade_shape::{Error, Result};

pub const SCP: &str = "SERVICE_CONTROL_POLICY";
pub const RCP: &str = "RESOURCE_CONTROL_POLICY";

/// How a type's documents are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The policy language of IAM.
    Authorization(palisade_policy::DocumentKind),
    /// A tree of settings below this name, with inheritance operators.
    Management(&'static str),
}

/// A policy that AWS made and nobody changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Managed {
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub content: &'static str,
    /// It stays attached while its type is enabled.
    pub fixed: bool,
}

/// One type of policies.
#[derive(Debug, PartialEq, Eq)]
pub struct PolicyType {
    pub name: &'static str,
    pub language: Language,
    /// Characters of a document.
    pub size_most: usize,
    /// Policies of the type in an organization.
    pub count_most: u64,
    /// Policies of the type on one root, unit or account.
    pub attached_most: usize,
    /// What everything is attached to when the type is enabled.
    pub managed: Option<&'static Managed>,
    /// The service that must have access to the organization first.
    pub service: Option<&'static str>,
}

static FULL_ACCESS: Managed = Managed {
    id: "p-FullAWSAccess",
    name: "FullAWSAccess",
    description: "Allows access to every operation",
    content: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#,
    fixed: false,
};

static RCP_FULL_ACCESS: Managed = Managed {
    id: "p-RCPFullAWSAccess",
    name: "RCPFullAWSAccess",
    description: "Allows access to every resource",
    content: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#,
    fixed: true,
};

const fn management(name: &'static str, below: &'static str) -> PolicyType {
    PolicyType {
        name,
        language: Language::Management(below),
        size_most: 10_000,
        count_most: 1_000,
        attached_most: 10,
        managed: None,
        service: None,
    }
}

/// All types, in the model's order.
pub static TYPES: [PolicyType; 13] = [
    PolicyType {
        language: Language::Authorization(palisade_policy::DocumentKind::Scp),
        size_most: 5_120,
        count_most: 10_000,
        attached_most: 5,
        managed: Some(&FULL_ACCESS),
        ..management(SCP, "")
    },
    PolicyType {
        language: Language::Authorization(palisade_policy::DocumentKind::Rcp),
        size_most: 5_120,
        attached_most: 5,
        managed: Some(&RCP_FULL_ACCESS),
        ..management(RCP, "")
    },
    management("TAG_POLICY", "tags"),
    management("BACKUP_POLICY", "plans"),
    PolicyType {
        size_most: 2_500,
        attached_most: 5,
        ..management("AISERVICES_OPT_OUT_POLICY", "services")
    },
    PolicyType { attached_most: 5, ..management("CHATBOT_POLICY", "chatbot") },
    management("DECLARATIVE_POLICY_EC2", "ec2_attributes"),
    PolicyType {
        service: Some("securityhub.amazonaws.com"),
        ..management("SECURITYHUB_POLICY", "securityhub")
    },
    PolicyType {
        service: Some("inspector2.amazonaws.com"),
        ..management("INSPECTOR_POLICY", "inspector")
    },
    management("UPGRADE_ROLLOUT_POLICY", "upgrade_rollout"),
    management("BEDROCK_POLICY", "bedrock"),
    management("S3_POLICY", "s3_attributes"),
    management("NETWORK_SECURITY_DIRECTOR_POLICY", "network_security_director"),
];

/// The type of that name. The model lets no other through.
pub fn find(name: &str) -> Result<&'static PolicyType> {
    TYPES.iter().find(|known| known.name == name).ok_or_else(|| {
        let text = "You specified an invalid policy type string.";
        super::refusal::invalid("INVALID_ENUM_POLICY_TYPE", text)
    })
}

/// The AWS-managed policy of that id, with its type.
pub fn managed(id: &str) -> Option<(&'static PolicyType, &'static Managed)> {
    TYPES.iter().find_map(|known| {
        known.managed.filter(|managed| managed.id == id).map(|managed| (known, managed))
    })
}

impl Managed {
    pub fn arn(&self, of: &PolicyType) -> String {
        format!("arn:aws:organizations::aws:policy/{}/{}", of.name.to_lowercase(), self.id)
    }
}

pub fn not_enabled() -> Error {
    let text = "This operation can be performed only for enabled policy types.";
    POLICY_TYPE_NOT_ENABLED_EXCEPTION.because(text)
}

/// Attaches a new unit or account to what everything of the organization is attached to. The node
/// is the caller's to store.
pub fn attach_defaults(
    cx: &mut Context,
    organization: &Organization,
    node: &mut Node,
) -> Result<()> {
    let root = node::target(cx, &organization.root)?;
    for known in TYPES.iter().filter(|known| root.enabled.contains(known.name)) {
        attach_managed(cx, known, node)?;
    }
    Ok(())
}

fn attach_managed(cx: &mut Context, of: &PolicyType, node: &mut Node) -> Result<()> {
    let Some(managed) = of.managed else { return Ok(()) };
    node.attached.entry(of.name.to_owned()).or_default().insert(managed.id.to_owned());
    cx.put(&TARGETS, &Target { policy: managed.id.to_owned(), target: node.id.clone() })
}

/// Enables a type of policies in the root. All that is in the organization is attached to the
/// type's AWS-managed policy from then on.
pub fn enable_policy_type(
    cx: &mut Context,
    organization: &Organization,
    input: EnablePolicyTypeRequest,
) -> Result<EnablePolicyTypeResponse> {
    let EnablePolicyTypeRequest { root_id, policy_type } = input;
    let mut root = root::load(cx, organization, &root_id)?;
    if !organization.has_all_features() {
        return Err(not_all_features());
    }
    let wanted = find(&policy_type)?;
    if root.enabled.contains(wanted.name) {
        let text = "The specified policy type is already enabled.";
        return Err(POLICY_TYPE_ALREADY_ENABLED_EXCEPTION.because(text));
    }
    if let Some(service) = wanted.service
        && !service_access::is_enabled(cx, service)?
    {
        let text = "You attempted to enable a policy type before you enabled service access. Call \
                    the EnableAWSServiceAccess API first.";
        return Err(constraint("SERVICE_ACCESS_NOT_ENABLED", text));
    }
    root.enabled.insert(wanted.name.to_owned());
    cx.put(&NODES, &root)?;
    if wanted.managed.is_some() {
        for mut node in cx.all(&NODES, "")? {
            attach_managed(cx, wanted, &mut node)?;
            cx.put(&NODES, &node)?;
        }
    }
    let root = node::target(cx, &root.id)?;
    cx.touch("AWS::Organizations::Root", root.arn(organization));
    Ok(EnablePolicyTypeResponse { root: Some(root::shown(organization, &root)) })
}

/// Disables a type: no policy of it is attached to anything any more. Enabled again, everything
/// begins with the AWS-managed policy alone.
pub fn disable_policy_type(
    cx: &mut Context,
    organization: &Organization,
    input: DisablePolicyTypeRequest,
) -> Result<DisablePolicyTypeResponse> {
    let DisablePolicyTypeRequest { root_id, policy_type } = input;
    let mut root = root::load(cx, organization, &root_id)?;
    let known = find(&policy_type)?;
    if !root.enabled.remove(known.name) {
        return Err(not_enabled());
    }
    cx.put(&NODES, &root)?;
    for mut node in cx.all(&NODES, "")? {
        let Some(attached) = node.attached.remove(known.name) else { continue };
        for policy in attached {
            cx.delete(&TARGETS, &format!("{policy}/{}", node.id))?;
        }
        cx.put(&NODES, &node)?;
    }
    let root = node::target(cx, &root.id)?;
    cx.touch("AWS::Organizations::Root", root.arn(organization));
    Ok(DisablePolicyTypeResponse { root: Some(root::shown(organization, &root)) })
}

/// Whether a type is enabled in the organization's root.
pub fn is_enabled(cx: &Context, organization: &Organization, name: &str) -> Result<bool> {
    Ok(node::target(cx, &organization.root)?.enabled.contains(name))
}
