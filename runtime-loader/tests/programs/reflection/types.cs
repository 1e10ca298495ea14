// Types: names of every form, relations, members and their order, generics, arrays.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace N.M {
  public class Outer<T> { public class Inner<U> { public class Leaf { public T t; public U u; public Dictionary<T, U[]>[,] d; } public void F(ref T t, U[] u, out List<T>.Enumerator e) { e = default(List<T>.Enumerator); } } public enum E { A } public T this[int i] { get { return default(T); } } public struct S { } public delegate U D<U>(T t, params U[] u); }
  public interface IA { void A(); int P { get; } } public interface IB : IA, IDisposable { void B(); } public interface IG<in T, out U> { U M(T t); }
  public abstract class Abs : IB { public abstract void B(); void IA.A() { } int IA.P { get { return 1; } } public virtual void Dispose() { } protected internal static int si; internal readonly int ro; protected abstract int Q { get; set; } ~Abs() { } static Abs() { } }
  public sealed class Der : Abs, IG<object, string>, IEnumerable<int> { public override void B() { } public override void Dispose() { } protected override int Q { get; set; } public string M(object o) { return null; } public IEnumerator<int> GetEnumerator() { yield return 1; } IEnumerator IEnumerable.GetEnumerator() { return null; } public new string ToString() { return ""; } public static explicit operator int(Der d) { return 0; } public static Der operator ++(Der d) { return d; } }
  public class Con<A, B, C, D> where A : class, new() where B : struct where C : Abs, IA where D : A { }
  [StructLayout(LayoutKind.Explicit, Size = 20, Pack = 2)] public struct Lay { [FieldOffset(4)] public int a; [FieldOffset(0), MarshalAs(UnmanagedType.I1)] public bool b; [NonSerialized, FieldOffset(8)] public long c; }
  public static class Ext { public static int Len(this string s, [Optional] int x, [In] ref int y, [Out] int[] z, params string[] more) { return 0; } [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.Synchronized)] public static void Im() { } [DllImport("libc", EntryPoint = "getpid", SetLastError = true, CharSet = CharSet.Unicode)] public static extern int Pid(); [Obsolete("x")] public static volatile int V; }
}
class Gen<T> { public static T F; public class N { } }
class GenD : Gen<GenD>, IComparable<GenD> { public int CompareTo(GenD o) { return 0; } }

static class P
{
    const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
    const BindingFlags Decl = All | BindingFlags.DeclaredOnly;
    static void Try(string what, Func<object> f) { try { Console.WriteLine(what + ": " + (f() ?? "null")); } catch (Exception e) { Console.WriteLine(what + ": " + e.GetType().Name + ": " + e.Message.Replace("\n", " ")); } }
    static void Type1(Type t)
    {
        Console.WriteLine("== " + t);
        Console.WriteLine(t.Name + "|" + t.FullName + "|" + t.Namespace + "|" + t.BaseType + "|" + t.DeclaringType + "|" + t.Attributes);
        Console.WriteLine("gen " + t.IsGenericType + t.IsGenericTypeDefinition + t.ContainsGenericParameters + t.IsGenericParameter + t.IsConstructedGenericType + " " + string.Join(",", t.GetGenericArguments().Select(x => x.ToString())));
        Console.WriteLine("is " + t.IsClass + t.IsInterface + t.IsValueType + t.IsEnum + t.IsAbstract + t.IsSealed + t.IsPublic + t.IsNotPublic + t.IsNested + t.IsNestedPublic + t.IsArray + t.IsPointer + t.IsByRef + t.HasElementType + t.IsPrimitive + t.IsSerializable + t.IsVisible + t.IsSpecialName + t.IsAutoLayout + t.IsLayoutSequential + t.IsExplicitLayout + Type.GetTypeCode(t));
        Console.WriteLine("ifs " + string.Join(",", t.GetInterfaces().Select(x => x.ToString())));
    }
    static void Members(Type t) { Console.WriteLine("-- " + t); foreach (var m in t.GetMembers(Decl)) Console.WriteLine(m.MemberType + " " + m + " " + (m is MethodBase ? ((MethodBase)m).Attributes + " " + ((MethodBase)m).GetMethodImplementationFlags() + " " + ((MethodBase)m).CallingConvention : m is FieldInfo ? ((FieldInfo)m).Attributes + "" : "")); }

