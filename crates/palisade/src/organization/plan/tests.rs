use super::super::survey::{Account, Policy};
use super::super::tree;
use super::*;

const SCP: &str = "SERVICE_CONTROL_POLICY";

fn key(name: &str) -> PolicyName {
    PolicyName { kind: SCP.to_owned(), name: name.to_owned() }
}

fn policy(id: &str, content: &str, managed: bool, targets: &[Target]) -> Policy {
    Policy {
        id: id.to_owned(),
        description: String::new(),
        content: content.to_owned(),
        managed,
        targets: targets.iter().cloned().collect(),
    }
}

/// A unit with an account, and a policy that is attached to the unit.
fn there_is() -> Survey {
    let unit = Target::Unit("Workloads".to_owned());
    let account = Target::Account("prod@example.com".to_owned());
    let all = [Target::Root, unit.clone(), account];
    Survey {
        exists: true,
        root_id: "r-1".to_owned(),
        enabled_types: [SCP.to_owned()].into(),
        units: [("Workloads".to_owned(), "ou-1".to_owned())].into(),
        accounts: vec![Account {
            id: "111122223333".to_owned(),
            name: "prod".to_owned(),
            email: "prod@example.com".to_owned(),
            unit: "Workloads".to_owned(),
        }],
        policies: [
            (key(FULL_ACCESS), policy("p-FullAWSAccess", "{}", true, &all)),
            (key("lock"), policy("p-1", r#"{"a": 1, "b": 2}"#, false, &[unit])),
        ]
        .into(),
    }
}

fn steps(tree: &Tree, now: &Survey, prune: bool) -> Vec<String> {
    plan(tree, now, prune).unwrap().steps.iter().map(Step::to_string).collect()
}

#[test]
fn what_is_as_the_file_says_needs_nothing() {
    let now = there_is();
    let tree = now.tree();
    assert_eq!(steps(&tree, &now, true), [""; 0]);
    assert!(plan(&tree, &now, false).unwrap().left_alone.is_empty());
}

#[test]
fn a_document_is_compared_by_what_it_says() {
    let now = there_is();
    let mut tree = now.tree();
    tree.policies[0].content = Some(r#"{"b":2,"a":1}"#.to_owned());
    assert_eq!(steps(&tree, &now, false), [""; 0]);
    tree.policies[0].content = Some(r#"{"b":2}"#.to_owned());
    assert_eq!(steps(&tree, &now, false), [format!("~ change the document of {SCP} lock")]);
}

#[test]
fn an_organization_is_made_from_nothing() {
    let mut tree = there_is().tree();
    tree.units.push(tree::Unit {
        path: "Workloads/Production".to_owned(),
        policies: Some(vec!["lock".to_owned()]),
        full_access: None,
    });
    tree.accounts[0].unit = "Workloads/Production".to_owned();
    let expected = [
        "+ create the organization, with all features".to_owned(),
        format!("+ enable {SCP} for the root"),
        format!("+ create {SCP} lock"),
        "+ create unit Workloads".to_owned(),
        "+ create unit Workloads/Production".to_owned(),
        "+ create account prod <prod@example.com>".to_owned(),
        "~ move account <prod@example.com> from the root to Workloads/Production".to_owned(),
        format!("+ attach {SCP} lock to unit Workloads"),
        format!("+ attach {SCP} lock to unit Workloads/Production"),
    ];
    assert_eq!(steps(&tree, &Survey::default(), false), expected);
}

#[test]
fn attachments_become_those_of_the_list() {
    let now = there_is();
    let mut tree = now.tree();
    tree.units[0].policies = Some(Vec::new());
    tree.root.policies = Some(vec![format!("{SCP}:lock")]);
    let expected = [
        format!("+ attach {SCP} lock to the root"),
        format!("- detach {SCP} lock from unit Workloads"),
    ];
    assert_eq!(steps(&tree, &now, false), expected);
    // Without a list nothing changes; AWS's own policy goes only when the file says so.
    tree.units[0].policies = None;
    tree.root.policies = None;
    tree.units[0].full_access = Some(false);
    let expected = [format!("- detach {SCP} {FULL_ACCESS} from unit Workloads")];
    assert_eq!(steps(&tree, &now, false), expected);
    tree.units[0].policies = Some(vec!["gone".to_owned()]);
    let error = plan(&tree, &now, false).unwrap_err();
    assert_eq!(error, "unit Workloads wants policy gone, which is not there");
}

#[test]
fn what_the_file_does_not_name_goes_only_with_prune() {
    let mut now = there_is();
    now.units.insert("Old".to_owned(), "ou-2".to_owned());
    now.units.insert("Old/Older".to_owned(), "ou-3".to_owned());
    let mut tree = there_is().tree();
    tree.policies.clear();
    tree.units[0].policies = Some(Vec::new());
    assert_eq!(
        plan(&tree, &now, false).unwrap().left_alone,
        [format!("{SCP} lock"), "unit Old/Older".to_owned(), "unit Old".to_owned()]
    );
    let expected = [
        format!("- detach {SCP} lock from unit Workloads"),
        format!("- delete {SCP} lock"),
        "- delete unit Old/Older".to_owned(),
        "- delete unit Old".to_owned(),
    ];
    assert_eq!(steps(&tree, &now, true), expected);
    // A unit with an account that the file does not move stays.
    tree.accounts.clear();
    tree.units.clear();
    let left = plan(&tree, &now, true).unwrap().left_alone;
    let expected =
        ["unit Workloads, which account <prod@example.com> is in", "account <prod@example.com>"];
    assert_eq!(left, expected);
}
