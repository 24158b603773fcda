//! Roles for users of OpenID Connect issuers, whose tokens Python's `cryptography` signs.

use crate::support::{Boto, Caller, Keys, Server, finish, have_boto3, have_tool, policy, skip};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ISSUER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/issuer.py");
const GITHUB: &str = "token.actions.githubusercontent.com";
const EKS: &str = "oidc.eks.us-west-2.amazonaws.com/id/ABC123";
const COGNITO: &str = "cognito-identity.amazonaws.com";
const ACCOUNT: &str = "111122223333";

pub(super) fn python(arguments: &[&str]) -> String {
    let ran = finish(Command::new("python3").arg(ISSUER).args(arguments));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out.trim().to_owned()
}

pub(super) fn missing(test: &str) -> bool {
    let missing = if !have_boto3() {
        "boto3 is not installed"
    } else if !have_tool("python3", &["-c", "import cryptography"]) {
        "Python's cryptography is not installed"
    } else {
        return false;
    };
    skip(test, missing);
    true
}

/// A server that knows issuers, all with one key.
struct Site {
    server: Server,
    boto: Boto,
    folder: tempfile::TempDir,
}

impl Site {
    fn start(tables: &dyn Fn(&Path) -> String) -> Site {
        let folder = tempfile::tempdir().unwrap();
        python(&["keys", folder.path().to_str().unwrap()]);
        let path = folder.path().join("palisade.toml");
        std::fs::write(&path, tables(folder.path())).unwrap();
        let config = path.to_str().unwrap();
        let arguments =
            ["--lab", "--listen", "127.0.0.1:0", "--account-id", ACCOUNT, "--config", config];
        let server = Server::start(&arguments);
        let boto = Boto::start(&server.url);
        Site { server, boto, folder }
    }

    /// One that was given the keys of three issuers.
    fn offline() -> Site {
        Site::start(&|folder| {
            let table = |issuer: &str| {
                let jwks = folder.join("jwks.json");
                format!("[[oidc-issuer]]\nurl = \"https://{issuer}\"\njwks = {jwks:?}\n")
            };
            [GITHUB, EKS, COGNITO].map(table).concat()
        })
    }

    fn root(&self) -> Caller<'_> {
        Caller { boto: &self.boto, keys: self.server.root_keys() }
    }

    /// Whoever calls: the operation is not signed.
    fn nobody(&self) -> Caller<'_> {
        Caller { boto: &self.boto, keys: Keys::of("AKIAIOSFODNN7EXAMPLE", "none") }
    }

    fn provider(&self, issuer: &str, thumbprints: &[&str]) -> String {
        let input = json!({ "Url": format!("https://{issuer}"), "ThumbprintList": thumbprints,
            "ClientIDList": ["sts.amazonaws.com"] });
        let made = self.root().ok("iam", "CreateOpenIDConnectProvider", input);
        made["OpenIDConnectProviderArn"].as_str().unwrap().to_owned()
    }

    fn role(&self, name: &str, provider: &str, actions: &[&str], conditions: Value) -> String {
        let statement = json!({ "Effect": "Allow", "Principal": { "Federated": provider },
            "Action": actions, "Condition": conditions });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let input = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
        let made = self.root().ok("iam", "CreateRole", input);
        let document = policy("Allow", &["iam:GetRole"], &["*"]).to_string();
        let input = json!({ "RoleName": name, "PolicyName": "own", "PolicyDocument": document });
        self.root().ok("iam", "PutRolePolicy", input);
        made["Role"]["Arn"].as_str().unwrap().to_owned()
    }

    fn token(&self, issuer: &str, more: Value) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut claims = json!({ "iss": format!("https://{issuer}"), "aud": "sts.amazonaws.com",
            "sub": "someone", "iat": now - 5, "exp": now + 600 });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        python(&["sign", self.folder.path().to_str().unwrap(), &claims.to_string()])
    }

    /// A document of an issuer, asked for at its own host.
    fn published(&self, issuer: &str, path: &str) -> Value {
        let host = issuer.strip_prefix("https://").unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (status, document) = self.server.bytes(request.as_bytes());
        assert_eq!(status, 200, "{document}");
        serde_json::from_str(&document).unwrap()
    }

    fn event(&self, name: &str) -> Value {
        let attributes = json!([{ "AttributeKey": "EventName", "AttributeValue": name }]);
        let input = json!({ "LookupAttributes": attributes, "MaxResults": 1 });
        let found = self.root().ok("cloudtrail", "LookupEvents", input);
        serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap()
    }
}

fn asking(role: &str, token: &str) -> Value {
    json!({ "RoleArn": role, "RoleSessionName": "run-7", "WebIdentityToken": token })
}

