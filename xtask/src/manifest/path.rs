//! Paths as types: where a file comes from (inside the workspace) and where it goes (inside the image).
//!
//! Only where a file comes from may depend on the platform ([`PlatformPath`]): the same program stands at the same path on
//! every platform, because consumers name it once.
//!
//! Both are refused unless they stay below their root and can be written in a Dockerfile on every engine. Docker expands
//! `$`, removes quotes and backslashes and globs in paths even in the JSON form of `COPY`; rather than escape differently for
//! each place, such characters are not allowed in paths at all.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::text::{Text, Texts};
use crate::diagnostic::closest;
use crate::oci::Platform;

/// Longest path, in bytes (`PATH_MAX` less its end).
const MAX_PATH: usize = 4095;
/// Longest file name, in bytes (`NAME_MAX`).
const MAX_SEGMENT: usize = 255;
/// What names of programs end with on Windows.
pub const EXE: &str = ".exe";
/// Characters with a meaning in `COPY`, `WORKDIR` or a shell.
const RESERVED: &[char] = &['$', '\\', '"', '\'', '`', '*', '?', '[', ']', '<', '>', '|', '&', ';'];

/// Why a text is not such a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PathError(String);

fn error<T>(text: impl Into<String>) -> Result<T, PathError> {
    Err(PathError(text.into()))
}

/// Segments of a clean path: no empty ones, no `.`, no `..`, nothing that a Dockerfile would read differently.
fn check_segments(text: &str) -> Result<(), PathError> {
    if text.len() > MAX_PATH {
        return error(format!("the path has {} bytes; at most {MAX_PATH} are allowed", text.len()));
    }
    if let Some(bad) = text.chars().find(|c| RESERVED.contains(c)) {
        return error(format!("`{bad}` is not allowed in a path"));
    }
    check_plain_segments(text)
}

