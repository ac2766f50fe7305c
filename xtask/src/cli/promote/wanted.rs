//! What is to be promoted, where from, where to, and under which tags: words, manifests and settings put together.

use super::Tags;
use crate::cli::args::PromoteArguments;
use crate::cli::session::{Loaded, Session};
use crate::cli::status::Stop;
use crate::manifest::{EnvironmentName, RegistryPath};
use crate::oci::{Digest, Reference};
use crate::plan;
use crate::policy::{Policy, TagVersion, TargetEnvironment};
use crate::release::Promotions;
use crate::resolve::{ImageSelector, Selection};
use crate::source::{SourceFile, SourceMap};
use crate::workspace::read_file;

/// Where from and where to.
#[derive(Debug, serde::Serialize)]
pub(in crate::cli) struct Ends {
    #[serde(serialize_with = "as_text")]
    pub from: RegistryPath,
    #[serde(serialize_with = "as_text")]
    pub to: RegistryPath,
    /// The environment, when it wants signatures.
    #[serde(skip)]
    pub signed: Option<EnvironmentName>,
}

fn as_text<S: serde::Serializer>(path: &RegistryPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(path.as_str())
}

/// One image that is to be promoted.
#[derive(Debug)]
pub(super) struct Wish {
    /// The repository below both registries.
    pub name: String,
    /// Where it is.
    pub source: Reference,
    /// The digest that it must have.
    pub digest: Option<Digest>,
    /// The repository that it goes to.
    pub destination: Reference,
    /// Its tags there, each with whether it moves.
    pub tags: Tags,
    /// Its version, by the greatest of its tags that do not move.
    pub version: Option<TagVersion>,
}

impl Wish {
    /// The destination with a tag.
    pub fn tagged(&self, tag: &str) -> Result<Reference, Stop> {
        let to = &self.destination;
        Reference::from_parts(Some(to.registry()), to.repository(), Some(tag), None).map_err(Stop::input)
    }
}

/// The workspace: with what cargo says only where versions of images are asked for, and none where there is none.
pub(super) fn load(arguments: &PromoteArguments, session: &Session<'_>) -> Result<Option<Loaded>, Stop> {
    if !session.is_in_workspace()? {
        return Ok(None);
    }
    let planned = arguments.manifest.is_none()
        && (arguments.words.is_empty() || arguments.words.iter().any(|word| is_image(word)));
    if planned { session.load().map(Some) } else { session.load_manifests().map(Some) }
}

/// Whether a word names an image of the workspace.
fn is_image(word: &str) -> bool {
    !word.contains([':', '@'])
}

impl Ends {
    /// # Errors
    /// An environment that does not exist, has no registry, or takes its images from elsewhere.
    pub fn new(arguments: &PromoteArguments, policy: &Policy) -> Result<Self, Stop> {
        let to_word = arguments.to.as_deref().unwrap_or_default();
        let to = environment(to_word, policy);
        let path = registry(to_word, to, policy)?;
        let promoted_from =
            to.and_then(|to| to.settings.promoted_from.as_ref()).map(|from| from.value.as_str().to_owned());
        let Some(from_word) = arguments.from.clone().or_else(|| promoted_from.clone()) else {
            return Err(Stop::input(anyhow::anyhow!(
                "nothing says where the images are\nhint: name it with --from, or as `promoted-from` of the environment"
            )));
        };
        let from = environment(&from_word, policy);
        if let (Some(wanted), Some(from)) = (&promoted_from, from)
            && from.name.as_str() != wanted
        {
            return Err(Stop::input(anyhow::anyhow!(
                "the environment `{to_word}` takes its images from `{wanted}`, not from `{from_word}`\n\
                 hint: leave --from out, or change `promoted-from`"
            )));
        }
        let signed = to.filter(|to| to.settings.signed).map(|to| to.name.clone());
        Ok(Self { from: registry(&from_word, from, policy)?, to: path, signed })
    }
}

fn environment<'p>(word: &str, policy: &'p Policy) -> Option<&'p TargetEnvironment> {
    policy.environment(word).ok()
}

