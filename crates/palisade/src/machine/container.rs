//! The credentials endpoint of containers: ECS's, and in its other shape EKS Pod Identity's.
//!
//! Sources: ECS Developer Guide, "Amazon ECS task IAM role"; EKS User Guide, "EKS Pod Identity";
//! AWS SDKs and Tools Reference Guide, "Container credential provider".

use super::vend::{Vended, Vendor};
use super::{Answer, Container, Endpoint, iso_8601, json};
use crate::server::Server;
use crate::tls::write_private;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::StatusCode;
use palisade_services::random;
use palisade_services::sts::role::RoleArn;
use serde::Serialize;
use std::sync::Arc;

/// One address's role and the secret that opens it.
pub struct Credentials {
    role: RoleArn,
    path: &'static str,
    pod: bool,
    token: String,
    vendor: Vendor,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
}

#[derive(Serialize)]
struct Refused<'a> {
    code: &'a str,
    message: &'a str,
}

impl Credentials {
    pub fn new(server: Arc<Server>, container: &Container) -> Result<Self, String> {
        let role = RoleArn::parse(&container.role).ok_or("the role's ARN is not one")?;
        let token = token(&server, &container.authorization_token_file)?;
        let random = &*server.plane.random;
        let (principal, path, name, tags) = match &container.pod {
            None => {
                let task = random::uuid(random).replace('-', "");
                ("ecs-tasks.amazonaws.com", "/v2/credentials", task, Vec::new())
            }
            Some(pod) => {
                let cluster = pod.cluster_arn.rsplit('/').next().unwrap_or_default();
                let tags = [
                    ("eks-cluster-arn", pod.cluster_arn.as_str()),
                    ("eks-cluster-name", cluster),
                    ("kubernetes-namespace", &pod.namespace),
                    ("kubernetes-service-account", &pod.service_account),
                    ("kubernetes-pod-name", &pod.name),
                    ("kubernetes-pod-uid", &pod.uid),
                ];
                let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
                let name = format!("eks-{cluster}-{}-{}", pod.name, random::uuid(random));
                let name = name.chars().take(64).collect();
                ("pods.eks.amazonaws.com", "/v1/credentials", name, tags)
            }
        };
        let pod = container.pod.is_some();
        let vendor = Vendor::new(server, principal, name, tags);
        Ok(Self { role, path, pod, token, vendor })
    }

    fn shown(&self, vended: &Vended) -> Answer {
        let credentials = &vended.credentials;
        let shown = Shown {
            role_arn: (!self.pod).then_some(&self.role.arn),
            account_id: self.pod.then_some(&self.role.account),
            access_key_id: &credentials.access_key_id,
            secret_access_key: &credentials.secret_access_key,
            token: &credentials.session_token,
            expiration: iso_8601(credentials.expiration),
        };
        json(StatusCode::OK, &shown)
    }
}

impl Endpoint for Credentials {
    async fn answer(&self, request: &http::request::Parts) -> Answer {
        let refuse = |status, code, message| json(status, &Refused { code, message });
        if request.method != http::Method::GET || request.uri.path() != self.path {
            let message = "There are no credentials at this path.";
            return refuse(StatusCode::NOT_FOUND, "InvalidPath", message);
        }
        let given = request.headers.get(http::header::AUTHORIZATION);
        let given = given.map(http::HeaderValue::as_bytes).unwrap_or_default();
        if verify_slices_are_equal(given, self.token.as_bytes()).is_err() {
            let message = "The authorization token is missing or wrong.";
            return refuse(StatusCode::UNAUTHORIZED, "InvalidAuthorization", message);
        }
        match self.vendor.credentials(&self.role.arn).await {
            Ok(vended) => self.shown(&vended),
            Err(error) => {
                if let Some(cause) = &error.internal {
                    tracing::error!(cause, "cannot hand out credentials to a container");
                }
                let status = StatusCode::from_u16(error.code.status).unwrap_or_default();
                refuse(status, error.code.code, &error.message)
            }
        }
    }
}

/// The secret in the file, made at the first start.
fn token(server: &Server, path: &std::path::Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        let token = std::fs::read_to_string(path).map_err(failed)?.trim().to_owned();
        return match token.len() {
            16.. => Ok(token),
            _ => Err(format!("{}: the token has fewer than 16 characters", path.display())),
        };
    }
    let token = random::secret_access_key(&*server.plane.random);
    write_private(path, token.as_bytes()).map_err(failed)?;
    Ok(token)
}
