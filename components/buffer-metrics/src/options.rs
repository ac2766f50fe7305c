//! The command line.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
buffer-metrics: serves size, file count and age of buffer directories

Usage: buffer-metrics --dir [NAME=]PATH [--dir [NAME=]PATH]... [OPTIONS]

Walks the directories at every scrape of http://ADDRESS/metrics and answers in
Prometheus text. A directory that cannot be read has logging_buffer_up 0 and no
other value. /healthz answers `ok`.

Options:
      --dir [NAME=]PATH           a buffer directory, recursively; NAME becomes
                                  the label `buffer` [default of NAME: PATH];
                                  may be repeated
      --listen-address HOST:PORT  where to serve [default: 0.0.0.0:9200]
      --help                      show this text
      --version                   show the version

Exit codes:
  0  ended by SIGTERM or SIGINT
  1  the address cannot be served on
  2  wrong usage
";

const LISTEN_ADDRESS: &str = "0.0.0.0:9200";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Version,
    Serve(Options),
}

/// The options of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) dirs: Vec<BufferDir>,
    pub(crate) listen_address: String,
}

/// A directory and the name under which it is reported.
#[derive(Debug, PartialEq)]
pub(crate) struct BufferDir {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(args.collect::<Vec<_>>());
    let mut dirs: Vec<BufferDir> = Vec::new();
    let mut listen_address = LISTEN_ADDRESS.to_owned();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Help),
            Long("version") | Short('V') => return Ok(Request::Version),
            Long("dir") => {
                let dir = buffer_dir(parser.value()?)?;
                if let Some(other) = dirs.iter().find(|other| other.name == dir.name) {
                    let paths = (other.path.display(), dir.path.display());
                    return Err(format!("two directories are named {:?}: {} and {}", dir.name, paths.0, paths.1).into());
                }
                dirs.push(dir);
            }
            Long("listen-address") => listen_address = address(parser.value()?)?,
            other => return Err(other.unexpected()),
        }
    }
    if dirs.is_empty() {
        return Err("--dir is missing: there is no directory to watch".into());
    }
    Ok(Request::Serve(Options { dirs, listen_address }))
}

/// `NAME=PATH` or `PATH`. An `=` behind a slash belongs to a path, since a name has no slash.
fn buffer_dir(value: OsString) -> Result<BufferDir, String> {
    let bytes = value.as_bytes();
    let split = bytes.iter().position(|byte| *byte == b'=').filter(|at| !bytes[..*at].contains(&b'/'));
    let (name, path) = match split {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, bytes),
    };
    if name.is_empty() || path.is_empty() {
        return Err(format!("--dir {value:?}: expected PATH or NAME=PATH, neither of them empty"));
    }
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(BufferDir { name, path: OsString::from_vec(path.to_vec()).into() })
}

fn address(value: OsString) -> Result<String, String> {
    match value.into_string() {
        Ok(address) if address.contains(':') => Ok(address),
        Ok(other) => Err(format!("--listen-address {other:?}: expected HOST:PORT, such as {LISTEN_ADDRESS}")),
        Err(other) => Err(format!("--listen-address {other:?}: expected HOST:PORT, such as {LISTEN_ADDRESS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Result<Request, &str>) {
        let result =
            parse(["buffer-metrics"].iter().chain(args).map(OsString::from)).map_err(|error| error.to_string());
        match (&result, expected) {
            (Err(message), Err(part)) => assert!(message.contains(part), "{args:?}: {message}"),
            (result, expected) => assert_eq!(*result, expected.map_err(str::to_owned), "{args:?}"),
        }
    }

    fn serve(dirs: &[(&str, &str)], address: &str) -> Result<Request, &'static str> {
        let dirs = dirs.iter().map(|(name, path)| BufferDir { name: (*name).to_owned(), path: path.into() }).collect();
        Ok(Request::Serve(Options { dirs, listen_address: address.to_owned() }))
    }

    #[test]
    fn directories_have_names() {
        check(&["--dir", "/buffers"], serve(&[("/buffers", "/buffers")], "0.0.0.0:9200"));
        check(&["--dir", "main=/buffers"], serve(&[("main", "/buffers")], "0.0.0.0:9200"));
        check(&["--dir=a=/x", "--dir=b=/y=z"], serve(&[("a", "/x"), ("b", "/y=z")], "0.0.0.0:9200"));
        check(&["--dir", "/x/a=b"], serve(&[("/x/a=b", "/x/a=b")], "0.0.0.0:9200"));
        check(&["--dir", "x", "--listen-address", ":0"], serve(&[("x", "x")], ":0"));
    }

    #[test]
    fn wrong_usage_is_explained() {
        check(&[], Err("--dir is missing"));
        check(&["--dir"], Err("missing argument"));
        check(&["--dir", ""], Err("neither of them empty"));
        check(&["--dir", "=/x"], Err("neither of them empty"));
        check(&["--dir", "a="], Err("neither of them empty"));
        check(&["--dir", "a=/x", "--dir", "a=/y"], Err("two directories are named \"a\": /x and /y"));
        check(&["--dir", "/x", "--listen-address", "9200"], Err("expected HOST:PORT"));
        check(&["--dri", "/x"], Err("--dri"));
        check(&["/x"], Err("unexpected argument"));
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        check(&["--help"], Ok(Request::Help));
        check(&["--version"], Ok(Request::Version));
    }
}
