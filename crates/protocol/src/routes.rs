//! Which operation of a rest service a method and path name.
//!
//! Most operations differ by path. S3's do not: there, fixed query keys (`?acl`), then required
//! query parameters (`uploadId`) and required headers (`x-amz-copy-source`) tell them apart.

use crate::percent::{self, Place};
use crate::request::Labels;
use http::HeaderMap;
use palisade_shape::{Location, Operation, Service};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Label(&'static str),
    Greedy(&'static str),
}

#[derive(Debug)]
struct Route {
    operation: &'static Operation,
    /// Literals before labels before greedy labels, place by place.
    rank: Vec<u8>,
    segments: Vec<Segment>,
    /// Keys, and values where the template has one.
    query: Vec<(&'static str, Option<&'static str>)>,
    wanted_queries: Vec<&'static str>,
    wanted_headers: Vec<&'static str>,
}

/// All routes of one service, by method.
#[derive(Debug)]
pub struct Routes {
    by_method: BTreeMap<&'static str, Vec<Route>>,
}

impl Routes {
    /// The routes of a service's operations, the most specific first.
    pub fn new(service: &'static Service) -> Self {
        let mut by_method: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
        for operation in service.operations {
            by_method.entry(operation.method.name()).or_default().push(Route::new(operation));
        }
        for routes in by_method.values_mut() {
            routes.sort_by(|left, right| left.rank.cmp(&right.rank));
        }
        Self { by_method }
    }

    /// The operation, and its labels decoded. `None` when nothing fits, or when the path holds a
    /// broken escape. `raw_path` begins with a slash and is as it was sent.
    pub fn find(
        &self,
        method: &http::Method,
        raw_path: &str,
        raw_query: &str,
        headers: &HeaderMap,
    ) -> Option<(&'static Operation, Labels)> {
        let routes = self.by_method.get(method.as_str())?;
        let path: Vec<&str> = raw_path.strip_prefix('/').unwrap_or(raw_path).split('/').collect();
        let mut best: Option<(&Route, u64)> = None;
        for route in routes {
            // Sorted by rank: what follows the best one's rank is less specific.
            if best.is_some_and(|(chosen, _)| chosen.rank < route.rank) {
                break;
            }
            let fixed = |(key, value): &(&str, Option<&str>)| has(raw_query, key, *value);
            if !route.fits(&path) || !route.query.iter().all(fixed) {
                continue;
            }
            let score = route.score(raw_query, headers);
            // S3 replaced `GetBucketLifecycle` by `GetBucketLifecycleConfiguration` and others
            // likewise: the longer name is the later one.
            let better = |(chosen, highest): (&Route, u64)| {
                let successor = route.operation.name.starts_with(chosen.operation.name);
                score > highest || (score == highest && successor)
            };
            if best.is_none_or(better) {
                best = Some((route, score));
            }
        }
        let (route, _) = best?;
        Some((route.operation, route.labels(&path)?))
    }
}

impl Route {
    fn new(operation: &'static Operation) -> Self {
        let (path, query) = operation.uri.split_once('?').unwrap_or((operation.uri, ""));
        let path = path.strip_prefix('/').unwrap_or(path);
        let located = |location: Location| {
            let members = operation.input.members.iter();
            let wanted = members.filter(move |member| {
                member.location == location
                    && member.is_required()
                    && !member.wire_name().is_empty()
            });
            wanted.map(|member| member.wire_name()).collect()
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(split_pair);
        let segments: Vec<Segment> = path.split('/').map(segment).collect();
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Label(_) => 1,
            Segment::Greedy(_) => 2,
        };
        Self {
            operation,
            // The end sorts last: `/{name+}/policy` is more specific than `/{name+}`.
            rank: segments.iter().map(rank).chain([3]).collect(),
            segments,
            query: query.filter(|(key, _)| *key != "x-id").collect(),
            wanted_queries: located(Location::Query),
            wanted_headers: located(Location::Header),
        }
    }

    /// Calls `take` with each segment and the parts of the path that it covers; false when the
    /// path is too short or too long, or `take` says so.
    fn walk<'p>(
        &self,
        path: &'p [&'p str],
        mut take: impl FnMut(Segment, &'p [&'p str]) -> bool,
    ) -> bool {
        let greedy = self.segments.iter().any(|part| matches!(part, Segment::Greedy(_)));
        // `/bucket/` names what `/bucket` does; in a key the last slash counts.
        let path = match path {
            [rest @ .., ""] if !greedy && rest.len() == self.segments.len() => rest,
            _ => path,
        };
        let Some(extra) = path.len().checked_sub(self.segments.len()) else { return false };
        if extra > 0 && !greedy {
            return false;
        }
        let mut rest = path;
        self.segments.iter().all(|segment| {
            let length = if matches!(segment, Segment::Greedy(_)) { extra + 1 } else { 1 };
            let Some((parts, tail)) = rest.split_at_checked(length) else { return false };
            rest = tail;
            take(*segment, parts)
        })
    }

    fn fits(&self, path: &[&str]) -> bool {
        self.walk(path, |segment, parts| match segment {
            Segment::Literal(text) => parts == [text],
            // A label is never empty, but a key may be all slashes.
            Segment::Label(_) | Segment::Greedy(_) => parts != [""],
        })
    }

    /// The labels decoded; `None` when one holds a broken escape.
    fn labels(&self, path: &[&str]) -> Option<Labels> {
        let mut labels = Labels::new();
        let whole = self.walk(path, |segment, parts| match segment {
            Segment::Literal(_) => true,
            Segment::Label(name) | Segment::Greedy(name) => {
                let text = parts.join("/");
                let decoded = percent::decode(&text, Place::Path);
                labels.extend(decoded.as_deref().map(|text| (name, text.to_owned())));
                decoded.is_some()
            }
        });
        whole.then_some(labels)
    }

    /// How well the request fits beyond its path; the name in `x-id` decides.
    fn score(&self, raw_query: &str, headers: &HeaderMap) -> u64 {
        let queries = self.wanted_queries.iter();
        let missing_queries = queries.filter(|key| !has(raw_query, key, None)).count();
        let headers_missing =
            self.wanted_headers.iter().filter(|name| !headers.contains_key(**name)).count();
        let wanted = self.wanted_queries.len() + self.wanted_headers.len();
        let missing = missing_queries + headers_missing;
        let named = has(raw_query, "x-id", Some(self.operation.name));
        let fixed = self.query.len();
        let count = |value: usize| u64::try_from(value).unwrap_or(0).min(255);
        // All wanted parts there beats some missing; then more parts beat fewer.
        let whole = u64::from(missing == 0);
        let parts = if missing == 0 { count(wanted) } else { 255 - count(missing) };
        (u64::from(named) << 32) | (count(fixed) << 24) | (whole << 16) | parts
    }
}

