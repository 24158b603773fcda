//! The fields of a form that a browser uploads, as what a `PutObject` says.
//!
//! Source: Amazon S3 API Reference, "HTML Form Fields".

use super::error::{self, INVALID_REQUEST};
use super::tagging::{self, OBJECT_TAGS_MAX};
use crate::service::Tags;
use palisade_protocol::percent;
use palisade_shape::Result;
use std::collections::BTreeMap;

/// What stands for the name of the file in any field.
const FILE_NAME: &str = "${filename}";
/// Headers of a `PutObject` that a form has under the same name.
const HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];
/// Fields that prove the form: no headers of the object's.
pub const PROOF: [&str; 6] = [
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];

/// The fields of a form, by their names in lower case, with the file's name put in.
#[derive(Debug, Default)]
pub struct PostForm {
    fields: BTreeMap<String, String>,
}

impl PostForm {
    /// Names the fields of a form for a bucket.
    ///
    /// # Errors
    /// `InvalidArgument` for a field that is there twice.
    pub fn new(bucket: &str, fields: Vec<(String, String)>, file_name: &str) -> Result<Self> {
        let mut form = Self::default();
        for (name, value) in fields {
            let name = name.to_ascii_lowercase();
            let filled = match PROOF.contains(&name.as_str()) {
                true => value,
                false => value.replace(FILE_NAME, file_name),
            };
            if form.fields.insert(name.clone(), filled).is_some() {
                let message = format!("POST requires the field '{name}' at most once.");
                return Err(error::invalid_argument(message, &name, ""));
            }
        }
        // The bucket is what was addressed, whatever a field of that name says.
        form.fields.insert("bucket".to_owned(), bucket.to_owned());
        Ok(form)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The value of a field, empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// A field that a form must have.
    ///
    /// # Errors
    /// `InvalidArgument` where it is missing or empty.
    pub fn needed(&self, name: &str) -> Result<&str> {
        let found = self.get(name).filter(|value| !value.is_empty());
        found.ok_or_else(|| {
            let message = format!(
                "Bucket POST must contain a field named '{name}'.  If it is specified, please \
                 check the order of the fields."
            );
            error::invalid_argument(message, name, "")
        })
    }

    /// Whether somebody with a key is to have signed it.
    ///
    /// # Errors
    /// `InvalidRequest` where it is signed with Signature Version 2.
    pub fn is_signed(&self) -> Result<bool> {
        let has = |name: &str| self.fields.contains_key(name);
        if has("awsaccesskeyid") || has("signature") {
            return Err(INVALID_REQUEST.because(
                "The authorization mechanism you have provided is not supported. Please use \
                 AWS4-HMAC-SHA256.",
            ));
        }
        Ok(PROOF.iter().any(|name| has(name)))
    }

    /// The headers that a `PutObject` of the same object has; `tags` are those of the field
    /// `tagging`.
    ///
    /// # Errors
    /// `InvalidTag` and `BadRequest` for tags that no object may have.
    pub fn headers(&self, tags: &Tags) -> Result<Vec<(String, String)>> {
        tagging::check(tags, OBJECT_TAGS_MAX)?;
        let mut headers = Vec::new();
        for (name, value) in &self.fields {
            let header = match name.as_str() {
                name if PROOF.contains(&name) => continue,
                "acl" => "x-amz-acl",
                "x-amz-checksum-algorithm" => "x-amz-sdk-checksum-algorithm",
                // An object is tagged by its own field.
                "x-amz-tagging" => continue,
                name if HEADERS.contains(&name) || name.starts_with("x-amz-") => name,
                _ => continue,
            };
            headers.push((header.to_owned(), value.clone()));
        }
        if !tags.is_empty() {
            let encoded = |text: &str| percent::encode(text, b"");
            let pairs =
                tags.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
            headers.push(("x-amz-tagging".to_owned(), pairs.collect::<Vec<_>>().join("&")));
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Result<PostForm> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        PostForm::new("bucket", fields.iter().map(owned).collect(), "f.txt")
    }

    #[test]
    fn fields_of_an_object() {
        let fields = [
            ("Key", "a/${filename}"),
            ("acl", "private"),
            ("Content-Type", "text/plain"),
            ("X-Amz-Meta-Name", "${filename}"),
            ("x-amz-checksum-algorithm", "CRC32"),
            ("x-amz-security-token", "t"),
            ("policy", "${filename}"),
            ("x-ignore-me", "x"),
            ("bucket", "another"),
        ];
        let form = form(&fields).unwrap();
        assert_eq!((form.text("key"), form.text("policy")), ("a/f.txt", "${filename}"));
        assert_eq!((form.text("bucket"), form.text("none")), ("bucket", ""));
        let tags = vec![("a b".to_owned(), "c=d".to_owned())];
        let headers = form.headers(&tags).unwrap();
        let expected = [
            ("x-amz-acl", "private"),
            ("content-type", "text/plain"),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
            ("x-amz-meta-name", "f.txt"),
            ("x-amz-tagging", "a%20b=c%3Dd"),
        ];
        assert_eq!(
            headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(),
            expected
        );
        assert!(form.is_signed().unwrap());
    }

    #[test]
    fn refused_forms() {
        let code = |fields: &[(&str, &str)]| form(fields).map(drop).map_err(|e| e.code.code);
        assert_eq!(code(&[("key", "a"), ("Key", "b")]), Err("InvalidArgument"));
        assert!(!form(&[("key", "a")]).unwrap().is_signed().unwrap());
        let second = form(&[("key", "a"), ("AWSAccessKeyId", "x")]).unwrap().is_signed();
        assert_eq!(second.unwrap_err().code.code, "InvalidRequest");
        assert_eq!(form(&[]).unwrap().needed("key").unwrap_err().code.code, "InvalidArgument");
    }
}
