use super::*;
use crate::iam::principal::caller_of;
use crate::iam::user::create_user;
use crate::random::account_of_access_key;
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::CreateUserRequest;

fn lab_with(names: &[&str]) -> Lab {
    let lab = Lab::new();
    for name in names {
        let user_name = (*name).to_owned();
        let input = CreateUserRequest { user_name, ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    lab
}

fn create(lab: &Lab, user: Option<&str>) -> model::AccessKey {
    let input = CreateAccessKeyRequest { user_name: user.map(str::to_owned) };
    lab.call(create_access_key, input).unwrap().access_key
}

fn ids_of(lab: &Lab, user: Option<&str>) -> Vec<String> {
    let user_name = user.map(str::to_owned);
    let input = ListAccessKeysRequest { user_name, ..ListAccessKeysRequest::default() };
    let page = lab.call(list_access_keys, input).unwrap();
    page.access_key_metadata.into_iter().filter_map(|key| key.access_key_id).collect()
}

fn update(user: Option<&str>, id: &str, status: &str) -> UpdateAccessKeyRequest {
    UpdateAccessKeyRequest {
        user_name: user.map(str::to_owned),
        access_key_id: id.to_owned(),
        status: status.to_owned(),
    }
}

fn delete(user: Option<&str>, id: &str) -> DeleteAccessKeyRequest {
    let access_key_id = id.to_owned();
    DeleteAccessKeyRequest { user_name: user.map(str::to_owned), access_key_id }
}

#[test]
fn a_key_proves_its_user_by_the_secret_shown_once() {
    let lab = lab_with(&["Ana"]);
    let made = create(&lab, Some("ana"));
    assert_eq!((made.user_name.as_str(), made.status.as_str()), ("Ana", "Active"));
    assert_eq!(account_of_access_key(&made.access_key_id).as_deref(), Some(ACCOUNT));
    let snapshot = lab.plane.store.snapshot();
    let stored = load_access_key(&snapshot, &made.access_key_id).unwrap().unwrap();
    assert_eq!(stored.secret(&lab.plane).unwrap(), made.secret_access_key);
    let body = serde_json::to_string(&stored).unwrap();
    assert!(!body.contains(&made.secret_access_key), "{body}");
    let caller = caller_of(&snapshot, &stored).unwrap().unwrap();
    assert_eq!(&*caller.arn, "arn:aws:iam::123456789012:user/Ana");
    assert!(load_access_key(&snapshot, "AKIAQNZGKIQY56JQ7WML").unwrap().is_none());
    assert!(load_access_key(&snapshot, "nonsense").unwrap().is_none());
}

#[test]
fn a_sealed_secret_opens_for_its_own_key_alone() {
    let lab = lab_with(&["Ana"]);
    let (one, other) = (create(&lab, Some("Ana")), create(&lab, Some("Ana")));
    let snapshot = lab.plane.store.snapshot();
    let mut swapped = load_access_key(&snapshot, &one.access_key_id).unwrap().unwrap();
    swapped.access_key_id = other.access_key_id;
    assert!(swapped.secret(&lab.plane).is_err());
}

#[test]
fn a_user_has_two_keys_at_most() {
    let lab = lab_with(&["Ana"]);
    let keys = [create(&lab, Some("Ana")), create(&lab, Some("Ana"))];
    let third = CreateAccessKeyRequest { user_name: Some("Ana".to_owned()) };
    let text = "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2";
    assert_eq!(lab.refusal(create_access_key, third), text);
    assert_eq!(ids_of(&lab, Some("Ana")), keys.map(|key| key.access_key_id));
    let nobody = CreateAccessKeyRequest { user_name: Some("Nobody".to_owned()) };
    let text = "NoSuchEntity: The user with name Nobody cannot be found.";
    assert_eq!(lab.refusal(create_access_key, nobody), text);
}

#[test]
fn without_a_name_keys_are_the_callers_own() {
    let lab = lab_with(&["Ana"]);
    let of_root = create(&lab, None);
    assert_eq!(ids_of(&lab, None), [of_root.access_key_id.as_str()]);
    let ana = lab.called_by_user("Ana", "AIDAEXAMPLE");
    assert_eq!(ids_of(&ana, None), Vec::<String>::new());
    let of_ana = create(&ana, None);
    assert_eq!(ids_of(&lab, Some("Ana")), [of_ana.access_key_id.as_str()]);
    let snapshot = lab.plane.store.snapshot();
    let stored = load_access_key(&snapshot, &of_root.access_key_id).unwrap().unwrap();
    assert!(caller_of(&snapshot, &stored).unwrap().unwrap().is_root());
    // A key of another owner is none of the named user's.
    let text =
        format!("NoSuchEntity: The Access Key with id {} cannot be found.", of_root.access_key_id);
    assert_eq!(lab.refusal(delete_access_key, delete(Some("Ana"), &of_root.access_key_id)), text);
    let session = lab.called_by_role("Reader", "AROAEXAMPLE");
    let text = "ValidationError: Must specify userName when calling with non-User credentials";
    assert_eq!(session.refusal(create_access_key, CreateAccessKeyRequest::default()), text);
}

#[test]
fn keys_are_switched_and_deleted() {
    let lab = lab_with(&["Ana"]);
    let id = create(&lab, Some("Ana")).access_key_id;
    let active = || {
        let found = load_access_key(&lab.plane.store.snapshot(), &id).unwrap();
        found.map(|key| key.is_active())
    };
    lab.call(update_access_key, update(Some("Ana"), &id, "Inactive")).unwrap();
    assert_eq!(active(), Some(false));
    lab.call(update_access_key, update(Some("Ana"), &id, "Active")).unwrap();
    assert_eq!(active(), Some(true));
    let expired = lab.refusal(update_access_key, update(Some("Ana"), &id, "Expired"));
    assert!(expired.starts_with("InvalidInput: "), "{expired}");
    lab.call(delete_access_key, delete(Some("Ana"), &id)).unwrap();
    assert_eq!((active(), ids_of(&lab, Some("Ana"))), (None, Vec::new()));
    let text = format!("NoSuchEntity: The Access Key with id {id} cannot be found.");
    assert_eq!(lab.refusal(update_access_key, update(Some("Ana"), &id, "Active")), text);
}

#[test]
fn lists_are_paged() {
    let lab = lab_with(&["Ana"]);
    let keys = [create(&lab, Some("Ana")), create(&lab, Some("Ana"))];
    let page = |marker| {
        let user_name = Some("Ana".to_owned());
        let input = ListAccessKeysRequest { user_name, marker, max_items: Some(1) };
        lab.call(list_access_keys, input).unwrap()
    };
    let first = page(None);
    let second = page(first.marker.clone());
    let id = |page: &ListAccessKeysResponse| page.access_key_metadata[0].access_key_id.clone();
    assert_eq!((first.is_truncated, second.is_truncated), (Some(true), Some(false)));
    let [one, other] = keys.map(|key| Some(key.access_key_id));
    assert_eq!((id(&first), id(&second)), (one, other));
}

#[test]
fn the_last_use_is_known_before_and_after_it_is_stored() {
    let lab = lab_with(&["Ana"]);
    let id = create(&lab, Some("Ana")).access_key_id;
    let asked = GetAccessKeyLastUsedRequest { access_key_id: id.clone() };
    let last = || {
        let answer = lab.call(get_access_key_last_used, asked.clone()).unwrap();
        assert_eq!(answer.user_name.as_deref(), Some("Ana"));
        let used = answer.access_key_last_used.unwrap();
        (used.last_used_date, used.service_name, used.region)
    };
    assert_eq!(last(), (None, "N/A".to_owned(), "N/A".to_owned()));
    lab.plane.usage.note(&id, ACCOUNT, NOW, "eu-west-1", "s3");
    let used = (Some(NOW.whole_seconds()), "s3".to_owned(), "eu-west-1".to_owned());
    assert_eq!(last(), used);
    let uses = lab.plane.usage.drain();
    assert_eq!(last().0, None);
    lab.write(move |cx| store_last_uses(cx, &uses)).unwrap();
    assert_eq!(last(), used);
    let other = GetAccessKeyLastUsedRequest { access_key_id: "AKIAQNZGKIQY56JQ7WML".to_owned() };
    assert!(lab.refusal(get_access_key_last_used, other).starts_with("NoSuchEntity: "));
}
