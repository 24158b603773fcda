//! Members of S3's inputs and outputs by name. Many operations have the same dozen members
//! (checksums, encryption, grants); what they mean is written once, over their names.

use palisade_protocol::select::select;
use palisade_shape::{Document, Reader, Shape, Structure, Timestamp, Violation};

/// The text of a member, if it was given.
pub fn text(shape: &dyn Shape, name: &str) -> Option<String> {
    select(shape, name).into_iter().next()
}

/// Whether a flag was given and is true.
pub fn flag(shape: &dyn Shape, name: &str) -> bool {
    text(shape, name).is_some_and(|value| value == "true")
}

/// Gives the member of that name a text; nothing happens where the shape has no such member.
pub fn set(shape: &mut dyn Shape, name: &str, value: &str) {
    shape.read(&mut Setter { name, value });
}

/// The same, when there is a value.
pub fn set_some(shape: &mut dyn Shape, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        set(shape, name, value);
    }
}

/// A reader that finds one member only.
struct Setter<'a> {
    name: &'a str,
    value: &'a str,
}

impl Reader for Setter<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        let found = structure.position(self.name).and_then(|place| members.get_mut(place));
        if let Some(member) = found {
            member.read(self);
        }
    }
    fn list(&mut self, _: &mut dyn FnMut(&mut dyn Reader)) {}
    fn map(&mut self, _: &mut dyn FnMut(String, &mut dyn Reader)) {}
    fn string(&mut self) -> String {
        self.value.to_owned()
    }
    fn boolean(&mut self) -> bool {
        self.value == "true"
    }
    fn integer(&mut self) -> i64 {
        self.value.parse().unwrap_or_default()
    }
    fn float(&mut self) -> f64 {
        self.value.parse().unwrap_or_default()
    }
    fn blob(&mut self) -> Vec<u8> {
        self.value.as_bytes().to_vec()
    }
    fn timestamp(&mut self) -> Timestamp {
        Timestamp::default()
    }
    fn document(&mut self) -> Document {
        Document::Null
    }
    fn violation(&mut self, _: Violation) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::s3::PutObjectOutput;

    #[test]
    fn a_member_is_set_and_read_by_its_name() {
        let mut output = PutObjectOutput::default();
        set(&mut output, "ChecksumCRC32", "AAAAAA==");
        set(&mut output, "BucketKeyEnabled", "true");
        set(&mut output, "NoSuchMember", "x");
        assert_eq!(output.checksum_crc32.as_deref(), Some("AAAAAA=="));
        assert_eq!(text(&output, "ChecksumCRC32").as_deref(), Some("AAAAAA=="));
        assert!(flag(&output, "BucketKeyEnabled") && !flag(&output, "ChecksumSHA1"));
        assert_eq!(text(&output, "ChecksumSHA1"), None);
    }
}
