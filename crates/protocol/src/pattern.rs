//! The patterns of API models, which are written for Java and ECMAScript, as Rust's.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, RwLock};

/// Repetitions of Unicode classes make large programs; this many bytes hold all that AWS has.
const PROGRAM_BYTES_MAX: usize = 64 << 20;
const BACKTRACKS_MAX: usize = 100_000;

#[derive(Debug)]
enum Matcher {
    /// Linear in time.
    Automaton(regex::Regex),
    /// Has look-around; bounded by a number of steps.
    Backtracking(fancy_regex::Regex),
    /// No engine here can compile it: values are not checked. A test lists all of these.
    Unsupported,
}

type Cache = RwLock<BTreeMap<(usize, usize), Arc<Matcher>>>;

fn cache() -> &'static Cache {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    CACHE.get_or_init(Cache::default)
}

/// Whether the whole value matches. The pattern is compiled on its first use and then kept, by
/// its address, which is that of one table row for the life of the process.
pub fn matches(pattern: &'static str, value: &str) -> bool {
    let key = (pattern.as_ptr().addr(), pattern.len());
    let found = cache().read().ok().and_then(|cache| cache.get(&key).cloned());
    let matcher = found.unwrap_or_else(|| {
        let compiled = Arc::new(compile(pattern));
        if let Ok(mut cache) = cache().write() {
            cache.insert(key, Arc::clone(&compiled));
        }
        compiled
    });
    match matcher.as_ref() {
        Matcher::Automaton(regex) => regex.is_match(value),
        // A value that makes the search give up is refused: it was not shown to match.
        Matcher::Backtracking(regex) => regex.is_match(value).unwrap_or(false),
        Matcher::Unsupported => true,
    }
}

/// Whether values are checked against the pattern at all.
pub fn is_supported(pattern: &str) -> bool {
    !matches!(compile(pattern), Matcher::Unsupported)
}

fn compile(pattern: &str) -> Matcher {
    let whole = format!("\\A(?:{})\\z", translate(pattern));
    let plain = regex::RegexBuilder::new(&whole).size_limit(PROGRAM_BYTES_MAX).build();
    if let Ok(regex) = plain {
        return Matcher::Automaton(regex);
    }
    let fancy = fancy_regex::RegexBuilder::new(&whole)
        .delegate_size_limit(PROGRAM_BYTES_MAX)
        .backtrack_limit(BACKTRACKS_MAX)
        .build();
    fancy.map_or(Matcher::Unsupported, Matcher::Backtracking)
}

/// Java's and ECMAScript's spelling in Rust's.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut letters = pattern.chars().peekable();
    let mut class_depth = 0_usize;
    let mut class_start = false;
    while let Some(letter) = letters.next() {
        let at_start = std::mem::take(&mut class_start);
        match letter {
            '\\' => escape(&mut letters, &mut out, class_depth > 0),
            '[' if class_depth == 0 => {
                class_depth = 1;
                class_start = true;
                out.push('[');
                if letters.peek() == Some(&'^') {
                    letters.next();
                    out.push('^');
                }
            }
            // ECMAScript takes an inner bracket for itself; Java's nested classes AWS never uses.
            '[' => out.push_str("\\["),
            ']' if class_depth > 0 && !at_start => {
                class_depth = 0;
                out.push(']');
            }
            ']' => out.push_str("\\]"),
            // These would be set operations in Rust when doubled.
            '&' | '~' if class_depth > 0 => {
                out.push('\\');
                out.push(letter);
            }
            '-' if class_depth > 0 && letters.peek() == Some(&'-') => out.push_str("\\-"),
            '{' if class_depth == 0 && !is_repetition(letters.clone()) => out.push_str("\\{"),
            '}' if class_depth == 0 && !ends_repetition(&out) => out.push_str("\\}"),
            other => out.push(other),
        }
    }
    out
}

fn is_repetition(rest: impl Iterator<Item = char>) -> bool {
    let inside: String = rest.take_while(|letter| *letter != '}').take(24).collect();
    inside.starts_with(|letter: char| letter.is_ascii_digit())
        && inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}

fn ends_repetition(before: &str) -> bool {
    let open = before.rsplit('{').next().unwrap_or_default();
    before.contains('{')
        && open.starts_with(|letter: char| letter.is_ascii_digit())
        && open.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}

/// Classes of Java's `\p{…}` that Rust calls otherwise, as the inside of a bracket.
const JAVA_CLASSES: &[(&str, &str)] = &[
    ("Alpha", "[:alpha:]"),
    ("Alnum", "[:alnum:]"),
    ("Digit", "[:digit:]"),
    ("Lower", "[:lower:]"),
    ("Upper", "[:upper:]"),
    ("Punct", "[:punct:]"),
    ("Graph", "[:graph:]"),
    ("Print", "[:print:]"),
    ("Space", "[:space:]"),
    ("Blank", "[:blank:]"),
    ("Cntrl", "[:cntrl:]"),
    ("XDigit", "[:xdigit:]"),
    ("ASCII", "[:ascii:]"),
    ("IsAlphabetic", "\\p{Alphabetic}"),
    ("IsDigit", "\\p{Nd}"),
    ("IsLatin", "\\p{Latin}"),
    ("IsPunctuation", "\\p{P}"),
    ("IsWhite_Space", "\\p{White_Space}"),
];

