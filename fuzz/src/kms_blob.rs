//! The ciphertexts of KMS.

use palisade_services::kms::ciphertext::{Binding, Blob, EncryptionContext, open, seal};

const MATERIAL: [u8; 32] = [1; 32];
const PLAIN: &[u8] = b"what was sealed";

/// The bytes as a blob; then as a change to a right one.
pub fn kms_blob(data: &[u8]) {
    let context = EncryptionContext::from([("app".to_owned(), "web".to_owned())]);
    if let Some(blob) = Blob::parse(data) {
        assert!(open(&blob, &MATERIAL, &context).is_none(), "nobody sealed it");
    }
    let binding = Binding {
        account: "111122223333",
        region: "eu-west-1",
        key_id: "mrk-0123456789abcdef0123456789abcdef",
        material_id: [2; 32],
        context: &context,
    };
    let Ok(mut sealed) = seal(&binding, &MATERIAL, &[3; 32], PLAIN) else {
        panic!("a right binding does not seal");
    };
    let right = sealed.clone();
    for (place, byte) in data.iter().enumerate().take(sealed.len()) {
        sealed[place] ^= byte;
    }
    let opened = Blob::parse(&sealed).and_then(|blob| open(&blob, &MATERIAL, &context));
    match sealed == right {
        true => assert_eq!(opened.as_deref().map(Vec::as_slice), Some(PLAIN)),
        false => assert!(opened.is_none(), "a changed blob opens"),
    }
}
