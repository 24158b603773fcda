//! The pages. Their templates escape what they are given.

use super::answer::Answer;
use askama::Template;
use palisade_services::signin::security_key::Asked;

/// The forms of the first page.
#[derive(Template)]
#[template(path = "signin/sign_in.html")]
pub struct SignIn<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub email: &'a str,
    pub account: &'a str,
    pub name: &'a str,
}

/// The second factor.
#[derive(Template)]
#[template(path = "signin/second_factor.html")]
pub struct SecondFactor<'a> {
    pub csrf: &'a str,
    pub step: &'a str,
    pub message: &'a str,
    /// There are devices that show codes.
    pub has_codes: bool,
    /// What security keys are asked, where one can answer.
    pub key: Option<Asked>,
}

/// Where who is signed in registers a security key.
#[derive(Template)]
#[template(path = "signin/security_key.html")]
pub struct SecurityKey<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub name: &'a str,
    /// What the key is asked, in JSON.
    pub asked: &'a str,
    pub sealed: &'a str,
}

/// A new password is due.
#[derive(Template)]
#[template(path = "signin/new_password.html")]
pub struct NewPassword<'a> {
    pub csrf: &'a str,
    pub step: &'a str,
    pub message: &'a str,
}

/// Where a lost root password begins.
#[derive(Template)]
#[template(path = "signin/recover.html")]
pub struct Recover<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub email: &'a str,
}

/// The code of the message, and the new root password.
#[derive(Template)]
#[template(path = "signin/recover_new.html")]
pub struct RecoverNew<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub code: &'a str,
}

/// Who is signed in.
#[derive(Template)]
#[template(path = "signin/home.html")]
pub struct Home<'a> {
    pub csrf: &'a str,
    pub arn: &'a str,
    pub account: &'a str,
    pub alias: &'a str,
    pub since: &'a str,
    pub until: &'a str,
    pub second_factor: &'a str,
    /// Name and account of the role that was switched to.
    pub role: Option<(&'a str, &'a str)>,
    pub credentials: &'a [Credential],
}

/// A line of the list of one's own credentials.
pub struct Credential {
    pub kind: &'static str,
    pub id: String,
    pub state: String,
}

/// A new user with its credentials.
#[derive(Template)]
#[template(path = "signin/new_user.html")]
pub struct NewUser<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub name: &'a str,
}

/// A role to switch to.
#[derive(Template)]
#[template(path = "signin/role.html")]
pub struct Role<'a> {
    pub csrf: &'a str,
    pub message: &'a str,
    pub account: &'a str,
    pub name: &'a str,
    pub display_name: &'a str,
}

/// Something to say and a way on.
#[derive(Template)]
#[template(path = "signin/message.html")]
pub struct Message<'a> {
    pub title: &'a str,
    pub text: &'a str,
}

/// The answer of a page.
pub fn answer(status: u16, page: &impl Template) -> Answer {
    match page.render() {
        Ok(html) => Answer::page(status, html),
        Err(error) => Answer::failed(&palisade_services::errors::internal(error)),
    }
}

pub fn message(status: u16, title: &str, text: &str) -> Answer {
    answer(status, &Message { title, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_escaped() {
        let name = "<script>alert(1)</script>\" x='";
        let page = SignIn { csrf: "c", message: "no", email: name, account: name, name };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("\" x='"), "{html}");
        assert!(html.contains("&#60;script&#62;"), "{html}");
    }
}
