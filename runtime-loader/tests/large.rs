//! Methods of sizes that only generators write: they compile within seconds under every tier, on a thread with a small
//! stack too, and do what they should.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Far above what any of them takes on a slow machine; far below what work quadratic in their size would take.
const LIMIT: Duration = Duration::from_secs(60);

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
}

impl Method {
    fn new(locals: &str, result: i32, body: String) -> Method {
        Method {
            locals: locals.to_owned(),
            stack: 16,
            body,
            result,
        }
    }
}

const X: i32 = 77;

fn assemble(name: &str, m: &Method) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("large");
    std::fs::create_dir_all(&folder).expect("a folder for programs");
    let source = folder.join(name).with_extension("il");
    let text = format!(
        "{HEAD}.method static int32 g(int32 x) cil managed {{ .maxstack 8 ldarg.0 ldc.i4.3 mul ldc.i4.1 add ret }}\n\
         .method static int32 f(int32 x) cil managed {{ .maxstack {} .locals init ({})\n{}\n}}{MAIN}",
        m.stack, m.locals, m.body
    );
    std::fs::write(&source, text).expect("the source is written");
    let exe = folder.join(name).with_extension("exe");
    let done = Command::new("ilasm")
        .arg(format!("-output:{}", exe.display()))
        .arg(&source)
        .output()
        .expect("ilasm is installed");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stdout)
    );
    exe
}

fn run(options: &[&str], exe: &Path) -> String {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    let done = command.args(options).arg(exe).output().expect("it starts");
    let took = start.elapsed();
    assert!(took < LIMIT, "{options:?} {}: {took:?}", exe.display());
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    format!("{out}{err}")
}

fn check(name: &str, m: &Method) {
    let exe = assemble(name, m);
    for options in [
        &["--no-aot"][..],
        &["--no-aot", "-O", "none"],
        &["--jit", "opt"],
    ] {
        let said = run(options, &exe);
        assert_eq!(said.trim(), m.result.to_string(), "{name} {options:?}");
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
        &Method::new(&vec!["int32"; N + 1].join(","), result, body),
    );
}

#[test]
fn a_deep_expression() {
    const N: i32 = 30_000;
    let push = parts(N, |i, t| put!(t, "ldarg.0 ldc.i4 {i} xor"));
    let add = "add ".repeat(N as usize - 1);
    let result = (0..N).fold(0, |s: i32, i| s.wrapping_add(X ^ i));
    let mut m = Method::new("", result, format!("{push} {add} ret"));
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
    check("nested", &Method::new("int32 s", 1 + N * (N - 1) / 2, body));
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
