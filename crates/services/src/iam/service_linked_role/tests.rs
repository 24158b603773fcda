use super::*;
use crate::iam::policy_use::uses_of;
use crate::iam::{attachment, managed, role, samples};
use crate::testing::{ACCOUNT, Lab};
use palisade_model::iam::{
    AttachRolePolicyRequest, DeleteRoleRequest, TagRoleRequest, UpdateRoleRequest,
};
use std::collections::BTreeSet;

fn create(service: &str, suffix: Option<&str>) -> CreateServiceLinkedRoleRequest {
    CreateServiceLinkedRoleRequest {
        aws_service_name: service.to_owned(),
        description: None,
        custom_suffix: suffix.map(str::to_owned),
    }
}

#[test]
fn every_row_names_a_policy_that_is_there() {
    let lab = Lab::new();
    let (mut services, mut roles) = (BTreeSet::new(), BTreeSet::new());
    assert_eq!(services::all().count(), 97);
    for linked in services::all() {
        let arn = format!("arn:aws:iam::aws:policy{PATH}{}", linked.policy);
        let found = lab.read(|cx| managed::find(cx, &arn)).unwrap();
        assert!(found.is_some_and(|policy| managed::is_for_service_linked_roles(&policy)), "{arn}");
        assert!(services.insert(linked.service), "{} twice", linked.service);
        assert!(roles.insert(linked.role), "{} twice", linked.role);
        assert!(linked.role.len() <= ROLE_NAME_MAX && linked.service.ends_with(".amazonaws.com"));
    }
}

#[test]
fn a_role_is_made_for_its_service_and_only_deleted_as_one() {
    let lab = Lab::new();
    let made = lab.call(create_service_linked_role, create("autoscaling.amazonaws.com", None));
    let made = made.unwrap().role.unwrap();
    let name = "AWSServiceRoleForAutoScaling";
    let arn =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/{name}");
    assert_eq!((made.role_name.as_str(), made.arn.as_str()), (name, arn.as_str()));
    let again = lab.refusal(create_service_linked_role, create("autoscaling.amazonaws.com", None));
    let taken = format!(
        "InvalidInput: Service role name {name} has been taken in this account, please try a \
         different suffix."
    );
    assert_eq!(again, taken);
    let other =
        lab.call(create_service_linked_role, create("autoscaling.amazonaws.com", Some("x")));
    assert_eq!(other.unwrap().role.unwrap().role_name, format!("{name}_x"));

    // Whatever would change it is refused.
    let protected =
        |refusal: String| assert!(refusal.starts_with("UnmodifiableEntity"), "{refusal}");
    let role_name = name.to_owned();
    // But for its description and tags.
    let described = |description: Option<&str>, seconds| UpdateRoleRequest {
        role_name: name.to_owned(),
        description: description.map(str::to_owned),
        max_session_duration: seconds,
    };
    lab.call(role::update_role, described(Some("x"), None)).unwrap();
    protected(lab.refusal(role::update_role, described(None, Some(7200))));
    let tags = samples::tags([("a", "b")]);
    lab.call(role::tag_role, TagRoleRequest { role_name: role_name.clone(), tags }).unwrap();
    let policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
    let input = AttachRolePolicyRequest { role_name: role_name.clone(), policy_arn };
    protected(lab.refusal(attachment::attach_role_policy, input));
    protected(lab.refusal(role::delete_role, DeleteRoleRequest { role_name: role_name.clone() }));

    let input = DeleteServiceLinkedRoleRequest { role_name };
    let task = lab.call(delete_service_linked_role, input.clone()).unwrap().deletion_task_id;
    assert!(task.starts_with("task/aws-service-role/autoscaling.amazonaws.com/"), "{task}");
    let status = GetServiceLinkedRoleDeletionStatusRequest { deletion_task_id: task };
    let status = lab.call(get_service_linked_role_deletion_status, status).unwrap();
    assert_eq!(status.status, "SUCCEEDED");
    assert!(lab.refusal(delete_service_linked_role, input).starts_with("NoSuchEntity"));
    let policy = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy";
    let left = lab.read(|cx| uses_of(cx, policy)).unwrap();
    assert_eq!(left.len(), 1, "the other role's");
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::ROLES)).unwrap(), 1);
}

#[test]
fn what_no_service_publishes_is_refused() {
    let lab = Lab::new();
    let refused =
        |service, suffix| lab.refusal(create_service_linked_role, create(service, suffix));
    let unknown = refused("nothing.amazonaws.com", None);
    assert!(unknown.starts_with("InvalidInput"), "{unknown}");
    assert_eq!(
        refused("ecs.amazonaws.com", Some("x")),
        "InvalidInput: Custom suffix is not allowed for ecs.amazonaws.com"
    );
    let long = refused("autoscaling.amazonaws.com", Some(&*"x".repeat(60)));
    assert!(long.starts_with("InvalidInput"), "{long}");
    for (id, code) in [
        ("nonsense", "InvalidInput"),
        ("task/role/x/y", "InvalidInput"),
        ("task/aws-service-role/a.amazonaws.com/Role/uuid", "NoSuchEntity"),
    ] {
        let input = GetServiceLinkedRoleDeletionStatusRequest { deletion_task_id: id.to_owned() };
        let refusal = lab.refusal(get_service_linked_role_deletion_status, input);
        assert!(refusal.starts_with(code), "{id}: {refusal}");
    }
}
