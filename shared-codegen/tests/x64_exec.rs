//! Runs compiled functions: `exec/*.ir` are compiled with both allocators (the
//! allocation proved by the checker), assembled together with a C driver, and run.
//!
//! A file holds functions, each preceded by comments `;! EXPRESSION`: C expressions that must be
//! true, in which the function is called by its name (for vectors with the macros `LANES` and `SUMS`). `buf` is an array of 64 `i64` that starts as
//! 0, 1, 2, ...; `method#N` is the N-th function of the file (from 0); helpers are C functions of
//! the same name. The driver keeps a thread context in `r15`.

#[path = "support/exec.rs"]
mod exec;

use exec::{DRIVER, Variant, assemble};
use shared_codegen::ir::{Function, Signature, Type, text::parse_functions};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn c_type(t: Type) -> &'static str {
    match t {
        Type::I32 => "i32",
        Type::F32 => "float",
        Type::F64 => "double",
        _ => "i64",
    }
}

/// Its declaration in C.
fn prototype(name: &str, sig: &Signature) -> String {
    let params: Vec<&str> = sig.params.iter().map(|t| c_type(*t)).collect();
    let params = if params.is_empty() {
        "void".into()
    } else {
        params.join(", ")
    };
    let ret = sig.ret.map_or("void", c_type);
    format!("{ret} {name}({params});")
}

/// Checks of a file: the comments before each function.
fn checks(source: &str) -> Vec<(usize, String)> {
    source
        .lines()
        .enumerate()
        .filter_map(|(n, l)| Some((n + 1, l.trim().strip_prefix(";!")?.trim().to_string())))
        .collect()
}

fn driver(files: &[(PathBuf, String, Vec<Function>)], variants: &[&Variant]) -> String {
    let mut c = String::from(DRIVER);
    let mut main = String::from("int main(void) {\n");
    for (path, source, functions) in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for v in variants {
            for f in functions {
                let name = format!("{}_{}", f.name, v.suffix);
                let _ = writeln!(c, "{}", prototype(&name, &f.sig));
                let _ = writeln!(main, "#define {} {name}", f.name);
            }
            for (line, check) in checks(source) {
                let _ = writeln!(
                    main,
                    "reset(); if (!({check})) {{ failures++; printf(\"%s\\n\", {:?}); }}",
                    format!("{file}:{line} [{}]: {check}", v.suffix)
                );
            }
            for f in functions {
                let _ = writeln!(main, "#undef {}", f.name);
            }
        }
    }
    main.push_str("printf(\"done\\n\"); return failures != 0; }\n");
    c + &main
}

#[test]
fn compiled_functions_compute_what_they_should() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exec");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the folder exists")
        .map(|e| e.expect("readable").path())
        .filter(|p| p.extension().is_some_and(|e| e == "ir"))
        .collect();
    paths.sort();
    let variants = exec::variants();
    let mut files = Vec::new();
    let mut asm = String::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("readable");
        let functions =
            parse_functions(&source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for v in &variants {
            for (n, f) in functions.iter().enumerate() {
                let unique = format!("{}_{}_{n}", files.len(), v.suffix);
                assemble(f, v, &functions, &unique, &mut asm);
            }
        }
        files.push((path, source, functions));
    }
    exec::build_and_run(&driver(&files, &variants), asm, "-O0");
}
