//! A real terminal: tmux draws into it, and tells what is on its screen.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bpfvar_testkit::host;
use tempfile::TempDir;

use crate::support::text;

/// A screen may take so long to become what it is waited for: other tests keep the machine busy.
const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
const PROMPT: &str = "ready> ";

/// A terminal with a shell in it. Dropping it ends both.
pub(crate) struct Terminal {
    /// Of its own: tmux leaves its socket behind.
    directory: TempDir,
}

impl Terminal {
    /// Starts a shell in a terminal of this size, or says that there is no tmux.
    #[track_caller]
    pub(crate) fn open(width: u16, height: u16) -> Option<Terminal> {
        if !host::has_tool("tmux") || !host::has_tool("bash") {
            return None;
        }
        let terminal = Terminal { directory: tempfile::tempdir().expect("a directory") };
        let (width, height) = (width.to_string(), height.to_string());
        let shell = format!("env -u NO_COLOR -u CLICOLOR -u COLUMNS PS1='{PROMPT}' bash --norc --noprofile");
        terminal.tmux(&["new-session", "-d", "-x", &width, "-y", &height, &shell]);
        terminal.wait("a prompt", |screen| screen.contains(PROMPT.trim_end()));
        Some(terminal)
    }

    /// The same, with the tool running in it.
    #[track_caller]
    pub(crate) fn run(width: u16, height: u16, arguments: &[&str]) -> Option<Terminal> {
        let terminal = Terminal::open(width, height)?;
        terminal.start(arguments);
        Some(terminal)
    }

    /// Types the command that starts the tool, and waits until it has drawn.
    #[track_caller]
    pub(crate) fn start(&self, arguments: &[&str]) {
        self.line(&format!("{} {}", env!("CARGO_BIN_EXE_bpfvar"), arguments.join(" ")));
        self.has(&["VALUE"]);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.directory.path().join("socket")).args(["-f", "/dev/null"]).args(arguments);
        command
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("tmux can be run");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// Types a line.
    pub(crate) fn line(&self, line: &str) {
        self.write(line);
        self.keys(&["Enter"]);
    }

    /// Types characters; or sends what a terminal sends for the mouse.
    pub(crate) fn write(&self, characters: &str) {
        self.tmux(&["send-keys", "-l", "--", characters]);
    }

    /// Presses keys, by the names that tmux has for them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        keys.iter().for_each(|key| drop(self.tmux(&["send-keys", key])));
    }

    pub(crate) fn resize(&self, width: u16, height: u16) {
        self.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// Sends a signal to the program that the shell runs.
    pub(crate) fn signal(&self, signal: &str) {
        let shell = self.knows("#{pane_pid}");
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("/proc tells");
        let child = children.split_whitespace().next().expect("a program runs");
        assert!(Command::new("kill").args([&format!("-{signal}"), child]).status().expect("it can be run").success());
    }

    /// Clicks with the mouse on a cell, counted from 0.
    pub(crate) fn click(&self, x: u16, y: u16) {
        self.write(&format!("\x1b[<0;{0};{1}M\x1b[<0;{0};{1}m", x + 1, y + 1));
    }

    /// What is on the screen, a line each.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The same with colours and other escapes.
    pub(crate) fn colored(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Something that tmux knows of the terminal, such as `#{alternate_on}`.
    pub(crate) fn knows(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).trim().to_owned()
    }

    /// Waits until the screen is as wanted, and returns it.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "no {what} on the screen:\n{screen}");
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Waits until all of some parts are on the screen.
    #[track_caller]
    pub(crate) fn has(&self, parts: &[&str]) -> String {
        self.wait(&format!("{parts:?}"), |screen| parts.iter().all(|part| screen.contains(part)))
    }

    /// Waits until a text is on the screen, wherever its lines are broken.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        let words = |screen: &str| screen.split_whitespace().collect::<Vec<_>>().join(" ");
        self.wait(&format!("{text:?}"), |screen| words(screen).contains(text));
    }

    /// Waits until a line has all of some parts, and returns the number of that line.
    #[track_caller]
    pub(crate) fn row(&self, parts: &[&str]) -> u16 {
        let is_it = |line: &&str| parts.iter().all(|part| line.contains(part));
        let screen = self.wait(&format!("line with {parts:?}"), |screen| screen.lines().any(|line| is_it(&line)));
        screen.lines().position(|line| is_it(&line)).expect("it was there") as u16
    }

    /// Waits until none of some parts is on the screen.
    #[track_caller]
    pub(crate) fn lacks(&self, parts: &[&str]) -> String {
        self.wait(&format!("end of {parts:?}"), |screen| !parts.iter().any(|part| screen.contains(part)))
    }

    /// Waits for the shell's prompt in a terminal that is as it was before the tool ran.
    #[track_caller]
    pub(crate) fn is_given_back(&self) {
        self.wait("prompt", |screen| screen.trim_end().ends_with(PROMPT.trim_end()));
        let state = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let end = Instant::now() + PATIENCE;
        while self.knows(state) != "0 1 0" {
            assert!(Instant::now() < end, "alternate screen, cursor, mouse: {}", self.knows(state));
            thread::sleep(BETWEEN_LOOKS);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended if its shell has.
        drop(self.command(&["kill-server"]).output());
    }
}
