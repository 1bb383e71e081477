//! What happens outside: keys, the mouse, the terminal's size, signals. All of it in one queue.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use ratatui::crossterm::event::{self, Event};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

/// Something that happened.
pub(super) enum Happening {
    Input(Event),
    Signal(i32),
    /// The terminal cannot be read any more.
    Lost,
}

/// Catches signals from now on.
pub(super) fn signals() -> io::Result<Signals> {
    Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])
}

/// Listens from now on.
pub(super) fn listen(mut signals: Signals) -> Receiver<Happening> {
    let (sender, receiver) = mpsc::channel();
    let of_signals = sender.clone();
    thread::spawn(move || signals.forever().try_for_each(|signal| of_signals.send(Happening::Signal(signal))));
    let of_terminal = Reader(sender);
    thread::spawn(move || of_terminal.read());
    receiver
}

/// Reads the terminal. However that ends, it is told.
struct Reader(Sender<Happening>);

impl Reader {
    fn read(&self) {
        loop {
            match event::read() {
                Ok(event) => {
                    if self.0.send(Happening::Input(event)).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Nobody listens where the tool ends anyway.
        let _ = self.0.send(Happening::Lost);
    }
}
