//! What the user, or the service manager, asks of a command that runs on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::error::{Failure, Result};

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGINT or SIGTERM.
    End,
    /// SIGHUP.
    Reload,
}

/// Tells when to end, and with `reload` when to read files again; without it SIGHUP ends the process, as always. A second signal
/// that asks to end ends the process at once, should something hang.
pub(crate) fn listen(reload: bool) -> Result<Receiver<Asked>> {
    let failed = |error: io::Error| Failure::new(format!("signals cannot be handled: {error}"));
    let once = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, once.clone()).map_err(failed)?;
        flag::register(signal, once.clone()).map_err(failed)?;
    }
    let all = [SIGINT, SIGTERM, SIGHUP];
    let mut signals = Signals::new(if reload { &all[..] } else { &all[..2] }).map_err(failed)?;
    let (sender, receiver) = mpsc::channel();
    let asked = |signal| if signal == SIGHUP { Asked::Reload } else { Asked::End };
    thread::spawn(move || signals.forever().try_for_each(|signal| sender.send(asked(signal))));
    Ok(receiver)
}
