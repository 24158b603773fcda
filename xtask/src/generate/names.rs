//! AWS's names as Rust names.

use std::collections::BTreeSet;

/// Splits a name at its capitals, digits kept with what stands before them: `SAMLMetadataDocument`
/// is saml, metadata, document; `PrincipalARNs` is principal, arns.
pub fn words(name: &str) -> Vec<String> {
    let name = name.replace("IPv", "Ipv").replace("IoT", "Iot").replace('*', "Any");
    let letters: Vec<char> = name.chars().collect();
    let at = |index: usize| letters.get(index).copied();
    let mut words = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let previous = index.checked_sub(1).and_then(at).unwrap_or(' ');
        if letter.is_ascii_uppercase() {
            let plural =
                at(index + 1) == Some('s') && at(index + 2).is_none_or(|c| !c.is_ascii_lowercase());
            let next_lower = at(index + 1).is_some_and(|c| c.is_ascii_lowercase()) && !plural;
            let after_small = previous.is_ascii_lowercase() || previous.is_ascii_digit();
            if after_small || previous.is_ascii_uppercase() && next_lower {
                words.push(String::new());
            }
        }
        if let Some(word) = words.last_mut() {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `role_name`
pub fn snake(name: &str) -> String {
    let name = words(name).join("_");
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("_{name}");
    }
    match name.as_str() {
        "self" | "super" | "crate" => format!("{name}_"),
        _ if KEYWORDS.contains(&name.as_str()) => format!("r#{name}"),
        _ => name,
    }
}

/// `ENTITY_ALREADY_EXISTS`
pub fn screaming(name: &str) -> String {
    let name = words(name).join("_").to_ascii_uppercase();
    match name.chars().next() {
        None => "EMPTY".to_string(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) => name,
    }
}

/// The shape's own name with a capital first, unless Rust or the generated module needs it.
pub fn type_name(shape: &str) -> String {
    let mut letters = shape.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    if TAKEN.contains(&name.as_str()) { format!("{name}Shape") } else { name }
}

/// `name`, or the first of `name_2`, `name_3`, … that nobody has.
pub fn unique(name: String, used: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !used.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// What generated modules import or the prelude brings.
const TAKEN: &[&str] = &[
    "BTreeMap",
    "Blob",
    "Box",
    "Clone",
    "Default",
    "Document",
    "EventStream",
    "Named",
    "None",
    "Nothing",
    "Option",
    "PartialEq",
    "Reader",
    "Self",
    "Shape",
    "Some",
    "Streaming",
    "String",
    "Structure",
    "Timestamp",
    "Vec",
    "Writer",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_capitals() {
        let check = |name: &str, expected: &str| assert_eq!(snake(name), expected);
        check("RoleName", "role_name");
        check("SAMLMetadataDocument", "saml_metadata_document");
        check("PrincipalARNs", "principal_arns");
        check("IDs", "ids");
        check("MFADevices", "mfa_devices");
        check("ETag", "e_tag");
        check("SSEKMSKeyId", "ssekms_key_id");
        check("ChecksumCRC64NVME", "checksum_crc64_nvme");
        check("S3BucketName", "s3_bucket_name");
        check("MD5OfBody", "md5_of_body");
        check("IPv6Address", "ipv6_address");
        check("isTruncated", "is_truncated");
        check("Type", "r#type");
        check("Self", "self_");
    }

    #[test]
    fn values_become_constants() {
        let check = |value: &str, expected: &str| assert_eq!(screaming(value), expected);
        check("us-east-1", "US_EAST_1");
        check("aws:kms", "AWS_KMS");
        check("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_256");
        check("s3:ObjectCreated:*", "S3_OBJECT_CREATED_ANY");
        check(
            "AWS.SimpleQueueService.NonExistentQueue",
            "AWS_SIMPLE_QUEUE_SERVICE_NON_EXISTENT_QUEUE",
        );
        check("2FA", "_2_FA");
        check("", "EMPTY");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut used = BTreeSet::new();
        assert_eq!(unique("A".into(), &mut used), "A");
        assert_eq!(unique("A".into(), &mut used), "A_2");
        assert_eq!(type_name("Document"), "DocumentShape");
        assert_eq!(type_name("policyDetail"), "PolicyDetail");
    }
}
