//! Programs in a terminal: a test types at a pseudoterminal and reads what the program shows there.

mod support;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/terminal",
    mcs: &[],
};

/// How long the program may take for one step.
const PATIENCE: Duration = Duration::from_secs(60);

struct Session {
    keyboard: File,
    /// Kept open, so that the terminal's attributes can be asked for at the end.
    terminal: OwnedFd,
    shown: Receiver<Vec<u8>>,
    screen: String,
    child: Child,
}

fn window(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Session {
    /// Starts a program in a new terminal of 80 by 24.
    fn start(name: &str, args: &[&str]) -> Session {
        let exe = SUITE.compiled(name);
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudoterminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it can be opened");
        let path = ptsname(&master, Vec::new()).expect("it has a name");
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .open(path.to_str().expect("ASCII"))
        };
        let terminal = open().expect("the other end opens");
        tcsetwinsize(&terminal, window(80, 24)).expect("it has a size");
        let same = || terminal.try_clone().expect("a copy");
        // `setsid -c` makes it the controlling terminal, so that typing Ctrl+C sends the signal.
        let child = Command::new("setsid")
            .args(["-c", "-w", env!("CARGO_BIN_EXE_aotrun")])
            .arg(&exe)
            .args(args)
            .env("TERM", "xterm")
            .stdin(same())
            .stdout(same())
            .stderr(same())
            .spawn()
            .expect("setsid starts");
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().expect("a copy");
        let (tell, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = screen.read(&mut buffer) {
                if n == 0 || tell.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Session {
            keyboard,
            terminal: OwnedFd::from(terminal),
            shown,
            screen: String::new(),
            child,
        }
    }

    /// Waits until the program shows a text; forgets all before it.
    fn expect(&mut self, text: &str) {
        let limit = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.screen.find(text) {
                self.screen.drain(..at + text.len());
                return;
            }
            let left = limit.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.screen += &String::from_utf8_lossy(&bytes),
                Err(e) => panic!("no {text:?} ({e}) in {:?}", self.screen),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Has the terminal its usual attributes?
    fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.terminal)
            .expect("it is a terminal")
            .local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

/// Until the program has got its Ctrl+C.
fn dialogue(args: &[&str]) -> Session {
    let mut s = Session::start("keys", args);
    s.expect("\x1b[31mred\x1b[39;49m");
    s.expect("size 80x24\r\n");
    s.expect("key?");
    assert!(!s.is_cooked(), "the program reads keys one by one");
    s.press("a");
    s.expect("A 97 0\r\n");
    s.expect("arrow?");
    s.press("\x1bOA");
    s.expect("UpArrow 0 0\r\n");
    s.expect("line?");
    s.press("hello\r");
    s.expect("got [hello]");
    s.expect("resize?");
    tcsetwinsize(&s.terminal, window(100, 30)).expect("it can be resized");
    s.expect("size 100x30");
    s.expect("interrupt?");
    s.press("\x03");
    s.expect("cancel ControlC 1");
    s.expect("True");
    s
}

#[test]
fn keys_sizes_and_interrupts_reach_the_program() {
    let mut s = dialogue(&[]);
    s.expect("end");
    // The terminal's teardown sequence.
    s.expect("\x1b[?1l\x1b>");
    assert_eq!(s.wait().code(), Some(0));
    assert!(s.is_cooked());
}

#[test]
fn an_interrupt_nobody_cancels_ends_the_program() {
    let mut s = dialogue(&["again"]);
    s.expect("again?");
    s.press("\x03");
    s.expect("cancel ControlC 2");
    s.expect("\x1b[?1l\x1b>");
    assert_eq!(s.wait().code(), Some(58));
    assert!(s.is_cooked());
}

#[test]
fn a_signal_that_ends_the_program_leaves_the_terminal_as_it_was() {
    let mut s = dialogue(&["again"]);
    s.expect("again?");
    let group = rustix::termios::tcgetpgrp(&s.keyboard).expect("it has a foreground process");
    rustix::process::kill_process_group(group, rustix::process::Signal::TERM).expect("it is ours");
    s.expect("\x1b[?1l\x1b>");
    s.wait();
    assert!(s.is_cooked());
}
