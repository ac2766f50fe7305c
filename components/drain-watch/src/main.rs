//! The `drain-watch` program; all of it is in the library, so that a multi-call binary can link it too.

fn main() -> std::process::ExitCode {
    drain_watch::run(&mut std::env::args_os())
}
