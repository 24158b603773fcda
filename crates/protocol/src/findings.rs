//! What the readers of all protocols share: where they stand and what they found wrong.

use palisade_shape::{Kind, Member, TimestampFormat, Traits, Violation};

/// How deep values may nest. AWS's own parsers stop near 100; a bound keeps the stack safe.
pub const DEPTH_MAX: usize = 128;
/// More violations than this are not collected: no one reads them and they cost memory.
const VIOLATIONS_MAX: usize = 50;

/// One step of a member's path.
#[derive(Clone, Debug)]
pub enum Step {
    Member(&'static str),
    /// From 1, as AWS counts.
    Element(usize),
    Key(String),
}

/// Writes a path as AWS's validators do: `tags.1.member.key`.
pub fn path_text(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        if !path.is_empty() {
            path.push('.');
        }
        match step {
            Step::Member(name) => push_lower_camel(&mut path, name),
            Step::Element(number) => {
                path.push_str(&number.to_string());
                path.push_str(".member");
            }
            Step::Key(key) => {
                path.push_str(key);
                path.push_str(".member");
            }
        }
    }
    path
}

/// Only the first letter changes: AWS writes `sAMLAssertion`.
pub fn push_lower_camel(out: &mut String, name: &str) {
    let mut letters = name.chars();
    if let Some(first) = letters.next() {
        out.push(first.to_ascii_lowercase());
        out.push_str(letters.as_str());
    }
}

/// The path a reader stands at, and the violations so far.
#[derive(Debug, Default)]
pub struct Findings {
    steps: Vec<Step>,
    violations: Vec<Violation>,
}

impl Findings {
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    pub fn enter(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn leave(&mut self) {
        self.steps.pop();
    }

    /// How many levels down the reader stands: what an open value's own levels add to.
    pub fn depth(&self) -> usize {
        self.steps.len()
    }

    /// Whether the value may contain a further level.
    pub fn is_too_deep(&self) -> bool {
        self.steps.len() >= DEPTH_MAX
    }

    /// Notes a violation; one without a path is at the place where the reader stands.
    pub fn note(&mut self, mut violation: Violation) {
        if self.violations.len() >= VIOLATIONS_MAX {
            return;
        }
        let path = match &mut violation {
            Violation::Malformed { path, .. }
            | Violation::Missing { path }
            | Violation::Constraint { path, .. } => path,
        };
        if path.is_empty() {
            *path = path_text(&self.steps);
        }
        self.violations.push(violation);
    }

    /// Whether one of the first violations says that the value here, or one around it, is missing.
    pub fn is_missing_here(&self, first: usize) -> bool {
        let mut here = None;
        self.violations.iter().take(first).any(|violation| match violation {
            Violation::Missing { path } => {
                let here = here.get_or_insert_with(|| path_text(&self.steps));
                here.strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            _ => false,
        })
    }

    pub fn malformed(&mut self, reason: impl Into<String>) {
        self.note(Violation::Malformed { path: String::new(), reason: reason.into() });
    }

    pub fn missing(&mut self, member: &Member) {
        let mut path = path_text(&self.steps);
        if !path.is_empty() {
            path.push('.');
        }
        push_lower_camel(&mut path, member.name);
        self.note(Violation::Missing { path });
    }

    pub fn too_deep(&mut self) {
        self.malformed("The request nests deeper than is allowed");
    }
}

/// Which members a reader has seen. Structures of more than 128 members need the vector.
#[derive(Debug, Default)]
pub struct Seen {
    low: u128,
    high: Vec<usize>,
}

impl Seen {
    pub fn insert(&mut self, index: usize) {
        match u32::try_from(index).ok().and_then(|shift| 1_u128.checked_shl(shift)) {
            Some(bit) => self.low |= bit,
            None => self.high.push(index),
        }
    }

    pub fn contains(&self, index: usize) -> bool {
        match u32::try_from(index).ok().and_then(|shift| 1_u128.checked_shl(shift)) {
            Some(bit) => self.low & bit != 0,
            None => self.high.contains(&index),
        }
    }
}

/// The format of a timestamp: the shape's own, else the place's.
pub fn timestamp_format(
    member: Option<&'static Member>,
    otherwise: TimestampFormat,
) -> TimestampFormat {
    match member.map(|member| &member.target.kind) {
        Some(Kind::Timestamp(Some(format))) => *format,
        _ => otherwise,
    }
}

/// Whether the member travels beside the structure: a streamed body or an event stream.
pub fn is_streamed(member: &Member) -> bool {
    member.traits.has(Traits::STREAMING) || is_event_stream(member)
}

/// Whether the member is a stream of events.
pub fn is_event_stream(member: &Member) -> bool {
    matches!(&member.target.kind, Kind::Structure(events) if events.event_stream)
}
