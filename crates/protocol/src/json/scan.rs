//! The tokens of JSON (RFC 8259), read from a text that is known to be UTF-8.

use crate::findings::DEPTH_MAX;
use std::borrow::Cow;

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Object,
    List,
    String,
    Number,
    True,
    False,
    Null,
    End,
    Other,
}

#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    pub fn peek(&mut self) -> Next {
        self.skip_space();
        match self.byte() {
            None => Next::End,
            Some(b'{') => Next::Object,
            Some(b'[') => Next::List,
            Some(b'"') => Next::String,
            Some(b'-' | b'0'..=b'9') => Next::Number,
            Some(b't') => Next::True,
            Some(b'f') => Next::False,
            Some(b'n') => Next::Null,
            Some(_) => Next::Other,
        }
    }

    /// Takes one punctuation mark when it stands next.
    pub fn take(&mut self, mark: u8) -> bool {
        self.skip_space();
        let found = self.byte() == Some(mark);
        if found {
            self.at += 1;
        }
        found
    }

    pub fn expect(&mut self, mark: u8) -> Result<(), Broken> {
        if self.take(mark) { Ok(()) } else { Err(Broken) }
    }

    /// Takes `true`, `false` or `null`.
    pub fn word(&mut self, word: &str) -> Result<(), Broken> {
        let rest = self.text.get(self.at..).ok_or(Broken)?;
        if !rest.starts_with(word) {
            return Err(Broken);
        }
        self.at += word.len();
        Ok(())
    }

    /// The text of a number, checked against RFC 8259's grammar.
    pub fn number(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.byte() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(Broken);
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Broken);
            }
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Broken);
            }
        }
        self.text.get(start..self.at).ok_or(Broken)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        self.at - start
    }

    /// A string; borrowed when it holds no escape.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.expect(b'"')?;
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).ok_or(Broken)?;
        let end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let length = rest.iter().position(end).ok_or(Broken)?;
        self.at += length;
        let plain = self.text.get(start..self.at).ok_or(Broken)?;
        match self.byte() {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(plain))
            }
            Some(b'\\') => self.escaped(plain).map(Cow::Owned),
            _ => Err(Broken),
        }
    }

    fn escaped(&mut self, plain: &str) -> Result<String, Broken> {
        let mut out = String::with_capacity(plain.len() + 16);
        out.push_str(plain);
        loop {
            match self.byte().ok_or(Broken)? {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                0..=0x1f => return Err(Broken),
                _ => {
                    let rest = self.text.get(self.at..).ok_or(Broken)?;
                    let end = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
                    let length = rest.bytes().position(end).ok_or(Broken)?;
                    out.push_str(rest.get(..length).ok_or(Broken)?);
                    self.at += length;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let kind = self.byte().ok_or(Broken)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(Broken),
        })
    }

    /// `\uXXXX`, or two of them as a surrogate pair. A lone surrogate is no text.
    fn unicode(&mut self) -> Result<char, Broken> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.word("\\u")?;
                let second = self.hex4()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(Broken);
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        char::from_u32(code).ok_or(Broken)
    }

    fn hex4(&mut self) -> Result<u32, Broken> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Broken)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Broken);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Broken)
    }

    /// Passes over one value of any kind.
    pub fn skip(&mut self) -> Result<(), Broken> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: usize) -> Result<(), Broken> {
        if depth > DEPTH_MAX {
            return Err(Broken);
        }
        match self.peek() {
            Next::String => self.string().map(|_| ()),
            Next::Number => self.number().map(|_| ()),
            Next::True => self.word("true"),
            Next::False => self.word("false"),
            Next::Null => self.word("null"),
            Next::Object => {
                self.at += 1;
                let mut more = !self.take(b'}');
                while more {
                    self.skip_space();
                    self.string()?;
                    self.expect(b':')?;
                    self.skip_at(depth + 1)?;
                    more = self.take(b',');
                    if !more {
                        self.expect(b'}')?;
                    }
                }
                Ok(())
            }
            Next::List => {
                self.at += 1;
                let mut more = !self.take(b']');
                while more {
                    self.skip_at(depth + 1)?;
                    more = self.take(b',');
                    if !more {
                        self.expect(b']')?;
                    }
                }
                Ok(())
            }
            Next::End | Next::Other => Err(Broken),
        }
    }
}
