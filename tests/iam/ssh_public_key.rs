//! SSH public keys.

use super::{all, check_refusals};
use crate::support::{Lab, skip};
use serde_json::json;
use std::process::Command;

/// Public keys that ssh-keygen made, and what it says of them.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Option<Made> {
        let folder = tempfile::tempdir().unwrap();
        let made = Made { folder };
        made.key("probe", "rsa", "2048").map(|_| made)
    }

    fn run(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("ssh-keygen");
        let ran = command.args(arguments).current_dir(self.folder.path()).output().ok()?;
        ran.status.success().then(|| String::from_utf8(ran.stdout).unwrap())
    }

    fn key(&self, name: &str, kind: &str, bits: &str) -> Option<String> {
        self.run(&["-q", "-t", kind, "-b", bits, "-N", "", "-C", "ann@host", "-f", name])?;
        let text = std::fs::read_to_string(self.folder.path().join(format!("{name}.pub")));
        Some(text.unwrap().trim().to_owned())
    }
}

#[test]
fn ssh_keys_live_and_die() {
    let test = "ssh_keys_live_and_die";
    let Some(made) = Made::new() else { return skip(test, "ssh-keygen is not installed") };
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let text = made.key("one", "rsa", "2048").unwrap();
    let upload = |body: &str| json!({ "UserName": "ann", "SSHPublicKeyBody": body });
    let key = root.ok("iam", "UploadSSHPublicKey", upload(&text))["SSHPublicKey"].clone();
    let id = key["SSHPublicKeyId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("APKA") && id.len() == 20, "{key}");
    let told = made.run(&["-l", "-E", "md5", "-f", "one.pub"]).unwrap();
    let fingerprint = key["Fingerprint"].as_str().unwrap();
    assert!(told.contains(&format!("MD5:{fingerprint} ")), "{told} {key}");
    assert_eq!((&key["SSHPublicKeyBody"], &key["Status"]), (&json!(text), &json!("Active")));

    let get = |encoding: &str| {
        let input = json!({ "UserName": "ann", "SSHPublicKeyId": id, "Encoding": encoding });
        root.ok("iam", "GetSSHPublicKey", input)["SSHPublicKey"]["SSHPublicKeyBody"].clone()
    };
    assert_eq!(get("SSH"), json!(text));
    let pem = made.run(&["-e", "-m", "PKCS8", "-f", "one.pub"]).unwrap();
    assert_eq!(get("PEM"), json!(pem));
    let weak = made.key("weak", "rsa", "1024");
    let other = made.key("other", "ed25519", "256").unwrap();
    let invalid = "InvalidPublicKey";
    check_refusals(
        &root,
        &[
            ("UploadSSHPublicKey", upload(&pem), "DuplicateSSHPublicKey", 400, "already"),
            ("UploadSSHPublicKey", upload(&other), "UnrecognizedPublicKeyEncoding", 400, ""),
            ("UploadSSHPublicKey", upload("ssh-rsa AAAA"), invalid, 400, ""),
            (
                "UploadSSHPublicKey",
                json!({ "UserName": "nobody", "SSHPublicKeyBody": text }),
                "NoSuchEntity",
                404,
                "nobody",
            ),
            (
                "GetSSHPublicKey",
                json!({ "UserName": "ann", "SSHPublicKeyId": id, "Encoding": "DER" }),
                "ValidationError",
                400,
                "encoding",
            ),
            (
                "UpdateSSHPublicKey",
                json!({ "UserName": "ann", "SSHPublicKeyId": id, "Status": "Expired" }),
                "InvalidInput",
                400,
                "Expired",
            ),
            ("DeleteUser", json!({ "UserName": "ann" }), "DeleteConflict", 409, "referenced"),
            ("ListSSHPublicKeys", json!({ "UserName": "nobody" }), "NoSuchEntity", 404, "nobody"),
        ],
    );
    if let Some(weak) = weak {
        check_refusals(&root, &[("UploadSSHPublicKey", upload(&weak), invalid, 400, "2048")]);
    }
    let update = json!({ "UserName": "ann", "SSHPublicKeyId": id, "Status": "Inactive" });
    root.ok("iam", "UpdateSSHPublicKey", update);
    for name in ["two", "three", "four", "five"] {
        root.ok("iam", "UploadSSHPublicKey", upload(&made.key(name, "rsa", "2048").unwrap()));
    }
    let sixth = made.key("six", "rsa", "2048").unwrap();
    let full = "Cannot exceed quota for SSHPublicKeysPerUser: 5";
    check_refusals(&root, &[("UploadSSHPublicKey", upload(&sixth), "LimitExceeded", 409, full)]);
    let pages = root.pages("ListSSHPublicKeys", json!({ "UserName": "ann" }), "SSHPublicKeys", 2);
    let ids = all(&pages, "SSHPublicKeyId");
    assert_eq!((pages.len(), ids.len()), (3, 5));
    let inactive: Vec<&String> = ids.iter().filter(|listed| **listed == id).collect();
    assert_eq!(inactive.len(), 1);
    for id in &ids {
        root.ok("iam", "DeleteSSHPublicKey", json!({ "UserName": "ann", "SSHPublicKeyId": id }));
    }
    let gone = json!({ "UserName": "ann", "SSHPublicKeyId": id });
    check_refusals(&root, &[("DeleteSSHPublicKey", gone, "NoSuchEntity", 404, &id)]);
    root.ok("iam", "DeleteUser", json!({ "UserName": "ann" }));
}
