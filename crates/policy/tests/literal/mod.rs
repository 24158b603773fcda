//! A slow evaluator that reads the case's JSON literally, statement by statement, with nothing
//! compiled and nothing shared with the library. `None` stands for "cannot be resolved".

mod conditions;
mod text;

use serde_json::Value;

/// A case's answer: decision and denying layer, as the case format spells them.
pub type Answer = (&'static str, Option<&'static str>);

/// What a layer's policies say, literally.
#[derive(Clone, Copy, Default)]
struct Says {
    deny: bool,
    deny_unresolvable: bool,
    /// How directly an Allow names the caller: 1 account, 2 issuer, 3 itself.
    allow: u8,
    /// The same if everything unresolvable turned out well.
    hoped: u8,
}

struct Literal<'a> {
    case: &'a Value,
}

pub fn evaluate(case: &Value) -> Answer {
    Literal { case }.answer()
}

impl Literal<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.case.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    fn kind(&self) -> &str {
        self.text("/principal/type")
    }

    fn policy(&self, name: &str) -> Option<Says> {
        self.case.get(name).map(|policy| self.policies(std::slice::from_ref(policy)))
    }

    fn policy_list(&self, name: &str) -> Option<Says> {
        let policies = self.case.get(name)?.as_array().unwrap();
        (!policies.is_empty()).then(|| self.policies(policies))
    }

    fn levels(&self, name: &str) -> Vec<Says> {
        let levels = self.case.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        levels.iter().map(|level| self.policies(level.as_array().unwrap())).collect()
    }

    fn policies(&self, policies: &[Value]) -> Says {
        let mut says = Says::default();
        for policy in policies {
            for statement in policy["Statement"].as_array().unwrap() {
                self.add(&mut says, policy, statement);
            }
        }
        says
    }

    fn add(&self, says: &mut Says, policy: &Value, statement: &Value) {
        let grant = self.names_caller(statement);
        if grant == 0 || !self.about_action(statement) {
            return;
        }
        let variables = policy["Version"] == "2012-10-17";
        let resource = self.about_resource(statement, variables);
        let conditions = conditions::hold(statement, self.case, variables);
        let applies = match (resource, conditions) {
            (Some(false), _) | (_, Some(false)) => return,
            (Some(true), Some(true)) => true,
            _ => false,
        };
        match (statement["Effect"].as_str().unwrap(), applies) {
            ("Deny", true) => says.deny = true,
            ("Deny", false) => says.deny_unresolvable = true,
            (_, true) => {
                says.allow = says.allow.max(grant);
                says.hoped = says.hoped.max(grant);
            }
            (_, false) => says.hoped = says.hoped.max(grant),
        }
    }

    fn about_action(&self, statement: &Value) -> bool {
        let action = self.text("/action").to_lowercase();
        let any = |list: &Value| {
            strings(list).iter().any(|pattern| text::glob(&pattern.to_lowercase(), &action))
        };
        match statement.get("NotAction") {
            Some(list) => !any(list),
            None => any(&statement["Action"]),
        }
    }

    fn about_resource(&self, statement: &Value, variables: bool) -> Option<bool> {
        let resource = self.text("/resource");
        let any = |list: &Value| {
            or(strings(list).iter().map(|pattern| {
                if pattern == "*" {
                    Some(true)
                } else {
                    text::arn(pattern, resource, variables, self.case)
                }
            }))
        };
        match (statement.get("NotResource"), statement.get("Resource")) {
            (Some(list), _) => any(list).map(|matched| !matched),
            (None, Some(list)) => any(list),
            (None, None) => Some(true),
        }
    }

    /// 0: not at all.
    fn names_caller(&self, statement: &Value) -> u8 {
        if let Some(principal) = statement.get("NotPrincipal") {
            let bounded = self.case.get("permissionsBoundary").is_some();
            let exempt = !bounded && entries(principal).iter().any(|entry| self.exempt(entry));
            return if exempt { 0 } else { 3 };
        }
        let Some(principal) = statement.get("Principal") else { return 3 };
        entries(principal).iter().map(|entry| self.named_by(entry)).max().unwrap_or(0)
    }

    fn exempt(&self, entry: &(String, String)) -> bool {
        match self.named_by(entry) {
            3 => true,
            2 => self.kind() == "role",
            1 => self.kind() == "root",
            _ => false,
        }
    }

    fn named_by(&self, (kind, value): &(String, String)) -> u8 {
        let (arn, account) = (self.text("/principal/arn"), self.text("/principal/account"));
        let caller = self.kind();
        if value == "*" {
            return 3;
        }
        if kind == "Service" {
            return if caller == "service" && self.text("/principal/service") == value {
                3
            } else {
                0
            };
        }
        let is_account = !account.is_empty()
            && (value == account || *value == format!("arn:aws:iam::{account}:root"));
        if is_account {
            return 1;
        }
        if value == arn {
            return if caller == "role" { 2 } else { 3 };
        }
        let last = |text: &str| text.rsplit('/').next().unwrap().to_owned();
        if caller == "assumed-role" {
            let role = arn.split('/').nth(1).unwrap();
            let prefix = format!("arn:aws:iam::{account}:role/");
            if value.starts_with(&prefix) && last(value) == role {
                return 2;
            }
        }
        let user = format!("arn:aws:iam::{account}:user/{}", last(arn));
        if caller == "federated-user" && *value == user { 2 } else { 0 }
    }

    fn answer(&self) -> Answer {
        let caller = self.kind();
        let action = self.text("/action").to_lowercase();
        let management = self.text("/organization/managementAccount");
        let linked = self.case.pointer("/principal/serviceLinkedRole") == Some(&Value::Bool(true));
        let has_account = !["service", "anonymous"].contains(&caller);
        let account = self.text("/principal/account");
        let owner = self.text("/resourceAccount");

        let mut scps = self.levels("scps");
        if !has_account || linked || account == management {
            scps.clear();
        }
        let mut rcps = self.levels("rcps");
        let reached = ["s3", "kms", "sts"].contains(&action.split(':').next().unwrap());
        if linked || owner == management || !reached {
            rcps.clear();
        }
        let endpoint = self.policy("vpcEndpointPolicy");
        let resource = self.policy("resourcePolicy");
        let own = |says: Option<Says>| says.filter(|_| has_account);
        let boundary = own(self.policy("permissionsBoundary"));
        let session = own(self.policy_list("sessionPolicies"));
        let identity = own(self.policy_list("identityPolicies"));

        let trust = action.starts_with("sts:") && self.text("/resource").contains(":role/");
        let key = action.starts_with("kms:") && self.text("/resource").contains(":key/");
        let resource_name = if trust { "trust" } else { "resource" };
        let mut order: Vec<(&'static str, Says)> = Vec::new();
        order.extend(scps.iter().map(|says| ("scp", *says)));
        order.extend(rcps.iter().map(|says| ("rcp", *says)));
        let single = [
            ("vpce", endpoint),
            ("boundary", boundary),
            ("session", session),
            (resource_name, resource),
            ("identity", identity),
        ];
        order.extend(single.iter().filter_map(|(name, says)| says.map(|says| (*name, says))));
        if let Some((name, _)) = order.iter().find(|(_, says)| says.deny) {
            return ("explicitDeny", Some(name));
        }
        if order.iter().any(|(_, says)| says.deny_unresolvable) {
            return ("implicitDeny", Some("unresolvable"));
        }
        let facts = Facts {
            scps,
            endpoint,
            boundary,
            session,
            identity,
            resource,
            resource_name,
            must_allow: trust || key,
            has_account,
            same_account: has_account && account == owner,
            root: caller == "root",
            federated: caller == "federated-user",
        };
        match (facts.lacking(|says| says.allow), facts.lacking(|says| says.hoped)) {
            (None, _) => ("allowed", None),
            (Some(_), None) => ("implicitDeny", Some("unresolvable")),
            (Some(name), Some(_)) => ("implicitDeny", Some(name)),
        }
    }
}

