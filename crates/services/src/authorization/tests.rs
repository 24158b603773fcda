use super::*;
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::context::{Endpoint, Request, Source, Way};
use crate::service::{Known, PlainResources, Service};
use crate::sts::tests::plain_session;
use crate::testing::Lab;
use palisade_policy::{ContextKeys, Layer, Lookup};
use palisade_shape::Nothing;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Tagged;

impl ServiceKeys for Tagged {
    fn resource_tag(&self, _tag_key: &str) -> Known {
        Known::One("prod".to_owned())
    }

    fn service_key(&self, _key: &str) -> Known {
        Known::Absent
    }
}

fn member(path: &str) -> Arc<Standing> {
    let membership = Some(Membership {
        organization_id: "o-a1b2c3d4e5".to_owned(),
        path: format!("o-a1b2c3d4e5/r-ab12/{path}/"),
        management_account: "999988887777".to_owned(),
    });
    Arc::new(Standing { membership, ..Standing::default() })
}

/// A session that has all that a session can have.
fn session(kind: SessionKind) -> Session {
    Session {
        kind,
        source_identity: Some("ana".to_owned()),
        mfa_at_millis: Some(1_767_225_600_000),
        federation: [
            ("aws:FederatedProvider", "accounts.google.com"),
            ("ec2:SourceInstanceArn", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"),
            ("ec2:RoleDelivery", "2.0"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
        ..plain_session()
    }
}

fn by_session(lab: &Lab, kind: SessionKind) -> Caller {
    let role = lab.called_by_role("Builder", "AROAEXAMPLE");
    Caller { session: Some(Arc::new(session(kind))), ..role.caller }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: "vpce-1".to_owned(),
        vpc_id: "vpc-1".to_owned(),
        account: "123456789012".to_owned(),
        policy: r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
            "Action":"s3:*","Resource":"*"}}"#
            .to_owned(),
    }
}

fn way(endpoint: Option<Endpoint>) -> Way {
    Way {
        called_via: vec!["athena.amazonaws.com".to_owned(), "glue.amazonaws.com".to_owned()],
        source: Some(Source {
            arn: "arn:aws:cloudtrail:us-east-1:123456789012:trail/all".to_owned(),
            account: "123456789012".to_owned(),
        }),
        endpoint,
        instance: None,
    }
}

/// What the key holds for a caller whose request came that way; all accounts are in organizations.
fn look(lab: &Lab, caller: &Caller, way: &Way, key: &str) -> Option<(bool, Vec<String>)> {
    let request = Request {
        way: way.clone(),
        user_agent: Some("tests".to_owned()),
        referer: Some("https://example.com".to_owned()),
        ..lab.request.clone()
    };
    let requirement = Requirement::new("s3:PutObject", "arn:aws:s3:::b/k", "123456789012")
        .with_tags(vec![("team".to_owned(), "red".to_owned())]);
    let standings = Standings {
        caller: member("ou-1"),
        resource: member("ou-2"),
        source: member("ou-3"),
        endpoint: member("ou-4"),
    };
    let keys = Keys {
        caller,
        principal_tags: &[("team".to_owned(), "red".to_owned())],
        request: &request,
        requirement: &requirement,
        standings: &standings,
        service: &Tagged,
    };
    match keys.get(&key.to_lowercase().replace("/tag-key", "/team")) {
        Lookup::Absent => None,
        Lookup::One(value) => Some((false, vec![value.into_owned()])),
        Lookup::Many(values) => Some((true, values.iter().map(|it| it.to_string()).collect())),
        Lookup::Unresolvable => panic!("{key} is unresolvable"),
    }
}

fn multivalued_of(name: &str) -> Option<bool> {
    palisade_policy::global_key(name).map(|key| key.multivalued)
}

#[test]
fn every_global_key_is_as_the_table_says() {
    let lab = Lab::new();
    let user = lab.called_by_user("ana", "AIDAEXAMPLE").caller;
    let callers = [
        user,
        Caller::service("cloudtrail.amazonaws.com"),
        by_session(&lab, SessionKind::AssumeRoot),
        by_session(&lab, SessionKind::AssumeRole),
    ];
    let ways = [way(None), way(Some(endpoint()))];
    for key in GLOBAL_KEYS {
        let asked = callers.iter().flat_map(|caller| ways.iter().map(move |way| (caller, way)));
        let found: Vec<_> =
            asked.filter_map(|(caller, way)| look(&lab, caller, way, key.name)).collect();
        let filled = matches!(key.state, KeyState::Filled(_));
        assert_eq!(!found.is_empty(), filled, "{}", key.name);
        for (multivalued, values) in found {
            assert_eq!(Some(multivalued), multivalued_of(key.name), "{}: {values:?}", key.name);
            assert!(!values.is_empty(), "{}", key.name);
        }
    }
    let names: BTreeSet<&str> =
        GLOBAL_KEYS.iter().map(|key| key.name.trim_end_matches("tag-key")).collect();
    assert_eq!(names.len(), GLOBAL_KEYS.len(), "a key stands in the table twice");
    let typed = palisade_policy::GLOBAL_KEYS.iter().map(|key| key.name);
    assert_eq!(names, typed.collect(), "the keys that have a type, and those that have a state");
    assert!(global_key("aws:nosuchkey").is_none());
}

