use super::*;
use crate::iam::user::{create_user, delete_user};
use crate::testing::Lab;
use palisade_model::iam::{CreateUserRequest, DeleteUserRequest};

// Made and read with OpenSSH's ssh-keygen.
const OPEN_SSH: &str = include_str!("samples/ana.pub");
const PEM: &str = include_str!("samples/ana.pem");
const WEAK: &str = include_str!("samples/1024-bits.pub");
const FINGERPRINT: &str = "b2:8d:32:53:67:b7:cf:f4:61:91:d0:af:be:14:7b:a6";

fn lab() -> Lab {
    let lab = Lab::new();
    for name in ["Ana", "Bob"] {
        let input = CreateUserRequest { user_name: name.into(), ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    lab
}

fn upload(user: &str, body: &str) -> UploadSSHPublicKeyRequest {
    UploadSSHPublicKeyRequest { user_name: user.into(), ssh_public_key_body: body.into() }
}

#[test]
fn both_forms_of_a_key_are_one_key() {
    let (from_ssh, comment) = parse(OPEN_SSH).unwrap();
    assert_eq!(comment.as_deref(), Some("ana@example.com"));
    let (from_pem, comment) = parse(PEM).unwrap();
    assert_eq!((&from_pem, comment), (&from_ssh, None));
    assert_eq!(from_ssh.pem().as_deref(), Some(PEM));
    let text = format!("ssh-rsa {} ana@example.com", STANDARD.encode(from_pem.blob()));
    assert_eq!(text, OPEN_SSH.trim());
    assert_eq!(fingerprint(&from_ssh.blob()), FINGERPRINT);
}

#[test]
fn what_is_no_rsa_key_is_refused() {
    let cut = OPEN_SSH.get(..100).unwrap();
    let private = PEM.replace("PUBLIC", "PRIVATE");
    let cases = [
        ("", "UnrecognizedPublicKeyEncoding"),
        ("hello", "UnrecognizedPublicKeyEncoding"),
        ("ssh-ed25519 AAAA", "UnrecognizedPublicKeyEncoding"),
        ("ssh-rsa", "InvalidPublicKey"),
        ("ssh-rsa !!!", "InvalidPublicKey"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB", "InvalidPublicKey"),
        (cut, "InvalidPublicKey"),
        (WEAK, "InvalidPublicKey"),
        (&private, "InvalidPublicKey"),
        ("-----BEGIN PUBLIC KEY-----", "InvalidPublicKey"),
    ];
    for (text, code) in cases {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(code), "{text}: {error}");
    }
}

#[test]
fn keys_live_and_die_with_their_user() {
    let lab = lab();
    let made = lab.call(upload_ssh_public_key, upload("Ana", OPEN_SSH)).unwrap();
    let made = made.ssh_public_key.unwrap();
    assert_eq!((made.ssh_public_key_id.len(), made.status.as_str()), (20, "Active"));
    assert_eq!(made.ssh_public_key_body, OPEN_SSH);
    let again = lab.refusal(upload_ssh_public_key, upload("ana", PEM));
    assert!(again.starts_with("DuplicateSSHPublicKey: "), "{again}");
    // Another user may have the same key.
    lab.call(upload_ssh_public_key, upload("Bob", PEM)).unwrap();
    let get = |user: &str, encoding: &str| GetSSHPublicKeyRequest {
        user_name: user.into(),
        ssh_public_key_id: made.ssh_public_key_id.clone(),
        encoding: encoding.into(),
    };
    let got = lab.call(get_ssh_public_key, get("Ana", "PEM")).unwrap().ssh_public_key.unwrap();
    assert_eq!((got.ssh_public_key_body.as_str(), got.fingerprint.as_str()), (PEM, FINGERPRINT));
    let other = lab.refusal(get_ssh_public_key, get("Bob", "SSH"));
    let id = &made.ssh_public_key_id;
    let gone = format!("NoSuchEntity: The SSH Public Key with id {id} cannot be found.");
    assert_eq!(other, gone);
    let update = |status: &str| UpdateSSHPublicKeyRequest {
        user_name: "Ana".into(),
        ssh_public_key_id: id.clone(),
        status: status.into(),
    };
    lab.call(update_ssh_public_key, update("Inactive")).unwrap();
    let expired = lab.refusal(update_ssh_public_key, update("Expired"));
    assert_eq!(expired, "InvalidInput: Invalid status: Expired");
    let list = ListSSHPublicKeysRequest { user_name: Some("Ana".into()), ..Default::default() };
    let listed = lab.call(list_ssh_public_keys, list).unwrap().ssh_public_keys.unwrap();
    assert_eq!((listed.len(), listed[0].status.as_str()), (1, "Inactive"));
    let delete = || DeleteUserRequest { user_name: "Ana".into() };
    let busy = "DeleteConflict: Cannot delete entity, must remove referenced objects first.";
    assert_eq!(lab.refusal(delete_user, delete()), busy);
    let input =
        DeleteSSHPublicKeyRequest { user_name: "Ana".into(), ssh_public_key_id: id.clone() };
    lab.call(delete_ssh_public_key, input.clone()).unwrap();
    assert_eq!(lab.refusal(delete_ssh_public_key, input), gone);
    lab.call(delete_user, delete()).unwrap();
}
