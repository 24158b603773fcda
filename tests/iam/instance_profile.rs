//! Instance profiles.

use super::{Failing, all, check_refusals, tags};
use crate::support::{Lab, each, trust};
use serde_json::json;

fn refusals<'a>() -> Vec<Failing<'a>> {
    let named = json!({ "InstanceProfileName": "box" });
    vec![
        (
            "CreateInstanceProfile",
            named.clone(),
            "EntityAlreadyExists",
            409,
            "Instance Profile box already exists.",
        ),
        (
            "AddRoleToInstanceProfile",
            json!({ "InstanceProfileName": "box", "RoleName": "other" }),
            "LimitExceeded",
            409,
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
        ),
        (
            "AddRoleToInstanceProfile",
            json!({ "InstanceProfileName": "box", "RoleName": "ghost" }),
            "NoSuchEntity",
            404,
            "ghost",
        ),
        (
            "DeleteInstanceProfile",
            named.clone(),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove roles from instance profile first.",
        ),
        (
            "GetInstanceProfile",
            json!({ "InstanceProfileName": "nope" }),
            "NoSuchEntity",
            404,
            "Instance Profile nope cannot be found.",
        ),
    ]
}

#[test]
fn instance_profiles_live_and_die() {
    let Some(lab) = Lab::start("instance_profiles_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    for name in ["app", "other"] {
        let document = trust("*").to_string();
        let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": document });
        root.ok("iam", "CreateRole", role);
    }
    let named = json!({ "InstanceProfileName": "box" });
    let input =
        json!({ "InstanceProfileName": "box", "Path": "/vm/", "Tags": tags(&[("a", "1")]) });
    let made = root.ok("iam", "CreateInstanceProfile", input)["InstanceProfile"].clone();
    assert_eq!(made["Arn"], json!(format!("arn:aws:iam::{account}:instance-profile/vm/box")));
    assert!(made["InstanceProfileId"].as_str().unwrap().starts_with("AIPA"), "{made}");
    assert_eq!(made["Roles"], json!([]));
    let held = json!({ "InstanceProfileName": "box", "RoleName": "app" });
    root.ok("iam", "AddRoleToInstanceProfile", held.clone());
    let got = root.ok("iam", "GetInstanceProfile", named.clone())["InstanceProfile"].clone();
    assert_eq!(each(&got["Roles"], "RoleName"), ["app"]);
    let of_role = root.ok("iam", "ListInstanceProfilesForRole", json!({ "RoleName": "app" }));
    assert_eq!(each(&of_role["InstanceProfiles"], "InstanceProfileName"), ["box"]);
    check_refusals(&root, &refusals());
    let input = json!({ "InstanceProfileName": "box", "Tags": tags(&[("b", "2")]) });
    root.ok("iam", "TagInstanceProfile", input);
    let input = json!({ "InstanceProfileName": "box", "TagKeys": ["a"] });
    root.ok("iam", "UntagInstanceProfile", input);
    let kept = root.ok("iam", "ListInstanceProfileTags", named.clone());
    assert_eq!(kept["Tags"], tags(&[("b", "2")]));
    root.ok("iam", "RemoveRoleFromInstanceProfile", held);
    for name in ["a", "c"] {
        root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": name }));
    }
    let pages = root.pages("ListInstanceProfiles", json!({}), "InstanceProfiles", 2);
    assert_eq!((all(&pages, "InstanceProfileName").len(), pages.len()), (3, 2));
    let under = json!({ "PathPrefix": "/vm/" });
    let under = root.ok("iam", "ListInstanceProfiles", under);
    assert_eq!(each(&under["InstanceProfiles"], "InstanceProfileName"), ["box"]);
    root.ok("iam", "DeleteInstanceProfile", named);
}
