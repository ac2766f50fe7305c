//! The builder images that tests use: they stay, so that the next run is quick.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Ended, docker};

/// The repository that is tested.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Held by one test at a time, over all test processes: two of them would make the same image twice.
pub fn lock(name: &str) -> File {
    let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.lock"))).unwrap();
    file.lock().unwrap();
    file
}

/// A Rust builder that the daemon has: the usual one, or a local stand-in, which `build` may have made before.
pub fn rust() -> String {
    const USUAL: &str = "docker.io/library/rust:1.95-bookworm";
    const STAND_IN: &str = "localhost/groupage/rust:1.95-bookworm-test";
    if has_image(USUAL) {
        return USUAL.to_owned();
    }
    let _lock = lock("rust-builder");
    let filter = "reference=localhost/groupage/rust:*";
    let list = docker(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", filter]);
    if let Some(newest) = list.lines().next() {
        return newest.to_owned();
    }
    let repository = repository();
    let mut bootstrap = Command::new(repository.join("tests/bootstrap/rust-builder"));
    bootstrap.args([Path::new(STAND_IN), &repository.join("target/groupage/bootstrap")]);
    Ended::of(&mut bootstrap).expect(0);
    STAND_IN.to_owned()
}

/// A Go builder that the daemon has, with the Go of this machine.
pub fn go() -> String {
    const STAND_IN: &str = "localhost/groupage/go:test";
    let _lock = lock("go-builder");
    // also when it is there: the program knows whether it is still that of this machine
    let repository = repository();
    let mut bootstrap = Command::new(repository.join("tests/bootstrap/go-builder"));
    bootstrap.args([Path::new(STAND_IN), &repository.join("target/groupage/bootstrap")]);
    Ended::of(&mut bootstrap).expect(0);
    STAND_IN.to_owned()
}

/// An image with a shell, made of the static busybox of this machine; no registry is needed.
pub fn shell() -> String {
    const NAME: &str = "localhost/groupage-test-shell:1";
    let _lock = lock("shell");
    if !has_image(NAME) {
        import_shell(NAME, "shell");
    }
    NAME.to_owned()
}

/// Another one, whose bytes no other image has. BuildKit before 0.12 (Docker before 24) can panic when two builds at the same
/// time share steps of which only one has `--no-cache`: <https://github.com/moby/buildkit/issues/2303>.
pub fn shell_of_its_own(name: &str) -> String {
    import_shell(name, &super::unique());
    name.to_owned()
}

/// `mark` becomes the content of a file.
fn import_shell(name: &str, mark: &str) {
    const APPLETS: [&str; 17] = [
        "sh", "sleep", "ls", "seq", "true", "false", "cat", "mkdir", "printf", "echo", "ln", "cp", "chmod", "wc",
        "head", "id", "env",
    ];
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = std::fs::read(busybox.expect("these tests need the package busybox-static")).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(busybox.len() as u64);
    archive.append_data(&mut header, "bin/busybox", busybox.as_slice()).unwrap();
    header.set_size(mark.len() as u64);
    archive.append_data(&mut header, "mark", mark.as_bytes()).unwrap();
    for applet in APPLETS {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, format!("bin/{applet}"), "busybox").unwrap();
    }
    import(name, "ENV PATH=/bin", &archive.into_inner().unwrap());
}

/// Makes an image of an archive of files.
pub fn import(name: &str, change: &str, archive: &[u8]) {
    let mut import = Command::new("docker");
    import.args(["import", "--change", change, "-", name]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = import.spawn().expect("the docker program is there");
    child.stdin.take().unwrap().write_all(archive).unwrap();
    assert!(child.wait().unwrap().success());
}

pub fn has_image(reference: &str) -> bool {
    !docker(["images", "--quiet", reference]).is_empty()
}
