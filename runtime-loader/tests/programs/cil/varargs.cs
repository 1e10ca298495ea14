using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

// Variable argument lists in C#: `__arglist`. (mcs writes wrong code for constructors and `ref`: see varargs_il.il.)
struct Pair { public int A; public object O; public long B; }

class Base {
  public virtual int Sum(__arglist) { return V.Add(new ArgIterator(__arglist)); }
}
class Derived : Base {
  public override int Sum(__arglist) { return 1000 + V.Add(new ArgIterator(__arglist)); }
}
class Owner<T> {
  // The callers' code is shared; the types in the list are exact.
  public string Types(T x, List<T> l) { return V.Types(__arglist(x, l, 5)); }
  public static string Static(T x) { return V.Types(__arglist(x)); }
}

static class V {
  public static int Add(ArgIterator it) {
    int sum = 0;
    while (it.GetRemainingCount() > 0) sum = sum * 10 + __refvalue(it.GetNextArg(), int);
    it.End();
    return sum;
  }
  public static string All(ArgIterator it) {
    var s = new StringBuilder();
    while (it.GetRemainingCount() > 0) s.Append(TypedReference.ToObject(it.GetNextArg())).Append(' ');
    return s.ToString();
  }
  public static string Types(__arglist) {
    var it = new ArgIterator(__arglist);
    var s = new StringBuilder();
    while (it.GetRemainingCount() > 0) { s.Append(Type.GetTypeFromHandle(it.GetNextArgType()).Name).Append(' '); it.GetNextArg(); }
    return s.ToString();
  }
  [MethodImpl(MethodImplOptions.NoInlining)] public static int Count(int x, __arglist) { return x + new ArgIterator(__arglist).GetRemainingCount(); }
  public static string List(__arglist) { return All(new ArgIterator(__arglist)); }
  public static int Sum(__arglist) { return Add(new ArgIterator(__arglist)); }
  // A list may be handed on while the caller's call lasts.
  public static int Inner(RuntimeArgumentHandle list) { return Add(new ArgIterator(list)); }
  public static int Outer(__arglist) { return Inner(__arglist); }
  public static void Bump(__arglist) {
    var it = new ArgIterator(__arglist);
    while (it.GetRemainingCount() > 0) { var r = it.GetNextArg(); __refvalue(r, int) += 5; }
  }
  public static Pair Make(int a, __arglist) {
    var it = new ArgIterator(__arglist);
    var p = __refvalue(it.GetNextArg(), Pair);
    p.A += a; p.O = TypedReference.ToObject(it.GetNextArg());
    return p;
  }
  public static int Typed(__arglist) {
    var it = new ArgIterator(__arglist);
    var r = it.GetNextArg(typeof(int).TypeHandle);
    return __refvalue(r, int) * 10 + it.GetRemainingCount();
  }
}

static class Tests {
  public static int test_123_sum() { return V.Sum(__arglist(1, 2, 3)); }
  public static int test_0_empty() { return V.Sum(__arglist()); }
  public static int test_45_fixed() { return V.Count(42, __arglist("a", 1.5, (object)null)); }
  public static int test_1_objects() {
    return V.List(__arglist(1, "two", 3.5, 4.5f, 'c', true, (byte)200, (short)-3, 1L << 40, DayOfWeek.Friday)) ==
      "1 two 3.5 4.5 c True 200 -3 1099511627776 Friday " ? 1 : 0;
  }
  public static int test_1_types() {
    object o = "x";
    return V.Types(__arglist(1, "s", o, new int[1], (sbyte)1, new Pair(), DayOfWeek.Monday)) == "Int32 String Object Int32[] SByte Pair DayOfWeek " ? 1 : 0;
  }
  public static int test_456_outer() { return V.Outer(__arglist(4, 5, 6)); }
  public static int test_1_copied() { int a = 1; V.Bump(__arglist(a)); return a; }
  public static int test_1_struct() {
    var p = new Pair { A = 3, B = 99 };
    var q = V.Make(4, __arglist(p, "obj"));
    return p.A == 3 && p.O == null && q.A == 7 && (string)q.O == "obj" && q.B == 99 ? 1 : 0;
  }
  public static int test_1012_virtual() { Base b = new Derived(); return b.Sum(__arglist(1, 2)); }
  public static int test_12_nonvirtual() { Base b = new Base(); return b.Sum(__arglist(1, 2)); }
  public static int test_1_shared() {
    return new Owner<string>().Types("x", null) == "String List`1 Int32 " && new Owner<Base>().Types(null, null) == "Base List`1 Int32 "
      && Owner<Version>.Static(null) == "Version " && Owner<int>.Static(1) == "Int32 " ? 1 : 0;
  }
  public static int test_71_withtype() { return V.Typed(__arglist("a", 2L, 7, 8)); }
  public static int test_1_pasttheend() {
    try { V.Typed(__arglist("a", 2L)); } catch (InvalidOperationException) { return 1; }
    return 0;
  }
  public static int test_1_collections() {
    object o = new string('q', 3);
    return Collecting(__arglist(o, new int[5], new string('z', 2))) == "qqq 5 zz" ? 1 : 0;
  }
  static string Collecting(__arglist) {
    var it = new ArgIterator(__arglist);
    GC.Collect();
    var first = __refvalue(it.GetNextArg(), object);
    for (int i = 0; i < 1000; i++) first.GetHashCode().ToString();
    GC.Collect();
    return first + " " + __refvalue(it.GetNextArg(), int[]).Length + " " + __refvalue(it.GetNextArg(), string);
  }
  public static int test_1_reflection() {
    try { typeof(V).GetMethod("Sum").Invoke(null, null); } catch (System.Reflection.TargetInvocationException e) { return e.InnerException is NotSupportedException ? 1 : 2; }
    return 0;
  }

  [DllImport("libc")] static extern int snprintf(byte[] buffer, IntPtr size, string format, __arglist);
  static string Text(byte[] b) { return Encoding.UTF8.GetString(b, 0, Array.IndexOf(b, (byte)0)); }
  public static int test_1_printf() {
    var b = new byte[200];
    int n = snprintf(b, (IntPtr)b.Length, "%d %s %.2f %.1f %c %ld %x", __arglist(42, "text", 2.25, 1.5f, 'x', 1L << 40, (byte)255));
    return n == Text(b).Length && Text(b) == "42 text 2.25 1.5 x 1099511627776 ff" ? 1 : 0;
  }
  public static int test_1_printfmany() {
    var b = new byte[200];
    snprintf(b, (IntPtr)b.Length, "%d%d%d%d%d%d%g%g%g%g%g%g%g%g%g%g%d",
      __arglist(1, 2, 3, 4, 5, 6, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.5, 7));
    return Text(b) == "12345612345678910.57" ? 1 : 0;
  }
  public static int test_1_printfnothing() {
    var b = new byte[20];
    snprintf(b, (IntPtr)b.Length, "none", __arglist());
    return Text(b) == "none" ? 1 : 0;
  }
}
