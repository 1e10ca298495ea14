// Types made at run time: every kind of member, generics, overriding, attributes, tokens of what is not finished yet.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

public class MarkAttribute : Attribute
{
    public MarkAttribute(string name, params object[] more) { Name = name; More = more; }
    public string Name; public object[] More; public Type Kind { get; set; } public DayOfWeek Day; public int[] Numbers { get; set; }
    public override string ToString() { return Name + "(" + string.Join(",", More) + ")" + Kind + Day + (Numbers == null ? "" : Numbers.Sum().ToString()); }
}
class InternalAttribute : Attribute { }
public abstract class Shape { protected Shape(string n) { Name = n; } public string Name; public abstract double Area(); public virtual string Say() { return "shape " + Name; } }
public interface IScale<T> { T Scale(T by); event EventHandler Changed; }

static class P
{
    static ModuleBuilder module;
    static AssemblyBuilder assembly;

    static void Main()
    {
        assembly = AppDomain.CurrentDomain.DefineDynamicAssembly(new AssemblyName("made, Version=1.2.3.4"), AssemblyBuilderAccess.Run);
        module = assembly.DefineDynamicModule("made.dll");
        Section("class", Class); Section("generic", Generic); Section("struct", Struct); Section("enum", EnumType);
        Section("delegate", DelegateType); Section("interface", Interface); Section("cycle", Cycle); Section("nested", Nested);
        Section("statics", Statics); Section("attributes", Attributes); Section("globals", Globals); Section("generic method", GenericMethod);
        Section("finished on demand", OnDemand); Section("compiled expression", Compiled); Section("errors", Errors); Section("assembly", TheAssembly);
    }

    static void Section(string name, Action body)
    {
        Console.WriteLine("# " + name);
        try { body(); } catch (Exception e) { Console.WriteLine(e.GetType() + ": " + e.Message); }
    }

