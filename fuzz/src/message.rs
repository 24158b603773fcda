//! An HTTP request as text, for targets that want more than a body.

use http::{HeaderMap, HeaderName, HeaderValue};

/// `path?query`, lines `name: value`, an empty line, the body. Lines end in LF.
pub struct Message<'a> {
    pub path: &'a str,
    pub query: &'a str,
    pub headers: Vec<(&'a str, &'a [u8])>,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// `None` when the first line or a header's name is no text, which a server never hands on.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let target = std::str::from_utf8(lines.next()?).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&line[..colon]).ok()?;
            headers.push((name, line[colon + 1..].trim_ascii()));
        }
        Some(Self { path, query, headers, body })
    }

    /// The headers as hyper holds them; what hyper refuses is left out.
    pub fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                map.append(name, value);
            }
        }
        map
    }
}
