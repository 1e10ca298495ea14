//! `System.Diagnostics.Process`: starting, watching and ending processes. A process handle is a waitable object that is
//! signalled when the process has ended.

use super::mono_io::report;
use super::{Thrown, icalls, managed, win32};
use crate::object::{Obj, array, string};
use crate::runtime;
use crate::threads::waitable::{self, WaitId, Waitable};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

icalls! {
    "System.Diagnostics.Process" {
        "CreateProcess_internal" => create(Obj, isize, isize, isize, *mut ProcInfo) -> bool;
        "ShellExecuteEx_internal" => shell_execute(Obj, *mut ProcInfo) -> bool;
        "GetProcess_internal" => open(i32) -> isize;
        "GetProcesses_internal" => list() -> Obj;
        "GetProcessData" => data(i32, i32, *mut i32) -> i64;
        "ProcessName_icall" => name(isize) -> Obj;
    }
    "Microsoft.Win32.NativeMethods" {
        "CloseProcess" => close(isize) -> bool;
        "GetCurrentProcess" => current() -> isize;
        "GetCurrentProcessId" => current_id() -> i32;
        "GetExitCodeProcess" => exit_code(isize, *mut i32) -> bool;
        "GetPriorityClass" => priority_class(isize) -> i32;
        "GetProcessTimes" => times(isize, *mut i64, *mut i64, *mut i64, *mut i64) -> bool;
        "TerminateProcess" => terminate(isize, i32) -> bool;
        "WaitForInputIdle" => wait_idle(isize, i32) -> i32;
    }
}

/// `Process.ProcInfo`
#[repr(C)]
struct ProcInfo {
    handle: isize,
    pid: i32,
    environment: Obj,
}

/// Exit code of a process that runs.
const STILL_ACTIVE: i32 = 259;
/// Added to the number of the signal that ended a process.
const SIGNALLED: i32 = 128;

/// Splits a command line as a shell would: blanks, quotes and backslashes, nothing else.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                if let Some(next) = chars.next() {
                    let w = word.get_or_insert_default();
                    if quote.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                        w.push('\\');
                    }
                    w.push(next);
                }
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn text(o: Obj) -> String {
    o.non_null().map(string::to_rust).unwrap_or_default()
}

