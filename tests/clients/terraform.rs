//! Terraform with the AWS provider as published: apply, plan again without drift, destroy.
//!
//! The provider comes from the filesystem mirror that `PALISADE_TEST_TERRAFORM_MIRROR` names (a
//! folder as `terraform providers mirror` or an unpacked plugin folder makes it).

use crate::support::{Authority, Lab, Ran, each, have_tool, skip};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The configurations, beside this file.
const PRINCIPALS: &str = include_str!("principals.tf");
const CREDENTIALS: &str = include_str!("credentials.tf");
const KEYS: &str = include_str!("keys.tf");
const ACCESS_POINTS: &str = include_str!("access_points.tf");
const IDENTITY: &str = include_str!("identity.tf");
const EXCLUSIVE: &str = include_str!("exclusive.tf");
const ORGANIZATIONS: &str = include_str!("organizations.tf");
const STORAGE: &str = include_str!("storage.tf");
const RAM: &str = include_str!("ram.tf");
const MIRROR: &str = "PALISADE_TEST_TERRAFORM_MIRROR";

/// A folder with the configuration, and how Terraform is called in it.
struct Workspace {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Workspace {
    fn new(lab: &Lab, mirror: &Path, configuration: &str) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), configuration).unwrap();
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

/// Terraform and the provider mirror, or a loud skip.
fn mirror(test: &str) -> Option<PathBuf> {
    if !have_tool("terraform", &["version"]) {
        skip(test, "Terraform is not installed");
        return None;
    }
    let mirror = std::env::var_os(MIRROR).map(PathBuf::from);
    if mirror.is_none() {
        skip(test, "PALISADE_TEST_TERRAFORM_MIRROR names no provider mirror");
    }
    mirror
}

#[test]
fn terraform_applies_plans_again_and_destroys() {
    let test = "terraform_applies_plans_again_and_destroys";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, PRINCIPALS);
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

#[test]
fn terraform_keeps_keys() {
    let test = "terraform_keeps_keys";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, KEYS);
    work.ok(&["init", "-input=false"]);
    let root = lab.root();
    for description in ["first", "changed"] {
        let changes = format!("-var=description={description}");
        work.ok(&["apply", "-auto-approve", "-input=false", &changes]);
        let again = work.run(&["plan", "-detailed-exitcode", "-input=false", &changes]);
        assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
        let told = root.ok("kms", "DescribeKey", json!({ "KeyId": "alias/app" }));
        assert_eq!(told["KeyMetadata"]["Description"], json!(description));
    }
    let told =
        root.ok("kms", "DescribeKey", json!({ "KeyId": "alias/app" }))["KeyMetadata"].clone();
    let status = root.ok("kms", "GetKeyRotationStatus", json!({ "KeyId": told["KeyId"] }));
    assert_eq!(status["RotationPeriodInDays"], json!(180));
    work.ok(&["destroy", "-auto-approve", "-input=false"]);
    let told = root.ok("kms", "DescribeKey", json!({ "KeyId": told["KeyId"] }));
    assert_eq!(told["KeyMetadata"]["KeyState"], json!("PendingDeletion"));
}

#[test]
fn terraform_keeps_buckets() {
    let test = "terraform_keeps_buckets";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, STORAGE);
    work.ok(&["init", "-input=false"]);
    let root = lab.root();
    for days in ["30", "60"] {
        let changes = format!("-var=days={days}");
        work.ok(&["apply", "-auto-approve", "-input=false", &changes]);
        let again = work.run(&["plan", "-detailed-exitcode", "-input=false", &changes]);
        assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
        let page = json!({ "Bucket": "productionapp-tf", "Key": "documents/index.html" });
        let page = root.ok("s3", "GetObject", page);
        assert_eq!(page["Body"], json!(format!("<p>kept {days} days</p>")));
        assert_eq!(page["ServerSideEncryption"], json!("aws:kms"));
    }
    work.ok(&["destroy", "-auto-approve", "-input=false"]);
    assert_eq!(root.ok("s3", "ListBuckets", json!({}))["Buckets"], json!([]));
}

