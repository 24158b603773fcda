//! Cross-origin requests: which of a bucket's rules lets a web page of an origin read an answer.
//!
//! Source: Amazon S3 User Guide, "Using cross-origin resource sharing"; Fetch Standard, "CORS
//! protocol".

use super::{bucket, configuration};
use crate::context::Context;
use palisade_model::s3::CORSRule;
use palisade_shape::Result;

/// What a rule lets a page do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// `*`, or the origin itself.
    pub origin: String,
    pub methods: Vec<String>,
    /// Of those asked for.
    pub headers: Vec<String>,
    pub exposed: Vec<String>,
    pub max_age_seconds: Option<i32>,
}

/// The first rule that allows a method and headers to an origin.
pub fn allowed(
    cx: &Context,
    bucket: &str,
    origin: &str,
    method: &str,
    headers: &[&str],
) -> Result<Option<Allowed>> {
    let rules = match bucket::load(cx, bucket) {
        Ok(bucket) => configuration::cors_rules(cx, &bucket.name)?,
        Err(error) if error.code.status == 404 => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(rules.iter().find_map(|rule| applied(rule, origin, method, headers)))
}

fn applied(rule: &CORSRule, origin: &str, method: &str, headers: &[&str]) -> Option<Allowed> {
    let by_origin = rule.allowed_origins.iter().find(|pattern| matches(pattern, origin))?;
    if !rule.allowed_methods.iter().any(|allowed| allowed == method) {
        return None;
    }
    let patterns = rule.allowed_headers.as_deref().unwrap_or_default();
    let known = |name: &&str| {
        let name = name.to_ascii_lowercase();
        patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &name))
    };
    if !headers.iter().all(known) {
        return None;
    }
    Some(Allowed {
        origin: if by_origin == "*" { "*" } else { origin }.to_owned(),
        methods: rule.allowed_methods.clone(),
        headers: headers.iter().map(|name| (*name).to_owned()).collect(),
        exposed: rule.expose_headers.clone().unwrap_or_default(),
        max_age_seconds: rule.max_age_seconds,
    })
}

/// A pattern with at most one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let text = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let rule = CORSRule {
            allowed_methods: text(&["GET", "PUT"]),
            allowed_origins: text(&["https://*.example.com"]),
            allowed_headers: Some(text(&["x-amz-*", "Content-Type"])),
            ..CORSRule::default()
        };
        let check = |origin: &str, method: &str, headers: &[&str], expected: bool| {
            let found = applied(&rule, origin, method, headers).is_some();
            assert_eq!(found, expected, "{origin} {method} {headers:?}");
        };
        check("https://a.example.com", "GET", &[], true);
        check("https://a.example.com", "PUT", &["X-Amz-Date", "content-type"], true);
        check("https://a.example.com", "DELETE", &[], false);
        check("https://a.example.com", "PUT", &["authorization"], false);
        check("http://a.example.com", "GET", &[], false);
        check("https://.example.com.evil", "GET", &[], false);
    }
}
