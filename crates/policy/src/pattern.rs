//! Text patterns: `*`, `?`, and policy variables, matched without backtracking.

use crate::asked::Asked;
use crate::request::Lookup;
use crate::truth::Truth;
use std::borrow::Cow;

/// Which characters of a pattern's text are special.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    pub wildcards: bool,
    /// True in documents of version 2012-10-17 where the element admits variables.
    pub variables: bool,
}

/// A policy variable, `${key}` or `${key, 'default'}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub key: Box<str>,
    pub default: Option<Box<str>>,
}

/// One element of a pattern between two stars.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    Text(Box<str>),
    AnyCharacter,
    Value(usize),
}

/// A compiled pattern. Stars split it into pieces; each piece but the first and the last is
/// looked for leftmost, which needs no way back because a piece's length in characters is fixed.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    shape: Shape,
    variables: Box<[Variable]>,
}

#[derive(Clone, Debug)]
enum Shape {
    Anything,
    Literal(Box<str>),
    Prefix(Box<str>),
    Pieces(Box<[Box<[Atom]>]>),
}

/// Variables whose values fit on the stack while matching.
const STACK_VALUES: usize = 8;

impl Pattern {
    pub fn compile(text: &str, syntax: Syntax) -> Self {
        let mut variables = Vec::new();
        let pieces = split_pieces(text, syntax, &mut variables);
        Self { shape: simplify(pieces), variables: variables.into() }
    }

    pub fn matches<'a>(&'a self, text: &str, keys: &Asked<'a>) -> Truth {
        match &self.shape {
            Shape::Anything => Truth::Yes,
            Shape::Literal(literal) => Truth::of(**literal == *text),
            Shape::Prefix(prefix) => Truth::of(text.starts_with(&**prefix)),
            // A wrong beginning rules the text out whatever the variables hold.
            Shape::Pieces(pieces) if !starts_like(pieces, text) => Truth::No,
            Shape::Pieces(pieces) => {
                self.with_values(keys, |values| Truth::of(match_pieces(pieces, text, values)))
            }
        }
    }

    /// As [`Pattern::matches`], for patterns known to have no variable.
    pub fn matches_plain(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Anything => true,
            Shape::Literal(literal) => **literal == *text,
            Shape::Prefix(prefix) => text.starts_with(&**prefix),
            Shape::Pieces(pieces) => self.variables.is_empty() && match_pieces(pieces, text, &[]),
        }
    }

    /// Whole-text comparison that ignores case; for patterns compiled without wildcards.
    pub fn matches_ignoring_case<'a>(&'a self, text: &str, keys: &Asked<'a>) -> Truth {
        match &self.shape {
            Shape::Anything => Truth::Yes,
            Shape::Literal(literal) => Truth::of(equals_ignoring_case(literal.chars(), text)),
            Shape::Prefix(_) => Truth::No,
            Shape::Pieces(pieces) => self.with_values(keys, |values| {
                let atoms = pieces.iter().flat_map(|piece| piece.iter());
                let characters = atoms.flat_map(|atom| atom_text(atom, values).chars());
                Truth::of(equals_ignoring_case(characters, text))
            }),
        }
    }

    /// The pattern as text with its variables filled in; `Err` says why there is none. Only for
    /// patterns compiled without wildcards.
    pub fn expand<'a>(&'a self, keys: &Asked<'a>) -> Result<Cow<'a, str>, Truth> {
        let pieces = match &self.shape {
            Shape::Anything => return Ok(Cow::Borrowed("*")),
            Shape::Literal(text) | Shape::Prefix(text) => return Ok(Cow::Borrowed(text)),
            Shape::Pieces(pieces) => pieces,
        };
        let mut expanded = String::new();
        let outcome = self.with_values(keys, |values| {
            let atoms = pieces.iter().flat_map(|piece| piece.iter());
            atoms.for_each(|atom| expanded.push_str(atom_text(atom, values)));
            Truth::Yes
        });
        if outcome == Truth::Yes { Ok(Cow::Owned(expanded)) } else { Err(outcome) }
    }

    /// Looks up all variables, then matches. A variable without a value matches nothing, which
    /// outweighs one that cannot be resolved.
    fn with_values<'a>(
        &'a self,
        keys: &Asked<'a>,
        matching: impl FnOnce(&[Cow<'_, str>]) -> Truth,
    ) -> Truth {
        if self.variables.len() > STACK_VALUES {
            let mut values = vec![Cow::Borrowed(""); self.variables.len()];
            let filled = fill(&self.variables, keys, &mut values);
            return if filled == Truth::Yes { matching(&values) } else { filled };
        }
        let mut values: [Cow<'_, str>; STACK_VALUES] = Default::default();
        let filled = fill(&self.variables, keys, &mut values);
        if filled == Truth::Yes { matching(&values) } else { filled }
    }
}

fn fill<'a, 'k>(
    variables: &'a [Variable],
    keys: &'k Asked<'a>,
    values: &mut [Cow<'k, str>],
) -> Truth {
    let mut filled = Truth::Yes;
    for (variable, value) in variables.iter().zip(values) {
        match (keys.get(&variable.key), &variable.default) {
            (Lookup::One(found), _) => *value = found,
            (Lookup::Unresolvable, _) => filled = filled.min(Truth::Unresolvable),
            // Only single-valued keys can be variables, so a multivalued one counts as absent.
            (Lookup::Absent | Lookup::Many(_), Some(default)) => *value = Cow::Borrowed(default),
            (Lookup::Absent | Lookup::Many(_), None) => return Truth::No,
        }
    }
    filled
}

fn atom_text<'v>(atom: &'v Atom, values: &'v [Cow<'_, str>]) -> &'v str {
    match atom {
        Atom::Text(text) => text,
        Atom::AnyCharacter => "?",
        Atom::Value(index) => values.get(*index).map_or("", |value| value),
    }
}