    static void Main()
    {
        foreach (var t in new[] { typeof(N.M.Outer<>), typeof(N.M.Outer<int>), typeof(N.M.Outer<>.Inner<>.Leaf), typeof(N.M.Outer<string>.Inner<int[]>.Leaf), typeof(N.M.Outer<>.E), typeof(N.M.Outer<int>.E), typeof(N.M.Outer<>.D<>), typeof(N.M.Abs), typeof(N.M.Der), typeof(N.M.Lay), typeof(N.M.Ext), typeof(N.M.IG<,>), typeof(GenD), typeof(Gen<GenD>.N), typeof(int), typeof(int[]), typeof(int[,]), typeof(string[][,]), typeof(int*), typeof(int**[]), typeof(void), typeof(int?), typeof(List<>.Enumerator), typeof(TypedReference), typeof(Enum), typeof(ValueType), typeof(Delegate) }) Type1(t);
        Type1(typeof(N.M.Outer<>).GetGenericArguments()[0]); Type1(typeof(int).MakeByRefType()); Type1(typeof(int).MakeArrayType(1)); Type1(typeof(N.M.Outer<>).MakeArrayType()); Type1(typeof(N.M.Outer<>.Inner<>).GetMethod("F").GetParameters()[2].ParameterType); Type1(typeof(N.M.Outer<>.Inner<>.Leaf).GetField("d").FieldType); Type1(typeof(GenD).BaseType); Type1(typeof(N.M.IG<object, int>));
        foreach (var t in new[] { typeof(N.M.Outer<>.Inner<>), typeof(N.M.Outer<int>.Inner<string>), typeof(N.M.Outer<int>), typeof(N.M.IB), typeof(N.M.Abs), typeof(N.M.Der), typeof(N.M.Lay), typeof(N.M.Ext), typeof(int[]), typeof(int[,]), typeof(N.M.Outer<int>.D<string>) }) Members(t);
        foreach (var g in typeof(N.M.Con<,,,>).GetGenericArguments()) Console.WriteLine(g + " " + g.GenericParameterPosition + g.GenericParameterAttributes + " " + string.Join(",", g.GetGenericParameterConstraints().Select(x => x.ToString())) + " " + g.DeclaringType + (g.DeclaringMethod == null) + g.BaseType);
        foreach (var g in typeof(N.M.IG<,>).GetGenericArguments()) Console.WriteLine(g + " " + g.GenericParameterAttributes);
        foreach (var p in typeof(N.M.Ext).GetMethod("Len").GetParameters()) Console.WriteLine(p + " " + p.Attributes + p.IsIn + p.IsOut + p.IsOptional + p.Position + " " + string.Join(",", p.GetCustomAttributes(false).Select(a => a.GetType().Name).OrderBy(x => x)));
        foreach (var a in typeof(N.M.Ext).GetMethod("Pid").GetCustomAttributes(false).OrderBy(x => x.GetType().Name)) Console.WriteLine(a + (a is DllImportAttribute ? ((DllImportAttribute)a).Value + ((DllImportAttribute)a).EntryPoint + ((DllImportAttribute)a).SetLastError + ((DllImportAttribute)a).CharSet + ((DllImportAttribute)a).CallingConvention + ((DllImportAttribute)a).PreserveSig : ""));
        foreach (var f in typeof(N.M.Lay).GetFields()) Console.WriteLine(f.Name + string.Join(",", f.GetCustomAttributes(false).Select(a => a.GetType().Name).OrderBy(x => x)) + f.IsNotSerialized + f.IsPinvokeImpl); var sl = typeof(N.M.Lay).StructLayoutAttribute; Console.WriteLine(sl.Value + " " + sl.Size + " " + sl.Pack + " " + sl.CharSet); sl = typeof(string).StructLayoutAttribute; Console.WriteLine(sl.Value + " " + sl.Size + " " + sl.Pack + " " + sl.CharSet);
        Console.WriteLine(string.Join(",", typeof(N.M.Ext).GetField("V").GetRequiredCustomModifiers().Select(x => x.ToString())) + typeof(N.M.Ext).GetField("V").GetOptionalCustomModifiers().Length);
        foreach (var n in new[] { "N.M.Der", "n.m.der", "N.M.Outer`1", "N.M.Outer`1+Inner`1+Leaf", "N.M.Outer`1[System.Int32]", "N.M.Outer`1+Inner`1[[System.Int32],[System.String, mscorlib]]", "N.M.Outer`1[[N.M.Der, types]][]", "System.Int32", "System.Int32[]", "System.Int32[,]", "System.Int32[*]", "System.Int32*", "System.Int32&", "System.Int32[]&", "System.Int32&[]", "System.Int32**[,,][]", "System.Collections.Generic.Dictionary`2[System.String,System.Collections.Generic.List`1[System.Int32]]", "System.Collections.Generic.List`1[System.Int32][], mscorlib", "System.String, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089", "System.Uri, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089", "System.Uri", "Nope", "Nope, types", "Nope, nope", "", " System.Int32", "System.Int32 ", "System.Int32[", "System.Int32]", "N.M.Outer`1[", "N.M.Outer`1[]", "N.M.Outer`1[System.Int32,System.Int32]", "System.Void[]", "A\\+B", "System.Int32, mscorlib, Version=bad", "N.M.Outer`1+E[System.Int32]" })
       { Try("'" + n + "'", () => Type.GetType(n)); Try("  throw", () => Type.GetType(n, true)); }
        Try("ignore", () => Type.GetType("n.m.DER", false, true)); Try("null", () => Type.GetType(null)); Try("asm", () => typeof(P).Assembly.GetType("N.M.Der, mscorlib")); Try("asm2", () => typeof(P).Assembly.GetType("N.M.Outer`1[[System.Uri, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]"));  Try("asm3", () => typeof(P).Assembly.GetType("nope", true));
        Try("resolvers", () => Type.GetType("X.Y, Z", an => { Console.Write(an.Name + ";"); return typeof(P).Assembly; }, (a, n, ic) => { Console.Write(n + ic + ";"); return typeof(N.M.Der); }));
        Console.WriteLine(typeof(N.M.IA).IsAssignableFrom(typeof(N.M.Der)) + "" + typeof(IEnumerable<object>).IsAssignableFrom(typeof(List<string>)) + typeof(object[]).IsAssignableFrom(typeof(string[])) + typeof(uint[]).IsAssignableFrom(typeof(int[])) + typeof(N.M.IG<string, object>).IsAssignableFrom(typeof(N.M.Der)) + typeof(int?).IsAssignableFrom(typeof(int)) + typeof(object).IsAssignableFrom(typeof(int*)) + typeof(IList<int>).IsAssignableFrom(typeof(int[])) + typeof(Enum).IsAssignableFrom(typeof(DayOfWeek)) + typeof(int).IsAssignableFrom(typeof(DayOfWeek)) + typeof(Action<string>).IsAssignableFrom(typeof(Action<object>)) + typeof(N.M.Abs).IsSubclassOf(typeof(object)) + typeof(N.M.Abs).IsSubclassOf(typeof(N.M.Abs)) + typeof(IA2).IsSubclassOf(typeof(object)));
        foreach (var i in typeof(N.M.Der).GetInterfaces().Where(x => x != typeof(IEnumerable))) { var map = typeof(N.M.Der).GetInterfaceMap(i); for (int k = 0; k < map.TargetMethods.Length; k++) Console.WriteLine(map.InterfaceMethods[k] + " -> " + map.TargetMethods[k].DeclaringType + " " + map.TargetMethods[k]); }
        foreach (var m in typeof(N.M.Der).GetMethods(All).OrderBy(x => x.Name, StringComparer.Ordinal).ThenBy(x => x.DeclaringType.Name, StringComparer.Ordinal).ThenBy(x=>x.ToString(), StringComparer.Ordinal)) Console.WriteLine(m.DeclaringType.Name + "." + m + " base " + m.GetBaseDefinition().DeclaringType.Name + " refl " + m.ReflectedType.Name);
        Try("find iface", () => typeof(N.M.Der).GetInterface("IA")); Try("find iface2", () => typeof(N.M.Der).GetInterface("n.m.ib", true)); Try("find iface g", () => typeof(N.M.Der).GetInterface("IG`2"));
        Console.WriteLine(typeof(Dictionary<,>).MakeGenericType(typeof(int), typeof(N.M.Outer<>).GetGenericArguments()[0]) + " " + typeof(List<>).MakeGenericType(typeof(List<>)) + " " + (typeof(List<>).MakeGenericType(typeof(List<>).GetGenericArguments()) == typeof(List<>)));
        Try("mk void", () => typeof(List<>).MakeGenericType(typeof(void))); Try("mk ptr", () => typeof(List<>).MakeGenericType(typeof(int*))); Try("mk byref", () => typeof(List<>).MakeGenericType(typeof(int).MakeByRefType())); Try("mk count", () => typeof(List<>).MakeGenericType()); Try("mk not", () => typeof(int).MakeGenericType(typeof(int))); Try("mk cons", () => typeof(Nullable<>).MakeGenericType(typeof(string))); Try("mk null", () => typeof(List<>).MakeGenericType(null, null));
        Try("arr -1", () => typeof(int).MakeArrayType(0)); Try("arr 33", () => typeof(int).MakeArrayType(33)); Try("rank", () => typeof(int).GetArrayRank()); Try("byref2", () => typeof(int).MakeByRefType().MakeByRefType()); Try("enum names", () => string.Join(",", typeof(BindingFlags).GetEnumNames().Take(3)) + typeof(BindingFlags).GetEnumUnderlyingType()); Try("enum not", () => typeof(int).GetEnumNames());
        Console.WriteLine(typeof(N.M.Outer<int>).GetMethod("get_Item") == typeof(N.M.Outer<int>).GetProperty("Item").GetGetMethod()); Console.WriteLine(typeof(N.M.Outer<int>).GetProperty("Item").PropertyType + " " + typeof(N.M.Outer<>).GetProperty("Item").PropertyType + typeof(N.M.Outer<>).GetDefaultMembers().Length);
        Console.WriteLine(typeof(N.M.Outer<int>.Inner<string>).GetMethod("F").MetadataToken == typeof(N.M.Outer<>.Inner<>).GetMethod("F").MetadataToken); Console.WriteLine(typeof(GenD).GetMethod("CompareTo", new[] { typeof(GenD) }) + " " + typeof(Type).IsInstanceOfType(typeof(int)) + typeof(GenD).GUID.Equals(Guid.Empty));
        Try("filter", () => string.Join(",", typeof(N.M.Der).FindMembers(MemberTypes.Method, Decl, Type.FilterName, "G*").Select(x => x.ToString()))); Try("typeof arr", () => Type.GetTypeArray(new object[] { 1, "s" })[1]);
    }
    interface IA2 { }
}
