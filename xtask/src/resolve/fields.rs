//! A reference put together from what each source says of it: as a whole, or field by field.
//!
//! | key | replaces |
//! |---|---|
//! | `bases.NAME`, `builders.NAME`, `components.NAME.image` | all of it |
//! | `….registry` | `HOST[:PORT]` |
//! | `….repository` | the path; with a registry before it that one too |
//! | `….tag` | the tag |
//! | `….digest` | the digest |
//!
//! Each field is the strongest source's that says it or the whole; where one source says both, the field counts. A field that
//! nobody says is the default's. What cannot be true together is dropped: another tag or repository does not have the digest
//! of the default, and a digest that is given alone does not have its tag. A whole that says neither tag nor digest, where the
//! default has one, is refused: it would silently be `latest`.

use super::value::{Candidate, Overrides, Value, ValueSource, at};
use crate::diagnostic::Diagnostic;
use crate::manifest::ContractId;
use crate::oci::{ImageSource, Mapping, Reference};
use crate::source::Spanned;

/// One field of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// `HOST[:PORT]`.
    Registry,
    /// The path.
    Repository,
    /// The tag.
    Tag,
    /// The digest.
    Digest,
}

impl Field {
    /// All fields, as they stand in a reference.
    pub const ALL: [Self; 4] = [Self::Registry, Self::Repository, Self::Tag, Self::Digest];

    /// The last segment of its key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Digest => "digest",
        }
    }

    /// What a reference says of it.
    pub fn of(self, reference: &Reference) -> Option<&str> {
        match self {
            Self::Registry => Some(reference.registry()),
            Self::Repository => Some(reference.repository()),
            Self::Tag => reference.tag(),
            Self::Digest => reference.digest(),
        }
    }
}

/// Last segment of the key that says for which contract an override was made.
pub(super) const CONTRACT: &str = "contract";

/// All keys of a reference whose fields stand below `owner`; `whole` is the key of all of it, `owner` when absent.
pub(super) fn keys(owner: &str, whole: Option<&str>) -> Vec<String> {
    let fields = Field::ALL.iter().map(|field| field.as_str()).chain([CONTRACT]);
    let below = fields.map(|field| format!("{owner}.{field}"));
    std::iter::once(whole.unwrap_or(owner).to_owned()).chain(below).collect()
}

/// Whether a key is one of a field, and not of a whole value.
pub(super) fn is_field(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or_default();
    // `components.NAME.images.IMAGE.tag`; an image may itself be called `tag`
    let depth = if key.starts_with("components.") && key.split('.').nth(2) == Some("images") { 4 } else { 2 };
    key.matches('.').count() == depth && (last == CONTRACT || Field::ALL.iter().any(|field| field.as_str() == last))
}

/// A reference that can be replaced.
pub(super) struct Subject<'a> {
    /// The key of all of it.
    pub(super) key: &'a str,
    /// What its fields stand below.
    pub(super) owner: &'a str,
    /// What the manifest says.
    pub(super) written: Option<&'a ImageSource>,
    /// The contract that users of it rely on.
    pub(super) contract: Option<&'a Spanned<ContractId>>,
}

/// What sources say of a reference, each field by its winner.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) whole: Option<Candidate<'a>>,
    /// In the order of [`Field::ALL`].
    pub(super) fields: [Option<Candidate<'a>>; 4],
}

impl<'a> Said<'a> {
    /// What sources say; fields that a stronger whole replaces are left out.
    pub(super) fn of(overrides: &'a Overrides, subject: &Subject<'_>) -> Result<Self, Diagnostic> {
        let whole = overrides.winner(subject.key)?;
        let mut fields = [None, None, None, None];
        for (place, field) in fields.iter_mut().zip(Field::ALL) {
            let found = overrides.winner(&format!("{}.{}", subject.owner, field.as_str()))?;
            *place = found.filter(|found| whole.as_ref().is_none_or(|whole| found.rank <= whole.rank));
        }
        Ok(Self { whole, fields })
    }

    pub(super) fn field(&self, field: Field) -> Option<&Candidate<'a>> {
        self.fields.iter().zip(Field::ALL).find(|(_, own)| *own == field).and_then(|(found, _)| found.as_ref())
    }

    /// The strongest source that says anything.
    pub(super) fn strongest(&self) -> Option<&Candidate<'a>> {
        self.whole.iter().chain(self.fields.iter().flatten()).min_by_key(|found| found.rank)
    }

    fn has_fields(&self) -> bool {
        self.fields.iter().any(Option::is_some)
    }
}

/// What the manifest says, for a subject that nobody replaces.
pub(super) fn written(subject: &Subject<'_>) -> Option<Value<ImageSource>> {
    subject.written.map(|written| Value { value: written.clone(), source: ValueSource::Manifest })
}

