//! Counts the files of a buffer. (Here it only says how many there are.)

use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program; `main.rs` calls it, and so does a program that holds several.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    let Some(word) = args.nth(1) else {
        eprintln!("usage: exporter FOLDER");
        return ExitCode::from(2);
    };
    if word == "--version" {
        println!("exporter {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match std::fs::read_dir(&word) {
        Ok(entries) => {
            println!("{} files", entries.count());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", word.display());
            ExitCode::FAILURE
        }
    }
}
