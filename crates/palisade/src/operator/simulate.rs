//! What `palisade test` asks a running server: decisions that nobody called for, and the calls that
//! were recorded.

use super::{Answer, refuse};
use crate::expectations::recorded;
use crate::expectations::subject::{Answer as One, Answers, Calls, Questions, answer_all};
use crate::server::Server;
use palisade_policy::arn::Arn;
use palisade_services::iam::simulation::Question;
use std::sync::Arc;

/// Questions of one request.
const QUESTIONS_MAX: usize = 10_000;
/// Records of one answer.
const CALLS_MAX: usize = 10_000;

/// `POST /_palisade/simulate`: decides questions on one snapshot of the store.
/// Who is of an account asks about its principals alone.
pub async fn simulate(server: &Arc<Server>, body: &[u8], account: Option<&str>) -> Answer {
    let Questions { questions } = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    if questions.len() > QUESTIONS_MAX {
        let message = format!("One request may hold {QUESTIONS_MAX} questions at most.");
        return Err(refuse(400, "ValidationException", message));
    }
    if let Some(own) = account {
        let foreign = questions.iter().find(|question| !is_of(&question.principal, own));
        if let Some(Question { principal, .. }) = foreign {
            let message = format!("{principal} is not a principal of account {own}, by its ARN.");
            return Err(refuse(403, "AccessDenied", message));
        }
    }
    let plane = server.plane.clone();
    let answers = tokio::task::spawn_blocking(move || answer_all(&plane, &questions));
    let answers = answers.await.map_err(failed)?.into_iter().map(|answer| match answer {
        Ok(verdict) => One::Verdict(verdict),
        Err(error) => One::Error { error },
    });
    serde_json::to_value(Answers { answers: answers.collect() }).map_err(failed)
}

/// `GET /_palisade/calls?limit=N`: what recorded calls had to be allowed.
/// Who is of an account sees its calls alone.
pub async fn calls(server: &Arc<Server>, query: &str, account: Option<&str>) -> Answer {
    let limit = query.split('&').find_map(|pair| pair.strip_prefix("limit="));
    let limit = match limit.map(str::parse::<usize>) {
        None => 200,
        Some(Ok(limit @ 1..=CALLS_MAX)) => limit,
        Some(_) => {
            let message = format!("`limit` is a number from 1 to {CALLS_MAX}.");
            return Err(refuse(400, "ValidationException", message));
        }
    };
    let (plane, account) = (server.plane.clone(), account.map(str::to_owned));
    let calls =
        tokio::task::spawn_blocking(move || recorded::calls(&plane, limit, account.as_deref()));
    let calls = calls.await.map_err(failed)?.map_err(failed)?;
    serde_json::to_value(Calls { calls }).map_err(failed)
}

/// Names alone are looked up in the first account, so they name somebody of an account for sure
/// only as an ARN.
fn is_of(principal: &str, account: &str) -> bool {
    Arn::parse(principal).is_some_and(|arn| arn.account == account)
}

fn failed(error: impl std::fmt::Display) -> super::Refusal {
    refuse(500, "InternalFailure", error.to_string())
}
