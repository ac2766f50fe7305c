//! Something in front of a daemon, which counts what is asked of it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Hands on what comes, and remembers what went to the daemon.
pub struct Listener {
    path: PathBuf,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    _folder: tempfile::TempDir,
}

impl Listener {
    /// Stands before the daemon; nothing when it has no unix socket.
    pub fn new() -> Option<Self> {
        let endpoint = super::docker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
        let endpoint = std::env::var("DOCKER_HOST").unwrap_or(endpoint);
        let socket = endpoint.strip_prefix("unix://")?.to_owned();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = UnixStream::connect(&socket).unwrap();
                let index = {
                    let mut all = all.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                let all = Arc::clone(&all);
                copy(near.try_clone().unwrap(), far.try_clone().unwrap(), move |bytes| {
                    all.lock().unwrap()[index].extend_from_slice(bytes);
                });
                copy(far, near, |_| ());
            }
        });
        Some(Self { path, heard, _folder: folder })
    }

    /// As `--host` takes it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// Whether a request began so, since the last time that they were counted.
    pub fn has(&self, beginning: &str) -> bool {
        self.heard.lock().unwrap().iter().any(|bytes| String::from_utf8_lossy(bytes).contains(beginning))
    }

    /// How often each of some beginnings of requests came, since the last time.
    pub fn count<const N: usize>(&self, beginnings: [&str; N]) -> [usize; N] {
        let mut heard = self.heard.lock().unwrap();
        let text: Vec<String> = heard.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        heard.iter_mut().for_each(Vec::clear);
        beginnings.map(|beginning| text.iter().map(|text| text.matches(beginning).count()).sum())
    }
}

/// Copies one direction, as it comes.
fn copy(mut from: UnixStream, mut to: UnixStream, mut hear: impl FnMut(&[u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            hear(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}
