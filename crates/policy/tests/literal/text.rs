//! Literal matching of text: globs by recursion, variables by replacement.

use serde_json::Value;

#[derive(Clone, PartialEq)]
enum Token {
    Star,
    One,
    Exactly(char),
}

/// A naive glob, without variables.
pub fn glob(pattern: &str, text: &str) -> bool {
    matches(&tokens(pattern), &text.chars().collect::<Vec<_>>())
}

fn tokens(pattern: &str) -> Vec<Token> {
    let token = |character| match character {
        '*' => Token::Star,
        '?' => Token::One,
        other => Token::Exactly(other),
    };
    pattern.chars().map(token).collect()
}

fn matches(pattern: &[Token], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Token::Star, rest)) => {
            (0..=text.len()).any(|skipped| matches(rest, &text[skipped..]))
        }
        Some((Token::One, rest)) => !text.is_empty() && matches(rest, &text[1..]),
        Some((Token::Exactly(character), rest)) => {
            text.first() == Some(character) && matches(rest, &text[1..])
        }
    }
}

/// What the request context holds under a key: `None` nothing, `Null` unresolvable.
pub fn look_up(case: &Value, key: &str) -> Option<Value> {
    let context = case.get("context")?.as_object()?;
    let found = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    found.map(|(_, value)| value.clone())
}

/// A pattern with its variables replaced: `Err(None)` unresolvable, `Err(Some(false))` no value.
fn replace(pattern: &str, wildcards: bool, case: &Value) -> Result<Vec<Token>, Option<bool>> {
    let plain = |text: &str| -> Vec<Token> {
        if wildcards { tokens(text) } else { text.chars().map(Token::Exactly).collect() }
    };
    let mut replaced = Vec::new();
    let mut unresolvable = false;
    let mut rest = pattern;
    while let Some(at) = rest.find("${") {
        replaced.extend(plain(&rest[..at]));
        let end = at + rest[at..].find('}').unwrap();
        let inside = &rest[at + 2..end];
        rest = &rest[end + 1..];
        if ["*", "?", "$"].contains(&inside) {
            replaced.extend(inside.chars().map(Token::Exactly));
            continue;
        }
        let (key, default) = match inside.split_once(',') {
            Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
            None => (inside.trim(), None),
        };
        match look_up(case, key) {
            Some(Value::String(value)) => replaced.extend(value.chars().map(Token::Exactly)),
            Some(Value::Null) => unresolvable = true,
            _ => match default {
                Some(default) => replaced.extend(default.chars().map(Token::Exactly)),
                None => return Err(Some(false)),
            },
        }
    }
    replaced.extend(plain(rest));
    if unresolvable { Err(None) } else { Ok(replaced) }
}

/// The text before the first character that is not plain.
fn lead(pattern: &str, wildcards: bool) -> &str {
    let end = pattern
        .char_indices()
        .find(|(at, character)| {
            pattern[*at..].starts_with("${") || (wildcards && ['*', '?'].contains(character))
        })
        .map_or(pattern.len(), |(at, _)| at);
    &pattern[..end]
}

pub fn pattern(
    pattern: &str,
    text: &str,
    wildcards: bool,
    variables: bool,
    case: &Value,
) -> Option<bool> {
    if !variables {
        let tokens: Vec<_> =
            if wildcards { tokens(pattern) } else { pattern.chars().map(Token::Exactly).collect() };
        return Some(matches(&tokens, &text.chars().collect::<Vec<_>>()));
    }
    if !text.starts_with(lead(pattern, wildcards)) {
        return Some(false);
    }
    match replace(pattern, wildcards, case) {
        Ok(tokens) => Some(matches(&tokens, &text.chars().collect::<Vec<_>>())),
        Err(reason) => reason,
    }
}

/// The text of a pattern without wildcards, its variables replaced.
pub fn expand(pattern: &str, variables: bool, case: &Value) -> Result<String, Option<bool>> {
    if !variables {
        return Ok(pattern.to_owned());
    }
    let tokens = replace(pattern, false, case)?;
    let character = |token: &Token| match token {
        Token::Exactly(character) => *character,
        Token::Star | Token::One => unreachable!(),
    };
    Ok(tokens.iter().map(character).collect())
}

/// Six fields at most, colons inside `${…}` not counted.
fn fields(text: &str, variables: bool) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut inside = false;
    for (at, character) in text.char_indices() {
        inside = variables && (text[at..].starts_with("${") || (inside && character != '}'));
        if character == ':' && !inside && fields.len() < 6 {
            fields.push(String::new());
        } else {
            fields.last_mut().unwrap().push(character);
        }
    }
    fields
}

pub fn arn(wanted: &str, text: &str, variables: bool, case: &Value) -> Option<bool> {
    let have = fields(text, false);
    if have.len() < 6 || have[0] != "arn" {
        return Some(false);
    }
    let mut want = fields(wanted, variables);
    if !glob(&want[0], "arn") {
        return Some(false);
    }
    while want.len() < 6 {
        want.push("*".to_owned());
    }
    super::and(want.iter().zip(&have).map(|(want, have)| {
        // The bare star is every ARN, variables or not.
        if want == "*" { Some(true) } else { pattern(want, have, true, variables, case) }
    }))
}
