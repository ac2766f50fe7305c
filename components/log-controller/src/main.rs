//! The `log-controller` program; all of it is in the library, so that a multi-call binary can link it too.

fn main() -> std::process::ExitCode {
    log_controller::run(&mut std::env::args_os())
}
