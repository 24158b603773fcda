//! Takes the values at a member path out of a typed input: what fills ARN templates and condition
//! keys.
//!
//! A path is made of model member names. `.` descends, `[]` goes through each element of a list,
//! `{}` through each key of a map and `{=}` through each of its values: `RoleName`, `Tags[].Key`,
//! `Attributes{}`.

use palisade_shape::{Document, Shape, Structure, Timestamp, Writer};

/// The scalar values at `path`, as text, in the order they stand. None for an absent member or a
/// path that leads to no scalar.
pub fn select(value: &dyn Shape, path: &str) -> Vec<String> {
    let mut selector = Selector { path, values: Vec::new() };
    value.write(&mut selector);
    selector.values
}

struct Selector<'p> {
    /// What is left of the path, from where the writer stands.
    path: &'p str,
    values: Vec<String>,
}

impl Selector<'_> {
    fn take(&mut self, value: impl FnOnce() -> String) {
        if self.path.is_empty() {
            self.values.push(value());
        }
    }
}

impl Writer for Selector<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let path = self.path.strip_prefix('.').unwrap_or(self.path);
        let end = path.find(['.', '[', '{']).unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        let member = structure.position(name).and_then(|index| members.get(index));
        if let Some(member) = member.filter(|member| member.is_present()) {
            let here = std::mem::replace(&mut self.path, rest);
            member.write(self);
            self.path = here;
        }
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let Some(rest) = self.path.strip_prefix("[]") else { return };
        let here = std::mem::replace(&mut self.path, rest);
        for item in items {
            item.write(self);
        }
        self.path = here;
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        if self.path == "{}" {
            self.values.extend(entries.map(|(key, _)| key.to_owned()));
        } else if let Some(rest) = self.path.strip_prefix("{=}") {
            let here = std::mem::replace(&mut self.path, rest);
            for (_, value) in entries {
                value.write(self);
            }
            self.path = here;
        }
    }

    fn string(&mut self, value: &str) {
        self.take(|| value.to_owned());
    }

    fn boolean(&mut self, value: bool) {
        self.take(|| value.to_string());
    }

    fn integer(&mut self, value: i64) {
        self.take(|| value.to_string());
    }

    fn float(&mut self, value: f64) {
        self.take(|| value.to_string());
    }

    fn blob(&mut self, _: &[u8]) {}

    fn timestamp(&mut self, value: Timestamp) {
        // Dates in conditions may be epoch seconds (IAM User Guide, "Date condition operators").
        self.take(|| value.seconds().to_string());
    }

    fn document(&mut self, _: &Document) {}
}