/// Segments that name a file below their folder, whatever else is in the name.
fn check_plain_segments(text: &str) -> Result<(), PathError> {
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return error(format!("`{}` is not allowed in a path", bad.escape_default()));
    }
    for segment in text.split('/') {
        match segment {
            "" => return error("the path has an empty segment (`//` or a `/` at its end)"),
            "." | ".." => return error(format!("`{segment}` is not allowed in a path")),
            // https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
            _ if segment.starts_with(".wh.") => {
                return error("a name that begins with `.wh.` would delete a file of an earlier layer");
            }
            _ if segment.trim() != segment => return error("a segment of the path begins or ends with a blank"),
            _ if segment.len() > MAX_SEGMENT => {
                return error(format!("a segment of the path has more than {MAX_SEGMENT} bytes"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// An absolute, clean path inside an image, such as `/usr/bin/config-reloader`; never `/` itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct ImagePath(String);

impl ImagePath {
    /// The name that a program has on Windows.
    #[must_use]
    pub fn with_exe(&self) -> Self {
        if self.0.ends_with(EXE) { self.clone() } else { Self(format!("{}{EXE}", self.0)) }
    }

    /// The path as text, beginning with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a file that was found below this folder. Its name is never written in a Dockerfile, because the folder is
    /// copied as a whole, so that names may hold what written paths may not, such as `[slug].js`.
    ///
    /// # Errors
    /// Control characters, blanks at the ends of a segment, and names that are too long.
    pub fn found_below(&self, below: &Utf8Path) -> Result<Self, PathError> {
        check_plain_segments(below.as_str())?;
        Ok(Self(format!("{}/{below}", self.0)))
    }

    /// The folder that holds it; `/` at the top.
    pub fn folder(&self) -> &str {
        match self.0.rfind('/') {
            Some(0) | None => "/",
            Some(index) => &self.0[..index],
        }
    }

    /// The path without its leading `/`, for archives.
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// All folders above the path, nearest last, without `/`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').skip(1).map(|(index, _)| &self.0[..index])
    }

    /// The relative link that, placed at `self`, points to `target`.
    ///
    /// ```
    /// use groupage::manifest::ImagePath;
    /// let link: ImagePath = "/opt/old/tool".parse()?;
    /// assert_eq!(link.link_to(&"/usr/bin/tool".parse()?), "../../usr/bin/tool");
    /// assert_eq!("/tool".parse::<ImagePath>()?.link_to(&"/usr/bin/tool".parse()?), "usr/bin/tool");
    /// # Ok::<(), groupage::manifest::PathError>(())
    /// ```
    pub fn link_to(&self, target: &ImagePath) -> String {
        let from: Vec<&str> = self.relative().split('/').collect();
        let to: Vec<&str> = target.relative().split('/').collect();
        let (from_folder, to_folder) = (&from[..from.len() - 1], &to[..to.len() - 1]);
        let shared = from_folder.iter().zip(to_folder).take_while(|(a, b)| a == b).count();
        let up = std::iter::repeat_n("..", from_folder.len() - shared);
        up.chain(to[shared..].iter().copied()).collect::<Vec<_>>().join("/")
    }
}

impl Text for ImagePath {
    fn texts() -> Texts {
        Texts::Pattern("^/")
    }
}

impl FromStr for ImagePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let Some(relative) = text.strip_prefix('/') else {
            return error(format!("`{}` is not absolute", shorten(text)));
        };
        check_segments(relative)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// A clean path relative to the file that names it; `.` means that file's own folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelativePath(Utf8PathBuf);

impl RelativePath {
    /// The path.
    pub fn as_path(&self) -> &Utf8Path {
        &self.0
    }

    /// The path below `folder`.
    pub fn below(&self, folder: &Utf8Path) -> Utf8PathBuf {
        if self.0.as_str().is_empty() { folder.to_owned() } else { folder.join(&self.0) }
    }

    /// The path of a text that was checked.
    fn clean(text: &str) -> Self {
        Self(if text == "." { Utf8PathBuf::new() } else { text.into() })
    }
}

impl Text for RelativePath {}

impl FromStr for RelativePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text == "." {
            return Ok(Self::clean(text));
        }
        if text.starts_with('/') {
            return error(format!("`{}` is absolute; write it relative to this file", shorten(text)));
        }
        check_segments(text)?;
        Ok(Self::clean(text))
    }
}

/// A [`RelativePath`] that may depend on the platform: `dist/{os}/{arch}/prog`.
///
/// | placeholder | becomes |
/// |---|---|
/// | `{os}` | the operating system by its name in OCI and Go: `linux` |
/// | `{arch}` | the architecture by its name in OCI and Go, with its variant if it has one: `amd64`, `armv7` |
///
/// Braces have no other meaning and there is no escape: a file with a brace in its name is installed with its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlatformPath(String);

const PLACEHOLDERS: [&str; 2] = ["{os}", "{arch}"];

impl PlatformPath {
    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is another path on another platform.
    pub fn depends_on_platform(&self) -> bool {
        PLACEHOLDERS.iter().any(|placeholder| self.0.contains(placeholder))
    }

    /// The path on one platform. Names of platforms are plain words, so that it is clean as well.
    ///
    /// ```
    /// use groupage::manifest::PlatformPath;
    /// let path: PlatformPath = "dist/{os}_{arch}/prog".parse()?;
    /// assert_eq!(path.on(&"linux/arm/v7".parse().unwrap()).as_path(), "dist/linux_armv7/prog");
    /// # Ok::<(), groupage::manifest::PathError>(())
    /// ```
    pub fn on(&self, platform: &Platform) -> RelativePath {
        let architecture = format!("{}{}", platform.architecture(), platform.variant().unwrap_or_default());
        RelativePath::clean(&self.filled(platform.os(), &architecture))
    }

    /// The path, if it is the same on every platform.
    pub fn fixed(&self) -> Option<RelativePath> {
        (!self.depends_on_platform()).then(|| RelativePath::clean(&self.0))
    }

    fn filled(&self, os: &str, architecture: &str) -> String {
        let [os_here, architecture_here] = PLACEHOLDERS;
        self.0.replace(os_here, os).replace(architecture_here, architecture)
    }
}

impl Text for PlatformPath {}

impl FromStr for PlatformPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            rest = &rest[start..];
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            if !PLACEHOLDERS.contains(&&rest[..end]) {
                return error(unknown_placeholder(&rest[..end]));
            }
            rest = &rest[end..];
        }
        let path = Self(text.to_owned());
        path.filled("os", "arch").parse::<RelativePath>()?;
        Ok(path)
    }
}

