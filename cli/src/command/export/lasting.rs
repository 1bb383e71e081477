//! What goes on until the process is told to end.

use std::future::Future;
use std::io;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Failure, Result};

/// Runs a future on this thread.
pub(super) fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let failed = |error: io::Error| Failure::new(format!("waiting for events cannot be set up: {error}"));
    runtime.map_err(failed)?.block_on(work)
}

/// Waits for SIGINT and SIGTERM.
pub(super) struct Ended {
    interrupt: Signal,
    terminate: Signal,
}

impl Ended {
    /// From here on the signals do not end the process. To be called while a runtime runs.
    pub(super) fn new() -> Result<Ended> {
        let handle = |kind| {
            let failed = |error: io::Error| Failure::new(format!("signals cannot be handled: {error}"));
            signal(kind).map_err(failed)
        };
        Ok(Ended { interrupt: handle(SignalKind::interrupt())?, terminate: handle(SignalKind::terminate())? })
    }

    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
