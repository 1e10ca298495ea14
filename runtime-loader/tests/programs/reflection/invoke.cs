// Invocation: by-ref and out arguments, nullables, pointers, defaults, params, conversions, constructors, fields.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;

public struct Point { public int X, Y; public Point(int x, int y) { X = x; Y = y; } public void Move(int dx) { X += dx; } public override string ToString() { return X + "," + Y; } public static Point operator +(Point a, Point b) { return new Point(a.X + b.X, a.Y + b.Y); } }
public enum Level : byte { Low = 1, High = 200 }
public class Base { protected int b = 1; public virtual string V(object o) { return "base " + o; } public string Hidden() { return "bh"; } private string Priv() { return "priv"; } public static int Count; }
public class Target : Base
{
    public Target() { } public Target(int n) { N = n; } public Target(string s, params int[] more) { N = s.Length + more.Sum(); } protected Target(long l) { N = (int)l * 10; }
    public int N; public readonly string Ro = "ro"; public const long K = long.MaxValue; public int? Maybe; public Level Lv = Level.High; public static string S = "s"; [ThreadStatic] public static int T;
    public override string V(object o) { return "target " + (o ?? "null"); }
    public new string Hidden() { return "th"; }
    public void Refs(ref int a, out string b, ref Point p, ref object o, ref int? n) { a++; b = "out" + a; p.X = 7; o = "changed"; n = n == null ? 5 : (int?)null; }
    public int? Null(int? n) { return n + 1; }
    public string Opt(int a, string b = "bb", decimal c = 1.5m, Level l = Level.High, DateTime d = default(DateTime), int? e = null) { return a + b + c + l + d.Ticks + (e == null); }
    public string Params(string f, params object[] a) { return f + a.Length; }
    public static T Gen<T, U>(T t, U u) where U : class { return t; }
    public List<T> GenList<T>(T[] a) { return a.ToList(); }
    public unsafe int* Ptr(int* p) { *p += 1; return p; }
    public long Widen(long l, double d, object o) { return l + (long)d; }
    public Level Lev(Level l) { return l; }
    public Point Pt(Point p, int k) { return new Point(p.X * k, p.Y * k); }
    public void Throws() { throw new InvalidOperationException("inner"); }
    public string Over(int i) { return "int"; } public string Over(long i) { return "long"; } public string Over(object o) { return "object"; } public string Over(string s) { return "string"; }
    public int this[string k, int n] { get { return k.Length + n; } set { N = value; } }
    public string Name { get; private set; }
    private static int Secret { get { return 99; } }
    public event EventHandler Ev;
    public void Fire() { if (Ev != null) Ev(this, EventArgs.Empty); }
    public char C(char c, byte b, short s, float f) { return (char)(c + b + s + (int)f); }
    public IntPtr Ip(IntPtr p, UIntPtr u) { return p; }
    public ref int RefRet() { return ref N; }
}

static class P
{
    const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
    static void Try(string what, Func<object> f)
    {
        try { var r = f(); Console.WriteLine(what + ": " + (r == null ? "null" : r.GetType().Name + " " + Convert.ToString(r, CultureInfo.InvariantCulture))); }
        catch (Exception e) { Console.WriteLine(what + ": " + e.GetType().Name + ": " + e.Message + (e.InnerException == null ? "" : " <- " + e.InnerException.GetType().Name + ": " + e.InnerException.Message)); }
    }
    static object Call(object o, string name, params object[] a) { return o.GetType().GetMethod(name).Invoke(o, a); }

