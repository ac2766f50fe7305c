//! The `xtask` binary: see [`groupage::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    groupage::cli::main()
}
