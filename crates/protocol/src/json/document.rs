//! Open values (Smithy `document`) in JSON.

use super::scan::{Broken, Next, Scanner};
use super::writer::push_string;
use crate::findings::DEPTH_MAX;
use crate::number;
use palisade_shape::Document;
use std::collections::BTreeMap;

/// A number such as `3.0` or `1E3` that is an integer all the same.
pub fn whole_number(text: &str) -> Option<i64> {
    let value = number::parse_float(text)?;
    // 2^53: above it a double no longer names one integer.
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

pub fn read(scanner: &mut Scanner<'_>, depth: usize) -> Result<Document, Broken> {
    if depth > DEPTH_MAX {
        return Err(Broken);
    }
    Ok(match scanner.peek() {
        Next::String => Document::String(scanner.string()?.into_owned()),
        Next::Number => {
            let text = scanner.number()?;
            match number::parse_integer(text) {
                Some(value) => Document::Integer(value),
                None => Document::Float(number::parse_float(text).ok_or(Broken)?),
            }
        }
        Next::True => scanner.word("true").map(|()| Document::Boolean(true))?,
        Next::False => scanner.word("false").map(|()| Document::Boolean(false))?,
        Next::Null => scanner.word("null").map(|()| Document::Null)?,
        Next::Object => {
            scanner.take(b'{');
            let mut entries = BTreeMap::new();
            let mut more = !scanner.take(b'}');
            while more {
                if scanner.peek() != Next::String {
                    return Err(Broken);
                }
                let key = scanner.string()?.into_owned();
                scanner.expect(b':')?;
                entries.insert(key, read(scanner, depth + 1)?);
                more = scanner.take(b',');
                if !more {
                    scanner.expect(b'}')?;
                }
            }
            Document::Map(entries)
        }
        Next::List => {
            scanner.take(b'[');
            let mut items = Vec::new();
            let mut more = !scanner.take(b']');
            while more {
                items.push(read(scanner, depth + 1)?);
                more = scanner.take(b',');
                if !more {
                    scanner.expect(b']')?;
                }
            }
            Document::List(items)
        }
        Next::End | Next::Other => return Err(Broken),
    })
}

pub fn write(out: &mut Vec<u8>, value: &Document) {
    match value {
        Document::Null => out.extend_from_slice(b"null"),
        Document::Boolean(true) => out.extend_from_slice(b"true"),
        Document::Boolean(false) => out.extend_from_slice(b"false"),
        Document::Integer(value) => number::push_integer(out, *value),
        Document::Float(value) if value.is_finite() => number::push_float(out, *value, false),
        Document::Float(value) => {
            push_string(out, number::not_finite(*value).unwrap_or_default());
        }
        Document::String(text) => push_string(out, text),
        Document::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, item);
            }
            out.push(b']');
        }
        Document::Map(entries) => {
            out.push(b'{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_string(out, key);
                out.push(b':');
                write(out, item);
            }
            out.push(b'}');
        }
    }
}
