//! Terraform with the AWS provider as published: apply, plan again without drift, destroy.
//!
//! The provider comes from the filesystem mirror that `PALISADE_TEST_TERRAFORM_MIRROR` names (a
//! folder as `terraform providers mirror` or an unpacked plugin folder makes it).

use crate::support::{Lab, Ran, each, have_tool, skip};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The configuration, beside this file.
const CONFIGURATION: &str = include_str!("principals.tf");
const MIRROR: &str = "PALISADE_TEST_TERRAFORM_MIRROR";

/// A folder with the configuration, and how Terraform is called in it.
struct Workspace {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Workspace {
    fn new(lab: &Lab, mirror: &Path) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), CONFIGURATION).unwrap();
        let settings = folder.path().join("terraform.rc");
        let path = mirror.display();
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    \
             path = \"{path}\"\n  }}\n}}\n"
        );
        std::fs::write(&settings, text).unwrap();
        let keys = lab.server.root_keys();
        let variables = [
            ("TF_CLI_CONFIG_FILE", settings.display().to_string()),
            ("TF_IN_AUTOMATION", "1".to_owned()),
            ("AWS_ENDPOINT_URL", lab.server.url.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.id),
            ("AWS_SECRET_ACCESS_KEY", keys.secret),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Workspace { folder, variables: variables.collect() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new("terraform");
        command.args(arguments).arg("-no-color").current_dir(self.folder.path());
        command.env_remove("AWS_SESSION_TOKEN").env_remove("AWS_PROFILE");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        crate::support::finish(&mut command)
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "terraform {arguments:?}:\n{}\n{}", ran.out, ran.err);
    }
}

#[test]
fn terraform_applies_plans_again_and_destroys() {
    let test = "terraform_applies_plans_again_and_destroys";
    if !have_tool("terraform", &["version"]) {
        return skip(test, "Terraform is not installed");
    }
    let Some(mirror) = std::env::var_os(MIRROR).map(PathBuf::from) else {
        return skip(test, "PALISADE_TEST_TERRAFORM_MIRROR names no provider mirror");
    };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror);
    work.ok(&["init", "-input=false"]);
    work.ok(&["apply", "-auto-approve", "-input=false"]);

    let root = lab.root();
    let users = root.ok("iam", "ListUsers", json!({ "PathPrefix": "/team/" }));
    assert_eq!(each(&users["Users"], "UserName"), ["ann", "bob"]);
    let attached = root.ok("iam", "ListAttachedRolePolicies", json!({ "RoleName": "app" }));
    let mut attached = each(&attached["AttachedPolicies"], "PolicyName");
    attached.sort_unstable();
    assert_eq!(attached, ["IAMReadOnlyAccess", "read"]);
    let role = root.ok("iam", "GetRole", json!({ "RoleName": "app" }));
    assert_eq!(role["Role"]["MaxSessionDuration"], json!(7200));

    // 0: nothing to do. 2: what was applied is not what is there.
    let again = work.run(&["plan", "-detailed-exitcode", "-input=false"]);
    assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
    work.ok(&["apply", "-auto-approve", "-input=false", "-var=description=changed"]);
    let changed =
        work.run(&["plan", "-detailed-exitcode", "-input=false", "-var=description=changed"]);
    assert_eq!(changed.code, Some(0), "drift:\n{}\n{}", changed.out, changed.err);

    work.ok(&["destroy", "-auto-approve", "-input=false"]);
    for (operation, list) in [
        ("ListUsers", "Users"),
        ("ListGroups", "Groups"),
        ("ListRoles", "Roles"),
        ("ListInstanceProfiles", "InstanceProfiles"),
        ("ListAccountAliases", "AccountAliases"),
    ] {
        assert_eq!(root.ok("iam", operation, json!({}))[list], json!([]), "{operation}");
    }
    let policies = root.ok("iam", "ListPolicies", json!({ "Scope": "Local" }));
    assert_eq!(policies["Policies"], json!([]));
}
