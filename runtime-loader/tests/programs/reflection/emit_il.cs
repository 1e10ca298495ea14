// What emitted code can refer to: arrays, generics and delegates over unfinished types, calli, filters, modifiers; builders asked
// like types.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

public class Root { public virtual T Echo<T>(T t) { return t; } public virtual string Name { get { return "root"; } } public static int Twice(int x) { return 2 * x; } protected internal virtual void Hook() { } }
public interface IGen { U Make<U>(U u, int n) where U : class; }
public interface IDup { string A(); } public interface IDup2 { string A(); }

static class P
{
    static ModuleBuilder module;
    const MethodAttributes Static = MethodAttributes.Public | MethodAttributes.Static;
    const MethodAttributes Virtual = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig;

    static void Main()
    {
        module = AppDomain.CurrentDomain.DefineDynamicAssembly(new AssemblyName("il"), AssemblyBuilderAccess.RunAndCollect).DefineDynamicModule("il");
        Section("asked", Asked); Section("arrays", Arrays); Section("over structs", OverStructs); Section("delegates", Delegates); Section("calli", Calli);
        Section("filter", Filter); Section("fault", Fault); Section("overrides", Overrides); Section("explicit", Explicit); Section("modifiers", Modifiers);
        Section("constants", Constants); Section("marshal", MarshalInfo); Section("iterator", Iterator); Section("writeline", WriteLine); Section("generic nested", GenericNested);
        Section("indexer", Indexer); Section("long branches", LongBranches); Section("raw body", RawBody); Section("ldtoken", Ldtoken); Section("mutual", Mutual); Section("static ctor", StaticCtor);
    }

    static void Section(string name, Action body)
    {
        Console.WriteLine("# " + name);
        try { body(); } catch (Exception e) { Console.WriteLine(e.GetType() + ": " + e.Message + (e.InnerException == null ? "" : " <- " + e.InnerException.GetType() + ": " + e.InnerException.Message)); }
    }
    static TypeBuilder Class(string name, Type parent = null, params Type[] interfaces) { return module.DefineType(name, TypeAttributes.Public, parent ?? typeof(object), interfaces); }
    static object Call(Type t, string m, params object[] a) { return t.GetMethod(m).Invoke(null, a); }

    static void Asked()
    {
        var t = Class("Asked", typeof(Root), typeof(IDisposable));
        var d = t.DefineMethod("Dispose", Virtual);
        d.GetILGenerator().Emit(OpCodes.Ret);
        t.DefineDefaultConstructor(MethodAttributes.Public);
        Console.WriteLine(t.IsSubclassOf(typeof(Root)) + " " + typeof(Root).IsAssignableFrom(t) + " " + typeof(IDisposable).IsAssignableFrom(t) + " " + t.IsClass + t.IsValueType + t.IsInterface + t.IsPublic + " " + t.FullName + " " + t.BaseType + " " + t.Attributes + " " + d + " " + d.DeclaringType + t.IsCreated());
        Console.WriteLine(typeof(List<>).MakeGenericType(t) + " " + t.MakeArrayType() + " " + t.MakeArrayType(2) + " " + t.MakeByRefType() + " " + t.MakePointerType() + " " + t.AssemblyQualifiedName);
        var c = t.CreateType();
        Console.WriteLine(t.IsCreated() + " " + (c.UnderlyingSystemType == c) + " " + typeof(Root).IsAssignableFrom(c) + " " + t.GetMethods().Length.Equals(c.GetMethods().Length) + " " + t.GetConstructors().Length + " " + string.Join(",", t.GetInterfaces().Select(x => x.Name)));
        using ((IDisposable)Activator.CreateInstance(c)) { }
        try { d.Invoke(null, null); } catch (NotSupportedException) { Console.WriteLine("not invoked"); }
    }