    static void Class()
    {
        var t = module.DefineType("Ns.Circle", TypeAttributes.Public, typeof(Shape), new[] { typeof(IComparable<double>) });
        var r = t.DefineField("r", typeof(double), FieldAttributes.Private);
        var ctor = t.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, new[] { typeof(double) });
        var il = ctor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldstr, "circle");
        il.Emit(OpCodes.Call, typeof(Shape).GetConstructor(BindingFlags.NonPublic | BindingFlags.Instance, null, new[] { typeof(string) }, null));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stfld, r);
        il.Emit(OpCodes.Ret);
        var area = t.DefineMethod("Area", MethodAttributes.Public | MethodAttributes.Virtual, typeof(double), Type.EmptyTypes);
        il = area.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, r);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ldc_R8, 3.0);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ret);
        var compare = t.DefineMethod("Compare", MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final, typeof(int), new[] { typeof(double) });
        il = compare.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, area);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Ret);
        t.DefineMethodOverride(compare, typeof(IComparable<double>).GetMethod("CompareTo"));
        var p = t.DefineProperty("Radius", PropertyAttributes.None, typeof(double), null);
        var get = t.DefineMethod("get_Radius", MethodAttributes.Public | MethodAttributes.SpecialName, typeof(double), Type.EmptyTypes);
        il = get.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, r);
        il.Emit(OpCodes.Ret);
        p.SetGetMethod(get);
        var set = t.DefineMethod("set_Radius", MethodAttributes.Public | MethodAttributes.SpecialName, null, new[] { typeof(double) });
        set.DefineParameter(1, ParameterAttributes.None, "value");
        il = set.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stfld, r);
        il.Emit(OpCodes.Ret);
        p.SetSetMethod(set);
        var opt = t.DefineMethod("Opt", MethodAttributes.Public | MethodAttributes.Static, typeof(string), new[] { typeof(int), typeof(string) });
        opt.DefineParameter(1, ParameterAttributes.Optional | ParameterAttributes.HasDefault, "n").SetConstant(42);
        opt.DefineParameter(2, ParameterAttributes.Optional | ParameterAttributes.HasDefault, "s").SetConstant("dflt");
        il = opt.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        var o = (Shape)Activator.CreateInstance(type, 2.0);
        Console.WriteLine(o.Area() + " " + o.Say() + " " + o.GetType() + " " + ((IComparable<double>)o).CompareTo(10));
        type.GetProperty("Radius").SetValue(o, 3.0, null);
        Console.WriteLine(o.Area() + " " + type.GetProperty("Radius").GetValue(o, null) + " " + type.BaseType + " " + type.Namespace + " " + type.FullName);
        foreach (var m in type.GetMembers(BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static).OrderBy(x => x.Name)) Console.WriteLine(m.MemberType + " " + m);
        Console.WriteLine(type.InvokeMember("Opt", BindingFlags.InvokeMethod | BindingFlags.OptionalParamBinding | BindingFlags.Public | BindingFlags.Static, null, null, new[] { Type.Missing, Type.Missing }));
        foreach (var q in type.GetMethod("Opt").GetParameters()) Console.WriteLine(q + "=" + q.DefaultValue + " " + q.IsOptional);
        Console.WriteLine(type.Assembly == assembly || type.Assembly.FullName == assembly.FullName);
        Console.WriteLine(type.Module.ScopeName + " " + (type == t.CreateType()) + " " + module.GetType("Ns.Circle").Name);
    }

    // class Box<T> : IComparable<Box<T>> where T : IComparable<T> { T v; List<T> all; Box(T); T Get(); static Box<T> Of(T); int CompareTo(Box<T>) }
    static void Generic()
    {
        var t = module.DefineType("Box`1", TypeAttributes.Public);
        var T = t.DefineGenericParameters("T")[0];
        T.SetInterfaceConstraints(typeof(IComparable));
        T.SetGenericParameterAttributes(GenericParameterAttributes.None);
        var self = t.MakeGenericType(T);
        t.AddInterfaceImplementation(typeof(IComparable<>).MakeGenericType(self));
        var v = t.DefineField("v", T, FieldAttributes.Public);
        var list = typeof(List<>).MakeGenericType(T);
        var all = t.DefineField("all", list, FieldAttributes.Public | FieldAttributes.Static);
        var selfV = TypeBuilder.GetField(self, v);
        var ctor = t.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, new Type[] { T });
        var il = ctor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(object).GetConstructor(Type.EmptyTypes));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stfld, selfV);
        il.Emit(OpCodes.Ldsfld, TypeBuilder.GetField(self, all));
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Callvirt, TypeBuilder.GetMethod(list, typeof(List<>).GetMethod("Add")));
        il.Emit(OpCodes.Ret);
        var cctor = t.DefineTypeInitializer();
        il = cctor.GetILGenerator();
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(list, typeof(List<>).GetConstructor(Type.EmptyTypes)));
        il.Emit(OpCodes.Stsfld, TypeBuilder.GetField(self, all));
        il.Emit(OpCodes.Ret);
        var of = t.DefineMethod("Of", MethodAttributes.Public | MethodAttributes.Static, self, new Type[] { T });
        il = of.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(self, ctor));
        il.Emit(OpCodes.Ret);
        var cmp = t.DefineMethod("CompareTo", MethodAttributes.Public | MethodAttributes.Virtual, typeof(int), new[] { self });
        il = cmp.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldflda, selfV);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldfld, selfV);
        il.Emit(OpCodes.Box, T);
        il.Emit(OpCodes.Constrained, T);
        il.Emit(OpCodes.Callvirt, typeof(IComparable).GetMethod("CompareTo"));
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        foreach (var arg in new[] { typeof(int), typeof(string) })
        {
            var inst = type.MakeGenericType(arg);
            var x = inst.GetMethod("Of").Invoke(null, new[] { Convert.ChangeType("3", arg) });
            var y = Activator.CreateInstance(inst, Convert.ChangeType("4", arg));
            Console.WriteLine(x.GetType() + " " + inst.GetMethod("CompareTo").Invoke(x, new[] { y }) + " " + inst.GetField("v").GetValue(y) + " " + ((System.Collections.IList)inst.GetField("all").GetValue(null)).Count);
            Console.WriteLine(string.Join(";", inst.GetInterfaces().Select(i => i.ToString())));
        }
        Console.WriteLine(type + " " + type.GetGenericArguments()[0].GetGenericParameterConstraints().Length + " " + type.GetField("v").FieldType);
        try { type.MakeGenericType(typeof(object)); } catch (ArgumentException) { Console.WriteLine("constraint"); }
    }

    static void Struct()
    {
        var t = module.DefineType("Both", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.ExplicitLayout, typeof(ValueType));
        t.DefineField("i", typeof(int), FieldAttributes.Public).SetOffset(0);
        t.DefineField("f", typeof(float), FieldAttributes.Public).SetOffset(0);
        t.DefineField("l", typeof(long), FieldAttributes.Public).SetOffset(8);
        var type = t.CreateType();
        var o = Activator.CreateInstance(type);
        type.GetField("f").SetValue(o, 1f);
        Console.WriteLine(type.GetField("i").GetValue(o) + " " + Marshal.SizeOf(type) + " " + type.IsValueType + type.IsExplicitLayout + o.Equals(Activator.CreateInstance(type)));
        var u = module.DefineType("Sized", TypeAttributes.Public | TypeAttributes.SequentialLayout, typeof(ValueType), PackingSize.Size1, 12);
        u.DefineField("b", typeof(byte), FieldAttributes.Public);
        u.DefineField("both", t, FieldAttributes.Public);
        Console.WriteLine(Marshal.SizeOf(u.CreateType()));
    }

    static void EnumType()
    {
        var e = module.DefineEnum("Color", TypeAttributes.Public, typeof(byte));
        e.DefineLiteral("Red", (byte)1);
        e.DefineLiteral("Blue", (byte)4);
        e.SetCustomAttribute(new CustomAttributeBuilder(typeof(FlagsAttribute).GetConstructor(Type.EmptyTypes), new object[0]));
        var type = e.CreateType();
        Console.WriteLine(Enum.ToObject(type, 5) + " " + Enum.Parse(type, "Blue").GetType() + " " + Enum.GetUnderlyingType(type) + " " + string.Join(",", Enum.GetNames(type)));
    }

    static void DelegateType()
    {
        var t = module.DefineType("Twist", TypeAttributes.Public | TypeAttributes.Sealed, typeof(MulticastDelegate));
        t.DefineConstructor(MethodAttributes.Public | MethodAttributes.HideBySig | MethodAttributes.RTSpecialName, CallingConventions.Standard, new[] { typeof(object), typeof(IntPtr) }).SetImplementationFlags(MethodImplAttributes.Runtime);
        var inv = t.DefineMethod("Invoke", MethodAttributes.Public | MethodAttributes.HideBySig | MethodAttributes.NewSlot | MethodAttributes.Virtual, typeof(string), new[] { typeof(string), typeof(int).MakeByRefType() });
        inv.SetImplementationFlags(MethodImplAttributes.Runtime);
        inv.DefineParameter(2, ParameterAttributes.Out, "n");
        var type = t.CreateType();
        var d = Delegate.CreateDelegate(type, typeof(P).GetMethod("Twisted"));
        var args = new object[] { "abc", 0 };
        Console.WriteLine(d.DynamicInvoke(args) + " " + args[1] + " " + type.GetMethod("Invoke"));
    }
    public static string Twisted(string s, out int n) { n = s.Length; return new string(s.Reverse().ToArray()); }

    static void Interface()
    {
        var i = module.DefineType("IMore", TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract);
        i.AddInterfaceImplementation(typeof(IScale<int>));
        i.DefineMethod("More", MethodAttributes.Public | MethodAttributes.Abstract | MethodAttributes.Virtual | MethodAttributes.NewSlot | MethodAttributes.HideBySig, typeof(string), Type.EmptyTypes);
        var iface = i.CreateType();
        var t = module.DefineType("Impl", TypeAttributes.Public, typeof(object), new[] { iface, typeof(IScale<int>) });
        var flags = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.NewSlot | MethodAttributes.HideBySig;
        var more = t.DefineMethod("More", flags, typeof(string), Type.EmptyTypes);
        var il = more.GetILGenerator();
        il.Emit(OpCodes.Ldstr, "more");
        il.Emit(OpCodes.Ret);
        var scale = t.DefineMethod("Scale", flags, typeof(int), new[] { typeof(int) });
        il = scale.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldc_I4_2);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ret);
        var handler = t.DefineField("handler", typeof(EventHandler), FieldAttributes.Private);
        var ev = t.DefineEvent("Changed", EventAttributes.None, typeof(EventHandler));
        foreach (var add in new[] { true, false })
        {
            var m = t.DefineMethod((add ? "add" : "remove") + "_Changed", flags | MethodAttributes.SpecialName, typeof(void), new[] { typeof(EventHandler) });
            il = m.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, handler);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Call, typeof(Delegate).GetMethod(add ? "Combine" : "Remove", new[] { typeof(Delegate), typeof(Delegate) }));
            il.Emit(OpCodes.Castclass, typeof(EventHandler));
            il.Emit(OpCodes.Stfld, handler);
            il.Emit(OpCodes.Ret);
            if (add) ev.SetAddOnMethod(m); else ev.SetRemoveOnMethod(m);
        }
        var type = t.CreateType();
        var o = Activator.CreateInstance(type);
        var s = (IScale<int>)o;
        EventHandler h = (a, b) => { };
        s.Changed += h;
        Console.WriteLine(s.Scale(21) + " " + iface.GetMethod("More").Invoke(o, null) + " " + type.GetField("handler", BindingFlags.NonPublic | BindingFlags.Instance).GetValue(o).Equals(h));
        s.Changed -= h;
        Console.WriteLine(type.GetField("handler", BindingFlags.NonPublic | BindingFlags.Instance).GetValue(o) == null);
        Console.WriteLine(type.GetEvent("Changed") + " " + type.GetInterfaceMap(iface).TargetMethods[0] + " " + iface.IsAssignableFrom(type));
    }

    // Two classes that use each other; the code of the first refers to what is finished later.
    static void Cycle()
    {
        var a = module.DefineType("A", TypeAttributes.Public);
        var b = module.DefineType("B", TypeAttributes.Public, a);
        var make = a.DefineMethod("Make", MethodAttributes.Public | MethodAttributes.Static, b, Type.EmptyTypes);
        var field = a.DefineField("other", b, FieldAttributes.Public);
        a.DefineDefaultConstructor(MethodAttributes.Public);
        var bctor = b.DefineDefaultConstructor(MethodAttributes.Public);
        var back = b.DefineField("back", a, FieldAttributes.Public);
        var il = make.GetILGenerator();
        var local = il.DeclareLocal(b);
        il.Emit(OpCodes.Newobj, bctor);
        il.Emit(OpCodes.Stloc, local);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Stfld, back);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Stfld, field);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Ret);
        var ta = a.CreateType();
        var tb = b.CreateType();
        var o = ta.GetMethod("Make").Invoke(null, null);
        Console.WriteLine(o + " " + (tb.GetField("back").GetValue(o) == o) + (ta.GetField("other").GetValue(o) == o) + " " + ta.GetField("other").FieldType);
    }

    static void Nested()
    {
        var outer = module.DefineType("Outer", TypeAttributes.Public);
        var inner = outer.DefineNestedType("Inner", TypeAttributes.NestedPublic);
        var f = inner.DefineField("f", typeof(int), FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.Literal);
        f.SetConstant(77);
        var to = outer.CreateType();
        var ti = inner.CreateType();
        Console.WriteLine(ti.FullName + " " + ti.DeclaringType + " " + string.Join(",", to.GetNestedTypes().Select(x => x.Name)) + " " + ti.GetField("f").GetRawConstantValue() + " " + ti.IsNestedPublic);
    }

    static void Statics()
    {
        var t = module.DefineType("Counter", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        var n = t.DefineField("n", typeof(int), FieldAttributes.Public | FieldAttributes.Static);
        var data = module.DefineInitializedData("data", new byte[] { 1, 2, 3, 4 }, FieldAttributes.Public | FieldAttributes.Static);
        var il = t.DefineTypeInitializer().GetILGenerator();
        il.Emit(OpCodes.Ldc_I4, 41);
        il.Emit(OpCodes.Stsfld, n);
        il.Emit(OpCodes.Ret);
        var next = t.DefineMethod("Next", MethodAttributes.Public | MethodAttributes.Static, typeof(int), Type.EmptyTypes);
        il = next.GetILGenerator();
        il.Emit(OpCodes.Ldsfld, n);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stsfld, n);
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        var f = (Func<int>)Delegate.CreateDelegate(typeof(Func<int>), type.GetMethod("Next"));
        Console.WriteLine(f() + " " + f() + " " + type.GetField("n").GetValue(null));
    }

    static void Attributes()
    {
        var t = module.DefineType("Marked", TypeAttributes.Public);
        var ctor = typeof(MarkAttribute).GetConstructors()[0];
        var mark = new CustomAttributeBuilder(ctor, new object[] { "t", new object[] { 1, "two", null, typeof(List<int>), DayOfWeek.Friday, new[] { 'c' } } },
            new[] { typeof(MarkAttribute).GetProperty("Kind"), typeof(MarkAttribute).GetProperty("Numbers") }, new object[] { typeof(Dictionary<string, int>), new[] { 1, 2, 3 } },
            new[] { typeof(MarkAttribute).GetField("Day") }, new object[] { DayOfWeek.Monday });
        t.SetCustomAttribute(mark);
        var m = t.DefineMethod("M", MethodAttributes.Public | MethodAttributes.Static, typeof(void), new[] { typeof(int) });
        m.SetCustomAttribute(new CustomAttributeBuilder(ctor, new object[] { "m", new object[0] }));
        m.DefineParameter(1, ParameterAttributes.None, "p").SetCustomAttribute(new CustomAttributeBuilder(ctor, new object[] { "p", null }, new FieldInfo[0], new object[0]));
        m.GetILGenerator().Emit(OpCodes.Ret);
        t.DefineField("f", typeof(int), FieldAttributes.Public).SetCustomAttribute(new CustomAttributeBuilder(ctor, new object[] { "f", new object[] { 2.5 } }));
        // Not visible from the dynamic assembly.
        t.SetCustomAttribute(new CustomAttributeBuilder(typeof(InternalAttribute).GetConstructor(Type.EmptyTypes), new object[0]));
        var type = t.CreateType();
        Console.WriteLine(type.GetCustomAttributes(false).Length + " " + CustomAttributeData.GetCustomAttributes(type).Count + " " + type.IsDefined(typeof(InternalAttribute), false));
        Console.WriteLine(type.GetCustomAttributes(false)[0]);
        Console.WriteLine(type.GetMethod("M").GetCustomAttributes(false)[0] + " " + type.GetField("f").GetCustomAttributes(false)[0]);
        Console.WriteLine(((MarkAttribute)Attribute.GetCustomAttribute(type.GetMethod("M").GetParameters()[0], typeof(MarkAttribute))).More == null);
        Console.WriteLine(CustomAttributeData.GetCustomAttributes(type.GetMethod("M"))[0]);
    }

    static void Globals()
    {
        var m = module.DefineGlobalMethod("Plus", MethodAttributes.Public | MethodAttributes.Static, typeof(int), new[] { typeof(int), typeof(int) });
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        module.CreateGlobalFunctions();
        Console.WriteLine(module.GetMethod("Plus").Invoke(null, new object[] { 2, 3 }));
        var t = module.DefineType("Native", TypeAttributes.Public);
        var p = t.DefinePInvokeMethod("getpid", "libc", MethodAttributes.Public | MethodAttributes.Static, CallingConventions.Standard, typeof(int), Type.EmptyTypes, CallingConvention.Cdecl, CharSet.Ansi);
        p.SetImplementationFlags(MethodImplAttributes.PreserveSig);
        var type = t.CreateType();
        Console.WriteLine((int)type.GetMethod("getpid").Invoke(null, null) == System.Diagnostics.Process.GetCurrentProcess().Id);
    }

    static void GenericMethod()
    {
        var t = module.DefineType("Tools", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        var m = t.DefineMethod("Pick", MethodAttributes.Public | MethodAttributes.Static);
        var gs = m.DefineGenericParameters("X", "Y");
        gs[1].SetBaseTypeConstraint(typeof(Shape));
        m.SetReturnType(typeof(KeyValuePair<,>).MakeGenericType(gs));
        m.SetParameters(gs[0], gs[1]);
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Newobj, TypeBuilder.GetConstructor(typeof(KeyValuePair<,>).MakeGenericType(gs), typeof(KeyValuePair<,>).GetConstructors()[0]));
        il.Emit(OpCodes.Ret);
        var call = t.DefineMethod("Call", MethodAttributes.Public | MethodAttributes.Static, typeof(object), Type.EmptyTypes);
        il = call.GetILGenerator();
        il.Emit(OpCodes.Ldc_I4_7);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Call, m.MakeGenericMethod(typeof(int), typeof(Shape)));
        il.Emit(OpCodes.Box, typeof(KeyValuePair<int, Shape>));
        il.Emit(OpCodes.Ret);
        var type = t.CreateType();
        Console.WriteLine(type.GetMethod("Pick") + " " + type.GetMethod("Pick").MakeGenericMethod(typeof(string), typeof(Shape)).Invoke(null, new object[] { "s", null }) + " " + type.GetMethod("Call").Invoke(null, null));
    }

    // A handler of TypeResolve finishes the struct that a field needs.
    static void OnDemand()
    {
        var s = module.DefineType("Needed", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout, typeof(ValueType));
        s.DefineField("x", typeof(long), FieldAttributes.Public);
        ResolveEventHandler handler = (o, e) => { Console.WriteLine("asked for " + e.Name); s.CreateType(); return assembly; };
        AppDomain.CurrentDomain.TypeResolve += handler;
        var t = module.DefineType("Needs", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout, typeof(ValueType));
        t.DefineField("a", typeof(int), FieldAttributes.Public);
        t.DefineField("n", s, FieldAttributes.Public);
        Console.WriteLine(Marshal.SizeOf(t.CreateType()));
        AppDomain.CurrentDomain.TypeResolve -= handler;
    }

    static void Compiled()
    {
        var t = module.DefineType("FromTree", TypeAttributes.Public);
        var m = t.DefineMethod("F", MethodAttributes.Public | MethodAttributes.Static);
        System.Linq.Expressions.Expression<Func<int, string>> tree = x => "v" + (x * 2).ToString();
        tree.CompileToMethod(m);
        Console.WriteLine(t.CreateType().GetMethod("F").Invoke(null, new object[] { 21 }));
        try { AppDomain.CurrentDomain.DefineDynamicAssembly(new AssemblyName("saved"), AssemblyBuilderAccess.RunAndSave).Save("saved.dll"); } catch (NotSupportedException e) { Console.WriteLine(e.Message); }
    }

    static void Errors()
    {
        var t = module.DefineType("Broken", TypeAttributes.Public, typeof(Shape));
        try { t.CreateType(); Console.WriteLine("created"); } catch (Exception e) { Console.WriteLine(e.GetType().Name); }
        var a = module.DefineType("Late", TypeAttributes.Public);
        var b = module.DefineType("Early", TypeAttributes.Public, a);
        b.DefineDefaultConstructor(MethodAttributes.Public);
        try { b.CreateType(); Console.WriteLine("created"); } catch (TypeLoadException) { Console.WriteLine("base is not finished"); }
        try { module.DefineType("Late"); } catch (ArgumentException e) { Console.WriteLine(e.Message); }
        var d = module.DefineType("Done");
        d.CreateType();
        try { d.DefineField("x", typeof(int), FieldAttributes.Public); } catch (InvalidOperationException) { Console.WriteLine("too late"); }
        var n = module.DefineType("NoBody");
        n.DefineMethod("M", MethodAttributes.Public, typeof(void), Type.EmptyTypes);
        try { n.CreateType(); } catch (InvalidOperationException e) { Console.WriteLine(e.Message); }
    }

    static void TheAssembly()
    {
        Console.WriteLine(assembly.FullName + " " + assembly.IsDynamic + " " + AppDomain.CurrentDomain.GetAssemblies().Contains(assembly));
        Console.WriteLine(assembly.GetType("Ns.Circle") + " " + (assembly.GetType("Nope") == null) + " " + assembly.GetTypes().Length);
        try { Console.WriteLine(assembly.Location); } catch (NotSupportedException) { Console.WriteLine("no location"); }
        AppDomain.CurrentDomain.AssemblyResolve += (s, e) => e.Name.StartsWith("made") ? assembly : null;
        Console.WriteLine(Type.GetType("Color, made"));
        var title = typeof(AssemblyTitleAttribute).GetConstructors()[0];
        Console.WriteLine(assembly.GetCustomAttributes(false).Length);
        assembly.SetCustomAttribute(new CustomAttributeBuilder(title, new object[] { "made" }));
        Console.WriteLine(((AssemblyTitleAttribute)assembly.GetCustomAttributes(false)[0]).Title);
        module.SetCustomAttribute(new CustomAttributeBuilder(typeof(MarkAttribute).GetConstructors()[0], new object[] { "module", null }));
        Console.WriteLine(module.IsDefined(typeof(MarkAttribute), false));
    }
}
