//! Access points as records: made, shown, listed page by page, removed, and their policies.

use super::Control;
use crate::support::{Lab, each};
use serde_json::{Value, json};

#[test]
fn access_points_are_made_shown_and_removed() {
    let Some(lab) = Lab::start("access_points_are_made_shown_and_removed") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    root.ok("s3", "CreateBucket", json!({ "Bucket": "data" }));
    let alias = control.point("finance", "data");
    let shown = control.ok("GetAccessPoint", json!({ "Name": "finance" }));
    assert_eq!(shown["Alias"], json!(alias));
    assert_eq!(shown["NetworkOrigin"], json!("Internet"));
    assert_eq!((&shown["Bucket"], &shown["Name"]), (&json!("data"), &json!("finance")));
    assert_eq!(shown["BucketAccountId"], json!(control.account));
    assert_eq!(shown["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], json!(true));
    let host = "s3-accesspoint.us-east-1.amazonaws.com";
    assert_eq!(shown["Endpoints"]["ipv4"], json!(host));
    let inside = json!({ "Name": "inside", "Bucket": "data",
        "VpcConfiguration": { "VpcId": "vpc-0123456789abcdef0" },
        "PublicAccessBlockConfiguration": { "BlockPublicAcls": true } });
    control.ok("CreateAccessPoint", inside);
    let shown = control.ok("GetAccessPoint", json!({ "Name": "inside" }));
    assert_eq!(shown["NetworkOrigin"], json!("VPC"));
    assert_eq!(shown["VpcConfiguration"]["VpcId"], json!("vpc-0123456789abcdef0"));
    let block = &shown["PublicAccessBlockConfiguration"];
    assert_eq!(
        (&block["BlockPublicAcls"], &block["BlockPublicPolicy"]),
        (&json!(true), &json!(false))
    );

    let refused = |input: Value, code: &str, status: u64| {
        control.refused("CreateAccessPoint", input, code, status);
    };
    let named = |name: &str, bucket: &str| json!({ "Name": name, "Bucket": bucket });
    refused(named("finance", "data"), "AccessPointAlreadyOwnedByYou", 409);
    refused(named("Finance", "data"), "InvalidAccessPoint", 400);
    refused(named("other", "none"), "NoSuchBucket", 404);
    let scope = json!({ "Name": "scoped", "Bucket": "data", "Scope": { "Prefixes": ["a"] } });
    refused(scope, "InvalidRequest", 400);
    let scoped = json!({ "Name": "finance" });
    control.refused("GetAccessPointScope", scoped, "InvalidRequest", 400);
    root.refused(
        ("s3", "DeleteBucket"),
        json!({ "Bucket": "data" }),
        ("BucketHasAccessPointsAttached", 400),
    );
    for name in ["finance", "inside"] {
        control.ok("DeleteAccessPoint", json!({ "Name": name }));
        control.refused("GetAccessPoint", json!({ "Name": name }), "NoSuchAccessPoint", 404);
        control.refused("DeleteAccessPoint", json!({ "Name": name }), "NoSuchAccessPoint", 404);
    }
    root.ok("s3", "DeleteBucket", json!({ "Bucket": "data" }));
}

#[test]
fn access_points_are_listed_page_by_page() {
    let Some(lab) = Lab::start("access_points_are_listed_page_by_page") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    for bucket in ["data", "more"] {
        root.ok("s3", "CreateBucket", json!({ "Bucket": bucket }));
    }
    for name in ["p3", "p1", "p2"].map(|name| format!("{name}-x")) {
        control.point(&name, "data");
    }
    control.point("p0-x", "more");
    let pages = |mut input: Value| {
        let mut names = Vec::new();
        input["MaxResults"] = json!(2);
        loop {
            let page = control.ok("ListAccessPoints", input.clone());
            let found = each(&page["AccessPointList"], "Name");
            names.push(found.into_iter().map(str::to_owned).collect::<Vec<_>>());
            let Some(next) = page.get("NextToken") else { return names };
            input["NextToken"] = next.clone();
        }
    };
    assert_eq!(pages(json!({})), [["p0-x", "p1-x"], ["p2-x", "p3-x"]]);
    let of_data = pages(json!({ "Bucket": "data" }));
    assert_eq!(of_data, [vec!["p1-x", "p2-x"], vec!["p3-x"]]);
    let token = json!({ "NextToken": "?" });
    control.refused("ListAccessPoints", token, "InvalidNextTokenException", 400);
    let elsewhere = root.in_region(
        "eu-west-1",
        "s3control",
        "ListAccessPoints",
        json!({ "AccountId": control.account }),
    );
    assert_eq!(elsewhere.unwrap()["AccessPointList"], json!([]));
}

#[test]
fn policies_of_access_points() {
    let Some(lab) = Lab::start("policies_of_access_points") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    root.ok("s3", "CreateBucket", json!({ "Bucket": "data" }));
    control.point("door", "data");
    let door = json!({ "Name": "door" });
    let missing = "NoSuchAccessPointPolicy";
    control.refused("GetAccessPointPolicy", door.clone(), missing, 404);
    control.refused("GetAccessPointPolicyStatus", door.clone(), missing, 404);
    let account = format!("arn:aws:iam::{}:root", control.account);
    let objects = format!("{}/object/*", control.arn("door"));
    let statement = |principal: Value, resource: &str| {
        json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": resource })
    };
    control.set_policy("door", json!([statement(json!({ "AWS": account }), &objects)]));
    let shown = control.ok("GetAccessPointPolicy", door.clone());
    assert!(shown["Policy"].as_str().unwrap().contains(&objects));
    let status = control.ok("GetAccessPointPolicyStatus", door.clone());
    assert_eq!(status["PolicyStatus"]["IsPublic"], json!(false));
    let refused = |statements: Value, code: &str, status: u64| {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let input = json!({ "Name": "door", "Policy": document });
        control.refused("PutAccessPointPolicy", input, code, status);
    };
    let own = || json!({ "AWS": account });
    refused(json!([statement(own(), "arn:aws:s3:::data/*")]), "MalformedPolicy", 400);
    let other = format!("{}/object/*", control.arn("window"));
    refused(json!([statement(own(), &other)]), "MalformedPolicy", 400);
    let gone = json!({ "AWS": format!("{}x", account.replace(":root", ":user/gone")) });
    refused(json!([statement(gone, &objects)]), "MalformedPolicy", 400);
    refused(json!([statement(json!("*"), &objects)]), "AccessDenied", 403);
    control.ok("DeleteAccessPointPolicy", door.clone());
    control.refused("GetAccessPointPolicy", door, missing, 404);
}
