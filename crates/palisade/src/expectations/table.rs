//! A file of expectations, TOML or YAML.

use super::Case;
use palisade_model::authorization;
use palisade_policy::Outcome;
use palisade_services::audit::layer_name;
use palisade_services::iam::simulation::{Question, Values, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The most questions of one file, so that a table of wildcards ends.
const MOST_QUESTIONS: usize = 100_000;

/// The file as it is written.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The tests in order.
    pub test: Vec<Test>,
}

/// One test. Principals, actions and resources may be lists: each is asked with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub principal: OneOrMany,
    pub action: OneOrMany,
    #[serde(default = "anything")]
    pub resource: OneOrMany,
    pub expect: Expect,
    /// The stage that must have denied: `identity`, `boundary`, `scp`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Text for a single value, a list for a multivalued key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Scalars>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalars {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// Numbers and booleans may stand without quotes, as in policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    Allow,
    Deny,
}

/// What a test wants of every one of its questions.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub name: Option<String>,
    pub principal: String,
    pub action: String,
    pub resource: String,
    pub expect: Expect,
    pub by: Option<String>,
}

fn anything() -> OneOrMany {
    OneOrMany::One("*".to_owned())
}

/// The names of stages that a test may give as `by`.
const STAGES: [&str; 9] =
    ["identity", "resource", "boundary", "session", "scp", "rcp", "vpce", "trust", "unresolvable"];

impl OneOrMany {
    fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

impl Expectation {
    /// What is otherwise than expected; none when the answer is as it should be.
    pub fn failure(&self, question: &Question, answer: &Result<Verdict, String>) -> Option<String> {
        let Question { principal, action, resource, .. } = question;
        let verdict = match answer {
            Ok(verdict) => verdict,
            Err(error) => return Some(format!("{principal} {action} {resource}: {error}")),
        };
        let allowed = verdict.decision == Outcome::Allowed;
        let wanted = self.expect == Expect::Allow;
        let stage = self.by.as_deref();
        let by = verdict.denied_by.map(layer_name);
        if allowed == wanted && (stage.is_none() || stage == by) {
            return None;
        }
        let found = super::describe(answer);
        Some(format!("{principal} {action} {resource}: expected {}, is {found}", self.wanted()))
    }

    /// `allow`, `deny`, `deny (scp)`.
    pub fn wanted(&self) -> String {
        match (self.expect, &self.by) {
            (Expect::Allow, _) => "allow".to_owned(),
            (Expect::Deny, None) => "deny".to_owned(),
            (Expect::Deny, Some(by)) => format!("deny ({by})"),
        }
    }
}

/// Reads a file into its cases.
pub fn read(path: &Path) -> Result<Vec<Case>, String> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let yaml = matches!(path.extension().and_then(|end| end.to_str()), Some("yaml" | "yml"));
    let table: Table = if yaml {
        serde_yaml_ng::from_str(&text).map_err(|error| format!("{shown}: {error}"))?
    } else {
        toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?
    };
    let lines = lines(&text, yaml);
    let mut cases = Vec::new();
    let mut questions = 0;
    for (index, test) in table.test.iter().enumerate() {
        let number = index + 1;
        let line = lines.get(index).copied().unwrap_or(1);
        let made = cases_of(test).map_err(|error| format!("{shown}: test {number}: {error}"))?;
        for (expected, asked) in made {
            questions += asked.len();
            if questions > MOST_QUESTIONS {
                return Err(format!("{shown}: more than {MOST_QUESTIONS} questions"));
            }
            let file = shown.to_string();
            cases.push(Case { file, line, expected, questions: asked });
        }
    }
    if cases.is_empty() {
        return Err(format!("{shown}: no test in it"));
    }
    Ok(cases)
}

