use super::*;
use crate::iam::samples::{DOCUMENT, READ_ONLY, TRUST, make_policy, new_role, tags};
use crate::iam::{attachment, inline_policy, instance_profile, user};
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{
    AddRoleToInstanceProfileRequest, AttachRolePolicyRequest, CreateInstanceProfileRequest,
    CreateUserRequest, DeleteRolePolicyRequest, DeleteUserRequest, DetachRolePolicyRequest,
    PutRolePolicyRequest, RemoveRoleFromInstanceProfileRequest,
};

fn get(lab: &Lab, name: &str) -> Role {
    lab.call(get_role, GetRoleRequest { role_name: name.to_owned() }).unwrap().role
}

#[test]
fn a_role_is_created_and_shown() {
    let lab = Lab::new();
    let input = CreateRoleRequest {
        path: Some("/team/".into()),
        description: Some("Deploys".into()),
        max_session_duration: Some(7200),
        tags: Some(tags([("stage", "prod")])),
        ..new_role("App")
    };
    let role = lab.call(create_role, input.clone()).unwrap().role;
    assert_eq!(role.arn, format!("arn:aws:iam::{ACCOUNT}:role/team/App"));
    assert!(role.role_id.starts_with("AROA"), "{}", role.role_id);
    assert_eq!(role.create_date, NOW.whole_seconds());
    assert_eq!(role.assume_role_policy_document, Some(document::encoded(TRUST)));
    let got = get(&lab, "app");
    assert_eq!(got.role_last_used.unwrap().last_used_date, None);
    assert_eq!(got.max_session_duration, Some(7200));
    assert_eq!(got.tags.unwrap()[0].value, "prod");
    assert_eq!(
        lab.refusal(create_role, CreateRoleRequest { role_name: "APP".into(), ..input }),
        "EntityAlreadyExists: Role with name APP already exists."
    );
    assert_eq!(
        lab.refusal(get_role, GetRoleRequest { role_name: "Other".into() }),
        "NoSuchEntity: The role with name Other cannot be found."
    );
}

