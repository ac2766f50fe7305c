//! The door between the synchronous program and the engine.

use std::io;
use std::time::Duration;

/// How long a thread that still reads a file may keep the program from ending.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a future to its end on this thread.
///
/// Everything that the future has spawned (connections, sessions) is dropped before this returns.
///
/// # Errors
/// When the system gives no event queue.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(GRACE);
    Ok(output)
}
