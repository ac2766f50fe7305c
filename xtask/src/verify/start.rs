//! What happens when a program of an image is started: as the kernel and the loader would do it, as far as files decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Subject;
use super::access::{self, User};
use super::elf::Elf;
use super::facts::{Facts, Nature, Script};
use super::follow;
use super::libc::{self, Libc};
use super::loader::{Loader, Missing};

/// How many interpreters may stand behind one another (`BINPRM_MAX_RECURSION`, and the program itself).
const MAX_INTERPRETERS: usize = 5;
/// Most libraries that are named when they are missing.
const MAX_NAMED: usize = 8;

/// Why a program does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The file that is wrong, or would be.
    pub(super) path: String,
}

/// How something is started.
pub(super) struct Start<'s, 'a> {
    subject: &'s Subject<'a>,
    /// Nothing when it is not numeric.
    user: Option<User>,
    env: BTreeMap<&'s str, &'s str>,
}

impl<'s, 'a> Start<'s, 'a> {
    /// As a user, with what the image and a role set.
    pub(super) fn new(subject: &'s Subject<'a>, user: &str, env: &'s BTreeMap<String, String>) -> Self {
        let all = subject.image.config.env.iter().chain(env);
        let env = all.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self { subject, user: User::parse(user), env }
    }

    /// Why a program does not start; nothing when all that can be seen is right.
    pub(super) fn troubles(&self, program: &str) -> Vec<Trouble> {
        let rootfs = &self.subject.image.rootfs;
        let mut path = program.to_owned();
        let mut way = String::new();
        for _ in 0..MAX_INTERPRETERS {
            let (real, own, source) = match follow::file(rootfs, &path) {
                Ok(found) => found,
                Err(why) if way.is_empty() => return one("missing-program", format!("{path} {why}"), &path),
                Err(why) => return one("missing-interpreter", format!("{way}, and {path} {why}"), &path),
            };
            if let Some(why) = self.user.and_then(|user| access::refusal(rootfs, &real, own, user)) {
                return one("not-executable", behind(&way, &format!("{path} {why}")), &path);
            }
            let facts = match self.subject.contents.facts(source) {
                Ok(facts) => facts,
                Err(why) => return one("unknown-program", format!("{path} cannot be read: {why}"), &path),
            };
            match &facts.nature {
                Nature::Windows(machine) => return self.of_windows(&path, machine, &way),
                Nature::Elf(elf) => return self.of_elf(&path, &real, elf, &facts, &way),
                Nature::Broken(why) => {
                    return one("unknown-program", behind(&way, &format!("{path} is no program: {why}")), &path);
                }
                Nature::Data => {
                    let what = match self.subject.image.platform.is_windows() {
                        true => format!("{path} is no program of Windows"),
                        false => format!("{path} is neither an ELF program nor a script that begins with `#!`"),
                    };
                    return one("unknown-program", behind(&way, &what), &path);
                }
                Nature::Script(script) => match self.next(&path, script) {
                    Ok((next, said)) => (path, way) = (next, said),
                    Err(trouble) => return vec![trouble],
                },
            }
        }
        one(
            "missing-interpreter",
            format!("{program} has interpreters that are scripts, one behind the other"),
            program,
        )
    }

    /// The program that reads a script, and how it is named there.
    fn next(&self, path: &str, script: &Script) -> Result<(String, String), Trouble> {
        let trouble = |message: String| Trouble { code: "missing-interpreter", message, path: path.to_owned() };
        let interpreter = &script.interpreter;
        if !interpreter.starts_with('/') {
            return Err(trouble(format!("{path} begins with `#!{interpreter}`, which is no absolute path")));
        }
        let way = format!("{path} is a script for {interpreter}");
        let rootfs = &self.subject.image.rootfs;
        // `env` has to be there, and so has what it looks for
        let Some(wanted) = script.by_env().filter(|_| follow::file(rootfs, interpreter).is_ok()) else {
            return Ok((interpreter.clone(), way));
        };
        let folders = self.env.get("PATH").copied().unwrap_or("/usr/local/bin:/usr/bin:/bin");
        let mut places = folders.split(':').map(|folder| format!("{folder}/{wanted}"));
        match places.find(|place| follow::file(rootfs, place).is_ok()) {
            Some(place) => Ok((place, format!("{way} {wanted}"))),
            None => Err(trouble(format!("{way} {wanted}, and there is no {wanted} in {folders}"))),
        }
    }

