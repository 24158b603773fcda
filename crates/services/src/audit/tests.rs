use super::*;
use crate::authorization::Requirement;
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::context::{Endpoint, Notes, Request, Source, TouchedResource, Way};
use crate::service::Known;
use palisade_model::sts::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, Credentials, Tag,
};
use palisade_policy::{Layer, Outcome, StatementRef, Statements};
use palisade_shape::{ErrorCode, Timestamp};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const EVENT: &str = "6a4cf1b2-0000-4000-8000-000000000001";
static DENIED: ErrorCode = ErrorCode::plain("AccessDenied", 403);

fn request() -> Request {
    Request {
        id: "01b1c6f8-0000-4000-8000-000000000000".into(),
        region: "us-east-1".into(),
        source_ip: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
        user_agent: Some("aws-cli/2.31 \"quoted\"".into()),
        referer: None,
        secure: true,
        tls: None,
        way: Way::default(),
        at: Timestamp::from_millis(1_795_370_568_250),
        service: "sts",
        operation: "AssumeRole",
    }
}

fn user() -> Caller {
    Caller {
        account: "111122223333".into(),
        principal: Principal::User {
            name: "ana".into(),
            path: "/".into(),
            id: "AIDAEXAMPLEEXAMPLE123".into(),
        },
        arn: "arn:aws:iam::111122223333:user/ana".into(),
        user_id: "AIDAEXAMPLEEXAMPLE123".into(),
        access_key_id: Some("AKIAEXAMPLE".into()),
        session: None,
    }
}

fn session() -> Session {
    Session {
        kind: SessionKind::AssumeRole,
        access_key_id: "ASIAEXAMPLE".into(),
        secret_access_key: "the secret".into(),
        account: "444455556666".into(),
        issuer_arn: "arn:aws:iam::444455556666:role/team/Builder".into(),
        issuer_id: "AROAEXAMPLEEXAMPLE123".into(),
        issuer_name: "Builder".into(),
        issuer_path: "/team/".into(),
        name: "nightly".into(),
        issued_at_millis: 1_795_370_000_000,
        expires_at_millis: 1_795_373_600_000,
        policies: vec![r#"{"Version":"2012-10-17","Statement":[]}"#.into()],
        policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
        tags: BTreeMap::from([("team".to_owned(), "blue \"1\"".to_owned())]),
        transitive_tag_keys: vec!["team".into()],
        source_identity: Some("ana".into()),
        mfa_at_millis: None,
        chained: false,
        federation: BTreeMap::new(),
    }
}

fn role() -> Caller {
    Caller {
        account: "444455556666".into(),
        principal: Principal::AssumedRole {
            role: "Builder".into(),
            path: "/team/".into(),
            id: "AROAEXAMPLEEXAMPLE123".into(),
            session: "nightly".into(),
        },
        arn: "arn:aws:sts::444455556666:assumed-role/Builder/nightly".into(),
        user_id: "AROAEXAMPLEEXAMPLE123:nightly".into(),
        access_key_id: Some("ASIAEXAMPLE".into()),
        session: Some(Arc::new(session())),
    }
}

fn input() -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: "arn:aws:iam::444455556666:role/team/Builder".into(),
        role_session_name: "nightly".into(),
        external_id: Some("shared".into()),
        duration_seconds: Some(900),
        serial_number: Some("arn:aws:iam::111122223333:mfa/ana".into()),
        token_code: Some("123456".into()),
        tags: Some(vec![Tag { key: "team".into(), value: "blue".into() }]),
        ..AssumeRoleRequest::default()
    }
}

fn output() -> AssumeRoleResponse {
    AssumeRoleResponse {
        credentials: Some(Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "never to be seen".into(),
            session_token: "PLSD1token".into(),
            expiration: Timestamp::from_millis(1_795_371_468_000),
        }),
        assumed_role_user: Some(AssumedRoleUser {
            assumed_role_id: "AROAEXAMPLEEXAMPLE123:nightly".into(),
            arn: "arn:aws:sts::444455556666:assumed-role/Builder/nightly".into(),
        }),
        packed_policy_size: Some(3),
        source_identity: None,
    }
}

fn notes() -> Notes {
    Notes {
        resources: vec![TouchedResource {
            arn: "arn:aws:iam::444455556666:role/team/Builder".into(),
            account: "444455556666".into(),
            kind: "AWS::IAM::Role",
        }],
        shared_with: vec!["444455556666".into()],
        queued: false,
        access_log: None,
    }
}

fn origin() -> Origin<'static> {
    Origin { source: "sts", region: "us-east-1", read_only: true, ..Origin::default() }
}

/// The event, checked to be JSON, a member a line.
fn text(event: &Event<'_>) -> String {
    let mut out = Vec::new();
    event.write(&mut out);
    serde_json::from_slice::<serde::de::IgnoredAny>(&out).unwrap();
    String::from_utf8(out).unwrap().replace(",\"", ",\n\"")
}

