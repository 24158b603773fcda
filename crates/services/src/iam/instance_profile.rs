//! Instance profiles: what hands a role to an EC2 instance.
//!
//! Source: IAM API reference, CreateInstanceProfile and its like; IAM User Guide, "Use instance
//! profiles".

use super::access::{self, Kind};
use super::pass_role::pass_role;
use super::{list, quota, role, tag};
use crate::authorization::Requirement;
use crate::context::Context;
use crate::page::Page;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    AddRoleToInstanceProfileRequest, CreateInstanceProfileRequest, CreateInstanceProfileResponse,
    DELETE_CONFLICT, DeleteInstanceProfileRequest, ENTITY_ALREADY_EXISTS,
    GetInstanceProfileRequest, GetInstanceProfileResponse, InstanceProfile,
    ListInstanceProfileTagsRequest, ListInstanceProfileTagsResponse,
    ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
    ListInstanceProfilesRequest, ListInstanceProfilesResponse, NO_SUCH_ENTITY,
    RemoveRoleFromInstanceProfileRequest, Role, TagInstanceProfileRequest,
    UntagInstanceProfileRequest,
};
use palisade_shape::{Error, Nothing, Result};

/// Instance profile names are unique in an account, ignoring case. Of its role, only the name is
/// stored; the rest is the role's own record ([`shown`]).
pub static INSTANCE_PROFILES: Table<InstanceProfile> = Table::of_shapes(
    "iam/instance-profile",
    Scope::Account,
    |profile| profile.instance_profile_name.to_lowercase(),
    |profile| {
        let name = &profile.instance_profile_name;
        ENTITY_ALREADY_EXISTS.because(format!("Instance Profile {name} already exists."))
    },
    missing,
);

const CLOUDFORMATION_TYPE: &str = "AWS::IAM::InstanceProfile";

fn missing(name: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("Instance Profile {name} cannot be found."))
}

/// The profile of that name as it is stored.
pub fn load(cx: &Context, name: &str) -> Result<InstanceProfile> {
    cx.get(&INSTANCE_PROFILES, &name.to_lowercase())?.ok_or_else(|| missing(name))
}

/// The profile as the API shows it, with its role.
pub fn shown(cx: &mut Context, mut profile: InstanceProfile) -> Result<InstanceProfile> {
    for stored in &mut profile.roles {
        let whole = role::load(cx, &stored.role_name)?;
        *stored = role::shown_in_list(cx, whole)?;
    }
    Ok(profile)
}

fn store(cx: &mut Context, profile: &InstanceProfile) -> Result<Nothing> {
    cx.put(&INSTANCE_PROFILES, profile)?;
    cx.touch(CLOUDFORMATION_TYPE, profile.arn.clone());
    Ok(Nothing)
}

/// Creates an empty instance profile.
pub fn create_instance_profile(
    cx: &mut Context,
    input: CreateInstanceProfileRequest,
) -> Result<CreateInstanceProfileResponse> {
    let CreateInstanceProfileRequest { instance_profile_name, path, tags } = input;
    let path = path.unwrap_or_else(|| "/".to_owned());
    let profile = InstanceProfile {
        arn: cx.iam_arn("instance-profile", &path, &instance_profile_name),
        path,
        instance_profile_name,
        instance_profile_id: cx.unique_id("AIPA"),
        create_date: cx.now().whole_seconds(),
        roles: Vec::new(),
        tags: tag::given(tags)?,
    };
    cx.insert(&INSTANCE_PROFILES, &profile)?;
    quota::take(cx, &quota::INSTANCE_PROFILES)?;
    cx.touch(CLOUDFORMATION_TYPE, profile.arn.clone());
    Ok(CreateInstanceProfileResponse { instance_profile: profile })
}

/// Shows an instance profile with its role.
pub fn get_instance_profile(
    cx: &mut Context,
    input: GetInstanceProfileRequest,
) -> Result<GetInstanceProfileResponse> {
    let profile = load(cx, &input.instance_profile_name)?;
    Ok(GetInstanceProfileResponse { instance_profile: shown(cx, profile)? })
}

/// The profiles of a page as lists show them: without tags.
fn listed(cx: &mut Context, page: Page<InstanceProfile>) -> Result<Vec<InstanceProfile>> {
    let untagged = page.items.into_iter().map(|profile| InstanceProfile { tags: None, ..profile });
    untagged.map(|profile| shown(cx, profile)).collect()
}

