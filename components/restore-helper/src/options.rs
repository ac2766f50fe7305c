//! The command line: one restore id.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

pub(crate) const HELP: &str = "\
restore-helper: waits until the restore of every volume of a pod is done

Usage: restore-helper RESTORE-ID

Looks once per second for the file /restores/<volume>/.velero/<RESTORE-ID> in
every directory below /restores, prints progress on stderr, and ends when all
of them are there. With the build feature progress-json, each progress line is
also printed on stdout as one JSON object.

Options:
      --help     show this text
      --version  show the version

Environment:
  RESTORES_DIR  directory of the volumes [default: /restores]

Exit codes:
  0    every volume is restored
  1    wrong usage, or no volumes to wait for
  130  ended by SIGINT before that; 143 by SIGTERM
";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Version,
    Wait { id: OsString },
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let mut args = args.fuse();
    let (Some(argument), None) = (args.next(), args.next()) else {
        return Err("exactly one argument is needed, the id of the restore to wait for".to_owned());
    };
    match argument.to_str() {
        Some("--help" | "-h") => Ok(Request::Help),
        Some("--version" | "-V") => Ok(Request::Version),
        _ => restore_id(argument).map(|id| Request::Wait { id }),
    }
}

/// The id becomes a file name, so it must be one: nothing that could point elsewhere.
fn restore_id(id: OsString) -> Result<OsString, String> {
    let problem = match id.as_bytes() {
        b"" => "is empty",
        b"." | b".." => "names a directory",
        bytes if bytes.contains(&b'/') => "contains a slash",
        bytes if bytes.contains(&0) => "contains a NUL byte",
        bytes if bytes.starts_with(b"-") => "looks like an option",
        _ => return Ok(id),
    };
    Err(format!("the restore id {id:?} {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Result<Request, &str>) {
        let result = parse(args.iter().map(OsString::from));
        match (&result, expected) {
            (Err(message), Err(part)) => assert!(message.contains(part), "{args:?}: {message}"),
            (result, expected) => assert_eq!(*result, expected.map_err(str::to_owned), "{args:?}"),
        }
    }

    #[test]
    fn one_argument_is_the_id() {
        let id = "0b5f0e4e-6d2c-4d0a-9d36-2f7b7a2f7a11";
        check(&[id], Ok(Request::Wait { id: id.into() }));
        check(&["..."], Ok(Request::Wait { id: "...".into() }));
        check(&["--help"], Ok(Request::Help));
        check(&["--version"], Ok(Request::Version));
    }

    #[test]
    fn anything_else_is_refused() {
        check(&[], Err("exactly one argument"));
        check(&["a", "b"], Err("exactly one argument"));
        check(&["--help", "b"], Err("exactly one argument"));
        check(&[""], Err("is empty"));
        check(&["."], Err("names a directory"));
        check(&[".."], Err("names a directory"));
        check(&["../x"], Err("contains a slash"));
        check(&["a\0b"], Err("contains a NUL byte"));
        check(&["--wait"], Err("looks like an option"));
    }
}
