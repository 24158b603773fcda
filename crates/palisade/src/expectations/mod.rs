//! Tests of policies: a table of who may do what, and whether it is so (`palisade test`).
//!
//! [`table`] reads a file of expectations, [`subject`] answers their questions (from a data folder,
//! a running server or a [`folder`] of policies), [`report`] tells how it went, and [`recorded`]
//! makes expectations of what was called already.

pub mod folder;
pub mod recorded;
pub mod report;
pub mod subject;
pub mod table;

use palisade_services::iam::simulation::{Question, Verdict};
use table::Expectation;

/// One expectation with its questions: several where it names several actions by a wildcard.
pub struct Case {
    pub file: String,
    /// Where it stands in the file; 1 where that is not known.
    pub line: usize,
    pub expected: Expectation,
    pub questions: Vec<Question>,
}

/// How one case ended.
pub struct Outcome {
    pub case: Case,
    /// Empty when it passed; else what is otherwise than expected, one line a question.
    pub failures: Vec<String>,
    /// Who decided the first question, in words.
    pub decided: String,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Compares answers, in the order of the questions, with what the cases expect.
pub fn judge(cases: Vec<Case>, answers: Vec<Result<Verdict, String>>) -> Vec<Outcome> {
    let mut answers = answers.into_iter();
    let judge_one = |case: Case| {
        let given: Vec<_> = answers.by_ref().take(case.questions.len()).collect();
        let decided = given.first().map(describe).unwrap_or_default();
        let failures = case.questions.iter().zip(&given);
        let failures =
            failures.filter_map(|(question, answer)| case.expected.failure(question, answer));
        let mut failures: Vec<String> = failures.collect();
        if given.len() < case.questions.len() || given.is_empty() {
            failures.push("not every question was answered".to_owned());
        }
        Outcome { case, failures, decided }
    };
    cases.into_iter().map(judge_one).collect()
}

/// `allow`, `deny (identity, implicit)`, `deny (scp, explicit)`.
pub fn describe(answer: &Result<Verdict, String>) -> String {
    use palisade_policy::Outcome as Decided;
    let verdict = match answer {
        Err(error) => return format!("no answer: {error}"),
        Ok(verdict) => verdict,
    };
    let how = match verdict.decision {
        Decided::Allowed => return "allow".to_owned(),
        Decided::ExplicitDeny => "explicit",
        Decided::ImplicitDeny => "implicit",
    };
    let by = verdict.denied_by.map_or("nobody", palisade_services::audit::layer_name);
    match verdict.statements.first() {
        None => format!("deny ({by}, {how})"),
        Some(statement) => {
            let sid = statement.sid.as_deref().map(|sid| format!(" {sid}")).unwrap_or_default();
            format!("deny ({by}, {how}: {}{sid})", statement.policy)
        }
    }
}
