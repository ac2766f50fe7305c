//! How far the bytes of one image are: one counter for all of its blobs, told in steps.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{BlobOutcome, Direction, Event, Events};
use crate::oci::Digest;

/// Bytes between two events.
const STEP: u64 = 2 * 1024 * 1024;

/// Counts the bytes of one image.
#[derive(Debug)]
pub(super) struct Progress {
    events: Events,
    image: String,
    direction: Direction,
    total: AtomicU64,
    bytes: AtomicU64,
    told: AtomicU64,
}

impl Progress {
    /// Begins with nothing of `total`.
    pub fn new(events: &Events, image: &str, direction: Direction, total: u64) -> Self {
        let (events, image) = (events.clone(), image.to_owned());
        let (bytes, told) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { events, image, direction, total: AtomicU64::new(total), bytes, told }
    }

    /// Bytes have moved.
    pub fn forward(&self, count: u64) {
        let bytes = self.bytes.fetch_add(count, Ordering::Relaxed) + count;
        if bytes >= self.told.load(Ordering::Relaxed) + STEP || bytes == self.total.load(Ordering::Relaxed) {
            self.tell(bytes);
        }
    }

    /// Bytes have moved in vain.
    pub fn back(&self, count: u64) {
        if count > 0 {
            self.tell(self.bytes.fetch_sub(count, Ordering::Relaxed).saturating_sub(count));
        }
    }

    /// A blob is where it shall be. Bytes that did not have to move are no part of the total any more.
    pub fn blob(&self, digest: &Digest, bytes: u64, outcome: BlobOutcome) {
        if outcome != BlobOutcome::Copied {
            let total = self.total.fetch_sub(bytes, Ordering::Relaxed) - bytes;
            let moved = self.bytes.load(Ordering::Relaxed);
            if moved == total && moved > 0 {
                self.tell(moved);
            }
        }
        let (image, direction, digest) = (self.image.clone(), self.direction, digest.clone());
        self.events.emit(Event::Blob { image, direction, digest, bytes, outcome });
    }

    fn tell(&self, bytes: u64) {
        self.told.store(bytes, Ordering::Relaxed);
        let (image, direction) = (self.image.clone(), self.direction);
        self.events.emit(Event::Transfer { image, direction, bytes, total: self.total.load(Ordering::Relaxed) });
    }
}
