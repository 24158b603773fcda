//! `palisade org`: an organization as a file.

use crate::support::{Keys, Lab, Ran, policy};
use serde_json::{Value, json};
use std::path::PathBuf;

const TREE: &str = r#"
format = "palisade-org/1"

[[policy]]
name = "no-tags"
description = "Nobody tags users"
file = "no-tags.json"

[[unit]]
path = "Workloads"
policies = ["no-tags"]

[[account]]
name = "prod"
email = "prod@example.com"
unit = "Workloads/Production"
"#;

/// A lab with a file of a tree and the document that it names.
struct Site {
    lab: Lab,
    file: PathBuf,
}

impl Site {
    fn start(test: &str) -> Option<Site> {
        let lab = Lab::start(test)?;
        let file = lab.server.folder.path().join("org.toml");
        let site = Site { lab, file };
        let document = policy("Deny", &["iam:TagUser"], &["*"]).to_string();
        std::fs::write(site.file.with_file_name("no-tags.json"), document).unwrap();
        site.write(TREE);
        Some(site)
    }

    fn write(&self, tree: &str) {
        std::fs::write(&self.file, tree).unwrap();
    }

    fn org(&self, command: &str, more: &[&str]) -> Ran {
        let file = self.file.to_str().unwrap();
        self.lab.server.palisade(&[&["org", command, file][..], more].concat())
    }

    /// The lines of a run that must succeed.
    #[track_caller]
    fn lines(&self, command: &str, more: &[&str]) -> Vec<String> {
        let ran = self.org(command, more);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out.lines().map(str::to_owned).collect()
    }
}

const STEPS: [&str; 8] = [
    "+ create the organization, with all features",
    "+ enable SERVICE_CONTROL_POLICY for the root",
    "+ create SERVICE_CONTROL_POLICY no-tags",
    "+ create unit Workloads",
    "+ create unit Workloads/Production",
    "+ create account prod <prod@example.com>",
    "~ move account <prod@example.com> from the root to Workloads/Production",
    "+ attach SERVICE_CONTROL_POLICY no-tags to unit Workloads",
];

/// The root user of an account, as the role that organizations make in it.
fn administrator<'l>(lab: &'l Lab, account: &str) -> crate::support::Caller<'l> {
    let root = lab.root();
    let all = policy("Allow", &["sts:AssumeRole"], &["*"]);
    let operator = lab.user(&root, "operator", Some(all));
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let input = json!({ "RoleArn": role, "RoleSessionName": "org" });
    lab.caller(Keys::of_session(&operator.ok("sts", "AssumeRole", input)))
}

#[test]
fn a_file_becomes_an_organization_that_binds() {
    let Some(site) = Site::start("a_file_becomes_an_organization_that_binds") else { return };
    let root = site.lab.root();
    let planned = site.lines("plan", &[]);
    assert_eq!(planned.split_last().unwrap().1, STEPS);
    assert_eq!(planned.last().unwrap(), "8 changes; nothing was done");
    let code = ("AWSOrganizationsNotInUseException", 400);
    root.refused(("organizations", "DescribeOrganization"), json!({}), code);
    let export = site.org("export", &[]);
    assert_eq!(export.code, Some(1));
    assert!(export.err.contains("is in no organization"), "{}", export.err);

    let applied = site.lines("apply", &[]);
    assert_eq!(applied.split_last().unwrap().1, STEPS);
    assert_eq!(applied.last().unwrap(), "8 changes, done");
    // The account that made it is there too, and in no file.
    let left = |lines: Vec<String>| lines.last().unwrap().clone();
    assert_eq!(left(site.lines("plan", &[])), "nothing to do");

    let accounts = root.ok("organizations", "ListAccounts", json!({}));
    let accounts = accounts["Accounts"].as_array().unwrap();
    let prod = accounts.iter().find(|account| account["Name"] == "prod").unwrap();
    let id = prod["Id"].as_str().unwrap();
    let admin = administrator(&site.lab, id);
    admin.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let tags = json!({ "UserName": "ann", "Tags": [{ "Key": "a", "Value": "b" }] });
    let refusal = admin.refused(("iam", "TagUser"), tags.clone(), ("AccessDenied", 403));
    assert!(refusal.message.contains("in a service control policy"), "{}", refusal.message);

    // One line less, and the next call goes through.
    site.write(&TREE.replace("policies = [\"no-tags\"]", "policies = []"));
    let expected = "- detach SERVICE_CONTROL_POLICY no-tags from unit Workloads";
    assert_eq!(site.lines("apply", &[])[0], expected);
    admin.ok("iam", "TagUser", tags);
}

