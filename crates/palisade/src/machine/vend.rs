//! Obtaining a role's credentials for a workload, and keeping them until it is time for new ones.

use crate::internal;
use crate::server::Server;
use palisade_model::sts::{AssumeRoleRequest, AssumeRoleResponse, Credentials, Tag};
use palisade_services::context::{Instance, Way};
use palisade_shape::{Result, Timestamp};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long the credentials of a workload last: AWS's six hours.
const LIFE_SECONDS: i32 = 6 * 3600;
/// After this long there are new ones, so that SDKs never run out.
const RENEWAL_SECONDS: i64 = 3600;

/// Hands out one role at a time, as one AWS service.
pub struct Vendor {
    server: Arc<Server>,
    /// `ec2.amazonaws.com`
    principal: &'static str,
    /// The name of the sessions: what the workload is called.
    session_name: String,
    tags: Vec<(String, String)>,
    /// The instance that it is for, if it is for one.
    instance: Option<Instance>,
    kept: Mutex<Option<Vended>>,
}

/// Credentials and when they were made.
#[derive(Clone)]
pub struct Vended {
    role_arn: String,
    pub at: Timestamp,
    pub credentials: Credentials,
}

impl Vendor {
    pub fn new(
        server: Arc<Server>,
        principal: &'static str,
        session_name: String,
        tags: Vec<(String, String)>,
    ) -> Self {
        Self { server, principal, session_name, tags, instance: None, kept: Mutex::default() }
    }

    /// The same, for an instance: its sessions say so.
    pub fn for_instance(self, instance: Instance) -> Self {
        Self { instance: Some(instance), ..self }
    }

    /// The role's credentials: those in hand while they are fresh, else new ones.
    pub async fn credentials(&self, role_arn: &str) -> Result<Vended> {
        let mut kept = self.kept.lock().await;
        let now = self.server.plane.clock.now();
        if let Some(vended) = kept.as_ref().filter(|vended| vended.fresh(role_arn, now)) {
            return Ok(vended.clone());
        }
        let credentials = self.assume(role_arn).await?;
        let vended = Vended { role_arn: role_arn.to_owned(), at: now, credentials };
        *kept = Some(vended.clone());
        Ok(vended)
    }

    async fn assume(&self, role_arn: &str) -> Result<Credentials> {
        let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
        let tags: Vec<Tag> = self.tags.iter().map(tag).collect();
        let keys: Vec<String> = self.tags.iter().map(|(key, _)| key.clone()).collect();
        let input = AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: self.session_name.clone(),
            duration_seconds: Some(LIFE_SECONDS),
            tags: (!tags.is_empty()).then_some(tags),
            transitive_tag_keys: (!keys.is_empty()).then_some(keys),
            ..AssumeRoleRequest::default()
        };
        let service = &palisade_services::sts::SERVICE;
        let way = Way { instance: self.instance.clone(), ..Way::default() };
        let output: AssumeRoleResponse = internal::call(
            &self.server,
            self.principal,
            way,
            service,
            "AssumeRole",
            Box::new(input),
        )
        .await?;
        let missing = || palisade_services::errors::internal("AssumeRole gave no credentials");
        output.credentials.ok_or_else(missing)
    }
}

impl Vended {
    /// Also false after the clock was set back, or the configured role has changed.
    fn fresh(&self, role_arn: &str, now: Timestamp) -> bool {
        let age = now.seconds() - self.at.seconds();
        self.role_arn == role_arn && (0..RENEWAL_SECONDS).contains(&age)
    }
}
