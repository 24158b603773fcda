//! The values of conditions.

use super::Analysis;
use super::glob::has_wildcard;
use super::outline::{Clause, Sheet, Text};
use super::region;
use crate::arn::{Arn, is_account_id};
use crate::finding::Severity;
use crate::operator::{Family, Operator, Quantifier, Relation};
use crate::value::{Decimal, parse_binary, parse_bool, parse_date, parse_network};
use ipnet::IpNet;

/// Keys whose values are names of services.
const SERVICE_NAMES: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "iam:awsservicename",
    "iam:passedtoservice",
];

impl Analysis<'_, '_> {
    pub(super) fn condition_values(&mut self, sheet: &Sheet<'_>) {
        for clause in &sheet.clauses {
            let Some(operator) = clause.operator else { continue };
            if clause.values.is_empty() {
                if self.text.get(clause.span.start..).is_some_and(|text| text.starts_with('[')) {
                    self.no_values(clause, operator);
                }
                continue;
            }
            for value in &clause.values {
                self.typed(clause, operator, value);
                self.wildcards(clause, operator, value);
                self.value_of_key(clause, value);
            }
            self.addresses(clause, operator);
            self.several(clause, operator);
            self.any_value(clause, operator);
        }
    }

    /// A value that can never be of its operator's type.
    fn typed(&mut self, clause: &Clause<'_>, operator: Operator, value: &Text<'_>) {
        use Family::{Arn, StringEquals, StringEqualsIgnoreCase, StringLike};
        let (text, name) = (&*value.text, clause.name);
        if text.contains("${") {
            let string =
                matches!(operator.family, Arn | StringEquals | StringEqualsIgnoreCase | StringLike);
            if !string {
                let message = "Policy variables can only be used with String and ARN operators.";
                self.findings.error("INVALID_VARIABLE_FOR_OPERATOR", value.span, message);
            }
            return;
        }
        let mut warn = |code, message: String| self.findings.warning(code, value.span, message);
        match operator.family {
            Family::Bool | Family::Null if parse_bool(text).is_none() => warn(
                "TYPE_MISMATCH_BOOLEAN",
                format!(
                    "Add a valid Boolean value (true or false) for the condition operator {name}."
                ),
            ),
            Family::Numeric(_) if Decimal::parse(text).is_none() => warn(
                "TYPE_MISMATCH_NUMBER",
                format!("Add a valid numeric value for the condition operator {name}."),
            ),
            Family::Binary if parse_binary(text).is_none() => warn(
                "TYPE_MISMATCH_STRING",
                format!(
                    "Add a valid base64-encoded string value for the condition operator {name}."
                ),
            ),
            Family::Date(_) if parse_date(text).is_none() => warn(
                "TYPE_MISMATCH_DATE",
                "The date condition operator is used with an invalid value. Specify a valid date \
                 using YYYY-MM-DD or other ISO 8601 date/time format."
                    .to_owned(),
            ),
            Family::Date(_) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
                warn(
                    "INVALID_DATE_VALUE",
                    format!(
                        "The date {text} might not resolve as expected. We recommend that you use \
                         the YYYY-MM-DD format."
                    ),
                );
            }
            Family::IpAddress => self.address(clause, value),
            _ => {}
        }
    }

    fn address(&mut self, clause: &Clause<'_>, value: &Text<'_>) {
        let Some(network) = parse_network(&value.text) else {
            let message = format!(
                "The condition operator {} is used with an invalid IP range value. Specify the IP \
                 range in standard CIDR format.",
                clause.name
            );
            self.findings.error("TYPE_MISMATCH_IP_RANGE", value.span, message);
            return;
        };
        if network.trunc() != network {
            let message = format!(
                "The non-zero bits in the IP address after the masked bits are ignored. Replace \
                 address with {}.",
                network.trunc()
            );
            self.findings.suggestion("IMPROVE_IP_RANGE", value.span, message);
        }
    }

    /// `aws:SourceIp` with addresses that no request comes from.
    fn addresses(&mut self, clause: &Clause<'_>, operator: Operator) {
        if operator.family != Family::IpAddress || clause.lower != "aws:sourceip" {
            return;
        }
        let networks = clause.values.iter().filter_map(|value| parse_network(&value.text));
        let networks: Vec<IpNet> = networks.collect();
        let private = networks.iter().filter(|network| is_private(network)).count();
        if private == 0 {
            return;
        }
        let span = clause.span;
        let only = private == networks.len();
        match (only, operator.negated) {
            (true, false) => self.findings.error("PRIVATE_IP_ADDRESS", span, PRIVATE),
            (true, true) => self.findings.error("PRIVATE_NOT_IP_ADDRESS", span, NOT_PRIVATE),
            (false, false) => {
                self.findings.suggestion("PRIVATE_IP_ADDRESS_SUBSET", span, MIXED);
            }
            (false, true) => {
                self.findings.suggestion("PRIVATE_NOT_IP_ADDRESS_SUBSET", span, NOT_MIXED);
            }
        }
    }

    /// Several values where one decides.
    fn several(&mut self, clause: &Clause<'_>, operator: Operator) {
        if clause.values.len() < 2 {
            return;
        }
        let single = operator.quantifier == Quantifier::Single;
        if matches!(operator.family, Family::Bool | Family::Null) && single {
            let message = "The condition key does not support multiple Boolean values. Use a \
                single Boolean value.";
            self.findings.error("INVALID_CONDITION_MULTIPLE_BOOLEAN", clause.span, message);
        }
        let which = match operator.family {
            Family::Numeric(Relation::Less | Relation::LessOrEqual) => "greatest",
            Family::Numeric(Relation::Greater | Relation::GreaterOrEqual) => "least",
            _ => return,
        };
        let message = format!(
            "Multiple values in {} are redundant. Replace with the {which} single value for {}.",
            clause.name, clause.key
        );
        let code = "REDUNDANT_CONDITION_VALUE_NUM";
        self.findings.report(Severity::Suggestion, code, &[clause.span], message);
    }

    fn wildcards(&mut self, clause: &Clause<'_>, operator: Operator, value: &Text<'_>) {
        match operator.family {
            Family::StringEquals | Family::StringEqualsIgnoreCase if has_wildcard(&value.text) => {
                let message = "Your condition value includes a * or ? character. If you meant to \
                    use a wildcard (*, ?), update the condition operator to include Like.";
                self.findings.warning("WILDCARD_WITHOUT_LIKE_OPERATOR", value.span, message);
            }
            Family::StringLike => self.too_permissive(clause, value),
            _ => {}
        }
    }

    /// What the values of some keys look like.
    fn value_of_key(&mut self, clause: &Clause<'_>, value: &Text<'_>) {
        let text = &*value.text;
        let compares = super::key::compares(clause);
        if !compares || has_wildcard(text) || text.contains('$') {
            return;
        }
        let key = clause.lower.as_str();
        match key {
            "aws:requestedregion" if !region::is_region(text) => {
                let message = format!(
                    "The Region {text} is not valid. Update the condition value to a supported \
                     Region."
                );
                self.findings.error("INVALID_REGION", value.span, message);
            }
            "aws:sourcevpc" | "aws:ec2instancesourcevpc" if !is_network_id(text, "vpc-") => {
                let message = "The VPC identifier in the condition key value is not valid. Use the \
                    prefix 'vpc-' followed by 8 or 17 alphanumeric characters.";
                self.findings.error("INVALID_VPC_FORMAT", value.span, message);
            }
            "aws:sourcevpce" if !is_network_id(text, "vpce-") => {
                let message = "The VPCE identifier in the condition key value is not valid.  Use \
                    the prefix 'vpce-' followed by 8 or 17 alphanumeric characters.";
                self.findings.error("INVALID_VPCE_FORMAT", value.span, message);
            }
            "kms:viaservice" if !is_regional_service(text) => {
                self.service_format(value, "service-name.AWS_region.amazonaws.com");
            }
            _ if SERVICE_NAMES.contains(&key) && !is_service_principal(text) => {
                self.service_format(value, "service-name.amazonaws.com");
            }
            _ if names_kms_key(key) && !is_kms_key(text) => {
                let key = clause.key;
                let message = format!("The {key} condition key value must be a valid KMS key ARN.");
                self.findings.error("INVALID_KMS_KEY_VALUE", value.span, message);
            }
            _ => {}
        }
    }

    pub(super) fn service_format(&mut self, value: &Text<'_>, format: &str) {
        let message = format!(
            "The service principal does not match the expected format. Use the format {format}."
        );
        self.findings.error("INVALID_SERVICE_PRINCIPAL_FORMAT", value.span, message);
    }
}

