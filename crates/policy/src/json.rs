//! JSON with places: every value knows its span, a repeated key is an error, depth is bounded.
//!
//! Source: RFC 8259. `serde_json` keeps no places and lets a later duplicate key win silently,
//! either of which would make validation lie.

use crate::finding::Span;
use std::borrow::Cow;

/// Values nest no deeper; the policy grammar itself needs six levels.
const DEPTH_MAX: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    pub span: Span,
    pub value: Value<'t>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    /// The number's own text: policies compare it as a decimal, or as text.
    Number(&'t str),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Object(Vec<Member<'t>>),
}

#[derive(Clone, Debug)]
pub(crate) struct Member<'t> {
    pub key: Cow<'t, str>,
    pub key_span: Span,
    pub value: Node<'t>,
}

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub span: Span,
    pub reason: &'static str,
    pub duplicate: bool,
}

pub(crate) fn parse(text: &str) -> Result<Node<'_>, JsonError> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error("text after the end of the document"));
    }
    Ok(node)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn error(&self, reason: &'static str) -> JsonError {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        JsonError { span: Span { start: self.at, end: self.at + width }, reason, duplicate: false }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node<'t>, JsonError> {
        self.skip_space();
        if depth > DEPTH_MAX {
            return Err(self.error("values nest too deeply"));
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.error("expected a value")),
            None => return Err(self.error("the document ends early")),
        };
        Ok(Node { span: Span { start, end: self.at }, value })
    }

    fn word(&mut self, word: &str, value: Value<'t>) -> Result<Value<'t>, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value<'t>, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat(b']') {
                return Ok(Value::List(items));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'t>, JsonError> {
        self.at += 1;
        let mut members: Vec<Member<'t>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in double quotes"));
            }
            let key = self.string()?;
            let key_span = Span { start, end: self.at };
            if !seen.insert(key.clone()) {
                let reason = "the key stands twice in one object";
                return Err(JsonError { span: key_span, reason, duplicate: true });
            }
            if !self.eat(b':') {
                return Err(self.error("expected `:`"));
            }
            let value = self.value(depth + 1)?;
            members.push(Member { key, key_span, value });
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
    }

    fn number(&mut self) -> Result<&'t str, JsonError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.error("expected a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or(""))
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), JsonError> {
        let before = self.at;
        self.digits();
        if self.at == before { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            let plain = self.at;
            while let Some(byte) = self.peek() {
                if byte == b'"' || byte == b'\\' || byte < 0x20 {
                    break;
                }
                self.at += 1;
            }
            let run = self.text.get(plain..self.at).unwrap_or("");
            if let Some(owned) = &mut unescaped {
                owned.push_str(run);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let whole = self.text.get(start..self.at - 1).unwrap_or("");
                    return Ok(unescaped.map_or(Cow::Borrowed(whole), Cow::Owned));
                }
                Some(b'\\') => {
                    let owned = unescaped.get_or_insert_with(|| run.to_owned());
                    let character = Self::escape(self.text, &mut self.at);
                    match character {
                        Some(character) => owned.push(character),
                        None => return Err(self.error("unknown escape in a string")),
                    }
                }
                Some(_) => return Err(self.error("a control character in a string")),
                None => return Err(self.error("the document ends inside a string")),
            }
        }
    }

    /// Reads one escape at `at`, which stands on the backslash; leaves it there when it is none.
    fn escape(text: &str, at: &mut usize) -> Option<char> {
        let character = match text.as_bytes().get(*at + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return Self::unicode_escape(text, at),
            _ => return None,
        };
        *at += 2;
        Some(character)
    }

    fn unicode_escape(text: &str, at: &mut usize) -> Option<char> {
        let unit = |from: usize| {
            let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
            let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hexadecimal { u32::from_str_radix(digits, 16).ok() } else { None }
        };
        let high = unit(*at)?;
        if !(0xD800..0xDC00).contains(&high) {
            let character = char::from_u32(high)?;
            *at += 6;
            return Some(character);
        }
        let low = unit(*at + 6).filter(|low| (0xDC00..0xE000).contains(low))?;
        let character = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
        *at += 12;
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(node: &Node<'_>) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                members.iter().map(|it| (it.key.to_string(), plain(&it.value))).collect()
            }
        }
    }

    #[test]
    fn refuses_with_a_place() {
        for (text, at, reason) in [
            ("", 0, "the document ends early"),
            ("{", 1, "expected a key in double quotes"),
            (r#"{"a":1,}"#, 7, "expected a key in double quotes"),
            (r#"{"a" 1}"#, 5, "expected `:`"),
            ("[1,]", 3, "expected a value"),
            ("[1 2]", 3, "expected `,` or `]`"),
            ("{} x", 3, "text after the end of the document"),
            ("\"\\x\"", 1, "unknown escape in a string"),
            ("\"\\ud800\"", 1, "unknown escape in a string"),
            ("\"a\nb\"", 2, "a control character in a string"),
            ("\"abc", 4, "the document ends inside a string"),
            ("01", 1, "text after the end of the document"),
            ("1.", 2, "expected a digit"),
            ("tru", 0, "expected a value"),
            (r#"{"a":1,"\u0061":2}"#, 7, "the key stands twice in one object"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.span.start, error.reason), (at, reason), "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)).unwrap_err().reason, "values nest too deeply");
    }

    #[test]
    fn reads_escapes() {
        let node = parse(r#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"]"#).unwrap();
        assert_eq!(plain(&node), serde_json::json!(["\"\\/\u{8}\u{c}\n\r\té😀é"]));
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "\\PC{0,8}|[\"\\\\\n\u{1f600}]{0,4}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map("[a-d\"]{0,3}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_writes(value in value(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            prop_assert_eq!(plain(&parse(&text).unwrap()), value);
        }

        #[test]
        fn accepts_what_serde_json_accepts(
            text in "[\\[\\]{}:,\"a0-9.eE+\\-ntrufalse\\\\ ]{0,16}",
        ) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (parse(&text), theirs) {
                (Ok(node), Ok(value)) => prop_assert_eq!(plain(&node), value),
                (Err(_), Err(_)) => {}
                // serde_json takes a key twice and refuses numbers beyond its range.
                (Err(error), Ok(_)) => prop_assert!(error.duplicate, "{text}"),
                (Ok(_), Err(error)) => {
                    prop_assert!(error.to_string().contains("out of range"), "{text}: {error}");
                }
            }
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
