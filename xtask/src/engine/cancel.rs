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

    /// Sets the switch on Ctrl-C, or a polite request to end, and then calls `then`, also when nobody waits for it: for a
    /// program that goes on between builds. Signals are heard when this returns.
    ///
    /// # Errors
    /// The system gives no thread or no event queue.
    pub fn always_on_interrupt(&self, then: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let (heard, ready) = std::sync::mpsc::channel();
        let cancel = self.clone();
        let listen = async move {
            let mut signal = std::pin::pin!(wait_for_signal());
            // the first look at it is what registers it
            let begun = std::future::poll_fn(|context| std::task::Poll::Ready(signal.as_mut().poll(context))).await;
            _ = heard.send(());
            if begun.is_pending() {
                signal.await;
            }
            cancel.cancel();
            then();
        };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        let thread = thread.spawn(move || super::block_on(listen))?;
        // without a message the thread has ended, and says why
        match ready.recv() {
            Ok(()) => Ok(()),
            Err(_) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        }
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
