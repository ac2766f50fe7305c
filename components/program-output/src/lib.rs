//! What a component program says on stdout and stderr, and the exit code that belongs to it.
//!
//! Data goes to stdout, everything else to stderr in lines that begin with the program's name, which each program
//! passes: two components linked into one binary share no state here.
//!
//! **Invariant.** Nothing here panics: a reader that has gone away must not end a program that still has work to do.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Data for stdout. A reader that has gone away is no reason to panic, as `print!` would.
pub fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// One line on stderr. A closed stderr is no reason to panic, as `eprintln!` would.
pub fn log(program: &str, message: impl Display) {
    let _ = writeln!(io::stderr(), "{program}: {message}");
}

/// The exit code of a result; an error is logged.
pub fn exit_code(program: &str, result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(program, format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Logs what is wrong with the command line, and where the right one is described; the exit code is 2.
pub fn usage_error(program: &str, problem: impl Display) -> ExitCode {
    log(program, format_args!("error: {problem}\n  hint: {program} --help lists the options"));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_zero() {
        assert_eq!(exit_code("test", Ok::<_, &str>(())), ExitCode::SUCCESS);
        assert_eq!(exit_code("test", Err("broken")), ExitCode::FAILURE);
        assert_eq!(usage_error("test", "unknown option"), ExitCode::from(2));
    }
}
