//! How long reading a request and writing a response takes, in nanoseconds, for each protocol.
//!
//! `cargo run --release -p palisade-protocol --example codec_speed`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool, not the server")]

use http::{HeaderMap, Method};
use palisade_model::{cloudtrail, iam, organizations, s3};
use palisade_protocol::{Parts, Routes, from_json, read_request, respond, to_json};
use palisade_shape::{Named, Operation, Protocol, Service, Shape};
use std::hint::black_box;
use std::time::Instant;

/// The least time of many runs: what the work costs when nothing else disturbs it.
fn measure(name: &str, mut work: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..2_000 {
            work();
        }
        let nanoseconds = start.elapsed().as_nanos() as f64 / 2_000.0;
        best = best.min(nanoseconds);
    }
    println!("{best:>9.0} ns  {name}");
}

fn read<T: Named>(service: &'static Service, name: &str, protocol: Protocol, body: &[u8]) -> T {
    let operation = service.operation(name).unwrap();
    let mut input = T::default();
    let (method, headers) = (Method::POST, HeaderMap::new());
    let parts = Parts {
        method: &method,
        raw_path: "/",
        raw_query: "",
        headers: &headers,
        body,
        labels: &[],
    };
    read_request(protocol, service, operation, &parts, &mut input).unwrap();
    input
}

fn output<T: Named>(json: &str) -> T {
    let mut output = T::default();
    from_json(json.as_bytes(), &mut output).unwrap();
    output
}

fn write(
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    output: &dyn Shape,
) {
    let id = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE";
    black_box(respond(protocol, service, operation, black_box(output), id));
}

const USER: &str = r#"{"Path":"/","UserName":"app","UserId":"AIDACKCEVSQ6C2EXAMPLE",
    "Arn":"arn:aws:iam::123456789012:user/app","CreateDate":1700000000}"#;

fn main() {
    query();
    json();
    store();
    rest();
}

fn query() {
    let get_user: &[u8] = b"Action=GetUser&Version=2010-05-08&UserName=app";
    measure("query: read GetUser (1 member)", || {
        black_box(read::<iam::GetUserRequest>(&iam::SERVICE, "GetUser", Protocol::Query, get_user));
    });
    let attach: &[u8] = b"Action=AttachUserPolicy&Version=2010-05-08&UserName=app&\
        PolicyArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Apolicy%2Fread";
    measure("query: read AttachUserPolicy (2 members, escapes)", || {
        black_box(read::<iam::AttachUserPolicyRequest>(
            &iam::SERVICE,
            "AttachUserPolicy",
            Protocol::Query,
            attach,
        ));
    });
    let create: Vec<u8> = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName=app&Path=%2Fteam%2F&\
         AssumeRolePolicyDocument={}&Tags.member.1.Key=a&Tags.member.1.Value=b&\
         Tags.member.2.Key=c&Tags.member.2.Value=d",
        "%7B%22Version%22%3A%222012-10-17%22%7D".repeat(8)
    )
    .into_bytes();
    measure("query: read CreateRole (policy, two tags)", || {
        let input =
            read::<iam::CreateRoleRequest>(&iam::SERVICE, "CreateRole", Protocol::Query, &create);
        black_box(input);
    });
    let got: iam::GetUserResponse = output(&format!("{{\"User\":{USER}}}"));
    let get = iam::SERVICE.operation("GetUser").unwrap();
    measure("query: write GetUser (small XML)", || {
        write(&iam::SERVICE, get, Protocol::Query, &got);
    });
    let users = vec![USER; 100].join(",");
    let listed: iam::ListUsersResponse =
        output(&format!("{{\"Users\":[{users}],\"IsTruncated\":false}}"));
    let list = iam::SERVICE.operation("ListUsers").unwrap();
    measure("query: write ListUsers (100 users)", || {
        write(&iam::SERVICE, list, Protocol::Query, &listed);
    });
}

fn json() {
    let describe: &[u8] = br#"{"AccountId":"123456789012"}"#;
    measure("json 1.1: read DescribeAccount (1 member)", || {
        black_box(read::<organizations::DescribeAccountRequest>(
            &organizations::SERVICE,
            "DescribeAccount",
            Protocol::Json11,
            describe,
        ));
    });
    let account: organizations::DescribeAccountResponse = output(
        r#"{"Account":{"Id":"123456789012","Arn":"arn:aws:organizations::1:account/o-a/1",
            "Email":"a@example.com","Name":"app","Status":"ACTIVE","JoinedMethod":"CREATED",
            "JoinedTimestamp":1700000000.5}}"#,
    );
    let described = organizations::SERVICE.operation("DescribeAccount").unwrap();
    measure("json 1.1: write DescribeAccount", || {
        write(&organizations::SERVICE, described, Protocol::Json11, &account);
    });
    let lookup: &[u8] =
        br#"{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"CreateUser"}],
        "StartTime":1700000000,"MaxResults":50}"#;
    measure("json 1.1: read LookupEvents", || {
        black_box(read::<cloudtrail::LookupEventsRequest>(
            &cloudtrail::SERVICE,
            "LookupEvents",
            Protocol::Json11,
            lookup,
        ));
    });
}

fn store() {
    let got: iam::GetUserResponse = output(&format!("{{\"User\":{USER}}}"));
    measure("store: to_json of a user", || {
        black_box(to_json(black_box(&got)));
    });
    let stored = to_json(&got);
    measure("store: from_json of a user", || {
        let mut user = iam::GetUserResponse::default();
        from_json(&stored, &mut user).unwrap();
        black_box(user);
    });
}

fn rest() {
    let routes = Routes::new(&s3::SERVICE);
    let headers = HeaderMap::new();
    measure("rest-xml: route GET /bucket/a/b of S3", || {
        black_box(routes.find(&Method::GET, "/bucket/a/b", "", &headers).unwrap());
    });
    let (_, labels) = routes.find(&Method::GET, "/bucket/a/b", "", &headers).unwrap();
    let head = s3::SERVICE.operation("GetObject").unwrap();
    measure("rest-xml: read GetObject (22 members bound)", || {
        let mut input = s3::GetObjectRequest::default();
        let parts = Parts {
            method: &Method::GET,
            raw_path: "/bucket/a/b",
            raw_query: "",
            headers: &headers,
            body: b"",
            labels: &labels,
        };
        read_request(Protocol::RestXml, &s3::SERVICE, head, &parts, &mut input).unwrap();
        black_box(input);
    });
}