    /// What Windows loads behind a program is not looked at.
    fn of_windows(&self, path: &str, machine: &str, way: &str) -> Vec<Trouble> {
        let platform = &self.subject.image.platform;
        if platform.is_windows() && machine == platform.architecture() {
            return Vec::new();
        }
        let what = format!("{path} is for windows/{machine}, and the image for {platform}");
        one("wrong-architecture", behind(way, &what), path)
    }

    fn of_elf(&self, path: &str, real: &str, elf: &Elf, facts: &Arc<Facts>, way: &str) -> Vec<Trouble> {
        let (image, platform) = (self.subject.image, &self.subject.image.platform);
        if platform.is_windows() || !elf.fits(platform.architecture()) {
            let of = if platform.is_windows() { "linux/" } else { "" };
            let what = format!("{path} is for {of}{}, and the image for {platform}", elf.architecture());
            return one("wrong-architecture", behind(way, &what), path);
        }
        // what is linked statically needs nothing
        let Some(interpreter) = &elf.interpreter else { return Vec::new() };
        let libc = Libc::of(interpreter);
        if let Some(trouble) = self.of_loader(path, elf, interpreter, libc, way) {
            return vec![trouble];
        }
        let preferred = self.env.get("LD_LIBRARY_PATH").copied().unwrap_or_default();
        let preferred = preferred.split([':', ';']).map(str::to_owned).collect();
        let loader = Loader { rootfs: &image.rootfs, contents: self.subject.contents, libc, preferred };
        let mut missing = loader.missing(real, facts);
        let more = missing.len().saturating_sub(MAX_NAMED);
        missing.truncate(MAX_NAMED);
        let mut troubles: Vec<Trouble> = missing.iter().map(|missing| no_library(path, real, missing, way)).collect();
        if more > 0 {
            troubles.extend(one("missing-library", format!("{path} misses {more} more libraries"), path));
        }
        troubles
    }

    /// What is wrong with the loader that a program names.
    fn of_loader(&self, path: &str, elf: &Elf, loader: &str, libc: Option<Libc>, way: &str) -> Option<Trouble> {
        let image = self.subject.image;
        let linked = match libc {
            Some(libc) => format!("{path} is linked with {}: its interpreter is {loader}", libc.name()),
            None => format!("{path} has the interpreter {loader}"),
        };
        let message = match follow::file(&image.rootfs, loader) {
            Err(why) if libc.is_some() => {
                let has = libc::in_words(&image.rootfs, image.platform.architecture());
                format!("{linked}, which {why}; {} {has}", self.subject.ground())
            }
            Err(why) => format!("{linked}, which {why}"),
            Ok((real, own, source)) => {
                if let Some(why) = self.user.and_then(|user| access::refusal(&image.rootfs, &real, own, user)) {
                    format!("{linked}, which {why}")
                } else {
                    let facts = self.subject.contents.facts(source).ok()?;
                    match &facts.nature {
                        Nature::Elf(other) if other.goes_with(elf) => return None,
                        Nature::Elf(other) => format!("{linked}, which is for {}", other.architecture()),
                        _ => format!("{linked}, which is no program"),
                    }
                }
            }
        };
        Some(Trouble { code: "missing-interpreter", message: behind(way, &message), path: loader.to_owned() })
    }
}

fn no_library(path: &str, real: &str, missing: &Missing, way: &str) -> Trouble {
    let Missing { library, by } = missing;
    let by = if by == real { String::new() } else { format!(", by way of {by}") };
    let message = behind(way, &format!("{path} needs {library}{by}, which is nowhere that its loader looks"));
    Trouble { code: "missing-library", message, path: path.to_owned() }
}

fn behind(way: &str, what: &str) -> String {
    if way.is_empty() { what.to_owned() } else { format!("{way}, and {what}") }
}

fn one(code: &'static str, message: String, path: &str) -> Vec<Trouble> {
    vec![Trouble { code, message, path: path.to_owned() }]
}