#[test]
fn creation_refuses_what_aws_refuses() {
    let lab = Lab::new();
    let check = |input: CreateRoleRequest, expected: &str| {
        assert_eq!(lab.refusal(create_role, input), expected);
    };
    let trust = |text: &str| CreateRoleRequest {
        assume_role_policy_document: text.to_owned(),
        ..new_role("app")
    };
    let unknown = format!("arn:aws:iam::{ACCOUNT}:role/nobody");
    let naming =
        TRUST.replace(r#""Service":"ec2.amazonaws.com""#, &format!(r#""AWS":"{unknown}""#));
    check(
        trust(&naming),
        &format!("MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"{unknown}\""),
    );
    let services = r#""ec2.amazonaws.com","#.repeat(150);
    let long = TRUST.replace(r#""ec2.amazonaws.com""#, &format!("[{services}\"x.amazonaws.com\"]"));
    check(trust(&long), "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048");
    assert!(lab.refusal(create_role, trust("{")).starts_with("MalformedPolicyDocument: "));
    check(
        CreateRoleRequest { path: Some("/aws-service-role/x/".into()), ..new_role("app") },
        "InvalidInput: The path /aws-service-role/x/ is reserved for roles that AWS services \
         create.",
    );
    let limit = format!("arn:aws:iam::{ACCOUNT}:policy/limit");
    check(
        CreateRoleRequest { permissions_boundary: Some(limit.clone()), ..new_role("app") },
        &format!("NoSuchEntity: Scope ARN: {limit} does not exist or is not attachable."),
    );
    check(
        CreateRoleRequest { tags: Some(tags([("a", "1"), ("A", "2")])), ..new_role("app") },
        "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case \
         insensitive.",
    );
    lab.write(|cx| quota::grant(cx, &quota::ROLES, 0)).unwrap();
    check(new_role("app"), "LimitExceeded: Cannot exceed quota for RolesPerAccount: 0");
}

#[test]
fn trust_follows_the_principal_and_not_its_name() {
    let lab = Lab::new();
    let ana = CreateUserRequest { user_name: "ana".into(), ..Default::default() };
    let arn = lab.call(user::create_user, ana.clone()).unwrap().user.unwrap().arn;
    let naming = TRUST.replace(r#""Service":"ec2.amazonaws.com""#, &format!(r#""AWS":"{arn}""#));
    lab.call(create_role, new_role("app")).unwrap();
    let update =
        UpdateAssumeRolePolicyRequest { role_name: "app".into(), policy_document: naming.clone() };
    lab.call(update_assume_role_policy, update).unwrap();
    let shown = |lab: &Lab| get(lab, "app").assume_role_policy_document.unwrap();
    assert_eq!(shown(&lab), document::encoded(&naming));
    let stored = lab.read(|cx| load(cx, "app")).unwrap();
    assert!(stored.assume_role_policy_document.unwrap().contains("\"AIDA"));
    let delete = DeleteUserRequest { user_name: "ana".into() };
    lab.call(user::delete_user, delete).unwrap();
    lab.call(user::create_user, ana).unwrap();
    assert!(shown(&lab).contains("%22AIDA"), "{}", shown(&lab));
}

#[test]
fn a_role_is_updated_tagged_and_limited() {
    let lab = Lab::new();
    let limit = make_policy(&lab, "limit");
    lab.call(create_role, new_role("app")).unwrap();
    let role_name = || "app".to_owned();
    let input = UpdateRoleRequest {
        role_name: role_name(),
        description: Some("One".into()),
        max_session_duration: Some(43200),
    };
    lab.call(update_role, input).unwrap();
    let input = UpdateRoleDescriptionRequest { role_name: role_name(), description: "Two".into() };
    let role = lab.call(update_role_description, input).unwrap().role.unwrap();
    assert_eq!(
        (role.description.as_deref(), role.max_session_duration),
        (Some("Two"), Some(43200))
    );

    let input =
        TagRoleRequest { role_name: role_name(), tags: tags([("zone", "1"), ("app", "2")]) };
    lab.call(tag_role, input).unwrap();
    let page = |marker: Option<String>| {
        let input = ListRoleTagsRequest { role_name: role_name(), marker, max_items: Some(1) };
        lab.call(list_role_tags, input).unwrap()
    };
    let first = page(None);
    assert_eq!((first.tags[0].key.as_str(), first.is_truncated), ("app", Some(true)));
    let second = page(first.marker);
    assert_eq!((second.tags[0].key.as_str(), second.is_truncated), ("zone", Some(false)));
    let input =
        UntagRoleRequest { role_name: role_name(), tag_keys: vec!["ZONE".into(), "x".into()] };
    lab.call(untag_role, input).unwrap();
    assert_eq!(page(None).is_truncated, Some(false));

    let input = PutRolePermissionsBoundaryRequest {
        role_name: role_name(),
        permissions_boundary: limit.clone(),
    };
    lab.call(put_role_permissions_boundary, input).unwrap();
    let set = get(&lab, "app").permissions_boundary;
    assert_eq!(boundary::arn(set.as_ref()), Some(limit.as_str()));
    let counts = move |lab: &Lab| {
        let limit = limit.clone();
        lab.read(|cx| policy_use::counts(cx, &limit)).unwrap().boundaries
    };
    assert_eq!(counts(&lab), 1);
    let input = DeleteRolePermissionsBoundaryRequest { role_name: role_name() };
    lab.call(delete_role_permissions_boundary, input).unwrap();
    assert_eq!(counts(&lab), 0);
    assert!(get(&lab, "app").permissions_boundary.is_none());
}

#[test]
fn roles_are_listed_by_path_and_page() {
    let lab = Lab::new();
    for (name, path) in [("c", "/x/"), ("a", "/x/y/"), ("b", "/"), ("d", "/x/")] {
        let input = CreateRoleRequest { path: Some(path.into()), ..new_role(name) };
        lab.call(create_role, input).unwrap();
    }
    let page = |prefix: &str, marker: Option<String>, max_items| {
        let path_prefix = Some(prefix.to_owned());
        lab.call(list_roles, ListRolesRequest { path_prefix, marker, max_items }).unwrap()
    };
    let names = |page: &ListRolesResponse| {
        page.roles.iter().map(|role| role.role_name.clone()).collect::<String>()
    };
    assert_eq!(names(&page("/", None, None)), "abcd");
    let first = page("/x/", None, Some(2));
    assert_eq!((names(&first).as_str(), first.is_truncated), ("ac", Some(true)));
    let second = page("/x/", first.marker, Some(2));
    assert_eq!((names(&second).as_str(), second.marker), ("d", None));
    let input = ListRolesRequest { marker: Some("!".into()), ..Default::default() };
    assert!(lab.refusal(list_roles, input).starts_with("ValidationError: Invalid Marker"));
}

#[test]
fn a_role_is_deleted_only_when_nothing_hangs_on_it() {
    let lab = Lab::new();
    lab.call(create_role, new_role("app")).unwrap();
    let (role_name, policy_arn) = ("app".to_owned(), READ_ONLY.to_owned());
    let (policy_name, policy_document) = ("inline".to_owned(), DOCUMENT.to_owned());
    let instance_profile_name = "web".to_owned();
    let delete = DeleteRoleRequest { role_name: role_name.clone() };
    let refused = |demand: &str| {
        let expected = format!("DeleteConflict: Cannot delete entity, must {demand} first.");
        assert_eq!(lab.refusal(delete_role, delete.clone()), expected);
    };
    let input = CreateInstanceProfileRequest {
        instance_profile_name: instance_profile_name.clone(),
        ..Default::default()
    };
    lab.call(instance_profile::create_instance_profile, input).unwrap();
    let input = AddRoleToInstanceProfileRequest {
        instance_profile_name: instance_profile_name.clone(),
        role_name: role_name.clone(),
    };
    lab.call(instance_profile::add_role_to_instance_profile, input).unwrap();
    let input = PutRolePolicyRequest {
        role_name: role_name.clone(),
        policy_name: policy_name.clone(),
        policy_document,
    };
    lab.call(inline_policy::put_role_policy, input).unwrap();
    let input =
        AttachRolePolicyRequest { role_name: role_name.clone(), policy_arn: policy_arn.clone() };
    lab.call(attachment::attach_role_policy, input).unwrap();

    refused("detach all policies");
    let input = DetachRolePolicyRequest { role_name: role_name.clone(), policy_arn };
    lab.call(attachment::detach_role_policy, input).unwrap();
    refused("delete policies");
    let input = DeleteRolePolicyRequest { role_name: role_name.clone(), policy_name };
    lab.call(inline_policy::delete_role_policy, input).unwrap();
    refused("remove roles from instance profile");
    let input = RemoveRoleFromInstanceProfileRequest { instance_profile_name, role_name };
    lab.call(instance_profile::remove_role_from_instance_profile, input).unwrap();
    lab.call(delete_role, delete.clone()).unwrap();
    assert_eq!(
        lab.refusal(delete_role, delete.clone()),
        "NoSuchEntity: The role with name app cannot be found."
    );
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::ROLES)).unwrap(), 0);
}

#[test]
fn the_roles_of_services_are_not_the_callers_to_change() {
    let lab = Lab::new();
    lab.call(create_role, new_role("linked")).unwrap();
    lab.write(|cx| {
        let path = "/aws-service-role/x.amazonaws.com/".to_owned();
        let role = Role { path, ..load(cx, "linked")? };
        cx.put(&ROLES, &role)
    })
    .unwrap();
    let expected = "UnmodifiableEntity: Cannot perform the operation on the protected role \
                    'linked' - this role is only modifiable by AWS";
    let role_name = "linked".to_owned();
    let delete = DeleteRoleRequest { role_name: role_name.clone() };
    assert_eq!(lab.refusal(delete_role, delete), expected);
    let attach = AttachRolePolicyRequest { role_name, policy_arn: READ_ONLY.to_owned() };
    assert_eq!(lab.refusal(attachment::attach_role_policy, attach), expected);
    assert_eq!(get(&lab, "linked").role_name, "linked");
}