#[test]
fn a_plan_tells_which_recorded_calls_it_would_turn_round() {
    let name = "a_plan_tells_which_recorded_calls_it_would_turn_round";
    let Some(site) = Site::start(name) else { return };
    site.write(&TREE.replace("policies = [\"no-tags\"]", "policies = []"));
    site.lines("apply", &[]);
    let accounts = site.lab.root().ok("organizations", "ListAccounts", json!({}));
    let prod = accounts["Accounts"].as_array().unwrap();
    let prod = prod.iter().find(|account| account["Name"] == "prod").unwrap();
    let admin = administrator(&site.lab, prod["Id"].as_str().unwrap());
    admin.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let tags = json!({ "UserName": "ann", "Tags": [{ "Key": "a", "Value": "b" }] });
    admin.ok("iam", "TagUser", tags.clone());
    admin.ok("iam", "ListUsers", json!({}));

    site.write(TREE);
    let planned = site.lines("plan", &["--replay"]);
    let flip = planned.iter().find(|line| line.contains("explicitDeny")).unwrap();
    assert!(flip.starts_with("  allowed -> explicitDeny (scp): "), "{flip}");
    assert!(flip.contains(" iam:TagUser on "), "{flip}");
    assert!(planned.iter().any(|line| line.contains("calls 1 would be decided otherwise")));
    admin.ok("iam", "TagUser", tags.clone());

    // The other way round: what is denied now would be allowed.
    site.lines("apply", &[]);
    admin.refused(("iam", "TagUser"), tags, ("AccessDenied", 403));
    site.write(&TREE.replace("policies = [\"no-tags\"]", "policies = []"));
    let told: Value =
        serde_json::from_str(&site.lines("plan", &["--replay", "1", "--output", "json"])[0])
            .unwrap();
    let flips = told["replayed"]["flips"].as_array().unwrap();
    assert_eq!(flips.len(), 1, "{told}");
    assert_eq!(
        (&flips[0]["was"], &flips[0]["becomes"]),
        (&json!("explicitDeny"), &json!("allowed"))
    );
}

#[test]
fn an_exported_organization_needs_no_change() {
    let Some(mut site) = Site::start("an_exported_organization_needs_no_change") else { return };
    site.lines("apply", &[]);
    for name in ["exported.toml", "exported.yaml"] {
        site.file.set_file_name(name);
        site.lines("export", &[]);
        let planned = site.lines("plan", &["--prune"]);
        assert_eq!(planned, ["nothing to do"], "{}", std::fs::read_to_string(&site.file).unwrap());
    }
    let told: Value = serde_json::from_str(&site.lines("plan", &["--output", "json"])[0]).unwrap();
    assert_eq!(told, json!({ "steps": [], "leftAlone": [] }));
    // What an empty file does not name stays, unless it is to go; accounts stay in any case.
    site.write("format: palisade-org/1\naccount: [{name: prod, email: prod@example.com}]\n");
    let planned = site.lines("plan", &[]);
    assert!(planned.contains(&"  unit Workloads/Production".to_owned()), "{planned:?}");
    site.lines("apply", &["--prune"]);
    let below = site.lab.root().ok("organizations", "ListRoots", json!({}));
    let id = below["Roots"][0]["Id"].clone();
    let units = site.lab.root().ok(
        "organizations",
        "ListOrganizationalUnitsForParent",
        json!({ "ParentId": id }),
    );
    assert_eq!(units["OrganizationalUnits"], json!([]));
}

#[test]
fn what_cannot_be_done_is_said_and_the_rest_left() {
    let Some(site) = Site::start("what_cannot_be_done_is_said_and_the_rest_left") else { return };
    for (tree, expected) in [
        (TREE.replace("Workloads/Production", "1/2/3/4/5/6"), "deeper than 5 levels"),
        (TREE.replace("[\"no-tags\"]", "[\"nothing\"]"), "wants policy nothing"),
        (TREE.replace("no-tags.json", "gone.json"), "cannot read"),
        (TREE.replace("description", "desc"), "unknown field"),
    ] {
        site.write(&tree);
        let ran = site.org("plan", &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.out);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
    // A document that the service refuses stops there.
    site.write(TREE);
    std::fs::write(site.file.with_file_name("no-tags.json"), "{}").unwrap();
    let ran = site.org("apply", &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("MalformedPolicyDocument"), "{}", ran.err);
    assert!(ran.err.contains("2 of 8 changes were made"), "{}", ran.err);
}
