//! A document as far as it can be made out: what is wrong or missing leaves a gap, and the rest is
//! still checked.

use crate::document::Effect;
use crate::finding::Span;
use crate::json::{Member, Node, Value};
use crate::operator::Operator;
use std::borrow::Cow;

/// A text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text<'n> {
    pub text: Cow<'n, str>,
    pub span: Span,
}

impl Text<'_> {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(super) struct Part<'n> {
    pub negated: bool,
    /// The value's place.
    pub span: Span,
    pub values: Vec<Text<'n>>,
}

/// One entry of a principal: the key it stands under (`*` for the bare one) and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'n> {
    pub key: &'n str,
    pub value: Text<'n>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub(super) struct Who<'n> {
    pub negated: bool,
    /// The key's place.
    pub key_span: Span,
    /// The value's place.
    pub span: Span,
    pub entries: Vec<Entry<'n>>,
}

impl<'n> Who<'n> {
    pub fn under<'w>(&'w self, key: &'w str) -> impl Iterator<Item = &'w Text<'n>> {
        self.entries.iter().filter(move |entry| entry.key == key).map(|entry| &entry.value)
    }
}

/// One key under one condition operator.
#[derive(Clone, Debug)]
pub(super) struct Clause<'n> {
    /// The operator's name as written.
    pub name: &'n str,
    pub name_span: Span,
    /// `None` when there is no such operator.
    pub operator: Option<Operator>,
    /// The key as written.
    pub key: &'n str,
    pub key_span: Span,
    /// The key in lower case.
    pub lower: String,
    pub values: Vec<Text<'n>>,
    /// The place of the value or values.
    pub span: Span,
}

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Sheet<'n> {
    pub span: Span,
    pub members: &'n [Member<'n>],
    pub sid: Option<Text<'n>>,
    pub effect: Option<Effect>,
    pub principal: Option<Who<'n>>,
    pub action: Option<Part<'n>>,
    pub resource: Option<Part<'n>>,
    pub clauses: Vec<Clause<'n>>,
}

impl<'n> Sheet<'n> {
    pub fn allows(&self) -> bool {
        self.effect == Some(Effect::Allow)
    }

    pub fn denies(&self) -> bool {
        self.effect == Some(Effect::Deny)
    }

    /// The conditions on a key, given in lower case; one that ends in `/` stands for all tags.
    pub fn on<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s Clause<'n>> {
        self.clauses.iter().filter(move |clause| {
            clause.lower == key || (key.ends_with('/') && clause.lower.starts_with(key))
        })
    }

    pub fn has_key(&self, key: &str) -> bool {
        self.on(key).next().is_some()
    }

    /// The actions of `Action`; none for `NotAction`.
    pub fn actions(&self) -> &[Text<'n>] {
        self.action.as_ref().filter(|action| !action.negated).map_or(&[], |action| &action.values)
    }
}

/// The whole document.
pub(super) struct Outline<'n> {
    pub members: &'n [Member<'n>],
    pub version: Option<Text<'n>>,
    /// The statements that are objects.
    pub statements: Vec<Sheet<'n>>,
}

pub(super) fn outline<'n>(root: &'n Node<'n>) -> Outline<'n> {
    let members = members(root);
    let statements = member(members, "Statement").map_or(&[][..], |member| items(&member.value));
    let objects = statements.iter().filter(|node| matches!(node.value, Value::Object(_)));
    Outline {
        members,
        version: member(members, "Version").and_then(|member| text(&member.value)),
        statements: objects.map(sheet).collect(),
    }
}

pub(super) fn members<'n>(node: &'n Node<'n>) -> &'n [Member<'n>] {
    match &node.value {
        Value::Object(members) => members,
        _ => &[],
    }
}

pub(super) fn member<'n>(members: &'n [Member<'n>], key: &str) -> Option<&'n Member<'n>> {
    members.iter().find(|member| member.key == key)
}

/// The elements of an array; a value that is none is one itself.
pub(super) fn items<'n>(node: &'n Node<'n>) -> &'n [Node<'n>] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn text<'n>(node: &'n Node<'n>) -> Option<Text<'n>> {
    match &node.value {
        Value::Text(text) => Some(Text { text: Cow::Borrowed(text.as_ref()), span: node.span }),
        _ => None,
    }
}

/// A value of a condition, which may be a number or a boolean.
fn scalar<'n>(node: &'n Node<'n>) -> Option<Text<'n>> {
    let text = match &node.value {
        Value::Number(number) => Cow::Borrowed(*number),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        _ => return text(node),
    };
    Some(Text { text, span: node.span })
}

fn sheet<'n>(node: &'n Node<'n>) -> Sheet<'n> {
    let members = members(node);
    let effect = member(members, "Effect").and_then(|member| text(&member.value));
    Sheet {
        span: node.span,
        members,
        sid: member(members, "Sid").and_then(|member| text(&member.value)),
        effect: effect.and_then(|effect| match effect.text.as_ref() {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            _ => None,
        }),
        principal: either(members, "Principal", "NotPrincipal").map(who),
        action: either(members, "Action", "NotAction").map(part),
        resource: either(members, "Resource", "NotResource").map(part),
        clauses: member(members, "Condition").map_or_else(Vec::new, clauses),
    }
}

fn either<'n>(members: &'n [Member<'n>], one: &str, other: &str) -> Option<&'n Member<'n>> {
    member(members, one).or_else(|| member(members, other))
}

fn part<'n>(member: &'n Member<'n>) -> Part<'n> {
    Part {
        negated: member.key.starts_with("Not"),
        span: member.value.span,
        values: items(&member.value).iter().filter_map(text).collect(),
    }
}

fn who<'n>(member: &'n Member<'n>) -> Who<'n> {
    let entries = match &member.value.value {
        Value::Object(keys) => {
            let entries = keys.iter().flat_map(|under| {
                let values = items(&under.value).iter().filter_map(text);
                values.map(|value| Entry { key: under.key.as_ref(), value })
            });
            entries.collect()
        }
        _ => {
            let everyone = text(&member.value).filter(|value| value.is("*"));
            everyone.into_iter().map(|value| Entry { key: "*", value }).collect()
        }
    };
    let negated = member.key.starts_with("Not");
    Who { negated, key_span: member.key_span, span: member.value.span, entries }
}

fn clauses<'n>(condition: &'n Member<'n>) -> Vec<Clause<'n>> {
    let blocks = members(&condition.value);
    let clauses = blocks.iter().flat_map(|block| {
        members(&block.value).iter().map(|entry| Clause {
            name: block.key.as_ref(),
            name_span: block.key_span,
            operator: Operator::parse(&block.key),
            key: entry.key.as_ref(),
            key_span: entry.key_span,
            lower: entry.key.to_lowercase(),
            values: items(&entry.value).iter().filter_map(scalar).collect(),
            span: entry.value.span,
        })
    });
    clauses.collect()
}
