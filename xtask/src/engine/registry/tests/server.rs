//! An HTTP server that a test tells what to do, request by request. It remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As much as was read.
    pub body: Vec<u8>,
}

/// What to answer.
#[derive(Clone)]
pub enum Act {
    /// Read the whole request, answer, go on.
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// Read so much of the body, then close the connection.
    Cut(usize),
    /// Write these bytes, then close the connection.
    Break(Vec<u8>),
    /// Write these bytes, then nothing until the other side gives up.
    Stall(Vec<u8>),
    /// Write these bytes, then others until the other side gives up.
    Endless(Vec<u8>),
    /// Read the whole request, and ask again.
    Read(Arc<Script>),
}

type Script = dyn Fn(&Seen) -> Act + Send + Sync;

/// A server on a port of its own.
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<AtomicBool>,
}

impl Act {
    pub fn answer(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    pub fn body(mut self, bytes: &[u8]) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = bytes.to_owned();
        }
        self
    }

    /// The head of an answer that announces a length, or none.
    pub fn head(status: u16, length: Option<usize>) -> Vec<u8> {
        let length = length.map_or(String::new(), |length| format!("Content-Length: {length}\r\n"));
        format!("HTTP/1.1 {status} X\r\n{length}\r\n").into_bytes()
    }
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `GET /v2/…`
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Server {
    pub fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stopped) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicBool>::default());
        let (log, stop, script): (_, _, Arc<Script>) = (Arc::clone(&seen), Arc::clone(&stopped), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                std::thread::spawn(move || while serve(&stream, &log, &*script).unwrap_or(false) {});
            }
        });
        Self { address, seen, stopped }
    }

    /// As a registry is named.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// What was asked so far, but for the question which scheme it speaks.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.path != "/v2/").cloned().collect()
    }

    /// What was asked, as lines, without queries.
    pub fn lines(&self) -> Vec<String> {
        let without_query = |line: String| line.split('?').next().unwrap_or_default().to_owned();
        self.seen().iter().map(|seen| without_query(seen.line())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // wakes the listener
        let _ = TcpStream::connect(self.address);
    }
}

/// One request; true when another may follow.
fn serve(stream: &TcpStream, log: &Mutex<Vec<Seen>>, script: &Script) -> std::io::Result<bool> {
    let mut reader = BufReader::with_capacity(1, stream);
    let Some(mut seen) = head(&mut reader)? else { return Ok(false) };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let act = if seen.path == "/v2/" { Act::answer(200) } else { script(&seen) };
    let wanted = match act {
        Act::Cut(bytes) => bytes.min(length),
        _ => length,
    };
    reader.take(wanted as u64).read_to_end(&mut seen.body)?;
    let act = if let Act::Read(then) = act { then(&seen) } else { act };
    let is_head = seen.method == "HEAD";
    log.lock().unwrap().push(seen);
    let mut out = stream;
    match act {
        Act::Answer { status, headers, body } => {
            out.write_all(&answer(status, &headers, &body, is_head))?;
            return Ok(true);
        }
        Act::Cut(_) | Act::Read(_) => {}
        Act::Break(bytes) => out.write_all(&bytes)?,
        Act::Stall(bytes) => {
            out.write_all(&bytes)?;
            while out.read(&mut [0; 64])? > 0 {}
        }
        Act::Endless(bytes) => {
            out.write_all(&bytes)?;
            while out.write_all(&[b'x'; 4096]).is_ok() {}
        }
    }
    stream.shutdown(Shutdown::Both)?;
    Ok(false)
}

fn answer(status: u16, headers: &[(String, String)], body: &[u8], is_head: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
    text += "\r\n";
    let mut bytes = text.into_bytes();
    if !is_head {
        bytes.extend_from_slice(body);
    }
    bytes
}

fn head(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut seen = Seen { method, path, ..Seen::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(seen)) };
        seen.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}
