//! The model's constraints, checked over a value with its tables, the same for every protocol.
//! The wording is that of Coral, AWS's service framework.

use crate::findings::{Findings, Step};
use crate::pattern;
use crate::render::Render;
use palisade_shape::{
    Document, Kind, Length, Member, Number, Shape, Structure, Target, Text, Timestamp, Violation,
    Writer,
};

/// Checks a value; `found` are the violations of reading it, to which these are added. Members
/// that reading found missing are not reported a second time.
pub fn validate(value: &dyn Shape, found: Vec<Violation>) -> Vec<Violation> {
    let missing = found.len();
    let mut validator = Validator { findings: Findings::default(), member: None, missing };
    for violation in found {
        validator.findings.note(violation);
    }
    value.write(&mut validator);
    validator.findings.into_violations()
}

struct Validator {
    findings: Findings,
    member: Option<&'static Member>,
    /// How many violations reading left: they come first.
    missing: usize,
}

impl Validator {
    fn target(&self) -> Option<&'static Target> {
        self.member.map(|member| member.target)
    }

    fn violate(&mut self, value: Option<String>, constraint: String) {
        let constraint = Violation::Constraint { path: String::new(), value, constraint };
        if !self.findings.is_missing_here(self.missing) {
            self.findings.note(constraint);
        }
    }

    /// Sensitive values are never repeated.
    fn shown(&self, value: impl FnOnce() -> String) -> Option<String> {
        let sensitive = self.member.is_some_and(crate::render::is_sensitive);
        (!sensitive).then(value)
    }

    fn check(&mut self, broken: Vec<String>, shown: impl Fn() -> String) {
        for constraint in broken {
            let value = self.shown(&shown);
            self.violate(value, constraint);
        }
    }

    /// A list's or map's scalars are reported on the whole, with all constraints of the scalar.
    fn check_scalars(
        &mut self,
        role: &str,
        member: &'static Member,
        scalars: &[&str],
        whole: &dyn Fn() -> String,
    ) {
        let Kind::String(text) = &member.target.kind else { return };
        if scalars.iter().any(|value| !text_is_allowed(text, value)) {
            let constraint = format!("{role}: [{}]", text_constraints(text).join(", "));
            let sensitive = crate::render::is_sensitive(member);
            let value = if sensitive { None } else { self.shown(whole) };
            self.violate(value, constraint);
        }
    }

    fn count(&mut self, length: &Length, count: usize, whole: &dyn Fn() -> String) {
        let broken = broken_length(length, count);
        self.check(broken, whole);
    }
}

fn broken_length(length: &Length, actual: usize) -> Vec<String> {
    let actual = u64::try_from(actual).unwrap_or(u64::MAX);
    let mut broken = Vec::new();
    if length.max.is_some_and(|max| actual > max) {
        broken.extend(max_text(length));
    }
    if length.min.is_some_and(|min| actual < min) {
        broken.extend(min_text(length));
    }
    broken
}

fn max_text(length: &Length) -> Option<String> {
    length.max.map(|max| format!("Member must have length less than or equal to {max}"))
}

fn min_text(length: &Length) -> Option<String> {
    length.min.map(|min| format!("Member must have length greater than or equal to {min}"))
}

fn pattern_text(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn enum_text(values: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// All constraints of a text, in Coral's order.
fn text_constraints(text: &Text) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(max_text(&text.length));
    all.extend(min_text(&text.length));
    if !text.pattern.is_empty() {
        all.push(pattern_text(text.pattern));
    }
    if !text.values.is_empty() {
        all.push(enum_text(text.values));
    }
    all
}

/// Lengths of texts count characters (Smithy: Unicode scalar values).
fn text_length(length: &Length, value: &str) -> usize {
    if length.min.is_none() && length.max.is_none() { 0 } else { value.chars().count() }
}

fn text_is_allowed(text: &Text, value: &str) -> bool {
    let count = u64::try_from(text_length(&text.length, value)).unwrap_or(u64::MAX);
    text.length.max.is_none_or(|max| count <= max)
        && text.length.min.is_none_or(|min| count >= min)
        && (text.values.is_empty() || text.values.contains(&value))
        && (text.pattern.is_empty() || pattern::matches(text.pattern, value))
}

fn broken_text(text: &Text, value: &str) -> Vec<String> {
    if text_is_allowed(text, value) {
        return Vec::new();
    }
    let mut broken = broken_length(&text.length, text_length(&text.length, value));
    if !text.pattern.is_empty() && !pattern::matches(text.pattern, value) {
        broken.push(pattern_text(text.pattern));
    }
    if !text.values.is_empty() && !text.values.contains(&value) {
        broken.push(enum_text(text.values));
    }
    broken
}

fn broken_number(number: &Number, value: i64) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(max) = number.max.filter(|max| value > *max) {
        broken.push(format!("Member must have value less than or equal to {max}"));
    }
    if let Some(min) = number.min.filter(|min| value < *min) {
        broken.push(format!("Member must have value greater than or equal to {min}"));
    }
    broken
}

