//! From C# to images and back, with the real compiler, assembler and linker. Skipped where `mcs` is not installed.

use shared_codegen::image::{Image, fixups};
use shared_codegen::types::TypeContext;
use shared_codegen::types::binding::{SearchPath, StandardBinder};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SOURCE: &str = r#"
using System;
using System.Collections.Generic;

struct Pair { public long A; public int B; }

static class Program
{
    delegate int Op(int x);

    struct Pair { public int A, B; }

    // Nobody supplies such a method: it is left out with a reason.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining, MethodCodeType = System.Runtime.CompilerServices.MethodCodeType.Runtime)]
    static extern Pair Unsupplied(int a, int b);

    static int Guarded(int[] a, int i)
    {
        try { return a[i]; }
        catch (IndexOutOfRangeException) { return -1; }
        finally { Console.WriteLine("done"); }
    }

    static T First<T>(List<T> list) { return list[0]; }

    static int Main(string[] args)
    {
        var list = new List<Pair>();
        list.Add(new Pair { A = 1, B = 2 });
        Op op = x => x + args.Length;
        var table = new Dictionary<int, string> { { 1, "one" } };
        Console.WriteLine(First(list).B + table[1] + op(4));
        return Guarded(new int[3], 7) + 1;
    }
}
"#;

/// A folder with `app.exe` in it; nothing without `mcs`.
fn app() -> Option<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("app.cs");
    let exe = folder.path().join("app.exe");
    std::fs::write(&source, SOURCE).unwrap();
    let done = Command::new("mcs")
        .arg(format!("-out:{}", exe.display()))
        .arg(&source)
        .status();
    let compiled = done.is_ok_and(|s| s.success());
    assert!(compiled, "mcs is installed (scripts/test installs it)");
    Some((folder, exe))
}

fn aotc(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aotc"))
        .args(args)
        .output()
        .unwrap()
}

fn compile(exe: &Path, image: &str, more: &[&str]) -> Vec<u8> {
    let image = exe.with_file_name(image);
    let mut args = vec!["--all", "-o", image.to_str().unwrap()];
    args.extend_from_slice(more);
    args.push(exe.to_str().unwrap());
    let output = aotc(&args);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    std::fs::read(image).unwrap()
}

#[test]
fn images_are_reproducible_and_complete() {
    let Some((_folder, exe)) = app() else { return };
    let bytes = compile(&exe, "app.exe.so", &["-j1"]);
    assert!(bytes == compile(&exe, "other.so", &["-j2"]), "threads");
    assert!(
        bytes == compile(&exe, "data.so", &["--asm-data"]),
        "form of the source"
    );
    let (_elsewhere, moved) = app().unwrap();
    std::fs::copy(&exe, &moved).unwrap();
    assert!(bytes == compile(&moved, "app.exe.so", &[]), "folder");

    let readelf = Command::new("readelf")
        .args(["-rW", exe.with_file_name("app.exe.so").to_str().unwrap()])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&readelf.stdout).contains("no relocations"));

    let image = Image::parse(&bytes).unwrap();
    image.verify_hash().unwrap();
    assert!(image.method_count() > 50, "{}", image.method_count());
    assert!(image.dependencies().unwrap()[0].name.starts_with("app, "));
    check_against_context(&image, &exe);
}

/// Every key finds its method, every cell decodes to what it was made from, tables fit together.
fn check_against_context(image: &Image<'_>, exe: &Path) {
    let path = SearchPath::system(exe.parent().map(Path::to_owned));
    let ctx = TypeContext::new(Box::new(StandardBinder::reading(path))).unwrap();
    let module = ctx.load_assembly(exe).unwrap();
    let (mut clauses, mut lines) = (0, 0);
    for n in 0..image.method_count() {
        let m = image.method(n).unwrap();
        let key = image.method_key(&m).unwrap();
        let id = ctx.decode_method(module, key).unwrap();
        let found = image.find_method(ctx.stable_method_hash(id), key).unwrap();
        assert_eq!(found.unwrap(), m);
        assert_eq!(image.method_at(m.code.start).unwrap(), m);
        assert_eq!(image.method_at(m.code.end - 1).unwrap(), m);
        for trap in image.traps(&m).unwrap() {
            assert_eq!(image.trap_at(m.code.start + trap.offset), Some(trap.kind));
        }
        clauses += image.clauses(&m).unwrap().len();
        lines += image.lines(&m).unwrap().len();
        image.inline_sites(&m).unwrap();
        for cell in image.fixups(&m).unwrap() {
            image.cell_fixup(cell.unwrap()).unwrap();
        }
    }
    assert!(clauses > 0 && lines > 0);
    for cell in 0..image.cell_count() {
        let encoded = image.cell_fixup(cell).unwrap();
        let fixup = fixups::decode(&ctx, module, encoded).unwrap();
        let mut again = Vec::new();
        fixups::encode(&ctx, fixup, &mut again);
        assert_eq!(again, encoded);
    }
}

