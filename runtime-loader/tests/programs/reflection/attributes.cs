// Custom attributes of every form, as objects and as data; inheritance; pseudo attributes.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: AssemblyTitle("the title")]
[assembly: AssemblyVersion("1.2.3.4")]
[assembly: All(1, Name = "asm")]
[module: All(2)]
public enum Small : sbyte { Neg = -1, Pos = 5 } [Flags] public enum Big : ulong { Max = ulong.MaxValue, Two = 2 }
[AttributeUsage(AttributeTargets.All, AllowMultiple = true, Inherited = true)]
public class AllAttribute : Attribute
{
    public AllAttribute() { } public AllAttribute(int i) { Text = "i" + i; } public AllAttribute(string s, Type t) { Text = s + t; } public AllAttribute(params object[] o) { Text = o == null ? "nullarr" : "[" + string.Join(",", o.Select(Show)) + "]"; }
    public AllAttribute(Small s, Big b) { Text = s + "/" + b; } public AllAttribute(double d, float f, char c, bool b, long l, byte y, ushort u) { Text = d + "," + f + "," + c + b + l + y + u; } public AllAttribute(int[] a, string[] s, Type[] t, Small[] e) { Text = string.Join(",", a) + string.Join(",", s.Select(x => x ?? "null")) + string.Join<Type>(",", t) + string.Join(",", e); }
    public string Text; public string Name { get; set; } public Type T; public object O { get; set; } public Big B; public int[] Arr { get; set; } public Small[] Es;
    static string Show(object o) { return o == null ? "null" : o is Array ? "{" + string.Join(";", ((Array)o).Cast<object>().Select(Show)) + "}" : o.GetType().Name + ":" + o; }
    public override string ToString() { return "All " + Text + " " + Name + T + Show(O) + B + (Arr == null ? "" : string.Join("+", Arr)) + (Es == null ? "" : string.Join("+", Es)); }
}
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, Inherited = false)] class OnceAttribute : Attribute { public int N; }
class DerivedAllAttribute : AllAttribute { public DerivedAllAttribute() : base("d", null) { } }
class ThrowingAttribute : Attribute { public ThrowingAttribute() { throw new InvalidOperationException("ctor"); } }
class BadPropAttribute : Attribute { public int P { get { return 0; } set { throw new InvalidOperationException("setter"); } } }
class GenericArgAttribute : Attribute { public GenericArgAttribute(Type t) { T = t; } public Type T; public override string ToString() { return "GA " + T; } }
[All, All(7), All("s", typeof(List<>)), All("t", typeof(Dictionary<string, List<int>[]>)), All(Small.Neg, Big.Max), All(1.5, 2.5f, 'x', true, long.MinValue, 255, 65535), All(new[] { 1, 2 }, new[] { "a", null }, new[] { typeof(int), typeof(Base.Nest) }, new[] { Small.Pos, Small.Neg }), All(1, "two", null, 3.0, typeof(int), Small.Pos, new object[] { 1, "x" }, new[] { 1L, 2L }), All((object[])null), All(Name = "nm", T = typeof(Base.Nest), O = Big.Two, B = Big.Max, Arr = new[] { 4, 5 }, Es = new[] { Small.Neg })]
[Once(N = 3), Serializable, Obsolete("old")]
public class Base { public class Nest { } [All("virt", null), Once] public virtual void V([All(9)] int p) { } [All("prop", null)] public virtual int Prop { get; set; } [All("ev", null)] public virtual event Action Ev; [All("f", null)] [NonSerialized] public int F; [return: All("ret", null)] public int R() { return 0; } public void G<[All("gp", null)] T>() { } [All("ctor", null)] public Base() { } [GenericArg(typeof(int[,]))] public void GA() { } }
[DerivedAll] public class Derived : Base { public override void V(int p) { } public override int Prop { get; set; } public override event Action Ev; }
[Throwing] class T1 { } [BadProp(P = 1)] class T2 { }
[ComImport, Guid("00000000-0000-0000-C000-000000000046"), InterfaceType(ComInterfaceType.InterfaceIsIUnknown)] interface ICom { [PreserveSig] int M(); }
class Sig { public void M(int a, out int b, ref int c, [Optional, DefaultParameterValue(5)] int d, [MarshalAs(UnmanagedType.LPArray, SizeParamIndex = 1)] int[] e, [In, Out] object f, [DecimalConstant(1, 0, 0, 0, 15)] decimal g, [CallerMemberName] string h = "") { b = 0; } [MethodImpl(MethodImplOptions.AggressiveInlining)] public dynamic Dyn(Dictionary<dynamic, object> d) { return d; } [StructLayout(LayoutKind.Auto)] public struct Auto { public int A; } }

