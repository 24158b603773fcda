//! What of a request enters its signature, borrowed from wherever the listener keeps it.

use super::error::Error;

/// The parts of a request that a signature covers, exactly as they were received. Nothing in here
/// has been decoded, normalized or reordered.
///
/// `headers` is a slice of borrowed pairs: from hyper's `HeaderMap` it is
/// `map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Vec<_>>()`, which
/// copies pointers only. Names are compared ignoring ASCII case; repeated names keep their order.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The path of the request target, still percent-encoded. Empty means `/`.
    pub path: &'a [u8],
    /// What follows `?` in the request target, still percent-encoded; empty without a query.
    pub query: &'a [u8],
    /// Every header field, a repeated one repeatedly.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// HTTP/2's `:authority`, or the authority of an absolute-form target. It stands in for
    /// `Host` where that header is missing and must equal it where it is not.
    pub authority: Option<&'a [u8]>,
}

impl<'a> RequestParts<'a> {
    /// The values of a header, in the order received. `host` falls back on the authority.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let fits = move |field: &&'a (&'a str, &'a [u8])| field.0.eq_ignore_ascii_case(name);
        let missing = self.authority.filter(|_| {
            name.eq_ignore_ascii_case("host") && !self.headers.iter().any(|field| fits(&field))
        });
        self.headers.iter().filter(fits).map(|field| field.1).chain(missing)
    }

    /// The value of a header that may be sent once only.
    ///
    /// # Errors
    /// [`Error::RepeatedParameter`] when it was sent more than once: two readers could then
    /// disagree about which value counts.
    pub fn single(&self, name: &'static str) -> Result<Option<&'a [u8]>, Error> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Error::RepeatedParameter { name }),
        }
    }

    /// Refuses a request whose `Host` is repeated or differs from its `:authority`: it would be
    /// signed for one host and routed to another.
    pub(super) fn check_host(&self) -> Result<(), Error> {
        match (self.single("host")?, self.authority) {
            (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
                Err(Error::RepeatedParameter { name: "host" })
            }
            _ => Ok(()),
        }
    }

    /// The pairs of the query, undecoded, without empty segments.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let segments = self.query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        segments.map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (pair.get(..at).unwrap_or(pair), pair.get(at + 1..).unwrap_or_default()),
            None => (pair, &[][..]),
        })
    }
}
