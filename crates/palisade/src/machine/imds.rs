//! EC2's instance metadata service, as far as SDKs and scripts ask it who and where they are.
//!
//! Sources: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata",
//! "Retrieve security credentials from instance metadata", "Instance identity documents".

use super::config::profile;
use super::vend::{Vended, Vendor};
use super::{Answer, Endpoint, Instance, iso_8601, json, plain};
use crate::first_start::request_of_start;
use crate::server::Server;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts as Head;
use http::{HeaderValue, Method, StatusCode};
use palisade_model::iam::InstanceProfile;
use palisade_services::caller::Caller;
use palisade_services::context::{self, Access, Context};
use palisade_services::iam::instance_profile;
use palisade_shape::{Error, Result, Timestamp};
use serde_json::json as object;
use std::sync::Arc;

/// The longest that a session token may last: six hours.
const TOKEN_SECONDS_MAX: i64 = 21_600;
const TOKEN_PATH: &str = "/latest/api/token";
const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const PURPOSE: &str = "imds-token";
const CREDENTIALS: &str = "meta-data/iam/security-credentials/";

/// The metadata of one instance.
pub struct Metadata {
    server: Arc<Server>,
    profile_arn: String,
    account: String,
    profile: String,
    instance_id: String,
    imds_v1: bool,
    hop_limit: u32,
    /// Of the two versions: sessions tell which one was asked.
    vendors: [Vendor; 2],
}

impl Metadata {
    pub fn new(server: Arc<Server>, instance: &Instance) -> std::result::Result<Self, String> {
        let arn = &instance.instance_profile;
        let (account, name) = profile(arn).ok_or("the instance profile's ARN is not one")?;
        let given = instance.instance_id.clone();
        let instance_id = given.unwrap_or_else(|| made_id(&format!("{arn} {}", instance.listen)));
        let region = &server.plane.settings.region;
        let instance_arn = format!("arn:aws:ec2:{region}:{account}:instance/{instance_id}");
        let vendor = |delivery| {
            let (principal, name) = ("ec2.amazonaws.com", instance_id.clone());
            Vendor::new(server.clone(), principal, name, Vec::new())
                .for_instance(context::Instance { arn: instance_arn.clone(), delivery })
        };
        Ok(Self {
            profile_arn: arn.clone(),
            account: account.to_owned(),
            profile: name.to_owned(),
            imds_v1: instance.imds_v1,
            hop_limit: instance.hop_limit,
            vendors: [vendor("1.0"), vendor("2.0")],
            instance_id,
            server,
        })
    }

    /// Whether the request may be answered: it has a session token, or needs none.
    fn admits(&self, head: &Head) -> bool {
        match head.headers.get(TOKEN_HEADER) {
            None => self.imds_v1,
            Some(token) => token.to_str().is_ok_and(|token| self.is_valid(token)),
        }
    }

    /// Version 2 is asked with a session token.
    fn vendor(&self, head: &Head) -> &Vendor {
        let [older, newer] = &self.vendors;
        if head.headers.contains_key(TOKEN_HEADER) { newer } else { older }
    }