fn split_pair(pair: &'static str) -> (&'static str, Option<&'static str>) {
    match pair.split_once('=') {
        Some((key, value)) if !value.is_empty() => (key, Some(value)),
        Some((key, _)) => (key, None),
        None => (pair, None),
    }
}

fn segment(text: &'static str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name),
            None => Segment::Label(name),
        },
        None => Segment::Literal(text),
    }
}

/// Whether a query string has a key, with that value when one is given.
fn has(raw_query: &str, key: &str, value: Option<&str>) -> bool {
    raw_query.split('&').any(|pair| {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let is = |raw: &str, wanted: &str| {
            raw == wanted || percent::decode(raw, Place::Form).is_some_and(|raw| raw == wanted)
        };
        is(name, key) && value.is_none_or(|value| is(text, value))
    })
}

/// The bucket in a virtual-hosted S3 address (`bucket.s3.eu-west-1.amazonaws.com`), or `None`
/// when the host names the endpoint itself. `domains` are the endpoint's own host names, such as
/// `s3.localhost`, without a port.
pub fn bucket_of_host<'a>(host: &'a str, domains: &[&str]) -> Option<&'a str> {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    for domain in domains {
        if let Some(bucket) = strip_suffix_ignoring_case(host, domain) {
            return bucket.strip_suffix('.').filter(|bucket| !bucket.is_empty());
        }
    }
    let lower = host.to_ascii_lowercase();
    let is_aws = lower.ends_with(".amazonaws.com") || lower.ends_with(".amazonaws.com.cn");
    let marks = [".s3.", ".s3-"];
    let at = marks.iter().filter_map(|mark| lower.rfind(mark)).max()?;
    if is_aws { host.get(..at).filter(|bucket| !bucket.is_empty()) } else { None }
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let tail = text.get(at..)?;
    if tail.eq_ignore_ascii_case(suffix) { text.get(..at) } else { None }
}

/// The labels of an operation's host prefix (`{AccountId}.`), from the host a request was sent
/// to; empty when it has none or the host does not begin so.
pub fn host_labels(operation: &'static Operation, host: &str) -> Labels {
    let mut labels = Labels::new();
    let mut rest = host;
    let mut template = operation.host_prefix;
    while !template.is_empty() {
        let (literal, after) = template.split_once('{').unwrap_or((template, ""));
        let Some(tail) = rest.strip_prefix(literal) else { return Labels::new() };
        rest = tail;
        if after.is_empty() {
            break;
        }
        let Some((name, next)) = after.split_once('}') else { return Labels::new() };
        // A label ends where the template's next literal begins.
        let literal = next.split('{').next().unwrap_or_default();
        let end = if literal.is_empty() { rest.find('.') } else { rest.find(literal) };
        let Some((value, tail)) = end.and_then(|end| rest.split_at_checked(end)) else {
            return Labels::new();
        };
        if value.is_empty() {
            return Labels::new();
        }
        labels.push((name, value.to_owned()));
        rest = tail;
        template = next;
    }
    labels
}