/// What the configuration reads, made for this test.
fn write_files(folder: &Path) {
    let authority = Authority::new("test");
    let (server, signing) = (authority.leaf("www.example.com"), authority.leaf("ann"));
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("chain.pem", &authority.pem);
    write("server.pem", &server.certificate);
    write("server.key", &server.key);
    write("signing.pem", &signing.certificate);
    let keygen = |arguments: &[&str]| {
        let mut command = Command::new("ssh-keygen");
        let ran = crate::support::finish(command.args(arguments).current_dir(folder));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    };
    for name in ["one", "two"] {
        keygen(&["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "ann@host", "-f", name]);
    }
    write("two.pem", &keygen(&["-e", "-m", "PKCS8", "-f", "two.pub"]));
}

/// Gives a user what Terraform does not know of: two keys, a password, an MFA device.
fn give_all(lab: &Lab, name: &str) {
    let root = lab.root();
    lab.begin_step();
    root.new_key(name);
    root.new_key(name);
    let profile = json!({ "UserName": name, "Password": "Correct-horse-battery-1" });
    root.ok("iam", "CreateLoginProfile", profile);
    let made = root.ok("iam", "CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": name }));
    let made = &made["VirtualMFADevice"];
    let seed = crate::iam::text_of_blob(&made["Base32StringSeed"]);
    let enable = json!({
        "UserName": name, "SerialNumber": made["SerialNumber"],
        "AuthenticationCode1": lab.totp(&seed, -1), "AuthenticationCode2": lab.totp(&seed, 0),
    });
    root.ok("iam", "EnableMFADevice", enable);
}

#[test]
fn terraform_keeps_the_credentials_of_users() {
    let test = "terraform_keeps_the_credentials_of_users";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let work = Workspace::new(&lab, &mirror, CREDENTIALS);
    write_files(work.folder.path());
    work.ok(&["init", "-input=false"]);
    work.ok(&["apply", "-auto-approve", "-input=false"]);
    let profile = root.ok("iam", "GetLoginProfile", json!({ "UserName": "ann" }));
    assert_eq!(profile["LoginProfile"]["PasswordResetRequired"], json!(true));
    let again = work.run(&["plan", "-detailed-exitcode", "-input=false"]);
    assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
    give_all(&lab, "eva");
    let changed = "-var=status=Inactive";
    work.ok(&["apply", "-auto-approve", "-input=false", changed]);
    let again = work.run(&["plan", "-detailed-exitcode", "-input=false", changed]);
    assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);

    work.ok(&["destroy", "-auto-approve", "-input=false", changed]);
    assert_eq!(root.ok("iam", "ListUsers", json!({}))["Users"], json!([]));
    assert_eq!(root.ok("iam", "ListVirtualMFADevices", json!({}))["VirtualMFADevices"], json!([]));
    let left = root.ok("iam", "ListServerCertificates", json!({}));
    assert_eq!(left["ServerCertificateMetadataList"], json!([]));
    let none = root.call("iam", "GetAccountPasswordPolicy", json!({})).unwrap_err();
    assert_eq!(none.code, "NoSuchEntity");
}

/// Metadata of a provider with this certificate, which is good until 2126.
const METADATA: &str = include_str!("saml_metadata.xml");

