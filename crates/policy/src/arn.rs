//! Amazon Resource Names: six fields, read without copying.
//!
//! Source: "Amazon Resource Names (ARNs)", AWS General Reference.

use std::fmt;

/// The six fields of an ARN, borrowed from the text they were read from.
///
/// `arn:partition:service:region:account:resource`. Any field but the resource may be empty
/// (`arn:aws:s3:::bucket`); the resource may itself hold colons and slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// The service's ARN name, for example `s3`.
    pub service: &'a str,
    /// Empty where the resource belongs to no region.
    pub region: &'a str,
    /// The owning account's twelve digits, `aws` for what AWS owns, or empty.
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN; `None` when the text has fewer than six fields or does not begin with `arn:`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("arn:")?;
        let mut colons = memchr::memchr_iter(b':', rest.as_bytes());
        let partition = colons.next()?;
        let service = colons.next()?;
        let region = colons.next()?;
        let account = colons.next()?;
        Some(Self {
            partition: rest.get(..partition)?,
            service: rest.get(partition + 1..service)?,
            region: rest.get(service + 1..region)?,
            account: rest.get(region + 1..account)?,
            resource: rest.get(account + 1..)?,
        })
    }

    /// The account field when it is an account id, that is twelve digits.
    #[must_use]
    pub fn account_id(&self) -> Option<&'a str> {
        is_account_id(self.account).then_some(self.account)
    }

    /// The resource's type: what stands before its first `/` or `:`, or `None` when it has neither.
    #[must_use]
    pub fn resource_type(&self) -> Option<&'a str> {
        self.split_resource().map(|(kind, _)| kind)
    }

    /// The resource split at its first `/` or `:` into type and the rest.
    ///
    /// `role/team/Reader` is `("role", "team/Reader")`; `bucket` is `None`.
    #[must_use]
    pub fn split_resource(&self) -> Option<(&'a str, &'a str)> {
        self.resource.split_once(['/', ':'])
    }

    /// The last part of the resource: `Reader` of `role/team/Reader`.
    #[must_use]
    pub fn resource_name(&self) -> &'a str {
        self.resource.rsplit(['/', ':']).next().unwrap_or(self.resource)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// Whether the text is an account id: exactly twelve ASCII digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<[&str; 5]>) {
        let fields = Arn::parse(text)
            .map(|arn| [arn.partition, arn.service, arn.region, arn.account, arn.resource]);
        assert_eq!(fields, expected, "{text}");
        if let Some(arn) = Arn::parse(text) {
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn six_fields() {
        check("arn:aws:s3:::bucket/key", Some(["aws", "s3", "", "", "bucket/key"]));
        check(
            "arn:aws:sqs:eu-west-1:111122223333:queue",
            Some(["aws", "sqs", "eu-west-1", "111122223333", "queue"]),
        );
        check(
            "arn:aws:lambda:eu-west-1:111122223333:function:f:7",
            Some(["aws", "lambda", "eu-west-1", "111122223333", "function:f:7"]),
        );
        check("arn:aws:s3::", None);
        check("urn:aws:s3:::bucket", None);
        check("", None);
        check("arn:::::", Some(["", "", "", "", ""]));
    }

    #[test]
    fn resource_type_and_name() {
        let arn = Arn::parse("arn:aws:iam::111122223333:role/team/Reader").unwrap();
        assert_eq!(arn.split_resource(), Some(("role", "team/Reader")));
        assert_eq!(arn.resource_type(), Some("role"));
        assert_eq!(arn.resource_name(), "Reader");
        assert_eq!(arn.account_id(), Some("111122223333"));
        let bucket = Arn::parse("arn:aws:s3:::bucket").unwrap();
        assert_eq!((bucket.split_resource(), bucket.resource_name()), (None, "bucket"));
        assert_eq!(bucket.account_id(), None);
        assert!(!is_account_id("11112222333a") && !is_account_id("1"));
    }
}
