//! Small families: remoting (there is none), contexts, security (everything is trusted), configuration, debugger, randomness.

use super::{Thrown, icalls, managed};
use crate::object::{Handle, Obj, new_object, string};
use crate::runtime;
use shared_codegen::types::Known;
use std::sync::OnceLock;

icalls! {
    "System.Runtime.Remoting.RemotingServices" {
        "IsTransparentProxy" => always_false(Obj) -> bool;
    }
    "System.Runtime.Remoting.Contexts.Context" {
        "RegisterContext" => ignore(Obj);
        "ReleaseContext" => ignore(Obj);
    }
    "System.AppDomain" {
        "InternalGetContext" => default_context() -> Obj;
        "InternalGetDefaultContext" => default_context() -> Obj;
        "InternalSetContext" => set_context(Obj) -> Obj;
    }
    "System.Runtime.Remoting.Activation.ActivationServices" {
        "AllocateUninitializedClassInstance" => allocate_uninitialized(Obj) -> Obj;
        "EnableProxyActivation" => enable_proxy(Obj, bool);
    }
    "System.Security.SecurityManager" {
        "get_SecurityEnabled" => no() -> bool;
        "set_SecurityEnabled" => set_flag(bool);
    }
    "System.Security.Policy.Evidence" {
        "IsAuthenticodePresent" => always_false(Obj) -> bool;
    }
    "System.Security.Principal.WindowsIdentity" {
        "GetCurrentToken" => current_token() -> isize;
        "GetTokenName" => token_name(isize) -> Obj;
    }
    "System.CLRConfig" {
        "CheckThrowUnobservedTaskExceptions" => no() -> bool;
    }
    "System.Diagnostics.Debugger" {
        "IsAttached_internal" => no() -> bool;
        "IsLogging" => no() -> bool;
        "Log" => debugger_log(i32, Obj, Obj);
    }
    "System.Diagnostics.DefaultTraceListener" {
        "WriteWindowsDebugString" => write_debug_string(*const u16);
    }
    "System.Runtime.RuntimeImports" {
        "Memmove" => memmove(*mut u8, *const u8, u32);
        "ZeroMemory" => zero_memory(*mut u8, u32);
    }
    "System.Runtime.Versioning.VersioningHelper" {
        "GetRuntimeId" => runtime_id() -> i32;
    }
    "Mono.Runtime" {
        "GetDisplayName" => display_name() -> Obj;
        "mono_runtime_install_handlers" => nothing();
    }
    "Mono.Net.Security.MonoTlsProviderFactory" {
        "IsBtlsSupported" => yes() -> bool;
    }
    "System.Configuration.DefaultConfig" {
        "get_bundled_machine_config" => none() -> Obj;
        "get_machine_config_path" => machine_config_path() -> Obj;
    }
    "System.Configuration.InternalConfigurationHost" {
        "get_bundled_app_config" => none() -> Obj;
        "get_bundled_machine_config" => none() -> Obj;
    }
    "System.Security.Cryptography.RNGCryptoServiceProvider" {
        "RngOpen" => yes() -> bool;
        "RngInitialize" => random_open(*const u8, isize) -> isize;
        "RngGetBytes" => random_bytes(isize, *mut u8, isize) -> isize;
        "RngClose" => random_close(isize);
    }
}

extern "C" fn nothing() {}

extern "C" fn ignore(_o: Obj) {}

extern "C" fn always_false(_o: Obj) -> bool {
    false
}

/// There is one context; it is made at first use.
extern "C" fn default_context() -> Obj {
    static CONTEXT: OnceLock<Handle> = OnceLock::new();
    managed(|| {
        if let Some(known) = CONTEXT.get() {
            return Ok(known.target());
        }
        let made = new_object(runtime::get().known(Known::Context))?;
        Ok(CONTEXT.get_or_init(|| Handle::strong(made)).target())
    })
}

extern "C" fn set_context(_context: Obj) -> Obj {
    default_context()
}

extern "C" fn set_flag(_on: bool) {}

extern "C" fn enable_proxy(_class: Obj, _on: bool) {}

extern "C" fn no() -> bool {
    false
}

extern "C" fn yes() -> bool {
    true
}

extern "C" fn none() -> Obj {
    Obj::NULL
}

extern "C" fn allocate_uninitialized(class: Obj) -> Obj {
    managed(|| {
        let table = runtime::get().type_of_object(class);
        new_object(table.ok_or_else(|| Thrown::argument_null("type"))?)
    })
}

/// User number, which is all a token says.
extern "C" fn current_token() -> isize {
    rustix::process::getuid().as_raw() as isize
}

extern "C" fn token_name(_token: isize) -> Obj {
    managed(|| string::from_rust(&super::environment::user()))
}

extern "C" fn debugger_log(_level: i32, _category: Obj, _message: Obj) {}

extern "C" fn write_debug_string(_text: *const u16) {}

extern "C" fn memmove(to: *mut u8, from: *const u8, len: u32) {
    // SAFETY: managed code has checked both ranges.
    unsafe { core::ptr::copy(from, to, len as usize) }
}

extern "C" fn zero_memory(at: *mut u8, len: u32) {
    // SAFETY: managed code owns the range.
    unsafe { core::ptr::write_bytes(at, 0, len as usize) }
}

extern "C" fn runtime_id() -> i32 {
    std::process::id() as i32
}

extern "C" fn display_name() -> Obj {
    managed(|| string::from_rust("6.8.0.105 (aotrun)"))
}

/// Path of `machine.config`; `$MONO_CFG_DIR` stands for `/etc`.
pub extern "C" fn machine_config_path() -> Obj {
    managed(|| {
        let folder = std::env::var("MONO_CFG_DIR").unwrap_or_else(|_| "/etc".into());
        string::from_rust(&format!("{folder}/mono/4.5/machine.config"))
    })
}

/// The source of random bytes has no state, but its handle must not be 0.
const RANDOM_SOURCE: isize = 1;

extern "C" fn random_open(_seed: *const u8, _len: isize) -> isize {
    RANDOM_SOURCE
}

/// Fills a buffer; 0 if that fails.
extern "C" fn random_bytes(handle: isize, at: *mut u8, len: isize) -> isize {
    let mut done = 0;
    let len = len.max(0) as usize;
    while done < len {
        // SAFETY: `len` bytes at `at` are the caller's buffer.
        let n = unsafe { libc::getrandom(at.add(done).cast(), len - done, 0) };
        match usize::try_from(n) {
            Ok(n) => done += n,
            Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {
            }
            Err(_) => return 0,
        }
    }
    handle
}

extern "C" fn random_close(_handle: isize) {}
