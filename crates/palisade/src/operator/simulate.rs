//! What `palisade test` asks a running server: decisions that nobody called for, and the calls that
//! were recorded.

use super::{Answer, refuse};
use crate::expectations::recorded;
use crate::expectations::subject::{Answer as One, Answers, Calls, Questions, answer_all};
use crate::server::Server;
use std::sync::Arc;

/// Questions of one request.
const QUESTIONS_MAX: usize = 10_000;
/// Records of one answer.
const CALLS_MAX: usize = 10_000;

/// `POST /_palisade/simulate`: decides questions on one snapshot of the store.
pub async fn simulate(server: &Arc<Server>, body: &[u8]) -> Answer {
    let Questions { questions } = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    if questions.len() > QUESTIONS_MAX {
        let message = format!("One request may hold {QUESTIONS_MAX} questions at most.");
        return Err(refuse(400, "ValidationException", message));
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
pub async fn calls(server: &Arc<Server>, query: &str) -> Answer {
    let limit = query.split('&').find_map(|pair| pair.strip_prefix("limit="));
    let limit = match limit.map(str::parse::<usize>) {
        None => 200,
        Some(Ok(limit @ 1..=CALLS_MAX)) => limit,
        Some(_) => {
            let message = format!("`limit` is a number from 1 to {CALLS_MAX}.");
            return Err(refuse(400, "ValidationException", message));
        }
    };
    let plane = server.plane.clone();
    let calls = tokio::task::spawn_blocking(move || recorded::calls(&plane, limit));
    let calls = calls.await.map_err(failed)?.map_err(failed)?;
    serde_json::to_value(Calls { calls }).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> super::Refusal {
    refuse(500, "InternalFailure", error.to_string())
}