    unsafe static void Main()
    {
        var t = new Target(3); var ty = typeof(Target);
        var args = new object[] { 1, null, new Point(1, 2), "o", null };
        Call(t, "Refs", args); Console.WriteLine(string.Join("|", args.Select(x => x ?? "null")));
        Call(t, "Refs", args); Console.WriteLine(string.Join("|", args.Select(x => x ?? "null")));
        args = new object[5]; Try("null refs", () => { Call(t, "Refs", args); return string.Join("|", args.Select(x => x ?? "null")); });
        Try("null+1", () => Call(t, "Null", 4)); Try("null null", () => Call(t, "Null", new object[] { null }));
        Try("opt", () => ty.InvokeMember("Opt", BindingFlags.InvokeMethod | BindingFlags.OptionalParamBinding | BindingFlags.Instance | BindingFlags.Public, null, t, new object[] { 1 }));
        Try("missing", () => ty.GetMethod("Opt").Invoke(t, new object[] { 1, Type.Missing, Type.Missing, Type.Missing, Type.Missing, Type.Missing }));
        Try("missing2", () => ty.GetMethod("Null").Invoke(t, new object[] { Type.Missing }));
        foreach (var p in ty.GetMethod("Opt").GetParameters()) Console.WriteLine(p + " " + p.IsOptional + p.HasDefaultValue + " " + (p.DefaultValue ?? "null") + " " + (p.RawDefaultValue ?? "null") + " " + p.Attributes);
        Try("params", () => Call(t, "Params", "f", new object[] { 1, 2 }));
        Try("params bad", () => Call(t, "Params", "f", 1));
        Try("gen", () => ty.GetMethod("Gen").MakeGenericMethod(typeof(int), typeof(string)).Invoke(null, new object[] { 5, "x" }));
        Try("gen open", () => ty.GetMethod("Gen").Invoke(null, new object[] { 5, "x" }));
        Try("gen bad", () => ty.GetMethod("Gen").MakeGenericMethod(typeof(int), typeof(int)));
        Try("gen count", () => ty.GetMethod("Gen").MakeGenericMethod(typeof(int)));
        Try("genlist", () => ((List<string>)ty.GetMethod("GenList").MakeGenericMethod(typeof(string)).Invoke(t, new object[] { new[] { "a", "b" } })).Count);
        int cell = 41; Try("ptr", () => { int c = 41; var r = (Pointer)Call(t, "Ptr", Pointer.Box(&c, typeof(int*))); return c + " " + *(int*)Pointer.Unbox(r); });
        Try("ptr ip", () => { int c = 1; Call(t, "Ptr", (IntPtr)(&c)); return c; });
        Try("widen", () => Call(t, "Widen", (short)2, 3, null)); Try("widen bad", () => Call(t, "Widen", 2.5, 3, null)); Try("widen char", () => Call(t, "Widen", 'a', 1f, null));
        Try("enum", () => Call(t, "Lev", Level.Low)); Try("enum byte", () => Call(t, "Lev", (byte)1)); Try("enum int", () => Call(t, "Lev", 1));
        Try("struct", () => Call(t, "Pt", new Point(1, 2), 3)); Try("struct null", () => Call(t, "Pt", null, 3));
        object boxed = new Point(1, 1); Call(boxed, "Move", 5); Console.WriteLine(boxed);
        Try("op", () => typeof(Point).GetMethod("op_Addition").Invoke(null, new object[] { boxed, boxed }));
        Try("throws", () => Call(t, "Throws"));
        Try("throws direct", () => ty.GetMethod("Throws").Invoke(t, BindingFlags.Default, null, null, null));
        Try("virtual", () => typeof(Base).GetMethod("V").Invoke(t, new object[] { 1 })); Try("hidden", () => typeof(Base).GetMethod("Hidden").Invoke(t, null)); Try("hidden2", () => Call(t, "Hidden"));
        Try("private", () => typeof(Base).GetMethod("Priv", All).Invoke(t, null)); Try("private inherited", () => ty.GetMethod("Priv", All) == null);
        Try("wrong target", () => ty.GetMethod("Throws").Invoke("s", null)); Try("no target", () => ty.GetMethod("Throws").Invoke(null, null)); Try("count", () => ty.GetMethod("Throws").Invoke(t, new object[] { 1 }));
        foreach (var a in new object[] { 1, 1L, "s", 'c', (byte)1, 2.5, null }) Try("over " + (a ?? "null"), () => ty.InvokeMember("Over", BindingFlags.InvokeMethod | BindingFlags.Public | BindingFlags.Instance, null, t, new[] { a }));
        Try("ambiguous", () => ty.GetMethod("Over")); Try("sel", () => ty.GetMethod("Over", new[] { typeof(short) }));
        Try("chars", () => Call(t, "C", 'a', (byte)1, (byte)1, 1)); Try("ip", () => Call(t, "Ip", new IntPtr(5), UIntPtr.Zero));
        Try("indexer", () => ty.GetProperty("Item").GetValue(t, new object[] { "abc", 2 })); ty.GetProperty("Item").SetValue(t, 77, new object[] { "", 0 }); Console.WriteLine(t.N);
        ty.GetProperty("Name").SetValue(t, "nm", null); Console.WriteLine(t.Name + ty.GetProperty("Name").GetSetMethod() + ty.GetProperty("Name").GetSetMethod(true) + ty.GetProperty("Secret", All).GetValue(null, null));
        Try("prop bad", () => { ty.GetProperty("Name").SetValue(t, 5, null); return 0; });
        foreach (var f in ty.GetFields(All).Where(f => !f.Name.Contains("<") && f.Name != "Ev").OrderBy(f => f.Name, StringComparer.Ordinal)) Console.WriteLine(f + " " + f.Attributes + " " + (f.GetValue(t) ?? "null"));
        Try("ro", () => { ty.GetField("Ro").SetValue(t, "set"); return t.Ro; }); Try("const", () => { ty.GetField("K").SetValue(null, 1L); return 0; });
        Try("maybe", () => { ty.GetField("Maybe").SetValue(t, 4); return t.Maybe; }); Try("maybe null", () => { ty.GetField("Maybe").SetValue(t, null); return t.Maybe == null; });
        Try("lv", () => { ty.GetField("Lv").SetValue(t, Level.Low); return t.Lv; }); Try("lv int", () => { ty.GetField("Lv").SetValue(t, 1); return t.Lv; }); Try("n short", () => { ty.GetField("N").SetValue(t, (short)9); return t.N; });
        Try("n bad", () => { ty.GetField("N").SetValue(t, 9L); return t.N; }); Try("field target", () => ty.GetField("N").GetValue("x")); Try("field null", () => ty.GetField("N").GetValue(null));
        Try("static via null", () => { ty.GetField("T").SetValue(null, 3); return Target.T; });
        int fired = 0; EventHandler h = (s, e) => fired++; var ev = ty.GetEvent("Ev"); ev.AddEventHandler(t, h); t.Fire(); ev.RemoveEventHandler(t, h); t.Fire(); Console.WriteLine(fired);
        Try("ctor", () => ((Target)Activator.CreateInstance(ty)).N); Try("ctor int", () => ((Target)Activator.CreateInstance(ty, 5)).N); Try("ctor params", () => ((Target)Activator.CreateInstance(ty, "ab", 1, 2)).N);
        Try("ctor prot", () => ((Target)Activator.CreateInstance(ty, All, null, new object[] { 4L }, null)).N); Try("ctor none", () => Activator.CreateInstance(ty, new object())); Try("ctor prot no", () => Activator.CreateInstance(ty, BindingFlags.Public | BindingFlags.Instance, null, new object[] { DateTime.Now }, null));
        Try("generic act", () => Activator.CreateInstance<Point>()); Try("abstract", () => Activator.CreateInstance(typeof(Array))); Try("iface", () => Activator.CreateInstance(typeof(IDisposable))); Try("open", () => Activator.CreateInstance(typeof(List<>)));
        Try("string", () => Activator.CreateInstance(typeof(string), 'x', 3)); Try("array", () => ((int[])Activator.CreateInstance(typeof(int[]), 3)).Length); Try("nullable", () => Activator.CreateInstance(typeof(int?))); Try("nullable5", () => Activator.CreateInstance(typeof(int?), 5)); Try("void", () => Activator.CreateInstance(typeof(void)));
        Try("by name", () => Activator.CreateInstance(null, "Point").Unwrap()); Try("by name2", () => Activator.CreateInstance("mscorlib", "System.Text.StringBuilder").Unwrap().GetType()); Try("by name bad", () => Activator.CreateInstance("mscorlib", "No.Such"));
        Try("struct ctor", () => typeof(Point).GetConstructor(new[] { typeof(int), typeof(int) }).Invoke(new object[] { 3, 4 })); Try("re-ctor", () => { typeof(Target).GetConstructor(new[] { typeof(int) }).Invoke(t, new object[] { 123 }); return t.N; });
        Try("array get", () => typeof(int[,]).GetMethod("Get").Invoke(new[,] { { 1, 2 }, { 3, 4 } }, new object[] { 1, 0 })); Try("array ctor", () => ((int[,])typeof(int[,]).GetConstructors()[0].Invoke(new object[] { 2, 3 })).Length);
        Try("nested vectors", () => { var ctors = typeof(int[][]).GetConstructors(); var a = (int[][])ctors[1].Invoke(new object[] { 2, 3 }); return ctors.Length + " " + a.Length + a[1].Length + typeof(int[][][]).GetConstructors().Length; });
        Try("refret", () => ty.GetMethod("RefRet").ReturnType);
        Try("object[] null args", () => ty.GetMethod("V").Invoke(t, new object[] { null }));
        Try("delegate dyn", () => new Func<int, string>(x => "d" + x).DynamicInvoke(4)); Try("delegate dyn bad", () => new Func<int, string>(x => "d" + x).DynamicInvoke("q")); Try("delegate throw", () => new Action(() => { throw new Exception("dd"); }).DynamicInvoke());
        Try("getset", () => ty.InvokeMember("N", BindingFlags.SetField | BindingFlags.Public | BindingFlags.Instance, null, t, new object[] { 6 }) ?? t.N);
        Try("getfield", () => ty.InvokeMember("N", BindingFlags.GetField | BindingFlags.Public | BindingFlags.Instance, null, t, null)); Try("create", () => ((Target)ty.InvokeMember(null, BindingFlags.CreateInstance, null, null, new object[] { 8 })).N); Try("named", () => ty.InvokeMember("Opt", BindingFlags.InvokeMethod, null, t, new object[] { "zz", 4, 1m, Level.Low, DateTime.MinValue, 3 }, null, null, new[] { "b", "a" })); Try("no member", () => ty.InvokeMember("Nope", BindingFlags.InvokeMethod, null, t, null));
    }
}