fn equals_ignoring_case(pattern: impl Iterator<Item = char>, text: &str) -> bool {
    pattern.flat_map(char::to_lowercase).eq(text.chars().flat_map(char::to_lowercase))
}

fn split_pieces(text: &str, syntax: Syntax, variables: &mut Vec<Variable>) -> Vec<Vec<Atom>> {
    let mut pieces = vec![Vec::new()];
    let mut pending = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut after = rest.get(character.len_utf8()..).unwrap_or("");
        let atom = match character {
            '*' if syntax.wildcards => {
                finish_text(&mut pending, pieces.last_mut());
                pieces.push(Vec::new());
                None
            }
            '?' if syntax.wildcards => Some(Atom::AnyCharacter),
            '$' if syntax.variables => match parse_variable(rest) {
                Some((Reference::Escape(escaped), behind)) => {
                    pending.push(escaped);
                    after = behind;
                    None
                }
                Some((Reference::Variable(variable), behind)) => {
                    after = behind;
                    variables.push(variable);
                    Some(Atom::Value(variables.len() - 1))
                }
                None => {
                    pending.push('$');
                    None
                }
            },
            other => {
                pending.push(other);
                None
            }
        };
        if let Some(atom) = atom {
            finish_text(&mut pending, pieces.last_mut());
            if let Some(piece) = pieces.last_mut() {
                piece.push(atom);
            }
        }
        rest = after;
    }
    finish_text(&mut pending, pieces.last_mut());
    pieces
}

fn finish_text(pending: &mut String, piece: Option<&mut Vec<Atom>>) {
    if let Some(piece) = piece
        && !pending.is_empty()
    {
        piece.push(Atom::Text(std::mem::take(pending).into()));
    }
}

/// What stands between `${` and `}`.
pub(crate) enum Reference {
    /// `${*}`, `${?}`, `${$}`: that character itself.
    Escape(char),
    Variable(Variable),
}

/// Reads one `${…}` at the start of `text`, with what follows it. `None` where the text is not one:
/// AWS then takes the characters as they are.
pub(crate) fn parse_variable(text: &str) -> Option<(Reference, &str)> {
    let inner = text.strip_prefix("${")?;
    for escaped in ['*', '?', '$'] {
        if let Some(behind) = inner.strip_prefix(escaped).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Reference::Escape(escaped), behind));
        }
    }
    // Only as far as the next `${`: a text full of unclosed ones is read in linear time.
    let reach = inner.find("${").unwrap_or(inner.len());
    let end = inner.get(..reach)?.find([',', '}'])?;
    let key = inner.get(..end)?.trim();
    if key.is_empty() {
        return None;
    }
    let key = key.to_lowercase().into_boxed_str();
    let behind = inner.get(end..)?;
    if let Some(behind) = behind.strip_prefix('}') {
        return Some((Reference::Variable(Variable { key, default: None }), behind));
    }
    let quoted = behind.strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let (default, behind) = quoted.split_once('\'')?;
    let behind = behind.trim_start().strip_prefix('}')?;
    Some((Reference::Variable(Variable { key, default: Some(default.into()) }), behind))
}

