//! Credential reports: one line for the root user and each user, with the state of its credentials.
//!
//! A report is made with the call that asks for it, inside its transaction: what it says was true
//! at one moment. For four hours the same report is answered.
//!
//! Source: IAM API reference, GenerateCredentialReport, GetCredentialReport; IAM User Guide,
//! "Generate credential reports for your AWS account".

use super::access::{self, Kind};
use super::access_key::{self, ACCESS_KEYS, AccessKey};
use super::password::{self, PROFILES};
use super::signing_certificate::CERTIFICATES;
use super::user::USERS;
use super::{account, credential};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    GenerateCredentialReportResponse, GetCredentialReportResponse, REPORT_EXPIRED,
    REPORT_NOT_PRESENT, User, report_format_type, report_state_type, status_type,
};
use palisade_shape::{Blob, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a report is the account's report.
const KEPT_SECONDS: i64 = 4 * 3600;
/// What AWS writes where there is nothing to tell.
const NONE: &str = "N/A";

/// The last report of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    generated_millis: i64,
    content: String,
}

static REPORTS: Table<Report> = Table::of_private(
    "iam/credential-report",
    Scope::Account,
    |_| String::new(),
    |_| internal("there is a credential report already"),
    |_| REPORT_NOT_PRESENT.because("No report exists. Generate a report first."),
);

impl Report {
    fn is_over(&self, now: Timestamp) -> bool {
        now.millis() - self.generated_millis >= KEPT_SECONDS * 1000
    }
}

/// Makes a report unless the last one is younger than four hours.
pub fn generate_credential_report(
    cx: &mut Context,
    _: Nothing,
) -> Result<GenerateCredentialReportResponse> {
    if cx.get(&REPORTS, "")?.is_some_and(|report| !report.is_over(cx.now())) {
        let state = Some(report_state_type::COMPLETE.to_owned());
        return Ok(GenerateCredentialReportResponse { state, description: None });
    }
    let report =
        Report { generated_millis: cx.now().whole_seconds().millis(), content: content(cx)? };
    cx.put(&REPORTS, &report)?;
    let text = "No report exists. Starting a new report generation task";
    Ok(GenerateCredentialReportResponse {
        state: Some(report_state_type::STARTED.to_owned()),
        description: Some(text.to_owned()),
    })
}

/// Answers the last report, unless it is older than four hours.
pub fn get_credential_report(cx: &mut Context, _: Nothing) -> Result<GetCredentialReportResponse> {
    let report = cx.find(&REPORTS, "")?;
    if report.is_over(cx.now()) {
        let text = "The most recent credential report has expired. Generate a new one.";
        return Err(REPORT_EXPIRED.because(text));
    }
    Ok(GetCredentialReportResponse {
        content: Some(Blob(report.content.into_bytes())),
        report_format: Some(report_format_type::TEXT_CSV.to_owned()),
        generated_time: Some(Timestamp::from_millis(report.generated_millis)),
    })
}

const COLUMNS: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

/// The whole report. No value can hold a comma but a user's name, which may.
fn content(cx: &Context) -> Result<String> {
    let mut text = COLUMNS.join(",");
    push_line(&mut text, &root(cx)?);
    for user in cx.all(&USERS, "")? {
        push_line(&mut text, &line(cx, &user)?);
    }
    Ok(text)
}

fn push_line(text: &mut String, values: &[String]) {
    text.push('\n');
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        // RFC 4180, section 2: the names of users may hold commas; nothing may hold quotes.
        if value.contains(',') {
            text.push_str(&format!("\"{value}\""));
        } else {
            text.push_str(value);
        }
    }
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    at.to_string().replace('Z', "+00:00")
}

fn flag(value: bool) -> String {
    value.to_string()
}

/// The root user's line: of its password AWS tells nothing but its last use.
fn root(cx: &Context) -> Result<Vec<String>> {
    let record = account::load(cx)?;
    let mut values = vec![
        "<root_account>".to_owned(),
        format!("arn:{}:iam::{}:root", cx.partition(), cx.account()),
        time(account::created(cx)?),
        "not_supported".to_owned(),
        record
            .password_last_used_millis
            .map_or_else(unknown, |at| time(Timestamp::from_millis(at))),
        "not_supported".to_owned(),
        "not_supported".to_owned(),
        flag(!record.mfa_devices.is_empty()),
    ];
    push_keys(cx, &mut values, &record.access_keys)?;
    push_certificates(cx, &mut values, cx.account())?;
    Ok(values)
}

/// What AWS writes of a password that nobody has signed in with.
fn unknown() -> String {
    "no_information".to_owned()
}