#[test]
fn keys_by_caller_and_way() {
    let lab = Lab::new();
    let user = lab.called_by_user("ana", "AIDAEXAMPLE").caller;
    let service = Caller::service("cloudtrail.amazonaws.com");
    let federated = by_session(&lab, SessionKind::AssumeRoleWithWebIdentity);
    let assumed = by_session(&lab, SessionKind::AssumeRole);
    let (direct, forwarded, private) = (Way::default(), way(None), way(Some(endpoint())));
    let check = |caller: &Caller, way: &Way, key: &str, expected: &[&str]| {
        let found = look(&lab, caller, way, key).map(|(_, values)| values).unwrap_or_default();
        assert_eq!(found, expected, "{key} of {}", caller.arn);
    };
    check(&user, &direct, "aws:ViaAWSService", &["false"]);
    check(&user, &forwarded, "aws:ViaAWSService", &["true"]);
    check(&user, &direct, "aws:CalledVia", &[]);
    check(&user, &forwarded, "aws:CalledVia", &["athena.amazonaws.com", "glue.amazonaws.com"]);
    check(&user, &forwarded, "aws:CalledViaFirst", &["athena.amazonaws.com"]);
    check(&user, &forwarded, "aws:CalledViaLast", &["glue.amazonaws.com"]);
    check(&user, &direct, "aws:SourceIp", &["127.0.0.1"]);
    check(&user, &private, "aws:SourceIp", &[]);
    check(&user, &private, "aws:VpcSourceIp", &["127.0.0.1"]);
    check(&user, &direct, "aws:VpcSourceIp", &[]);
    let vpc = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1";
    check(&user, &private, "aws:SourceVpcArn", &[vpc]);
    check(&user, &direct, "aws:MultiFactorAuthPresent", &[]);
    check(&assumed, &direct, "aws:MultiFactorAuthPresent", &["true"]);
    check(&federated, &direct, "aws:MultiFactorAuthPresent", &[]);
    check(&federated, &direct, "aws:FederatedProvider", &["accounts.google.com"]);
    check(&service, &direct, "aws:PrincipalIsAWSService", &["true"]);
    check(&service, &direct, "aws:PrincipalAccount", &[]);
    check(&Caller::anonymous(), &direct, "aws:PrincipalIsAWSService", &[]);
    check(&Caller::anonymous(), &direct, "aws:PrincipalAccount", &["anonymous"]);
    check(&Caller::anonymous(), &direct, "aws:userid", &["anonymous"]);
    check(&user, &direct, "aws:PrincipalOrgPaths", &["o-a1b2c3d4e5/r-ab12/ou-1/"]);
    check(&user, &direct, "ec2:SourceInstanceArn", &[]);
}

#[test]
fn a_list_of_one_is_a_list() {
    assert!(derive::is_multivalued("sts:transitivetagkeys"));
    assert!(!derive::is_multivalued("sts:externalid"));
    assert!(!derive::is_multivalued("nosuch:key"));
}

/// The endpoint's policy must allow what even root asks for through it.
#[test]
fn a_vpc_endpoint_limits_root() {
    static NOWHERE: Service = Service {
        model: &palisade_model::sts::SERVICE,
        operations: &[],
        resources: &PlainResources,
        jobs: &[],
    };
    let mut lab = Lab::new();
    let root = without_key(Caller { principal: Principal::Root, ..lab.caller.clone() });
    let denied_by = |lab: &Lab, action: &str| {
        let decided = lab.read(|cx| {
            let asked = Requirement::new(action, "*", "123456789012");
            decide(cx, &NOWHERE, asked, &Nothing, &root)
        });
        decided.unwrap().decision.denied_by
    };
    assert_eq!(denied_by(&lab, "iam:GetUser"), None);
    lab.request.way.endpoint = Some(endpoint());
    assert_eq!(denied_by(&lab, "iam:GetUser"), Some(Layer::VpcEndpoint));
    assert_eq!(denied_by(&lab, "s3:ListAllMyBuckets"), None);
}

/// What no member of a request names is denied ([`from_table`]): no operation that is here may be
/// among it.
#[test]
fn the_arns_of_every_operation_can_be_derived() {
    let mut missing = Vec::new();
    for service in crate::SERVICES {
        for operation in service.operations.iter().filter(|row| row.requirements.is_none()) {
            let rows = palisade_model::authorization::rows(service.model.name, operation.name);
            let resources = rows.unwrap_or_default().iter().flat_map(|row| &row.resources);
            let mut asked = resources.filter(|resource| resource.required);
            if let Some(resource) = asked.find(|resource| !is_derivable(resource)) {
                missing
                    .push(format!("{} {}: {}", service.model.name, operation.name, resource.kind));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