fn escape(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
    in_class: bool,
) {
    let Some(letter) = letters.next() else { return out.push_str("\\\\") };
    match letter {
        'u' => code_point(letters, out, 4),
        'x' if letters.peek() != Some(&'{') => code_point(letters, out, 2),
        'p' | 'P' if letters.peek() == Some(&'{') => {
            letters.next();
            let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
            match JAVA_CLASSES.iter().find(|(java, _)| *java == name) {
                Some((_, class)) if letter == 'p' && in_class => out.push_str(class),
                Some((_, class)) => {
                    out.push_str(if letter == 'p' { "[" } else { "[^" });
                    out.push_str(class);
                    out.push(']');
                }
                None => {
                    out.push('\\');
                    out.push(letter);
                    out.push('{');
                    out.push_str(name.strip_prefix("Is").unwrap_or(&name));
                    out.push('}');
                }
            }
        }
        // Java and ECMAScript mean ASCII by these.
        'd' => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
        'w' => out.push_str(if in_class { "A-Za-z0-9_" } else { "[A-Za-z0-9_]" }),
        's' => out.push_str(if in_class { WHITE } else { "[ \\t\\n\\x0B\\x0C\\r]" }),
        'D' => out.push_str("[^0-9]"),
        'W' => out.push_str("[^A-Za-z0-9_]"),
        'S' => out.push_str("[^ \\t\\n\\x0B\\x0C\\r]"),
        // Java's end of text before a final newline: names never end in one, so the end proper.
        'Z' => out.push_str("\\z"),
        'h' => out.push_str(if in_class { " \\t" } else { "[ \\t]" }),
        'b' if in_class => out.push_str("\\x08"),
        'b' | 'B' | 'A' | 'z' | 'n' | 'r' | 't' | 'f' | 'v' | 'x' | '0'..='9' => {
            out.push('\\');
            out.push(letter);
        }
        other if other.is_ascii_alphabetic() => out.push(other),
        other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
    }
}

const WHITE: &str = " \\t\\n\\x0B\\x0C\\r";

/// `\uXXXX` and `\xXX`, and surrogate pairs as one character.
fn code_point(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
    digits: usize,
) {
    let Some(first) = take_hex(letters, digits) else { return };
    let mut code = first;
    if (0xd800..0xdc00).contains(&first) {
        let mut ahead = letters.clone();
        let follows = ahead.next() == Some('\\') && ahead.next() == Some('u');
        if let (true, Some(second)) = (follows, take_hex(&mut ahead, 4)) {
            code = 0x1_0000 + ((first - 0xd800) << 10) + (second.saturating_sub(0xdc00) & 0x3ff);
            *letters = ahead;
        } else {
            // A class that ends at a lone surrogate ends before all of them.
            code = 0xd7ff;
        }
    } else if (0xdc00..0xe000).contains(&first) {
        code = 0xe000;
    }
    out.push_str(&format!("\\x{{{code:x}}}"));
}

fn take_hex(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: usize) -> Option<u32> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + letters.next()?.to_digit(16)?;
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_whole_values_in_java_spelling() {
        let cases: &[(&str, &str, bool)] = &[
            ("[\\w+=,.@-]+", "app-user@x", true),
            ("[\\w+=,.@-]+", "x y", false),
            ("[\\w+=,.@-]+", "é", false),
            ("[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", "a\tb", true),
            (
                "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*",
                "a😀",
                true,
            ),
            ("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Größe 1", true),
            ("[\\p{Alnum}]+", "a1", true),
            ("\\p{Alpha}+", "a1", false),
            ("^[0-9]{12}$", "123456789012", true),
            ("^[0-9]{12}$", "1234567890123", false),
            ("(?!.*--)[a-z-]+", "a-b", true),
            ("(?!.*--)[a-z-]+", "a--b", false),
            ("[^\\x00-\\x1F\\x7F]+", "ok", true),
            ("arn:[^:\\n]+:{0,1}", "arn:x:", true),
            ("\\{.*\\}", "{a}", true),
            ("[a-z[]+", "a[", true),
            ("a|bc", "ab", false),
            ("[\\S\\s]*", "a b\n", true),
            ("[&&~~]+", "&~", true),
            ("$^", "", true),
        ];
        for (pattern, value, expected) in cases {
            assert_eq!(matches(pattern, value), *expected, "{pattern} on {value}");
            assert!(is_supported(pattern), "{pattern}");
        }
    }
}