struct Facts {
    scps: Vec<Says>,
    endpoint: Option<Says>,
    boundary: Option<Says>,
    session: Option<Says>,
    identity: Option<Says>,
    resource: Option<Says>,
    resource_name: &'static str,
    must_allow: bool,
    has_account: bool,
    same_account: bool,
    root: bool,
    federated: bool,
}

impl Facts {
    /// What keeps the request from being allowed, as the table of section 2 of the dossier reads.
    fn lacking(&self, allow: impl Fn(&Says) -> u8) -> Option<&'static str> {
        let unless_silent = |says: &Option<Says>| says.as_ref().is_none_or(|it| allow(it) > 0);
        if self.scps.iter().any(|level| allow(level) == 0) {
            return Some("scp");
        }
        if !unless_silent(&self.endpoint) {
            return Some("vpce");
        }
        let resource = self.resource.as_ref().map_or(0, &allow);
        if !self.has_account {
            return if resource > 0 { None } else { Some(self.resource_name) };
        }
        let identity = self.root || self.identity.as_ref().is_some_and(|it| allow(it) > 0);
        let (boundary, session) = (unless_silent(&self.boundary), unless_silent(&self.session));
        let session_reaches = session && !(self.federated && self.session.is_none());
        let needs_resource = !self.same_account || self.must_allow;
        let by_itself = self.same_account && resource == 3;
        let by_issuer = self.same_account && resource == 2 && boundary && session;
        let by_identity =
            identity && boundary && session_reaches && (resource > 0 || !needs_resource);
        if by_itself || by_issuer || by_identity {
            return None;
        }
        Some(if !boundary {
            "boundary"
        } else if !session_reaches {
            "session"
        } else if needs_resource && resource == 0 {
            self.resource_name
        } else {
            "identity"
        })
    }
}

/// The values of a scalar or list.
pub fn strings(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Array(values) => values.iter().map(one).collect(),
        other => vec![one(other)],
    }
}

fn entries(principal: &Value) -> Vec<(String, String)> {
    match principal {
        Value::Object(map) => map
            .iter()
            .flat_map(|(kind, values)| {
                strings(values).into_iter().map(|value| (kind.clone(), value)).collect::<Vec<_>>()
            })
            .collect(),
        other => vec![("*".to_owned(), other.as_str().unwrap().to_owned())],
    }
}

/// "Or" in which something true outweighs what cannot be resolved.
pub fn or(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(true)) {
        Some(true)
    } else if parts.contains(&None) {
        None
    } else {
        Some(false)
    }
}

/// "And" in which something false outweighs what cannot be resolved.
pub fn and(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    or(parts.map(|part| part.map(|part| !part))).map(|none| !none)
}