fn registry(word: &str, environment: Option<&TargetEnvironment>, policy: &Policy) -> Result<RegistryPath, Stop> {
    if let Some(environment) = environment {
        let registry = environment.settings.registry.as_ref().map(|registry| registry.value.clone());
        return registry.ok_or_else(|| {
            Stop::input(anyhow::anyhow!(
                "the environment `{word}` has no registry\nhint: write `registry = \"ghcr.io/example\"` below [environments.{word}]"
            ))
        });
    }
    let host = word.split('/').next().unwrap_or_default();
    if host == "localhost" || host.contains(['.', ':']) {
        return word.parse().map_err(|error: String| Stop::input(anyhow::anyhow!(error)));
    }
    match policy.environment(word) {
        Err(error) => Err(Stop::input(error)),
        Ok(_) => Err(Stop::input(anyhow::anyhow!("`{word}` is no registry"))),
    }
}

/// All wishes, each name and digest once, in the order of the words.
pub(super) fn wishes(
    arguments: &PromoteArguments,
    session: &Session<'_>,
    loaded: Option<&Loaded>,
    ends: &Ends,
    policy: &Policy,
) -> Result<Vec<Wish>, Stop> {
    if arguments.manifest.is_some() {
        return of_manifest(arguments, session, ends, policy);
    }
    let mut wishes = Vec::new();
    let images: Vec<&String> = arguments.words.iter().filter(|word| is_image(word)).collect();
    if !images.is_empty() || arguments.words.is_empty() {
        let Some(loaded) = loaded else {
            return Err(Stop::input(anyhow::anyhow!(
                "there is no workspace here that could say which tag an image has\nhint: write REPOSITORY:TAG"
            )));
        };
        for (name, tag) in planned(&images, session, loaded)? {
            wishes.push(wish(&name, Some(&tag), None, arguments, ends, policy)?);
        }
    }
    for word in arguments.words.iter().filter(|word| !is_image(word)) {
        // any registry will do: what is looked at is the rest
        let parsed: Reference = format!("registry.invalid/{word}").parse().map_err(|_| {
            Stop::input(anyhow::anyhow!("`{word}` is neither an image of the workspace nor REPOSITORY:TAG"))
        })?;
        let digest = parsed.digest().map(str::parse).transpose().map_err(Stop::input)?;
        wishes.push(wish(parsed.repository(), parsed.tag(), digest, arguments, ends, policy)?);
    }
    Ok(wishes)
}

/// The names and tags that are planned for images, below the registry of the workspace.
fn planned(words: &[&String], session: &Session<'_>, loaded: &Loaded) -> Result<Vec<(String, String)>, Stop> {
    let parse = |word: &&String| word.parse::<ImageSelector>().map_err(|error| Stop::input(anyhow::anyhow!(error)));
    let images = words.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let all_variants = images.is_empty();
    let resolution = session.resolve(loaded, &Selection { images, all_variants, ..Selection::default() })?;
    let registry = resolution.registry.as_ref().map(|registry| format!("{}/", registry.value.as_str()));
    let mut planned = Vec::new();
    for image in &resolution.images {
        let tags = plan::tags(&resolution, image);
        if tags.is_empty() {
            return Err(Stop::refused(anyhow::anyhow!(
                "image `{}` has no version, so that no tag is planned for it\nhint: give it one, or write REPOSITORY:TAG",
                image.id()
            )));
        }
        for tag in tags {
            let below = registry.as_ref().and_then(|registry| tag.strip_prefix(registry)).unwrap_or(&tag);
            planned.extend(below.rsplit_once(':').map(|(name, tag)| (name.to_owned(), tag.to_owned())));
        }
    }
    Ok(planned)
}

fn wish(
    name: &str,
    own: Option<&str>,
    digest: Option<Digest>,
    arguments: &PromoteArguments,
    ends: &Ends,
    policy: &Policy,
) -> Result<Wish, Stop> {
    let source = below(&ends.from, name, own, digest.as_ref())?;
    let destination = below(&ends.to, name, None, None)?;
    let grammar = policy.classes.grammar(&destination.name());
    let own_version = own.and_then(|own| grammar.parse(own));
    let expanded = |tags: &[String]| tags.iter().map(|tag| expand(tag, own, own_version.as_ref())).collect();
    let given: Result<Vec<String>, Stop> = expanded(&arguments.tags);
    let moving: Result<Vec<String>, Stop> = expanded(&arguments.moving);
    let (given, moving) = (given?, moving?);
    let mut tags = Tags::new();
    for tag in given {
        // its own tag is what it was published as, whatever class it is in
        let moves = Some(tag.as_str()) != own && is_moving(&destination, &tag, policy)?;
        tags.insert(tag, moves);
    }
    // without a name that lasts, nobody can tell later what was promoted
    if let Some(own) = own.filter(|_| tags.values().all(|moves| *moves)) {
        tags.insert(own.to_owned(), false);
    }
    tags.extend(moving.into_iter().map(|tag| (tag, true)));
    let lasting = tags.iter().filter(|(_, moves)| !**moves).filter_map(|(tag, _)| grammar.parse(tag));
    let version = lasting.max();
    Ok(Wish { name: name.to_owned(), source, digest, destination, tags, version })
}

