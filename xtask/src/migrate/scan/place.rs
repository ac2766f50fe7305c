//! Where a mention stands: the kind of place, the keys above, the values beside.

use std::fmt;
use std::ops::Range;

use super::finding::Object;

/// Kinds of places. The words are an interface: reports and their readers name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlaceKind {
    /// `image:` of a container.
    Container,
    /// `images:` of a Kustomization.
    Kustomize,
    /// `repository:` beside `tag:`, `registry:` or `digest:`.
    SplitValues,
    /// A tag, a registry or a digest alone, under a key that the ledger names.
    HalfValues,
    /// A value under any other key of YAML.
    Values,
    /// A commented example in YAML.
    Comment,
    /// The data of a ConfigMap.
    ConfigMap,
    /// The value of an environment variable.
    Environment,
    /// A list of a CI matrix.
    Matrix,
    /// JSON.
    Json,
    /// TOML and the like.
    Toml,
    /// `FROM` or `COPY --from` of a Dockerfile.
    Dockerfile,
    /// A shell script, a makefile.
    Shell,
    /// Prose and its examples.
    Markdown,
    /// A constant of a program.
    Constant,
    /// A comment of a program.
    SourceComment,
    /// Any other text.
    Text,
}

/// Where a mention stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The kind.
    pub kind: PlaceKind,
    /// The keys that lead there.
    pub path: String,
    /// The key that it is the value of.
    pub key: String,
    /// The whole value, without quotes, when it is known.
    pub value: Option<Range<usize>>,
    /// Whether the value is quoted.
    pub is_quoted: bool,
    /// The other keys of the same mapping.
    pub siblings: Vec<Sibling>,
    /// The other values of the same list.
    pub items: Vec<Range<usize>>,
    /// How it would be removed.
    pub removal: Option<Removal>,
    /// Where a key can be put beside it.
    pub insertion: Option<Insertion>,
    /// The container whose image it is.
    pub container: Option<Container>,
    /// Whether a name alone is an image here.
    pub takes_bare: bool,
    /// Whether it overrides what a consumer would take by itself: a key of a ConfigMap, a `RELATED_IMAGE_*` variable.
    pub is_override: bool,
    /// The Kubernetes object.
    pub object: Option<Object>,
    /// Number of the document.
    pub document: usize,
}

/// A key beside a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// The key.
    pub key: String,
    /// Its value, without quotes.
    pub value: Range<usize>,
    /// Whether the value is quoted.
    pub is_quoted: bool,
}

/// What goes when a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its bytes: whole lines where they are its own.
    pub range: Range<usize>,
    /// True when nothing is left beside it.
    pub is_only: bool,
}

/// Where a key can be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// The place.
    pub at: usize,
    /// What comes before the key: the end of a line and its indentation, or a comma.
    pub before: String,
    /// Whether keys are quoted, as in JSON.
    pub is_json: bool,
}

/// What a container starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its `command`.
    pub command: Option<Words>,
    /// Its `args`.
    pub args: Option<Words>,
}

/// A list of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub words: Vec<String>,
    /// What another list would replace.
    pub range: Range<usize>,
    /// Whether it begins behind a colon, one line for each word.
    pub is_block: bool,
}

impl Place {
    /// A place of which nothing is known but its kind.
    pub fn plain(kind: PlaceKind) -> Self {
        Self {
            kind,
            path: String::new(),
            key: String::new(),
            value: None,
            is_quoted: false,
            siblings: Vec::new(),
            items: Vec::new(),
            removal: None,
            insertion: None,
            container: None,
            takes_bare: false,
            is_override: false,
            object: None,
            document: 0,
        }
    }

    /// The value under a key of the same mapping.
    pub fn sibling(&self, key: &str) -> Option<&Sibling> {
        self.siblings.iter().find(|sibling| sibling.key == key)
    }
}

/// Keys under which the name of an image stands, also without path and tag.
pub(super) fn is_image_key(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let words = ["image", "images", "repository", "repositories", "repo", "newname", "imagename", "image_name"];
    words.contains(&lower.as_str()) || lower.ends_with("image") || key.starts_with("RELATED_IMAGE_")
}

/// Keys under which a bare word is the name of something other: a container, a program, a package.
pub(super) fn is_other_name(key: &str) -> bool {
    const WORDS: [&str; 22] = [
        "app",
        "args",
        "bin",
        "binary",
        "cmd",
        "command",
        "container",
        "containername",
        "dir",
        "directory",
        "entrypoint",
        "file",
        "folder",
        "job",
        "name",
        "package",
        "path",
        "pkg",
        "program",
        "service",
        "target",
        "workdir",
    ];
    WORDS.contains(&key.to_ascii_lowercase().replace(['-', '_'], "").as_str())
}

/// Whether a key is the name of an environment variable.
pub(super) fn is_variable(key: &str) -> bool {
    key.len() > 1 && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl PlaceKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Kustomize => "kustomize",
            Self::SplitValues => "split-values",
            Self::HalfValues => "half-values",
            Self::Values => "values",
            Self::Comment => "comment",
            Self::ConfigMap => "config-map",
            Self::Environment => "environment",
            Self::Matrix => "matrix",
            Self::Json => "json",
            Self::Toml => "toml",
            Self::Dockerfile => "dockerfile",
            Self::Shell => "shell",
            Self::Markdown => "markdown",
            Self::Constant => "constant",
            Self::SourceComment => "source-comment",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}
