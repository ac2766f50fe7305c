//! Debian's `docker-registry` on loopback: a port of its own, a folder of its own, and gone with its test.
//!
//! What it holds is read from its folder, what was asked of it from its log, so that a client is judged without another one.
//! A benchmark uses this file too: it needs nothing of what is beside it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use groupage::oci::Digest;
use serde_json::Value;

/// The program.
const PROGRAM: &str = "docker-registry";
/// Only a registry that does not start takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Name and password of the account of a registry with accounts, and how a file for htpasswd says them: a test vector of
/// crypt_blowfish.
pub const ACCOUNT: (&str, &str) = ("somebody", "U*U");
const HTPASSWD: &str = "somebody:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n";

/// How a registry is set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// It asks for [`ACCOUNT`].
    pub account: bool,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// A registry that runs; it ends when it goes away.
pub struct LocalRegistry {
    child: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

/// One request, as the access log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub status: u16,
}

impl Request {
    /// Whether it gave the registry something: a blob, a manifest, or a blob of another repository.
    pub fn is_delivery(&self) -> bool {
        let writes = ["PUT", "PATCH", "POST"].contains(&self.method.as_str());
        writes && (self.status == 201 || (self.method == "PATCH" && self.status == 202))
    }
}

impl LocalRegistry {
    /// Starts one; `None`, with a printed line, where the program is not there.
    pub fn start() -> Option<Self> {
        Self::with(&Setup::default())
    }

    /// [`LocalRegistry::start`], set up in some way. It listens when this returns.
    pub fn with(setup: &Setup) -> Option<Self> {
        if !installed() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (settings, path) = (folder.path().join("config.yml"), folder.path().join("log"));
        fs::write(&settings, config(setup, folder.path())).unwrap();
        let log = File::create(&path).unwrap();
        let mut serve = Command::new(PROGRAM);
        serve.arg("serve").arg(&settings).env_clear().stdin(Stdio::null());
        let mut child = serve.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let begin = Instant::now();
        let address = loop {
            let said = fs::read_to_string(&path).unwrap();
            if let Some(address) = listening(&said) {
                break address;
            }
            assert!(child.try_wait().unwrap().is_none(), "{PROGRAM} has ended:\n{said}");
            assert!(begin.elapsed() < PATIENCE, "{PROGRAM} does not listen:\n{said}");
            std::thread::sleep(Duration::from_millis(5));
        };
        Some(Self { child, folder, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, as a registry is named: `127.0.0.1:PORT`.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Every request so far, in the order in which they ended.
    pub fn requests(&self) -> Vec<Request> {
        self.log().lines().filter_map(access).collect()
    }

    /// The requests during some work.
    pub fn requests_of<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Request>) {
        let before = self.requests().len();
        let result = work();
        (result, self.requests().split_off(before))
    }

    /// Digests of everything that is stored, whole or not.
    pub fn stored(&self) -> BTreeSet<String> {
        let top = self.storage().join("blobs/sha256");
        let below = |folder: &Path| -> Vec<PathBuf> {
            fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
        };
        let blobs = below(&top).into_iter().flat_map(|prefix| below(&prefix));
        blobs.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let data = self.folder.path().join("data");
        if data.exists() {
            fs::remove_dir_all(data).unwrap();
        }
    }

    /// The digest that a tag names, `None` when there is no such tag, after everything that it leads to was compared with
    /// its digest. Otherwise what is wrong.
    pub fn complete(&self, repository: &str, tag: &str) -> Result<Option<String>, String> {
        let link =
            self.storage().join("repositories").join(repository).join("_manifests/tags").join(tag).join("current/link");
        let Ok(digest) = fs::read_to_string(&link) else { return Ok(None) };
        self.follow(digest.trim())?;
        Ok(Some(digest.trim().to_owned()))
    }

    fn follow(&self, digest: &str) -> Result<(), String> {
        let bytes = self.blob(digest)?;
        let document: Value = serde_json::from_slice(&bytes).map_err(|error| format!("{digest}: {error}"))?;
        let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
        for manifest in list("manifests") {
            self.follow(manifest["digest"].as_str().ok_or("a descriptor without a digest")?)?;
        }
        for blob in list("layers").iter().chain(document.get("config")) {
            self.blob(blob["digest"].as_str().ok_or("a descriptor without a digest")?)?;
        }
        Ok(())
    }

    /// The file of something that is stored, by the hexadecimal digits of its digest.
    pub fn file(&self, name: &str) -> PathBuf {
        self.storage().join("blobs/sha256").join(&name[..2]).join(name).join("data")
    }

    fn blob(&self, digest: &str) -> Result<Vec<u8>, String> {
        let name = digest.strip_prefix("sha256:").ok_or("a digest that is not SHA-256")?;
        let bytes = fs::read(self.file(name)).map_err(|error| format!("{digest}: {error}"))?;
        if Digest::of(&bytes).hex() == name { Ok(bytes) } else { Err(format!("{digest} has other bytes")) }
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("data/docker/registry/v2")
    }
}

impl Drop for LocalRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the registry is installed. Otherwise a line is printed, or, where engines are required, the test fails.
fn installed() -> bool {
    let is_there = Command::new(PROGRAM).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        let required = std::env::var("GROUPAGE_TEST_ENGINE").is_ok_and(|value| value == "required");
        assert!(!required, "{PROGRAM} is required");
        eprintln!("skipped: {PROGRAM} is not installed");
    }
    is_there
}

fn config(setup: &Setup, folder: &Path) -> String {
    let storage = folder.join("data");
    let mut text = format!(
        "version: 0.1\n\
         log: {{ level: info, formatter: text }}\n\
         storage: {{ filesystem: {{ rootdirectory: {} }}, delete: {{ enabled: true }} }}\n\
         http:\n  addr: 127.0.0.1:0\n  secret: not-secret\n",
        storage.display()
    );
    if let Some((certificate, key)) = &setup.tls {
        text += &format!("  tls: {{ certificate: {}, key: {} }}\n", certificate.display(), key.display());
    }
    if setup.account {
        let path = folder.join("htpasswd");
        std::fs::write(&path, HTPASSWD).unwrap();
        text += &format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", path.display());
    }
    text
}

/// The address in `msg="listening on 127.0.0.1:38123"`, with TLS or without, when the line is whole.
fn listening(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on ")?;
    let (line, _) = rest.split_once('\n')?;
    line.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).next()?.parse().ok()
}