    /// A token is its own end, sealed: the server keeps nothing of it.
    fn new_token(&self, head: &Head) -> Answer {
        if head.headers.contains_key("x-forwarded-for") {
            // A proxy must not fetch a token for somebody outside.
            return refuse(StatusCode::FORBIDDEN);
        }
        let seconds =
            head.headers.get(TTL_HEADER).and_then(|text| text.to_str().ok()?.parse().ok());
        let Some(seconds) = seconds.filter(|seconds| (1..=TOKEN_SECONDS_MAX).contains(seconds))
        else {
            return refuse(StatusCode::BAD_REQUEST);
        };
        let plane = &self.server.plane;
        let end = plane.clock.now().plus_seconds(seconds).millis().to_le_bytes();
        let mut fill = |bytes: &mut [u8]| plane.random.fill(bytes);
        let Ok(sealed) = plane.sealer.seal(PURPOSE, &self.instance_id, &end, &mut fill) else {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut answer = plain(StatusCode::OK, "text/plain", URL_SAFE_NO_PAD.encode(sealed));
        answer.headers_mut().insert(TTL_HEADER, HeaderValue::from(seconds));
        answer
    }

    fn is_valid(&self, token: &str) -> bool {
        let end = || {
            let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
            let plain =
                self.server.plane.sealer.unseal(PURPOSE, &self.instance_id, &sealed).ok()?;
            Some(i64::from_le_bytes(plain.as_slice().try_into().ok()?))
        };
        end().is_some_and(|end| self.server.plane.clock.now() < Timestamp::from_millis(end))
    }

    /// The profile as it is now; none when it is gone or was made anew with another path.
    fn stored(&self) -> Result<Option<InstanceProfile>> {
        let plane = &*self.server.plane;
        let (caller, request) = (Caller::service("ec2.amazonaws.com"), request_of_start(plane));
        let snapshot = plane.store.snapshot();
        let mut cx = Context::new(plane, &caller, &request, Access::Read(&snapshot));
        let key = self.profile.to_lowercase();
        let found = cx.in_account(&self.account, |cx| {
            let found = cx.get(&instance_profile::INSTANCE_PROFILES, &key)?;
            found.map(|profile| instance_profile::shown(cx, profile)).transpose()
        })?;
        Ok(found.filter(|profile| profile.arn == self.profile_arn))
    }

    async fn get(&self, path: &str, vendor: &Vendor) -> Answer {
        let stored = match self.server.reading(|| self.stored()) {
            Ok(stored) => stored,
            Err(error) => return failed(&error),
        };
        let role = stored.as_ref().and_then(|profile| profile.roles.first());
        let region = self.server.plane.settings.region.as_str();
        if let Some(wanted) = path.strip_prefix(CREDENTIALS) {
            return match role {
                Some(role) if wanted.is_empty() => text(role.role_name.clone()),
                Some(role) if wanted == role.role_name => self.credentials(role, vendor).await,
                _ => refuse(StatusCode::NOT_FOUND),
            };
        }
        match (path.trim_end_matches('/'), stored.as_ref()) {
            ("meta-data", Some(_)) => text("iam/\ninstance-id\nplacement/\nservices/"),
            ("meta-data", None) => text("instance-id\nplacement/\nservices/"),
            ("meta-data/iam", Some(_)) => text("info\nsecurity-credentials/"),
            ("meta-data/iam/info", Some(profile)) => self.info(profile),
            ("meta-data/iam/security-credentials", Some(_)) => match role {
                Some(role) => text(role.role_name.clone()),
                None => text(""),
            },
            ("meta-data/instance-id", _) => text(self.instance_id.clone()),
            ("meta-data/placement", _) => text("availability-zone\nregion"),
            ("meta-data/placement/region", _) => text(region.to_owned()),
            ("meta-data/placement/availability-zone", _) => text(format!("{region}a")),
            ("meta-data/services", _) => text("domain\npartition"),
            ("meta-data/services/domain", _) => text("amazonaws.com"),
            ("meta-data/services/partition", _) => text("aws"),
            ("dynamic", _) => text("instance-identity/"),
            ("dynamic/instance-identity", _) => text("document"),
            ("dynamic/instance-identity/document", _) => self.identity_document(region),
            _ => refuse(StatusCode::NOT_FOUND),
        }
    }

    fn info(&self, profile: &InstanceProfile) -> Answer {
        let updated = iso_8601(self.server.plane.clock.now());
        let info = object!({
            "Code": "Success",
            "LastUpdated": updated,
            "InstanceProfileArn": profile.arn,
            "InstanceProfileId": profile.instance_profile_id,
        });
        json(StatusCode::OK, &info)
    }

    fn identity_document(&self, region: &str) -> Answer {
        let document = object!({
            "accountId": self.account,
            "architecture": std::env::consts::ARCH,
            "availabilityZone": format!("{region}a"),
            "instanceId": self.instance_id,
            "region": region,
            "version": "2017-09-30",
        });
        json(StatusCode::OK, &document)
    }

    async fn credentials(&self, role: &palisade_model::iam::Role, vendor: &Vendor) -> Answer {
        let shown = match vendor.credentials(&role.arn).await {
            Ok(Vended { at, credentials, .. }) => object!({
                "Code": "Success",
                "LastUpdated": iso_8601(at),
                "Type": "AWS-HMAC",
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": iso_8601(credentials.expiration),
            }),
            Err(error) if error.code.status == 403 => object!({
                "Code": "AssumeRoleUnauthorizedAccess",
                "Message": format!(
                    "EC2 cannot assume the role {}. Please see documentation at \
                     https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html\
                     #troubleshoot_iam-ec2_errors-info-doc.",
                    role.role_name
                ),
                "LastUpdated": iso_8601(self.server.plane.clock.now()),
            }),
            Err(error) => return failed(&error),
        };
        json(StatusCode::OK, &shown)
    }
}

impl Endpoint for Metadata {
    async fn answer(&self, head: &Head) -> Answer {
        let path = head.uri.path();
        match head.method {
            Method::PUT if path == TOKEN_PATH => self.new_token(head),
            Method::GET | Method::HEAD => {
                if !self.admits(head) {
                    return refuse(StatusCode::UNAUTHORIZED);
                }
                match versioned(path) {
                    Some("") => text("dynamic\nmeta-data"),
                    Some(rest) => self.get(rest, self.vendor(head)).await,
                    None if path == "/" => text("latest"),
                    None => refuse(StatusCode::NOT_FOUND),
                }
            }
            _ => refuse(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn hop_limit(&self) -> Option<u32> {
        Some(self.hop_limit)
    }
}

/// What stands after `/latest/` or a dated version (`/2021-03-23/`).
fn versioned(path: &str) -> Option<&str> {
    let (version, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.get(1..)?, ""));
    let dated = version.len() == 10 && version.bytes().all(|c| c.is_ascii_digit() || c == b'-');
    (version == "latest" || dated).then_some(rest)
}

fn text(text: impl Into<bytes::Bytes>) -> Answer {
    plain(StatusCode::OK, "text/plain", text)
}

fn refuse(status: StatusCode) -> Answer {
    let reason = status.canonical_reason().unwrap_or_default();
    plain(status, "text/plain", format!("{} - {reason}\n", status.as_u16()))
}

fn failed(error: &Error) -> Answer {
    tracing::error!(cause = error.internal, "cannot answer about an instance");
    refuse(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The same address and profile have the same id after a restart.
fn made_id(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("i-{}", hex.get(..17).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_service_are_known_by_their_form() {
        assert_eq!(versioned("/latest/meta-data/"), Some("meta-data/"));
        assert_eq!(versioned("/2021-03-23/dynamic"), Some("dynamic"));
        assert_eq!(versioned("/latest"), Some(""));
        assert_eq!(versioned("/"), None);
        assert_eq!(versioned("/other/meta-data"), None);
    }

    #[test]
    fn a_made_id_looks_like_an_instances() {
        let id = made_id("x");
        assert!(id.len() == 19 && id.starts_with("i-"), "{id}");
        assert_eq!(id, made_id("x"));
        assert_ne!(id, made_id("y"));
    }
}
