//! Words become [`Arguments`]: clap does it, but for what is given both before and after the name of a command.
//!
//! Of a global option clap keeps the values of one place, those after the name, and drops the others without a word
//! (<https://github.com/clap-rs/clap/issues/3938>). That is right for an option with one value and wrong for `--set`, of which
//! every one counts. So each command gets a `--set` of its own here, and the values of all of them are joined. A program
//! that flattens [`Command`](super::Command) into its own arguments parses by itself, and has clap's behaviour.

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::args::Arguments;

/// The option that adds up.
const SET: &str = "set";

/// Reads a command line, program first, of a program that is called by a name.
///
/// # Errors
/// clap's, which are also how it shows help.
pub(super) fn parse(words: impl IntoIterator<Item = OsString>, name: &str) -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command().bin_name(name.to_owned()).mut_arg(SET, |set| set.global(false));
    let own = command.get_arguments().find(|argument| argument.get_id() == SET).cloned();
    if let Some(set) = own {
        command = command.mut_subcommands(|command| with(command, &set));
    }
    let matches = command.try_get_matches_from(words)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    arguments.global.set = values(&matches);
    Ok(arguments)
}

/// A command, and those below it, with an option.
fn with(command: Command, option: &Arg) -> Command {
    command.arg(option.clone()).mut_subcommands(|below| with(below, option))
}

/// All values, in the order of the words.
fn values(matches: &ArgMatches) -> Vec<(String, String)> {
    let own = matches.get_many::<(String, String)>(SET).into_iter().flatten().cloned();
    own.chain(matches.subcommand().into_iter().flat_map(|(_, below)| values(below))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expect: &[&str]) {
        let arguments = parse(words.split(' ').map(OsString::from), "groupage").unwrap();
        let set: Vec<String> = arguments.global.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(set, expect, "{words}");
    }

    #[test]
    fn every_set_counts() {
        check("groupage plan", &[]);
        check("groupage --set a=1 plan", &["a=1"]);
        check("groupage plan --set a=1 --set b=2", &["a=1", "b=2"]);
        check("groupage --set a=1 --set b=2 build --set c=3", &["a=1", "b=2", "c=3"]);
        check("groupage --set a=1 explain --set b=2 why x --set c=3", &["a=1", "b=2", "c=3"]);
    }

    #[test]
    fn other_options_may_stand_anywhere() {
        for words in ["groupage --offline plan", "groupage plan --offline"] {
            assert!(parse(words.split(' ').map(OsString::from), "groupage").unwrap().global.offline, "{words}");
        }
    }
}