/// The line of each test: where its header or its dash stands.
fn lines(text: &str, yaml: bool) -> Vec<usize> {
    let starts = |line: &str| match yaml {
        false => line.trim() == "[[test]]",
        true => line.trim_start().starts_with("- ") && indent(line) <= first_indent(text),
    };
    let numbered = (1..).zip(text.lines());
    numbered.filter(|(_, line)| starts(line)).map(|(number, _)| number).collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// How far the first dash is from the margin: the tests' dashes are, their lists' further.
fn first_indent(text: &str) -> usize {
    text.lines().find(|line| line.trim_start().starts_with("- ")).map_or(0, indent)
}

type Asked = (Expectation, Vec<Question>);

fn cases_of(test: &Test) -> Result<Vec<Asked>, String> {
    let Test { name, principal, action, resource, expect, by, context } = test;
    if let Some(by) = by
        && (*expect == Expect::Allow || !STAGES.contains(&by.as_str()))
    {
        return Err(format!("`by = \"{by}\"` names no stage that denies: {}", STAGES.join(", ")));
    }
    let context: BTreeMap<String, Values> = context
        .iter()
        .map(|(key, values)| {
            let values = match values {
                Scalars::One(one) => Values::One(one.text()),
                Scalars::Many(many) => Values::Many(many.iter().map(Scalar::text).collect()),
            };
            (key.clone(), values)
        })
        .collect();
    let mut cases = Vec::new();
    for principal in principal.list() {
        for action in action.list() {
            let actions = expand(action)?;
            for resource in resource.list() {
                let question = |action: &String| Question {
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    context: context.clone(),
                };
                let expected = Expectation {
                    name: name.clone(),
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    expect: *expect,
                    by: by.clone(),
                };
                cases.push((expected, actions.iter().map(question).collect()));
            }
        }
    }
    if cases.is_empty() {
        return Err("it names no principal, action or resource".to_owned());
    }
    Ok(cases)
}

/// The actions that a pattern names: all known ones of the service that match.
fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((service, name)) = pattern.split_once(':') else {
        return Err(format!("the action `{pattern}` has no service prefix"));
    };
    if !name.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let prefix = authorization::prefix(&service.to_ascii_lowercase())
        .ok_or_else(|| format!("no service `{service}` is known"))?;
    let matching = prefix.actions().filter(|action| glob(name, action.name));
    let actions: Vec<String> = matching.map(|action| action.full_name.clone()).collect();
    match actions.is_empty() {
        true => Err(format!("no action matches `{pattern}`")),
        false => Ok(actions),
    }
}

/// `*` and `?`, ignoring case, without backtracking further than to the last star.
pub fn glob(pattern: &str, text: &str) -> bool {
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (pattern, text) = (lower(pattern), lower(text));
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(place) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                at = back + 1;
                place = from + 1;
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(name: &str, text: &str) -> Result<Vec<Case>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.replace(&folder.path().display().to_string(), ""))
    }

    #[test]
    fn both_notations_say_the_same() {
        let toml = "[[test]]\nprincipal = \"dev\"\naction = [\"s3:GetObject\", \"s3:PutObject\"]\n\
            resource = \"arn:aws:s3:::app/*\"\nexpect = \"deny\"\nby = \"scp\"\n\
            [test.context]\n\"aws:TagKeys\" = [\"a\", 1]\n\"aws:SecureTransport\" = true\n";
        let yaml = "test:\n  - principal: dev\n    action: [s3:GetObject, s3:PutObject]\n    \
            resource: arn:aws:s3:::app/*\n    expect: deny\n    by: scp\n    context:\n      \
            aws:TagKeys: [a, 1]\n      aws:SecureTransport: true\n";
        let of = |name, text| {
            let cases = cases(name, text).unwrap();
            cases.into_iter().map(|case| (case.line, case.questions)).collect::<Vec<_>>()
        };
        let (toml, yaml) = (of("a.toml", toml), of("a.yaml", yaml));
        assert_eq!(toml.len(), 2);
        assert_eq!(toml[0].1, yaml[0].1);
        assert_eq!(toml[1].1, yaml[1].1);
        assert_eq!((toml[0].0, yaml[0].0), (1, 2));
    }

    #[test]
    fn wildcards_in_actions_ask_about_every_action() {
        let text = |action: &str| {
            format!("[[test]]\nprincipal = \"dev\"\naction = \"{action}\"\nexpect = \"allow\"\n")
        };
        let found = cases("a.toml", &text("sts:*caller*")).unwrap();
        assert_eq!(found[0].questions[0].action, "sts:GetCallerIdentity");
        assert!(cases("a.toml", &text("ec2:*")).unwrap()[0].questions.len() > 500);
        for (action, why) in [
            ("GetObject", "no service prefix"),
            ("s3:Nothing*", "no action matches"),
            ("nothing:*", "no service"),
        ] {
            let error = cases("a.toml", &text(action)).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused() {
        let texts = [
            "",
            "test = []",
            "[[test]]\nprincipal = \"dev\"\naction = \"s3:GetObject\"\nexpect = \"maybe\"\n",
            "[[test]]\nprincipal = \"dev\"\naction = \"s3:GetObject\"\nexpect = \"allow\"\nx = 1\n",
            "[[test]]\nprincipal = \"dev\"\naction = \"s3:Get\"\nexpect = \"deny\"\nby = \"x\"",
            "[[test]]\nprincipal = []\naction = \"s3:GetObject\"\nexpect = \"deny\"\n",
        ];
        for text in texts {
            assert!(cases("a.toml", text).is_err(), "{text}");
        }
    }

    #[test]
    fn globs_match_as_they_should() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("Get*", "GetObject", true),
            ("get*acl", "GetObjectAcl", true),
            ("*a*b", "aab", true),
            ("?et", "Get", true),
            ("?et", "et", false),
            ("Get", "GetObject", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
