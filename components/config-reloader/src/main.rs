//! The `config-reloader` program; all of it is in the library, so that a multi-call binary can link it too.

fn main() -> std::process::ExitCode {
    config_reloader::run(&mut std::env::args_os())
}
