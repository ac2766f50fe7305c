//! Platforms as `os/architecture[/variant]`, the notation of the OCI image index and of `docker build --platform`.

use std::fmt;
use std::str::FromStr;

/// A platform such as `linux/amd64` or `linux/arm/v7`.
/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform; write `os/architecture` or `os/architecture/variant`, such as `linux/arm64`")]
pub struct PlatformError(String);

/// Platforms that cargo components can be compiled for, with the Rust target that is used.
const RUST_TARGETS: &[(&str, &str)] = &[
    ("linux/386", "i686-unknown-linux-gnu"),
    ("linux/amd64", "x86_64-unknown-linux-gnu"),
    ("linux/arm/v7", "armv7-unknown-linux-gnueabihf"),
    ("linux/arm64", "aarch64-unknown-linux-gnu"),
    ("linux/ppc64le", "powerpc64le-unknown-linux-gnu"),
    ("linux/riscv64", "riscv64gc-unknown-linux-gnu"),
    ("linux/s390x", "s390x-unknown-linux-gnu"),
];

/// Platforms that Go compiles for and containers are made for, with the variants that it knows.
/// <https://go.dev/doc/install/source#environment>
const OF_GO: &[(&str, &[&str], &[&str])] = &[
    (
        "linux",
        &["386", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x"],
        &[],
    ),
    ("linux", &["amd64"], &["v1", "v2", "v3", "v4"]),
    ("linux", &["arm"], &["v5", "v6", "v7"]),
    ("windows", &["386", "arm64"], &[]),
    ("windows", &["amd64"], &["v1", "v2", "v3", "v4"]),
    ("freebsd", &["386", "amd64", "arm64"], &[]),
];

impl Platform {
    /// The platform of containers on this machine: Linux, on its architecture.
    pub fn of_this_machine() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            other => other,
        };
        let variant = (architecture == "arm").then(|| "v7".to_owned());
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant }
    }

    /// Operating system, such as `linux`.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// Whether programs have `.exe` at the end of their names there.
    pub fn is_windows(&self) -> bool {
        self.os == "windows"
    }

    /// Architecture by its name in Go, such as `amd64`.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Variant of the architecture, such as `v7`.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// The form that it has in an index: an object with `os`, `architecture` and perhaps `variant`.
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::json!({ "os": self.os, "architecture": self.architecture });
        if let Some(variant) = &self.variant {
            value["variant"] = variant.as_str().into();
        }
        value
    }

    /// Whether Go compiles programs for this platform.
    pub fn is_known_to_go(&self) -> bool {
        OF_GO.iter().any(|(os, architectures, variants)| {
            *os == self.os
                && architectures.contains(&self.architecture.as_str())
                && self.variant.as_deref().is_none_or(|variant| variants.contains(&variant))
        })
    }

    /// The Rust target that builds programs for this platform, if one is known.
    pub fn rust_target(&self) -> Option<&'static str> {
        let name = self.to_string();
        RUST_TARGETS.iter().find(|(platform, _)| *platform == name).map(|(_, target)| *target)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let error = || PlatformError(text.chars().take(64).collect());
        let valid = |part: &&str| {
            // the first one no punctuation: parts become segments of paths
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            part.bytes().next().is_some_and(plain) && part.bytes().all(|b| plain(b) || b"._-".contains(&b))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if text.len() > 64 || !parts.iter().all(valid) {
            return Err(error());
        }
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(error()),
        };
        // arm64/v8 and arm64 are the same platform; containerd normalises the same way
        let variant = variant.filter(|variant| !(architecture == "arm64" && *variant == "v8"));
        Ok(Self { os: os.into(), architecture: architecture.into(), variant: variant.map(Into::into) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(out, "/{variant}"))
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let parsed = text.parse::<Platform>().ok().map(|platform| platform.to_string());
        assert_eq!(parsed.as_deref(), expect, "{text:?}");
    }

    #[test]
    fn grammar() {
        check("linux/amd64", Some("linux/amd64"));
        check("linux/arm/v7", Some("linux/arm/v7"));
        check("linux/arm64/v8", Some("linux/arm64"));
        for bad in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "linux/amd64/a/b",
            "Linux/amd64",
            "linux/amd 64",
            "linux/$x",
            "../amd64",
            "linux/.",
            "linux/-a",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn every_target_has_a_valid_platform() {
        for (platform, _) in RUST_TARGETS {
            check(platform, Some(platform));
        }
    }
}
