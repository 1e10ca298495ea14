//! Compiles the instruction selection rules (ISLE) to Rust, and hashes the sources: images name the compiler that made them
//! by this hash.

use cranelift_isle::codegen::{CodegenOptions, Prefix};
use std::path::{Path, PathBuf};

/// Rule files in the order in which they build on each other.
const X64_RULES: &[&str] = &[
    "prelude", "ir", "arith", "bits", "compare", "float", "convert", "memory", "control", "vector",
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
    println!("cargo:rustc-env=CODEGEN_SOURCE_HASH={}", source_hash(&root));
}

/// A hash of everything that decides what code is made: the sources of this crate and the versions of its dependencies.
fn source_hash(root: &Path) -> String {
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files.push(root.join("Cargo.toml"));
    files.push(root.join("../Cargo.lock"));
    files.sort_unstable();
    println!("cargo:rerun-if-changed={}", root.join("src").display());
    let mut hash = blake3::Hasher::new();
    for file in files {
        // A published crate has no lock file above it.
        let Ok(text) = std::fs::read(&file) else {
            continue;
        };
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.strip_prefix(root).unwrap_or(&file);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(&text);
    }
    hash.finalize().to_hex()[..16].to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are readable") {
        let path = entry.expect("the sources are readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
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
