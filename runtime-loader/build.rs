//! Exports the functions that native helper libraries look up in the program.

const EXPORTS: [&str; 4] = [
    "mono_add_internal_call_with_flags",
    "mono_marshal_set_last_error",
    "mono_threads_enter_gc_safe_region_internal",
    "mono_threads_exit_gc_safe_region_internal",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in EXPORTS {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
    }
}
