//! Words of `schema`, `completions` and `man`: what this program says of itself to others.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

pub(super) const LONG_SCHEMA: &str = "\
Print the JSON Schema of a file, for editors: they complete keys, show what each means, and mark what is wrong.

The schemas are made from the code that reads the files. Taplo, which is in many editors, takes one that is named in the first \
lines of a file: `#:schema ../../schemas/component.json`.";

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Which file
    #[arg(value_enum, value_name = "FILE")]
    pub of: SchemaOf,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// component.toml.
    Component,
    /// image.toml.
    Image,
    /// groupage.toml.
    Settings,
    /// Files of retired images, as `ledger = ["…"]` and `--ledger` name them.
    Ledger,
    /// What `plan --format json` prints.
    Plan,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Write a page for each command into a folder, as NAME.1
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<Utf8PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
