//! The tables `[[instance]]` and `[[container]]` of the configuration.

use palisade_services::sts::role::RoleArn;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// All workload addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machines {
    pub instances: Vec<Instance>,
    pub containers: Vec<Container>,
}

/// An address that answers as EC2's instance metadata service.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Instance {
    pub listen: SocketAddr,
    /// The ARN of the instance profile whose role is handed out.
    pub instance_profile: String,
    /// `i-` and 17 hexadecimal digits; made of address and profile when left out.
    pub instance_id: Option<String>,
    /// Answer requests without a session token (IMDSv1) too.
    #[serde(default)]
    pub imds_v1: bool,
    /// Hops that an answer may make: 1 keeps it on this machine, 2 lets it into containers.
    #[serde(default = "one_hop")]
    pub hop_limit: u32,
}

/// An address that answers as the credentials endpoint of ECS tasks or of EKS Pod Identity.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Container {
    pub listen: SocketAddr,
    /// The ARN of the role that is handed out.
    pub role: String,
    /// A file with the token that clients send as `Authorization`; made if it is not there.
    pub authorization_token_file: PathBuf,
    /// Answer as EKS Pod Identity does, for this pod.
    pub pod: Option<Pod>,
}

/// What EKS Pod Identity says of a pod in session tags.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pod {
    pub cluster_arn: String,
    pub namespace: String,
    pub service_account: String,
    pub name: String,
    pub uid: String,
}

fn one_hop() -> u32 {
    1
}

impl Machines {
    /// Refuses what makes no sense. With `plaintext` the operator allows plain HTTP to go further.
    pub fn check(&self, plaintext: bool) -> Result<(), String> {
        for instance in &self.instances {
            check_address(instance.listen, plaintext)?;
            profile(&instance.instance_profile).ok_or_else(|| {
                let given = &instance.instance_profile;
                format!("`{given}` is not the ARN of an instance profile")
            })?;
            if instance.instance_id.as_deref().is_some_and(|id| !is_instance_id(id)) {
                return Err("instance-id is `i-` and 8 or 17 hexadecimal digits".into());
            }
            if !(1..=64).contains(&instance.hop_limit) {
                return Err("hop-limit is a number from 1 to 64".into());
            }
        }
        for container in &self.containers {
            check_address(container.listen, plaintext)?;
            if RoleArn::parse(&container.role).is_none() {
                return Err(format!("`{}` is not the ARN of a role", container.role));
            }
        }
        Ok(())
    }
}

/// Account and name of an instance profile's ARN.
pub fn profile(arn: &str) -> Option<(&str, &str)> {
    let arn = palisade_policy::arn::Arn::parse(arn)?;
    let name = arn.resource.strip_prefix("instance-profile/")?.rsplit('/').next()?;
    let fits = arn.service == "iam" && crate::config::is_account_id(arn.account);
    (fits && !name.is_empty()).then_some((arn.account, name))
}

/// Workloads speak plain HTTP to these addresses, so they stay on the machine or its link.
fn check_address(listen: SocketAddr, plaintext: bool) -> Result<(), String> {
    let near = match listen.ip() {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    };
    if near || plaintext {
        return Ok(());
    }
    Err(format!(
        "{listen} hands out credentials in plain text: use a loopback or link-local address, or \
         --insecure-plaintext if nobody else can reach it"
    ))
}

fn is_instance_id(id: &str) -> bool {
    id.strip_prefix("i-").is_some_and(|digits| {
        [8, 17].contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, profile: &str, id: Option<&str>, hops: u32) -> bool {
        let instance = Instance {
            listen: listen.parse().unwrap(),
            instance_profile: profile.to_owned(),
            instance_id: id.map(str::to_owned),
            imds_v1: false,
            hop_limit: hops,
        };
        Machines { instances: vec![instance], containers: Vec::new() }.check(false).is_ok()
    }

    #[test]
    fn only_what_makes_sense_is_taken() {
        let profile = "arn:aws:iam::111122223333:instance-profile/path/app";
        assert!(check("127.0.0.1:1338", profile, None, 1));
        assert!(check("169.254.169.254:80", profile, Some("i-0123456789abcdef0"), 64));
        assert!(!check("0.0.0.0:80", profile, None, 1));
        assert!(!check("10.0.0.1:80", profile, None, 1));
        assert!(!check("127.0.0.1:1338", "app", None, 1));
        assert!(!check("127.0.0.1:1338", "arn:aws:iam::111122223333:role/app", None, 1));
        assert!(!check("127.0.0.1:1338", profile, Some("i-xyz"), 1));
        assert!(!check("127.0.0.1:1338", profile, None, 0));
        assert!(!check("127.0.0.1:1338", profile, None, 65));
    }
}
