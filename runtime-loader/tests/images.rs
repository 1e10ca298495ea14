//! Programs with precompiled images: same output as without, and no image is used for other bytes, by another runtime,
//! on another processor, or after damage.
//!
//! Needs `mcs` and the `aotc` of this workspace; without them the tests fail.

#[path = "support/precompiled.rs"]
mod precompiled;

use shared_codegen::image::Image;
use shared_codegen::image::reader::file_hash;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with programs, images and a cache of its own.
struct Lab {
    dir: TempDir,
    aotc: &'static Path,
}

impl Lab {
    fn new() -> Lab {
        let aotc = precompiled::aotc();
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Lab { dir, aotc }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn mcs(&self, name: &str, source: &str, options: &[&str]) {
        let file = self.path(name).with_extension("cs");
        std::fs::write(&file, source).unwrap();
        let out = Command::new("mcs")
            .current_dir(self.dir.path())
            .args(options)
            .arg(format!("-out:{name}"))
            .arg(&file)
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
    }

    /// Makes the image beside the assembly.
    fn image(&self, name: &str) -> PathBuf {
        let out = Command::new(self.aotc)
            .current_dir(self.dir.path())
            .arg("--all")
            .arg(name)
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        let image = self.path(&format!("{name}.so"));
        assert!(image.exists(), "{out:?}");
        image
    }

    fn run(&self, options: &[&str], name: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_aotrun"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .args(options)
            .arg(self.path(name))
            .output()
            .unwrap()
    }

    /// Runs and expects this output; how many methods came from images, and everything on standard error.
    fn expect(&self, name: &str, output: &str) -> (u32, String) {
        let out = self.run(&["--stats"], name);
        let errors = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(String::from_utf8_lossy(&out.stdout), output, "{errors}");
        assert_eq!(out.status.code(), Some(0), "{errors}");
        let count = errors
            .lines()
            .find_map(|l| l.strip_prefix("methods from images: "))
            .and_then(|n| n.trim().parse().ok());
        (count.expect("--stats gives the figure"), errors)
    }

    fn expect_refused(&self, name: &str, output: &str, reason: &str) {
        let (from_images, errors) = self.expect(name, output);
        assert_eq!(from_images, 0, "{errors}");
        assert!(
            errors.contains("not used") && errors.contains(reason),
            "wanted `{reason}` in:\n{errors}"
        );
    }
}

const PROGRAM: &str = r#"
using System;
using System.Collections.Generic;
struct Point { public int X, Y; public override string ToString() { return X + "/" + Y; } }
class Base { public virtual int F(int n) { return n; } }
class Derived : Base { public override int F(int n) { return base.F(n) * 2; } }
static class P {
    static int depth;
    static int Divide(int a, int b) { return a / b; }
    static string Caught(int b) {
        try { return Divide(10, b).ToString(); }
        catch (DivideByZeroException) { return "zero"; }
        finally { depth++; }
    }
    static int Length(string s) { try { return s.Length; } catch (NullReferenceException) { return -1; } }
    static T Last<T>(List<T> all) { return all[all.Count - 1]; }
    static void Main() {
        Console.WriteLine("hello");
        Console.WriteLine(Caught(2) + " " + Caught(0) + " " + depth);
        Console.WriteLine(Length("abc") + Length(null));
        var points = new List<Point>();
        for (int i = 0; i < 10; i++) points.Add(new Point { X = i, Y = i * i });
        Console.WriteLine(Last(points).ToString());
        Base b = new Derived();
        Console.WriteLine(b.F(21));
        Func<int, int> square = n => n * n;
        Console.WriteLine(square(12));
    }
}
"#;
const OUTPUT: &str = "hello\n5 zero 2\n2\n9/81\n42\n144\n";

#[test]
fn same_output_with_and_without_images() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    assert_eq!(lab.expect("p.exe", OUTPUT).0, 0);
    lab.image("p.exe");
    let (count, errors) = lab.expect("p.exe", OUTPUT);
    // Methods that are only called directly are not counted.
    assert!(count >= 5, "{errors}");
    let off = lab.run(&["--stats", "--no-aot"], "p.exe");
    assert_eq!(String::from_utf8_lossy(&off.stdout), OUTPUT);
    assert!(String::from_utf8_lossy(&off.stderr).contains("methods from images: 0"));
}

