//! Struct classification against the C compiler: random structs go both ways, by value, as results and through callbacks,
//! between a generated C library and a generated C# program. `RANDOM_STRUCTS=500 RANDOM_SEED=3` looks harder.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// A xorshift generator: the same structs for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// C#, C, bytes.
const SCALARS: [(&str, &str, u32); 11] = [
    ("sbyte", "signed char", 1),
    ("byte", "unsigned char", 1),
    ("short", "short", 2),
    ("ushort", "unsigned short", 2),
    ("int", "int", 4),
    ("uint", "unsigned", 4),
    ("long", "long", 8),
    ("float", "float", 4),
    ("double", "double", 8),
    ("float", "float", 4),
    ("double", "double", 8),
];

/// A struct in both languages, and how to reach its leaves.
struct Struct {
    managed: String,
    native: String,
    /// Paths to scalars with their C# types: the same text in both languages.
    leaves: Vec<(String, &'static str)>,
    size: u32,
}

fn make(random: &mut Random, n: usize, known: &[Struct]) -> Struct {
    let union = random.below(8) == 0;
    let pack = [0, 0, 0, 0, 0, 1, 2, 4][random.below(8) as usize];
    let mut made = Struct {
        managed: String::new(),
        native: String::new(),
        leaves: Vec::new(),
        size: 0,
    };
    let _ = match (union, pack) {
        (true, _) => writeln!(made.managed, "[StructLayout(LayoutKind.Explicit)]"),
        (_, 0) => Ok(()),
        _ => writeln!(
            made.managed,
            "[StructLayout(LayoutKind.Sequential, Pack = {pack})]"
        ),
    };
    let keyword = if union { "union" } else { "struct" };
    let _ = writeln!(made.managed, "unsafe struct S{n} {{");
    let _ = writeln!(
        made.native,
        "#pragma pack(push, {})\ntypedef {keyword} {{",
        if pack == 0 || union { 8 } else { pack }
    );
    let count = 1 + random.below(if union { 2 } else { 5 });
    for f in 0..count {
        let offset = if union { "[FieldOffset(0)] " } else { "" };
        add_field(random, &mut made, f, offset, known);
    }
    made.managed.push_str("}\n");
    let _ = writeln!(made.native, "}} S{n};\n#pragma pack(pop)");
    if union {
        // Only one leaf can keep its value.
        made.leaves.truncate(1);
    }
    made
}

fn add_field(random: &mut Random, made: &mut Struct, f: u64, offset: &str, known: &[Struct]) {
    let (managed, native, size) = SCALARS[random.below(SCALARS.len() as u64) as usize];
    match random.below(8) {
        0 if !known.is_empty() => {
            let inner = random.below(known.len() as u64) as usize;
            let _ = writeln!(made.managed, "{offset}public S{inner} f{f};");
            let _ = writeln!(made.native, "S{inner} f{f};");
            let inner = &known[inner];
            made.size += inner.size;
            let leaves = inner.leaves.iter();
            made.leaves
                .extend(leaves.map(|(path, ty)| (format!("f{f}.{path}"), *ty)));
        }
        1 => {
            let len = 1 + random.below(4);
            let _ = writeln!(made.managed, "{offset}public fixed {managed} f{f}[{len}];");
            let _ = writeln!(made.native, "{native} f{f}[{len}];");
            made.size += size * len as u32;
            made.leaves
                .extend((0..len).map(|i| (format!("f{f}[{i}]"), managed)));
        }
        _ => {
            let _ = writeln!(made.managed, "{offset}public {managed} f{f};");
            let _ = writeln!(made.native, "{native} f{f};");
            made.size += size;
            made.leaves.push((format!("f{f}"), managed));
        }
    }
}

/// The C functions and the C# checks of one struct.
fn functions(n: usize, s: &Struct, c: &mut String, declared: &mut String, checks: &mut String) {
    let sum = |v: &str| {
        let terms = s.leaves.iter().enumerate();
        let terms = terms.map(|(k, (path, _))| format!("{} * (double){v}.{path}", k + 1));
        terms.collect::<Vec<_>>().join(" + ")
    };
    let fill = |v: &str, cast: bool| {
        let leaves = s.leaves.iter().enumerate();
        let set = leaves.map(|(k, (path, ty))| {
            let cast = if cast {
                format!("({ty})")
            } else {
                String::new()
            };
            format!("{v}.{path} = {cast}(seed + {k});")
        });
        set.collect::<Vec<_>>().join(" ")
    };
    let _ = writeln!(
        c,
        "double sum{n}(S{n} s) {{ return {}; }}
S{n} make{n}(int seed) {{ S{n} s; memset(&s, 0, sizeof s); {} return s; }}
double take{n}(int a, S{n} x, double b, S{n} y, float c, S{n} z) {{ return a + sum{n}(x) + b + 2 * sum{n}(y) + c + 3 * sum{n}(z); }}
double call{n}(S{n} (*f)(S{n}, int, S{n})) {{ return sum{n}(f(make{n}(1), 2, make{n}(3))); }}
int size{n}(void) {{ return sizeof(S{n}); }}",
        sum("s"),
        fill("s", false)
    );
    let _ = writeln!(
        declared,
        "[DllImport(\"structs\")] static extern double sum{n}(S{n} s);
[DllImport(\"structs\")] static extern S{n} make{n}(int seed);
[DllImport(\"structs\")] static extern double take{n}(int a, S{n} x, double b, S{n} y, float c, S{n} z);
[DllImport(\"structs\")] static extern double call{n}(F{n} f);
[DllImport(\"structs\")] static extern int size{n}();
delegate S{n} F{n}(S{n} a, int b, S{n} c);
static double Sum{n}(S{n} s) {{ return {}; }}
static S{n} Make{n}(int seed) {{ var s = new S{n}(); {} return s; }}
static void Test{n}() {{
  Check(\"size{n}\", size{n}(), Marshal.SizeOf(typeof(S{n})));
  Check(\"sum{n}\", Sum{n}(Make{n}(5)), sum{n}(Make{n}(5)));
  Check(\"make{n}\", Sum{n}(Make{n}(6)), Sum{n}(make{n}(6)));
  Check(\"take{n}\", 1 + Sum{n}(Make{n}(2)) + 3 + 2 * Sum{n}(Make{n}(4)) + 5 + 3 * Sum{n}(Make{n}(6)),
    take{n}(1, Make{n}(2), 3, Make{n}(4), 5, Make{n}(6)));
  Check(\"call{n}\", Sum{n}(Make{n}(9)), call{n}((a, b, c) => {{
    Check(\"first{n}\", Sum{n}(Make{n}(1)), Sum{n}(a)); Check(\"last{n}\", Sum{n}(Make{n}(3)), Sum{n}(c)); return Make{n}(b + 7); }}));
}}",
        sum("s"),
        fill("s", true)
    );
    let _ = writeln!(checks, "Test{n}();");
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn run(command: &mut Command) -> String {
    let done = command
        .output()
        .unwrap_or_else(|e| panic!("this test needs {command:?}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{command:?}: {out}{err}");
    out
}

#[test]
fn structs_are_passed_as_the_c_compiler_passes_them() {
    let mut random = Random(number("RANDOM_SEED", 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let count = number("RANDOM_STRUCTS", 60) as usize;
    let mut structs: Vec<Struct> = Vec::new();
    while structs.len() < count {
        let made = make(&mut random, structs.len(), &structs);
        if made.size <= 48 {
            structs.push(made);
        }
    }
    let mut c = "#include <string.h>\n".to_owned();
    let mut program = "using System; using System.Runtime.InteropServices;\n".to_owned();
    let (mut declared, mut checks) = (String::new(), String::new());
    for (n, s) in structs.iter().enumerate() {
        c.push_str(&s.native);
        program.push_str(&s.managed);
        functions(n, s, &mut c, &mut declared, &mut checks);
    }
    let _ = write!(
        program,
        "static unsafe class Program {{ static int failures;
static void Check(string what, double expected, double found) {{
  if (expected != found) {{ failures++; Console.WriteLine(what + \": \" + expected + \" became \" + found); }} }}
{declared}
static int Main() {{ {checks} Console.WriteLine(failures); return failures == 0 ? 0 : 1; }} }}"
    );
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("random-structs");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name);
    std::fs::write(file("structs.c"), c).unwrap();
    std::fs::write(file("structs.cs"), program).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-w", "-shared", "-fPIC", "-o"]);
    run(cc.arg(file("libstructs.so")).arg(file("structs.c")));
    let mut mcs = Command::new("mcs");
    mcs.args(["-unsafe", "-langversion:latest", "-warn:0"]);
    mcs.arg(format!("-out:{}", file("structs.exe").display()));
    run(mcs.arg(file("structs.cs")));
    for options in [&["--verify"][..], &["--jit", "opt"]] {
        let mut aotrun = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        assert_eq!(run(aotrun.args(options).arg(file("structs.exe"))), "0\n");
    }
}
