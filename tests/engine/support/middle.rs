//! Something in front of a registry, which counts requests and can break connections.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::registry::LocalRegistry;

/// Something that breaks, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The first request body that is longer, after so many bytes.
    Upload(u64),
    /// The first answers that are longer, after so many bytes on one connection.
    Download(u64),
}

/// A man in the middle: it hands on what comes, and remembers what was asked.
pub struct Middle {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    lines: Mutex<Vec<String>>,
    cut: Mutex<Option<Cut>>,
}

impl Middle {
    /// Stands before a registry.
    pub fn before(registry: &LocalRegistry) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (lines, cut) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { upstream: registry.address(), lines, cut });
        let others = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&others);
                std::thread::spawn(move || {
                    let _ = hand_on(&client, &shared);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, shared }
    }

    /// As a registry is named.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// Breaks something, once.
    pub fn cut(&self, cut: Cut) {
        *self.shared.cut.lock().unwrap() = Some(cut);
    }

    /// Whether it has broken.
    pub fn has_cut(&self) -> bool {
        self.shared.cut.lock().unwrap().is_none()
    }

    /// What was asked since the last time: `PUT /v2/…`, without queries.
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.lines.lock().unwrap())
    }
}

fn hand_on(client: &TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    let upstream = TcpStream::connect(shared.upstream)?;
    let (from, to, others) = (upstream.try_clone()?, client.try_clone()?, Arc::clone(shared));
    std::thread::spawn(move || {
        let _ = answers(&from, &to, &others);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    let ended = requests(client, &upstream, shared);
    upstream.shutdown(Shutdown::Both)?;
    ended
}

fn requests(client: &TcpStream, mut upstream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(256 * 1024, client);
    loop {
        let (mut head, mut length) = (String::new(), 0_u64);
        loop {
            let start = head.len();
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
            let line = &head[start..];
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut words = head.split([' ', '?']);
        let line = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
        shared.lines.lock().unwrap().push(line);
        upstream.write_all(head.as_bytes())?;
        let cut = shared.cut.lock().unwrap().take_if(|cut| matches!(cut, Cut::Upload(bytes) if length > *bytes));
        if let Some(Cut::Upload(bytes)) = cut {
            std::io::copy(&mut (&mut reader).take(bytes), &mut upstream)?;
            return Ok(());
        }
        std::io::copy(&mut (&mut reader).take(length), &mut upstream)?;
    }
}

fn answers(mut upstream: &TcpStream, mut client: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (mut piece, mut total) = (vec![0; 64 * 1024], 0);
    loop {
        let read = upstream.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        client.write_all(&piece[..read])?;
        total += read as u64;
        let cut = shared.cut.lock().unwrap().take_if(|cut| matches!(cut, Cut::Download(bytes) if total > *bytes));
        if cut.is_some() {
            return Ok(());
        }
    }
}
