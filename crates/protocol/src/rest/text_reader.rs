use crate::base64;
use crate::findings::{Findings, Step, timestamp_format};
use crate::{number, timestamp};
use palisade_shape::{
    Document, Kind, Location, Member, Reader, Shape, Structure, Timestamp, TimestampFormat, Traits,
    Violation,
};

/// Reads a member from the texts of a label, header or query parameter.
#[derive(Debug)]
pub struct TextReader {
    /// A list takes each; a scalar the first.
    values: Vec<String>,
    /// For maps: the entries.
    entries: Vec<(String, Vec<String>)>,
    member: &'static Member,
    location: Location,
    findings: Findings,
}

impl TextReader {
    pub fn new(values: Vec<String>, member: &'static Member, findings: Findings) -> Self {
        let location = member.location;
        Self { values, entries: Vec::new(), member, location, findings }
    }

    pub fn with_entries(mut self, entries: Vec<(String, Vec<String>)>) -> Self {
        self.entries = entries;
        self
    }

    /// Notes the path; the caller leaves it again.
    pub fn enter(&mut self, member: &'static Member) {
        self.findings.enter(Step::Member(member.name));
    }

    pub fn into_findings(self) -> Findings {
        self.findings
    }

    fn text(&self) -> &str {
        self.values.first().map(String::as_str).unwrap_or_default()
    }

    fn parsed<T: Default>(&mut self, parse: impl Fn(&str) -> Option<T>, wanted: &str) -> T {
        parse(self.text().trim()).unwrap_or_else(|| {
            self.findings.malformed(format!("The value is not {wanted}"));
            T::default()
        })
    }

    fn format(&self) -> TimestampFormat {
        let otherwise = match self.location {
            Location::Header | Location::HeaderPrefix => TimestampFormat::HttpDate,
            _ => TimestampFormat::DateTime,
        };
        timestamp_format(Some(self.member), otherwise)
    }

    /// The elements of a list: several parameters, or one header with commas.
    fn elements(&mut self, element: &'static Member) -> Vec<String> {
        let values = std::mem::take(&mut self.values);
        if self.location != Location::Header {
            return values;
        }
        let format = match &element.target.kind {
            Kind::Timestamp(format) => format.unwrap_or(TimestampFormat::HttpDate),
            _ => TimestampFormat::DateTime,
        };
        let dates = matches!(element.target.kind, Kind::Timestamp(_))
            && format == TimestampFormat::HttpDate;
        values.iter().flat_map(|value| split_header(value, dates)).collect()
    }
}

/// The elements of a header with commas: tokens, or strings in quotes. HTTP dates hold a comma
/// of their own.
fn split_header(value: &str, dates: bool) -> Vec<String> {
    let mut elements = Vec::new();
    let mut rest = value.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut letters = quoted.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => text.extend(letters.next()),
                    other => text.push(other),
                }
            }
            elements.push(text);
            let tail = letters.as_str();
            rest = tail.split_once(',').map_or("", |(_, tail)| tail).trim_start();
            continue;
        }
        let first = rest.find(',');
        let end = match first {
            Some(comma) if dates => {
                let after = rest.get(comma + 1..).and_then(|tail| tail.find(','));
                after.map(|more| comma + 1 + more)
            }
            other => other,
        };
        let (element, tail) = match end {
            Some(end) => (rest.get(..end), rest.get(end + 1..)),
            None => (Some(rest), None),
        };
        elements.push(element.unwrap_or_default().trim().to_owned());
        rest = tail.unwrap_or_default().trim_start();
    }
    elements
}

impl Reader for TextReader {
    fn structure(&mut self, _: &'static Structure, _: &mut [&mut dyn Shape]) {
        self.findings.malformed("A structure cannot stand here");
    }

    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader)) {
        let standing = self.member;
        let Kind::List(list) = &standing.target.kind else { return };
        self.member = &list.member;
        for (index, text) in self.elements(&list.member).into_iter().enumerate() {
            self.values = vec![text];
            self.findings.enter(Step::Element(index + 1));
            item(self);
            self.findings.leave();
        }
        self.member = standing;
    }

    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader)) {
        let standing = self.member;
        let Kind::Map(map) = &standing.target.kind else { return };
        self.member = &map.value;
        for (key, values) in std::mem::take(&mut self.entries) {
            self.values = values;
            self.findings.enter(Step::Key(key.clone()));
            entry(key, self);
            self.findings.leave();
        }
        self.member = standing;
    }

    fn string(&mut self) -> String {
        let in_header = matches!(self.location, Location::Header);
        if in_header && self.member.traits.has(Traits::JSON_VALUE) {
            let decode = |text: &str| String::from_utf8(base64::decode(text)?).ok();
            return self.parsed(decode, "base64 of a JSON text");
        }
        self.text().to_owned()
    }

    fn boolean(&mut self) -> bool {
        let parse = |text: &str| {
            if text.eq_ignore_ascii_case("true") {
                Some(true)
            } else {
                text.eq_ignore_ascii_case("false").then_some(false)
            }
        };
        self.parsed(parse, "true or false")
    }

    fn integer(&mut self) -> i64 {
        self.parsed(number::parse_integer, "an integer")
    }

    fn float(&mut self) -> f64 {
        self.parsed(number::parse_float, "a number")
    }

    fn blob(&mut self) -> Vec<u8> {
        self.parsed(base64::decode, "base64")
    }

    fn timestamp(&mut self) -> Timestamp {
        let format = self.format();
        self.parsed(|text| timestamp::parse(text, format), "a timestamp")
    }

    fn document(&mut self) -> Document {
        Document::String(self.string())
    }

    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}

#[cfg(test)]
mod tests {
    use super::split_header;

    #[test]
    fn splits_headers() {
        let cases: &[(&str, bool, &[&str])] = &[
            ("a, b ,c", false, &["a", "b", "c"]),
            ("\"a,b\", \"c\\\"d\", e", false, &["a,b", "c\"d", "e"]),
            ("", false, &[]),
            (
                "Mon, 16 Dec 2019 23:48:18 GMT, Tue, 17 Dec 2019 23:48:18 GMT",
                true,
                &["Mon, 16 Dec 2019 23:48:18 GMT", "Tue, 17 Dec 2019 23:48:18 GMT"],
            ),
            ("\"open", false, &["open"]),
        ];
        for (value, dates, expected) in cases {
            assert_eq!(split_header(value, *dates), *expected, "{value}");
        }
    }
}
