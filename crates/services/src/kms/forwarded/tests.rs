use super::*;
use crate::iam::user::create_user;
use crate::kms::key::create_key;
use crate::kms::key_policy::put_key_policy;
use crate::testing::{ACCOUNT, Lab};
use palisade_model::iam::CreateUserRequest;
use palisade_model::kms::{CreateKeyRequest, PutKeyPolicyRequest};
use palisade_store::{AuditQuery, Read as _};

fn context(text: &str) -> EncryptionContext {
    EncryptionContext::from([("aws:s3:arn".to_owned(), text.to_owned())])
}

/// A data key that `lab`'s caller gets through S3.
fn data_key_of(lab: &Lab, key_id: &str) -> Result<(Vec<u8>, Vec<u8>, String)> {
    let key_id = key_id.to_owned();
    lab.write(move |cx| {
        let made = super::generate_data_key(cx, "s3", &key_id, &context("arn:aws:s3:::b/k"))?;
        Ok((made.plaintext.to_vec(), made.blob, made.key_arn))
    })
}

fn decrypted(lab: &Lab, blob: &[u8], object: &str) -> Result<Vec<u8>> {
    lab.read(|cx| super::decrypt(cx, "s3", blob, &context(object)).map(|plain| plain.to_vec()))
}

#[test]
fn a_service_uses_its_own_key_for_its_caller() {
    let lab = Lab::new();
    let (plain, blob, arn) = data_key_of(&lab, "alias/aws/s3").unwrap();
    assert_eq!(plain.len(), 32);
    let (_, _, again) = data_key_of(&lab, "alias/aws/s3").unwrap();
    assert_eq!(arn, again, "the key is made once");
    assert_eq!(decrypted(&lab, &blob, "arn:aws:s3:::b/k").unwrap(), plain);
    let refused = decrypted(&lab, &blob, "arn:aws:s3:::b/other").unwrap_err();
    assert_eq!(refused.code.code, "InvalidCiphertextException");

    // Another account's caller is not one of this key's, whatever it says of itself.
    let other = lab.in_account("210987654321");
    let refused = decrypted(&other, &blob, "arn:aws:s3:::b/k").unwrap_err();
    assert_eq!(refused.code.code, "AccessDenied");
}

#[test]
fn the_callers_permissions_decide() {
    let lab = Lab::new();
    let made = lab.call(create_key, CreateKeyRequest::default()).unwrap();
    let key = made.key_metadata.unwrap();
    let (_, _, arn) = data_key_of(&lab, &key.key_id).unwrap();
    assert_eq!(Some(arn), key.arn);
    // The account's identity policies decide, and this user has none.
    let input = CreateUserRequest { user_name: "ann".to_owned(), ..Default::default() };
    let ann = lab.call(create_user, input).unwrap().user.unwrap();
    let nobody = lab.called_by_user("ann", &ann.user_id);
    let refused = data_key_of(&nobody, &key.key_id).unwrap_err();
    assert_eq!(refused.code.code, "AccessDenied");
    assert!(refused.message.contains("kms:GenerateDataKey"), "{refused}");

    // Through S3 alone: directly it is refused, forwarded it is not.
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"kms:GenerateDataKey",
              "Resource":"*","Condition":{{"StringEquals":
              {{"kms:ViaService":"s3.us-east-1.amazonaws.com",
                "aws:CalledViaLast":"s3.amazonaws.com",
                "kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::b/k"}}}}}},
            {{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"kms:PutKeyPolicy",
              "Resource":"*"}}]}}"#
    );
    let input = PutKeyPolicyRequest {
        key_id: key.key_id.clone(),
        policy_name: None,
        policy,
        bypass_policy_lockout_safety_check: None,
    };
    lab.call(put_key_policy, input).unwrap();
    data_key_of(&lab, &key.key_id).unwrap();
    let id = key.key_id.clone();
    let elsewhere = lab.write(move |cx| {
        super::generate_data_key(cx, "sqs", &id, &context("arn:aws:s3:::b/k")).map(drop)
    });
    assert_eq!(elsewhere.unwrap_err().code.code, "AccessDenied");
}

#[test]
fn forwarded_calls_are_recorded() {
    let lab = Lab::new();
    let (_, blob, arn) = data_key_of(&lab, "alias/aws/s3").unwrap();
    decrypted(&lab, &blob, "arn:aws:s3:::b/k").unwrap();
    let query = || AuditQuery {
        account: ACCOUNT,
        region: None,
        from_millis: i64::MIN,
        to_millis: i64::MAX,
        newest_first: true,
        after: None,
        limit: 10,
    };
    let changes = lab.plane.store.snapshot().audit_scan(&query()).unwrap();
    let reads = lab.plane.reads.scan(&query()).unwrap();
    let records = changes.into_iter().chain(reads).map(|(_, record)| record.event);
    let events: Vec<String> = records.map(|event| String::from_utf8(event).unwrap()).collect();
    for name in ["GenerateDataKey", "Decrypt"] {
        let named = format!("\"eventName\":\"{name}\"");
        let event = events.iter().find(|event| event.contains(&named)).unwrap();
        assert!(event.contains("\"invokedBy\":\"s3.amazonaws.com\""), "{event}");
        assert!(event.contains("\"eventSource\":\"kms.amazonaws.com\""), "{event}");
        assert!(event.contains(&arn), "{event}");
        assert!(event.contains("arn:aws:s3:::b/k"), "the encryption context: {event}");
    }
}
