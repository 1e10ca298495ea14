// Finalizers, resurrection, weak references, handles, tables, large objects, memory that cannot be had.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;
using System.Threading;

class Counted
{
    public static int Finalized;
    ~Counted() { Interlocked.Increment(ref Finalized); }
}

class Phoenix
{
    public static Phoenix Saved;
    public static int Runs;
    ~Phoenix() { Runs++; Saved = this; }
}

class Critical : CriticalFinalizerObject
{
    public static int OrdinaryBefore = -1;
    ~Critical() { if (OrdinaryBefore < 0) OrdinaryBefore = Ordinary.Finalized; }
}

class Ordinary
{
    public static int Finalized;
    ~Ordinary() { Finalized++; }
}

static class Program
{
    static void Main()
    {
        Finalizers(); Resurrection(); CriticalOnes(); Weak(); Handles(); Tables(); Queries(); Large(); Pinned(); OutOfMemory();
    }

    static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    // What a helper made is gone when the helper's thread is gone, whatever is left in registers and frames here.
    static void Elsewhere(ThreadStart make)
    {
        var t = new Thread(make);
        t.Start();
        t.Join();
    }

    static void Finalizers()
    {
        Console.WriteLine("-- finalizers");
        Elsewhere(() => { for (int i = 0; i < 1000; i++) new Counted(); });
        Collect();
        Console.WriteLine(Counted.Finalized);
        Counted.Finalized = 0;
        Elsewhere(() => { for (int i = 0; i < 100; i++) GC.SuppressFinalize(new Counted()); });
        Collect();
        Console.WriteLine(Counted.Finalized);
        Elsewhere(() => { var c = new Counted(); GC.SuppressFinalize(c); GC.ReRegisterForFinalize(c); });
        Collect();
        Console.WriteLine(Counted.Finalized);
        try { GC.SuppressFinalize(null); }
        catch (ArgumentNullException e) { Console.WriteLine(e.ParamName); }
    }

    static bool IsSaved()
    {
        bool saved = false;
        Elsewhere(() => saved = Phoenix.Saved != null);
        return saved;
    }

    static void Resurrection()
    {
        Console.WriteLine("-- resurrection");
        Elsewhere(() => new Phoenix());
        Collect();
        Console.WriteLine("{0} {1}", Phoenix.Runs, IsSaved());
        Elsewhere(() => { GC.ReRegisterForFinalize(Phoenix.Saved); Phoenix.Saved = null; });
        Collect();
        Console.WriteLine("{0} {1}", Phoenix.Runs, IsSaved());
        Elsewhere(() => { Phoenix.Saved = null; });
        Collect();
        Console.WriteLine("{0} {1}", Phoenix.Runs, IsSaved());
    }

    static void CriticalOnes()
    {
        Console.WriteLine("-- critical");
        // All of them die together: a collection between would finalize the critical ones of its own.
        Elsewhere(() => { var all = new object[100]; for (int i = 0; i < 100; i += 2) { all[i] = new Critical(); all[i + 1] = new Ordinary(); } GC.KeepAlive(all); });
        Collect();
        Console.WriteLine(Critical.OrdinaryBefore);
    }

    static void Weak()
    {
        Console.WriteLine("-- weak references");
        WeakReference shorter = null, longer = null, kept = null;
        var alive = new object();
        Elsewhere(() =>
        {
            shorter = new WeakReference(new Phoenix());
            longer = new WeakReference(Phoenix.Saved ?? shorter.Target, true);
            kept = new WeakReference(alive);
        });
        Collect();
        Console.WriteLine("{0} {1} {2}", shorter.IsAlive, longer.IsAlive, kept.Target == alive);
        Elsewhere(() => { Phoenix.Saved = null; });
        Collect();
        Console.WriteLine("{0} {1}", longer.IsAlive, shorter.Target == null);
        var generic = new WeakReference<object>(alive);
        object target;
        Console.WriteLine("{0} {1}", generic.TryGetTarget(out target), target == alive);
        GC.KeepAlive(alive);
    }