fn is_private(network: &IpNet) -> bool {
    let blocks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    let blocks = blocks.iter().filter_map(|block| parse_network(block));
    blocks.into_iter().any(|block| block.contains(network))
}

fn is_network_id(text: &str, prefix: &str) -> bool {
    let id = text.strip_prefix(prefix);
    id.is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// What the host of a service principal ends in, by partition.
const SUFFIXES: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".aws.internal",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

pub(super) fn is_service_principal(text: &str) -> bool {
    let name = SUFFIXES.iter().find_map(|suffix| text.strip_suffix(suffix));
    name.is_some_and(|name| {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !name.is_empty() && name.bytes().all(|byte| valid(byte) || matches!(byte, b'-' | b'.'))
    })
}

fn is_regional_service(text: &str) -> bool {
    let mut labels = text.splitn(3, '.').skip(1);
    is_service_principal(text) && labels.next().is_some_and(region::is_region)
}

/// Keys of services whose value is the ARN of a KMS key.
fn names_kms_key(key: &str) -> bool {
    let name = key.split_once(':').map_or(key, |(_, name)| name);
    name.ends_with("aws-kms-key-id") || name.ends_with("kmskeyarn")
}

fn is_kms_key(text: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| {
        let id = arn.resource.strip_prefix("key/");
        arn.service == "kms"
            && region::is_region(arn.region)
            && is_account_id(arn.account)
            && id.is_some_and(|id| !id.is_empty())
    })
}

const PRIVATE: &str = "aws:SourceIp works only for public IP address ranges. The values for \
    condition key aws:SourceIp include only private IP addresses and will not have the desired \
    effect. Update the value to include only public IP addresses.";

const NOT_PRIVATE: &str = "The values for condition key aws:SourceIp include only private IP \
    addresses and has no effect. aws:SourceIp works only for public IP address ranges. Update the \
    value to include only public IP addresses.";

const MIXED: &str = "The values for condition key aws:SourceIp include a mix of private and public \
    IP addresses. The private addresses will not have the desired effect. aws:SourceIp works only \
    for public IP address ranges. To define permissions for private IP ranges, use \
    aws:VpcSourceIp.";

const NOT_MIXED: &str = "The values for condition key aws:SourceIp include a mix of private and \
    public IP addresses. The private addresses have no effect. aws:SourceIp works only for public \
    IP address ranges. To define permissions for private IP ranges, use aws:VpcSourceIp.";
