//! Compiles the instruction selection rules (ISLE) to Rust.

use cranelift_isle::codegen::{CodegenOptions, Prefix};
use std::path::{Path, PathBuf};

/// Rule files in the order in which they build on each other.
const X64_RULES: &[&str] = &[
    "prelude", "ir", "arith", "bits", "compare", "float", "convert", "memory", "control",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    compile(
        &root,
        &root.join("src/isa/x64/rules"),
        X64_RULES,
        &out.join("x64_rules.rs"),
    );
}

fn compile(root: &Path, dir: &Path, names: &[&str], to: &Path) {
    let files: Vec<PathBuf> = names
        .iter()
        .map(|n| dir.join(n).with_extension("isle"))
        .collect();
    for f in &files {
        println!("cargo:rerun-if-changed={}", f.display());
    }
    let options = CodegenOptions {
        exclude_global_allow_pragmas: true,
        prefixes: vec![Prefix {
            prefix: root.display().to_string(),
            name: "shared-codegen".into(),
        }],
        ..CodegenOptions::default()
    };
    match cranelift_isle::compile::from_files(&files, &options) {
        Ok(code) => std::fs::write(to, code).expect("the output folder is writable"),
        Err(errors) => {
            eprintln!("{errors}");
            std::process::exit(1);
        }
    }
}