/// Reads everything; whatever happens is an error, not a panic.
fn read_all(bytes: &[u8]) -> shared_codegen::image::Result<()> {
    let image = Image::parse(bytes)?;
    for n in 0..image.method_count() {
        let m = image.method(n)?;
        let _ = (image.method_key(&m), image.clauses(&m), image.traps(&m));
        let _ = (
            image.lines(&m),
            image.inline_sites(&m),
            image.failure(&m, 0),
        );
        let _ = image.find_method(n.into(), b"");
        let _ = image.trap_at(m.code.start);
        if let Ok(fixups) = image.fixups(&m) {
            fixups.flatten().for_each(|c| drop(image.cell_fixup(c)));
        }
    }
    let _ = (image.dependencies(), image.left_out(), image.options());
    image.verify_hash()
}

#[test]
fn damage_is_noticed() {
    let Some((_folder, exe)) = app() else { return };
    let good = compile(&exe, "app.exe.so", &[]);
    read_all(&good).unwrap();
    for at in (0..good.len()).step_by(good.len() / 300) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(read_all(&bad).is_err(), "bit flip at {at}");
        assert!(read_all(&good[..at]).is_err(), "cut at {at}");
    }
    // The tables most densely: their damage must not upset the readers.
    let image = Image::parse(&good).unwrap();
    let tables = image.hash_offset().unwrap();
    for at in (tables..good.len().min(tables + 4000)).step_by(11) {
        let mut bad = good.clone();
        bad[at] = !bad[at];
        assert!(read_all(&bad).is_err(), "damage at {at}");
    }
}

#[test]
fn verbs_and_errors() {
    let Some((_folder, exe)) = app() else { return };
    compile(&exe, "app.exe.so", &[]);
    let image = exe.with_file_name("app.exe.so");
    let image = image.to_str().unwrap();
    let text = |o: &Output| String::from_utf8_lossy(&o.stdout).into_owned();
    let shown = text(&aotc(&["inspect", "--methods", image]));
    assert!(shown.contains("Program::Main(System.String[])"), "{shown}");
    assert!(shown.contains("mscorlib, Version=4.0.0.0"), "{shown}");
    assert!(text(&aotc(&["verify", image])).contains(": ok"));
    assert!(text(&aotc(&["explain", image])).contains("unsupported"));

    std::fs::write(&exe, b"no assembly").unwrap();
    for (args, code, words) in [
        (vec!["verify", image], 1, "app.exe"),
        (vec!["inspect", exe.to_str().unwrap()], 1, "not an image"),
        (vec![exe.to_str().unwrap()], 1, "app.exe"),
        (vec!["/nowhere/a.dll"], 1, "/nowhere/a.dll"),
        (vec!["-O", "nonsense", "a.dll"], 2, "nonsense"),
        (vec![], 2, "ASSEMBLY"),
    ] {
        let output = aotc(&args);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {complaint}");
        assert!(complaint.contains(words), "{args:?}: {complaint}");
    }
}

/// Mono looks for images of its own under the same name.
#[test]
fn mono_runs_programs_beside_our_images() {
    let Some((folder, exe)) = app() else { return };
    let run = || Command::new("mono").arg(&exe).output().unwrap();
    let before = run();
    compile(&exe, "app.exe.so", &[]);
    let after = run();
    assert_eq!(String::from_utf8_lossy(&after.stdout), "2one4\ndone\n");
    assert!(before == after, "{after:?}");
    drop(folder);
}
