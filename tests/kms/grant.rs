//! Grants.

use super::{blob, check_refusals, new_id, new_key, ok, pages};
use crate::support::{Lab, each};
use serde_json::{Value, json};

#[test]
fn grants_give_what_they_say() {
    let Some(lab) = Lab::start("grants_give_what_they_say") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let (ann, bob) = (lab.user(&root, "ann", None), lab.user(&root, "bob", None));
    let arn = |name: &str| format!("arn:aws:iam::{account}:user/{name}");
    let key = new_id(&root, json!({}));
    let encrypt =
        |context: Value| json!({ "KeyId": key, "Plaintext": "x", "EncryptionContext": context });
    let denied = "no identity-based policy allows the kms:Encrypt action";
    let refused = |context: Value| ("Encrypt", encrypt(context), "AccessDeniedException", denied);
    check_refusals(&ann, &[refused(json!({}))]);

    let grant = json!({
        "KeyId": key, "GranteePrincipal": arn("ann"), "RetiringPrincipal": arn("bob"),
        "Operations": ["Encrypt", "Decrypt", "CreateGrant"], "Name": "for-ann",
        "Constraints": { "EncryptionContextSubset": { "app": "web" } }
    });
    let made = ok(&root, "CreateGrant", grant.clone());
    let again = ok(&root, "CreateGrant", grant);
    assert_eq!(made["GrantId"], again["GrantId"], "the same name and content is the same grant");
    let context = json!({ "app": "web", "stage": "one" });
    let mut call = encrypt(context.clone());
    call["GrantTokens"] = json!([made["GrantToken"]]);
    let sealed = ok(&ann, "Encrypt", call);
    // Decided again from its record, the call is allowed again, though no policy says so.
    let id = sealed["ResponseMetadata"]["RequestId"].as_str().unwrap();
    let receipt = lab.server.palisade(&["why", id, "--output", "json"]);
    let receipt: Value = serde_json::from_str(&receipt.out).unwrap();
    assert_eq!(receipt["decision"]["requirements"][0]["granted"], json!(true), "{receipt}");
    let words = lab.server.palisade(&["why", id]).out;
    assert!(words.contains("kms Encrypt: ALLOWED"), "{words}");
    assert!(words.contains("A grant or an access control list gives it"), "{words}");
    let open = json!({
        "CiphertextBlob": blob(&sealed["CiphertextBlob"]), "EncryptionContext": context
    });
    ok(&ann, "Decrypt", open);
    check_refusals(&ann, &[refused(json!({})), refused(json!({ "app": "db" }))]);

    // ann hands on what she has, and no more.
    let for_bob = |operations: Value, limits: Value| {
        json!({
            "KeyId": key, "GranteePrincipal": arn("bob"), "Operations": operations,
            "Constraints": limits
        })
    };
    let limits = json!({ "EncryptionContextEquals": context });
    let made_for_bob = ok(&ann, "CreateGrant", for_bob(json!(["Encrypt"]), limits.clone()));
    ok(&bob, "Encrypt", encrypt(context));
    let denied = "kms:CreateGrant";
    check_refusals(
        &ann,
        &[
            (
                "CreateGrant",
                for_bob(json!(["GenerateDataKey"]), limits),
                "AccessDeniedException",
                denied,
            ),
            (
                "CreateGrant",
                for_bob(json!(["Encrypt"]), json!({ "EncryptionContextSubset": { "a": "b" } })),
                "AccessDeniedException",
                denied,
            ),
        ],
    );

    let listed = pages(&root, "ListGrants", json!({ "KeyId": key, "Limit": 1 }), "Grants");
    assert_eq!(listed.len(), 2);
    let of_bob = json!({ "KeyId": key, "GranteePrincipal": arn("bob") });
    let of_bob = ok(&root, "ListGrants", of_bob);
    assert_eq!(each(&of_bob["Grants"], "GrantId"), [made_for_bob["GrantId"].as_str().unwrap()]);
    assert_eq!(each(&of_bob["Grants"], "GranteePrincipal"), [arn("bob")]);
    let retirable = json!({ "RetiringPrincipal": arn("bob") });
    let retirable = ok(&root, "ListRetirableGrants", retirable);
    assert_eq!(each(&retirable["Grants"], "Name"), ["for-ann"]);

    // Who may retire it may, by its token; ann may not.
    let token = json!({ "GrantToken": made["GrantToken"] });
    check_refusals(&ann, &[("RetireGrant", token.clone(), "AccessDeniedException", "RetireGrant")]);
    let mut dry = token.clone();
    dry["DryRun"] = json!(true);
    check_refusals(
        &bob,
        &[("RetireGrant", dry, "DryRunOperationException", "would have succeeded")],
    );
    ok(&bob, "RetireGrant", token);
    check_refusals(&ann, &[refused(json!({ "app": "web" }))]);
    let by_id = json!({ "KeyId": key, "GrantId": made_for_bob["GrantId"] });
    ok(&root, "RevokeGrant", by_id.clone());
    check_refusals(&root, &[("RevokeGrant", by_id, "NotFoundException", "not found")]);
}

#[test]
fn grants_are_refused() {
    let Some(lab) = Lab::start("grants_are_refused") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let key = new_key(&root, json!({}));
    let signing = new_id(&root, json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
    let grant = |key: &Value, operation: &str, principal: &str| {
        json!({
            "KeyId": key, "GranteePrincipal": principal, "Operations": [operation]
        })
    };
    let own = format!("arn:aws:iam::{account}:root");
    let nobody = format!("arn:aws:iam::{account}:user/nobody");
    let id = &key["KeyId"];
    let mut limited = grant(&json!(signing), "Sign", &own);
    limited["Constraints"] = json!({ "EncryptionContextEquals": { "a": "b" } });
    check_refusals(
        &root,
        &[
            ("CreateGrant", grant(id, "Sign", &own), "ValidationException", "Sign is not valid"),
            ("CreateGrant", grant(id, "Fly", &own), "ValidationException", "operations"),
            ("CreateGrant", grant(id, "Encrypt", "ann"), "InvalidArnException", "ann"),
            ("CreateGrant", grant(id, "Encrypt", &nobody), "InvalidArnException", "nobody"),
            ("CreateGrant", limited, "ValidationException", "constraints"),
            ("RetireGrant", json!({ "GrantToken": "abc" }), "InvalidGrantTokenException", ""),
            ("RetireGrant", json!({ "KeyId": key["Arn"] }), "ValidationException", "grant token"),
            (
                "Encrypt",
                json!({ "KeyId": id, "Plaintext": "x", "GrantTokens": ["abc"] }),
                "InvalidGrantTokenException",
                "",
            ),
            (
                "ListGrants",
                json!({ "KeyId": id, "GrantId": "0".repeat(64) }),
                "InvalidGrantIdException",
                "invalid",
            ),
        ],
    );
    let mut dry = grant(id, "Encrypt", &own);
    dry["DryRun"] = json!(true);
    check_refusals(&root, &[("CreateGrant", dry, "DryRunOperationException", "DryRun")]);
    assert_eq!(ok(&root, "ListGrants", json!({ "KeyId": id }))["Grants"], json!([]));
    ok(&root, "DisableKey", json!({ "KeyId": id }));
    check_refusals(&root, &[("CreateGrant", grant(id, "Encrypt", &own), "DisabledException", "")]);
}
