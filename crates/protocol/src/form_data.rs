//! Reads `multipart/form-data`: small fields first, then one file, which is handed out as it comes.
//!
//! Source: RFC 7578; RFC 2046, section 5.1.1; Amazon S3 API Reference, "POST Object".

use memchr::memmem;

/// What the fields before the file, and what stands around them, may take in bytes.
const FIELDS_BYTES_MAX: usize = 20_000;
/// The longest boundary (RFC 2046).
const BOUNDARY_BYTES_MAX: usize = 70;

/// Why a body is not a form with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// It is no `multipart/form-data` of its boundary.
    Malformed,
    /// The fields before the file are more than 20,000 bytes.
    TooLong,
    /// It ends without a file.
    NoFile,
    /// It ends within the file.
    Incomplete,
}

/// The fields before the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormFields {
    /// Names as they were sent, in their order.
    pub fields: Vec<(String, String)>,
    /// The name of the file without its folders, empty when it has none.
    pub file_name: String,
}

/// A piece of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePiece {
    /// The next bytes of it, never none.
    Bytes(Vec<u8>),
    /// More of the body is needed to know.
    More,
    /// The file has ended; what follows is ignored.
    End,
}

/// The boundary that a content type names; none when it is no `multipart/form-data`.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (media, parameters) = content_type.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut named = parameters.split(';').filter_map(|one| one.trim().split_once('='));
    let (_, value) = named.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim_matches('"');
    (1..=BOUNDARY_BYTES_MAX).contains(&value.len()).then_some(value)
}

/// Reads a form piece by piece, from slices cut anywhere: first all fields, then the file.
pub struct FormDecoder {
    /// CR LF, two hyphens and the boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
    read: FormFields,
    /// Bytes of fields read so far.
    taken: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary: a part's head comes, or the end.
    Head,
    /// In the value of the last of the fields.
    Value,
    File,
    Done,
}

impl FormDecoder {
    pub fn new(boundary: &str) -> Self {
        Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first boundary may be the body's first line.
            buffer: b"\r\n".to_vec(),
            state: State::Preamble,
            read: FormFields::default(),
            taken: 0,
        }
    }

    /// Takes in the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.state != State::Done {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The fields, once all of them are there; none while more of the body is needed.
    ///
    /// # Errors
    /// [`FormError::Malformed`], [`FormError::TooLong`] and [`FormError::NoFile`].
    pub fn fields(&mut self) -> Result<Option<FormFields>, FormError> {
        loop {
            let mark: &[u8] = match self.state {
                State::Preamble | State::Value => &self.delimiter,
                State::Head if self.buffer.starts_with(b"--") => return Err(FormError::NoFile),
                State::Head => b"\r\n\r\n",
                State::File | State::Done => return Ok(Some(std::mem::take(&mut self.read))),
            };
            let Some(at) = memmem::find(&self.buffer, mark) else {
                let too_long = self.taken + self.buffer.len() > FIELDS_BYTES_MAX;
                return if too_long { Err(FormError::TooLong) } else { Ok(None) };
            };
            let end = at + mark.len();
            self.taken += end;
            if self.taken > FIELDS_BYTES_MAX {
                return Err(FormError::TooLong);
            }
            let rest = self.buffer.split_off(end);
            let mut part = std::mem::replace(&mut self.buffer, rest);
            part.truncate(at);
            self.end_part(part)?;
        }
    }

    /// What ended at a mark.
    fn end_part(&mut self, part: Vec<u8>) -> Result<(), FormError> {
        let part = String::from_utf8(part).map_err(|_| FormError::Malformed)?;
        match self.state {
            State::Preamble => self.state = State::Head,
            State::Head => {
                // The line of the boundary ends before the head begins; blanks may pad it.
                let (padding, head) = part.split_once("\r\n").ok_or(FormError::Malformed)?;
                if !padding.trim_matches([' ', '\t']).is_empty() {
                    return Err(FormError::Malformed);
                }
                let (name, file_name) = disposition(head).ok_or(FormError::Malformed)?;
                if name.eq_ignore_ascii_case("file") {
                    self.read.file_name = file_name.unwrap_or_default();
                    self.state = State::File;
                } else {
                    self.read.fields.push((name, String::new()));
                    self.state = State::Value;
                }
            }
            State::Value => {
                if let Some(last) = self.read.fields.last_mut() {
                    last.1 = part;
                }
                self.state = State::Head;
            }
            State::File | State::Done => {}
        }
        Ok(())
    }

    /// The next piece of the file, after all fields were read.
    pub fn file(&mut self) -> FilePiece {
        if self.state != State::File {
            return if self.state == State::Done { FilePiece::End } else { FilePiece::More };
        }
        let (end, done) = match memmem::find(&self.buffer, &self.delimiter) {
            Some(at) => (at, true),
            // What may be the beginning of a boundary is held back.
            None => (self.buffer.len().saturating_sub(self.delimiter.len() - 1), false),
        };
        let rest = self.buffer.split_off(end);
        let piece = std::mem::replace(&mut self.buffer, rest);
        if done {
            (self.state, self.buffer) = (State::Done, Vec::new());
        }
        match (piece.is_empty(), done) {
            (false, _) => FilePiece::Bytes(piece),
            (true, true) => FilePiece::End,
            (true, false) => FilePiece::More,
        }
    }

    /// The end of the body.
    ///
    /// # Errors
    /// [`FormError::Incomplete`] within the file, [`FormError::Malformed`] before it.
    pub fn finish(&self) -> Result<(), FormError> {
        match self.state {
            State::Done => Ok(()),
            State::File => Err(FormError::Incomplete),
            State::Preamble | State::Head | State::Value => Err(FormError::Malformed),
        }
    }
}

/// The names in `Content-Disposition: form-data; name="…"; filename="…"`.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?;
    let (kind, parameters) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file_name) = (None, None);
    let mut rest = parameters;
    while let Some((key, value, left)) = parameter(rest) {
        if key.eq_ignore_ascii_case("name") {
            name.get_or_insert(value);
        } else if key.eq_ignore_ascii_case("filename") {
            let last = value.rsplit(['/', '\\']).next().unwrap_or_default();
            file_name.get_or_insert_with(|| last.to_owned());
        }
        rest = left;
    }
    Some((name?, file_name))
}

/// One parameter, and what follows it. Browsers write a quote in a value as `%22` (RFC 7578,
/// section 2) or, with older libraries, as `\"`.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (key, rest) = text.split_once('=')?;
    let key = key.trim_matches([' ', '\t', ';']);
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, left) = rest.split_once(';').unwrap_or((rest, ""));
        return Some((key, value.trim().to_owned(), left));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '"' if escaped => {
                value.pop();
                value.push('"');
                escaped = false;
            }
            '"' => {
                let left = quoted.get(at + 1..).unwrap_or_default();
                return Some((key, value.replace("%22", "\""), left));
            }
            _ => {
                value.push(c);
                escaped = c == '\\' && !escaped;
            }
        }
    }
    None
}

#[cfg(test)]
#[path = "form_data_tests.rs"]
mod tests;
