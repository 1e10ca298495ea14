//! Internal calls: the methods of the class libraries that the runtime implements.
//!
//! One file per family. Each file declares its functions once, in an [`icalls!`] table of name and
//! machine-level signature; lookup by metadata name, the arity test and `docs/icalls.md` are derived
//! from the tables. A function is `extern "C"`, takes raw object references and pointers as
//! `docs/architecture.md` §3 says, and reports failure through [`managed`], which leaves the
//! exception in `thread.pending_exception`.
#![allow(
    unsafe_code,
    reason = "internal calls take raw pointers from managed code"
)]

pub mod app_domain;
mod arg_iterator;
mod array;
pub mod assembly;
mod assembly_name;
pub mod async_delegate;
mod clock;
mod console;
mod culture;
mod delegate;
pub mod emit;
pub mod environment;
mod file_share;
mod file_version;
pub mod finalizer;
mod gc;
mod interlocked;
mod marshal;
mod marshal_com;
mod marshal_structure;
mod math;
mod memory_map;
mod missing;
mod module;
mod monitor;
mod mono_io;
mod normalization;
mod object;
mod process;
mod process_modules;
mod reflection;
mod registry;
mod runtime_type;
mod services;
mod stack_trace;
mod string;
pub mod terminal;
pub mod thread;
pub mod thread_info;
mod thread_pool;
mod thrown;
mod type_lookup;
mod typed_reference;
mod value_type;
mod wait_handles;
mod win32;

pub use missing::{missing, short_name};
pub use registry::{Icall, find, implemented};
pub use thrown::{Result, Thrown, ZeroResult, managed};

/// Declares internal calls: `"Namespace.Type" { "Method" => function(T, …) -> R; }`.
///
/// A method name may carry the parameter list that tells overloads apart, in the short type names of
/// the tables of the class libraries: `"Exchange(int&,int)"`.
macro_rules! icalls {
    ($($class:literal { $($method:literal => $f:ident($($arg:ty),* $(,)?) $(-> $ret:ty)?;)* })*) => {
        /// The internal calls of this family.
        pub const ICALLS: &[$crate::icall::Icall] = &[$($(
            $crate::icall::Icall {
                class: $class,
                method: $method,
                arity: { const ARGS: &[&str] = &[$(stringify!($arg)),*]; ARGS.len() },
                code: {
                    const F: extern "C" fn($($arg),*) $(-> $ret)? = $f;
                    F as *const ()
                },
            },
        )*)*];
    };
}
pub(crate) use icalls;
