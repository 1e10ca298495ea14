//! The IR of small C# methods, compared with `golden/*.ir`. `BLESS=1` writes the files anew.

use super::{context, methods};
use shared_codegen::import::{ImportOptions, import_method};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a source; `None` without mcs.
fn compiled(source: &Path) -> Option<PathBuf> {
    let name = source.file_stem()?.to_string_lossy().into_owned();
    let dll = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("golden_{name}.dll"));
    let done = Command::new("mcs")
        .args(["-target:library", "-optimize", "-unsafe", "-warn:0"])
        .arg(format!("-out:{}", dll.display()))
        .arg(source)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "mcs {name}: {said}");
    Some(dll)
}

/// IR of the methods of class `Golden` and of its nested classes, in order.
fn ir_of(dll: &Path) -> String {
    let ctx = context(dll.parent().map(Path::to_path_buf));
    let module = ctx.load_assembly(dll).expect("it was just compiled");
    let mut text = String::new();
    let options = ImportOptions::default();
    for m in methods(&ctx, module) {
        if !ctx.method_full_name(m).starts_with("Golden") || ctx.method_name(m) == ".ctor" {
            continue;
        }
        let _ = match import_method(&ctx, m, &options) {
            Ok(f) => writeln!(text, "{}", f.display(&ctx)),
            Err(e) => writeln!(text, "; {}: {e}", ctx.method_full_name(m)),
        };
    }
    text
}

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/golden");
    let entries = std::fs::read_dir(&folder).expect("the folder is in the repository");
    let mut sources: Vec<PathBuf> = entries.map(|e| e.expect("readable").path()).collect();
    sources.retain(|p| p.extension().is_some_and(|e| e == "cs"));
    sources.sort();
    for source in sources {
        let Some(dll) = compiled(&source) else {
            return;
        };
        let (got, file) = (ir_of(&dll), source.with_extension("ir"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, got).expect("writable");
            continue;
        }
        let wanted = std::fs::read_to_string(&file).unwrap_or_default();
        let difference = got.lines().zip(wanted.lines()).find(|(g, w)| g != w);
        assert!(got == wanted, "{}: {difference:?}", source.display());
    }
}