impl Writer for Validator {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let standing = self.member;
        let mut set = 0;
        for (member, value) in structure.members.iter().zip(members) {
            if !value.is_present() {
                continue;
            }
            set += 1;
            self.member = Some(member);
            self.findings.enter(Step::Member(member.name));
            value.write(self);
            self.findings.leave();
        }
        self.member = standing;
        if structure.union && set != 1 {
            let constraint = "Member must have exactly one of its members set".to_owned();
            self.violate(None, constraint);
        }
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let standing = self.member;
        let Some(Kind::List(list)) = self.target().map(|target| &target.kind) else { return };
        let items: Vec<&dyn Shape> = items.collect();
        let whole = || Render::list(&list.member, &items);
        self.count(&list.length, items.len(), &whole);
        if let Kind::String(text) = &list.member.target.kind {
            if !is_free(text) {
                let texts: Vec<String> = items.iter().map(|item| Render::text(*item)).collect();
                let scalars: Vec<&str> = texts.iter().map(String::as_str).collect();
                let role = "Member must satisfy constraint";
                self.check_scalars(role, &list.member, &scalars, &whole);
            }
            return;
        }
        self.member = Some(&list.member);
        for (index, item) in items.into_iter().enumerate() {
            self.findings.enter(Step::Element(index + 1));
            item.write(self);
            self.findings.leave();
        }
        self.member = standing;
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let standing = self.member;
        let Some(Kind::Map(map)) = self.target().map(|target| &target.kind) else { return };
        let entries: Vec<(&str, &dyn Shape)> = entries.collect();
        let whole = || Render::map(&map.value, &entries);
        self.count(&map.length, entries.len(), &whole);
        let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
        self.check_scalars("Map keys must satisfy constraint", &map.key, &keys, &whole);
        if let Kind::String(text) = &map.value.target.kind {
            if !is_free(text) {
                let texts: Vec<String> =
                    entries.iter().map(|(_, value)| Render::text(*value)).collect();
                let scalars: Vec<&str> = texts.iter().map(String::as_str).collect();
                let role = "Map value must satisfy constraint";
                self.check_scalars(role, &map.value, &scalars, &whole);
            }
            return;
        }
        self.member = Some(&map.value);
        for (key, value) in entries {
            self.findings.enter(Step::Key(key.to_owned()));
            value.write(self);
            self.findings.leave();
        }
        self.member = standing;
    }

    fn string(&mut self, value: &str) {
        if let Some(Kind::String(text)) = self.target().map(|target| &target.kind) {
            let broken = broken_text(text, value);
            self.check(broken, || value.to_owned());
        }
    }

    fn boolean(&mut self, _: bool) {}

    fn integer(&mut self, value: i64) {
        let kind = self.target().map(|target| &target.kind);
        if let Some(Kind::Integer(number) | Kind::Long(number)) = kind {
            let broken = broken_number(number, value);
            self.check(broken, || value.to_string());
        }
    }

    fn float(&mut self, _: f64) {}

    fn blob(&mut self, value: &[u8]) {
        if let Some(Kind::Blob(length)) = self.target().map(|target| &target.kind) {
            // Coral prints a Java buffer here, which tells nothing: the value is left out.
            for constraint in broken_length(length, value.len()) {
                self.violate(None, constraint);
            }
        }
    }

    fn timestamp(&mut self, _: Timestamp) {}

    fn document(&mut self, _: &Document) {}
}

/// A text that may hold anything.
fn is_free(text: &Text) -> bool {
    text.length.min.is_none()
        && text.length.max.is_none()
        && text.pattern.is_empty()
        && text.values.is_empty()
}
