//! The terminal: taken over, and given back in whatever way it ends.

use std::io::{self, BufWriter, Stdout};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

/// The terminal while the tool draws on all of it. Dropping it gives it back.
pub(super) struct Screen {
    terminal: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal over. A panic gives it back before it is told.
    pub(super) fn enter() -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let tell = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                // Nothing can be done about it, and the panic is to be told.
                let _ = give_back();
                tell(info);
            }));
        });
        take_over()?;
        let terminal = ratatui::Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stdout())));
        // What fails gives back what was taken.
        terminal.map(|terminal| Screen { terminal }).inspect_err(|_| drop(give_back()))
    }

    /// Draws what is new.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(drop)
    }

    /// Stops the process as Ctrl-Z does, with the terminal given back meanwhile.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back()?;
        emulate_default_handler(SIGTSTP)?;
        self.resume()
    }

    /// Takes the terminal over again, whatever was done to it since.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        disable_raw_mode()?;
        take_over()?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone, and then there is nothing to give back.
        let _ = give_back();
    }
}

/// Whether the terminal is taken. It is given back once: some terminals move the cursor when they are told to leave a screen that
/// they are not on.
static TAKEN: AtomicBool = AtomicBool::new(false);

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Relaxed);
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return Ok(());
    }
    // Also if the modes of the terminal cannot be set.
    let left = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    disable_raw_mode().and(left)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;
    use std::time::{Duration, Instant};

    use bpfvar_testkit::host;

    use super::*;

    #[test]
    fn a_panic_gives_the_terminal_back_and_is_told() {
        if host::argument().is_some() {
            let _screen = Screen::enter().unwrap();
            panic!("on purpose");
        }
        if !host::has_tool("tmux") {
            return;
        }
        // tmux leaves its socket behind.
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let tmux = |arguments: &[&str]| {
            let output =
                Command::new("tmux").arg("-S").arg(&socket).args(["-f", "/dev/null"]).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        // This test in a terminal, and what the terminal is like then.
        let again = host::this_test_command("panic");
        let words: Vec<&str> = again.get_args().map(|word| word.to_str().unwrap()).collect();
        let program = again.get_program().to_str().unwrap();
        let line =
            format!("BPFVAR_TEST_ARGUMENT=panic {program} {}; stty -a; echo the-end; sleep 600", words.join(" "));
        tmux(&["new-session", "-d", "-x", "120", "-y", "60", &line]);
        let end = Instant::now() + Duration::from_secs(90);
        let mut screen = String::new();
        while !screen.contains("the-end") && Instant::now() < end {
            thread::sleep(Duration::from_millis(50));
            screen = tmux(&["capture-pane", "-p"]);
        }
        let state = tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"]);
        tmux(&["kill-server"]);
        assert!(screen.contains("panicked at") && screen.contains("on purpose"), "{screen}");
        assert!(screen.contains(" icanon ") && screen.contains(" echo "), "{screen}");
        assert_eq!(state.trim(), "0 1 0", "{screen}");
    }
}
