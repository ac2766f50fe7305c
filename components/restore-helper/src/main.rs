//! The `restore-helper` program; all of it is in the library, so that a multi-call binary can link it too.

fn main() -> std::process::ExitCode {
    restore_helper::run(&mut std::env::args_os())
}
