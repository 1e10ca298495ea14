//! `System.Environment` and its relatives.

use super::services::machine_config_path;
use super::{icalls, managed};
use crate::object::{Obj, string};
use crate::runtime::{self, boot};
use core::sync::atomic::{AtomicI32, Ordering};
use std::path::Path;
use std::sync::OnceLock;

icalls! {
    "System.Environment" {
        "GetNewLine" => get_new_line() -> Obj;
        "get_Platform" => get_platform() -> i32;
        "internalGetEnvironmentVariable_native" => get_variable(*const core::ffi::c_char) -> Obj;
        "get_ExitCode" => get_exit_code() -> i32;
        "set_ExitCode" => set_exit_code(i32);
        "Exit" => exit(i32);
        "get_TickCount" => tick_count() -> i32;
        "get_ProcessorCount" => processor_count() -> i32;
        "get_HasShutdownStarted" => shutdown_started() -> bool;
        "FailFast" => fail_fast(Obj, Obj, Obj);
        "GetCommandLineArgs" => command_line() -> Obj;
        "GetEnvironmentVariableNames" => variable_names() -> Obj;
        "GetIs64BitOperatingSystem" => is_64_bit() -> bool;
        "GetLogicalDrivesInternal" => logical_drives() -> Obj;
        "GetMachineConfigPath" => machine_config_path() -> Obj;
        "GetOSVersionString" => os_version() -> Obj;
        "GetPageSize" => page_size() -> i32;
        "GetWindowsFolderPath" => windows_folder(i32) -> Obj;
        "InternalSetEnvironmentVariable" => set_variable(*const u16, i32, *const u16, i32);
        "get_MachineName" => machine_name() -> Obj;
        "get_UserName" => user_name() -> Obj;
        "get_bundled_machine_config" => no_text() -> Obj;
        "internalBroadcastSettingChange" => broadcast();
        "internalGetGacPath" => library_folder() -> Obj;
        "internalGetHome" => home() -> Obj;
    }
    "System.Runtime.InteropServices.RuntimeInformation" {
        "GetOSName" => os_name() -> Obj;
        "GetRuntimeArchitecture" => architecture() -> Obj;
    }
}

static EXIT_CODE: AtomicI32 = AtomicI32::new(0);

/// What `Main` without result ends with.
pub fn exit_code() -> i32 {
    EXIT_CODE.load(Ordering::Relaxed)
}

extern "C" fn get_new_line() -> Obj {
    managed(|| string::from_rust("\n"))
}

/// `PlatformID.Unix`
const UNIX: i32 = 4;

extern "C" fn get_platform() -> i32 {
    UNIX
}

