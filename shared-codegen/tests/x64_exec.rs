//! Runs compiled functions: `exec/*.ir` are compiled with both allocators (the
//! allocation proved by the checker), assembled together with a C driver, and run.
//!
//! A file holds functions, each preceded by comments `;! EXPRESSION`: C expressions that must be
//! true, in which the function is called by its name (for vectors with the macros `LANES` and `SUMS`; `VECTOR` is their size,
//! as files with vectors of 16 bytes are tried a second time with vectors of 32). `buf` is an array of 64 `i64` that starts as
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

/// A file's text in one of the sizes of vectors.
struct File {
    path: PathBuf,
    /// Size of vectors.
    bytes: u32,
    source: String,
    functions: Vec<Function>,
}

impl File {
    fn parse(path: &Path, source: String) -> File {
        let functions =
            parse_functions(&source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let values = functions.iter().flat_map(|f| &f.values);
        let bytes = values.map(|v| v.ty).filter(|t| t.is_vector());
        File {
            path: path.to_owned(),
            bytes: bytes.map(Type::bytes).fold(16, u32::max),
            source,
            functions,
        }
    }

    /// The variants that have such vectors.
    fn variants<'a>(&self, all: &[&'a Variant]) -> Vec<&'a Variant> {
        let fits = |v: &&&Variant| v.features.vectors().bytes() >= self.bytes;
        all.iter().filter(fits).copied().collect()
    }

    /// The same with vectors twice as large, if there are any.
    fn widened(&self) -> Option<File> {
        let wide = self
            .source
            .replace("v128", "v256")
            .replace("= 16 align", "= 32 align");
        (self.bytes == 16 && self.source.contains("v128")).then(|| File::parse(&self.path, wide))
    }
}

fn driver(files: &[File], variants: &[&Variant]) -> String {
    let mut c = String::from(DRIVER);
    let mut main = String::from("int main(void) {\n");
    for f in files {
        let (source, functions) = (&f.source, &f.functions);
        let (path, size) = (&f.path, f.bytes);
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let _ = writeln!(main, "#undef VECTOR\n#define VECTOR {size}");
        for v in f.variants(variants) {
            for f in functions {
                let name = format!("{}_{}_{size}", f.name, v.suffix);
                let _ = writeln!(c, "{}", prototype(&name, &f.sig));
                let _ = writeln!(main, "#define {} {name}", f.name);
            }
            for (line, check) in checks(source) {
                let _ = writeln!(
                    main,
                    "reset(); if (!({check})) {{ failures++; printf(\"%s\\n\", {:?}); }}",
                    format!("{file}:{line} [{}, {size}]: {check}", v.suffix)
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
        let file = File::parse(&path, source);
        let wide = file.widened();
        files.extend([Some(file), wide].into_iter().flatten());
    }
    for (k, file) in files.iter().enumerate() {
        for v in file.variants(&variants) {
            for (n, f) in file.functions.iter().enumerate() {
                let unique = format!("{k}_{}_{n}", v.suffix);
                let suffix = format!("{}_{}", v.suffix, file.bytes);
                assemble(f, v, &file.functions, &suffix, &unique, &mut asm);
            }
        }
    }
    exec::build_and_run(&driver(&files, &variants), asm, "-O0");
}
