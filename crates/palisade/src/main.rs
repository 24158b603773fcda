//! `palisade`: the AWS security plane that anyone can run.

mod access_log;
mod api;
mod authenticate;
mod commands;
mod config;
mod cors;
mod download;
mod effects;
mod expectations;
mod explain;
mod first_start;
mod form_answer;
mod form_upload;
mod internal;
mod issuer;
mod issuer_tls;
mod jobs;
mod listener;
mod machine;
mod metrics;
mod operator;
mod organization;
mod outcome;
mod pipeline;
mod receipt;
mod record;
mod recorded;
mod replay;
mod reply;
mod route;
mod s3_address;
mod sarif;
mod server;
mod signin;
mod tls;
mod token_issuer;
mod transaction;
mod upgrade;
mod upload;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Enforces AWS IAM for real: identity, governance and audit APIs of AWS on your own machine.
#[derive(Parser)]
#[command(name = "palisade", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<commands::serve::Serve>),
    /// Print export lines for the AWS CLI and SDKs: eval "$(palisade env)"
    Env(commands::env::Env),
    /// Ask a running server how it is; exit 0 when it answers
    Health(commands::health::Health),
    /// Evaluate and validate IAM policies, offline
    #[command(subcommand)]
    Policy(commands::policy::Policy),
    /// Test policies: who may do what, and whether it is so
    Test(Box<commands::test::Test>),
    /// Tell in words why a request was allowed or refused
    Why(commands::why::Why),
    /// Decide the receipt of a decision again, offline
    Explain(commands::explain::Explain),
    /// Tell what can be decided, and what of a policy cannot
    Coverage(commands::coverage::Coverage),
    /// Check an account against the best practices of IAM; exit 1 when a check fails
    Checklist(commands::checklist::Checklist),
    /// Keep an organization in a file: plan, apply, export
    #[command(subcommand)]
    Org(commands::org::Org),
    /// Walk through what the server does, for people who are new to it
    #[command(subcommand)]
    Demo(commands::demo::Demo),
}

fn main() -> ExitCode {
    if let Err(message) =
        config::refuse_unknown_variables(&known_variables(), std::env::vars().map(|(name, _)| name))
    {
        eprintln!("palisade: {message}");
        return ExitCode::from(2);
    }
    let outcome = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Env(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Coverage(command) => command.run(),
        Command::Checklist(command) => command.run(),
        Command::Org(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("palisade: {message}");
        ExitCode::FAILURE
    })
}

/// Every variable that some option of some subcommand reads.
fn known_variables() -> Vec<String> {
    let command = Cli::command();
    let mut pending = vec![&command];
    let mut names = Vec::new();
    while let Some(command) = pending.pop() {
        pending.extend(command.get_subcommands());
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        names.extend(variables.filter_map(|name| name.to_str()).map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_variables_of_serve_are_known() {
        assert!(known_variables().contains(&"PALISADE_DATA_DIR".to_owned()));
    }
}
