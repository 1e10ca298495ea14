//! `--opt-report`: a line for each call, loop, check and allocation.

mod support;

use support::{Lab, text};

/// Calls of each kind, loops of each kind, checks that go and that stay.
const REPORTED: &str = r#"using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
interface I { int Get(int x); }
class Base : I { public virtual int Get(int x) { return x; } }
class Derived : Base { public override int Get(int x) { return x + 1; } }
static class P {
    [DllImport("libc")] static extern int getpid();
    [MethodImpl(MethodImplOptions.NoInlining)] static int Kept(int x) { return x; }
    static int Calls(Base b, I i, Func<int, int> f, string s) {
        int sum = b.Get(1);
        sum += i.Get(2);
        sum += f(3);
        sum += Kept(4);
        sum += getpid();
        sum += s.Length;
        sum += new Derived().Get(5);
        if (sum == 77) throw new Exception(sum.ToString());
        return sum;
    }
    static int Checks(int[] a, int n) {
        int sum = a[n];
        for (int i = 0; i < a.Length; i++)
            sum += a[i];
        return sum;
    }
    static void Copy(int[] a, int[] b, int n) {
        for (int i = 0; i < n; i++)
            b[i] = a[i] + 1;
    }
    static int Loops(int[] a, object o) {
        int sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += Kept(i);
        for (int i = 0; i < a.Length; i++)
            for (int j = 0; j < i; j++)
                sum += j;
        while (sum != 0)
            sum = sum / 2;
        return sum + ((string)o).Length;
    }
    static int Main() { return 0; }
}"#;

/// Lines of the report about a line of the source, in a method.
fn said<'a>(report: &'a str, method: &str, line: usize) -> Vec<&'a str> {
    let of_method = report
        .lines()
        .skip_while(|l| !l.contains(method) || l.starts_with(' '));
    let lines = of_method.skip(1).take_while(|l| l.starts_with(' '));
    let place = format!("r.cs:{line} ");
    lines.filter(|l| l.contains(&place)).collect()
}

#[test]
fn the_report_has_a_line_for_everything() {
    let lab = Lab::new();
    lab.mcs("r.exe", REPORTED, &["-debug"]);
    let report = text(&lab.aotc(&["--all", "--opt-report", "r.exe"]));
    let line = |part: &str| {
        let n = REPORTED.lines().position(|l| l.contains(part));
        n.unwrap_or_else(|| panic!("{part}")) + 1
    };
    let expected = [
        ("Calls", "sum = b.Get(1)", "the virtual call stays"),
        ("Calls", "i.Get(2)", "the interface call stays"),
        ("Calls", "f(3)", "the call of a delegate stays"),
        ("Calls", "Kept(4)", "not inlined: declared so"),
        (
            "Calls",
            "sum += getpid()",
            "not inlined: declared so, or no IL",
        ),
        ("Calls", "s.Length;", "done by instructions"),
        ("Calls", "new Derived().Get(5)", "called directly"),
        ("Calls", "new Derived().Get(5)", "inlined"),
        ("Calls", "new Derived().Get(5)", "kept in the frame"),
        ("Calls", "throw new", "not inlined: seldom reached"),
        (
            "Checks",
            "sum = a[n]",
            "bounds check stays: the index, an argument, may be anything",
        ),
        (
            "Checks",
            "sum += a[i]",
            "bounds check removed [bounds-check-elim]",
        ),
        ("Checks", "sum += a[i]", "vectorized"),
        (
            "Copy",
            "b[i] = a[i] + 1",
            "is not known to be below the length",
        ),
        (
            "Copy",
            "b[i] = a[i] + 1",
            "removed from the rounds that cannot fail",
        ),
        (
            "Loops",
            "sum += Kept(i)",
            "not vectorized: it calls something",
        ),
        ("Loops", "sum += Kept(i)", "not split: it calls something"),
        ("Loops", "sum = sum / 2", "it does not count"),
        ("Loops", "(string)o", "cast stays"),
    ];
    for (method, at, part) in expected {
        let at = line(at.trim_end());
        let lines = said(&report, &format!("P::{method}("), at);
        assert!(
            lines.iter().any(|l| l.contains(part)),
            "{method}:{at} {part}: {lines:#?}\n{report}"
        );
    }
    let outer = report
        .lines()
        .find(|l| l.contains("not vectorized: it contains other loops"));
    assert!(outer.is_some_and(|l| l.contains("loop: ")), "{report}");
    let off = text(&lab.aotc(&["--all", "-O", "none", "--opt-report", "r.exe"]));
    for part in [
        "not vectorized: the pass is off",
        "the direct call stays: the pass inline is off",
        "bounds check stays: the pass bounds-check-elim is off",
    ] {
        assert!(off.contains(part), "{part}: {off}");
    }
}

#[test]
fn the_report_as_json_says_the_same() {
    let lab = Lab::new();
    lab.mcs("r.exe", REPORTED, &["-debug"]);
    let plain = text(&lab.aotc(&["--all", "--opt-report", "r.exe"]));
    let json = text(&lab.aotc(&["--all", "--opt-report=json", "r.exe"]));
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(
        lines.len(),
        plain.lines().filter(|l| l.starts_with("  ")).count()
    );
    let kept = lines.iter().find(|l| {
        l["item"].as_str().is_some_and(|i| i.contains("Kept"))
            && l["method"].as_str().is_some_and(|m| m.contains("Calls"))
    });
    let kept = kept.unwrap_or_else(|| panic!("{json}"));
    let at = &kept["at"][0];
    assert!(
        at["file"].as_str().unwrap().ends_with("r.cs") && at["line"] == 14,
        "{kept}"
    );
    assert_eq!(
        (&kept["subject"], &kept["done"], &kept["pass"]),
        (&"call".into(), &false.into(), &"inline".into())
    );
    // Without symbols there are offsets only.
    std::fs::remove_file(lab.path("r.exe.mdb")).unwrap();
    let bare = text(&lab.aotc(&["--all", "--opt-report", "r.exe"]));
    assert!(bare.contains("  IL_") && !bare.contains("r.cs"), "{bare}");
}

#[test]
fn the_report_says_what_became_of_calls() {
    let lab = Lab::new();
    let source = "class P { static int Small(int x) { return x + 1; }
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static int Kept(int x) { return x; }
        static int Main() { return Small(2) + Kept(3); } }";
    lab.mcs("p.exe", source, &[]);
    let out = lab.aotc(&["--all", "--opt-report", "p.exe"]);
    let report = text(&out);
    let main: Vec<&str> = report.lines().skip_while(|l| !l.contains("Main")).collect();
    let says = |parts: [&str; 2]| main.iter().any(|l| parts.iter().all(|p| l.contains(p)));
    assert!(says(["Small", ": inlined [inline]"]), "{report}");
    assert!(says(["Kept", ": not inlined: declared so"]), "{report}");
    assert!(!text(&lab.aotc(&["--all", "p.exe"])).contains("inlined"));
}