#[test]
fn images_are_found_in_given_folders() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    let image = lab.image("p.exe");
    let folder = lab.path("images");
    std::fs::create_dir(&folder).unwrap();
    std::fs::rename(&image, folder.join("p.exe.so")).unwrap();
    assert_eq!(lab.expect("p.exe", OUTPUT).0, 0);
    let path = format!("/nonexistent:{}", folder.display());
    let out = lab.run(&["--stats", "--aot-path", &path], "p.exe");
    assert_eq!(String::from_utf8_lossy(&out.stdout), OUTPUT);
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(!errors.contains("methods from images: 0"), "{errors}");
}

#[test]
fn changed_bytes_under_the_same_mvid_are_noticed() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    lab.image("p.exe");
    let mut bytes = std::fs::read(lab.path("p.exe")).unwrap();
    let utf16: Vec<u8> = "hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = bytes.windows(utf16.len()).position(|w| w == utf16).unwrap();
    bytes[at] = b'j';
    std::fs::write(lab.path("p.exe"), bytes).unwrap();
    let output = OUTPUT.replace("hello", "jello");
    lab.expect_refused("p.exe", &output, "made from another p");
}

#[test]
fn damaged_images_are_refused() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    let image = lab.image("p.exe");
    let good = std::fs::read(&image).unwrap();
    for part in [0, 3, 7] {
        std::fs::write(&image, &good[..good.len() * part / 8]).unwrap();
        lab.expect_refused("p.exe", OUTPUT, "p.exe.so");
    }
    for n in 0..6 {
        let mut bad = good.clone();
        let at = (good.len() - 1) * n / 5;
        bad[at] ^= 1 << (n % 8);
        std::fs::write(&image, &bad).unwrap();
        lab.expect_refused("p.exe", OUTPUT, "p.exe.so");
    }
    std::fs::write(&image, b"text").unwrap();
    lab.expect_refused("p.exe", OUTPUT, "not an image");
    std::fs::write(&image, &good).unwrap();
    assert!(lab.expect("p.exe", OUTPUT).0 > 0);
}

#[test]
fn a_changed_dependency_is_noticed() {
    let lab = Lab::new();
    let library =
        |n| format!("public static class L {{ public static int N() {{ return {n}; }} }}");
    let program = "class P { static void Main() { System.Console.WriteLine(L.N()); } }";
    lab.mcs("l.dll", &library(1), &["-target:library"]);
    lab.mcs("p.exe", program, &["-r:l.dll"]);
    lab.image("p.exe");
    assert!(lab.expect("p.exe", "1\n").0 > 0);
    lab.mcs("l.dll", &library(2), &["-target:library"]);
    let (_, errors) = lab.expect("p.exe", "2\n");
    assert!(errors.contains("made from another l"), "{errors}");
}

/// Changes the image's header; the content hash is made right again.
fn patch(image: &Path, change: impl FnOnce(&mut [u8])) {
    let mut bytes = std::fs::read(image).unwrap();
    let hash_at = Image::parse(&bytes).unwrap().hash_offset().unwrap();
    let header = hash_at - shared_codegen::image::header::FILE_HASH_AT;
    change(&mut bytes[header..]);
    let hash = file_hash(&bytes, hash_at).unwrap();
    bytes[hash_at..hash_at + 32].copy_from_slice(&hash);
    std::fs::write(image, bytes).unwrap();
}

