//! The tar stream as the body of a request: written by a thread that reads files, taken by the connection, and never
//! more than [`DEPTH`] chunks of it in memory.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{Stream, poll_fn};
use tokio::sync::mpsc;

use super::tar::{self, TarError};
use crate::engine::{EngineError, Event, Events, Job};

/// Bytes per chunk.
const CHUNK: usize = 128 * 1024;
/// Chunks between the thread and the connection.
pub(super) const DEPTH: usize = 4;
/// A `Sending` event after so many bytes.
const REPORT_EVERY: u64 = 4 * 1024 * 1024;

/// What went wrong on the sending side, kept for the moment when the request fails because of it.
#[derive(Debug, Clone, Default)]
pub(super) struct SendFailure {
    slot: Arc<Mutex<Option<EngineError>>>,
}

impl SendFailure {
    /// Takes the failure out, if there was one.
    pub(super) fn take(&self) -> Option<EngineError> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: EngineError) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Starts the thread. An error ends the stream with an error, so that the daemon sees a broken request and never a
/// complete archive with wrong content.
pub(super) fn stream(
    job: &Job,
    events: &Events,
) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<>, SendFailure) {
    let (sender, mut receiver) = mpsc::channel(DEPTH);
    let failure = SendFailure::default();
    let (job, events, slot) = (job.clone(), events.clone(), failure.clone());
    tokio::task::spawn_blocking(move || send(&job, &events, &sender, &slot));
    (poll_fn(move |cx| receiver.poll_recv(cx)), failure)
}

fn send(job: &Job, events: &Events, sender: &mpsc::Sender<io::Result<Bytes>>, failure: &SendFailure) {
    let progress = Progress { image: &job.image, events, bytes: Cell::new(0), files: Cell::new(0), told: Cell::new(0) };
    let chunks = Chunks::new(sender);
    let out = Counted { inner: chunks, progress: &progress };
    let mut on_file = || progress.files.set(progress.files.get() + 1);
    match tar::write(out, &job.dockerfile, &job.context, &mut on_file) {
        Ok(()) => progress.tell(),
        Err(TarError::File { path, detail }) => fail(sender, failure, EngineError::Context { path, detail }),
        Err(TarError::Stream(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(TarError::Stream(error)) => {
            let action = format!("send the build context of {}", job.image);
            fail(sender, failure, EngineError::Other { action, message: error.to_string() });
        }
    }
}

/// Keeps the cause first, then breaks the request, so that whoever sees the break finds the cause.
fn fail(sender: &mpsc::Sender<io::Result<Bytes>>, failure: &SendFailure, error: EngineError) {
    failure.set(error);
    let _ = sender.blocking_send(Err(io::Error::other("the build context is incomplete")));
}

/// How much has been sent, shared by the writer, which sees bytes, and the archive, which sees files.
struct Progress<'a> {
    image: &'a str,
    events: &'a Events,
    bytes: Cell<u64>,
    files: Cell<u64>,
    told: Cell<u64>,
}

impl Progress<'_> {
    fn add(&self, count: usize) {
        self.bytes.set(self.bytes.get() + count as u64);
        if self.bytes.get() - self.told.get() >= REPORT_EVERY {
            self.tell();
        }
    }

    fn tell(&self) {
        let (image, bytes, files) = (self.image.to_owned(), self.bytes.get(), self.files.get());
        self.told.set(bytes);
        self.events.emit(Event::Sending { image, bytes, files });
    }
}

/// Counts what goes through.
struct Counted<'a, W> {
    inner: W,
    progress: &'a Progress<'a>,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.progress.add(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Collects bytes into chunks and waits while the connection is slower than the disk.
pub(super) struct Chunks<'a> {
    sender: &'a mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(sender: &'a mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { sender, buffer: Vec::with_capacity(CHUNK) }
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender.blocking_send(Ok(chunk.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