/// The keys of all variables in a text.
pub(crate) fn variable_keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(from) = rest.find("${").and_then(|at| rest.get(at..)) {
        rest = match parse_variable(from) {
            Some((Reference::Variable(variable), behind)) => {
                keys.push(variable.key.into());
                behind
            }
            Some((Reference::Escape(_), behind)) => behind,
            None => from.get(2..).unwrap_or(""),
        };
    }
    keys
}

/// The same keys as they are written.
pub(crate) fn written_variable_keys(text: &str) -> Vec<String> {
    let starts = text.match_indices("${").filter_map(|(at, _)| text.get(at..));
    let variables =
        starts.filter(|from| matches!(parse_variable(from), Some((Reference::Variable(_), _))));
    let key = |from: &str| {
        let inner = from.get(2..)?;
        Some(inner.get(..inner.find([',', '}'])?)?.trim().to_owned())
    };
    variables.filter_map(key).collect()
}

fn simplify(pieces: Vec<Vec<Atom>>) -> Shape {
    match pieces.as_slice() {
        [single] => match single.as_slice() {
            [] => return Shape::Literal(Box::default()),
            [Atom::Text(text)] => return Shape::Literal(text.clone()),
            _ => {}
        },
        [first, rest @ ..] if rest.iter().all(Vec::is_empty) => match first.as_slice() {
            [] => return Shape::Anything,
            [Atom::Text(text)] => return Shape::Prefix(text.clone()),
            _ => {}
        },
        _ => {}
    }
    // Empty pieces between two stars say nothing; those at the ends say "not anchored".
    let last = pieces.len() - 1;
    let kept = pieces.into_iter().enumerate();
    let kept = kept.filter(|(index, piece)| *index == 0 || *index == last || !piece.is_empty());
    Shape::Pieces(kept.map(|(_, piece)| piece.into_boxed_slice()).collect())
}

fn starts_like(pieces: &[Box<[Atom]>], text: &str) -> bool {
    match pieces.first().and_then(|piece| piece.first()) {
        Some(Atom::Text(lead)) => text.starts_with(&**lead),
        _ => true,
    }
}

fn match_pieces(pieces: &[Box<[Atom]>], text: &str, values: &[Cow<'_, str>]) -> bool {
    let [first, rest @ ..] = pieces else { return false };
    let Some(mut text) = strip_front(first, text, values) else { return false };
    let [middle @ .., last] = rest else { return text.is_empty() };
    let Some(shorter) = strip_back(last, text, values) else { return false };
    text = shorter;
    for piece in middle {
        match find(piece, text, values) {
            Some(behind) => text = behind,
            None => return false,
        }
    }
    true
}

fn strip_front<'t>(piece: &[Atom], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
    let mut rest = text;
    for atom in piece {
        rest = match atom {
            Atom::AnyCharacter => {
                let mut characters = rest.chars();
                characters.next()?;
                characters.as_str()
            }
            Atom::Text(_) | Atom::Value(_) => rest.strip_prefix(atom_text(atom, values))?,
        };
    }
    Some(rest)
}

fn strip_back<'t>(piece: &[Atom], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
    let mut rest = text;
    for atom in piece.iter().rev() {
        rest = match atom {
            Atom::AnyCharacter => {
                let mut characters = rest.chars();
                characters.next_back()?;
                characters.as_str()
            }
            Atom::Text(_) | Atom::Value(_) => rest.strip_suffix(atom_text(atom, values))?,
        };
    }
    Some(rest)
}

