//! Methods of sizes and shapes that only generators write: they compile within bounds of time and memory under every tier, on a
//! thread with a small stack too, and do what they should.

#[path = "support/precompiled.rs"]
mod precompiled;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const HEAD: &str = "
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.assembly large {}
.class public auto ansi T extends [mscorlib]System.Object {
";

/// Runs the method on a thread whose stack is small.
const MAIN: &str = "
  .field static int32 result
  .method static void run() cil managed { .maxstack 8 ldc.i4 77 call int32 T::f(int32) stsfld int32 T::result ret }
  .method static int32 Main() cil managed { .entrypoint .maxstack 8 .locals init (class [mscorlib]System.Threading.Thread t)
    ldnull ldftn void T::run() newobj instance void [mscorlib]System.Threading.ThreadStart::.ctor(object, native int)
    ldc.i4 262144 newobj instance void [mscorlib]System.Threading.Thread::.ctor(class [mscorlib]System.Threading.ThreadStart, int32) stloc t
    ldloc t callvirt instance void [mscorlib]System.Threading.Thread::Start() ldloc t callvirt instance void [mscorlib]System.Threading.Thread::Join()
    ldsfld int32 T::result call void [mscorlib]System.Console::WriteLine(int32) ldc.i4.0 ret }
}
";

/// A method `int f(int x)` to be called with 77.
struct Method {
    locals: String,
    stack: usize,
    body: String,
    result: i32,
    /// Other methods that it calls.
    others: String,
    /// Types that it uses.
    classes: String,
    /// Ahead of time instances are made to a limited depth only.
    needs_jit: bool,
    /// What `aotc --explain` says of it with all optimizations.
    reason: Option<&'static str>,
}

impl Method {
    fn new(locals: &str, result: i32, body: String) -> Method {
        Method {
            locals: locals.to_owned(),
            stack: 16,
            body,
            result,
            others: String::new(),
            classes: String::new(),
            needs_jit: false,
            reason: None,
        }
    }

    fn reduced(self, reason: &'static str) -> Method {
        Method {
            reason: Some(reason),
            ..self
        }
    }
}

const X: i32 = 77;

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("large");
    std::fs::create_dir_all(&folder).expect("a folder for programs");
    folder
}

fn assemble(name: &str, m: &Method) -> PathBuf {
    let source = folder().join(name).with_extension("il");
    let text = format!(
        "{HEAD}.method static int32 g(int32 x) cil managed {{ .maxstack 8 ldarg.0 ldc.i4.3 mul ldc.i4.1 add ret }}\n{}\n\
         .method static int32 f(int32 x) cil managed {{ .maxstack {} .locals init ({})\n{}\n}}{MAIN}\n{}",
        m.others, m.stack, m.locals, m.body, m.classes
    );
    std::fs::write(&source, text).expect("the source is written");
    let exe = source.with_extension("exe");
    let output = format!("-output:{}", exe.display());
    precompiled::expect(Command::new("ilasm").arg(output).arg(&source));
    exe
}