#[test]
fn an_assumed_role_in_the_trails_of_both_accounts() {
    let (request, caller, notes) = (request(), CallerFragment::of(&user()), notes());
    let (input, output) = (input(), output());
    let event = Event {
        id: EVENT,
        request: &request,
        caller: &caller,
        origin: Origin {
            tls: Some(Tls {
                version: "TLSv1.3",
                cipher_suite: "TLS_AES_128_GCM_SHA256",
                host: "sts.us-east-1.amazonaws.com",
            }),
            lab: true,
            ..origin()
        },
        error: None,
        input: Field::Shape(&input),
        output: Field::Shape(&output),
        additional: Field::Null,
        details: Field::Null,
        notes: &notes,
        recipient: "111122223333",
        shared_id: Some("5a4cf1b2-0000-4000-8000-000000000009"),
    };
    let own = text(&event);
    insta::assert_snapshot!("assume_role_own", own);
    assert!(!own.contains("never to be seen") && !own.contains("123456"));
    insta::assert_snapshot!(
        "assume_role_foreign",
        text(&Event { recipient: "444455556666", ..event })
    );
}

#[test]
fn a_refused_call_of_a_role_session() {
    let (request, caller, notes) = (request(), CallerFragment::of(&role()), Notes::default());
    let (input, output) = (input(), output());
    let message = format!("User: … is not authorized {}", "é".repeat(2000));
    let error = DENIED.because(message);
    let event = Event {
        id: EVENT,
        request: &request,
        caller: &caller,
        origin: origin(),
        error: Some(&error),
        input: Field::Shape(&input),
        output: Field::Shape(&output),
        additional: Field::Json(b"{\"a\":1}"),
        details: Field::Null,
        notes: &notes,
        recipient: "444455556666",
        shared_id: None,
    };
    let text = text(&event);
    assert!(text.contains("\"responseElements\":null"));
    let cut = text.replace(&"é".repeat(100), "(100é)");
    insta::assert_snapshot!("role_session_denied", cut);
}

#[test]
fn callers_of_every_kind() {
    let of = |caller: Caller| {
        let fragment = CallerFragment::of(&caller);
        let mut identity = fragment.identity(&caller.account).to_vec();
        identity.push(b'}');
        serde_json::from_slice::<serde::de::IgnoredAny>(&identity).unwrap();
        String::from_utf8(identity).unwrap()
    };
    let federated = Session {
        kind: SessionKind::FederationToken,
        account: "111122223333".into(),
        issuer_arn: "arn:aws:iam::111122223333:user/ana".into(),
        issuer_id: "AIDAEXAMPLEEXAMPLE123".into(),
        issuer_name: "ana".into(),
        name: "bob".into(),
        source_identity: None,
        ..session()
    };
    let own = Session { kind: SessionKind::SessionToken, mfa_at_millis: Some(1), ..session() };
    let web = Session {
        kind: SessionKind::AssumeRoleWithWebIdentity,
        federation: BTreeMap::from([
            ("aws:FederatedProvider".to_owned(), "arn:aws:iam::1:oidc-provider/x".to_owned()),
            ("x:sub".to_owned(), "ana".to_owned()),
        ]),
        ..session()
    };
    let root = Caller {
        principal: Principal::Root,
        arn: "arn:aws:iam::111122223333:root".into(),
        user_id: "111122223333".into(),
        ..user()
    };
    let service = Caller {
        account: "".into(),
        principal: Principal::Service { name: "events.amazonaws.com".into() },
        ..Caller::anonymous()
    };
    let federated_user = Caller {
        principal: Principal::FederatedUser { name: "bob".into() },
        arn: "arn:aws:sts::111122223333:federated-user/bob".into(),
        user_id: "111122223333:bob".into(),
        session: Some(Arc::new(federated)),
        ..user()
    };
    let callers = [
        root,
        user(),
        Caller { session: Some(Arc::new(own)), ..user() },
        role(),
        Caller { session: Some(Arc::new(web)), ..role() },
        federated_user,
        service,
        Caller::anonymous(),
    ];
    insta::assert_snapshot!("callers", callers.map(of).join("\n"));
}

#[test]
fn what_a_service_does_for_a_caller_names_the_service() {
    let (request, caller, notes) = (request(), CallerFragment::of(&user()), Notes::default());
    let event = Event {
        id: EVENT,
        request: &request,
        caller: &caller,
        origin: Origin { invoked_by: Some("cloudformation.amazonaws.com"), ..origin() },
        error: None,
        input: Field::Null,
        output: Field::Null,
        additional: Field::Null,
        details: Field::Null,
        notes: &notes,
        recipient: "111122223333",
        shared_id: None,
    };
    insta::assert_snapshot!("invoked_by", text(&event));
}

