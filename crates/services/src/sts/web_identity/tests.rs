use super::*;
use crate::iam::oidc_provider::create_open_id_connect_provider;
use crate::iam::role::create_role;
use crate::sts::session;
use crate::testing::{Lab, NOW};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::iam::{CreateOpenIDConnectProviderRequest, CreateRoleRequest};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/Deployer";
const EKS: &str = "oidc.eks.us-west-2.amazonaws.com/id/ABC123";

/// An issuer's key.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.unwrap().as_ref());
        Self(pair.unwrap())
    }

    fn key_set(&self) -> KeySet {
        let point = self.0.public_key().as_ref();
        let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": "one", "x": part(1), "y": part(33) });
        KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "one", "typ": "JWT" })
}

/// A claim set of the issuer, with those of `more` put over it; a null takes one away.
fn claims(issuer: &str, more: &Value) -> Value {
    let mut claims = json!({
        "iss": format!("https://{issuer}"),
        "aud": "sts.amazonaws.com",
        "sub": "someone",
        "iat": NOW.seconds() - 10,
        "exp": NOW.seconds() + 600,
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn lab(signer: &Signer) -> Lab {
    let lab = Lab::new();
    for issuer in [GITHUB, EKS] {
        let input = CreateOpenIDConnectProviderRequest {
            url: format!("https://{issuer}"),
            client_id_list: Some(vec!["sts.amazonaws.com".into(), "app".into()]),
            ..CreateOpenIDConnectProviderRequest::default()
        };
        lab.call(create_open_id_connect_provider, input).unwrap();
    }
    for issuer in [GITHUB, EKS, BUILT_IN[1]] {
        lab.plane.issuer_keys.keep(issuer, Ok(signer.key_set()), NOW);
    }
    let role = CreateRoleRequest {
        role_name: "Deployer".into(),
        assume_role_policy_document: format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":\
             {{\"Federated\":\"{}\"}},\"Action\":\"sts:AssumeRoleWithWebIdentity\"}}}}",
            BUILT_IN[1]
        ),
        ..CreateRoleRequest::default()
    };
    lab.call(create_role, role).unwrap();
    lab
}

fn call(token: String) -> AssumeRoleWithWebIdentityRequest {
    AssumeRoleWithWebIdentityRequest {
        role_arn: ROLE.into(),
        role_session_name: "run-7".into(),
        web_identity_token: token,
        ..AssumeRoleWithWebIdentityRequest::default()
    }
}

fn federated_by(lab: &Lab, token: String) -> Result<Arc<Federated>> {
    let caller = lab.read(|cx| prove(cx, &call(token)))?;
    lab.called_by(caller).read(|cx| federation::federated(cx))
}

fn key(federated: &Federated, name: &str) -> Option<String> {
    let found = federated.keys.iter().find(|(key, _)| key == name);
    found.map(|(_, values)| values.join(","))
}

#[test]
fn a_pipeline_of_github_is_told_by_its_repository() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let sub = "repo:octo/app:ref:refs/heads/main";
    let more = json!({ "sub": sub, "repository": "octo/app", "ref": "refs/heads/main",
        "run_id": "7", "private": true, "nested": { "a": [1] } });
    let federated = federated_by(&lab, signer.token(&header(), &claims(GITHUB, &more))).unwrap();
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}");
    assert_eq!((&*federated.provider, &*federated.subject), (&*arn, sub));
    assert_eq!(key(&federated, &format!("{GITHUB}:sub")).as_deref(), Some(sub));
    assert_eq!(key(&federated, &format!("{GITHUB}:repository")).as_deref(), Some("octo/app"));
    assert_eq!(key(&federated, &format!("{GITHUB}:run_id")), None);
}

