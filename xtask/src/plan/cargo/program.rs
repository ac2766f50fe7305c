//! Does the workspace have what a component asks of it: package, program, features.

use crate::diagnostic::closest;
use crate::workspace::cargo::{CargoBinary, CargoPackage, CargoWorkspace, PackageKey};

/// A component asks for something that the workspace does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// No such member.
    #[error("the cargo workspace has no package `{name}`{}", suggest(.closest, .members))]
    NoPackage {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        closest: Option<String>,
        /// All members.
        members: Vec<String>,
    },
    /// The package is a library.
    #[error("package `{0}` has no program\nhint: add src/main.rs, or name another package")]
    NoProgram(String),
    /// The package has several programs.
    #[error("package `{package}` has several programs: {}\nhint: choose one with `bin`", list(.programs))]
    SeveralPrograms {
        /// The package.
        package: String,
        /// Its programs.
        programs: Vec<String>,
    },
    /// The package has no such program.
    #[error("package `{package}` has no program `{name}`{}", suggest(.closest, .programs))]
    UnknownProgram {
        /// The package.
        package: String,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        closest: Option<String>,
        /// Its programs.
        programs: Vec<String>,
    },
    /// The package has no such feature.
    #[error("package `{package}` has no feature `{name}`{}", suggest(.closest, .features))]
    UnknownFeature {
        /// The package.
        package: String,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        closest: Option<String>,
        /// Its features.
        features: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn suggest(closest: &Option<String>, all: &[String]) -> String {
    match closest {
        Some(name) => format!("\nhint: did you mean `{name}`?"),
        None if all.is_empty() => "\nhint: there are none".to_owned(),
        None => format!("\nhint: there are {}", list(all)),
    }
}

/// The program that a component means: `bin`, or the package's only one.
///
/// # Errors
/// No such package or program; no program; several programs.
pub fn binary(workspace: &CargoWorkspace, package: &str, bin: Option<&str>) -> Result<String, ProgramError> {
    Ok(find_binary(workspace, package, bin)?.name.clone())
}

/// Features without which cargo does not build the program.
///
/// # Errors
/// As [`binary`].
pub fn required_features<'a>(
    workspace: &'a CargoWorkspace,
    package: &str,
    bin: Option<&str>,
) -> Result<&'a [String], ProgramError> {
    Ok(&find_binary(workspace, package, bin)?.required_features)
}

/// Which of the wanted names are features of the package, in their order. The others are not an error: a feature of a
/// component is passed to cargo only if cargo knows it.
///
/// # Errors
/// No such package.
pub fn check_features<'a>(
    workspace: &CargoWorkspace,
    package: &str,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Result<FeatureCheck, ProgramError> {
    let features = &find_package(workspace, package)?.features;
    let (known, unknown): (Vec<&str>, Vec<&str>) = wanted.into_iter().partition(|name| features.contains_key(*name));
    let error = |name: &str| ProgramError::UnknownFeature {
        package: package.to_owned(),
        name: name.to_owned(),
        closest: closest(name, features.keys().map(String::as_str)).map(str::to_owned),
        features: features.keys().cloned().collect(),
    };
    Ok(FeatureCheck {
        known: known.into_iter().map(str::to_owned).collect(),
        unknown: unknown.into_iter().map(error).collect(),
    })
}

/// Features that a package has, and errors for those that it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureCheck {
    /// To be passed to cargo.
    pub known: Vec<String>,
    /// One error for each of the others, for callers to whom they matter.
    pub unknown: Vec<ProgramError>,
}

/// The member of this name.
pub(super) fn member<'a>(workspace: &'a CargoWorkspace, name: &str) -> Result<&'a PackageKey, ProgramError> {
    let found = workspace.members.iter().find(|key| key.name == name);
    found.ok_or_else(|| ProgramError::NoPackage {
        name: name.to_owned(),
        closest: closest(name, workspace.members.iter().map(|key| key.name.as_str())).map(str::to_owned),
        members: workspace.members.iter().map(|key| key.name.clone()).collect(),
    })
}

fn find_package<'a>(workspace: &'a CargoWorkspace, name: &str) -> Result<&'a CargoPackage, ProgramError> {
    member(workspace, name).map(|key| &workspace.packages[key])
}

fn find_binary<'a>(
    workspace: &'a CargoWorkspace,
    package: &str,
    bin: Option<&str>,
) -> Result<&'a CargoBinary, ProgramError> {
    let all = &find_package(workspace, package)?.binaries;
    let programs = || all.iter().map(|binary| binary.name.clone()).collect();
    let package = package.to_owned();
    match (bin, all.as_slice()) {
        (Some(name), _) => all.iter().find(|binary| binary.name == name).ok_or_else(|| ProgramError::UnknownProgram {
            package,
            name: name.to_owned(),
            closest: closest(name, all.iter().map(|binary| binary.name.as_str())).map(str::to_owned),
            programs: programs(),
        }),
        (None, [only]) => Ok(only),
        (None, []) => Err(ProgramError::NoProgram(package)),
        (None, _) => Err(ProgramError::SeveralPrograms { package, programs: programs() }),
    }
}