static class P
{
    static void Show(string what, IEnumerable<object> all) { Console.WriteLine(what + ": " + string.Join(" | ", all.Select(x => x.ToString()).OrderBy(x => x, StringComparer.Ordinal))); }
    static void Data(string what, IEnumerable<CustomAttributeData> all) { Console.WriteLine(what + "#"); foreach (var d in all.OrderBy(x => x.ToString(), StringComparer.Ordinal)) { Console.WriteLine("  " + d); foreach (var a in d.ConstructorArguments) Console.WriteLine("    " + a.ArgumentType + " " + (a.Value is IEnumerable<CustomAttributeTypedArgument> ? "[" + string.Join(";", (IEnumerable<CustomAttributeTypedArgument>)a.Value) + "]" : (a.Value ?? "null").GetType().Name + " " + a.Value)); foreach (var n in d.NamedArguments) Console.WriteLine("    " + n.MemberInfo.Name + " " + n.IsField + " " + n.TypedValue.ArgumentType + " " + n); } }
    static void Try(string what, Func<object> f) { try { Console.WriteLine(what + ": " + (f() ?? "null")); } catch (Exception e) { Console.WriteLine(what + ": " + e.GetType().Name + ": " + e.Message + " <- " + (e.InnerException == null ? "" : e.InnerException.Message)); } }
    static void Main()
    {
        Show("base", typeof(Base).GetCustomAttributes(false)); Show("derived", typeof(Derived).GetCustomAttributes(true)); Show("derived own", typeof(Derived).GetCustomAttributes(false)); Show("derived all", typeof(Derived).GetCustomAttributes(typeof(AllAttribute), true));
        foreach (var b in new[] { true, false }) { Show("m " + b, typeof(Derived).GetMethod("V").GetCustomAttributes(b)); Show("p " + b, typeof(Derived).GetProperty("Prop").GetCustomAttributes(b)); Show("p static " + b, Attribute.GetCustomAttributes(typeof(Derived).GetProperty("Prop"), b)); Show("e " + b, Attribute.GetCustomAttributes(typeof(Derived).GetEvent("Ev"), b)); Show("param " + b, Attribute.GetCustomAttributes(typeof(Derived).GetMethod("V").GetParameters()[0], b)); }
        Show("f", typeof(Base).GetField("F").GetCustomAttributes(false)); Show("ret", typeof(Base).GetMethod("R").ReturnTypeCustomAttributes.GetCustomAttributes(false)); Show("ret2", typeof(Base).GetMethod("R").ReturnParameter.GetCustomAttributes(true)); Show("gp", typeof(Base).GetMethod("G").GetGenericArguments()[0].GetCustomAttributes(false)); Show("ctor", typeof(Base).GetConstructors()[0].GetCustomAttributes(false)); Show("ga", typeof(Base).GetMethod("GA").GetCustomAttributes(false));
        Show("asm", typeof(P).Assembly.GetCustomAttributes(typeof(AllAttribute), false)); Show("mod", typeof(P).Module.GetCustomAttributes(typeof(AllAttribute), false)); Console.WriteLine(((AssemblyTitleAttribute)Attribute.GetCustomAttribute(typeof(P).Assembly, typeof(AssemblyTitleAttribute))).Title + typeof(P).Assembly.GetName().Version);
        Console.WriteLine(typeof(Derived).IsDefined(typeof(OnceAttribute), true) + "" + typeof(Derived).IsDefined(typeof(AllAttribute), false) + typeof(Derived).IsDefined(typeof(Attribute), true) + Attribute.IsDefined(typeof(Derived).GetMethod("V"), typeof(AllAttribute)) + Attribute.IsDefined(typeof(Derived).GetMethod("V"), typeof(AllAttribute), false) + typeof(Base).IsDefined(typeof(SerializableAttribute), false) + typeof(Base).GetField("F").IsDefined(typeof(NonSerializedAttribute), false));
        Try("amb", () => Attribute.GetCustomAttribute(typeof(Base), typeof(AllAttribute))); Try("throwing", () => typeof(T1).GetCustomAttributes(false).Length); Try("badprop", () => typeof(T2).GetCustomAttributes(false).Length); Try("not attr", () => typeof(Base).GetCustomAttributes(typeof(string), false).Length); Try("null", () => typeof(Base).GetCustomAttributes(null, false));
        Try("ext", () => typeof(Base).GetCustomAttribute<OnceAttribute>().N); Try("exts", () => typeof(Derived).GetCustomAttributes<AllAttribute>().Count()); Try("typed array", () => typeof(Base).GetCustomAttributes(typeof(OnceAttribute), false).GetType());
        Data("base", typeof(Base).GetCustomAttributesData()); Data("m", typeof(Base).GetMethod("V").GetCustomAttributesData()); Data("param", typeof(Base).GetMethod("V").GetParameters()[0].GetCustomAttributesData()); Data("throwing", typeof(T1).GetCustomAttributesData()); Data("asm", typeof(P).Assembly.GetCustomAttributesData().Where(d => d.Constructor.DeclaringType == typeof(AllAttribute))); Data("f", typeof(Base).GetField("F").GetCustomAttributesData()); Data("com", typeof(ICom).GetCustomAttributesData());
        Show("com", typeof(ICom).GetCustomAttributes(false)); Show("comm", typeof(ICom).GetMethod("M").GetCustomAttributes(false)); Console.WriteLine(typeof(ICom).GUID + " " + typeof(ICom).IsImport);
        foreach (var p in typeof(Sig).GetMethod("M").GetParameters()) { Show(p.ToString() + " " + p.Attributes + " " + p.HasDefaultValue + (p.DefaultValue ?? "null") + " mods " + string.Join(",", p.GetRequiredCustomModifiers().Select(x => x.Name)), p.GetCustomAttributes(false)); }
        Show("dyn", typeof(Sig).GetMethod("Dyn").ReturnParameter.GetCustomAttributes(false)); Show("dynp", typeof(Sig).GetMethod("Dyn").GetParameters()[0].GetCustomAttributes(false)); var ma = typeof(Sig).GetMethod("M").GetParameters()[4].GetCustomAttribute<MarshalAsAttribute>(); Console.WriteLine(ma.Value + " " + ma.SizeParamIndex + ma.ArraySubType); Console.WriteLine(typeof(Sig.Auto).StructLayoutAttribute.Value + " " + typeof(Sig).GetMethod("Dyn").MethodImplementationFlags);
        Console.WriteLine(new OnceAttribute { N = 1 }.Equals(new OnceAttribute { N = 1 }) + "" + new OnceAttribute { N = 1 }.Equals(new OnceAttribute { N = 2 }) + new OnceAttribute().Match(new OnceAttribute()) + new OnceAttribute().IsDefaultAttribute() + (new OnceAttribute { N = 1 }.GetHashCode() == new OnceAttribute { N = 1 }.GetHashCode()) + new OnceAttribute().TypeId);
        Show("usage", typeof(AllAttribute).GetCustomAttributes(false).Select(a => (object)(((AttributeUsageAttribute)a).ValidOn + "" + ((AttributeUsageAttribute)a).AllowMultiple)));
    }
}
