//! Asks a program to read its configuration again when that has changed. (Here it only says what it would do.)

use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program; `main.rs` calls it, and so does a program that holds several.
pub fn run(args: &mut dyn Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = args.skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match words.first().map(String::as_str) {
        Some("--version") => println!("reloader {}", env!("CARGO_PKG_VERSION")),
        Some(folder) => println!("watching {folder}"),
        None => {
            eprintln!("usage: reloader FOLDER");
            return ExitCode::from(2);
        }
    }
    if cfg!(feature = "metrics") {
        println!("metrics at port 9533");
    }
    ExitCode::SUCCESS
}