const ASSUME: (&str, &str) = ("sts", "AssumeRoleWithWebIdentity");

#[test]
fn a_pipeline_of_github_gets_the_role_of_its_branch() {
    if missing("a_pipeline_of_github_gets_the_role_of_its_branch") {
        return;
    }
    let site = Site::offline();
    let provider = site.provider(GITHUB, &[]);
    let conditions = json!({
        "StringEquals": { format!("{GITHUB}:aud"): "sts.amazonaws.com" },
        "StringLike": { format!("{GITHUB}:sub"): "repo:octo/app:ref:refs/heads/*" },
    });
    let role = site.role("deploy", &provider, &[&format!("sts:{}", ASSUME.1)], conditions);
    let sub = "repo:octo/app:ref:refs/heads/main";
    let token = site.token(GITHUB, json!({ "sub": sub, "repository": "octo/app" }));
    let answer = site.nobody().ok(ASSUME.0, ASSUME.1, asking(&role, &token));
    assert_eq!(answer["SubjectFromWebIdentityToken"], json!(sub));
    assert_eq!(answer["Audience"], json!("sts.amazonaws.com"));
    assert_eq!(answer["Provider"], json!(provider));
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-7");
    assert_eq!(answer["AssumedRoleUser"]["Arn"], json!(arn));
    let session = Caller { boto: &site.boto, keys: Keys::of_session(&answer) };
    assert_eq!(session.ok("sts", "GetCallerIdentity", json!({}))["Arn"], json!(arn));
    session.ok("iam", "GetRole", json!({ "RoleName": "deploy" }));
    session.refused(("iam", "ListUsers"), json!({}), ("AccessDenied", 403));

    let event = site.event("AssumeRoleWithWebIdentity");
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], json!("WebIdentityUser"));
    assert_eq!(identity["identityProvider"], json!(GITHUB));
    assert_eq!(identity["userName"], json!(sub));
    assert_eq!(identity["principalId"], json!(format!("{GITHUB}:sts.amazonaws.com:{sub}")));
    assert!(!event.to_string().contains(&token), "{event}");
    assert!(
        !event.to_string().contains(answer["Credentials"]["SecretAccessKey"].as_str().unwrap())
    );

    let other = site.token(GITHUB, json!({ "sub": "repo:evil/app:ref:refs/heads/main" }));
    let denied = site.nobody().refused(ASSUME, asking(&role, &other), ("AccessDenied", 403));
    assert_eq!(denied.message, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let ghost = role.replace("deploy", "ghost");
    let unknown = site.nobody().refused(ASSUME, asking(&ghost, &token), ("AccessDenied", 403));
    assert_eq!(unknown.message, denied.message);
    let why = site.server.palisade(&["why", "--last"]);
    assert_eq!(why.code, Some(0), "{}", why.err);
    assert!(why.out.contains("sts:AssumeRoleWithWebIdentity"), "{}", why.out);
}

#[test]
fn a_pod_and_a_user_of_cognito_get_tagged_sessions() {
    if missing("a_pod_and_a_user_of_cognito_get_tagged_sessions") {
        return;
    }
    let site = Site::offline();
    let provider = site.provider(EKS, &[]);
    let sub = "system:serviceaccount:default:app";
    let conditions = json!({ "StringEquals": { format!("{EKS}:sub"): sub,
        format!("{EKS}:aud"): "sts.amazonaws.com" } });
    let role = site.role("pod", &provider, &["sts:AssumeRoleWithWebIdentity"], conditions);
    let plain = site.token(EKS, json!({ "sub": sub, "aud": ["sts.amazonaws.com"] }));
    site.nobody().ok(ASSUME.0, ASSUME.1, asking(&role, &plain));
    // Who may not tag sessions gets none that its provider tags.
    let tags = json!({ "principal_tags": { "team": ["blue"] }, "transitive_tag_keys": ["team"] });
    let tagged = json!({ "sub": sub, "https://aws.amazon.com/tags": tags });
    let tagged = site.token(EKS, tagged);
    let denied = site.nobody().refused(ASSUME, asking(&role, &tagged), ("AccessDenied", 403));
    assert_eq!(denied.message, "Not authorized to perform sts:TagSession");

    let conditions = json!({ "StringEquals": { format!("{COGNITO}:aud"): "us-east-1:pool" },
        "ForAnyValue:StringLike": { format!("{COGNITO}:amr"): "authenticated" } });
    let role = site.role("app", COGNITO, &["sts:AssumeRoleWithWebIdentity"], conditions);
    let user = |amr: Value| {
        let more = json!({ "sub": "us-east-1:user", "aud": "us-east-1:pool", "amr": amr });
        asking(&role, &site.token(COGNITO, more))
    };
    let answer =
        site.nobody().ok(ASSUME.0, ASSUME.1, user(json!(["authenticated", "x:CognitoSignIn"])));
    assert_eq!(answer["Provider"], json!(COGNITO));
    site.nobody().refused(ASSUME, user(json!(["unauthenticated"])), ("AccessDenied", 403));
}

