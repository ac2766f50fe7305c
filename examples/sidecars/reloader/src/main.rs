fn main() -> std::process::ExitCode {
    reloader::run(&mut std::env::args_os())
}