/// The reference, or file, that a subject is, by all that is said of it.
///
/// # Errors
/// A value that is none, with its source; a field of what has none.
pub(super) fn resolve(
    said: &Said<'_>,
    subject: &Subject<'_>,
    mapping: Option<&Mapping>,
) -> Result<Option<Value<ImageSource>>, Diagnostic> {
    let whole = match &said.whole {
        Some(found) => Some(whole(subject, found)?),
        None => None,
    };
    if !said.has_fields() {
        return Ok(whole.or_else(|| written(subject)));
    }
    let basis = whole.as_ref().map(|whole| &whole.value).or(subject.written);
    let reference = match basis {
        None => None,
        Some(ImageSource::Registry(reference)) => Some(reference),
        Some(other) => return Err(no_fields(subject, said, other)),
    };
    let mut merged = merge(subject, said, reference)?;
    let moved = said.whole.is_some() || said.field(Field::Registry).is_some() || names_registry(said);
    if let Some(mapping) = mapping.filter(|_| !moved) {
        let strongest = said.strongest();
        merged = mapping.map(&merged).map_err(|error| invalid(subject.owner, strongest, &error.to_string()))?;
    }
    let source = said.strongest().map_or(ValueSource::Manifest, |found| found.source.clone());
    Ok(Some(Value { value: ImageSource::Registry(merged), source }))
}

/// A value that replaces all of a reference.
fn whole(subject: &Subject<'_>, found: &Candidate<'_>) -> Result<Value<ImageSource>, Diagnostic> {
    let value: ImageSource = found
        .value
        .parse()
        .map_err(|error: crate::oci::ImageSourceError| super::look::invalid(subject.key, found, &error.to_string()))?;
    let is_open = |source: &ImageSource| matches!(source, ImageSource::Registry(reference) if reference.tag().is_none() && reference.digest().is_none());
    if is_open(&value) && subject.written.is_some_and(|written| !is_open(written)) {
        let message = format!("`{}` from {} has no tag, and `latest` is never assumed", subject.key, found.source);
        let help = format!("add a tag or digest; to replace only the name, set `{}.repository`", subject.owner);
        return Err(at(Diagnostic::error("half-override", message), found.place).help(help));
    }
    Ok(Value { value, source: found.source.clone() })
}

fn merge(subject: &Subject<'_>, said: &Said<'_>, default: Option<&Reference>) -> Result<Reference, Diagnostic> {
    let given = |field: Field| said.field(field).map(|found| found.value);
    let default_of = |field: Field| default.and_then(|default| field.of(default));
    let (registry, repository) = name(subject, said, default)?;
    let is_other = given(Field::Tag).is_some() || given(Field::Repository).is_some();
    let digest = given(Field::Digest).or_else(|| default_of(Field::Digest).filter(|_| !is_other));
    let keeps_tag = given(Field::Digest).is_none();
    let tag = given(Field::Tag).or_else(|| default_of(Field::Tag).filter(|_| keeps_tag));
    Reference::from_parts(registry.as_deref(), &repository, tag, digest)
        .map_err(|error| invalid(subject.owner, said.strongest(), &error.to_string()))
}

/// Registry and repository.
fn name(
    subject: &Subject<'_>,
    said: &Said<'_>,
    default: Option<&Reference>,
) -> Result<(Option<String>, String), Diagnostic> {
    let registry = said.field(Field::Registry);
    let own = |found: &Candidate<'_>| found.value.trim_end_matches('/').to_owned();
    let of_default = || default.filter(|default| default.to_string() != default.canonical()).is_none();
    // a default without a registry has none to keep, so that it prints as it was written
    let kept = || default.map(|default| default.registry().to_owned()).filter(|_| of_default());
    let Some(repository) = said.field(Field::Repository) else {
        let Some(default) = default else { return Err(nothing_to_keep(subject, said)) };
        // `library/` is of Docker Hub and does not move along
        return Ok((registry.map(own).or_else(kept), default.repository().to_owned()));
    };
    match repository.value.parse::<Reference>() {
        Ok(named) if named.tag().is_none() && named.digest().is_none() => {
            let has_registry = named.repository() != repository.value;
            match (has_registry, registry) {
                (true, Some(registry)) => {
                    let message = format!("`{0}.repository` and `{0}.registry` both name a registry", subject.owner);
                    let help = format!("{} and {}", repository.source, registry.source);
                    Err(at(Diagnostic::error("invalid-value", message), repository.place).note(help))
                }
                (true, None) => Ok((Some(named.registry().to_owned()), named.repository().to_owned())),
                (false, _) => Ok((registry.map(own).or_else(kept), repository.value.to_owned())),
            }
        }
        Ok(_) => Err(invalid(subject.owner, Some(repository), "a repository has no tag and no digest")),
        Err(error) => Err(invalid(subject.owner, Some(repository), &error.to_string())),
    }
}

/// Whether the field of the repository has a registry before it.
fn names_registry(said: &Said<'_>) -> bool {
    let repository = said.field(Field::Repository);
    repository
        .is_some_and(|found| found.value.parse::<Reference>().is_ok_and(|named| named.repository() != found.value))
}

