//! What kind of file something is, by its name; and what is no text.

/// Kinds of files that are read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// YAML, templates of it included.
    Yaml,
    /// JSON.
    Json,
    /// TOML and ini.
    Toml,
    /// Dockerfile, Containerfile.
    Dockerfile,
    /// Shell, make, and lists of variables.
    Shell,
    /// Markdown, and other prose.
    Markdown,
    /// A programming language.
    Source,
    /// Anything else.
    Text,
}

/// Folders that hold nothing which anybody wrote.
pub fn is_skipped_folder(name: &str) -> bool {
    matches!(name, ".git" | ".hg" | ".svn" | "target" | "node_modules")
}

/// Whether bytes are no text, by their beginning: what git and grep go by.
pub fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some()
}

impl FileKind {
    /// The kind of a file, by its path; what a path does not tell, the first line may.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        if ["dockerfile", "containerfile"].iter().any(|word| name.starts_with(word) || extension == *word) {
            return Self::Dockerfile;
        }
        match extension {
            "yaml" | "yml" | "tpl" | "gotmpl" | "yamll" => Self::Yaml,
            "json" | "jsonc" | "json5" | "jsonl" | "sarif" | "tfstate" => Self::Json,
            "toml" | "ini" | "cfg" | "properties" => Self::Toml,
            "sh" | "bash" | "zsh" | "ksh" | "mk" | "env" | "bats" | "ps1" => Self::Shell,
            "md" | "markdown" | "mdx" | "rst" | "adoc" | "txt" | "html" => Self::Markdown,
            "go" | "rs" | "py" | "js" | "ts" | "tsx" | "java" | "kt" | "rb" | "c" | "cc" | "cpp" | "h" | "cs"
            | "tf" | "hcl" | "php" | "scala" | "swift" | "groovy" | "star" | "bzl" | "cue" | "jsonnet"
            | "libsonnet" => Self::Source,
            _ => Self::by_name_or_start(&name, bytes),
        }
    }

    fn by_name_or_start(name: &str, bytes: &[u8]) -> Self {
        let shells = ["makefile", "gnumakefile", "justfile", ".env", ".envrc"];
        if shells.contains(&name) || bytes.starts_with(b"#!") {
            return Self::Shell;
        }
        match name {
            "jenkinsfile" | "tiltfile" => Self::Source,
            "notes.txt" | "readme" | "changelog" => Self::Markdown,
            _ => Self::Text,
        }
    }
}
