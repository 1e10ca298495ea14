//! Instances of generics that only the program needs are in the program's image.

mod support;

use support::{Lab, errors, text};

const SOURCE: &str = r#"
using System;
using System.Collections.Generic;

enum Color { Red, Green }
enum Small : sbyte { A }
enum Wide : long { A }
struct Money : IEquatable<Money>, IComparable<Money> {
    public int Cents;
    public bool Equals(Money o) { return Cents == o.Cents; }
    public int CompareTo(Money o) { return Cents.CompareTo(o.Cents); }
}

interface IVisitor { string Visit<T>(T value); }
class Namer : IVisitor { public string Visit<T>(T value) { return typeof(T).Name + value; } }
abstract class Walker { public abstract int Walk<T>(T[] all); }
class Counter : Walker { public override int Walk<T>(T[] all) { return all.Length; } }

// The base class is an instance over a value type: its methods are called through the derived class.
abstract class Table<T> { T[] rows = new T[1]; public virtual int Count { get { return rows.Length; } } }
class MoneyTable : Table<Money> { }

class Box<T> {
    public T Value;
    // Kept, because an object that nobody gets to see needs no methods.
    public virtual string Show() { var pair = new Pair<T, long>(Value, 1); P.kept = pair; return pair.Show(); }
    // Inlined into callers of another class, which then hold lookups written in terms of this one.
    public List<KeyValuePair<T, int>> Fresh() { return new List<KeyValuePair<T, int>>(); }
}
class Pair<A, B> {
    A a; B b;
    public Pair(A a, B b) { this.a = a; this.b = b; }
    public virtual string Show() { return "" + a + b; }
}
class Shape { public double Area { get { return 1; } } public static short Count { get { return 2; } } public byte? Edge { get; set; } }
class User<T> { public int Use(Box<T> box) { return box.Fresh().Count; } }

static class P {
    public static object kept;
    // Through a field: the compiler sees through what it can see.
    static bool Has<T>(T x) { kept = EqualityComparer<T>.Default; return ((IEqualityComparer<T>)kept).Equals(x, x); }
    static int Order<T>(T x) { kept = Comparer<T>.Default; return ((IComparer<T>)kept).Compare(x, x); }
    static void Main() {
        IVisitor v = new Namer();
        Console.WriteLine(v.Visit(4) + v.Visit('c') + v.Visit("s"));
        Walker w = new Counter();
        Console.WriteLine(w.Walk(new short[3]));
        Console.WriteLine(Has(Color.Red) && Has(Small.A) && Has(Wide.A) && Has(new Money()) && Has<Money?>(null));
        Console.WriteLine(Order(Color.Red) + Order(new Money()) + Order<Money?>(null));
        Table<Money> t = new MoneyTable();
        Console.WriteLine(t.Count);
        Console.WriteLine(new Box<string> { Value = "b" }.Show() + new User<string>().Use(new Box<string>()));
        IList<Color> colors = new Color[2];
        Console.WriteLine(colors.IndexOf(Color.Green));
    }
}
"#;

#[test]
fn everything_a_program_runs_is_in_its_image() {
    let lab = Lab::new();
    lab.mcs("p.exe", SOURCE, &[]);
    let out = lab.aotc(&["--all", "p.exe"]);
    assert_eq!((out.status.code(), errors(&out).as_str()), (Some(0), ""));
    let shown = text(&lab.aotc(&["inspect", "--methods", "p.exe.so"]));
    for wanted in [
        // Generic virtual methods, through an interface and through a class.
        "Namer::Visit<System.Int32>(",
        "Namer::Visit<System.Char>(",
        "Namer::Visit<__Canon>(",
        "Counter::Walk<System.Int16>(",
        // Comparers made by reflection.
        "EnumEqualityComparer`1<Color>::Equals(",
        "EnumEqualityComparer`1<Color>::.ctor(",
        "SByteEnumEqualityComparer`1<Small>::.ctor(",
        "LongEnumEqualityComparer`1<Wide>::.ctor(",
        "GenericEqualityComparer`1<Money>::Equals(",
        "NullableEqualityComparer`1<Money>::Equals(",
        "ObjectComparer`1<Color>::Compare(",
        "GenericComparer`1<Money>::Compare(",
        "NullableComparer`1<Money>::Compare(",
        // What reflection reads properties with.
        "RuntimePropertyInfo::GetterAdapterFrame<__Canon,System.Double>(",
        "RuntimePropertyInfo/Getter`2<__Canon,System.Double>::Invoke(",
        "RuntimePropertyInfo::StaticGetterAdapterFrame<System.Int16>(",
        "Nullable`1<System.Byte>::get_HasValue(",
        // Called through derived classes, lookups and interfaces of vectors.
        "Table`1<Money>::get_Count(",
        "Pair`2<__Canon,System.Int64>::Show(",
        "List`1<System.Collections.Generic.KeyValuePair`2<__Canon,System.Int32>>::.ctor(",
        "System.Array::InternalArray__IndexOf<Color>(",
    ] {
        assert!(shown.contains(wanted), "{wanted} is missing");
    }
}

/// Generic virtual methods that call each other with ever larger arguments.
const ENDLESS: &str = r#"
struct Pair<A, B> { public A First; public B Second; }
abstract class Op { public abstract int Run<T>(T key); }
class Left : Op { public Op Next; public override int Run<T>(T key) { return Next.Run(new Pair<T, int>()); } }
class Right : Op { public Op Next; public override int Run<T>(T key) { return Next.Run(new Pair<int, T>()); } }
class P { static void Main() { System.Console.WriteLine(new Left().Run(1)); } }
"#;

#[test]
fn endless_instantiation_ends() {
    let lab = Lab::new();
    lab.mcs("p.exe", ENDLESS, &[]);
    let out = lab.aotc(&["--all", "--stats", "p.exe"]);
    assert_eq!(out.status.code(), Some(0), "{}", errors(&out));
    let count = errors(&out)
        .lines()
        .find_map(|l| l.trim().strip_prefix("instances"))
        .and_then(|n| n.trim().parse::<u32>().ok());
    assert!(
        count.is_some_and(|n| (4..200).contains(&n)),
        "{}",
        errors(&out)
    );
    let shown = text(&lab.aotc(&["inspect", "--methods", "p.exe.so"]));
    assert!(shown.contains("Left::Run<System.Int32>("), "{shown}");
}
