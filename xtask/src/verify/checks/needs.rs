//! What roles need is in the image.

use super::super::libc::Libc;
use super::super::{Check, Findings, Image, Subject, follow};

pub(super) const CHECK: Check = Check {
    codes: &[("unmet-need", "a role needs something that is not in the image")],
    reason: "what a base is said to give, and what it gives, are two things",
    check,
};

/// Where the certificates of authorities are, on Debian and Alpine, on Fedora, and on BSD-like layouts.
const CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (component, name, role) in subject.contract.roles() {
        for need in &role.needs {
            // whoever invented another word knows how to see it
            if !gives(subject.image, need.as_str()).unwrap_or(true) {
                let message = format!(
                    "role `{name}` needs `{need}`, which is not in the image; it stands on {}",
                    subject.ground()
                );
                findings.error("unmet-need", message).of_role(&component.name, name);
            }
        }
    }
}

/// Whether the files of an image meet a need; nothing where the word is not one of ours.
pub(in crate::verify) fn gives(image: &Image, need: &str) -> Option<bool> {
    let has = |path: &str| follow::real(&image.rootfs, path).is_ok_and(|real| image.rootfs.get(&real).is_some());
    let has_libc = |wanted: Libc| {
        let all = Libc::in_image(&image.rootfs, image.platform.architecture());
        all.iter().any(|(libc, _)| *libc == wanted)
    };
    Some(match need {
        "shell" => has("/bin/sh"),
        "ca-certificates" => CERTIFICATES.iter().any(|path| has(path)),
        "tzdata" => has("/usr/share/zoneinfo"),
        "libc:glibc" => has_libc(Libc::Glibc),
        "libc:musl" => has_libc(Libc::Musl),
        _ => return None,
    })
}
