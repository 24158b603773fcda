use super::*;
use crate::iam::login_profile::{change_password, create_login_profile, update_login_profile};
use crate::iam::password_policy::update_account_password_policy;
use crate::iam::user::{create_user, get_user};
use crate::testing::{Lab, NOW};
use palisade_model::iam::{
    ChangePasswordRequest, CreateLoginProfileRequest, CreateUserRequest, GetUserRequest,
    UpdateAccountPasswordPolicyRequest, UpdateLoginProfileRequest,
};

const PASSWORD: &str = "Correct-horse-7";

fn ana() -> Owner {
    Owner::User("Ana".to_owned())
}

fn lab_with_user(password: Option<&str>) -> Lab {
    let lab = Lab::new();
    let input = CreateUserRequest { user_name: "Ana".to_owned(), ..CreateUserRequest::default() };
    lab.call(create_user, input).unwrap();
    if let Some(password) = password {
        let input = CreateLoginProfileRequest {
            user_name: Some("Ana".to_owned()),
            password: Some(password.to_owned()),
            password_reset_required: None,
        };
        lab.call(create_login_profile, input).unwrap();
    }
    lab
}

fn set_policy(lab: &Lab, policy: UpdateAccountPasswordPolicyRequest) {
    lab.call(update_account_password_policy, policy).unwrap();
}

fn checked(lab: &Lab, password: &str) -> String {
    let checked = lab.read(|cx| {
        let policy = password_policy::load(cx)?;
        check(cx, policy.as_ref(), password)
    });
    checked.map_or_else(|error| error.message.to_string(), |()| "good".to_owned())
}

#[test]
fn without_a_policy_three_kinds_of_eight_characters_do() {
    let lab = Lab::new();
    let one_more = |missing: &str| {
        format!("Password should meet 1 more of the following requirements: {missing}")
    };
    let cases = [
        ("Abcdef1", "Password should have a minimum length of 8".to_owned()),
        ("Abcdefg1", "good".to_owned()),
        ("abcdef1-", "good".to_owned()),
        (
            "abcdefg1",
            one_more(
                "Password should have at least one uppercase letter, \
                 Password should have at least one symbol",
            ),
        ),
        (
            "éééééééé",
            "Password should meet 3 more of the following requirements: \
             Password should have at least one uppercase letter, \
             Password should have at least one lowercase letter, \
             Password should have at least one number, \
             Password should have at least one symbol"
                .to_owned(),
        ),
        // The lab's account is root+123456789012@example.com.
        (
            "Root+123456789012@Example.Com",
            "Password should not be identical to the name or e-mail address of the account"
                .to_owned(),
        ),
    ];
    for (password, expected) in cases {
        assert_eq!(checked(&lab, password), expected, "{password}");
    }
}

#[test]
fn a_policy_takes_the_place_of_the_default() {
    let lab = Lab::new();
    set_policy(&lab, UpdateAccountPasswordPolicyRequest::default());
    assert_eq!(checked(&lab, "aaaaaa"), "good");
    assert_eq!(checked(&lab, "aaaaa"), "Password should have a minimum length of 6");
    let strict = UpdateAccountPasswordPolicyRequest {
        minimum_password_length: Some(12),
        require_symbols: Some(true),
        require_numbers: Some(true),
        require_uppercase_characters: Some(true),
        require_lowercase_characters: Some(true),
        ..UpdateAccountPasswordPolicyRequest::default()
    };
    set_policy(&lab, strict);
    assert_eq!(checked(&lab, PASSWORD), "good");
    let short = "Password should have a minimum length of 12, \
                 Password should have at least one number";
    assert_eq!(checked(&lab, "Abcdef-"), short);
}

