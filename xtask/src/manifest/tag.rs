//! Tags of outputs, as written: texts with names in braces, known before anything is built.

use std::fmt;
use std::str::FromStr;

use super::text::Text;

/// A tag that is put together when an image is planned, such as `{version}{variant}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(TagName),
}

/// What a template can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TagName {
    /// The version of the image.
    Version,
    /// The suffix of the variant; empty for the plain image.
    Variant,
    /// The first twelve digits of the fingerprint.
    Fingerprint,
    /// The branch that is checked out, `/` turned into `-`.
    Branch,
    /// The first number of the version.
    Major,
    /// The second number of the version.
    Minor,
}

impl TagName {
    const ALL: [(&str, Self); 6] = [
        ("version", Self::Version),
        ("variant", Self::Variant),
        ("fingerprint", Self::Fingerprint),
        ("branch", Self::Branch),
        ("major", Self::Major),
        ("minor", Self::Minor),
    ];

    /// The name as it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, name)| *name == self).map_or("", |(text, _)| text)
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a template of a tag: {reason}\nhint: {hint}")]
pub struct TagTemplateError {
    text: String,
    reason: String,
    hint: String,
}

impl TagTemplate {
    /// The template of an image that names none: the version with the variant's suffix.
    pub fn usual() -> Self {
        let parts = vec![Part::Name(TagName::Version), Part::Name(TagName::Variant)];
        Self { text: "{version}{variant}".to_owned(), parts }
    }

    /// The same with the variant's suffix at its end, unless it has it somewhere: variants must not share a tag.
    pub fn with_variant(mut self) -> Self {
        if !self.names(TagName::Variant) {
            self.parts.push(Part::Name(TagName::Variant));
            self.text.push_str("{variant}");
        }
        self
    }

    /// Whether it asks for something.
    pub fn names(&self, name: TagName) -> bool {
        self.parts.contains(&Part::Name(name))
    }

    /// The tag.
    ///
    /// # Errors
    /// The name that has no value.
    pub fn expand(&self, value: impl Fn(TagName) -> Option<String>) -> Result<String, TagName> {
        let part = |part: &Part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Name(name) => value(*name).ok_or(*name),
        };
        self.parts.iter().map(part).collect()
    }
}

impl fmt::Display for TagTemplate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

impl Text for TagTemplate {}

impl FromStr for TagTemplate {
    type Err = TagTemplateError;

    fn from_str(text: &str) -> Result<Self, TagTemplateError> {
        let all = || TagName::ALL.map(|(name, _)| format!("{{{name}}}")).join(", ");
        let wrong =
            |reason: String, hint: String| TagTemplateError { text: text.chars().take(128).collect(), reason, hint };
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if !plain.bytes().all(allowed) {
                let hint = "a tag has letters, digits, `.`, `_` and `-`".to_owned();
                return Err(wrong(format!("`{plain}` cannot be part of a tag"), hint));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            if after.is_empty() {
                break;
            }
            let named = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, after) =
                named.ok_or_else(|| wrong("a brace is left alone".to_owned(), format!("names are {}", all())))?;
            let known = TagName::ALL.iter().find(|(known, _)| *known == name);
            let (_, name) = known.ok_or_else(|| {
                let close = crate::diagnostic::closest(name, TagName::ALL.map(|(name, _)| name));
                let hint = close
                    .map_or_else(|| format!("names are {}", all()), |close| format!("did you mean `{{{close}}}`?"));
                wrong(format!("there is no `{{{name}}}`"), hint)
            })?;
            parts.push(Part::Name(*name));
            rest = after;
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let value = |name: TagName| Some(format!("<{}>", name.as_str())).filter(|_| name != TagName::Branch);
            let expanded = match text.parse::<TagTemplate>() {
                Ok(template) => template.expand(value).map_err(|name| format!("no {}", name.as_str())),
                Err(error) => Err(error.to_string()),
            };
            assert_eq!(expanded.as_deref().map_err(|error| error.lines().last().unwrap_or_default()), expect, "{text}");
        };
        check("{version}{variant}", Ok("<version><variant>"));
        check("v{major}.{minor}-x", Ok("v<major>.<minor>-x"));
        check("nightly", Ok("nightly"));
        check("{branch}", Err("no branch"));
        check("{versoin}", Err("hint: did you mean `{version}`?"));
        check("{zzz}", Err("hint: names are {version}, {variant}, {fingerprint}, {branch}, {major}, {minor}"));
        check("{version", Err("hint: names are {version}, {variant}, {fingerprint}, {branch}, {major}, {minor}"));
        check("a:b", Err("hint: a tag has letters, digits, `.`, `_` and `-`"));
        assert_eq!(TagTemplate::usual(), "{version}{variant}".parse().unwrap());
    }
}
