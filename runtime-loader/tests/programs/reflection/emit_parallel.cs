// Dynamic methods, expression trees, `dynamic` and types made by several threads at once.
using System; using System.Collections.Concurrent; using System.Collections.Generic; using System.Linq; using System.Linq.Expressions; using System.Reflection; using System.Reflection.Emit; using System.Threading;
public class Pt { public int X; public string Y { get; set; } }
static class P
{
    static long Work(int seed)
    {
        long sum = 0;
        for (int i = 0; i < 25; i++)
        {
            int k = seed * 100 + i;
            var dm = new DynamicMethod("m", typeof(int), new[] { typeof(int), typeof(List<string>) });
            var il = dm.GetILGenerator();
            il.Emit(OpCodes.Ldarg_1); il.Emit(OpCodes.Ldstr, "s" + k); il.Emit(OpCodes.Callvirt, typeof(List<string>).GetMethod("Add"));
            il.Emit(OpCodes.Ldarg_0); il.Emit(OpCodes.Ldc_I4, k); il.Emit(OpCodes.Add); il.Emit(OpCodes.Ret);
            var list = new List<string>();
            sum += ((Func<int, List<string>, int>)dm.CreateDelegate(typeof(Func<int, List<string>, int>)))(1, list) + list[0].Length;
            Expression<Func<Pt, string>> tree = p => p.Y + p.X + k;
            sum += tree.Compile()(new Pt { X = i, Y = "y" }).Length;
            dynamic d = i % 2 == 0 ? (object)k : (long)k;
            sum += (long)(d + 1);
            if (i % 5 == 0)
            {
                var t = AppDomain.CurrentDomain.DefineDynamicAssembly(new AssemblyName("a" + k), AssemblyBuilderAccess.Run).DefineDynamicModule("m").DefineType("T`1", TypeAttributes.Public);
                var g = t.DefineGenericParameters("T")[0];
                var f = t.DefineField("f", g, FieldAttributes.Public);
                t.DefineDefaultConstructor(MethodAttributes.Public);
                var m = t.DefineMethod("Get", MethodAttributes.Public, g, Type.EmptyTypes);
                var ml = m.GetILGenerator();
                ml.Emit(OpCodes.Ldarg_0); ml.Emit(OpCodes.Ldfld, TypeBuilder.GetField(t.MakeGenericType(g), f)); ml.Emit(OpCodes.Ret);
                var made = t.CreateType().MakeGenericType(i % 2 == 0 ? typeof(int) : typeof(string));
                var o = Activator.CreateInstance(made);
                made.GetField("f").SetValue(o, i % 2 == 0 ? (object)k : "k");
                sum += made.GetMethod("Get").Invoke(o, null).ToString().Length;
            }
        }
        return sum;
    }
    static void Main()
    {
        var expected = Enumerable.Range(0, 6).Select(Work).ToArray();
        var got = new long[6]; Exception failed = null;
        var threads = Enumerable.Range(0, 6).Select(n => new Thread(() => { try { got[n] = Work(n); } catch (Exception e) { failed = e; } })).ToArray();
        foreach (var t in threads) t.Start();
        foreach (var t in threads) t.Join();
        Console.WriteLine(failed == null ? "no failure" : failed.ToString());
        Console.WriteLine(expected.SequenceEqual(got) + " " + expected.Sum());
    }
}
