//! What manifests cannot say: a value that their format refuses becomes a question, so that all that is written can be read.

use super::facts::Facts;
use crate::manifest::{ImagePath, Need, StopSignal, User};
use crate::oci::ImageSource;

/// Takes out of some facts what a manifest cannot say.
pub(super) fn fit(facts: &mut Facts) {
    base(facts);
    start(facts);
    user(facts);
    if let Some(workdir) = facts.workdir.take_if(|workdir| !is_path(workdir)) {
        facts.ask("role", format!("the working directory {workdir:?} is no plain path; which one is meant?"));
    }
    let (volumes, others) = std::mem::take(&mut facts.volumes).into_iter().partition(|volume| is_path(volume));
    facts.volumes = volumes;
    for volume in others {
        facts.ask("role", format!("the volume {volume:?} is no plain path; which one is meant?"));
    }
    let (env, others) = std::mem::take(&mut facts.env).into_iter().partition(|(name, value)| is_variable(name, value));
    facts.env = env;
    for name in others.into_keys() {
        facts.ask("role", format!("the variable {name:?} has no plain name or several lines; is it needed?"));
    }
    if let Some(signal) = facts.stop_signal.take_if(|signal| signal.parse::<StopSignal>().is_err()) {
        facts.ask("role", format!("{signal:?} is no signal; which one ends it?"));
    }
    facts.needs.retain(|need, _| need.parse::<Need>().is_ok());
}

fn is_path(text: &str) -> bool {
    text.parse::<ImagePath>().is_ok()
}

/// As POSIX has names of variables.
fn is_variable(name: &str, value: &str) -> bool {
    let fits =
        |(at, byte): (usize, u8)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit());
    !name.is_empty() && name.len() <= 255 && name.bytes().enumerate().all(fits) && !value.contains(char::is_control)
}

fn base(facts: &mut Facts) {
    let reference = &facts.base.reference;
    if reference == "scratch" || facts.obstacle.is_some() {
        return;
    }
    if let Err(error) = reference.parse::<ImageSource>() {
        facts.obstacle = Some(format!("what it is made from cannot be named: {error}"));
    }
}

fn start(facts: &mut Facts) {
    let Some(program) = facts.start.command.first().filter(|program| !is_path(program)) else { return };
    let why = format!("the program {program:?} has no plain path: write the absolute path into `command`");
    facts.start.command.clear();
    facts.start.args.clear();
    facts.ask("command", why.clone());
    facts.obstacle.get_or_insert(why);
}

fn user(facts: &mut Facts) {
    let shown = facts.user.shown();
    if shown.parse::<User>().is_err() {
        let because = format!("{} (the name is no plain one)", facts.user.because);
        facts.user.written = None;
        facts.user.numbers = None;
        facts.user.because = because;
    }
}
