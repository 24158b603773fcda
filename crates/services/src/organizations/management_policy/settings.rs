//! Which settings each type of management policies has, as the syntax pages of the User Guide list
//! them. A type that is not listed takes any setting below its own element.

use super::{ASSIGN, EffectiveFault, Fault};
use serde_json::Value;

/// How a setting's value looks.
#[derive(Clone, Copy)]
enum Takes {
    /// One text, number or truth value.
    One,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Many,
}

/// A setting: its path, where `*` stands for a name and a last `**` for whatever is below.
struct Setting {
    path: &'static str,
    takes: Takes,
}

const fn setting(path: &'static str, takes: Takes) -> Setting {
    Setting { path, takes }
}

const ON_OFF: &[&str] = &["enabled", "disabled"];

static TAG: [Setting; 4] = [
    setting("tags/*/tag_key", Takes::One),
    setting("tags/*/tag_value", Takes::Many),
    setting("tags/*/enforced_for", Takes::Many),
    setting("tags/*/report_required_tag_for", Takes::Many),
];

static BACKUP: [Setting; 15] = [
    setting("plans/*/regions", Takes::Many),
    setting("plans/*/rules/*/schedule_expression", Takes::One),
    setting("plans/*/rules/*/schedule_expression_timezone", Takes::One),
    setting("plans/*/rules/*/start_backup_window_minutes", Takes::One),
    setting("plans/*/rules/*/complete_backup_window_minutes", Takes::One),
    setting("plans/*/rules/*/enable_continuous_backup", Takes::One),
    setting("plans/*/rules/*/target_backup_vault_name", Takes::One),
    setting("plans/*/rules/*/target_logically_air_gapped_backup_vault_arn", Takes::One),
    setting("plans/*/rules/*/recovery_point_tags/**", Takes::One),
    setting("plans/*/rules/*/lifecycle/**", Takes::One),
    setting("plans/*/rules/*/copy_actions/**", Takes::One),
    setting("plans/*/rules/*/index_actions/**", Takes::Many),
    setting("plans/*/selections/**", Takes::Many),
    setting("plans/*/advanced_backup_settings/**", Takes::One),
    setting("plans/*/backup_plan_tags/**", Takes::One),
];

static AI_OPT_OUT: [Setting; 1] =
    [setting("services/*/opt_out_policy", Takes::OneOf(&["optIn", "optOut"]))];

static CHATBOT: [Setting; 3] = [
    setting("chatbot/platforms/*/client", Takes::OneOf(ON_OFF)),
    setting("chatbot/platforms/**", Takes::Many),
    setting("chatbot/default/**", Takes::One),
];

static EC2: [Setting; 8] = [
    setting("ec2_attributes/exception_message", Takes::One),
    setting("ec2_attributes/serial_console_access/status", Takes::OneOf(ON_OFF)),
    setting("ec2_attributes/vpc_block_public_access/**", Takes::One),
    setting(
        "ec2_attributes/image_block_public_access/state",
        Takes::OneOf(&["block_new_sharing", "unblocked"]),
    ),
    setting(
        "ec2_attributes/snapshot_block_public_access/state",
        Takes::OneOf(&["block_new_sharing", "unblocked", "block_all_sharing"]),
    ),
    setting("ec2_attributes/instance_metadata_defaults/**", Takes::One),
    setting("ec2_attributes/allowed_images_settings/**", Takes::Many),
    setting("ec2_attributes/managed_resource_visibility/**", Takes::One),
];

/// The settings of a type; none: it takes any.
fn of(policy_type: &str) -> Option<&'static [Setting]> {
    match policy_type {
        "TAG_POLICY" => Some(&TAG),
        "BACKUP_POLICY" => Some(&BACKUP),
        "AISERVICES_OPT_OUT_POLICY" => Some(&AI_OPT_OUT),
        "CHATBOT_POLICY" => Some(&CHATBOT),
        "DECLARATIVE_POLICY_EC2" => Some(&EC2),
        _ => None,
    }
}

/// How far a path and a setting's path agree.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    No,
    /// The path leads to the setting.
    Above,
    /// It is the setting.
    Whole,
}

fn agree(pattern: &str, path: &[String]) -> Agreement {
    let mut names = path.iter();
    for part in pattern.split('/') {
        if part == "**" {
            return Agreement::Whole;
        }
        match names.next() {
            None => return Agreement::Above,
            Some(name) if part == "*" || part == name => {}
            Some(_) => return Agreement::No,
        }
    }
    if names.next().is_none() { Agreement::Whole } else { Agreement::No }
}

/// Refuses an element that leads to no setting of the type.
pub fn check_path(policy_type: &str, path: &[String]) -> Result<(), Fault> {
    let Some(settings) = of(policy_type) else { return Ok(()) };
    let leads = |setting: &Setting| agree(setting.path, path) > Agreement::No;
    match settings.iter().any(leads) {
        true => Ok(()),
        false => Err(format!("\"{}\" is not an element of this policy type.", path.join("/"))),
    }
}

/// Refuses a value that the setting does not take, or a value where no setting is.
pub fn check(
    policy_type: &str,
    path: &[String],
    operator: &str,
    value: &Value,
) -> Result<(), Fault> {
    let at = path.join("/");
    let takes = match of(policy_type) {
        None => None,
        Some(settings) => {
            let found = settings.iter().find(|it| agree(it.path, path) == Agreement::Whole);
            let none = || format!("\"{at}\" is not a setting of this policy type.");
            let found = found.ok_or_else(none)?;
            (!found.path.ends_with("**")).then_some(found.takes)
        }
    };
    let scalar = value.is_string() || value.is_number() || value.is_boolean();
    let texts = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    let fits = match takes {
        Some(Takes::One) => operator == ASSIGN && scalar,
        Some(Takes::OneOf(known)) => {
            operator == ASSIGN && value.as_str().is_some_and(|text| known.contains(&text))
        }
        Some(Takes::Many) => texts,
        None => texts || (operator == ASSIGN && scalar) || value.is_string(),
    };
    if fits { Ok(()) } else { Err(format!("\"{at}\" does not take {operator} of {value}.")) }
}

/// A backup plan has at most so many rules.
const RULES_MOST: usize = 10;

/// What an effective policy lacks, or has too much of.
pub fn missing(policy_type: &str, effective: &Value) -> Vec<EffectiveFault> {
    let (below, needed): (&str, &[&str]) = match policy_type {
        "TAG_POLICY" => ("tags", &["tag_key"]),
        "BACKUP_POLICY" => ("plans", &["regions", "rules", "selections"]),
        _ => return Vec::new(),
    };
    let mut faults = Vec::new();
    let named = effective.get(below).and_then(Value::as_object).into_iter().flatten();
    for (name, element) in named {
        for needed in needed {
            if element.get(needed).is_none() {
                faults.push(EffectiveFault {
                    code: "ELEMENTS_TOO_FEW",
                    message: format!("\"{name}\" must have the element \"{needed}\"."),
                    path: format!("{below}/{name}/{needed}"),
                });
            }
        }
        let rules = element.get("rules").and_then(Value::as_object).map_or(0, |rules| rules.len());
        if rules > RULES_MOST {
            faults.push(EffectiveFault {
                code: "ELEMENTS_TOO_MANY",
                message: format!("\"{name}\" has {rules} rules; at most {RULES_MOST} may be."),
                path: format!("{below}/{name}/rules"),
            });
        }
    }
    faults
}
