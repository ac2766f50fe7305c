//! `[build.cargo]`: a package of the cargo workspace.

use std::str::FromStr;

use super::BuildKind;
use crate::manifest::component::is_binary_name;
use crate::manifest::decode::{Item, Table};
use crate::manifest::name::{BuilderName, FeatureName};
use crate::manifest::text::{Text, Texts};
use crate::source::Spanned;

/// `[build.cargo]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoBuild {
    /// The package.
    pub package: Spanned<String>,
    /// The program; the package's only one when absent.
    pub bin: Option<Spanned<String>>,
    /// Cargo features that are on besides those of the component's own features.
    pub features: Vec<Spanned<FeatureName>>,
    /// The builder; `rust` when absent.
    pub builder: Option<Spanned<BuilderName>>,
    /// How the program is linked.
    pub link: Link,
    /// The function of the package's library that a multi-call program calls; `run` when absent.
    pub run: Option<Spanned<String>>,
}

/// How a program is linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Statically: the program runs on any base, `scratch` included.
    #[default]
    Static,
    /// Dynamically: the base must give `libc:glibc`.
    Dynamic,
}

impl Text for Link {
    fn texts() -> Texts {
        Texts::Words(vec!["static", "dynamic"])
    }
}

impl FromStr for Link {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "static" => Ok(Self::Static),
            "dynamic" => Ok(Self::Dynamic),
            _ => Err("it is \"static\" or \"dynamic\"".to_owned()),
        }
    }
}

pub(super) fn decode_cargo(table: &mut Table<'_>) -> Option<BuildKind> {
    table.held_by::<CargoBuild>();
    let package = table.required("package").and_then(|item| binary_name(&item));
    let bin = table.optional("bin").and_then(|item| binary_name(&item));
    let features = table.optional("features").and_then(|item| item.list(Item::parsed));
    let builder = table.optional("builder").and_then(|item| item.parsed());
    let link = table.optional("link").and_then(|item| item.parsed());
    let run = table.optional("run").and_then(|item| decode_run(&item));
    Some(BuildKind::Cargo(CargoBuild {
        package: package?,
        bin,
        features: features.unwrap_or_default(),
        builder,
        link: link.map(|link| link.value).unwrap_or_default(),
        run,
    }))
}

/// A path of Rust: names parted by `::`. It becomes a piece of a program.
fn decode_run(item: &Item<'_>) -> Option<Spanned<String>> {
    let path = item.line()?;
    let starts = |name: &str| name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
    let is_name = |name: &str| starts(name) && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if !path.value.split("::").all(is_name) {
        item.report("invalid-value", "`run` is the path of a function in the library, such as \"run\" or \"cli::run\"");
        return None;
    }
    Some(path)
}

fn binary_name(item: &Item<'_>) -> Option<Spanned<String>> {
    let name = item.line()?;
    if !is_binary_name(&name.value) {
        item.report("invalid-name", "a package or program has letters, digits, `_` and `-`");
        return None;
    }
    Some(name)
}
