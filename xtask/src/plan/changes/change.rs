//! One reason, as a value and as a line of text.

use std::fmt;

use serde::Serialize;

/// One difference between what was built and what would be built. It sorts: what is the image's own first, then by component.
///
/// Something that was added has no `before`, something that was removed no `after`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The component that it is about; none for the image's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What kind of thing changed.
    pub what: What,
    /// Which one: a path, a name, a key. Empty where there is only one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// As it was; absent when it is new. Digests and hashes are complete; the text form shortens them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// As it is; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What kinds of things change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It was never built on this machine.
    NeverBuilt,
    /// It was built, and what it was built from is not known (any more).
    NoRecord,
    /// It was built, and the engine does not have it any more.
    Gone,
    /// The tool builds otherwise from the same inputs.
    FingerprintVersion,
    /// The engine that builds: another one builds with other inputs.
    Engine,
    /// The base, as it is referred to.
    Base,
    /// What is behind a reference without a digest.
    Behind,
    /// The compiler of this machine.
    Toolchain,
    /// How components are put together.
    Mode,
    /// Network of builds.
    Network,
    /// `COPY --link`.
    CopyLink,
    /// A template of Dockerfiles.
    Template,
    /// A platform, where the image depends on it.
    Platform,
    /// A feature of the image, or of a component.
    Feature,
    /// A component is in the image or not.
    Component,
    /// Version of a component.
    Version,
    /// Platforms on which a component is left out.
    Excluded,
    /// Its inputs; of an image that says no more of them.
    Inputs,
    /// The builder image.
    Builder,
    /// The image that files are taken out of.
    SourceImage,
    /// A feature that is passed to cargo.
    CargoFeature,
    /// A tag that is passed to Go.
    BuildTag,
    /// Any other setting of the build.
    Setting,
    /// A crate of the lock file.
    Crate,
    /// Bytes of a file of the workspace.
    File,
    /// Permission bits of a file.
    FileMode,
    /// The file that something comes from.
    FileSource,
    /// A text that the tool writes for the build.
    Generated,
    /// A link.
    Link,
    /// Where something is installed.
    Install,
    /// A role.
    Role,
    /// Part of a role.
    RoleSetting,
    /// The configuration of the image.
    Config,
    /// A label of the image.
    Label,
    /// Something that has no name here.
    Other,
    /// A label that is no input: only the configuration is made anew.
    Stamp,
}

impl What {
    /// How text forms call it, before the subject.
    fn noun(self) -> &'static str {
        match self {
            Self::NeverBuilt => "never built here",
            Self::NoRecord => "no record of the last build",
            Self::Gone => "the image is gone",
            Self::FingerprintVersion => "version of the build rules",
            Self::Engine => "compiled",
            Self::Base => "base",
            Self::Behind => "image behind",
            Self::Toolchain => "toolchain",
            Self::Mode => "mode",
            Self::Network => "network of builds",
            Self::CopyLink => "COPY --link",
            Self::Template => "template",
            Self::Platform => "platform",
            Self::Feature => "feature",
            Self::Component => "component",
            Self::Version => "version",
            Self::Excluded => "excluded platforms",
            Self::Inputs => "inputs",
            Self::Builder => "builder",
            Self::SourceImage => "source image",
            Self::CargoFeature => "cargo feature",
            Self::BuildTag => "build tag",
            Self::Setting => "build setting",
            Self::Crate => "crate",
            Self::File => "file",
            Self::FileMode => "mode of",
            Self::FileSource => "source of",
            Self::Generated => "generated",
            Self::Link => "link",
            Self::Install => "install",
            Self::Role => "role",
            Self::RoleSetting => "role",
            Self::Config => "configuration",
            Self::Label => "label",
            Self::Other => "another input",
            Self::Stamp => "label",
        }
    }

    /// Whether it is switched and has no value.
    fn is_switch(self) -> bool {
        matches!(self, Self::Feature | Self::CargoFeature | Self::BuildTag)
    }
}

impl Change {
    /// A reason that is not a difference between two values.
    pub fn of(what: What, subject: impl Into<String>) -> Self {
        Self { component: None, what, subject: subject.into(), before: None, after: None }
    }

    /// The same, seen from the other side.
    pub(super) fn reversed(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }

    /// Whether layers stay as they are.
    pub fn is_stamp(&self) -> bool {
        self.what == What::Stamp
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(component) = &self.component {
            write!(f, "{component}: ")?;
        }
        f.write_str(self.what.noun())?;
        if !self.subject.is_empty() {
            let separator = if matches!(self.what, What::Gone | What::NoRecord) { ": " } else { " " };
            write!(f, "{separator}{}", one_line(&self.subject))?;
        }
        match (&self.before, &self.after) {
            (None, None) => Ok(()),
            (None, Some(_)) if self.what.is_switch() => f.write_str(" is on now"),
            (Some(_), None) if self.what.is_switch() => f.write_str(" is off now"),
            (None, Some(after)) => write!(f, " added{}", in_brackets(after)),
            (Some(before), None) => write!(f, " removed{}", in_brackets(before)),
            (Some(before), Some(after)) if self.subject.is_empty() => write!(f, ": {}", arrow(before, after)),
            (Some(before), Some(after)) => write!(f, " changed: {}", arrow(before, after)),
        }
    }
}

fn in_brackets(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" ({})", short(value)) }
}

/// Old and new in one line. Two that would look the same are shown whole.
fn arrow(before: &str, after: &str) -> String {
    let (old, new) = (short(before), short(after));
    if old == new { format!("{} → {}", one_line(before), one_line(after)) } else { format!("{old} → {new}") }
}

/// A digest or a hash by its first 12 digits; anything else as it is, in one line.
fn short(value: &str) -> String {
    const SHOWN: usize = 12;
    let mut text = one_line(value);
    // a digest may stand at the end of a reference
    let at = text.rfind("sha256:").map_or(0, |at| at + "sha256:".len());
    let digits = &text[at..];
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        text.truncate(at + SHOWN);
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn one_line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: What, subject: &str, before: Option<&str>, after: Option<&str>, expect: &str) {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        let (before, after) = (owned(before), owned(after));
        let change = Change { component: None, what, subject: subject.to_owned(), before, after };
        assert_eq!(change.to_string(), expect);
        let own = Change { component: Some("agent".to_owned()), ..change };
        assert_eq!(own.to_string(), format!("agent: {expect}"));
    }

    #[test]
    fn each_is_one_line() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        check(What::NeverBuilt, "", None, None, "never built here");
        check(What::Gone, "target/x", None, None, "the image is gone: target/x");
        check(What::Mode, "", Some("split"), Some("colocated"), "mode: split → colocated");
        check(What::Feature, "tls", None, Some(""), "feature tls is on now");
        check(What::Feature, "tls", Some(""), None, "feature tls is off now");
        check(What::File, "a\nb", Some(&a), Some(&b), "file a b changed: aaaaaaaaaaaa → bbbbbbbbbbbb");
        check(What::File, "a", None, Some(&b), "file a added (bbbbbbbbbbbb)");
        check(What::Component, "a", Some(""), None, "component a removed");
        check(What::Setting, "bin", Some(""), Some("x"), "build setting bin changed: nothing → x");
        let (one, two) = (format!("r/a@sha256:{a}"), format!("r/a@sha256:{b}"));
        check(What::Base, "", Some(&one), Some(&two), "base: r/a@sha256:aaaaaaaaaaaa → r/a@sha256:bbbbbbbbbbbb");
        let near = format!("{}b", "a".repeat(63));
        check(What::Inputs, "", Some(&a), Some(&near), &format!("inputs: {a} → {near}"));
    }
}
