//! A new user with a password and an access key from one form, and the file of its credentials: the
//! answer to the form, and nowhere else. Each step is IAM's operation, called as who is signed in.

use super::answer::Answer;
use super::door::Visit;
use super::{pages, store};
use crate::internal;
use palisade_model::iam::{
    CreateAccessKeyRequest, CreateAccessKeyResponse, CreateLoginProfileRequest,
    CreateLoginProfileResponse, CreateUserRequest, CreateUserResponse,
};
use palisade_model::sts::Credentials;
use palisade_services::iam::{self, account};
use palisade_services::random::console_password;
use palisade_services::service::Input;
use palisade_services::signin::session::Found;
use palisade_shape::{Error, Named, Result};

const NOTHING: &str = "Choose a password, an access key, or both.";

/// What the file says, in the order of AWS's console.
#[derive(Default)]
struct Made {
    name: String,
    password: String,
    access_key_id: String,
    secret_access_key: String,
}

pub fn form(visit: &Visit<'_>) -> Answer {
    visit.page_of(|found| page(visit, found, 200, ""))
}

fn page(visit: &Visit<'_>, found: &Found, status: u16, message: &str) -> Answer {
    let page = pages::NewUser { csrf: &found.csrf(), message, name: visit.field("username") };
    pages::answer(status, &page)
}

/// Makes the user and answers with its file.
pub async fn create(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    if visit.field("console").is_empty() && visit.field("keys").is_empty() {
        return page(visit, &found, 400, NOTHING);
    }
    let mut made = Made::default();
    let outcome = match store::read(visit, |cx| found.credentials(cx)) {
        Ok(keys) => steps(visit, &keys, &mut made).await,
        Err(error) => Err(error),
    };
    match (outcome, sign_in_link(visit, &found)) {
        (Ok(()), Ok(link)) => {
            let name = file_name(&made.name, "credentials");
            Answer::file(&name, csv(&made, &link))
        }
        (Err(error), _) if error.code.status < 500 => {
            page(visit, &found, 400, &told(&made, &error))
        }
        (Err(error), _) | (_, Err(error)) => Answer::failed(&error),
    }
}

/// What went wrong, and what is there all the same.
fn told(made: &Made, error: &Error) -> String {
    match (made.name.is_empty(), made.password.is_empty()) {
        (true, _) => error.message.to_string(),
        (false, true) => format!("The user was made, and nothing else: {}", error.message),
        (false, false) => {
            format!("The user was made with the password, without a key: {}", error.message)
        }
    }
}

async fn steps(visit: &Visit<'_>, keys: &Credentials, made: &mut Made) -> Result<()> {
    let user_name = visit.field("username").trim().to_owned();
    let input = CreateUserRequest { user_name: user_name.clone(), ..CreateUserRequest::default() };
    let _: CreateUserResponse = call(visit, keys, "CreateUser", input).await?;
    made.name.clone_from(&user_name);
    if !visit.field("console").is_empty() {
        let password = match visit.field("password") {
            "" => console_password(&*visit.server.plane.random),
            given => given.to_owned(),
        };
        let input = CreateLoginProfileRequest {
            user_name: Some(user_name.clone()),
            password: Some(password.clone()),
            password_reset_required: Some(!visit.field("reset").is_empty()),
        };
        let _: CreateLoginProfileResponse = call(visit, keys, "CreateLoginProfile", input).await?;
        made.password = password;
    }
    if !visit.field("keys").is_empty() {
        let input = CreateAccessKeyRequest { user_name: Some(user_name) };
        let answer: CreateAccessKeyResponse = call(visit, keys, "CreateAccessKey", input).await?;
        made.access_key_id = answer.access_key.access_key_id;
        made.secret_access_key = answer.access_key.secret_access_key;
    }
    Ok(())
}

async fn call<O: Named>(
    visit: &Visit<'_>,
    keys: &Credentials,
    operation: &'static str,
    input: impl Input,
) -> Result<O> {
    let (service, input) = (&iam::SERVICE, Box::new(input));
    internal::call_as(visit.server, &visit.request, keys, service, operation, input).await
}

/// A new access key of who is signed in, as a file.
pub async fn access_key(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let keys = match store::read(visit, |cx| found.credentials(cx)) {
        Ok(keys) => keys,
        Err(error) => return Answer::failed(&error),
    };
    let input = CreateAccessKeyRequest::default();
    let made: Result<CreateAccessKeyResponse> = call(visit, &keys, "CreateAccessKey", input).await;
    match made {
        Ok(made) => {
            let key = made.access_key;
            let name = match key.user_name.as_str() {
                "" => "root".to_owned(),
                name => name.to_owned(),
            };
            let lines = [
                ["Access key ID", "Secret access key"],
                [key.access_key_id.as_str(), key.secret_access_key.as_str()],
            ];
            Answer::file(&file_name(&name, "accessKeys"), rows(&lines))
        }
        Err(error) if error.code.status < 500 => {
            pages::message(400, "No access key", &error.message)
        }
        Err(error) => Answer::failed(&error),
    }
}

/// Where the user signs in.
fn sign_in_link(visit: &Visit<'_>, found: &Found) -> Result<String> {
    let account = found.caller().account;
    let alias =
        store::read(visit, |cx| cx.in_account(&account, |cx| Ok(account::load(cx)?.alias)))?;
    let home = visit.home_url();
    let start = home.strip_suffix("home").unwrap_or(&home);
    Ok(format!("{start}?account={}", alias.as_deref().unwrap_or(&account)))
}

fn csv(made: &Made, link: &str) -> String {
    let Made { name, password, access_key_id, secret_access_key } = made;
    let header =
        ["User name", "Password", "Access key ID", "Secret access key", "Console login link"];
    rows(&[header, [name, password, access_key_id, secret_access_key, link]])
}

/// RFC 4180. Quoted where a field needs it.
fn rows<const N: usize>(rows: &[[&str; N]]) -> String {
    let field = |text: &&str| match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => (*text).to_owned(),
    };
    let row = |row: &[&str; N]| row.iter().map(field).collect::<Vec<_>>().join(",") + "\r\n";
    rows.iter().map(row).collect()
}

/// User names hold no slashes and no quotes; what else a header would mind is left out.
fn file_name(name: &str, kind: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.@".contains(*c);
    format!("{}_{kind}.csv", name.chars().filter(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_quoted_where_they_must_be() {
        let made =
            Made { name: "ann".to_owned(), password: "a\"b,c".to_owned(), ..Made::default() };
        let expected = "User name,Password,Access key ID,Secret access key,Console login link\r\n\
                        ann,\"a\"\"b,c\",,,http://x/\r\n";
        assert_eq!(csv(&made, "http://x/"), expected);
        assert_eq!(file_name("a+n\u{e9}n@x", "accessKeys"), "ann@x_accessKeys.csv");
    }
}