/// Runs a program with at most this much memory of its kind and for a minute: far more than any needs on a slow machine, far
/// less than work quadratic in the size of the methods would take.
fn limited(memory: &str, program: &Path, options: &[&str], file: &Path) -> Output {
    let script = format!("ulimit {memory}; exec timeout 60 \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program).args(options);
    command.arg(file).output().expect("sh starts")
}

/// What both streams say.
fn said(done: &Output) -> String {
    let (out, err) = (&done.stdout, &done.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Runs a program with at most 2 GiB of memory that it may write to: the heap reserves more.
fn run(options: &[&str], exe: &Path) -> String {
    let aotrun = Path::new(env!("CARGO_BIN_EXE_aotrun"));
    said(&limited("-d 2097152", aotrun, options, exe))
}

/// Largest size of a function between two stages of compilation, in bytes for each byte of the program: passes copy what is
/// worth it (bodies, loops), but nothing over and over.
const MAX_GROWTH: u64 = 400;

/// Compiles a program ahead of time with at most 2 GiB of address space. Gives what it explains, and the folder of the image.
fn compile(set: &str, exe: &Path) -> (String, String) {
    let name = exe.file_stem().unwrap_or_default().to_string_lossy();
    let to = folder().join(format!("{name}-{set}")).display().to_string();
    let report = ["-j", "2", "--stats", "--explain", "--asm-data"];
    let options = [&report[..], &["-O", set, "--out-dir", &to]].concat();
    let done = limited("-v 2097152", precompiled::aotc(), &options, exe);
    assert!(done.status.success(), "{name} {set}: {done:?}");
    let stats = String::from_utf8_lossy(&done.stderr);
    let largest = largest_kib(&stats).unwrap_or_else(|| panic!("{name}: {stats}"));
    let size = exe.metadata().expect("it was made").len();
    assert!(largest * 1024 < size * MAX_GROWTH, "{name} {set}: {stats}");
    (String::from_utf8_lossy(&done.stdout).into_owned(), to)
}

/// The largest figure in the column for memory of the table of stages.
fn largest_kib(stats: &str) -> Option<u64> {
    let rows = stats.lines().skip_while(|l| !l.contains("most KiB"));
    let cells = rows.filter_map(|l| l.split_whitespace().nth(3)?.parse().ok());
    cells.max()
}

fn check(name: &str, m: &Method) {
    let exe = assemble(name, m);
    for options in [
        &["--no-aot"][..],
        &["--no-aot", "-O", "none"],
        &["--no-aot", "--jit", "opt"],
    ] {
        let said = run(options, &exe);
        assert_eq!(said.trim(), m.result.to_string(), "{name} {options:?}");
    }
    for set in ["quick", "default", "all"] {
        let (explained, folder) = compile(set, &exe);
        // Less effort than asked for is said; all optimizations may need it where others do not, and the other way round.
        let expected = format!("T::f(System.Int32): {}", m.reason.unwrap_or("reduced-"));
        let is_said = explained.lines().all(|l| l.starts_with(&expected));
        assert!(is_said, "{name} {set}: {explained}");
        if set == "all" {
            assert_eq!(
                m.reason.is_some(),
                !explained.is_empty(),
                "{name}: {explained}"
            );
        }
        let path = format!("{folder}:{}", precompiled::corlib_images().display());
        let options = ["--aot-path", &path, "--no-jit"];
        let count = options.len() - usize::from(m.needs_jit);
        let said = run(&options[..count], &exe);
        assert_eq!(said.trim(), m.result.to_string(), "{name} from {set}");
    }
}

/// The parts of a body, one for each number.
fn parts(n: i32, part: impl Fn(i32, &mut String)) -> String {
    let mut text = String::new();
    for i in 0..n {
        part(i, &mut text);
        text.push('\n');
    }
    text
}

macro_rules! put {
    ($to:expr, $($arg:tt)*) => {
        write!($to, $($arg)*).expect("strings take everything")
    };
}

#[test]
fn a_hundred_thousand_instructions() {
    let body = parts(33_000, |i, t| match i % 2 {
        0 => put!(t, "ldc.i4 {i} add"),
        _ => put!(t, "ldc.i4 {i} mul ldarg.0 xor"),
    });
    let result = (0..33_000).fold(X, |a: i32, i| match i % 2 {
        0 => a.wrapping_add(i),
        _ => a.wrapping_mul(i) ^ X,
    });
    check(
        "straight",
        &Method::new("", result, format!("ldarg.0 {body} ret")),
    );
}

#[test]
fn fifteen_thousand_blocks() {
    let body = parts(5000, |i, t| {
        put!(
            t,
            "ldarg.0 ldc.i4 {} shr ldc.i4.1 and brtrue A{i} ldloc.0 ldc.i4 {i} add stloc.0 br B{i} ",
            i % 7
        );
        put!(t, "A{i}: ldloc.0 ldc.i4 {i} xor stloc.0 B{i}:");
    });
    let result = (0..5000).fold(0, |s: i32, i| match X >> (i % 7) & 1 {
        0 => s.wrapping_add(i),
        _ => s ^ i,
    });
    check(
        "diamonds",
        &Method::new("int32 s", result, format!("{body} ldloc.0 ret")),
    );
}

#[test]
fn a_switch_of_ten_thousand() {
    const N: i32 = 10_000;
    let labels: Vec<String> = (0..N).map(|i| format!("C{i}")).collect();
    let cases = parts(N, |i, t| {
        put!(
            t,
            "C{i}: ldloc.0 ldc.i4 {i} xor ldc.i4.3 mul stloc.0 ldc.i4 {} stloc.1 br L",
            (i * 17 + 5) % N
        );
    });
    let (mut s, mut state) = (0_i32, 0);
    for _ in 0..20_000 {
        s = (s ^ state).wrapping_mul(3);
        state = (state * 17 + 5) % N;
    }
    let body = format!(
        "L: ldloc.2 ldc.i4.1 add stloc.2 ldloc.2 ldc.i4 20000 bgt E ldloc.1 switch ({}) br E {cases} E: ldloc.0 ret",
        labels.join(",")
    );
    check(
        "switch",
        &Method::new("int32 s, int32 state, int32 k", s, body),
    );
}

#[test]
fn five_thousand_locals() {
    const N: usize = 5000;
    let set = parts(N as i32, |i, t| put!(t, "ldarg.0 ldc.i4 {i} add stloc {i}"));
    let mix = parts(N as i32, |i, t| {
        put!(
            t,
            "ldloc {i} ldloc {} add stloc {i}",
            (i as usize * 7 + 1) % N
        )
    });
    let all = parts(N as i32, |i, t| put!(t, "ldloc {i} xor"));
    let mut v: Vec<i32> = (0..N as i32).map(|i| X + i).collect();
    for _ in 0..3 {
        for i in 0..N {
            v[i] = v[i].wrapping_add(v[(i * 7 + 1) % N]);
        }
    }
    let result = v.iter().fold(0, |a, b| a ^ b);
    let body = format!(
        "{set} L: {mix} ldloc {N} ldc.i4.1 add stloc {N} ldloc {N} ldc.i4.3 blt L ldc.i4.0 {all} ret"
    );
    check(
        "locals",
        &Method::new(&vec!["int32"; N + 1].join(","), result, body).reduced("reduced-registers"),
    );
}

#[test]
fn a_deep_expression() {
    const N: i32 = 30_000;
    let push = parts(N, |i, t| put!(t, "ldarg.0 ldc.i4 {i} xor"));
    let add = "add ".repeat(N as usize - 1);
    let result = (0..N).fold(0, |s: i32, i| s.wrapping_add(X ^ i));
    let mut m = Method::new("", result, format!("{push} {add} ret")).reduced("reduced-registers");
    m.stack = N as usize + 8;
    check("expression", &m);
}

#[test]
fn ten_thousand_inlined_calls() {
    let calls = "call int32 T::g(int32)\n".repeat(10_000);
    let result = (0..10_000).fold(X, |a: i32, _| a.wrapping_mul(3).wrapping_add(1));
    check(
        "inlined",
        &Method::new("", result, format!("ldarg.0 {calls} ret")),
    );
}

#[test]
fn protected_regions_a_thousand_deep() {
    const N: i32 = 1000;
    let open = ".try {\n".repeat(N as usize);
    let close = parts(N, |i, t| {
        let leave = if i == N - 1 { "" } else { "leave E" };
        put!(
            t,
            "}} finally {{ ldloc.0 ldc.i4 {i} add stloc.0 endfinally }} {leave}"
        );
    });
    let body = format!("{open} ldc.i4.1 stloc.0 leave E {close} E: ldloc.0 ret");
    let m = Method::new("int32 s", 1 + N * (N - 1) / 2, body);
    check("nested", &m.reduced("reduced-passes"));
}

#[test]
fn protected_regions_one_behind_the_other() {
    const N: i32 = 1500;
    let body = parts(N, |i, t| {
        put!(
            t,
            ".try {{ ldloc.0 ldc.i4.1 add stloc.0 ldarg.0 ldc.i4 {i} bne.un X{i} ldnull throw X{i}: leave E{i} }} "
        );
        put!(
            t,
            "catch [mscorlib]System.NullReferenceException {{ pop ldloc.0 ldc.i4 100 add stloc.0 leave E{i} }} E{i}: "
        );
        put!(
            t,
            ".try {{ ldloc.0 ldc.i4.1 add stloc.0 leave F{i} }} finally {{ ldloc.0 ldc.i4.2 add stloc.0 endfinally }} F{i}:"
        );
    });
    check(
        "regions",
        &Method::new("int32 s", 4 * N + 100, format!("{body} ldloc.0 ret")),
    );
}

#[test]
fn less_effort_is_reported() {
    let open = ".try {\n".repeat(1000);
    let close = "} finally { ldstr \"\" pop endfinally } leave E\n".repeat(1000);
    let body =
        format!("{open} newobj instance void object::.ctor() pop leave E {close} E: ldc.i4.1 ret");
    let exe = assemble("reported", &Method::new("", 1, body));
    let said = run(&["--no-aot", "--jit", "opt", "--explain"], &exe);
    assert!(
        said.contains("T::f(System.Int32): reduced-passes: "),
        "{said}"
    );
}

/// `finally` in `finally`: copies of each for both ways through the one around it would double with every level.
#[test]
fn finally_bodies_in_each_other() {
    const N: i32 = 100;
    // Runs through all of them without an exception, then with one in the innermost.
    let mut body = "ldloc.0 ldc.i4.1 add stloc.0 ldloc.1 brfalse OK ldnull throw OK:".to_owned();
    for k in 0..N {
        body = format!(
            ".try {{ ldloc.0 ldc.i4 {k} add stloc.0 leave E{k} }} finally {{ {body} ldloc.0 ldc.i4.3 add stloc.0 endfinally }} \
             E{k}: ldloc.0 ldc.i4 {k} xor stloc.0\n"
        );
    }
    let mut result = 0;
    (0..N).rev().for_each(|k| result += k);
    result += 1;
    (0..N).for_each(|k| result = (result + 3) ^ k);
    // What is in front of the exception happens, what is behind it does not.
    (0..N).rev().for_each(|k| result += k);
    result += 1 + 1000;
    let body = format!(
        "L: .try {{ {body} leave N }} catch [mscorlib]System.NullReferenceException {{ pop ldloc.0 ldc.i4 1000 add stloc.0 leave D }}\n\
         N: ldc.i4.1 stloc.1 br L D: ldloc.0 ret"
    );
    check(
        "finally_in_finally",
        &Method::new("int32 s, int32 raise", result, body),
    );
}

/// Too deep for the exceptional edges it would have: the method has no code, and nothing else happens.
#[test]
fn protected_regions_beyond_the_limit() {
    let open = ".try {\n".repeat(3000);
    let close = "} finally { endfinally } leave E\n".repeat(3000);
    let body = format!("{open} leave E {close} E: ldc.i4.1 ret");
    let exe = assemble("too_deep", &Method::new("", 0, body));
    let said = run(&["--no-aot"], &exe);
    assert!(said.contains("InvalidProgramException"), "{said}");
}

#[test]
fn irreducible_control_flow() {
    const N: i32 = 1000;
    let target =
        |i: i32, k: i32| (i.wrapping_mul(7919).wrapping_add(k * 104_729) & 0x7fff_ffff) % N;
    let body = parts(N, |i, t| {
        put!(
            t,
            "B{i}: ldloc.1 ldc.i4.1 add stloc.1 ldloc.1 ldc.i4 50000 bgt E ldloc.0 ldc.i4 {i} xor ldc.i4.5 mul ldc.i4.7 add "
        );
        put!(
            t,
            "stloc.0 ldloc.0 ldc.i4 16 shr ldc.i4.1 and brtrue B{} br B{}",
            target(i, 1),
            target(i, 2)
        );
    });
    let (mut s, mut at) = (0_i32, 0);
    for _ in 0..50_000 {
        s = (s ^ at).wrapping_mul(5).wrapping_add(7);
        at = if s >> 16 & 1 != 0 {
            target(at, 1)
        } else {
            target(at, 2)
        };
    }
    check(
        "irreducible",
        &Method::new("int32 s, int32 k", s, format!("{body} E: ldloc.0 ret")),
    );
}

/// `for` loops around each other, each over an array, eight of them with two rounds.
#[test]
fn loops_two_hundred_deep() {
    const N: i32 = 200;
    let rounds = |k: i32| if k % 25 == 1 { 2 } else { 1 };
    let open = parts(N, |k, t| {
        let i = k + 2;
        put!(t, "ldc.i4.0 stloc {i} br T{k} B{k}: ldloc.1 ldloc {i} ");
        put!(
            t,
            "ldloc.1 ldloc {i} ldelem.i4 ldloc.0 add ldc.i4 {k} xor stelem.i4"
        );
    });
    let close = parts(N, |n, t| {
        let (k, i) = (N - 1 - n, N + 1 - n);
        put!(t, "ldloc.0 ldloc.1 ldloc {i} ldelem.i4 add stloc.0 ");
        put!(
            t,
            "ldloc {i} ldc.i4.1 add stloc {i} T{k}: ldloc {i} ldc.i4 {} blt B{k}",
            rounds(k)
        );
    });
    /// What the loops from the `k`th on do.
    fn nest(k: i32, s: &mut i32, a: &mut [i32; 4], rounds: &dyn Fn(i32) -> i32) {
        if k == N {
            *s = s.wrapping_mul(3).wrapping_add(X);
            return;
        }
        for i in 0..rounds(k) as usize {
            a[i] = a[i].wrapping_add(*s) ^ k;
            nest(k + 1, s, a, rounds);
            *s = s.wrapping_add(a[i]);
        }
    }
    let mut result = 0;
    nest(0, &mut result, &mut [0; 4], &rounds);
    let locals = format!(
        "int32 s, int32[] a, {}",
        vec!["int32"; N as usize].join(",")
    );
    let body = format!(
        "ldc.i4.4 newarr int32 stloc.1 {open} ldloc.0 ldc.i4.3 mul ldarg.0 add stloc.0 {close} ldloc.0 ret"
    );
    check("loops", &Method::new(&locals, result, body));
}

/// Loops and protected regions in turn.
#[test]
fn loops_in_protected_regions_in_loops() {
    const N: i32 = 120;
    let rounds = |k: i32| if k % 15 == 1 { 2 } else { 1 };
    let mut body = "ldloc.0 ldc.i4.1 add stloc.0".to_owned();
    for k in 0..N {
        let handler = match k % 2 {
            0 => format!("catch [mscorlib]System.Exception {{ pop leave E{k} }}"),
            _ => "finally { ldloc.0 ldc.i4.1 add stloc.0 endfinally }".to_owned(),
        };
        let i = k + 1;
        body = format!(
            "ldc.i4.0 stloc {i} L{k}: .try {{ {body} ldloc.0 ldc.i4 {k} xor stloc.0 leave E{k} }} {handler} \
             E{k}: ldloc {i} ldc.i4.1 add stloc {i} ldloc {i} ldc.i4 {} blt L{k}\n",
            rounds(k)
        );
    }
    /// What the `k` innermost loops do.
    fn nest(k: i32, s: &mut i32, rounds: &dyn Fn(i32) -> i32) {
        if k == 0 {
            *s += 1;
            return;
        }
        for _ in 0..rounds(k - 1) {
            nest(k - 1, s, rounds);
            *s = (*s ^ (k - 1)) + (k - 1) % 2;
        }
    }
    let mut result = 0;
    nest(N, &mut result, &rounds);
    let locals = vec!["int32"; N as usize + 1].join(",");
    check(
        "loops_and_regions",
        &Method::new(&locals, result, format!("{body} ldloc.0 ret")),
    );
}

/// Each method calls the next one twice: inlined to the end they would be 2^60 calls.
#[test]
fn exploding_inlining() {
    const N: i32 = 60;
    let others = parts(N, |k, t| {
        let wanted = if k % 2 == 0 { "aggressiveinlining" } else { "" };
        let next = format!("call int32 T::f{}(int32)", k + 1);
        put!(
            t,
            ".method static int32 f{k}(int32 x) cil managed {wanted} {{ .maxstack 4 "
        );
        put!(
            t,
            "ldsfld int32 T::calls ldc.i4 1000 bgt E ldarg.0 {next} {next} ret E: ldarg.0 ret }}"
        );
    });
    let last = format!(
        ".field static int32 calls .method static int32 f{N}(int32 x) cil managed {{ .maxstack 4 \
         ldsfld int32 T::calls ldc.i4.1 add stsfld int32 T::calls ldarg.0 ldc.i4.3 mul ldc.i4.1 add ret }}"
    );
    // The last method is called until it was called 1,002 times; after that nothing changes.
    let result = (0..1002).fold(X, |a: i32, _| a.wrapping_mul(3).wrapping_add(1));
    let mut m = Method::new("", result, "ldarg.0 call int32 T::f0(int32) ret".to_owned());
    m.others = format!("{others}\n{last}");
    check("exploding", &m);
}

/// Methods and types that need ever larger instances of themselves: as far as they are called they work; types nested too deep
/// cannot be loaded.
#[test]
fn generic_recursion() {
    let mut m = Method::new(
        "int32 s",
        40 + 2 * 41 + 3000 + 500,
        "ldc.i4 40 call int32 T::deeper<int32>(int32) newobj instance void class Box`1<object>::.ctor() ldc.i4 40 \
         callvirt instance int32 class Box`1<object>::deeper(int32) ldc.i4.2 mul add stloc.0 \
         .try { ldc.i4 100000 call int32 T::deeper<string>(int32) pop leave E } \
         catch [mscorlib]System.TypeLoadException { pop ldloc.0 ldc.i4 3000 add stloc.0 leave E } E: \
         .try { ldc.i4 100000 call int32 T::shared<string>(int32) pop leave F } \
         catch [mscorlib]System.TypeLoadException { pop ldloc.0 ldc.i4 500 add stloc.0 leave F } F: ldloc.0 ret"
            .to_owned(),
    );
    m.others = ".method static int32 deeper<U>(int32 n) cil managed { .maxstack 4 ldarg.0 brtrue M ldc.i4.0 ret
  M: ldarg.0 ldc.i4.1 sub call int32 T::deeper<valuetype V`1<!!0>>(int32) ldc.i4.1 add ret }
.method static int32 shared<U>(int32 n) cil managed { .maxstack 4 ldarg.0 brtrue M ldc.i4.0 ret
  M: ldarg.0 ldc.i4.1 sub call int32 T::shared<class Box`1<!!0>>(int32) ldc.i4.1 add ret }"
        .to_owned();
    m.classes = ".class private sequential sealed V`1<T> extends [mscorlib]System.ValueType { .field !T t .field int32 i }
.class private Box`1<T> extends [mscorlib]System.Object {
.method public specialname rtspecialname instance void .ctor() cil managed { ldarg.0 call instance void [mscorlib]System.Object::.ctor() ret }
.method public virtual instance int32 deeper(int32 n) cil managed { .maxstack 4 ldarg.1 brtrue M ldc.i4.1 ret
  M: newobj instance void class Box`1<class Box`1<!0>>::.ctor() ldarg.1 ldc.i4.1 sub
  callvirt instance int32 class Box`1<class Box`1<!0>>::deeper(int32) ldc.i4.1 add ret }
}"
    .to_owned();
    m.needs_jit = true;
    check("generic_recursion", &m);
}

/// Many variables that are live where many edges meet, which come from everywhere: SSA form would have a parameter for each
/// variable in each block.
#[test]
fn variables_times_blocks() {
    const VARS: i32 = 2000;
    const BLOCKS: i32 = 5000;
    let target = |i: i32, k: i32| (i * 7919 + k * 104_729) % BLOCKS;
    let body = parts(BLOCKS, |i, t| {
        let v = i % VARS;
        put!(
            t,
            "B{i}: ldloc {VARS} ldc.i4.1 add stloc {VARS} ldloc {VARS} ldc.i4 50000 bgt E "
        );
        put!(
            t,
            "ldloc {v} ldc.i4 {i} xor ldc.i4.5 mul ldc.i4.7 add stloc {v} "
        );
        put!(
            t,
            "ldloc {v} ldc.i4 16 shr ldc.i4.1 and brtrue B{} br B{}",
            target(i, 1),
            target(i, 2)
        );
    });
    let mut vars = vec![0_i32; VARS as usize];
    let mut at = 0;
    for _ in 0..50_000 {
        let v = &mut vars[(at % VARS) as usize];
        *v = (*v ^ at).wrapping_mul(5).wrapping_add(7);
        at = target(at, if *v >> 16 & 1 != 0 { 1 } else { 2 });
    }
    let all = parts(VARS, |i, t| put!(t, "ldloc {i} xor"));
    let m = Method::new(
        &vec!["int32"; VARS as usize + 1].join(","),
        vars.iter().fold(0, |a, b| a ^ b),
        format!("{body} E: ldc.i4.0 {all} ret"),
    );
    check("variables_times_blocks", &m.reduced("reduced-variables"));
}

/// The same for structs, whose fields the optimizer would keep in registers.
#[test]
fn structs_times_blocks() {
    const VARS: i32 = 400;
    const BLOCKS: i32 = 3000;
    let labels: Vec<String> = (0..BLOCKS).map(|i| format!("C{i}")).collect();
    let cases = parts(BLOCKS, |i, t| {
        put!(
            t,
            "C{i}: ldloca {v} ldloca {v} ldfld int32 P::a ldc.i4 {i} xor stfld int32 P::a ",
            v = i % VARS + 2
        );
        put!(
            t,
            "ldloca {v} ldloc.0 stfld int32 P::b ldc.i4 {} stloc.1 br L",
            (i * 17 + 5) % BLOCKS,
            v = i % VARS + 2
        );
    });
    let body = format!(
        "L: ldloc.0 ldc.i4.1 add stloc.0 ldloc.0 ldc.i4 20000 bgt E ldloc.1 switch ({}) br E {cases} E: ldc.i4.0 {} ret",
        labels.join(","),
        parts(VARS, |i, t| put!(
            t,
            "ldloca {v} ldfld int32 P::a xor ldloca {v} ldfld int32 P::b add",
            v = i + 2
        ))
    );
    let mut vars = vec![(0_i32, 0_i32); VARS as usize];
    let mut state = 0;
    for k in 1..=20_000 {
        let v = &mut vars[(state % VARS) as usize];
        *v = (v.0 ^ state, k);
        state = (state * 17 + 5) % BLOCKS;
    }
    let result = vars.iter().fold(0_i32, |s, v| (s ^ v.0).wrapping_add(v.1));
    let locals = format!(
        "int32 k, int32 state, {}",
        vec!["valuetype P"; VARS as usize].join(",")
    );
    let mut m = Method::new(&locals, result, body).reduced("reduced-variables");
    m.classes = ".class private sequential sealed P extends [mscorlib]System.ValueType { .field public int32 a .field public int32 b }".to_owned();
    check("structs_times_blocks", &m);
}