#[test]
fn a_password_is_verified_and_its_age_counts() {
    let lab = lab_with_user(Some(PASSWORD));
    let verified = |lab: &Lab, owner: &Owner, password: &str| {
        lab.read(|cx| verify(cx, owner, password)).unwrap()
    };
    assert_eq!(verified(&lab, &ana(), PASSWORD), Some(Standing::Good));
    assert_eq!(verified(&lab, &ana(), "correct-horse-7"), None);
    assert_eq!(verified(&lab, &Owner::User("nobody".to_owned()), PASSWORD), None);
    assert_eq!(verified(&lab, &Owner::Root, PASSWORD), None);
    let reset = UpdateLoginProfileRequest {
        user_name: "Ana".to_owned(),
        password: None,
        password_reset_required: Some(true),
    };
    lab.call(update_login_profile, reset.clone()).unwrap();
    assert_eq!(verified(&lab, &ana(), PASSWORD), Some(Standing::MustChange));
    let reset = UpdateLoginProfileRequest { password_reset_required: Some(false), ..reset };
    lab.call(update_login_profile, reset).unwrap();

    let aging = |hard_expiry| UpdateAccountPasswordPolicyRequest {
        max_password_age: Some(1),
        hard_expiry,
        ..UpdateAccountPasswordPolicyRequest::default()
    };
    set_policy(&lab, aging(None));
    let day = 86_400;
    assert_eq!(
        verified(&lab.at(NOW.plus_seconds(day - 1)), &ana(), PASSWORD),
        Some(Standing::Good)
    );
    let later = lab.at(NOW.plus_seconds(day));
    assert_eq!(verified(&later, &ana(), PASSWORD), Some(Standing::MustChange));
    set_policy(&lab, aging(Some(true)));
    assert_eq!(verified(&later, &ana(), PASSWORD), Some(Standing::Expired));
    let profile = lab.read(|cx| profile(cx, &ana())).unwrap().unwrap();
    assert_eq!(lab.read(|cx| expires(cx, &profile)).unwrap(), Some(NOW.plus_seconds(day)));
}

#[test]
fn former_passwords_are_refused_as_far_back_as_the_policy_minds() {
    let lab = lab_with_user(Some("First-one-1"));
    let id = lab.read(|cx| owner_id(cx, &ana())).unwrap().unwrap();
    set_policy(
        &lab,
        UpdateAccountPasswordPolicyRequest {
            password_reuse_prevention: Some(2),
            allow_users_to_change_password: Some(true),
            ..UpdateAccountPasswordPolicyRequest::default()
        },
    );
    let user = lab.called_by_user("Ana", &id);
    let change = |old: &str, new: &str| ChangePasswordRequest {
        old_password: old.to_owned(),
        new_password: new.to_owned(),
    };
    let used = "PasswordPolicyViolation: Password should not be one of the last 2 passwords used";
    assert_eq!(user.refusal(change_password, change("First-one-1", "First-one-1")), used);
    user.call(change_password, change("First-one-1", "Second-one-2")).unwrap();
    assert_eq!(user.refusal(change_password, change("Second-one-2", "First-one-1")), used);
    let wrong = "AccessDenied: The old password was incorrect.";
    assert_eq!(user.refusal(change_password, change("First-one-1", "Third-one-3")), wrong);
    user.call(change_password, change("Second-one-2", "Third-one-3")).unwrap();
    user.call(change_password, change("Third-one-3", "First-one-1")).unwrap();
    // An administrator minds the history too.
    let again = UpdateLoginProfileRequest {
        user_name: "ana".to_owned(),
        password: Some("Third-one-3".to_owned()),
        password_reset_required: None,
    };
    assert_eq!(lab.refusal(update_login_profile, again), used);
}

#[test]
fn a_sign_in_is_noted() {
    let lab = lab_with_user(Some(PASSWORD));
    lab.write(|cx| note_sign_in(cx, &ana()).and_then(|()| note_sign_in(cx, &Owner::Root))).unwrap();
    for name in [Some("Ana".to_owned()), None] {
        let user = lab.call(get_user, GetUserRequest { user_name: name }).unwrap().user;
        assert_eq!(user.password_last_used, Some(NOW.whole_seconds()));
    }
}
