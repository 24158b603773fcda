use super::*;
use crate::context::Access;
use crate::iam::user::{create_user, delete_user, update_user};
use crate::testing::Lab;
use palisade_model::iam::{CreateUserRequest, DeleteUserRequest, UpdateUserRequest};

const PASSWORD: &str = "Correct-horse-7";

fn create(user: Option<&str>, password: Option<&str>) -> CreateLoginProfileRequest {
    CreateLoginProfileRequest {
        user_name: user.map(str::to_owned),
        password: password.map(str::to_owned),
        password_reset_required: Some(true),
    }
}

fn lab() -> Lab {
    let lab = Lab::new();
    let input = CreateUserRequest { user_name: "Ana".to_owned(), ..CreateUserRequest::default() };
    lab.call(create_user, input).unwrap();
    lab
}

#[test]
fn a_profile_lives_and_follows_its_user() {
    let lab = lab();
    let get = |name: &str| GetLoginProfileRequest { user_name: Some(name.to_owned()) };
    let missing = "NoSuchEntity: Login Profile for User Ana cannot be found.";
    assert_eq!(lab.refusal(get_login_profile, get("Ana")), missing);
    let made = lab.call(create_login_profile, create(Some("ana"), Some(PASSWORD))).unwrap();
    assert_eq!(made.login_profile.password_reset_required, Some(true));
    let taken = "EntityAlreadyExists: Login Profile for user Ana already exists.";
    assert_eq!(lab.refusal(create_login_profile, create(Some("Ana"), Some(PASSWORD))), taken);
    let rename = UpdateUserRequest {
        user_name: "Ana".to_owned(),
        new_path: None,
        new_user_name: Some("Anne".to_owned()),
    };
    lab.call(update_user, rename).unwrap();
    let got = lab.call(get_login_profile, get("anne")).unwrap().login_profile;
    assert!(got == LoginProfile { user_name: "Anne".to_owned(), ..made.login_profile });
    let delete = || DeleteUserRequest { user_name: "Anne".to_owned() };
    let busy = "DeleteConflict: Cannot delete entity, must delete login profile first.";
    assert_eq!(lab.refusal(delete_user, delete()), busy);
    let input = DeleteLoginProfileRequest { user_name: Some("Anne".to_owned()) };
    lab.call(delete_login_profile, input).unwrap();
    lab.call(delete_user, delete()).unwrap();
}

#[test]
fn only_users_have_profiles_to_name() {
    let lab = lab();
    let text = "ValidationError: Must specify userName when calling with non-User credentials";
    assert_eq!(lab.refusal(create_login_profile, create(None, Some(PASSWORD))), text);
    let text = "ValidationError: Must specify password for an IAM user";
    assert_eq!(lab.refusal(create_login_profile, create(Some("Ana"), None)), text);
    let change = ChangePasswordRequest {
        old_password: PASSWORD.to_owned(),
        new_password: PASSWORD.to_owned(),
    };
    let text = "InvalidUserType: Only IAM Users can change their own password";
    assert_eq!(lab.refusal(change_password, change), text);
}

#[test]
fn a_plan_made_ahead_is_what_the_handler_finds() {
    let lab = lab();
    let hashes = password_hash::Hashes::default();
    let input = create(Some("Ana"), Some(PASSWORD));
    let snapshot = lab.plane.store.snapshot();
    let mut cx = Context::new(&lab.plane, &lab.caller, &lab.request, Access::Read(&snapshot));
    cx.hashes = Some(&hashes);
    prepare_create(&mut cx, &input).unwrap();
    let (_, one) = planned_creation(&cx, &input).unwrap();
    let (_, other) = planned_creation(&cx, &input).unwrap();
    assert!(one.reset_required);
    assert_eq!(one.passwords, other.passwords);
}
