//! Bodies between files and connections, in constant memory, and the threads for that.
//!
//! What is sent is read by a thread and waits in a short queue for its connection. What is fetched comes by a thread of its own.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use camino::Utf8PathBuf;
use fs_err::File;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use super::progress::Progress;
use super::trouble::Trouble;

/// Bytes that are read at once. Large, because each piece costs the same whatever its size.
const PIECE: usize = 256 * 1024;
/// Pieces that may wait for the other side.
const QUEUE: usize = 3;

/// A part of a file, as the body of a request.
#[derive(Debug, Clone)]
pub(super) struct FilePart {
    pub path: Utf8PathBuf,
    pub offset: u64,
    pub length: u64,
    /// Bytes that the connection has taken in this attempt.
    moved: Arc<AtomicU64>,
    progress: Arc<Progress>,
}

impl FilePart {
    pub fn new(path: Utf8PathBuf, offset: u64, length: u64, progress: Arc<Progress>) -> Self {
        Self { path, offset, length, moved: Arc::default(), progress }
    }

    pub fn moved(&self) -> &AtomicU64 {
        &self.moved
    }

    /// What was sent was sent in vain.
    pub fn take_back(&self) {
        self.progress.back(self.moved.swap(0, Ordering::Relaxed));
    }

    /// The body, from its beginning.
    pub fn body(&self) -> Result<reqwest::Body, Trouble> {
        let trouble = |error| Trouble::disk(format!("read {}", self.path), error);
        let mut file = File::open(&self.path).map_err(trouble)?;
        let there = file.metadata().map_err(trouble)?.len();
        if there < self.offset + self.length {
            let subject = self.path.to_string();
            return Err(Trouble::Size { subject, expected: self.offset + self.length, actual: there.to_string() });
        }
        file.seek(SeekFrom::Start(self.offset)).map_err(trouble)?;
        // what was sent before the registry asked for an account has to be sent again
        self.take_back();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let length = self.length;
        spawn_blocking(move || read_pieces(file, length, &sender));
        let (moved, progress) = (Arc::clone(&self.moved), Arc::clone(&self.progress));
        let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        Ok(reqwest::Body::wrap_stream(pieces.inspect(move |piece: &std::io::Result<Bytes>| {
            if let Ok(piece) = piece {
                moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
                progress.forward(piece.len() as u64);
            }
        })))
    }
}

/// Reads until the end, or until nobody listens.
fn read_pieces(mut file: File, mut left: u64, sender: &mpsc::Sender<std::io::Result<Bytes>>) {
    while left > 0 {
        let mut piece = Vec::with_capacity(PIECE);
        let size = left.min(PIECE as u64);
        let read = std::io::Read::by_ref(&mut file).take(size).read_to_end(&mut piece);
        let read = match read {
            Ok(read) if read as u64 == size => Ok(Bytes::from(piece)),
            Ok(_) => Err(std::io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.blocking_send(read).is_err() || failed {
            return;
        }
        left -= size;
    }
}

/// Runs a future on a thread of its own, with connections of its own; it ends when this is dropped.
///
/// What is fetched is read, hashed and written by one thread while it is in the caches of one processor; blobs that travel
/// together use several.
pub(super) async fn apart<T, F>(work: impl FnOnce() -> F + Send + 'static) -> std::io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (_held, dropped) = oneshot::channel::<()>();
    let thread = spawn_blocking(move || {
        crate::engine::block_on(async {
            tokio::select! {
                output = work() => Some(output),
                _ = dropped => None,
            }
        })
    });
    let output = thread.await.map_err(std::io::Error::other)??;
    output.ok_or_else(|| std::io::ErrorKind::Interrupted.into())
}