fn is_moving(destination: &Reference, tag: &str, policy: &Policy) -> Result<bool, Stop> {
    let to = Reference::from_parts(Some(destination.registry()), destination.repository(), Some(tag), None);
    Ok(tag == "latest" || policy.classes.is_moving(&to.map_err(Stop::input)?))
}

fn below(path: &RegistryPath, name: &str, tag: Option<&str>, digest: Option<&Digest>) -> Result<Reference, Stop> {
    let part = |mark: &str, part: Option<String>| part.map(|part| format!("{mark}{part}")).unwrap_or_default();
    let (tag, digest) = (part(":", tag.map(str::to_owned)), part("@", digest.map(Digest::to_string)));
    format!("{}/{name}{tag}{digest}", path.as_str()).parse().map_err(Stop::input)
}

/// A tag with what it says about the image's own tag put in.
fn expand(tag: &str, own: Option<&str>, version: Option<&TagVersion>) -> Result<String, Stop> {
    if !tag.contains('{') {
        return Ok(tag.to_owned());
    }
    let Some((own, version)) = own.zip(version) else {
        return Err(Stop::input(anyhow::anyhow!(
            "`{tag}` needs a version, and the image has no tag that is one\nhint: write the tag out"
        )));
    };
    let letter = if own.starts_with('v') { "v" } else { "" };
    let numbers = [("{major}", Some(version.major())), ("{minor}", version.minor())];
    let mut text = tag.replace("{version}", own.strip_suffix(version.variant()).unwrap_or(own));
    text = text.replace("{variant}", version.variant());
    if text.starts_with("{major}") {
        text.insert_str(0, letter);
    }
    for (word, number) in numbers {
        text = number.map_or(text.clone(), |number| text.replace(word, &number.to_string()));
    }
    match text.contains(['{', '}']) {
        true => Err(Stop::input(anyhow::anyhow!(
            "`{tag}` cannot be filled in for `{own}`\nhint: there is: {{version}}, {{major}}, {{minor}}, {{variant}}"
        ))),
        false => Ok(text),
    }
}

/// What a promoter manifest lists; of some names only, when some are given.
fn of_manifest(
    arguments: &PromoteArguments,
    session: &Session<'_>,
    ends: &Ends,
    policy: &Policy,
) -> Result<Vec<Wish>, Stop> {
    let path = arguments.manifest.clone().unwrap_or_default();
    let bytes = read_file(&session.path(&path)).map_err(Stop::input)?;
    let text = String::from_utf8(bytes).map_err(|_| Stop::input(anyhow::anyhow!("{path} is not UTF-8")))?;
    let mut map = SourceMap::default();
    let id = map.add(SourceFile::new(path.clone(), text.as_str()));
    let promotions = Promotions::parse(id, &text).map_err(|problems| session.bad_input(&problems, &map))?;
    let unknown = |word: &&String| !promotions.iter().any(|(name, _, _)| name == word.as_str());
    if let Some(word) = arguments.words.iter().find(unknown) {
        let names = promotions.iter().map(|(name, _, _)| name);
        let hint = match crate::diagnostic::closest(word, names) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "IMAGE is a `name` of the manifest here".to_owned(),
        };
        return Err(Stop::input(anyhow::anyhow!("{path} has no `{word}`\nhint: {hint}")));
    }
    let mut wishes = Vec::new();
    for (name, digest, tags) in promotions.iter() {
        if !arguments.words.is_empty() && !arguments.words.iter().any(|word| word == name) {
            continue;
        }
        let (source, destination) = (below(&ends.from, name, None, Some(digest))?, below(&ends.to, name, None, None)?);
        let grammar = policy.classes.grammar(&destination.name());
        let version = tags.iter().filter_map(|tag| grammar.parse(tag)).max();
        // what a file holds for good does not move
        let tags = tags.into_iter().map(|tag| (tag.to_owned(), false)).collect();
        let (name, digest) = (name.to_owned(), Some(digest.clone()));
        wishes.push(Wish { name, source, digest, destination, tags, version });
    }
    Ok(wishes)
}