extern "C" fn get_variable(name: *const core::ffi::c_char) -> Obj {
    managed(|| {
        // SAFETY: managed code passes a NUL-terminated UTF-8 name.
        let name = unsafe { core::ffi::CStr::from_ptr(name) };
        match std::env::var_os(name.to_string_lossy().as_ref()) {
            Some(value) => string::from_rust(&value.to_string_lossy()),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn get_exit_code() -> i32 {
    exit_code()
}

/// Sets what the process ends with unless it is changed again.
pub extern "C" fn set_exit_code(code: i32) {
    EXIT_CODE.store(code, Ordering::Relaxed);
}

extern "C" fn exit(code: i32) {
    runtime::exit::shut_down(runtime::get(), code);
}

extern "C" fn tick_count() -> i32 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as i32
}

extern "C" fn processor_count() -> i32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as i32)
}

extern "C" fn shutdown_started() -> bool {
    runtime::exit::is_shutting_down()
}

/// The folder that has `mono/gac`.
extern "C" fn library_folder() -> Obj {
    managed(|| string::from_rust("/usr/lib"))
}

extern "C" fn no_text() -> Obj {
    Obj::NULL
}

extern "C" fn broadcast() {}

extern "C" fn fail_fast(message: Obj, _exception: Obj, _source: Obj) {
    match message.non_null() {
        Some(m) => eprintln!(
            "CLR: Managed code called FailFast, saying \"{}\"",
            string::to_rust(m)
        ),
        None => eprintln!("CLR: Managed code called FailFast without specifying a reason"),
    }
    super::terminal::restore();
    std::process::abort();
}

static PROGRAM: OnceLock<String> = OnceLock::new();
static ARGUMENTS: OnceLock<Vec<String>> = OnceLock::new();

/// Sets the first element of the command line: the program's path.
pub fn set_program(program: &Path) {
    // There is one program.
    let _ = PROGRAM.set(program.to_string_lossy().into_owned());
}

/// Sets the rest of the command line.
pub fn set_arguments(args: &[String]) {
    let _ = ARGUMENTS.set(args.to_vec());
}

fn strings(items: &[String]) -> Obj {
    managed(|| boot::string_array(runtime::get(), items))
}

extern "C" fn command_line() -> Obj {
    let program = PROGRAM.get().into_iter();
    let args = ARGUMENTS.get().into_iter().flatten();
    strings(&program.chain(args).cloned().collect::<Vec<_>>())
}

extern "C" fn variable_names() -> Obj {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    strings(&names.collect::<Vec<_>>())
}

extern "C" fn is_64_bit() -> bool {
    true
}

/// Mount points of file systems with files.
extern "C" fn logical_drives() -> Obj {
    let table = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let points = table.lines().filter_map(|l| l.split(' ').nth(1));
    strings(&points.map(str::to_owned).collect::<Vec<_>>())
}

extern "C" fn os_version() -> Obj {
    managed(|| {
        let release = rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned();
        // The class libraries want up to four numbers.
        let mut numbers = release
            .split(['.', '-', '+'])
            .map_while(|p| p.parse::<u32>().ok())
            .take(4)
            .map(|n| n.to_string())
            .collect::<Vec<_>>();
        numbers.resize(4, "0".into());
        string::from_rust(&numbers.join("."))
    })
}

extern "C" fn page_size() -> i32 {
    rustix::param::page_size() as i32
}

extern "C" fn windows_folder(_folder: i32) -> Obj {
    managed(|| string::from_rust(""))
}

extern "C" fn set_variable(name: *const u16, name_len: i32, value: *const u16, value_len: i32) {
    let text = |at: *const u16, len: i32| {
        if at.is_null() || len <= 0 {
            return None;
        }
        // SAFETY: managed code passes a pinned string and its length.
        let units = unsafe { core::slice::from_raw_parts(at, len as usize) };
        Some(String::from_utf16_lossy(units))
    };
    let Some(name) = text(name, name_len) else {
        return;
    };
    // SAFETY: programs that change the environment while native code of theirs reads it have the same trouble in C.
    unsafe {
        match text(value, value_len) {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

extern "C" fn machine_name() -> Obj {
    managed(|| string::from_rust(&rustix::system::uname().nodename().to_string_lossy()))
}

/// A field of the user's line in the system's list: name (0), home (5).
fn user_field(field: usize) -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let table = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = table.lines().find(|l| l.split(':').nth(2) == Some(&uid))?;
    line.split(':').nth(field).map(str::to_owned)
}

/// Name of the user.
pub fn user() -> String {
    user_field(0)
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_default()
}

extern "C" fn user_name() -> Obj {
    managed(|| string::from_rust(&user()))
}

extern "C" fn home() -> Obj {
    let home = std::env::var("HOME").ok().or_else(|| user_field(5));
    managed(|| match home {
        Some(home) => string::from_rust(&home),
        None => Ok(Obj::NULL),
    })
}

extern "C" fn os_name() -> Obj {
    managed(|| string::from_rust("linux"))
}

extern "C" fn architecture() -> Obj {
    // The names that `RuntimeInformation` compares with.
    let name = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "armv8",
        other => other,
    };
    managed(|| string::from_rust(name))
}