fn invalid(owner: &str, found: Option<&Candidate<'_>>, error: &str) -> Diagnostic {
    match found {
        Some(found) => super::look::invalid(owner, found, error),
        None => Diagnostic::error("invalid-value", format!("`{owner}`: {error}")),
    }
}

fn nothing_to_keep(subject: &Subject<'_>, said: &Said<'_>) -> Diagnostic {
    let owner = subject.owner;
    let message = format!("nothing says the repository of `{owner}`");
    let place = said.strongest().and_then(|found| found.place);
    let help = format!("set `{owner}` as a whole, or `{owner}.repository` too");
    at(Diagnostic::error("half-override", message), place).help(help)
}

fn no_fields(subject: &Subject<'_>, said: &Said<'_>, other: &ImageSource) -> Diagnostic {
    let found = said.fields.iter().flatten().next();
    let message =
        format!("`{}` is {other}, which has no registry, repository, tag or digest to replace", subject.owner);
    at(Diagnostic::error("half-override", message), found.and_then(|found| found.place))
        .help(format!("replace all of it: `{}`", subject.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// Overrides are `source key=value` lines; `f` is a flag, `e` an environment variable.
    fn check(default: &str, said: &str, expect: &str) {
        let mut overrides = Overrides::default();
        for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (source, pair) = line.split_once(' ').unwrap();
            let (key, value) = pair.split_once('=').unwrap();
            match source {
                "f" => overrides.flags.push((key.to_owned(), value.to_owned())),
                _ => _ = overrides.environment.insert(super::super::variable_name(key), value.to_owned()),
            }
        }
        let written = (!default.is_empty()).then(|| default.parse::<ImageSource>().unwrap());
        let subject = Subject { key: "bases.b", owner: "bases.b", written: written.as_ref(), contract: None };
        let mapping = Mapping::new(Default::default(), "m.lan").unwrap();
        let all = Said::of(&overrides, &subject);
        let found = match all.and_then(|all| resolve(&all, &subject, Some(&mapping))) {
            Ok(found) => found.map(|value| value.value.to_string()).unwrap_or_default(),
            Err(problem) => problem.message,
        };
        assert_eq!(found.replace(DIGEST, "D"), expect, "{default} {said}");
    }

    #[test]
    fn each_field_is_the_strongest_sources() {
        check("r.io/a/b:1", "f bases.b=q.io/c:2", "q.io/c:2");
        check("r.io/a/b:1", "f bases.b.registry=q.io:5000", "q.io:5000/a/b:1");
        check("r.io/a/b:1", "f bases.b.repository=c/d", "m.lan/c/d:1");
        check("r.io/a/b:1", "f bases.b.repository=q.io/c", "q.io/c:1");
        check("r.io/a/b:1", "f bases.b.tag=2", "m.lan/a/b:2");
        check("r.io/a/b:1", "e bases.b.tag=2\nf bases.b.registry=q.io", "q.io/a/b:2");
        // a stronger whole replaces weaker fields, a weaker one is the basis of stronger fields
        check("r.io/a/b:1", "e bases.b.tag=2\nf bases.b=q.io/c:3", "q.io/c:3");
        check("r.io/a/b:1", "f bases.b.tag=2\ne bases.b=q.io/c:3", "q.io/c:2");
        check("r.io/a/b:1", "f bases.b.tag=2\nf bases.b=q.io/c:3", "q.io/c:2");
        check("", "f bases.b.repository=q.io/c\nf bases.b.tag=1", "q.io/c:1");
    }

    #[test]
    fn digests_go_with_their_image() {
        let pinned = format!("r.io/a/b:1@{DIGEST}");
        check(&pinned, "f bases.b.registry=q.io", "q.io/a/b:1@D");
        check(&pinned, "f bases.b.tag=2", "m.lan/a/b:2");
        check(&pinned, "f bases.b.repository=c", "m.lan/c:1");
        check("r.io/a/b:1", &format!("f bases.b.digest={DIGEST}"), "m.lan/a/b@D");
        check("r.io/a/b:1", &format!("f bases.b.digest={DIGEST}\nf bases.b.tag=2"), "m.lan/a/b:2@D");
    }

    #[test]
    fn what_is_half_is_refused() {
        check("r.io/a/b:1", "f bases.b=q.io/c", "`bases.b` from --set has no tag, and `latest` is never assumed");
        check("r.io/a/b", "f bases.b=q.io/c", "q.io/c");
        check("", "f bases.b.tag=2", "nothing says the repository of `bases.b`");
        check("r.io/a/b:1", "f bases.b.tag=", "`bases.b.tag` from --set is empty");
        check("r.io/a/b:1", "f bases.b.repository=c:2", "`bases.b` from --set: a repository has no tag and no digest");
        check(
            "r.io/a/b:1",
            "f bases.b.repository=q.io/c\nf bases.b.registry=p.io",
            "`bases.b.repository` and `bases.b.registry` both name a registry",
        );
        check(
            "oci:x",
            "f bases.b.tag=2",
            "`bases.b` is oci:x, which has no registry, repository, tag or digest to replace",
        );
    }
}
