fn main() -> std::process::ExitCode {
    exporter::run(&mut std::env::args_os())
}