#[test]
fn a_decision_record_is_read_back_as_it_was_written() {
    let (request, caller) = (request(), CallerFragment::of(&role()));
    let granting = StatementRef {
        layer: Layer::Identity,
        policy: "arn:aws:iam::444455556666:role/Builder/in\"line".into(),
        index: 2,
        sid: Some("Build".into()),
    };
    let allowed = palisade_policy::Decision {
        outcome: Outcome::Allowed,
        denied_by: None,
        statements: Statements::new(Some(granting), None),
    };
    let denied = palisade_policy::Decision {
        outcome: Outcome::ExplicitDeny,
        denied_by: Some(Layer::Trust),
        statements: Statements::default(),
    };
    let one = Requirement::new("sts:AssumeRole", "arn:aws:iam::1:role/x", "1")
        .of_kind("role")
        .with_key("sts:ExternalId", "shared")
        .with_keys("sts:TransitiveTagKeys", vec!["a".into(), "b".into()])
        .with_tags(vec![("team".into(), "blue".into())]);
    let two = Requirement::new("sts:TagSession", "*", "");
    let trust = PolicyUse { layer: Layer::Trust, label: "arn:aws:iam::1:role/x", revision: 9 };
    let tags = [("stage".to_owned(), "prod".to_owned())];
    let asked = [
        ("iam:one".to_owned(), Known::One("1".into())),
        ("iam:absent".to_owned(), Known::Absent),
        ("iam:unknown".to_owned(), Known::Unresolvable),
    ];
    let requirements = [
        Decided {
            requirement: &one,
            decision: &allowed,
            resource_tags: &tags,
            service_keys: &asked,
            resource_policy: Some(trust),
            granted: false,
        },
        Decided {
            requirement: &two,
            decision: &denied,
            resource_tags: &[],
            service_keys: &[],
            resource_policy: None,
            granted: false,
        },
    ];
    let mut policies = Vec::new();
    let used = |label| PolicyUse { layer: Layer::Identity, label, revision: 7 };
    push_policies(&mut policies, [used("one"), used("two")]);
    let error = DENIED.because("no");
    let record = Decision {
        request: &request,
        caller: &caller,
        revision: 41,
        requirements: &requirements,
        policies: &policies,
        levels: &[],
        error: Some(&error),
        lab: true,
    };
    let mut out = Vec::new();
    record.write(&mut out);
    let read = DecisionRecord::parse(&out).unwrap();
    assert_eq!(read.outcome.as_deref(), Some("explicitDeny"));
    assert_eq!(read.caller.session.as_ref().unwrap().policies, session().policies);
    assert_eq!(read.policies.len(), 3);
    assert!(!String::from_utf8_lossy(&out).contains("the secret"));
    insta::assert_snapshot!("decision", serde_json::to_string_pretty(&read).unwrap());
    // Nothing that was written is lost in the reading.
    let again: serde_json::Value = serde_json::to_value(&read).unwrap();
    assert_eq!(again, serde_json::from_slice::<serde_json::Value>(&out).unwrap());
}

#[test]
fn a_decision_record_keeps_the_whole_way() {
    let way = Way {
        called_via: vec!["athena.amazonaws.com".to_owned(), "glue.amazonaws.com".to_owned()],
        source: Some(Source {
            arn: "arn:aws:cloudtrail:us-east-1:123456789012:trail/all".to_owned(),
            account: "123456789012".to_owned(),
        }),
        endpoint: Some(Endpoint {
            id: "vpce-1".to_owned(),
            vpc_id: "vpc-1".to_owned(),
            account: "123456789012".to_owned(),
            policy: r#"{"Statement":[]}"#.to_owned(),
        }),
        instance: None,
    };
    let request = Request { way: way.clone(), ..request() };
    let mut out = Vec::new();
    let record = Decision {
        request: &request,
        caller: &CallerFragment::of(&Caller::anonymous()),
        revision: 0,
        requirements: &[],
        policies: &[],
        levels: &[],
        error: None,
        lab: false,
    };
    record.write(&mut out);
    let read = DecisionRecord::parse(&out).unwrap().context;
    let read = Way {
        called_via: read.called_via,
        source: read.source,
        endpoint: read.endpoint,
        instance: None,
    };
    assert_eq!(read, way);
}

#[test]
fn a_decision_record_of_a_call_that_ended_early() {
    let (request, caller) = (request(), CallerFragment::of(&Caller::anonymous()));
    let record = Decision {
        request: &request,
        caller: &caller,
        revision: 0,
        requirements: &[],
        policies: &[],
        levels: &[],
        error: None,
        lab: false,
    };
    let mut out = Vec::new();
    record.write(&mut out);
    let read = DecisionRecord::parse(&out).unwrap();
    assert_eq!((read.outcome, read.requirements.len()), (None, 0));
    assert_eq!(read.caller.kind, "anonymous");
}