#[test]
fn terraform_makes_identity_providers_devices_and_service_linked_roles() {
    let test = "terraform_makes_identity_providers_devices_and_service_linked_roles";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, IDENTITY);
    std::fs::write(work.folder.path().join("metadata.xml"), METADATA).unwrap();
    let metadata = "-var=metadata=metadata.xml";
    work.ok(&["init", "-input=false"]);
    work.ok(&["apply", "-auto-approve", "-input=false", metadata]);
    for team in ["-var=team=blue", "-var=team=red"] {
        work.ok(&["apply", "-auto-approve", "-input=false", metadata, team]);
        let plan = ["plan", "-detailed-exitcode", "-input=false", metadata, team];
        let again = work.run(&plan);
        assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
    }
    let root = lab.root();
    let scaling = json!({ "RoleName": "AWSServiceRoleForAutoScaling_batch" });
    let role = root.ok("iam", "GetRole", scaling);
    assert_eq!(role["Role"]["Description"], json!("for red"));
    work.ok(&["destroy", "-auto-approve", "-input=false", metadata]);
    for (operation, list) in [
        ("ListOpenIDConnectProviders", "OpenIDConnectProviderList"),
        ("ListSAMLProviders", "SAMLProviderList"),
        ("ListVirtualMFADevices", "VirtualMFADevices"),
        ("ListRoles", "Roles"),
    ] {
        assert_eq!(root.ok("iam", operation, json!({}))[list], json!([]), "{operation}");
    }
}

#[test]
fn terraform_keeps_attachments_to_itself_and_looks_back() {
    let test = "terraform_keeps_attachments_to_itself_and_looks_back";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, EXCLUSIVE);
    work.ok(&["init", "-input=false"]);
    work.ok(&["apply", "-auto-approve", "-input=false"]);
    let again = work.run(&["plan", "-detailed-exitcode", "-input=false"]);
    assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
    let told: Value = serde_json::from_str(&work.run(&["output", "-json", "told"]).out).unwrap();
    let expected = json!({
        "alias": "palisade-exclusive", "keys": 1, "members": ["ann"], "profile": "app",
        "profiles": ["app"], "roles": ["app"], "users": ["ann"], "issuer": true, "allowed": true,
    });
    assert_eq!(told, expected);
    // What somebody else attached goes with the next run.
    let root = lab.root();
    let other = json!({ "UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess" });
    root.ok("iam", "AttachUserPolicy", other);
    let other = crate::support::policy("Allow", &["iam:*"], &["*"]).to_string();
    let other = json!({ "RoleName": "app", "PolicyName": "other", "PolicyDocument": other });
    root.ok("iam", "PutRolePolicy", other);
    let changed = "-var=action=s3:PutObject";
    work.ok(&["apply", "-auto-approve", "-input=false", changed]);
    let attached = root.ok("iam", "ListAttachedUserPolicies", json!({ "UserName": "ann" }));
    let mut attached = each(&attached["AttachedPolicies"], "PolicyName");
    attached.sort_unstable();
    assert_eq!(attached, ["all", "shared"]);
    let own = root.ok("iam", "ListRolePolicies", json!({ "RoleName": "app" }));
    assert_eq!(own["PolicyNames"], json!(["own"]));
    // The resources that tolerate no others do not take their own away.
    let shared = format!("arn:aws:iam::{}:policy/shared", lab.server.account_id());
    for (operation, of, name) in [
        ("DetachUserPolicy", "UserName", "ann"),
        ("DetachGroupPolicy", "GroupName", "team"),
        ("DetachRolePolicy", "RoleName", "app"),
    ] {
        root.ok("iam", operation, json!({ of: name, "PolicyArn": shared }));
    }
    work.ok(&["destroy", "-auto-approve", "-input=false", changed]);
    assert_eq!(root.ok("iam", "ListUsers", json!({}))["Users"], json!([]));
}

#[test]
fn terraform_governs_an_organization() {
    let test = "terraform_governs_an_organization";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, ORGANIZATIONS);
    work.ok(&["init", "-input=false"]);
    work.ok(&["apply", "-auto-approve", "-input=false"]);
    let root = lab.root();
    let members = root.ok("organizations", "ListAccounts", json!({}));
    let member = members["Accounts"].as_array().unwrap().iter().find(|it| it["Name"] == "member");
    assert_eq!(member.unwrap()["Status"], "ACTIVE");
    for unit in ["-var=unit=workloads", "-var=unit=renamed"] {
        work.ok(&["apply", "-auto-approve", "-input=false", unit]);
        let again = work.run(&["plan", "-detailed-exitcode", "-input=false", unit]);
        assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
    }
    work.ok(&["destroy", "-auto-approve", "-input=false", "-var=unit=renamed"]);
    let gone = root.call("organizations", "DescribeOrganization", json!({})).unwrap_err();
    assert_eq!(gone.code, "AWSOrganizationsNotInUseException");
}