#[test]
fn a_pod_of_kubernetes_names_its_audience_in_a_list() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let more = json!({ "aud": ["sts.amazonaws.com"],
        "sub": "system:serviceaccount:default:app",
        "kubernetes.io": { "namespace": "default", "pod": { "name": "app-1" } } });
    let federated = federated_by(&lab, signer.token(&header(), &claims(EKS, &more))).unwrap();
    assert_eq!(federated.audience, "sts.amazonaws.com");
    let caller = Caller::federated("123456789012", (*federated).clone());
    let id = format!("{EKS}:sts.amazonaws.com:system:serviceaccount:default:app");
    assert_eq!(*caller.user_id, *id);
}

#[test]
fn a_user_of_cognito_gets_a_session() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let more = json!({ "aud": "us-east-1:pool", "sub": "us-east-1:user",
        "amr": ["authenticated", "accounts.google.com"] });
    let input = call(signer.token(&header(), &claims(BUILT_IN[1], &more)));
    let user = lab.called_by(lab.read(|cx| prove(cx, &input)).unwrap());
    let needed = user.read(|cx| assume_role_with_web_identity_requirements(cx, &input)).unwrap();
    let amr = needed[0].keys.iter().find(|(key, _)| key == "cognito-identity.amazonaws.com:amr");
    assert_eq!(amr.unwrap().1, ["authenticated", "accounts.google.com"]);
    let answer = user.call(assume_role_with_web_identity, input).unwrap();
    assert_eq!(answer.provider.as_deref(), Some("cognito-identity.amazonaws.com"));
    assert_eq!(answer.audience.as_deref(), Some("us-east-1:pool"));
    assert_eq!(answer.subject_from_web_identity_token.as_deref(), Some("us-east-1:user"));
    let credentials = answer.credentials.unwrap();
    let (token, id) = (&credentials.session_token, &credentials.access_key_id);
    let session = session::open(&lab.plane, token, id).unwrap();
    let provider = session.federation.get("aws:FederatedProvider").map(String::as_str);
    assert_eq!(provider, Some("cognito-identity.amazonaws.com"));
    assert_eq!(session.kind, SessionKind::AssumeRoleWithWebIdentity);
}

#[test]
fn tags_stand_in_one_claim_or_in_many() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let nested = json!({ TAGS: { "principal_tags": { "team": ["blue"], "stage": "dev" },
        "transitive_tag_keys": ["team"] }, SOURCE_IDENTITY: "ana" });
    let flat = json!({ format!("{TAG_PREFIX}team"): "blue", format!("{TAG_PREFIX}stage"): "dev",
        TRANSITIVE: ["team"], SOURCE_IDENTITY: "ana" });
    for more in [nested, flat] {
        let token = signer.token(&header(), &claims(GITHUB, &more));
        let federated = federated_by(&lab, token.clone()).unwrap();
        let mut tags = federated.tags.clone();
        tags.sort();
        let expected = [("stage", "dev"), ("team", "blue")];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(federated.transitive_tag_keys, ["team"]);
        let input = call(token);
        let user = lab.called_by(lab.read(|cx| prove(cx, &input)).unwrap());
        let needed =
            user.read(|cx| assume_role_with_web_identity_requirements(cx, &input)).unwrap();
        let actions: Vec<&str> = needed.iter().map(|one| &*one.action).collect();
        let all = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];
        assert_eq!(actions, all);
    }
    let bad = json!({ TAGS: { "principal_tags": { "team": ["blue", "red"] } } });
    let refused = federated_by(&lab, signer.token(&header(), &claims(GITHUB, &bad)));
    assert!(refused.unwrap_err().to_string().starts_with("IDPRejectedClaim"));
}