    static void Handles()
    {
        Console.WriteLine("-- handles");
        GCHandle normal = default(GCHandle), weak = default(GCHandle), tracking = default(GCHandle), pinned = default(GCHandle);
        Elsewhere(() =>
        {
            normal = GCHandle.Alloc(new string('n', 3));
            weak = GCHandle.Alloc(new string('w', 3), GCHandleType.Weak);
            tracking = GCHandle.Alloc(new string('t', 3), GCHandleType.WeakTrackResurrection);
            pinned = GCHandle.Alloc(new byte[] { 1, 2, 3 }, GCHandleType.Pinned);
        });
        Collect();
        Console.WriteLine("{0} {1} {2} {3}", normal.Target, weak.Target ?? "null", tracking.Target ?? "null", Marshal.ReadByte(pinned.AddrOfPinnedObject(), 2));
        var copy = GCHandle.FromIntPtr(GCHandle.ToIntPtr(normal));
        Console.WriteLine("{0} {1}", copy.Target, copy == normal);
        normal.Free();
        Console.WriteLine(normal.IsAllocated);
        try { normal.Free(); }
        catch (InvalidOperationException e) { Console.WriteLine(e.GetType().Name); }
        try { GCHandle.Alloc(new object[1], GCHandleType.Pinned); }
        catch (ArgumentException e) { Console.WriteLine(e.GetType().Name); }
        weak.Free(); tracking.Free(); pinned.Free();
    }

    static void Tables()
    {
        Console.WriteLine("-- conditional tables");
        var table = new ConditionalWeakTable<object, string>();
        var key = new object();
        WeakReference value = null;
        Elsewhere(() =>
        {
            table.Add(key, new string('v', 2));
            table.Add(new object(), "lost");
            string v;
            table.TryGetValue(key, out v);
            value = new WeakReference(v);
        });
        Collect();
        string found;
        Console.WriteLine("{0} {1} {2}", table.TryGetValue(key, out found), found, value.IsAlive);
        try { table.Add(key, "twice"); }
        catch (ArgumentException) { Console.WriteLine("twice"); }
        Console.WriteLine("{0} {1}", table.Remove(key), table.GetValue(key, _ => "made"));
    }

    static void Queries()
    {
        Console.WriteLine("-- queries");
        int before = GC.CollectionCount(0);
        GC.Collect(0);
        Console.WriteLine("{0} {1}", GC.CollectionCount(0) > before, GC.MaxGeneration >= 0);
        Console.WriteLine(GC.GetTotalMemory(true) > 0);
        GC.AddMemoryPressure(1000);
        GC.RemoveMemoryPressure(1000);
        try { GC.Collect(-1); }
        catch (ArgumentOutOfRangeException e) { Console.WriteLine(e.ParamName); }
        try { GC.AddMemoryPressure(0); }
        catch (ArgumentOutOfRangeException e) { Console.WriteLine(e.ParamName); }
    }

    static void Large()
    {
        Console.WriteLine("-- large objects");
        long sum = 0;
        for (int i = 0; i < 40; i++)
        {
            var big = new int[1 << 20];
            big[big.Length - 1] = i;
            sum += big[big.Length - 1] + big[i];
        }
        Console.WriteLine(sum);
        var list = new List<byte[]>();
        for (int i = 0; i < 20; i++) list.Add(new byte[1 << 20]);
        Console.WriteLine(list.TrueForAll(b => b[b.Length - 1] == 0));
    }

    static unsafe void Pinned()
    {
        Console.WriteLine("-- pinned");
        var text = new[] { 1, 2, 3, 4 };
        fixed (int* p = text)
        {
            for (int i = 0; i < 10; i++) { new object[1000].ToString(); }
            GC.Collect();
            p[2] = 30;
        }
        Console.WriteLine(text[2]);
    }

    static int Minus() { return -1; }

    static void OutOfMemory()
    {
        Console.WriteLine("-- out of memory");
        try { Console.WriteLine(new long[int.MaxValue, 1 << 20].Length); }
        catch (OutOfMemoryException e) { Console.WriteLine(e.GetType()); }
        try { Console.WriteLine(new long[Minus()].Length); }
        catch (OverflowException e) { Console.WriteLine(e.GetType()); }
        Console.WriteLine(new byte[10].Length);
    }
}