#[test]
fn tokens_are_refused_in_awss_words() {
    if missing("tokens_are_refused_in_awss_words") {
        return;
    }
    let site = Site::offline();
    let provider = site.provider(GITHUB, &[]);
    let role = site.role("r", &provider, &["sts:AssumeRoleWithWebIdentity"], json!({}));
    let good = site.token(GITHUB, json!({}));
    let invalid = ("InvalidIdentityToken", 400);
    let say = |token: &str, code: (&str, u64)| {
        site.nobody().refused(ASSUME, asking(&role, token), code).message
    };
    assert_eq!(
        say(&site.token("other.example", json!({})), invalid),
        "No OpenIDConnect provider found in your account for https://other.example"
    );
    assert_eq!(
        say(&site.token(GITHUB, json!({ "aud": "x" })), invalid),
        "Incorrect token audience"
    );
    let old =
        say(&site.token(GITHUB, json!({ "exp": 1_600_000_000 })), ("ExpiredTokenException", 400));
    assert!(old.starts_with("Token expired: current date/time"), "{old}");
    let (signed, _) = good.rsplit_once('.').unwrap();
    assert_eq!(say(&format!("{signed}.AAAA"), invalid), "Token signature is invalid");
    assert!(say("opaque-access-token", invalid).contains("not a valid JWT"));
    let tags = json!({ "https://aws.amazon.com/tags": { "principal_tags": { "a": ["b", "c"] } } });
    say(&site.token(GITHUB, tags), ("IDPRejectedClaim", 403));
    let mut long = asking(&role, &good);
    long["DurationSeconds"] = json!(7200);
    let refused = site.nobody().refused(ASSUME, long, ("ValidationError", 400)).message;
    assert!(refused.contains("MaxSessionDuration"), "{refused}");
    let no_role = asking(&provider, &good);
    let refused = site.nobody().refused(ASSUME, no_role, ("ValidationError", 400)).message;
    assert_eq!(refused, "Request ARN is invalid");
    // No connection is opened for an issuer that the operator did not name.
    let other = site.provider("idp.example", &[]);
    let role = site.role("s", &other, &["sts:AssumeRoleWithWebIdentity"], json!({}));
    let token = site.token("idp.example", json!({}));
    let closed = ("IDPCommunicationError", 400);
    let refused = site.nobody().refused(ASSUME, asking(&role, &token), closed).message;
    assert!(refused.contains("[[oidc-issuer]]"), "{refused}");
}

/// An issuer that answers over HTTPS, until it is dropped.
struct Issuer(Child);