#[test]
fn what_is_wrong_with_a_token() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let now = NOW.seconds();
    let cases = [
        (json!({ "iss": "https://other.example" }), "No OpenIDConnect provider found in your"),
        (json!({ "iss": null }), "Missing a required claim: iss"),
        (json!({ "sub": null }), "Missing a required claim: sub"),
        (json!({ "aud": null }), "Missing a required claim: aud"),
        (json!({ "aud": [] }), "Missing a required claim: aud"),
        (json!({ "exp": null }), "Missing a required claim: exp"),
        (json!({ "iat": null }), "Missing a required claim: iat"),
        (json!({ "exp": "soon" }), "Missing a required claim: exp"),
        (json!({ "exp": now }), "ExpiredTokenException: Token expired: current date/time"),
        (json!({ "exp": now + 1 }), ""),
        (json!({ "iat": now + 300 }), ""),
        (json!({ "iat": now + 301 }), "Token is not valid yet"),
        (json!({ "nbf": now + 301 }), "Token is not valid yet"),
        (json!({ "aud": "other" }), "Incorrect token audience"),
        (json!({ "aud": "other", "azp": "app" }), ""),
        (json!({ "aud": ["sts.amazonaws.com", "other"] }), "Missing a required claim: azp"),
        (json!({ "azp": "other" }), "Incorrect token audience"),
        (json!({ SOURCE_IDENTITY: "a b" }), "Source Identity must match"),
        (json!({ TAGS: "team" }), "IDPRejectedClaim"),
    ];
    for (more, expected) in cases {
        let token = signer.token(&header(), &claims(GITHUB, &more));
        let said = federated_by(&lab, token).err().map(|error| error.to_string());
        let said = said.unwrap_or_default();
        let right = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(right, "{more}: {said}");
    }
}

#[test]
fn a_signature_must_be_the_issuers() {
    let (signer, other) = (Signer::new(), Signer::new());
    let lab = lab(&signer);
    let plain = claims(GITHUB, &json!({}));
    let good = signer.token(&header(), &plain);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let admin = URL_SAFE_NO_PAD.encode(claims(GITHUB, &json!({ "sub": "admin" })).to_string());
    let head = signed.split('.').next().unwrap();
    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
    let invalid = "Token signature is invalid";
    let no_token = "is not a valid JWT";
    let cases = [
        (other.token(&header(), &plain), invalid),
        (format!("{head}.{admin}.{signature}"), invalid),
        (signer.token(&json!({ "alg": "ES256", "kid": "two" }), &plain), invalid),
        (signer.token(&json!({ "alg": "RS256", "kid": "one" }), &plain), invalid),
        (signer.token(&json!({ "alg": "ES384", "kid": "one" }), &plain), invalid),
        (signer.token(&json!({ "alg": "HS256", "kid": "one" }), &plain), no_token),
        (signer.token(&json!({ "alg": "ES256", "crit": ["b64"] }), &plain), no_token),
        (format!("{none}.{admin}."), no_token),
        (format!("{good}.x"), no_token),
        (signed.to_owned(), no_token),
        ("opaque".to_owned(), no_token),
    ];
    for (token, expected) in cases {
        let said = federated_by(&lab, token).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
    assert!(federated_by(&lab, good).is_ok());
}

#[test]
fn keys_are_fetched_for_providers_of_the_account_alone() {
    let signer = Signer::new();
    let lab = lab(&signer);
    let wanted = |issuer: &str, key: &str| {
        let head = json!({ "alg": "ES256", "kid": key });
        let input = call(signer.token(&head, &claims(issuer, &json!({}))));
        let later = lab.at(NOW.plus_seconds(120));
        later.read(|cx| keys_wanted(cx, &input)).unwrap().map(|wanted| wanted.issuer)
    };
    assert_eq!(wanted(GITHUB, "one"), None);
    assert_eq!(wanted(GITHUB, "two").as_deref(), Some(GITHUB));
    assert_eq!(wanted("other.example", "one"), None);
    let failed = |failure, expected: &str| {
        lab.plane.issuer_keys.keep(GITHUB, Err(failure), NOW);
        let token = signer.token(&header(), &claims(GITHUB, &json!({})));
        let said = federated_by(&lab, token).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{said}");
    };
    failed(Failure::Unreachable, "IDPCommunicationError");
    failed(Failure::Certificate, "InvalidIdentityToken: OpenIDConnect provider's HTTPS");
    failed(Failure::Unusable, "InvalidIdentityToken: Couldn't retrieve verification key");
}
