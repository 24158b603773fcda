//! `palisade why`

use super::Output;
use super::client::{Endpoint, operator_token};
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tell in words why a request was allowed or refused.
///
/// The id of a decision is the request id of the answer, also in its x-palisade-decision header.
#[derive(Args)]
pub struct Why {
    /// The decision's id
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    decision: Option<String>,

    /// The newest decision
    #[arg(long)]
    last: bool,

    /// The server's data folder, which holds the operator's token
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    #[arg(long, value_enum, env = "PALISADE_OUTPUT", default_value_t = Output::Text)]
    output: Output,
}

impl Why {
    pub fn run(self) -> Result<ExitCode, String> {
        let endpoint = Endpoint::of_data_dir(&self.data_dir)?;
        let token = operator_token(&self.data_dir)?;
        let id = self.decision.as_deref().unwrap_or("last");
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(format!("`{id}` is not the id of a decision"));
        }
        let path = format!("/_palisade/decisions/{id}");
        let (status, body) = endpoint.get(&path, Some(&token))?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|error| format!("{} is no Palisade: {error}", endpoint.url))?;
        if status != 200 {
            return Err(text(&answer["message"]));
        }
        match self.output {
            Output::Json => println!("{answer}"),
            Output::Text => print!("{}", in_words(&answer)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The answer of `GET /_palisade/decisions/<id>` for a person.
fn in_words(answer: &Value) -> String {
    let mut out = String::new();
    let decision = &answer["decision"];
    let outcome = match decision["outcome"].as_str() {
        Some("allowed") => "ALLOWED",
        Some("explicitDeny") => "DENIED (explicit)",
        Some("implicitDeny") => "DENIED (implicit)",
        _ => "NOT DECIDED",
    };
    // Writing to a String cannot fail.
    let _ =
        writeln!(out, "{outcome}  {}:{}", text(&decision["service"]), text(&decision["operation"]));
    let _ = writeln!(out, "  caller    {}", text(&decision["caller"]["arn"]));
    let _ = writeln!(out, "  time      {}", text(&decision["time"]));
    let _ = writeln!(out, "  decision  {}", text(&decision["id"]));
    if let Some(message) = answer["errorMessage"].as_str() {
        let _ = writeln!(out, "  answered  {}: {message}", text(&decision["error"]));
    }
    for explained in answer["explained"].as_array().into_iter().flatten() {
        requirement(&mut out, explained);
    }
    out
}

fn requirement(out: &mut String, explained: &Value) {
    let _ = writeln!(out, "\n{} on {}", text(&explained["action"]), text(&explained["resource"]));
    let trace = &explained["trace"];
    for stage in trace["stages"].as_array().into_iter().flatten() {
        let layer = text(&stage["layer"]);
        let verdict = match (stage["skipped"].as_str(), stage["denies"].as_bool()) {
            (Some(why), _) => format!("does not apply: {why}"),
            (None, Some(true)) => "DENIES".to_owned(),
            (None, _) if stage["allows"].is_null() => "allows nothing here".to_owned(),
            (None, _) => "allows".to_owned(),
        };
        let _ = writeln!(out, "  {layer:<10} {verdict}");
        for policy in stage["policies"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "    {}", text(&policy["policy"]));
            for statement in policy["statements"].as_array().into_iter().flatten() {
                self::statement(out, statement);
            }
        }
    }
    let decided = &trace["decision"];
    for statement in decided["statements"].as_array().into_iter().flatten() {
        let sid = statement["sid"].as_str().map(|sid| format!(" ({sid})")).unwrap_or_default();
        let _ = writeln!(
            out,
            "  decided by statement {}{sid} of {}",
            text(&statement["index"]),
            text(&statement["policy"])
        );
    }
}

fn statement(out: &mut String, statement: &Value) {
    let sid = statement["sid"].as_str().map(|sid| format!(" {sid}")).unwrap_or_default();
    let applies = text(&statement["applies"]);
    let index = text(&statement["index"]);
    let _ = writeln!(out, "      [{index}]{sid} {}: applies {applies}", text(&statement["effect"]));
    for part in ["principal", "action", "resource"] {
        let value = &statement[part];
        if !value.is_null() {
            let _ = writeln!(
                out,
                "          {} {} ~ {}: {}",
                text(&value["element"]),
                text(&value["policy"]),
                text(&value["request"]),
                text(&value["matched"])
            );
        }
    }
    for condition in statement["conditions"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "          {} {} {} ~ {}: {}",
            text(&condition["operator"]),
            text(&condition["key"]),
            text(&condition["policy"]),
            text(&condition["request"]),
            text(&condition["matched"])
        );
    }
}