#[test]
fn images_for_others_are_refused() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    let image = lab.image("p.exe");
    let good = std::fs::read(&image).unwrap();
    patch(&image, |header| header[15] |= 0x80);
    lab.expect_refused("p.exe", OUTPUT, "processor");
    std::fs::write(&image, &good).unwrap();
    patch(&image, |header| header[48] ^= 1);
    lab.expect_refused("p.exe", OUTPUT, "another version of the runtime");
    std::fs::write(&image, &good).unwrap();
    patch(&image, |header| header[8] += 1);
    lab.expect_refused("p.exe", OUTPUT, "image format");
    std::fs::write(&image, &good).unwrap();
    // Another build of the compiler, of the same version.
    patch(&image, |header| {
        let made_by = shared_codegen::image::COMPILER.as_bytes();
        let mut all = header.windows(made_by.len());
        let at = all.position(|w| w == made_by).unwrap();
        header[at + made_by.len() - 2] ^= 1;
    });
    lab.expect_refused("p.exe", OUTPUT, "made by aotc");
    std::fs::write(&image, &good).unwrap();
    std::fs::set_permissions(&image, std::fs::Permissions::from_mode(0o666)).unwrap();
    lab.expect_refused("p.exe", OUTPUT, "can be written by others");
}

#[test]
fn reasons_are_given() {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    let out = lab.run(&["--no-jit"], "p.exe");
    let errors = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{errors}");
    assert!(errors.contains("has no precompiled code: "), "{errors}");
    let out = lab.run(&["--explain"], "p.exe");
    let errors = String::from_utf8_lossy(&out.stderr);
    assert_eq!(String::from_utf8_lossy(&out.stdout), OUTPUT);
    assert!(
        errors.contains("P::Main() compiled: no usable image"),
        "{errors}"
    );
}

/// Calls inside an image that need no cell: results, traps, stack traces and first calls by other ways.
const DIRECT: &str = r#"
using System;
using System.Runtime.CompilerServices;
class Lazy { public static int N = Init(); static int Init() { Console.WriteLine("init"); return 7; } static Lazy() { } }
static class P {
    [MethodImpl(MethodImplOptions.NoInlining)] static int Divide(int a, int b) { return a / b; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Middle(int b) { return Divide(100, b) + Divide(50, b); }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Field() { return Lazy.N; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Deep(int n) { return n == 0 ? Divide(1, n) : Deep(n - 1) + 1; }
    // Outer calls both others directly, and Inner because Outer needs what it needs; Between calls Inner through its cell.
    [MethodImpl(MethodImplOptions.NoInlining)] static string Inner(int n) { return n == 1 ? "one" : "two"; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Between(int n) { return Inner(n).Length; }
    [MethodImpl(MethodImplOptions.NoInlining)] static string Outer(int n) { return Between(n) + Inner(n) + "one" + "two"; }
    static string Frames(Func<int> f) {
        try { return f().ToString(); }
        catch (DivideByZeroException e) {
            int middle = 0, divide = 0, deep = 0;
            foreach (var line in e.StackTrace.Split('\n')) {
                if (line.Contains("P.Middle")) middle++;
                if (line.Contains("P.Divide")) divide++;
                if (line.Contains("P.Deep")) deep++;
            }
            return divide + " " + middle + " " + deep;
        }
    }
    static void Main() {
        Console.WriteLine(Outer(1));
        Console.WriteLine(Middle(5));
        Console.WriteLine(Frames(() => Middle(0)));
        Console.WriteLine(Frames(() => Deep(3)));
        Console.WriteLine("before");
        Console.WriteLine(Field() + Field());
        Func<int, int, int> f = Divide;
        Console.WriteLine(f(9, 3));
        Console.WriteLine(typeof(P).GetMethod("Divide", (System.Reflection.BindingFlags)40).Invoke(null, new object[] { 8, 2 }));
    }
}
"#;

#[test]
fn direct_calls_behave_like_others() {
    let lab = Lab::new();
    lab.mcs("d.exe", DIRECT, &[]);
    let output = "3oneonetwo\n30\n1 1 0\n1 0 4\nbefore\ninit\n14\n3\n4\n";
    assert_eq!(lab.expect("d.exe", output).0, 0);
    lab.image("d.exe");
    assert!(lab.expect("d.exe", output).0 > 0);
}
