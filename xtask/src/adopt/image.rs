//! From a published image to facts: all of it was read, so that little is left to ask.

use std::collections::{BTreeMap, BTreeSet};

use super::base::Family;
use super::facts::{BaseFacts, Facts, ImageOrigin, Inferred, Linking, Origin, PortFacts, Question, Start, UserFacts};
use super::name;
use crate::verify::{Linkage, ProgramFacts, SourceFacts};

/// A published image, as it was read.
#[derive(Debug, Clone)]
pub struct ReadImage {
    /// As it was named.
    pub reference: String,
    /// All platforms that it is published for.
    pub platforms: Vec<String>,
    /// What is known of it, on one of them.
    pub facts: SourceFacts,
}

/// What is known of a component that is made of an image. Its name is not yet unique.
pub fn facts(read: &ReadImage) -> Facts {
    let image = &read.facts;
    let base = image.base.as_ref().map(|base| match &base.digest {
        Some(digest) if !base.name.contains('@') => format!("{}@{digest}", base.name),
        _ => base.name.clone(),
    });
    let origin =
        ImageOrigin { reference: read.reference.clone(), base: base.clone(), platforms: read.platforms.clone() };
    let (start, obstacle) = start(image);
    let mut questions = Vec::new();
    if image.has_healthcheck {
        let text = "the image has a HEALTHCHECK, which only Docker reads: does the pod have a probe in its place?";
        questions.push(Question { about: "role".to_owned(), text: text.to_owned() });
    }
    let obstacle = obstacle.or_else(|| {
        let question =
            "the labels of the image do not say what it was made from: write `base`, whose layers are left out";
        base.is_none().then(|| question.to_owned())
    });
    Facts {
        name: name::of_image(&read.reference),
        origin: Origin::Image(origin),
        description: image.description.clone().filter(|text| !text.contains(char::is_control)),
        owner: None,
        version: image.version.clone().filter(|version| is_version(version)).map(|value| {
            let from = "the label org.opencontainers.image.version".to_owned();
            Inferred { value, from }
        }),
        base: BaseFacts {
            family: family(image, base.as_deref()),
            reference: base.clone().unwrap_or_else(|| read.reference.clone()),
        },
        libc: libc(image, base.as_deref()),
        needs: needs(image.command.program.as_ref(), image.command.is_shell),
        start,
        user: UserFacts {
            written: Some(image.user.written.clone()).filter(|written| !written.is_empty()),
            numbers: image.user.numeric.clone(),
            because: match (&image.user.why, image.user.written.as_str()) {
                (Some(why), _) => why.clone(),
                (None, "") => "the image names no user, which is root".to_owned(),
                (None, written) => format!("the image says {written}, by its own /etc/passwd"),
            },
            line: None,
        },
        workdir: Some(image.workdir.clone()).filter(|workdir| workdir != "/"),
        ports: image.ports.iter().filter_map(|port| of_port(port)).collect(),
        env: image.env.clone(),
        volumes: image.volumes.iter().cloned().collect(),
        stop_signal: image.stop_signal.clone(),
        healthcheck: None,
        installs: Vec::new(),
        runs: Vec::new(),
        files: Vec::new(),
        questions,
        obstacle,
    }
}

/// As [`crate::manifest`] has versions.
pub(super) fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte))
}

fn start(image: &SourceFacts) -> (Start, Option<String>) {
    let command = &image.command;
    let is_entrypoint = !command.entrypoint.is_empty();
    let is_absolute = command.words.first().is_some_and(|word| word.starts_with('/'));
    if !is_absolute {
        let why = match command.words.first() {
            None => "the image says nothing of what it starts: write `command` into its role".to_owned(),
            Some(word) => {
                format!("the image starts `{word}`, which is nowhere in its PATH: write the path into `command`")
            }
        };
        return (Start { is_entrypoint, ..Start::default() }, Some(why));
    }
    let fixed = if is_entrypoint { command.entrypoint.len() } else { command.words.len() };
    let (fixed, args) = command.words.split_at(fixed.min(command.words.len()));
    (Start { command: fixed.to_vec(), args: args.to_vec(), is_entrypoint, line: None }, None)
}

/// By the name of the base, else by what the image itself says of its distribution.
fn family(image: &SourceFacts, base: Option<&str>) -> Family {
    match base.map_or(Family::Other, Family::of) {
        Family::Other => match image.distribution.as_ref().map(|distribution| distribution.id.as_str()) {
            Some("alpine") => Family::Alpine,
            Some("debian") if image.gives.iter().any(|need| need == "shell") => Family::Debian,
            Some("debian") => Family::Distroless,
            Some("ubuntu") => Family::Ubuntu,
            Some("fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn") => Family::RedHat,
            _ => Family::Other,
        },
        known => known,
    }
}

/// By the programs above the base: one that is linked decides.
fn libc(image: &SourceFacts, base: Option<&str>) -> Linking {
    let linked = image.programs.iter().filter_map(|program| match &program.linkage {
        Linkage::Dynamic { libc, .. } => Some(libc.map_or(Linking::Unknown, Linking::Libc)),
        _ => None,
    });
    let own: BTreeSet<Linking> = linked.collect();
    match (own.len(), own.first()) {
        (0, _) if !image.has_more_programs => Linking::None,
        (1, Some(only)) => *only,
        _ => family(image, base).libc(),
    }
}

/// What the started program needs, by its own bytes.
fn needs(program: Option<&ProgramFacts>, is_shell: bool) -> BTreeMap<String, String> {
    let mut needs = BTreeMap::new();
    if is_shell {
        needs.insert("shell".to_owned(), "its command is read by a shell".to_owned());
    }
    match program.map(|program| (&program.path, &program.linkage)) {
        Some((path, Linkage::Script { interpreter, .. })) if is_shell_name(interpreter) => {
            needs.insert("shell".to_owned(), format!("{path} is a script for {interpreter}"));
        }
        Some((path, Linkage::Dynamic { libc: Some(libc), .. })) if !is_shell => {
            needs.insert(format!("libc:{libc}"), format!("{path} is linked with it"));
        }
        _ => {}
    }
    needs
}

/// Whether a program is a shell that every base with a shell has, or stands for one.
pub(super) fn is_shell_name(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("sh" | "ash" | "dash"))
}

/// `80/tcp`.
fn of_port(port: &str) -> Option<PortFacts> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let port = number.parse().ok().filter(|port| *port > 0)?;
    ["tcp", "udp", "sctp"].contains(&protocol).then(|| PortFacts { port, protocol: protocol.to_owned() })
}

/// Gives names that nobody else has.
pub fn with_unique_names(all: &mut [Facts]) {
    let mut taken = BTreeSet::new();
    all.iter_mut().for_each(|facts| facts.name = name::unique(&facts.name, &mut taken));
}
