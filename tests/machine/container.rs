//! The credentials endpoints of containers and pods.

use super::{ACCOUNT, Site, WHO, assumed, role};
use crate::support::{have_boto3, skip};
use serde_json::{Value, json};

fn site(test: &str, role: &str, more: &str) -> Option<Site> {
    if !have_boto3() {
        skip(test, "boto3 is not installed");
        return None;
    }
    Some(Site::start("container", &|folder| {
        let token = folder.join("token");
        format!(
            "role = \"arn:aws:iam::{ACCOUNT}:role/{role}\"\n\
             authorization-token-file = \"{}\"\n{more}",
            token.display()
        )
    }))
}

fn token_file(site: &Site) -> String {
    site._configuration.path().join("token").display().to_string()
}

#[test]
fn a_task_finds_its_role() {
    let Some(site) = site("a_task_finds_its_role", "task", "") else { return };
    role(&site.root(), "task", "ecs-tasks.amazonaws.com");
    let url = format!("http://{}/v2/credentials", site.address);
    let file = token_file(&site);
    let environment = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str()),
    ];
    let found = site.workload(WHO, &environment);
    assert_eq!(found.code, Some(0), "{}", found.err);
    assert!(
        found.out.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/task/")),
        "{}",
        found.out
    );
    assert!(found.out.ends_with("\nAccessDenied\n"), "{}", found.out);

    assert_eq!(site.ask("GET", "/v2/credentials", "").0, 401);
    assert_eq!(site.ask("GET", "/v2/credentials", "Authorization: wrong\r\n").0, 401);
    assert_eq!(site.ask("GET", "/v2/other", "").0, 404);
}

#[test]
fn a_pod_finds_its_role_and_is_tagged() {
    let pod = "[container.pod]\ncluster-arn = \"arn:aws:eks:us-east-1:111122223333:cluster/blue\"\n\
               namespace = \"shop\"\nservice-account = \"cart\"\nname = \"cart-0\"\n\
               uid = \"b2c3\"\n";
    let Some(site) = site("a_pod_finds_its_role_and_is_tagged", "pod", pod) else { return };
    role(&site.root(), "pod", "pods.eks.amazonaws.com");
    let token = std::fs::read_to_string(token_file(&site)).unwrap();
    let header = format!("Authorization: {token}\r\n");
    let (status, _, body) = site.ask("GET", "/v1/credentials", &header);
    assert_eq!(status, 200, "{body}");
    let shown: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(shown["AccountId"], ACCOUNT);
    assert!(shown["AccessKeyId"].as_str().unwrap().starts_with("ASIA"), "{body}");
    let event = assumed(&site.root());
    assert_eq!(event["userIdentity"]["invokedBy"], "pods.eks.amazonaws.com");
    let tags = event["requestParameters"]["tags"].as_array().unwrap();
    let namespace = json!({ "key": "kubernetes-namespace", "value": "shop" });
    assert!(tags.contains(&namespace), "{event}");
}

#[test]
fn a_role_that_trusts_another_service_is_not_handed_out() {
    let name = "a_role_that_trusts_another_service_is_not_handed_out";
    let Some(site) = site(name, "task", "") else { return };
    role(&site.root(), "task", "lambda.amazonaws.com");
    let token = std::fs::read_to_string(token_file(&site)).unwrap();
    let header = format!("Authorization: {token}\r\n");
    let (status, _, body) = site.ask("GET", "/v2/credentials", &header);
    let refused: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &refused["code"]), (403, &json!("AccessDenied")), "{body}");
}