/// Lists the account's instance profiles.
pub fn list_instance_profiles(
    cx: &mut Context,
    input: ListInstanceProfilesRequest,
) -> Result<ListInstanceProfilesResponse> {
    let ListInstanceProfilesRequest { path_prefix, marker, max_items } = input;
    let marker = marker.as_deref();
    let page = list::page(cx, &INSTANCE_PROFILES, "", marker, max_items, |profile| {
        list::under(&profile.path, path_prefix.as_deref())
    })?;
    let next = page.next.clone();
    Ok(ListInstanceProfilesResponse {
        instance_profiles: listed(cx, page)?,
        is_truncated: Some(next.is_some()),
        marker: next,
    })
}

/// Lists the instance profiles that hold a role.
pub fn list_instance_profiles_for_role(
    cx: &mut Context,
    input: ListInstanceProfilesForRoleRequest,
) -> Result<ListInstanceProfilesForRoleResponse> {
    let ListInstanceProfilesForRoleRequest { role_name, marker, max_items } = input;
    let names = access::load(cx, Kind::Role, &role_name)?.instance_profiles;
    let page = list::of_items(names, marker.as_deref(), max_items)?;
    let profiles = page.items.iter().map(|name| load(cx, name)).collect::<Result<_>>()?;
    Ok(ListInstanceProfilesForRoleResponse {
        instance_profiles: listed(cx, Page { items: profiles, next: None })?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Puts a role into an empty instance profile.
pub fn add_role_to_instance_profile(
    cx: &mut Context,
    input: AddRoleToInstanceProfileRequest,
) -> Result<Nothing> {
    let AddRoleToInstanceProfileRequest { instance_profile_name, role_name } = input;
    let mut profile = load(cx, &instance_profile_name)?;
    let mut access = access::load(cx, Kind::Role, &role_name)?;
    role::refuse_protected(cx, Kind::Role, &role_name)?;
    quota::check(cx, &quota::ROLES_PER_INSTANCE_PROFILE, profile.roles.len() + 1)?;
    profile.roles.push(Role { role_name: access.name.clone(), ..Role::default() });
    access.instance_profiles.push(profile.instance_profile_name.to_lowercase());
    access.instance_profiles.sort();
    access::save(cx, Kind::Role, &access)?;
    store(cx, &profile)
}

/// Takes the role out of an instance profile.
pub fn remove_role_from_instance_profile(
    cx: &mut Context,
    input: RemoveRoleFromInstanceProfileRequest,
) -> Result<Nothing> {
    let RemoveRoleFromInstanceProfileRequest { instance_profile_name, role_name } = input;
    let mut profile = load(cx, &instance_profile_name)?;
    let mut access = access::load(cx, Kind::Role, &role_name)?;
    role::refuse_protected(cx, Kind::Role, &role_name)?;
    let before = profile.roles.len();
    profile.roles.retain(|held| held.role_name != access.name);
    if profile.roles.len() == before {
        return Err(Kind::Role.missing(&role_name));
    }
    let gone = profile.instance_profile_name.to_lowercase();
    access.instance_profiles.retain(|name| *name != gone);
    access::save(cx, Kind::Role, &access)?;
    store(cx, &profile)
}

/// Deletes an empty instance profile.
pub fn delete_instance_profile(
    cx: &mut Context,
    input: DeleteInstanceProfileRequest,
) -> Result<Nothing> {
    let profile = load(cx, &input.instance_profile_name)?;
    if !profile.roles.is_empty() {
        return Err(DELETE_CONFLICT
            .because("Cannot delete entity, must remove roles from instance profile first."));
    }
    cx.delete(&INSTANCE_PROFILES, &profile.instance_profile_name.to_lowercase())?;
    quota::give_back(cx, &quota::INSTANCE_PROFILES)?;
    cx.touch(CLOUDFORMATION_TYPE, profile.arn);
    Ok(Nothing)
}

/// Adds tags to an instance profile; a key that is there gets the new value.
pub fn tag_instance_profile(cx: &mut Context, input: TagInstanceProfileRequest) -> Result<Nothing> {
    let mut profile = load(cx, &input.instance_profile_name)?;
    profile.tags = tag::merged(profile.tags, input.tags)?;
    store(cx, &profile)
}

/// Removes tags from an instance profile; a key that is not there is no error.
pub fn untag_instance_profile(
    cx: &mut Context,
    input: UntagInstanceProfileRequest,
) -> Result<Nothing> {
    let mut profile = load(cx, &input.instance_profile_name)?;
    profile.tags = tag::without(profile.tags, &input.tag_keys);
    store(cx, &profile)
}

/// Lists an instance profile's tags, by key.
pub fn list_instance_profile_tags(
    cx: &mut Context,
    input: ListInstanceProfileTagsRequest,
) -> Result<ListInstanceProfileTagsResponse> {
    let ListInstanceProfileTagsRequest { instance_profile_name, marker, max_items } = input;
    let tags = tag::sorted(load(cx, &instance_profile_name)?.tags);
    let page = list::of_items(tags, marker.as_deref(), max_items)?;
    Ok(ListInstanceProfileTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// AddRoleToInstanceProfile hands the role to EC2, so the caller must be allowed to pass it.
pub fn add_role_requirements(
    cx: &mut Context,
    input: &AddRoleToInstanceProfileRequest,
) -> Result<Vec<Requirement>> {
    let name = &input.instance_profile_name;
    let profile = cx.get(&INSTANCE_PROFILES, &name.to_lowercase())?.map(|profile| profile.arn);
    let profile = profile.unwrap_or_else(|| cx.iam_arn("instance-profile", "/", name));
    let name = &input.role_name;
    let role = cx.get(&role::ROLES, &name.to_lowercase())?.map(|role| role.arn);
    let role = role.unwrap_or_else(|| cx.iam_arn("role", "/", name));
    let own = Requirement::new("iam:AddRoleToInstanceProfile", profile, cx.account());
    Ok(vec![own.of_kind("instance-profile"), pass_role(cx, &role, "ec2.amazonaws.com")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples::{new_role, tags};
    use crate::testing::{ACCOUNT, Lab};

    fn create(lab: &Lab, name: &str, path: &str) -> InstanceProfile {
        let input = CreateInstanceProfileRequest {
            instance_profile_name: name.to_owned(),
            path: Some(path.to_owned()),
            tags: Some(tags([("stage", "prod")])),
        };
        lab.call(create_instance_profile, input).unwrap().instance_profile
    }

    fn get(lab: &Lab, name: &str) -> InstanceProfile {
        let input = GetInstanceProfileRequest { instance_profile_name: name.to_owned() };
        lab.call(get_instance_profile, input).unwrap().instance_profile
    }

    fn add(profile: &str, role: &str) -> AddRoleToInstanceProfileRequest {
        let (instance_profile_name, role_name) = (profile.to_owned(), role.to_owned());
        AddRoleToInstanceProfileRequest { instance_profile_name, role_name }
    }

    fn remove(profile: &str, role: &str) -> RemoveRoleFromInstanceProfileRequest {
        let (instance_profile_name, role_name) = (profile.to_owned(), role.to_owned());
        RemoveRoleFromInstanceProfileRequest { instance_profile_name, role_name }
    }

    fn delete(profile: &str) -> DeleteInstanceProfileRequest {
        DeleteInstanceProfileRequest { instance_profile_name: profile.to_owned() }
    }

    #[test]
    fn a_profile_holds_one_role() {
        let lab = Lab::new();
        let created = create(&lab, "Web", "/x/");
        assert_eq!(created.arn, format!("arn:aws:iam::{ACCOUNT}:instance-profile/x/Web"));
        assert!(created.instance_profile_id.starts_with("AIPA"));
        lab.call(role::create_role, new_role("app")).unwrap();
        lab.call(role::create_role, new_role("other")).unwrap();
        lab.call(add_role_to_instance_profile, add("web", "APP")).unwrap();
        let shown = get(&lab, "WEB");
        assert_eq!(shown.roles[0].role_name, "app");
        assert!(shown.roles[0].arn.ends_with(":role/app"));
        assert!(shown.tags == Some(tags([("stage", "prod")])));
        assert_eq!(
            lab.refusal(add_role_to_instance_profile, add("web", "other")),
            "LimitExceeded: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
        );
        assert_eq!(
            lab.refusal(delete_instance_profile, delete("web")),
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first."
        );
        assert_eq!(
            lab.refusal(remove_role_from_instance_profile, remove("web", "other")),
            "NoSuchEntity: The role with name other cannot be found."
        );
        lab.call(remove_role_from_instance_profile, remove("web", "app")).unwrap();
        assert!(get(&lab, "web").roles.is_empty());
        lab.call(delete_instance_profile, delete("web")).unwrap();
        let missing = "NoSuchEntity: Instance Profile web cannot be found.";
        assert_eq!(lab.refusal(delete_instance_profile, delete("web")), missing);
        assert_eq!(lab.refusal(add_role_to_instance_profile, add("web", "app")), missing);
        let used = lab.read(|cx| quota::used(cx, &quota::INSTANCE_PROFILES)).unwrap();
        assert_eq!(used, 0);
    }

    #[test]
    fn names_are_unique_and_counted() {
        let lab = Lab::new();
        create(&lab, "Web", "/");
        let input = CreateInstanceProfileRequest {
            instance_profile_name: "WEB".into(),
            ..CreateInstanceProfileRequest::default()
        };
        assert_eq!(
            lab.refusal(create_instance_profile, input.clone()),
            "EntityAlreadyExists: Instance Profile WEB already exists."
        );
        lab.write(|cx| quota::grant(cx, &quota::INSTANCE_PROFILES, 1)).unwrap();
        let input = CreateInstanceProfileRequest { instance_profile_name: "two".into(), ..input };
        assert_eq!(
            lab.refusal(create_instance_profile, input),
            "LimitExceeded: Cannot exceed quota for InstanceProfilesPerAccount: 1"
        );
    }

    #[test]
    fn profiles_are_listed() {
        let lab = Lab::new();
        lab.call(role::create_role, new_role("app")).unwrap();
        for (name, path) in [("c", "/x/"), ("a", "/x/y/"), ("b", "/")] {
            create(&lab, name, path);
            lab.call(add_role_to_instance_profile, add(name, "app")).unwrap();
        }
        let names = |profiles: &[InstanceProfile]| {
            assert!(profiles.iter().all(|one| one.tags.is_none() && one.roles.len() == 1));
            profiles.iter().map(|one| one.instance_profile_name.clone()).collect::<String>()
        };
        let input = ListInstanceProfilesRequest {
            path_prefix: Some("/x/".into()),
            ..ListInstanceProfilesRequest::default()
        };
        let page = lab.call(list_instance_profiles, input).unwrap();
        assert_eq!((names(&page.instance_profiles).as_str(), page.marker), ("ac", None));
        let page = |marker: Option<String>| {
            let (role_name, max_items) = ("app".to_owned(), Some(2));
            let input = ListInstanceProfilesForRoleRequest { role_name, marker, max_items };
            lab.call(list_instance_profiles_for_role, input).unwrap()
        };
        let first = page(None);
        assert_eq!(
            (names(&first.instance_profiles).as_str(), first.is_truncated),
            ("ab", Some(true))
        );
        assert_eq!(names(&page(first.marker).instance_profiles), "c");
    }

    #[test]
    fn profiles_are_tagged() {
        let lab = Lab::new();
        create(&lab, "web", "/");
        let instance_profile_name = || "web".to_owned();
        let input = TagInstanceProfileRequest {
            instance_profile_name: instance_profile_name(),
            tags: tags([("a", "1"), ("STAGE", "test")]),
        };
        lab.call(tag_instance_profile, input).unwrap();
        let input = UntagInstanceProfileRequest {
            instance_profile_name: instance_profile_name(),
            tag_keys: vec!["A".into()],
        };
        lab.call(untag_instance_profile, input).unwrap();
        let input = ListInstanceProfileTagsRequest {
            instance_profile_name: instance_profile_name(),
            ..Default::default()
        };
        let page = lab.call(list_instance_profile_tags, input).unwrap();
        assert!(page.tags == tags([("STAGE", "test")]));
    }

    #[test]
    fn adding_a_role_passes_it_to_ec2() {
        let lab = Lab::new();
        create(&lab, "web", "/x/");
        lab.call(role::create_role, new_role("app")).unwrap();
        let needs = lab.read(|cx| add_role_requirements(cx, &add("WEB", "app"))).unwrap();
        let profile = format!("arn:aws:iam::{ACCOUNT}:instance-profile/x/web");
        let role = format!("arn:aws:iam::{ACCOUNT}:role/app");
        assert_eq!(
            needs,
            [
                Requirement::new("iam:AddRoleToInstanceProfile", profile, ACCOUNT)
                    .of_kind("instance-profile"),
                Requirement::new("iam:PassRole", role, ACCOUNT)
                    .of_kind("role")
                    .with_key("iam:PassedToService", "ec2.amazonaws.com"),
            ]
        );
    }
}
