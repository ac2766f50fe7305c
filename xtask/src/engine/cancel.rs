//! Ctrl-C as a value that can be cloned, set once, and waited for.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::watch;

/// Says that the work shall stop. All clones are the same switch; it never goes back.
#[derive(Debug, Clone)]
pub struct Cancel {
    switch: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { switch: Arc::new(watch::Sender::new(false)) }
    }
}

impl Cancel {
    /// A switch that nobody has set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everybody who holds a clone to stop.
    pub fn cancel(&self) {
        self.switch.send_replace(true);
    }

    /// True once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        *self.switch.borrow()
    }

    /// Waits for [`Cancel::cancel`].
    pub async fn cancelled(&self) {
        // The sender lives in `self`, so that the channel cannot close while we wait.
        let _ = self.switch.subscribe().wait_for(|set| *set).await;
    }

    /// Waits for Ctrl-C (or a polite request to end, where the system has one) and sets the switch. Never returns after
    /// that, so that it can stand beside the work in a `select!`.
    pub async fn on_interrupt(&self) -> Infallible {
        wait_for_signal().await;
        self.cancel();
        std::future::pending().await
    }
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_switch() {
        let cancel = Cancel::new();
        let clone = cancel.clone();
        assert!(!cancel.is_cancelled());
        clone.cancel();
        assert!(cancel.is_cancelled());
        crate::engine::block_on(cancel.cancelled()).unwrap();
    }
}