fn line(cx: &Context, user: &User) -> Result<Vec<String>> {
    let access = access::load(cx, Kind::User, &user.user_name)?;
    let mut values = vec![user.user_name.clone(), user.arn.clone(), time(user.create_date)];
    push_password(cx, &mut values, user)?;
    values.push(flag(!access.mfa_devices.is_empty()));
    push_keys(cx, &mut values, &access.access_keys)?;
    push_certificates(cx, &mut values, &user.user_id)?;
    Ok(values)
}

/// Enabled, last used, last changed, next rotation.
fn push_password(cx: &Context, values: &mut Vec<String>, user: &User) -> Result<()> {
    let Some(profile) = cx.get(&PROFILES, &user.user_id)? else {
        values.extend([flag(false), NONE.to_owned(), NONE.to_owned(), NONE.to_owned()]);
        return Ok(());
    };
    values.push(flag(true));
    values.push(user.password_last_used.map_or_else(unknown, time));
    values.push(time(Timestamp::from_millis(profile.changed_millis)));
    values.push(password::expires(cx, &profile)?.map_or_else(|| NONE.to_owned(), time));
    Ok(())
}

fn push_keys(cx: &Context, values: &mut Vec<String>, ids: &[String]) -> Result<()> {
    let mut keys = ids.iter().map(|id| cx.find(&ACCESS_KEYS, id));
    for _ in 0..2 {
        match keys.next().transpose()? {
            Some(key) => push_key(cx, values, &key)?,
            None => {
                values.push(flag(false));
                values.extend(std::iter::repeat_n(NONE.to_owned(), 4));
            }
        }
    }
    Ok(())
}

fn push_key(cx: &Context, values: &mut Vec<String>, key: &AccessKey) -> Result<()> {
    values.push(flag(key.is_active()));
    values.push(time(Timestamp::from_millis(key.created_millis)));
    match access_key::last_use(cx, &key.access_key_id)? {
        Some(last) => values.extend([time(last.at()), last.region, last.service]),
        None => values.extend(std::iter::repeat_n(NONE.to_owned(), 3)),
    }
    Ok(())
}

fn push_certificates(cx: &Context, values: &mut Vec<String>, owner_id: &str) -> Result<()> {
    let mut certificates = credential::all(cx, &CERTIFICATES, owner_id)?.into_iter();
    for _ in 0..2 {
        match certificates.next() {
            Some(certificate) => {
                values.push(flag(certificate.status == status_type::ACTIVE));
                values.push(time(Timestamp::from_millis(certificate.uploaded_millis)));
            }
            None => values.extend([flag(false), NONE.to_owned()]),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples;
    use crate::testing::{ACCOUNT, Lab, NOW};

    #[test]
    fn a_report_is_made_once_in_four_hours() {
        let lab = Lab::new();
        let missing = "ReportNotPresent: No report exists. Generate a report first.";
        assert_eq!(lab.refusal(get_credential_report, Nothing), missing);
        let state =
            |lab: &Lab| lab.call(generate_credential_report, Nothing).unwrap().state.unwrap();
        assert_eq!(state(&lab), "STARTED");
        assert_eq!(state(&lab), "COMPLETE");
        let edge = NOW.plus_seconds(KEPT_SECONDS - 1);
        lab.at(edge).call(get_credential_report, Nothing).unwrap();
        let later = lab.at(NOW.plus_seconds(KEPT_SECONDS));
        assert!(later.refusal(get_credential_report, Nothing).starts_with("ReportExpired"));
        assert_eq!(state(&later), "STARTED");
        later.call(get_credential_report, Nothing).unwrap();
    }

    #[test]
    fn each_user_has_a_line() {
        let lab = Lab::new();
        samples::make_all(&lab, "a,b");
        lab.call(generate_credential_report, Nothing).unwrap();
        let report = lab.call(get_credential_report, Nothing).unwrap().content.unwrap().0;
        let report = String::from_utf8(report).unwrap();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[0], COLUMNS.join(","));
        let none = "N/A,N/A,N/A,N/A";
        let keys = format!("false,{none},false,{none}");
        let born = "2026-01-01T00:00:00+00:00";
        assert_eq!(
            lines[1],
            format!(
                "<root_account>,arn:aws:iam::{ACCOUNT}:root,{born},not_supported,no_information,\
                 not_supported,not_supported,false,{keys},false,N/A,false,N/A"
            )
        );
        assert_eq!(
            lines[2],
            format!(
                "\"a,b\",\"arn:aws:iam::{ACCOUNT}:user/a,b\",{born},false,N/A,N/A,N/A,false,{keys},\
                 false,N/A,false,N/A"
            )
        );
        assert_eq!(lines.len(), 3);
    }
}