    static void Arrays()
    {
        var t = Class("Cell");
        var n = t.DefineField("n", typeof(int), FieldAttributes.Public);
        var ctor = t.DefineDefaultConstructor(MethodAttributes.Public);
        var m = t.DefineMethod("Fill", Static, t.MakeArrayType(), new[] { typeof(int) });
        var il = m.GetILGenerator();
        var a = il.DeclareLocal(t.MakeArrayType());
        var g = il.DeclareLocal(t.MakeArrayType(2));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Newarr, t);
        il.Emit(OpCodes.Stloc, a);
        il.Emit(OpCodes.Ldloc, a);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Newobj, ctor);
        il.Emit(OpCodes.Stelem, t);
        il.Emit(OpCodes.Ldloc, a);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldelem, t);
        il.Emit(OpCodes.Ldc_I4, 55);
        il.Emit(OpCodes.Stfld, n);
        // A two-dimensional array: its constructor, Set and Get.
        il.Emit(OpCodes.Ldc_I4_2);
        il.Emit(OpCodes.Ldc_I4_2);
        il.Emit(OpCodes.Newobj, module.GetArrayMethod(t.MakeArrayType(2), ".ctor", CallingConventions.HasThis, typeof(void), new[] { typeof(int), typeof(int) }));
        il.Emit(OpCodes.Stloc, g);
        il.Emit(OpCodes.Ldloc, g);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ldloc, a);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Call, module.GetArrayMethod(t.MakeArrayType(2), "Set", CallingConventions.HasThis, typeof(void), new[] { typeof(int), typeof(int), t }));
        il.Emit(OpCodes.Ldloc, a);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ldloc, g);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Call, module.GetArrayMethod(t.MakeArrayType(2), "Get", CallingConventions.HasThis, t, new[] { typeof(int), typeof(int) }));
        il.Emit(OpCodes.Stelem_Ref);
        il.Emit(OpCodes.Ldloc, a);
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        var all = (object[])Call(type, "Fill", 3);
        Console.WriteLine(all.GetType() + " " + all.Length + " " + (all[0] == all[1]) + type.GetField("n").GetValue(all[0]) + (all[2] == null));
    }

    static void OverStructs()
    {
        var s = module.DefineType("Pt", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout, typeof(ValueType));
        var x = s.DefineField("x", typeof(short), FieldAttributes.Public);
        var tag = s.DefineField("tag", typeof(string), FieldAttributes.Public);
        var t = Class("UsesPt");
        var list = typeof(List<>).MakeGenericType(s);
        var dict = typeof(Dictionary<,>).MakeGenericType(typeof(string), s);
        var m = t.DefineMethod("Run", Static, list, Type.EmptyTypes);
        var il = m.GetILGenerator();
        var l = il.DeclareLocal(list);
        var p = il.DeclareLocal(s);
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(list, typeof(List<>).GetConstructor(Type.EmptyTypes)));
        il.Emit(OpCodes.Stloc, l);
        il.Emit(OpCodes.Ldloca, p);
        il.Emit(OpCodes.Initobj, s);
        il.Emit(OpCodes.Ldloca, p);
        il.Emit(OpCodes.Ldc_I4, 70000);
        il.Emit(OpCodes.Stfld, x);
        il.Emit(OpCodes.Ldloca, p);
        il.Emit(OpCodes.Ldstr, "tagged");
        il.Emit(OpCodes.Stfld, tag);
        for (int i = 0; i < 2; i++)
        {
            il.Emit(OpCodes.Ldloc, l);
            il.Emit(OpCodes.Ldloc, p);
            il.Emit(OpCodes.Callvirt, TypeBuilder.GetMethod(list, typeof(List<>).GetMethod("Add")));
        }
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(dict, typeof(Dictionary<,>).GetConstructor(Type.EmptyTypes)));
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldstr, "k");
        il.Emit(OpCodes.Ldloc, p);
        il.Emit(OpCodes.Callvirt, TypeBuilder.GetMethod(dict, typeof(Dictionary<,>).GetMethod("Add")));
        il.Emit(OpCodes.Callvirt, TypeBuilder.GetMethod(dict, typeof(Dictionary<,>).GetProperty("Count").GetGetMethod()));
        il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ldloc, l);
        il.Emit(OpCodes.Ret);
        var st = s.CreateType();
        var all = ((System.Collections.IEnumerable)Call(t.CreateType(), "Run")).Cast<object>().ToList();
        GC.Collect();
        Console.WriteLine(all.Count + " " + all[0].GetType() + " " + st.GetField("x").GetValue(all[1]) + st.GetField("tag").GetValue(all[1]) + all[0].Equals(all[1]));
    }

    static void Delegates()
    {
        var t = Class("Closure");
        var n = t.DefineField("n", typeof(int), FieldAttributes.Public);
        var ctor = t.DefineDefaultConstructor(MethodAttributes.Public);
        var add = t.DefineMethod("Add", MethodAttributes.Public, typeof(int), new[] { typeof(int) });
        var il = add.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, n);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        var make = t.DefineMethod("Make", Static, typeof(Func<int, int>), new[] { typeof(int) });
        il = make.GetILGenerator();
        il.Emit(OpCodes.Newobj, ctor);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Stfld, n);
        il.Emit(OpCodes.Ldftn, add);
        il.Emit(OpCodes.Newobj, typeof(Func<int, int>).GetConstructors()[0]);
        il.Emit(OpCodes.Ret);
        var f = (Func<int, int>)Call(t.CreateType(), "Make", 40);
        Console.WriteLine(f(2) + " " + f.Method + " " + f.Target.GetType());
    }

    static void Calli()
    {
        var t = Class("Indirect");
        var m = t.DefineMethod("Run", Static, typeof(int), new[] { typeof(int), typeof(Root) });
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldftn, typeof(Root).GetMethod("Twice"));
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(int), new[] { typeof(int) }, null);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldvirtftn, typeof(Root).GetProperty("Name").GetGetMethod());
        il.EmitCalli(OpCodes.Calli, CallingConventions.HasThis, typeof(string), Type.EmptyTypes, null);
        il.Emit(OpCodes.Callvirt, typeof(string).GetProperty("Length").GetGetMethod());
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(Call(t.CreateType(), "Run", 20, new Root()));
        var d = new DynamicMethod("di", typeof(int), new[] { typeof(int), typeof(IntPtr) });
        il = d.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(int), new[] { typeof(int) }, null);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(d.Invoke(null, new object[] { 21, typeof(Root).GetMethod("Twice").MethodHandle.GetFunctionPointer() }));
    }

    static void Filter()
    {
        var t = Class("Filters");
        var m = t.DefineMethod("Run", Static, typeof(string), new[] { typeof(Exception), typeof(string) });
        var il = m.GetILGenerator();
        var r = il.DeclareLocal(typeof(string));
        il.BeginExceptionBlock();
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Throw);
        il.BeginExceptFilterBlock();
        il.Emit(OpCodes.Castclass, typeof(Exception));
        il.Emit(OpCodes.Callvirt, typeof(Exception).GetProperty("Message").GetGetMethod());
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Call, typeof(string).GetMethod("op_Equality"));
        il.BeginCatchBlock(null);
        il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ldstr, "filtered");
        il.Emit(OpCodes.Stloc, r);
        il.EndExceptionBlock();
        il.BeginCatchBlock(typeof(object));
        il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ldstr, "passed");
        il.Emit(OpCodes.Stloc, r);
        il.EndExceptionBlock();
        il.Emit(OpCodes.Ldloc, r);
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        Console.WriteLine(Call(type, "Run", new Exception("yes"), "yes") + " " + Call(type, "Run", new Exception("no"), "yes"));
    }

    static void Fault()
    {
        var t = Class("Faults");
        var log = t.DefineField("log", typeof(string), FieldAttributes.Public | FieldAttributes.Static);
        var m = t.DefineMethod("Run", Static, typeof(void), new[] { typeof(bool) });
        var il = m.GetILGenerator();
        var skip = il.DefineLabel();
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Brfalse, skip);
        il.ThrowException(typeof(FormatException));
        il.MarkLabel(skip);
        il.BeginFaultBlock();
        il.Emit(OpCodes.Ldstr, "fault");
        il.Emit(OpCodes.Stsfld, log);
        il.EndExceptionBlock();
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        Call(type, "Run", false);
        Console.WriteLine(type.GetField("log").GetValue(null) ?? "none");
        try { Call(type, "Run", true); } catch (TargetInvocationException e) { Console.WriteLine(e.InnerException.GetType() + " " + type.GetField("log").GetValue(null)); }
    }

    static void Overrides()
    {
        var t = Class("Echoing", typeof(Root), typeof(IGen));
        t.DefineDefaultConstructor(MethodAttributes.Public);
        var echo = t.DefineMethod("Echo", Virtual);
        var g = echo.DefineGenericParameters("Q");
        echo.SetReturnType(g[0]);
        echo.SetParameters(g[0]);
        var il = echo.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Call, typeof(Root).GetMethod("Echo").MakeGenericMethod(g));
        il.Emit(OpCodes.Pop);
        var local = il.DeclareLocal(g[0]);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Ret);
        var make = t.DefineMethod("Make", Virtual);
        g = make.DefineGenericParameters("U");
        g[0].SetGenericParameterAttributes(GenericParameterAttributes.ReferenceTypeConstraint);
        make.SetReturnType(g[0]);
        make.SetParameters(g[0], typeof(int));
        il = make.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ret);
        var hook = t.DefineMethod("Hook", MethodAttributes.FamORAssem | MethodAttributes.Virtual | MethodAttributes.HideBySig);
        hook.GetILGenerator().Emit(OpCodes.Ret);
        var name = t.DefineMethod("Other", Virtual, typeof(string), Type.EmptyTypes);
        il = name.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(Root).GetProperty("Name").GetGetMethod());
        il.Emit(OpCodes.Ldstr, "+");
        il.Emit(OpCodes.Call, typeof(string).GetMethod("Concat", new[] { typeof(string), typeof(string) }));
        il.Emit(OpCodes.Ret);
        t.DefineMethodOverride(name, typeof(Root).GetProperty("Name").GetGetMethod());
        var o = (Root)Activator.CreateInstance(t.CreateType());
        Console.WriteLine(o.Echo(5) + " " + (o.Echo("x") ?? "null") + " " + ((IGen)o).Make("u", 1) + " " + o.Name + " " + o.GetType().GetMethod("Echo").GetBaseDefinition().DeclaringType);
    }

    static void Explicit()
    {
        var t = Class("Twofold", null, typeof(IDup), typeof(IDup2));
        foreach (var i in new[] { typeof(IDup), typeof(IDup2) })
        {
            var m = t.DefineMethod(i.Name + ".A", MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.NewSlot | MethodAttributes.HideBySig, typeof(string), Type.EmptyTypes);
            var il = m.GetILGenerator();
            il.Emit(OpCodes.Ldstr, i.Name);
            il.Emit(OpCodes.Ret);
            t.DefineMethodOverride(m, i.GetMethod("A"));
        }
        var o = Activator.CreateInstance(t.CreateType());
        Console.WriteLine(((IDup)o).A() + ((IDup2)o).A() + " " + o.GetType().GetInterfaceMap(typeof(IDup2)).TargetMethods[0].Name);
    }

    static void Modifiers()
    {
        var t = Class("Modified");
        var f = t.DefineField("v", typeof(int), new[] { typeof(IsVolatile) }, null, FieldAttributes.Public);
        var m = t.DefineMethod("M", Static, CallingConventions.Standard, typeof(int), null, new[] { typeof(IsLong) }, new[] { typeof(string), typeof(int) }, new[] { null, new[] { typeof(IsConst) } }, new[] { new[] { typeof(IsLong), typeof(IsConst) }, null });
        m.GetILGenerator().Emit(OpCodes.Ldc_I4_3);
        m.GetILGenerator().Emit(OpCodes.Ret);
        var type = t.CreateType();
        var p = type.GetMethod("M").GetParameters();
        Console.WriteLine(string.Join(",", type.GetField("v").GetRequiredCustomModifiers().Select(x => x.Name)) + " " + type.GetMethod("M").ReturnParameter.GetOptionalCustomModifiers().Length + " " + p[0].GetOptionalCustomModifiers().Length + p[0].GetRequiredCustomModifiers().Length + " " + p[1].GetRequiredCustomModifiers()[0].Name + Call(type, "M", "", 1));
    }

    static void Constants()
    {
        var t = Class("Consts");
        var kinds = new object[] { true, 'c', (sbyte)-3, (byte)200, (short)-5, (ushort)60000, -7, 8u, -9L, ulong.MaxValue, 1.5f, -2.5, "text", DayOfWeek.Friday };
        foreach (var k in kinds) t.DefineField("c" + k.GetType().Name, k.GetType(), FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.Literal).SetConstant(k);
        t.DefineField("cNull", typeof(object), FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.Literal).SetConstant(null);
        var type = t.CreateType();
        Console.WriteLine(string.Join(" ", type.GetFields().Select(f => f.GetRawConstantValue() ?? "null")));
        Console.WriteLine(type.GetField("cDayOfWeek").GetValue(null));
    }

    static void MarshalInfo()
    {
        var t = module.DefineType("Native2", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout, typeof(ValueType));
#pragma warning disable 618
        t.DefineField("s", typeof(string), FieldAttributes.Public).SetMarshal(UnmanagedMarshal.DefineByValTStr(10));
        t.DefineField("a", typeof(int[]), FieldAttributes.Public).SetMarshal(UnmanagedMarshal.DefineByValArray(3));
        t.DefineField("b", typeof(bool), FieldAttributes.Public).SetMarshal(UnmanagedMarshal.DefineUnmanagedMarshal(UnmanagedType.I1));
        t.DefineField("w", typeof(string), FieldAttributes.Public).SetCustomAttribute(new CustomAttributeBuilder(typeof(MarshalAsAttribute).GetConstructor(new[] { typeof(UnmanagedType) }), new object[] { UnmanagedType.LPWStr }));
        var type = t.CreateType();
        Console.WriteLine(Marshal.SizeOf(type) + " " + string.Join(" ", type.GetFields().Select(f => f.GetCustomAttribute<MarshalAsAttribute>()).Select(x => x.Value + ":" + x.SizeConst)));
        var e = Class("Pin");
        var m = e.DefinePInvokeMethod("Len", "libc", "strlen", Static | MethodAttributes.PinvokeImpl, CallingConventions.Standard, typeof(IntPtr), new[] { typeof(string) }, CallingConvention.Cdecl, CharSet.Ansi);
        m.SetImplementationFlags(MethodImplAttributes.PreserveSig);
        Console.WriteLine(Call(e.CreateType(), "Len", "12345"));
    }

    static void Iterator()
    {
        var t = Class("Sum", null, typeof(IEnumerable<int>));
        var get = t.DefineMethod("GetEnumerator", Virtual | MethodAttributes.NewSlot, typeof(IEnumerator<int>), Type.EmptyTypes);
        var il = get.GetILGenerator();
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldc_I4_4);
        il.Emit(OpCodes.Call, typeof(Enumerable).GetMethod("Range"));
        il.Emit(OpCodes.Callvirt, typeof(IEnumerable<int>).GetMethod("GetEnumerator"));
        il.Emit(OpCodes.Ret);
        var old = t.DefineMethod("System.Collections.IEnumerable.GetEnumerator", MethodAttributes.Private | MethodAttributes.Virtual, typeof(System.Collections.IEnumerator), Type.EmptyTypes);
        il = old.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Callvirt, get);
        il.Emit(OpCodes.Ret);
        t.DefineMethodOverride(old, typeof(System.Collections.IEnumerable).GetMethod("GetEnumerator"));
        var all = (IEnumerable<int>)Activator.CreateInstance(t.CreateType());
        Console.WriteLine(all.Sum() + " " + all.Cast<object>().Count());
    }

    static void WriteLine()
    {
        var t = Class("Writes");
        var f = t.DefineField("f", typeof(double), FieldAttributes.Public | FieldAttributes.Static);
        var il = t.DefineMethod("Run", Static, typeof(void), Type.EmptyTypes).GetILGenerator();
        var l = il.DeclareLocal(typeof(int));
        il.BeginScope();
        il.Emit(OpCodes.Ldc_I4, 12);
        il.Emit(OpCodes.Stloc, l);
        il.EmitWriteLine("text");
        il.EmitWriteLine(l);
        il.EmitWriteLine(f);
        il.EndScope();
        il.EmitCall(OpCodes.Call, typeof(Console).GetMethod("WriteLine", Type.EmptyTypes), null);
        il.Emit(OpCodes.Ret);
        Call(t.CreateType(), "Run");
    }

    static void GenericNested()
    {
        var outer = Class("Outer`1");
        var T = outer.DefineGenericParameters("T")[0];
        var inner = outer.DefineNestedType("Inner", TypeAttributes.NestedPublic);
        var T2 = inner.DefineGenericParameters("T")[0];
        var v = inner.DefineField("v", T2, FieldAttributes.Public);
        var ctor = inner.DefineDefaultConstructor(MethodAttributes.Public);
        var ofT = inner.MakeGenericType(T);
        var make = outer.DefineMethod("Make", Static, ofT, new Type[] { T });
        var il = make.GetILGenerator();
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(ofT, ctor));
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Stfld, TypeBuilder.GetField(ofT, v));
        il.Emit(OpCodes.Ret);
        var o = outer.CreateType();
        inner.CreateType();
        foreach (var a in new object[] { 5, "s", 2.5 })
        {
            var made = Call(o.MakeGenericType(a.GetType()), "Make", a);
            Console.WriteLine(made.GetType() + " " + made.GetType().GetField("v").GetValue(made));
        }
    }

    static void Indexer()
    {
        var t = Class("Table");
        t.SetCustomAttribute(new CustomAttributeBuilder(typeof(DefaultMemberAttribute).GetConstructors()[0], new object[] { "At" }));
        var p = t.DefineProperty("At", PropertyAttributes.None, typeof(string), new[] { typeof(int), typeof(string) });
        var get = t.DefineMethod("get_At", MethodAttributes.Public | MethodAttributes.SpecialName, typeof(string), new[] { typeof(int), typeof(string) });
        get.DefineParameter(1, ParameterAttributes.None, "row");
        get.DefineParameter(2, ParameterAttributes.None, "column");
        var il = get.GetILGenerator();
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldarga_S, (byte)1);
        il.Emit(OpCodes.Constrained, typeof(int));
        il.Emit(OpCodes.Callvirt, typeof(object).GetMethod("ToString"));
        il.Emit(OpCodes.Call, typeof(string).GetMethod("Concat", new[] { typeof(string), typeof(string) }));
        il.Emit(OpCodes.Ret);
        p.SetGetMethod(get);
        var type = t.CreateType();
        var q = type.GetProperty("At");
        Console.WriteLine(q + " " + q.GetValue(Activator.CreateInstance(type), new object[] { 3, "c" }) + " " + type.GetDefaultMembers()[0] + " " + string.Join(",", q.GetIndexParameters().Select(x => x.Name)));
    }

    static void LongBranches()
    {
        var d = new DynamicMethod("far", typeof(int), new[] { typeof(int) });
        var il = d.GetILGenerator();
        var end = il.DefineLabel();
        var sum = il.DeclareLocal(typeof(int));
        for (int i = 0; i < 300; i++) il.DeclareLocal(typeof(int));
        var last = il.DeclareLocal(typeof(int));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Brfalse, end);
        for (int i = 0; i < 2000; i++)
        {
            il.Emit(OpCodes.Ldloc, last);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Stloc, last);
        }
        il.MarkLabel(end);
        il.Emit(OpCodes.Ldloc, last);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(d.Invoke(null, new object[] { 1 }) + " " + d.Invoke(null, new object[] { 0 }));
    }

    static void RawBody()
    {
        var t = Class("Raw");
        var m = t.DefineMethod("Nine", Static, typeof(int), Type.EmptyTypes);
        m.CreateMethodBody(new byte[] { 0x1f, 9, 0x2a }, 3);
        Console.WriteLine(Call(t.CreateType(), "Nine"));
    }

    static void Ldtoken()
    {
        var t = Class("Tokens`1");
        var T = t.DefineGenericParameters("T")[0];
        var m = t.DefineMethod("All", Static, typeof(object[]), Type.EmptyTypes);
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldc_I4_4);
        il.Emit(OpCodes.Newarr, typeof(object));
        int n = 0;
        foreach (var x in new Type[] { T, t, t.MakeGenericType(T), typeof(Dictionary<,>) })
        {
            il.Emit(OpCodes.Dup);
            il.Emit(OpCodes.Ldc_I4, n++);
            il.Emit(OpCodes.Ldtoken, x);
            il.Emit(OpCodes.Call, typeof(Type).GetMethod("GetTypeFromHandle"));
            il.Emit(OpCodes.Stelem_Ref);
        }
        il.Emit(OpCodes.Ret);
        var o = t.CreateType();
        foreach (var a in new[] { typeof(int), typeof(string) }) Console.WriteLine(string.Join(" ", (object[])Call(o.MakeGenericType(a), "All")));
        var d = new DynamicMethod("handles", typeof(string), null);
        il = d.GetILGenerator();
        il.Emit(OpCodes.Ldtoken, typeof(Root).GetMethod("Twice"));
        il.Emit(OpCodes.Call, typeof(MethodBase).GetMethod("GetMethodFromHandle", new[] { typeof(RuntimeMethodHandle) }));
        il.Emit(OpCodes.Callvirt, typeof(object).GetMethod("ToString"));
        il.Emit(OpCodes.Ret);
        Console.WriteLine(d.Invoke(null, null));
    }

    // Code of two types that call each other, finished in either order.
    static void Mutual()
    {
        foreach (var first in new[] { true, false })
        {
            var a = Class("Even" + first);
            var b = Class("Odd" + first);
            var even = a.DefineMethod("Is", Static, typeof(bool), new[] { typeof(int) });
            var odd = b.DefineMethod("Is", Static, typeof(bool), new[] { typeof(int) });
            foreach (var pair in new[] { new { M = even, Other = odd, Zero = OpCodes.Ldc_I4_1 }, new { M = odd, Other = even, Zero = OpCodes.Ldc_I4_0 } })
            {
                var il = pair.M.GetILGenerator();
                var more = il.DefineLabel();
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Brtrue, more);
                il.Emit(pair.Zero);
                il.Emit(OpCodes.Ret);
                il.MarkLabel(more);
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldc_I4_1);
                il.Emit(OpCodes.Sub);
                il.Emit(OpCodes.Call, pair.Other);
                il.Emit(OpCodes.Ret);
            }
            if (!first) b.CreateType();
            var t = a.CreateType();
            if (first) b.CreateType();
            Console.WriteLine(Call(t, "Is", 10) + " " + Call(t, "Is", 7));
        }
    }

    static void StaticCtor()
    {
        var t = module.DefineType("Lazy2", TypeAttributes.Public | TypeAttributes.BeforeFieldInit);
        var f = t.DefineField("f", typeof(string), FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.InitOnly);
        var il = t.DefineTypeInitializer().GetILGenerator();
        il.Emit(OpCodes.Ldstr, "initialized");
        il.Emit(OpCodes.Stsfld, f);
        il.Emit(OpCodes.Ret);
        var bad = Class("Bad");
        bad.DefineField("x", typeof(int), FieldAttributes.Public | FieldAttributes.Static);
        bad.DefineTypeInitializer().GetILGenerator().ThrowException(typeof(InvalidOperationException));
        Console.WriteLine(t.CreateType().GetField("f").GetValue(null));
        try { bad.CreateType().GetField("x").GetValue(null); } catch (TypeInitializationException e) { Console.WriteLine(e.Message + " " + e.InnerException.GetType().Name); }
    }
}
