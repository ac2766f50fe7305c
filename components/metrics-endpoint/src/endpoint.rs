//! The listening side: accepts connections until it is stopped.
//!
//! One thread per connection and a limit on their number: a slow client delays nobody, and a crowd cannot exhaust the
//! program's memory. An error of `accept` (no file descriptors left, say) is waited out, not fatal: a program that does
//! its real work must not end because of its metrics.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::CONTENT_TYPE;
use crate::http::{self, Response};

const CONNECTION_LIMIT: usize = 32;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running metrics server; dropping it stops it.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

/// Why an [`Endpoint`] could not start.
#[derive(Debug)]
pub struct StartError {
    address: String,
    cause: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StartError { address, cause } = self;
        write!(
            f,
            "failed to serve metrics on {address:?}: {cause}; give a free address as HOST:PORT, such as 0.0.0.0:9533"
        )
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl Endpoint {
    /// Listens on `address` (`HOST:PORT`, or `:PORT` for every IPv4 address) and answers `/metrics` with `text()`,
    /// called once per scrape, and `/healthz` with `ok`.
    ///
    /// # Errors
    /// When the address cannot be parsed, resolved or bound.
    pub fn start(address: &str, text: impl Fn() -> String + Send + Sync + 'static) -> Result<Self, StartError> {
        let start = || {
            let listener = bind(address)?;
            let bound = listener.local_addr()?;
            let stopping = Arc::new(AtomicBool::new(false));
            let stop = Arc::clone(&stopping);
            let text: Arc<Text> = Arc::new(text);
            let acceptor = thread::Builder::new()
                .name("metrics".to_owned())
                .spawn(move || accept_until(&listener, &stop, &text))?;
            Ok(Endpoint { address: bound, stopping, acceptor: Some(acceptor) })
        };
        start().map_err(|cause| StartError { address: address.to_owned(), cause })
    }

    /// The address it listens on; the real port when port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening; returns when the port is free again.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // `accept` has no timeout; a connection of our own wakes it.
        let woken = TcpStream::connect_timeout(&reachable(self.address), Duration::from_secs(1)).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
    }
}

type Text = dyn Fn() -> String + Send + Sync;

fn bind(address: &str) -> io::Result<TcpListener> {
    match address.strip_prefix(':') {
        Some(port) => TcpListener::bind(format!("{}:{port}", Ipv4Addr::UNSPECIFIED)),
        None => TcpListener::bind(address),
    }
}

/// The address under which this machine reaches a listener that may be bound to all addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn accept_until(listener: &TcpListener, stopping: &AtomicBool, text: &Arc<Text>) {
    let open = Arc::new(AtomicUsize::new(0));
    while !stopping.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok(_) if stopping.load(Ordering::SeqCst) => return,
            Ok((stream, _)) => serve_in_thread(stream, &open, text),
            Err(_) => thread::sleep(ACCEPT_PAUSE),
        }
    }
}

/// Serves one connection; beyond the limit, or without memory for a thread, the connection is just closed.
fn serve_in_thread(stream: TcpStream, open: &Arc<AtomicUsize>, text: &Arc<Text>) {
    let slot = Slot::take(open);
    if slot.number > CONNECTION_LIMIT {
        return;
    }
    let text = Arc::clone(text);
    let _ = thread::Builder::new().spawn(move || {
        let _slot = slot;
        // A client that goes away early is its own problem.
        let _ = http::serve(stream, |path| route(path, &text));
    });
}

fn route(path: &str, text: &Arc<Text>) -> Response {
    match path {
        "/metrics" => Response { status: "200 OK", content_type: CONTENT_TYPE, body: text() },
        "/healthz" => Response::plain("200 OK", "ok"),
        _ => Response::plain("404 Not Found", "try /metrics or /healthz"),
    }
}

/// One of the allowed connections; given back when dropped, also when a thread panics.
struct Slot {
    open: Arc<AtomicUsize>,
    number: usize,
}

impl Slot {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        Slot { number: open.fetch_add(1, Ordering::SeqCst) + 1, open: Arc::clone(open) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}
