//! `path-collision`: two components put something at the same path, or one puts a file where another needs a folder.
//!
//! The same source bytes with the same mode are one file, and a note. Programs are compared by path only: their bytes are
//! known after the build, and two programs that happen to be equal today need not be so tomorrow.

use super::super::occupancy::{Claim, Claims, What};
use super::super::{Findings, Rule, Subject};
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::RuleLevel;

pub(super) const RULE: Rule = Rule {
    code: "path-collision",
    level: RuleLevel::Deny,
    fixed: false,
    summary: "two components put different files at one path",
    reason: "the later layer would win silently, and the other component's consumers would start a different program",
    check,
};

/// Folder of the image's own description.
const RESERVED: &str = "/.groupage";

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let claims = Claims::of(subject.plan);
    for claims_here in claims.by_path() {
        let path = claims_here[0].path;
        for pair in claims_here.windows(2).filter(|pair| pair[0].component != pair[1].component) {
            same_path(&pair[0], &pair[1], findings);
        }
        for parent in path.parents() {
            let Some(above) = claims.first_at(parent) else { continue };
            below_a_file(&claims_here[0], above, findings);
        }
        if path.as_str() == RESERVED || path.parents().next() == Some(RESERVED) {
            let message = format!("{path} is below {RESERVED}, which describes the image itself");
            findings.push(
                [claims_here[0].component],
                Diagnostic::error(RULE.code, message).label(claims_here[0].place, "").help("install it elsewhere"),
            );
        }
    }
}

fn same_path(a: &Claim<'_>, b: &Claim<'_>, findings: &mut Findings) {
    let path = a.path;
    let components = [a.component, b.component];
    let diagnostic = match (&a.what, &b.what) {
        // judged by `alias-shadows-file`
        (What::Alias(_), What::Built | What::File(..) | What::Link(_))
        | (What::Built | What::File(..) | What::Link(_), What::Alias(_)) => return,
        (a_what, b_what) if a_what == b_what && *a_what != What::Built => {
            let message =
                format!("components `{}` and `{}` both bring {path}, with the same content", a.component, b.component);
            Diagnostic::new(Level::Note, RULE.code, message)
        }
        _ => {
            let message = format!("components `{}` and `{}` both put a file at {path}", a.component, b.component);
            let finding = Diagnostic::error(RULE.code, message).note(difference(&a.what, &b.what));
            finding.help(
                "install one of them at another path, and keep its old path with an alias where nothing else stands; or give both the same bytes and mode, which are then one file",
            )
        }
    };
    findings.push(
        components,
        diagnostic.label(b.place, format!("by `{}`", b.component)).label(a.place, format!("by `{}`", a.component)),
    );
}

/// Why two claims to a path are not one file.
fn difference(a: &What<'_>, b: &What<'_>) -> String {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    match (a, b) {
        (What::File(one, mode), What::File(other, other_mode)) if one == other => {
            format!("their content is the same, and their modes are {mode:04o} and {other_mode:04o}")
        }
        (What::File(one, _), What::File(other, _)) => {
            format!("their contents differ: sha256 {}… and {}…", short(one), short(other))
        }
        (What::Built, _) | (_, What::Built) => {
            "the bytes of what a stage gives are known only after the build, so it is never taken for the same file"
                .to_owned()
        }
        _ => "one of them is a link, or they are links to different targets".to_owned(),
    }
}

fn below_a_file(below: &Claim<'_>, above: &Claim<'_>, findings: &mut Findings) {
    // a stage may give a folder there, so only what is known to be a file or a link is refused
    if above.what == What::Built && below.component == above.component {
        return;
    }
    let message = format!(
        "{} of component `{}` is below {}, which component `{}` uses as a file",
        below.path, below.component, above.path, above.component
    );
    let finding = Diagnostic::error(RULE.code, message).label(below.place, "").label(above.place, "the file");
    findings.push([below.component, above.component], finding.help("install one of them at another path"));
}
