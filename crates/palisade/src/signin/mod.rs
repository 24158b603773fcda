//! Signing in with a browser: pages without scripts for root users, users and federated sessions,
//! the second factor, roles to switch to, and short-lived credentials for the console.
//!
//! Everything is below `/_palisade/signin/`, where no bucket can be, but for AWS's federation
//! endpoint, which scripts know as `/federation?Action=…`. See docs/sign-in.md.

mod answer;
mod api;
mod door;
mod federation;
mod finish;
mod home;
mod new_password;
mod new_user;
mod pages;
mod password;
mod recovery;
mod role;
mod second_factor;
mod security_key;
mod store;

use crate::listener::Door;
use crate::metrics::Ending;
use crate::server::Server;
use answer::Answer;
use bytes::Bytes;
use door::Visit;
use http::Response;
use http::request::Parts as Head;
use http_body_util::Full;
use std::sync::Arc;

/// Where the pages are.
const PREFIX: &str = "/_palisade/signin/";
/// What people type.
const BARE: &str = "/_palisade/signin";
/// AWS's path for scripts that sign others in.
const FEDERATION: &str = "/federation";

/// Whether a request is for the sign-in.
pub fn is_for(head: &Head, body: &[u8]) -> bool {
    let path = head.uri.path();
    path.starts_with(PREFIX)
        || path == BARE
        || (path == FEDERATION && federation::is_for(head, body))
}

/// Answers a request for which [`is_for`] is true.
pub async fn serve(
    server: &Arc<Server>,
    head: &Head,
    body: &[u8],
    door: Door,
) -> (Response<Full<Bytes>>, Ending) {
    let answer = match Visit::of(server, head, body, door) {
        Some(visit) => route(&visit).await,
        None => Answer::text(400, "The form cannot be read."),
    };
    let ending = match answer.status {
        503 => Ending::Busy,
        500.. => Ending::Failed,
        400.. => Ending::Denied,
        _ => Ending::Allowed,
    };
    (answer.response(door.tls.is_some()), ending)
}

async fn route(visit: &Visit<'_>) -> Answer {
    let path = visit.head.uri.path();
    if path == FEDERATION {
        return federation::serve(visit).await;
    }
    if visit.is_foreign() {
        return Answer::text(403, "Requests from other web pages are refused.");
    }
    let Some(rest) = path.strip_prefix(PREFIX) else { return Answer::see_other(PREFIX) };
    match (visit.head.method.as_str(), rest) {
        ("GET", "") => home::door(visit),
        ("GET", "style.css") => Answer::style(include_str!("../../templates/signin/style.css")),
        ("GET", "home") => home::home(visit).await,
        ("GET", "role") => role::form(visit),
        ("GET", "new-user") => new_user::form(visit),
        ("POST", "new-user") => new_user::create(visit).await,
        ("POST", "access-key") => new_user::access_key(visit).await,
        ("GET", "security-key") => security_key::form(visit),
        ("GET", "security-key.js") => {
            Answer::script(include_str!("../../templates/signin/security-key.js"))
        }
        ("GET", "recover") => recovery::form(visit, 200, ""),
        ("GET", "recover/new") => recovery::new_form(visit, 200, ""),
        ("GET", "session") => api::session(visit),
        ("POST", "") => password::sign_in(visit).await,
        ("POST", "mfa") => second_factor::sign_in(visit).await,
        ("POST", "password") => new_password::sign_in(visit).await,
        ("POST", "security-key") => security_key::register(visit).await,
        ("POST", "recover") => recovery::request(visit).await,
        ("POST", "recover/new") => recovery::complete(visit).await,
        ("POST", "out") => home::sign_out(visit).await,
        ("POST", "role") => role::switch(visit).await,
        ("POST", "role/exit") => role::exit(visit).await,
        ("POST", "credentials") => api::credentials(visit).await,
        _ => Answer::text(404, "There is no such page."),
    }
}
