//! `palisade demo`: what people who are new here see first.

use crate::support::{Server, palisade};
use serde_json::json;

#[test]
fn the_productionapp_walk() {
    let server = Server::lab();
    let walk = || server.palisade(&["demo", "productionapp"]);
    for round in ["first", "again"] {
        let ran = walk();
        assert_eq!(ran.code, Some(0), "{round}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("Each call was answered as it should be."), "{}", ran.out);
        for (call, told) in [
            ("$ aws s3 ls\n", "answered 200"),
            ("$ aws s3 ls s3://productionapp\n", "answered 200"),
            ("$ aws s3 cp hello.txt s3://productionapp/\n", "answered 200"),
            ("$ aws s3 cp s3://productionapp/hello.txt .\n", "answered 200"),
            ("$ aws s3 ls s3://other\n", "answered 403"),
            ("$ aws s3api delete-bucket --bucket productionapp\n", "answered 403"),
        ] {
            let (_, rest) = ran.out.split_once(call).unwrap_or_else(|| panic!("{call}"));
            assert!(rest.trim_start().starts_with(told), "{round} {call}: {}", ran.out);
        }
        let why = "s3:ListBucket on arn:aws:s3:::other";
        assert!(ran.out.contains(why) && ran.out.contains("Smallest change"), "{}", ran.out);
        assert!(!ran.out.contains("export AWS_"), "{}", ran.out);
    }
    let kept = server.palisade(&["demo", "productionapp", "--keep-key"]);
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    assert!(kept.out.contains("export AWS_SECRET_ACCESS_KEY="), "{}", kept.out);
}

/// Who may more than the walk tells of is found out.
#[test]
fn a_walk_that_differs_says_so() {
    let Some(lab) = crate::support::Lab::start("a_walk_that_differs_says_so") else { return };
    let root = lab.root();
    let all = crate::support::policy("Allow", &["s3:ListBucket"], &["*"]);
    lab.user(&root, "dev", Some(all));
    let ran = lab.server.palisade(&["demo", "productionapp"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("answered 200, NOT 403"), "{}", ran.out);
    assert!(ran.out.contains("1 call was not answered as it should be."), "{}", ran.out);
    let keys = root.ok("iam", "ListAccessKeys", json!({ "UserName": "dev" }));
    assert_eq!(keys["AccessKeyMetadata"].as_array().unwrap().len(), 1, "the walk's key is gone");
}

#[test]
fn a_walk_with_a_server_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = palisade();
    command.args(["demo", "productionapp", "--own-server"]).env("TMPDIR", folder.path());
    let ran = crate::support::finish(&mut command);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its folder is left");
}
