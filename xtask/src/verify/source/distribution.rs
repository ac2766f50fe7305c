//! The distribution that an image is made of, and its packages, by the files that its tools keep.
//!
//! | tool | keeps |
//! |---|---|
//! | apk | `/lib/apk/db/installed`, stanzas with `P:` and `V:` |
//! | dpkg | `/var/lib/dpkg/status`, stanzas with `Package:`, `Version:` and `Status:`; images without dpkg have a file for each package in `status.d` |
//! | rpm | a database that is not read: the tool is named, without a list |

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Image;
use crate::oci::Node;

/// Folder of distroless images.
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
/// Most bytes of the names in it.
const MAX_NAMES: u64 = 1 << 20;
/// Databases of rpm.
const RPM: [&str; 3] = ["/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite"];

/// What `/etc/os-release` says: <https://man7.org/linux/man-pages/man5/os-release.5.html>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// `ID`, such as `alpine`; `linux` where there is none.
    pub id: String,
    /// `VERSION_ID`, such as `3.20.1`.
    pub version: Option<String>,
    /// `PRETTY_NAME`.
    pub name: Option<String>,
}

/// Packages of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// `apk`, `dpkg` or `rpm`.
    pub tool: &'static str,
    /// All that are installed, sorted by name; absent where the list cannot be read.
    pub installed: Option<Vec<Package>>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

pub(super) fn of(text: &dyn Fn(&str) -> Option<String>) -> Option<Distribution> {
    let text = text("/etc/os-release").or_else(|| text("/usr/lib/os-release"))?;
    let lines = text.lines().filter_map(|line| line.trim().split_once('='));
    let values: BTreeMap<&str, String> = lines.map(|(key, value)| (key, unquoted(value))).collect();
    let value = |key: &str| values.get(key).filter(|value| !value.is_empty()).cloned();
    let id = value("ID").unwrap_or_else(|| "linux".to_owned());
    Some(Distribution { id, version: value("VERSION_ID"), name: value("PRETTY_NAME") })
}

/// Without the quotes of a shell.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    inner.unwrap_or(value).replace('\\', "")
}

pub(super) fn packages(image: &Image, text: &dyn Fn(&str) -> Option<String>) -> Option<Packages> {
    if let Some(text) = text("/lib/apk/db/installed").or_else(|| text("/usr/lib/apk/db/installed")) {
        return Some(Packages { tool: "apk", installed: Some(sorted(stanzas(&text, "P:", "V:"))) });
    }
    let mut installed = text("/var/lib/dpkg/status").map(|text| stanzas(&text, "Package:", "Version:"));
    if image.rootfs.bytes_below(STATUS_FOLDER) <= MAX_NAMES {
        let files = image.rootfs.below(STATUS_FOLDER).into_iter().filter(|(_, node)| matches!(node, Node::File(..)));
        for text in files.filter_map(|(name, _)| text(&format!("{STATUS_FOLDER}/{name}"))) {
            installed.get_or_insert_default().extend(stanzas(&text, "Package:", "Version:"));
        }
    }
    if let Some(installed) = installed {
        return Some(Packages { tool: "dpkg", installed: Some(sorted(installed)) });
    }
    let has_rpm = RPM.iter().any(|path| image.rootfs.get(path).is_some());
    has_rpm.then_some(Packages { tool: "rpm", installed: None })
}

/// The packages of stanzas that blank lines part. What was removed, and left its settings, is none.
fn stanzas(text: &str, name: &str, version: &str) -> Vec<Package> {
    let stanza = |stanza: &str| {
        let field = |key: &str| stanza.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim());
        let is_removed = field("Status:").is_some_and(|status| !status.ends_with(" installed"));
        let package = Package { name: field(name)?.to_owned(), version: field(version).unwrap_or_default().to_owned() };
        (!is_removed).then_some(package)
    };
    text.split("\n\n").filter_map(stanza).collect()
}

fn sorted(mut packages: Vec<Package>) -> Vec<Package> {
    packages.sort();
    packages.dedup();
    packages
}
