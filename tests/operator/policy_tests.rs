//! `palisade test`: against a folder of policies, a running server and its data folder, in every
//! format, and `palisade test init`.

use crate::support::{Lab, Ran, finish, have_tool, palisade, policy, skip, trust};
use serde_json::{Value, json};
use std::path::Path;

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// User dev reads a bucket; everybody stays in one region.
fn policies(root: &Path) {
    let own = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::productionapp/*"]);
    write(root, "users/dev/read.json", &own.to_string());
    write(root, "users/dev/groups", "devs\n");
    write(root, "groups/devs/ec2.json", &policy("Allow", &["ec2:*"], &["*"]).to_string());
    let region = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "RegionLock", "Effect": "Deny", "Action": "ec2:*", "Resource": "*",
          "Condition": { "StringNotEquals": { "aws:RequestedRegion": "eu-central-1" } } }
    ] });
    write(root, "scps/1-root/region.json", &region.to_string());
    let user = "arn:aws:iam::111122223333:user/dev";
    write(root, "roles/app/trust.json", &trust(user).to_string());
    write(
        root,
        "roles/closed/trust.json",
        &trust("arn:aws:iam::111122223333:user/eva").to_string(),
    );
    let shared = json!({ "Arn": "arn:aws:s3:::shared", "Policy": { "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": user }, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared/*" }] } });
    write(root, "resources/shared.json", &shared.to_string());
}

const PASSING: &str = r#"
[[test]]
principal = "dev"
action = "s3:GetObject"
resource = ["arn:aws:s3:::productionapp/*", "arn:aws:s3:::shared/a"]
expect = "allow"

[[test]]
principal = "dev"
action = "s3:ListBucket"
resource = "arn:aws:s3:::other"
expect = "deny"
by = "identity"

[[test]]
principal = "dev"
action = "ec2:*"
expect = "deny"
by = "scp"
context = { "aws:RequestedRegion" = "eu-west-1" }

[[test]]
principal = "dev"
action = "ec2:Describe*"
expect = "allow"
context = { "aws:RequestedRegion" = "eu-central-1" }

[[test]]
principal = "arn:aws:iam::111122223333:user/dev"
action = "sts:AssumeRole"
resource = "arn:aws:iam::111122223333:role/app"
expect = "allow"

[[test]]
principal = "dev"
action = "sts:AssumeRole"
resource = "arn:aws:iam::111122223333:role/closed"
expect = "deny"
by = "trust"
"#;

const FAILING: &str = r#"
test:
  - name: <nobody> & "nothing"
    principal: dev
    action: s3:GetObject
    resource: arn:aws:s3:::productionapp/a
    expect: deny
  - principal: dev
    action: s3:PutObject
    resource: arn:aws:s3:::productionapp/a
    expect: deny
    by: scp
  - principal: dev
    action: s3:PutObject
    resource: arn:aws:s3:::productionapp/a
    expect: deny
"#;

fn test(root: &Path, arguments: &[&str]) -> Ran {
    let mut command = palisade();
    command.current_dir(root).arg("test").args(arguments);
    finish(&mut command)
}

#[test]
fn a_folder_of_policies_is_tested() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    policies(&root.join("policies"));
    write(root, "access.palisade.toml", PASSING);
    write(root, "failing.yaml", FAILING);
    let ran = test(root, &["--policies", "policies"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.ends_with("7 passed\n"), "{}", ran.out);
    assert!(
        ran.out.contains("deny (scp, explicit: scps/1-root/region.json RegionLock)"),
        "{}",
        ran.out
    );
    let ran = test(root, &["--policies", "policies", "failing.yaml", "access.palisade.toml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.ends_with("8 passed, 2 failed\n"), "{}", ran.out);
    assert!(ran.out.contains("expected deny (scp), is deny (identity, implicit)"), "{}", ran.out);
}

#[test]
fn what_cannot_be_used_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    policies(&root.join("policies"));
    write(root, "good.toml", PASSING);
    write(root, "bad.toml", "[[test]]\nprincipal = 1\n");
    write(root, "bad.yaml", "test: [");
    write(root, "unknown.toml", &PASSING.replace("\"dev\"", "\"nobody\""));
    for arguments in [
        &["--policies", "policies", "bad.toml"][..],
        &["--policies", "policies", "bad.yaml"],
        &["--policies", "policies", "nowhere.toml"],
        &["--policies", "nowhere", "good.toml"],
        &["--data-dir", "nowhere", "good.toml"],
        &["--endpoint", "http://127.0.0.1:1", "--operator-token", "x", "good.toml"],
        &["--policies", "policies", "--format", "none", "good.toml"],
    ] {
        let ran = test(root, arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{ran:?}");
    }
    // A principal that is not there fails its tests: it is an answer, not a broken file.
    let ran = test(root, &["--policies", "policies", "unknown.toml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    write(root, "policies/users/dev/broken.json", "{");
    let ran = test(root, &["--policies", "policies", "good.toml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("users/dev/broken.json"), "{}", ran.err);
}

#[test]
fn sarif_names_the_place_of_each_failure() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    policies(&root.join("policies"));
    write(root, "failing.yaml", FAILING);
    let ran = test(root, &["--policies", "policies", "--format", "sarif", "failing.yaml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let results = report["runs"][0]["results"].as_array().unwrap();
    let rules = report["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let lines: Vec<_> = results
        .iter()
        .map(|result| {
            assert_eq!(result["ruleId"], rules[0]["id"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "failing.yaml");
            place["region"]["startLine"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(lines, [3, 8]);
}

#[test]
fn junit_is_xml_with_true_counts() {
    let name = "junit_is_xml_with_true_counts";
    if !have_tool("python3", &["--version"]) {
        return skip(name, "python3 is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    policies(&root.join("policies"));
    write(root, "failing.yaml", FAILING);
    write(root, "access.toml", PASSING);
    let arguments = [
        "--policies",
        "policies",
        "--format",
        "junit",
        "--report",
        "junit.xml",
        "failing.yaml",
        "access.toml",
    ];
    let ran = test(root, &arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    let script = "import sys, xml.etree.ElementTree as tree\n\
        root = tree.parse(sys.argv[1]).getroot()\n\
        print(root.get('tests'), root.get('failures'), len(root.findall('testsuite')),\n\
        len(root.findall('.//testcase')), len(root.findall('.//failure')),\n\
        root.find('.//testcase').get('name'))";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", script]).arg(root.join("junit.xml"));
    let ran = finish(&mut command);
    let expected =
        "10 2 2 10 2 <nobody> & \"nothing\": dev s3:GetObject arn:aws:s3:::productionapp/a";
    assert_eq!(ran.out.trim(), expected, "{}", ran.err);
}

#[test]
fn a_server_and_its_data_folder_answer_alike_and_init_writes_what_happened() {
    let test = "a_server_and_its_data_folder_answer_alike_and_init_writes_what_happened";
    let Some(mut lab) = Lab::start(test) else { return };
    let account = lab.server.account_id();
    let tests = tempfile::tempdir().unwrap();
    let file = tests.path().join("access.toml");
    let made = tests.path().join("made.toml");
    let (file_name, made_name) = (file.to_str().unwrap(), made.to_str().unwrap());
    {
        let root = lab.root();
        let own = policy("Allow", &["iam:Get*", "sts:AssumeRole"], &["*"]);
        let dev = lab.user(&root, "dev", Some(own));
        let document = trust(&format!("arn:aws:iam::{account}:user/dev")).to_string();
        let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": document });
        let arn = root.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
        dev.ok("iam", "GetUser", json!({ "UserName": "dev" }));
        dev.refused(("iam", "ListUsers"), json!({}), ("AccessDenied", 403));
        dev.ok("sts", "AssumeRole", json!({ "RoleArn": arn, "RoleSessionName": "test" }));
    }
    let table = format!(
        "[[test]]\nprincipal = \"dev\"\naction = \"iam:GetUser\"\n\
         resource = \"arn:aws:iam::{account}:user/dev\"\nexpect = \"allow\"\n\
         [[test]]\nprincipal = \"app\"\naction = \"iam:Get*\"\nexpect = \"deny\"\n\
         [[test]]\nprincipal = \"root\"\naction = \"s3:*\"\nexpect = \"allow\"\n\
         [[test]]\nprincipal = \"dev\"\naction = \"sts:AssumeRole\"\n\
         resource = \"arn:aws:iam::{account}:role/app\"\nexpect = \"allow\"\n"
    );
    std::fs::write(&file, table).unwrap();
    let running = lab.server.palisade(&["test", file_name]);
    assert_eq!(running.code, Some(0), "{running:?}");
    let url = lab.server.url.clone();
    let by_url = lab.server.palisade(&["test", "--endpoint", &url, file_name]);
    assert_eq!((by_url.code, &by_url.out), (Some(0), &running.out), "{by_url:?}");
    let refused =
        lab.server.palisade(&["test", "--endpoint", &url, "--operator-token", "x", file_name]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let init = lab.server.palisade(&["test", "init", made_name]);
    assert_eq!(init.code, Some(0), "{init:?}");
    let again = lab.server.palisade(&["test", "init", made_name]);
    assert_eq!(again.code, Some(2), "a file is not written over: {again:?}");
    let text = std::fs::read_to_string(&made).unwrap();
    assert!(text.contains("iam:ListUsers") && text.contains("sts:AssumeRole"), "{text}");
    let replayed = lab.server.palisade(&["test", made_name]);
    assert_eq!(replayed.code, Some(0), "{}\n{replayed:?}", text);
    assert!(lab.server.terminate().success());
    let offline = lab.server.palisade(&["test", file_name]);
    assert_eq!((offline.code, &offline.out), (Some(0), &running.out), "{offline:?}");
    let offline = lab.server.palisade(&["test", made_name]);
    assert_eq!((offline.code, &offline.out), (Some(0), &replayed.out), "{offline:?}");
    let made_again = tests.path().join("again.toml");
    let init = lab.server.palisade(&["test", "init", made_again.to_str().unwrap()]);
    assert_eq!(init.code, Some(0), "{init:?}");
    assert!(std::fs::read_to_string(&made_again).unwrap().contains("iam:ListUsers"));
}