/// Finds the leftmost place where the piece matches and returns what follows it.
fn find<'t>(piece: &[Atom], text: &'t str, values: &[Cow<'_, str>]) -> Option<&'t str> {
    let mut from = text;
    loop {
        if let Some(Atom::Text(lead)) = piece.first() {
            let at = memchr::memmem::find(from.as_bytes(), lead.as_bytes())?;
            from = from.get(at..)?;
        }
        if let Some(behind) = strip_front(piece, from, values) {
            return Some(behind);
        }
        let mut characters = from.chars();
        characters.next()?;
        from = characters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ContextKeys, NoKeys};
    use proptest::prelude::*;

    struct Keys;

    impl ContextKeys for Keys {
        fn get(&self, key: &str) -> Lookup<'_> {
            match key {
                "a" => Lookup::one("x*y"),
                "b" => Lookup::one(""),
                "many" => Lookup::many(["x"]),
                "lost" => Lookup::Unresolvable,
                _ => Lookup::Absent,
            }
        }
    }

    const GLOB: Syntax = Syntax { wildcards: true, variables: true };

    fn check(pattern: &str, text: &str, expected: Truth) {
        let compiled = Pattern::compile(pattern, GLOB);
        assert_eq!(compiled.matches(text, &Asked::new(&Keys)), expected, "{pattern} on {text}");
    }

    #[test]
    fn wildcards() {
        for (pattern, text) in
            [("*", ""), ("*", "abc"), ("a*", "a"), ("a*c", "abbc"), ("**a**", "a"), ("?", "é")]
        {
            check(pattern, text, Truth::Yes);
        }
        for (pattern, text) in
            [("a", "b"), ("a*a", "a"), ("?", ""), ("a*b*c", "acb"), ("*?", ""), ("ab*ba", "aba")]
        {
            check(pattern, text, Truth::No);
        }
    }

    #[test]
    fn variables() {
        check("${a}", "x*y", Truth::Yes);
        check("${A}", "x*y", Truth::Yes);
        check("${a}", "xzy", Truth::No);
        check("*-${a}-*", "1-x*y-2", Truth::Yes);
        check("${b}", "", Truth::Yes);
        check("${none}", "", Truth::No);
        check("${none, 'd'}", "d", Truth::Yes);
        check("${ none , 'd' }", "d", Truth::Yes);
        check("${many, 'd'}", "d", Truth::Yes);
        check("${many}", "x", Truth::No);
        check("${a}${a}${a}${a}${b}${none, 'e'}", "x*yx*yx*yx*ye", Truth::Yes);
        check("${*}${?}${$}", "*?$", Truth::Yes);
        check("${*}", "a", Truth::No);
    }

    #[test]
    fn what_cannot_be_resolved() {
        check("${lost}", "a", Truth::Unresolvable);
        check("b/${lost}", "b/a", Truth::Unresolvable);
        check("b/${lost}", "c/a", Truth::No);
        check("${lost}${none}", "a", Truth::No);
    }

    #[test]
    fn malformed_variables_are_text() {
        for text in ["${", "${a", "$a", "${}", "${a,b}", "${a,'b}", "$"] {
            check(text, text, Truth::Yes);
        }
    }

    #[test]
    fn unclosed_variables_stay_fast() {
        let text = "${".repeat(100_000);
        check(&text, &text, Truth::Yes);
        assert!(variable_keys(&text).is_empty());
    }

    #[test]
    fn long_text_and_many_stars_stay_fast() {
        let pattern = Pattern::compile(&"a*".repeat(200), GLOB);
        let mut text = "a".repeat(20_000);
        assert_eq!(pattern.matches(&text, &Asked::new(&NoKeys)), Truth::Yes);
        let pattern = Pattern::compile(&format!("{}b", "a*?".repeat(200)), GLOB);
        text.push('c');
        assert_eq!(pattern.matches(&text, &Asked::new(&NoKeys)), Truth::No);
    }

    /// The definition: a star is any text, tried from the shortest to the longest.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            ['?', rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
            [character, rest @ ..] => text.first() == Some(character) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn equals_the_naive_matcher(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let compiled = Pattern::compile(&pattern, GLOB);
            let pattern: Vec<char> = pattern.chars().collect();
            let naive = naive(&pattern, &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(compiled.matches_plain(&text), naive);
        }

        #[test]
        fn never_panics(pattern in "\\PC*", text in "\\PC*") {
            let compiled = Pattern::compile(&pattern, GLOB);
            let keys = Asked::new(&Keys);
            let _ = compiled.matches(&text, &keys);
            let _ = compiled.matches_ignoring_case(&text, &keys);
        }
    }
}
