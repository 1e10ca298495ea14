// Dynamic methods, compiled expression trees and `dynamic`.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

struct Pair { public int A; public string B; public override string ToString() { return A + B; } }

class Hidden { private int secret = 7; private static string Join(string a, int b) { return a + b; } }

static class P
{
    static void Main()
    {
        Section("plain", Plain); Section("closed", Closed); Section("handlers", Handlers);
        Section("switch", Switch); Section("self", Self); Section("private", Private);
        Section("errors", Errors); Section("trees", Trees); Section("statements", Statements);
        Section("dynamic", Dynamic);
    }

    static void Section(string name, Action body)
    {
        Console.WriteLine("# " + name);
        try { body(); } catch (Exception e) { Console.WriteLine(e.GetType() + ": " + e.Message); }
    }

    static void Plain()
    {
        var m = new DynamicMethod("Mix", typeof(Pair), new[] { typeof(int), typeof(string), typeof(Pair).MakeByRefType() });
        var il = m.GetILGenerator();
        var local = il.DeclareLocal(typeof(Pair));
        il.Emit(OpCodes.Ldloca, local);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Stfld, typeof(Pair).GetField("A"));
        il.Emit(OpCodes.Ldloca, local);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldstr, "é!");
        il.Emit(OpCodes.Call, typeof(string).GetMethod("Concat", new[] { typeof(string), typeof(string) }));
        il.Emit(OpCodes.Stfld, typeof(Pair).GetField("B"));
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Stobj, typeof(Pair));
        il.Emit(OpCodes.Ldloc, local);
        il.Emit(OpCodes.Ret);
        var args = new object[] { 3, "x", new Pair() };
        Console.WriteLine(m.Invoke(null, args) + " " + args[2]);
        Console.WriteLine(m.Name + " " + m.ReturnType + " " + m.GetParameters().Length + " " + m.IsStatic + " " + m);
        // Members of generic types and arrays, boxing, a type's handle.
        var g = new DynamicMethod("G", typeof(object), new[] { typeof(List<int>) }, typeof(P));
        il = g.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, 40);
        il.Emit(OpCodes.Callvirt, typeof(List<int>).GetMethod("Add"));
        il.Emit(OpCodes.Ldc_I4_2);
        il.Emit(OpCodes.Newarr, typeof(object));
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Callvirt, typeof(List<int>).GetProperty("Count").GetGetMethod());
        il.Emit(OpCodes.Box, typeof(int));
        il.Emit(OpCodes.Stelem_Ref);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Ldtoken, typeof(Dictionary<,>));
        il.Emit(OpCodes.Call, typeof(Type).GetMethod("GetTypeFromHandle"));
        il.Emit(OpCodes.Stelem_Ref);
        il.Emit(OpCodes.Ret);
        var f = (Func<List<int>, object>)g.CreateDelegate(typeof(Func<List<int>, object>));
        Console.WriteLine(string.Join(" ", (object[])f(new List<int> { 1, 2 })));
        var first = typeof(Enumerable).GetMethods().First(x => x.Name == "First" && x.GetParameters().Length == 1).MakeGenericMethod(typeof(long));
        var h = new DynamicMethod("H", typeof(long), new[] { typeof(IEnumerable<long>) });
        il = h.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, first);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(((Func<IEnumerable<long>, long>)h.CreateDelegate(typeof(Func<IEnumerable<long>, long>)))(new[] { 5L, 6L }));
    }

    static void Closed()
    {
        var m = new DynamicMethod("Closed", typeof(string), new[] { typeof(object[]), typeof(int) }, typeof(object), true);
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Castclass, typeof(string));
        il.Emit(OpCodes.Ret);
        var d = (Func<int, string>)m.CreateDelegate(typeof(Func<int, string>), new object[] { "a", "b" });
        Console.WriteLine(d(1) + d(0) + " " + (d.Target is object[]) + " " + d.Method.Name);
        try { d(2); } catch (IndexOutOfRangeException e) { Console.WriteLine(e.Message); }
    }

    static void Handlers()
    {
        var m = new DynamicMethod("Try", typeof(string), new[] { typeof(Action), typeof(List<string>) });
        var il = m.GetILGenerator();
        var result = il.DeclareLocal(typeof(string));
        var add = typeof(List<string>).GetMethod("Add");
        il.BeginExceptionBlock();
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Callvirt, typeof(Action).GetMethod("Invoke"));
        il.Emit(OpCodes.Ldstr, "fine");
        il.Emit(OpCodes.Stloc, result);
        il.BeginCatchBlock(typeof(ArgumentException));
        il.Emit(OpCodes.Callvirt, typeof(Exception).GetProperty("Message").GetGetMethod());
        il.Emit(OpCodes.Stloc, result);
        il.BeginFinallyBlock();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldstr, "inner");
        il.Emit(OpCodes.Callvirt, add);
        il.EndExceptionBlock();
        il.BeginCatchBlock(typeof(Exception));
        il.Emit(OpCodes.Callvirt, typeof(object).GetMethod("GetType"));
        il.Emit(OpCodes.Callvirt, typeof(MemberInfo).GetProperty("Name").GetGetMethod());
        il.Emit(OpCodes.Stloc, result);
        il.EndExceptionBlock();
        il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ret);
        var f = (Func<Action, List<string>, string>)m.CreateDelegate(typeof(Func<Action, List<string>, string>));
        var log = new List<string>();
        Console.WriteLine(f(() => { }, log));
        Console.WriteLine(f(() => { throw new ArgumentException("arg"); }, log));
        Console.WriteLine(f(() => { throw new InvalidOperationException(); }, log));
        Console.WriteLine(string.Join(",", log));
    }

    static void Switch()
    {
        var m = new DynamicMethod("Switch", typeof(int), new[] { typeof(int) });
        var il = m.GetILGenerator();
        var labels = new[] { il.DefineLabel(), il.DefineLabel(), il.DefineLabel() };
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Switch, labels);
        il.Emit(OpCodes.Ldc_I4_M1);
        il.Emit(OpCodes.Ret);
        for (int n = 0; n < labels.Length; n++)
        {
            il.MarkLabel(labels[n]);
            il.Emit(OpCodes.Ldc_I4, 1000 * (n + 1));
            il.Emit(OpCodes.Ret);
        }
        var f = (Func<int, int>)m.CreateDelegate(typeof(Func<int, int>));
        Console.WriteLine(f(0) + " " + f(2) + " " + f(3) + " " + f(-1));
    }

    static void Self()
    {
        var m = new DynamicMethod("Fact", typeof(long), new[] { typeof(long) });
        var il = m.GetILGenerator();
        var more = il.DefineLabel();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Bgt, more);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Ret);
        il.MarkLabel(more);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Call, m);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(m.Invoke(null, new object[] { 12L }));
        var other = new DynamicMethod("Other", typeof(long), Type.EmptyTypes);
        il = other.GetILGenerator();
        il.Emit(OpCodes.Ldc_I8, 5L);
        il.Emit(OpCodes.Call, m);
        il.Emit(OpCodes.Ret);
        Console.WriteLine(other.Invoke(null, null));
    }

    static void Private()
    {
        var get = new DynamicMethod("Get", typeof(int), new[] { typeof(object) }, typeof(Hidden), true);
        var il = get.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Castclass, typeof(Hidden));
        il.Emit(OpCodes.Ldfld, typeof(Hidden).GetField("secret", BindingFlags.NonPublic | BindingFlags.Instance));
        il.Emit(OpCodes.Ret);
        Console.WriteLine(((Func<object, int>)get.CreateDelegate(typeof(Func<object, int>)))(new Hidden()));
        var join = new DynamicMethod("J", typeof(string), null, typeof(Hidden).Module, true);
        il = join.GetILGenerator();
        il.Emit(OpCodes.Ldstr, "n");
        il.Emit(OpCodes.Ldc_I4_8);
        il.Emit(OpCodes.Call, typeof(Hidden).GetMethod("Join", BindingFlags.NonPublic | BindingFlags.Static));
        il.Emit(OpCodes.Ret);
        Console.WriteLine(join.Invoke(null, null));
    }

    static void Errors()
    {
        try { new DynamicMethod("E", typeof(void), null).Invoke(null, null); } catch (InvalidOperationException e) { Console.WriteLine(e.Message); }
        var m = new DynamicMethod("Throw", typeof(void), null);
        var il = m.GetILGenerator();
        il.Emit(OpCodes.Ldstr, "thrown");
        il.Emit(OpCodes.Newobj, typeof(FormatException).GetConstructor(new[] { typeof(string) }));
        il.Emit(OpCodes.Throw);
        try { m.Invoke(null, null); } catch (TargetInvocationException e) { Console.WriteLine(e.InnerException.Message); }
        try { m.Invoke(null, null); } catch (TargetInvocationException e) { Console.WriteLine(e.InnerException.StackTrace.Split((char)10)[0] + (e.InnerException.TargetSite == null)); }
        Expression<Func<string, int, int>> div = (s, x) => 10 / x;
        try { div.Compile()("", 0); } catch (DivideByZeroException e) { Console.WriteLine(e.StackTrace.Split((char)10)[0]); }
        var bad = new DynamicMethod("Bad", typeof(int), null);
        bad.GetILGenerator().Emit(OpCodes.Ret);
        try { bad.Invoke(null, null); } catch (TargetInvocationException e) { Console.WriteLine(e.InnerException.GetType()); }
        try { m.CreateDelegate(typeof(Func<int>)); } catch (ArgumentException) { Console.WriteLine("wrong delegate"); }
    }

    static void Trees()
    {
        Expression<Func<int, int, double>> e = (a, b) => Math.Sqrt(a * a + b * b);
        Console.WriteLine(e.Compile()(3, 4) + " " + e);
        int captured = 10;
        Expression<Func<string, IEnumerable<string>>> q = s => s.Split(new[] { (char)32 }).Where(w => w.Length > captured - 8).Select(w => w.ToUpper());
        Console.WriteLine(string.Join("|", q.Compile()("to be or not tobe")));
        Expression<Func<int?, int?, int?>> n = (x, y) => x + y ?? -1;
        Console.WriteLine(n.Compile()(1, 2) + " " + n.Compile()(null, 2));
        Expression<Func<object, bool>> t = o => o is string && ((string)o).Length > 0 || o == null;
        Console.WriteLine(t.Compile()("x") + " " + t.Compile()(1) + " " + t.Compile()(null));
        Expression<Func<int, Pair>> mk = i => new Pair { A = i, B = "b" + i };
        Console.WriteLine(mk.Compile()(4));
        Expression<Func<int, List<int>>> li = i => new List<int> { i, i + 1 };
        Console.WriteLine(li.Compile()(4).Sum());
        Expression<Func<decimal, decimal>> dec = d => checked(d * 2 - 1);
        Console.WriteLine(dec.Compile()(1.5m));
        Console.WriteLine(new[] { 3, 1, 2 }.AsQueryable().Where(x => x > 1).OrderBy(x => x).Select(x => x * 10).Sum());
    }

    static void Statements()
    {
        var n = Expression.Parameter(typeof(int), "n");
        var sum = Expression.Variable(typeof(int), "sum");
        var done = Expression.Label(typeof(int));
        var loop = Expression.Lambda<Func<int, int>>(Expression.Block(new[] { sum },
            Expression.Loop(Expression.IfThenElse(Expression.GreaterThan(n, Expression.Constant(0)),
                Expression.AddAssign(sum, Expression.PostDecrementAssign(n)), Expression.Break(done, sum)), done)), n).Compile();
        Console.WriteLine(loop(100));
        var guard = Expression.Lambda<Func<string, int>>(Expression.TryCatchFinally(
            Expression.Call(typeof(int).GetMethod("Parse", new[] { typeof(string) }), Expression.Parameter(typeof(string), "s")),
            Expression.Empty(), Expression.Catch(typeof(FormatException), Expression.Constant(-1))).Reduce(), Expression.Parameter(typeof(string), "t"));
        try { guard.Compile(); } catch (InvalidOperationException e) { Console.WriteLine(e.Message); }
        var s = Expression.Parameter(typeof(string), "s");
        var parse = Expression.Lambda<Func<string, int>>(Expression.TryCatch(
            Expression.Call(typeof(int).GetMethod("Parse", new[] { typeof(string) }), s),
            Expression.Catch(typeof(FormatException), Expression.Constant(-1))), s).Compile();
        Console.WriteLine(parse("12") + " " + parse("x"));
        var outer = Expression.Lambda<Func<int, Func<int, int>>>(Expression.Lambda<Func<int, int>>(Expression.Add(n, sum), sum), n).Compile();
        Console.WriteLine(outer(5)(6));
        var sw = Expression.Lambda<Func<string, string>>(Expression.Switch(s, Expression.Constant("other"),
            Expression.SwitchCase(Expression.Constant("one"), Expression.Constant("1")), Expression.SwitchCase(Expression.Constant("two"), Expression.Constant("2"))), s).Compile();
        Console.WriteLine(sw("1") + sw("2") + sw("3"));
    }

    class Duck { public int Legs = 2; public string Say(string what) { return "quack " + what; } public string Say(int n) { return "quack " + n; } public int this[int i] { get { return i * i; } } public static Duck operator +(Duck a, int b) { return new Duck { Legs = a.Legs + b }; } }

    static void Dynamic()
    {
        dynamic d = new Duck();
        Console.WriteLine(d.Say("x") + " " + d.Say(3) + " " + d[5] + " " + (d + 3).Legs);
        d.Legs = 4;
        Console.WriteLine(d.Legs * 1.5);
        dynamic a = 1, b = "s", c = 2.5;
        Console.WriteLine(a + b + c + (a + c));
        try { d.Nope(); } catch (Microsoft.CSharp.RuntimeBinder.RuntimeBinderException e) { Console.WriteLine(e.Message); }
        dynamic bag = new System.Dynamic.ExpandoObject();
        bag.Name = "n"; bag.Twice = (Func<int, int>)(x => x * 2);
        Console.WriteLine(bag.Name + bag.Twice(21) + ((IDictionary<string, object>)bag).Count);
        long total = 0;
        foreach (dynamic x in new object[] { 1, 2L, (short)3, 4.0 }) total += (long)x;
        Console.WriteLine(total);
        Func<dynamic, dynamic> id = x => x.Length;
        Console.WriteLine(id("four") + id(new int[3]));
    }
}