impl Drop for Issuer {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn keys_are_fetched_from_an_issuer_with_the_right_certificate() {
    if missing("keys_are_fetched_from_an_issuer_with_the_right_certificate") {
        return;
    }
    const HOST: &str = "idp.example.com/tenant";
    let keys = tempfile::tempdir().unwrap();
    python(&["keys", keys.path().to_str().unwrap()]);
    let mut command = Command::new("python3");
    command.args([ISSUER, "serve", keys.path().to_str().unwrap(), &format!("https://{HOST}")]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _issuer = Issuer(child);
    let (port, thumbprint) = line.trim().split_once(' ').unwrap();
    let site = Site::start(&|_| {
        format!(
            "[[oidc-issuer]]\nurl = \"https://{HOST}\"\nfetch = true\n\
             connect = \"127.0.0.1:{port}\"\n"
        )
    });
    std::fs::copy(keys.path().join("key.pem"), site.folder.path().join("key.pem")).unwrap();
    let provider = site.provider(HOST, &["0123456789012345678901234567890123456789"]);
    let role = site.role("r", &provider, &["sts:AssumeRoleWithWebIdentity"], json!({}));
    let input = asking(&role, &site.token(HOST, json!({})));
    let refused = site.nobody().refused(ASSUME, input.clone(), ("InvalidIdentityToken", 400));
    assert!(refused.message.contains("configured thumbprint"), "{}", refused.message);
    let thumbprints =
        json!({ "OpenIDConnectProviderArn": provider, "ThumbprintList": [thumbprint] });
    site.root().ok("iam", "UpdateOpenIDConnectProviderThumbprint", thumbprints);
    // A failure is remembered for ten seconds.
    let (status, _) = site.server.operator("PUT", "clock", Some(&json!({ "advance": 15 })));
    assert_eq!(status, 200);
    let answer = site.nobody().ok(ASSUME.0, ASSUME.1, input);
    assert_eq!(answer["SubjectFromWebIdentityToken"], json!("someone"));
}

#[test]
fn tokens_for_others_and_root_sessions() {
    if missing("tokens_for_others_and_root_sessions") {
        return;
    }
    let site = Site::start(&|_| String::new());
    let root = site.root();
    let document = policy("Allow", &["sts:*", "iam:*"], &["*"]).to_string();
    root.ok("iam", "CreateUser", json!({ "UserName": "ana" }));
    let input = json!({ "UserName": "ana", "PolicyName": "own", "PolicyDocument": document });
    root.ok("iam", "PutUserPolicy", input);
    let ana = Caller { boto: &site.boto, keys: root.new_key("ana") };
    let ask = |algorithm: &str| json!({ "Audience": ["x"], "SigningAlgorithm": algorithm });
    let disabled = ("OutboundWebIdentityFederationDisabledException", 403);
    ana.refused(("sts", "GetWebIdentityToken"), ask("RS256"), disabled);
    let enabled = root.ok("iam", "EnableOutboundWebIdentityFederation", json!({}));
    let issuer = enabled["IssuerIdentifier"].as_str().unwrap().to_owned();
    for algorithm in ["RS256", "ES384"] {
        let answer = ana.ok("sts", "GetWebIdentityToken", ask(algorithm));
        let token = answer["WebIdentityToken"].as_str().unwrap();
        assert_eq!(token.split('.').count(), 3, "{token}");
        assert!(!site.event("GetWebIdentityToken").to_string().contains(token));
        // Who is shown it finds the key at the issuer, as OpenID Connect says.
        let document = site.published(&issuer, "/.well-known/openid-configuration");
        assert_eq!(document["issuer"], json!(issuer));
        let keys = document["jwks_uri"].as_str().unwrap();
        let path = keys.strip_prefix(&issuer).unwrap();
        let keys = site.published(&issuer, path).to_string();
        let folder = site.folder.path().to_str().unwrap();
        let claims: Value =
            serde_json::from_str(&python(&["verify", folder, &keys, token])).unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/ana");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(issuer), &json!(arn)));
        assert!(!keys.contains("\"d\"") && !keys.contains("PRIVATE"), "{keys}");
    }
    let id = issuer.strip_prefix("https://").unwrap().split('.').next().unwrap();
    let own = |path: &str| {
        let path = format!("/_palisade/issuers/{id}/.well-known/{path}");
        site.server.plain("GET", &path, "", None).0
    };
    assert_eq!((own("jwks.json"), own("other")), (200, 404));
    root.ok("iam", "DisableOutboundWebIdentityFederation", json!({}));
    assert_eq!(own("jwks.json"), 404);
    root.ok("iam", "EnableOutboundWebIdentityFederation", json!({}));
    let bad = ask("HS256");
    ana.refused(("sts", "GetWebIdentityToken"), bad, ("ValidationError", 400));
    let trade = json!({ "TradeInToken": "none" });
    let expired = ("ExpiredTradeInTokenException", 400);
    ana.refused(("sts", "GetDelegatedAccessToken"), trade, expired);
    let task = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    let input = json!({ "TargetPrincipal": "222233334444", "TaskPolicyArn": { "arn": task } });
    let refused = ana.refused(("sts", "AssumeRoot"), input, ("AccessDenied", 403));
    assert!(refused.message.contains("arn:aws:iam::222233334444:root"), "{}", refused.message);
}

#[test]
fn a_failed_attempt_is_in_the_trail_of_the_role() {
    if missing("a_failed_attempt_is_in_the_trail_of_the_role") {
        return;
    }
    let site = Site::offline();
    let provider = site.provider(GITHUB, &[]);
    // A key of the provider that the token does not fill is absent: `IfExists` passes.
    let conditions = json!({ "StringEqualsIfExists": { "accounts.google.com:aud": "x" } });
    let role = site.role("deploy", &provider, &[&format!("sts:{}", ASSUME.1)], conditions);
    let forged = site.token(EKS, json!({}));
    let refused =
        site.nobody().refused(ASSUME, asking(&role, &forged), ("InvalidIdentityToken", 400));
    let event = site.event(ASSUME.1);
    assert_eq!(event["errorCode"], "InvalidIdentityTokenException", "{event}");
    assert_eq!(event["requestID"], json!(refused.request_id));
    let token = site.token(GITHUB, json!({}));
    site.nobody().ok(ASSUME.0, ASSUME.1, asking(&role, &token));
}
