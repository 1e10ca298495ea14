//! Objects that C# makes behind the scenes and that optimized code does not allocate: iterators, closures, delegates, boxes.

mod support;

use support::{Lab, text};

/// Each method of `P` but those named `Kept…` allocates nothing.
const PROGRAM: &str = r#"using System;
using System.Collections.Generic;
struct Pair : IEquatable<Pair> {
    public int A, B;
    public bool Equals(Pair o) { return A == o.A && B == o.B; }
}
class Node { public int Value; public Node Next; }
static class P {
    static IEnumerable<int> Range(int from, int count) {
        for (int i = 0; i < count; i++) yield return from + i;
    }
    static IEnumerable<int> Odd(int to) {
        for (int i = 0; i < to; i++)
            if (i % 2 != 0) { yield return i; yield return -i / 2; }
    }
    static int Iterator(int n) { int sum = 0; foreach (int x in Range(3, n)) sum += x; return sum; }
    static int TwoYields(int n) { int sum = 0; foreach (int x in Odd(n)) sum = sum * 3 + x; return sum; }
    static int Closure(int a) { Func<int, int> add = x => x + a; return add(3) + add(a); }
    static int Box(int a) { object o = a; return (int)o + 1; }
    static bool Interface(int a) {
        IEquatable<Pair> p = new Pair { A = a, B = 2 };
        return p.Equals(new Pair { A = 1, B = 2 });
    }
    static int Nodes(int a) {
        var first = new Node { Value = a };
        var second = new Node { Value = a + 1, Next = first };
        return second.Next.Value + second.Value;
    }
    static int Array(int n) {
        var count = new int[10];
        for (; n != 0; n /= 10) count[n % 10]++;
        return count[3];
    }
    static int Sum(params int[] a) { int sum = 0; foreach (int x in a) sum += x; return sum; }
    static int Params(int a) { return Sum(a, a + 1, 7); }
    static Node Kept(int a) { return new Node { Value = a }; }
    static void Main() {
        Console.WriteLine(Iterator(10) + " " + TwoYields(9) + " " + Closure(4) + " " + Box(1) + " " + Array(1323));
        Console.WriteLine(Interface(1) + " " + Interface(2) + " " + Nodes(5) + " " + Params(4) + " " + Kept(7).Value);
    }
}"#;

#[test]
fn hidden_objects_are_not_allocated() {
    let lab = Lab::new();
    lab.mcs("e.exe", PROGRAM, &[]);
    let report = text(&lab.aotc(&["--all", "--opt-report", "e.exe"]));
    let mut method = "";
    let mut found = Vec::new();
    for line in report.lines() {
        if !line.starts_with(' ') {
            method = line;
        } else if method.starts_with("P::") && line.contains("on the heap") {
            found.push((method, line));
        }
    }
    let kept = found.iter().filter(|(m, _)| m.contains("Kept"));
    assert_eq!(kept.count(), 1, "{report}");
    let makers = ["P::Kept", "P::Main", "P::Range", "P::Odd"];
    found.retain(|(m, _)| !makers.iter().any(|k| m.starts_with(k)));
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        report.contains("Range>c__Iterator0: kept in the frame"),
        "{report}"
    );
}