/// A line of the access log: `127.0.0.1 - - [TIME] "PUT /v2/a/manifests/1 HTTP/1.1" 201 0 "" "client"`.
fn access(line: &str) -> Option<Request> {
    let (_, rest) = line.strip_prefix("127.0.0.1 - - [")?.split_once("] \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let mut words = request.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?);
    let path = path.split_once('?').map_or(path, |(path, _)| path).to_owned();
    Some(Request { method, path, status: rest.split(' ').next()?.parse().ok()? })
}

/// A certificate for loopback by an authority of its own, made by openssl; `None` where there is no openssl.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    pub fn make() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output().ok()?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(())
        };
        let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key"];
        openssl(&[&authority[..], &["-out", "ca.pem"], &key].concat())?;
        let request = ["req", "-new", "-subj", "/CN=registry", "-keyout", "key.pem", "-out", "request.pem"];
        openssl(&[&request[..], &key].concat())?;
        std::fs::write(folder.path().join("extensions"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        let sign = ["x509", "-req", "-days", "2", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key"];
        openssl(&[&sign[..], &["-CAcreateserial", "-extfile", "extensions", "-out", "cert.pem"]].concat())?;
        Some(Self { folder })
    }

    /// Certificate and key of the registry.
    pub fn server(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("cert.pem"), self.folder.path().join("key.pem"))
    }

    /// The certificate of the authority, as PEM.
    pub fn authority(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("ca.pem")).unwrap()
    }
}
