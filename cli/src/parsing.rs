//! Reading the command line.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, CommandFactory, Error, Parser};

use crate::arguments::Arguments;

/// The arguments of this process. What is missing is named as an option and as the environment variable that does the same, since who runs
/// MikroCloud as a service knows only the latter. Values that may hold a password are not repeated when they are wrong.
pub fn parse() -> Result<Arguments, Error> {
    Arguments::try_parse().map_err(|mut error| {
        match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => {
                let named = missing.iter().map(|argument| with_variable(argument)).collect();
                error.insert(ContextKind::InvalidArg, ContextValue::Strings(named));
            }
            Some(ContextValue::String(argument)) if find(argument).is_some_and(|known| known.is_hide_env_values_set()) => {
                let named = with_variable(argument);
                error.insert(ContextKind::InvalidArg, ContextValue::String(named));
                error.insert(ContextKind::InvalidValue, ContextValue::String("(hidden)".to_owned()));
            }
            _ => {}
        }
        error
    })
}

/// An argument as clap writes it, such as `--database-url <URL>`, with the variable that sets it.
fn with_variable(argument: &str) -> String {
    match find(argument).as_ref().and_then(Arg::get_env) {
        Some(variable) => format!("{argument} (or the variable {})", variable.display()),
        None => argument.to_owned(),
    }
}

/// The argument that clap writes like this.
fn find(argument: &str) -> Option<Arg> {
    let mut command = Arguments::command();
    // Before that, clap cannot write its arguments.
    command.build();
    let mut arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    arguments.find(|known| known.to_string() == argument).cloned()
}