/// A copy of a descriptor for the child.
fn stdio(fd: isize) -> std::io::Result<Stdio> {
    // SAFETY: takes numbers only.
    let copy = super::mono_io::check(unsafe { libc::fcntl(fd as i32, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: the copy is ours.
    Ok(Stdio::from(unsafe { OwnedFd::from_raw_fd(copy) }))
}

/// The command that a `ProcessStartInfo` describes.
fn command(info: Obj, environment: Obj) -> Command {
    let rt = runtime::get();
    let field = |name| text(rt.get_field(info, name));
    let mut command = Command::new(field("fileName"));
    command.args(split(&field("arguments")));
    let folder = field("directory");
    if !folder.is_empty() {
        command.current_dir(folder);
    }
    if let Some(list) = environment.non_null() {
        command.env_clear();
        for n in 0..array::len(list) {
            let entry = text(array::get(list, n));
            if let Some((name, value)) = entry.split_once('=') {
                command.env(name, value);
            }
        }
    }
    command
}

/// Starts a command and a thread that waits for its end.
fn launch(mut command: Command) -> std::io::Result<(WaitId, i32)> {
    let mut child = crate::threads::blocking(|| command.spawn())?;
    let pid = child.id() as i32;
    let what = Waitable::Process { pid, exit: None };
    let (id, _) = waitable::create(what, None).map_err(|_| win32::error(win32::NOT_SUPPORTED))?;
    std::thread::Builder::new().spawn(move || {
        let code = child.wait().map_or(-1, code_of);
        ended(id, code);
    })?;
    Ok((id, pid))
}

fn code_of(status: ExitStatus) -> i32 {
    let signal = status.signal().map(|s| SIGNALLED + s);
    status.code().or(signal).unwrap_or(-1)
}

fn ended(id: WaitId, code: i32) {
    waitable::update(id, |w| {
        if let Waitable::Process { exit, .. } = w {
            *exit = Some(code);
        }
    });
}

fn start(info: Obj, streams: [isize; 3], out: *mut ProcInfo) -> bool {
    // SAFETY: the address of the caller's structure.
    let out = unsafe { &mut *out };
    let mut error = win32::SUCCESS;
    let launched = (|| {
        let mut command = command(info, out.environment);
        let [stdin, stdout, stderr] = streams;
        command.stdin(stdio(stdin)?);
        command.stdout(stdio(stdout)?);
        command.stderr(stdio(stderr)?);
        launch(command).map(Some)
    })();
    match report(launched, None, &mut error) {
        Some((id, pid)) => {
            out.handle = id;
            out.pid = pid;
            true
        }
        None => {
            out.pid = -error;
            false
        }
    }
}

extern "C" fn create(
    info: Obj,
    stdin: isize,
    stdout: isize,
    stderr: isize,
    out: *mut ProcInfo,
) -> bool {
    start(info, [stdin, stdout, stderr], out)
}

extern "C" fn shell_execute(info: Obj, out: *mut ProcInfo) -> bool {
    start(info, [0, 1, 2], out)
}

/// The process behind a handle.
pub(super) fn pid_of(handle: isize) -> Option<i32> {
    let found = waitable::update(handle, |w| match w {
        Waitable::Process { pid, .. } => Some(*pid),
        _ => None,
    });
    found.flatten()
}

extern "C" fn open(pid: i32) -> isize {
    let Some(number) = rustix::process::Pid::from_raw(pid) else {
        return 0;
    };
    let flags = rustix::process::PidfdFlags::empty();
    let Ok(watched) = rustix::process::pidfd_open(number, flags) else {
        return 0;
    };
    let Ok((id, _)) = waitable::create(Waitable::Process { pid, exit: None }, None) else {
        return 0;
    };
    if pid != current_id() {
        // Without the thread the end goes unnoticed, which is all that can be done then.
        let _ = std::thread::Builder::new().spawn(move || {
            use rustix::event::{PollFd, PollFlags, poll};
            let mut fds = [PollFd::new(&watched, PollFlags::IN)];
            while let Err(rustix::io::Errno::INTR) = poll(&mut fds, None) {}
            ended(id, -1);
        });
    }
    id
}

extern "C" fn current() -> isize {
    open(current_id())
}

extern "C" fn current_id() -> i32 {
    std::process::id() as i32
}

extern "C" fn list() -> Obj {
    managed(|| {
        let rt = runtime::get();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids: Vec<i32> = entries
            .filter_map(|e| e.file_name().to_string_lossy().parse().ok())
            .collect();
        let int = rt.types.known(shared_codegen::types::Known::Int32);
        let ints = array::allocate(rt.method_table(rt.types.sz_array(int))?, pids.len())?;
        array::as_mut_slice::<i32>(ints).copy_from_slice(&pids);
        Ok(ints)
    })
}

/// A line of `/proc/<pid>/status` in bytes (the file has KiB) or as a plain number.
fn status_number(pid: i32, name: &str) -> Option<i64> {
    let file = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = file.lines().find_map(|l| l.strip_prefix(name))?;
    let mut words = line.trim_start_matches(':').split_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    Some(number * if words.next() == Some("kB") { 1024 } else { 1 })
}

/// Numbers of `/proc/<pid>/stat` behind the name: index 0 is field 4, the parent.
fn stat_number(pid: i32, field: usize) -> Option<i64> {
    let file = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = file.rsplit_once(')')?;
    // The first word is field 3.
    rest.split_whitespace().nth(field - 3)?.parse().ok()
}

/// Units of 100 ns in a clock tick of `/proc`.
fn per_tick() -> i64 {
    10_000_000 / rustix::param::clock_ticks_per_second().max(1) as i64
}

const STAT_USER: usize = 14;
const STAT_KERNEL: usize = 15;
const STAT_START: usize = 22;

extern "C" fn data(pid: i32, what: i32, error: *mut i32) -> i64 {
    let time = |field| stat_number(pid, field).map(|t| t * per_tick());
    let value = match what {
        0 => status_number(pid, "Threads"),
        1 => time(STAT_USER),
        2 => time(STAT_KERNEL),
        3 => time(STAT_USER).zip(time(STAT_KERNEL)).map(|(a, b)| a + b),
        4 => status_number(pid, "VmRSS"),
        5 => status_number(pid, "VmHWM"),
        6 => status_number(pid, "VmData"),
        7 => status_number(pid, "VmSize"),
        8 => status_number(pid, "VmPeak"),
        9 => stat_number(pid, 10),
        11 => stat_number(pid, 4),
        12 => status_number(pid, "VmSwap"),
        _ => None,
    };
    // SAFETY: the address of the caller's `out` variable.
    unsafe { error.write(value.is_none().into()) };
    value.unwrap_or(0)
}

extern "C" fn name(handle: isize) -> Obj {
    managed(|| {
        let pid = pid_of(handle).ok_or_else(|| not_running("no process"))?;
        let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        match comm {
            Ok(name) => string::from_rust(name.trim_end()),
            Err(_) => Ok(Obj::NULL),
        }
    })
}

fn not_running(text: &'static str) -> Thrown {
    Thrown::system("InvalidOperationException", text)
}

extern "C" fn close(handle: isize) -> bool {
    waitable::close(handle);
    true
}

extern "C" fn exit_code(handle: isize, code: *mut i32) -> bool {
    let found = waitable::update(handle, |w| match w {
        Waitable::Process { exit, .. } => Some(exit.unwrap_or(STILL_ACTIVE)),
        _ => None,
    });
    let found = found.flatten();
    // SAFETY: the address of the caller's `out` variable.
    unsafe { code.write(found.unwrap_or(0)) };
    found.is_some()
}

extern "C" fn priority_class(_handle: isize) -> i32 {
    /// `ProcessPriorityClass.Normal`
    const NORMAL: i32 = 0x20;
    NORMAL
}

extern "C" fn times(
    handle: isize,
    creation: *mut i64,
    exit: *mut i64,
    kernel: *mut i64,
    user: *mut i64,
) -> bool {
    let pid = pid_of(handle);
    let time = |field| pid.and_then(|p| stat_number(p, field)).unwrap_or(0) * per_tick();
    let boot = || -> Option<i64> {
        let file = std::fs::read_to_string("/proc/stat").ok()?;
        let line = file.lines().find_map(|l| l.strip_prefix("btime "))?;
        line.trim().parse().ok()
    };
    let started = super::clock::EPOCH_TICKS + boot().unwrap_or(0) * 10_000_000 + time(STAT_START);
    // SAFETY: addresses of the caller's `out` variables.
    unsafe {
        creation.write(started);
        exit.write(0);
        kernel.write(time(STAT_KERNEL));
        user.write(time(STAT_USER));
    }
    pid.is_some()
}

extern "C" fn terminate(handle: isize, _code: i32) -> bool {
    let Some(pid) = pid_of(handle) else {
        return false;
    };
    // SAFETY: takes numbers only.
    unsafe { libc::kill(pid, libc::SIGKILL) == 0 }
}

extern "C" fn wait_idle(_handle: isize, _milliseconds: i32) -> i32 {
    0
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn command_lines_split_like_a_shell() {
        assert_eq!(
            split(r#"a  "b c" d\ e 'f\g' """#),
            ["a", "b c", "d e", r"f\g", ""]
        );
        assert_eq!(split(r#""x\"y""#), [r#"x"y"#]);
        assert!(split("  ").is_empty());
    }
}