#[test]
fn terraform_shares() {
    let test = "terraform_shares";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let work = Workspace::new(&lab, &mirror, RAM);
    let id = "222233334444";
    let other = lab.account(id);
    let keys = [
        format!("-var=other_account={id}"),
        format!("-var=other_id={}", other.keys.id),
        format!("-var=other_secret={}", other.keys.secret),
    ];
    let with = |arguments: &[&str], name: &str| -> Vec<String> {
        let fixed = arguments.iter().map(|it| (*it).to_owned());
        fixed.chain(keys.clone()).chain([format!("-var=name={name}")]).collect()
    };
    let run = |arguments: &[&str], name: &str| {
        let all = with(arguments, name);
        let ran = work.run(&all.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ran.code, Some(0), "terraform {arguments:?}:\n{}\n{}", ran.out, ran.err);
    };
    work.ok(&["init", "-input=false"]);
    for name in ["first", "renamed"] {
        run(&["apply", "-auto-approve", "-input=false"], name);
        run(&["plan", "-detailed-exitcode", "-input=false"], name);
        let seen =
            other.ok("ram", "GetResourceShares", json!({ "resourceOwner": "OTHER-ACCOUNTS" }));
        assert_eq!(each(&seen["resourceShares"], "name"), [name]);
    }
    run(&["destroy", "-auto-approve", "-input=false"], "renamed");
    let seen = other.ok("ram", "GetResourceShares", json!({ "resourceOwner": "OTHER-ACCOUNTS" }));
    assert_eq!(seen["resourceShares"], json!([]));
    let own = json!({ "resourceOwner": "SELF", "resourceShareStatus": "ACTIVE" });
    assert_eq!(lab.root().ok("ram", "GetResourceShares", own)["resourceShares"], json!([]));
}

/// S3 Control has the account before the endpoint's name, which nothing resolves here: the server
/// itself stands in for the proxy that such names go through.
#[test]
fn terraform_keeps_access_points() {
    let test = "terraform_keeps_access_points";
    let Some(mirror) = mirror(test) else { return };
    let Some(lab) = Lab::start(test) else { return };
    let mut work = Workspace::new(&lab, &mirror, ACCESS_POINTS);
    work.variables.push(("HTTP_PROXY".to_owned(), lab.server.url.clone()));
    work.ok(&["init", "-input=false"]);
    let root = lab.root();
    let account = json!(lab.server.account_id());
    let ask = |operation: &str| {
        root.ok("s3control", operation, json!({ "AccountId": account, "Name": "inside" }))
    };
    for sid in ["first", "second"] {
        let changes = format!("-var=sid={sid}");
        work.ok(&["apply", "-auto-approve", "-input=false", &changes]);
        let again = work.run(&["plan", "-detailed-exitcode", "-input=false", &changes]);
        assert_eq!(again.code, Some(0), "drift:\n{}\n{}", again.out, again.err);
        let policy = ask("GetAccessPointPolicy")["Policy"].clone();
        assert!(policy.as_str().unwrap().contains(sid), "{policy}");
        let block = root.ok("s3control", "GetPublicAccessBlock", json!({ "AccountId": account }));
        let restrict = &block["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"];
        assert_eq!(restrict, &json!(sid == "first"));
    }
    assert_eq!(ask("GetAccessPoint")["NetworkOrigin"], json!("VPC"));
    work.ok(&["destroy", "-auto-approve", "-input=false"]);
    let left = root.ok("s3control", "ListAccessPoints", json!({ "AccountId": account }));
    assert_eq!(left["AccessPointList"], json!([]));
}
