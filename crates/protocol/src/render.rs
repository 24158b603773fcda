//! Values as Java prints them, which is how AWS repeats them in validation messages.

use crate::findings::push_lower_camel;
use palisade_shape::{Document, Kind, Member, Shape, Structure, Timestamp, Traits, Writer};

/// Longer values are cut: an answer must not grow with a wrong request.
const LENGTH_MAX: usize = 2_048;

/// Whether the value must not be shown.
pub fn is_sensitive(member: &'static Member) -> bool {
    let inner = match &member.target.kind {
        Kind::List(list) => is_marked(&list.member),
        Kind::Map(map) => is_marked(&map.key) || is_marked(&map.value),
        _ => false,
    };
    inner || is_marked(member)
}

fn is_marked(member: &Member) -> bool {
    member.traits.has(Traits::SENSITIVE) || member.target.sensitive
}

#[derive(Debug, Default)]
pub struct Render {
    out: String,
    member: Option<&'static Member>,
}

impl Render {
    /// The text of a scalar.
    pub fn text(value: &dyn Shape) -> String {
        let mut render = Self::default();
        value.write(&mut render);
        render.out
    }

    pub fn list(element: &'static Member, items: &[&dyn Shape]) -> String {
        let mut render = Self { out: String::new(), member: Some(element) };
        render.items(&mut items.iter().copied());
        render.out
    }

    pub fn map(value: &'static Member, entries: &[(&str, &dyn Shape)]) -> String {
        let mut render = Self { out: String::new(), member: Some(value) };
        render.entries(&mut entries.iter().copied());
        render.out
    }

    fn is_full(&self) -> bool {
        self.out.len() > LENGTH_MAX
    }

    fn push(&mut self, text: &str) {
        let room = LENGTH_MAX.saturating_sub(self.out.len());
        if text.len() <= room {
            self.out.push_str(text);
        } else {
            let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            self.out.push_str(text.get(..end).unwrap_or_default());
            self.out.push('…');
        }
    }

    fn items(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        self.out.push('[');
        for (index, item) in items.enumerate() {
            if self.is_full() {
                break;
            }
            if index > 0 {
                self.out.push_str(", ");
            }
            item.write(self);
        }
        self.out.push(']');
    }

    fn entries(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        self.out.push('{');
        for (index, (key, value)) in entries.enumerate() {
            if self.is_full() {
                break;
            }
            if index > 0 {
                self.out.push_str(", ");
            }
            self.push(key);
            self.out.push('=');
            value.write(self);
        }
        self.out.push('}');
    }
}

impl Writer for Render {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let standing = self.member;
        self.out.push_str(structure.name);
        self.out.push('(');
        let mut first = true;
        for (member, value) in structure.members.iter().zip(members) {
            if !value.is_present() || self.is_full() {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.push_str(", ");
            }
            push_lower_camel(&mut self.out, member.name);
            self.out.push('=');
            if is_marked(member) {
                self.out.push_str("***");
            } else {
                self.member = Some(member);
                value.write(self);
            }
        }
        self.out.push(')');
        self.member = standing;
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        self.items(items);
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        self.entries(entries);
    }

    fn string(&mut self, value: &str) {
        self.push(value);
    }

    fn boolean(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn integer(&mut self, value: i64) {
        self.out.push_str(&value.to_string());
    }

    fn float(&mut self, value: f64) {
        self.out.push_str(&value.to_string());
    }

    fn blob(&mut self, value: &[u8]) {
        self.out.push_str(&format!("({} bytes)", value.len()));
    }

    fn timestamp(&mut self, value: Timestamp) {
        let mut text = Vec::new();
        crate::timestamp::write(&mut text, value, palisade_shape::TimestampFormat::DateTime);
        self.out.push_str(&String::from_utf8_lossy(&text));
    }

    fn document(&mut self, _: &Document) {
        self.out.push_str("{…}");
    }
}
