//! What is found at the paths and references that were named.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::args::InitArguments;
use super::super::daemon;
use super::super::look::{self, Wholes};
use super::super::session::Session;
use super::super::status::Stop;
use crate::adopt::facts::Facts;
use crate::adopt::{
    AdoptedDockerfile, Findings, OWNER_FILES, ReadImage, Refused, Surroundings, UNDECIDED, facts_of_dockerfile,
    facts_of_image, findings as all_findings, owner, wanted,
};
use crate::dockerfile::Dockerfile;
use crate::oci::{ImageFile, ImageSource, Platform};
use crate::verify::{Config, Image, source_facts};
use crate::workspace::{FoundDockerfile, find_dockerfiles, in_parallel, look_at_copied, read_file};

/// All that was found; the order of the words does not matter.
pub(super) fn findings(arguments: &InitArguments, session: &Session<'_>, root: &Utf8Path) -> Result<Findings, Stop> {
    let name = root.file_name().unwrap_or("workspace");
    let (mut components, refused) = of_dockerfiles(&arguments.from_dockerfiles, session, root, name)?;
    components.extend(of_images(arguments, session, root)?);
    with_owners(&mut components, root);
    Ok(all_findings(components, refused, arguments.image.as_ref().map(|image| image.as_str()), name))
}

/// What could not be taken, what has to be decided first, and which images are suggested, with the reasons.
pub(super) fn show(findings: &Findings, session: &Session<'_>) {
    let say = |text: String| session.output.message(&text);
    for refused in &findings.refused {
        say(format!("warning: {} is left out: {}", refused.path, refused.because));
    }
    for facts in &findings.components {
        if let Some(obstacle) = &facts.obstacle {
            say(format!("undecided: {}: {obstacle}; see components/{}/{UNDECIDED}", facts.name, facts.name));
        }
    }
    for image in findings.images.iter().filter(|image| !image.components.is_empty()) {
        say(format!("image {}: {}", image.image, image.components.join(", ")));
        image.reasons.iter().for_each(|reason| say(format!("  {reason}")));
        let unmet: Vec<&str> = image.unmet.iter().map(String::as_str).collect();
        let lacks =
            if unmet.is_empty() { String::new() } else { format!(", which is not known to give {}", unmet.join(", ")) };
        say(format!("  on {}{lacks}", image.base.reference));
        image
            .rejected
            .iter()
            .for_each(|rejected| say(format!("  not on {}: {}", rejected.reference, rejected.because)));
        image.left_out.iter().for_each(|(name, why)| say(format!("  without {name}: {why}")));
    }
}

fn of_dockerfiles(
    paths: &[Utf8PathBuf],
    session: &Session<'_>,
    root: &Utf8Path,
    name: &str,
) -> Result<(Vec<Facts>, Vec<Refused>), Stop> {
    let paths: Vec<Utf8PathBuf> = paths.iter().map(|path| session.path(path)).collect();
    let found = find_dockerfiles(root, &paths).map_err(|error| {
        let hint = "name Dockerfiles, or folders that hold some, of the repository that groupage.toml belongs to";
        Stop::input(anyhow::anyhow!("{error}\nhint: {hint}"))
    })?;
    let parsed = in_parallel(&found, parse);
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    for result in parsed {
        match result {
            Ok(file) => files.push(file),
            Err(why) => refused.push(why),
        }
    }
    let mut asked: Vec<Utf8PathBuf> = in_parallel(&files, wanted).into_iter().flatten().collect();
    asked.sort();
    asked.dedup();
    let copied = look_at_copied(root, &asked);
    let surroundings = Surroundings { copied: &copied, root: name };
    let mut facts = Vec::new();
    for (file, found) in files.iter().zip(in_parallel(&files, |file| facts_of_dockerfile(file, &surroundings))) {
        match found {
            Ok(found) => facts.push(found),
            Err(because) => refused.push(Refused { path: file.path.clone(), because }),
        }
    }
    refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((facts, refused))
}

fn parse(found: &FoundDockerfile) -> Result<AdoptedDockerfile, Refused> {
    let path = found.path.to_string();
    let refuse = |because: String| Refused { path: path.clone(), because };
    let text = found.text.as_ref().map_err(|error| refuse(error.clone()))?;
    match Dockerfile::parse(text) {
        Ok(file) => Ok(AdoptedDockerfile { path, file }),
        Err(errors) => {
            let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            let first = errors.first().map(|error| format!("line {}: {error}", line(error.span.start)));
            Err(refuse(first.unwrap_or_else(|| "it is no Dockerfile".to_owned())))
        }
    }
}

fn of_images(arguments: &InitArguments, session: &Session<'_>, root: &Utf8Path) -> Result<Vec<Facts>, Stop> {
    if arguments.from_images.is_empty() {
        return Ok(Vec::new());
    }
    let wholes = &mut Wholes::new(session, arguments.host.as_deref())?;
    let mut words = arguments.from_images.clone();
    words.sort();
    words.dedup();
    words.iter().map(|word| of_image(word, arguments, wholes, session, root)).collect()
}

/// One image, on this machine's platform if it is published for that, else on the first one.
fn of_image(
    word: &str,
    arguments: &InitArguments,
    wholes: &mut Wholes<'_>,
    session: &Session<'_>,
    root: &Utf8Path,
) -> Result<Facts, Stop> {
    let store = wholes.store()?;
    let mut platforms: Vec<String> = look::images(word, arguments.host.as_deref(), session)?
        .into_iter()
        .map(|inspection| inspection.config.platform.clone())
        .collect();
    platforms.sort();
    platforms.dedup();
    let own = Platform::of_this_machine().to_string();
    let chosen = platforms.iter().find(|platform| **platform == own).or(platforms.first());
    let platform: Platform =
        chosen.map_or(Ok(Platform::of_this_machine()), |platform| platform.parse()).map_err(Stop::refused)?;
    let (source, base) = wholes.base(word, &platform, &store)?;
    let layers = base.facts(&source, &store).map_err(daemon::stop)?;
    let document = base.document.value().map_err(Stop::refused)?;
    let image = Image { platform, config: Config::of(&document), rootfs: base.rootfs.clone(), base_layers: None };
    let facts = source_facts(&image, &layers);
    Ok(facts_of_image(&ReadImage { reference: written(word, &source, session, root), platforms, facts }))
}

/// The reference as it is written into a manifest, whose paths are relative to the workspace.
fn written(word: &str, source: &ImageSource, session: &Session<'_>, root: &Utf8Path) -> String {
    match source {
        ImageSource::File(file) if file.path.is_relative() => {
            let absolute = session.path(&file.path);
            let path = absolute.strip_prefix(root).map(Utf8Path::to_owned).unwrap_or(absolute.clone());
            ImageSource::File(ImageFile { path, ..file.clone() }).to_string()
        }
        ImageSource::File(_) => source.to_string(),
        ImageSource::Registry(_) | ImageSource::Daemon(_) => word.to_owned(),
    }
}

/// Who answers for what comes from the repository.
fn with_owners(components: &mut [Facts], root: &Utf8Path) {
    let read = |file: &str| read_file(&root.join(file)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((file, text)) = OWNER_FILES.iter().find_map(|file| Some((*file, read(file)?))) else { return };
    let mut known: BTreeMap<String, _> = BTreeMap::new();
    for facts in components {
        let Some(path) = facts.dockerfile().map(|origin| origin.path.clone()) else { continue };
        let found = known.entry(path.clone()).or_insert_with(|| owner(file, &text, &path)).clone();
        facts.owner = found.or(facts.owner.take());
    }
}