fn unknown_placeholder(text: &str) -> String {
    let hint = match closest(&text.to_lowercase(), PLACEHOLDERS) {
        Some(close) => format!("did you mean `{close}`?"),
        None if text == "{variant}" => "`{arch}` has the variant already, as in `armv7`".to_owned(),
        None => "there are `{os}` and `{arch}`; install the folder of a file that has a brace in its name".to_owned(),
    };
    format!("`{}` is not a part of a path that is filled in\nhint: {hint}", shorten(text))
}

/// Refuses what only paths beside the manifest may hold.
pub(super) fn refuse_placeholders(text: &str, why: &str) -> Result<(), PathError> {
    match PLACEHOLDERS.iter().find(|placeholder| text.contains(*placeholder)) {
        Some(placeholder) => error(format!("`{placeholder}` is not filled in here: {why}")),
        None => Ok(()),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: bool) {
        assert_eq!(text.parse::<ImagePath>().is_ok(), expect, "{text:?}");
    }

    #[test]
    fn image_paths() {
        for good in ["/a", "/usr/bin/x", "/a b/ü", "/a=b/@c:1,2+3~4(5)"] {
            check(good, true);
        }
        let long = format!("/{}", "a".repeat(256));
        for bad in [
            "", "/", "a", "a/b", "/a/", "//a", "/a//b", "/../a", "/a/..", "/./a", "/$HOME", "/a\nb", "/a\\b", "/a*",
            "/\"", "/a/.wh.b", &long,
        ] {
            check(bad, false);
        }
    }

    #[test]
    fn paths_of_platforms() {
        let on = |text: &str, platform: &str| {
            let path = text.parse::<PlatformPath>().map_err(|error| error.to_string())?;
            Ok(path.on(&platform.parse().unwrap()).as_path().to_string())
        };
        let check = |text: &str, platform: &str, expect: Result<&str, String>| {
            assert_eq!(on(text, platform), expect.map(str::to_owned), "{text:?} on {platform}");
        };
        check("a/b", "linux/amd64", Ok("a/b"));
        check(".", "linux/amd64", Ok(""));
        check("{os}", "linux/amd64", Ok("linux"));
        check("d/{os}-{arch}/{arch}", "linux/arm64", Ok("d/linux-arm64/arm64"));
        check("{arch}", "linux/arm/v7", Ok("armv7"));
        let close = |wrong: &str, meant: &str| {
            Err(format!("`{wrong}` is not a part of a path that is filled in\nhint: did you mean `{meant}`?"))
        };
        check("a/{arhc}/b", "linux/amd64", close("{arhc}", "{arch}"));
        check("{OS}", "linux/amd64", close("{OS}", "{os}"));
        for bad in ["{", "}", "a}b", "{os", "{{os}}", "{}", "{variant}", "/{os}", "{os}/../x", "{os}//x", ".wh.{os}"] {
            assert!(bad.parse::<PlatformPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn parents_without_the_root() {
        let path: ImagePath = "/usr/local/bin/x".parse().unwrap();
        assert_eq!(path.parents().collect::<Vec<_>>(), ["/usr", "/usr/local", "/usr/local/bin"]);
    }

    #[test]
    fn links_are_relative() {
        for (at, to, expect) in [
            ("/x", "/usr/bin/y", "usr/bin/y"),
            ("/usr/bin/x", "/usr/bin/y", "y"),
            ("/usr/sbin/x", "/usr/bin/y", "../bin/y"),
            ("/a/b/c", "/d", "../../d"),
        ] {
            assert_eq!(at.parse::<ImagePath>().unwrap().link_to(&to.parse().unwrap()), expect);
        }
    }
}
