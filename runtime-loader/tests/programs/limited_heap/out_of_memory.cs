// OutOfMemoryException in a heap of 64 MiB: the program goes on after it, whatever kind of allocation failed.
using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;

struct Wide { public long A, B, C, D; }

class Node { public Node Next; public long A; }

static class Program
{
    static int Minus = -1, Max = int.MaxValue;

    static void Try(string name, Func<object> make)
    {
        try { Console.WriteLine("{0}: {1}", name, make() == null ? "null" : "made"); }
        catch (OutOfMemoryException e) { Console.WriteLine("{0}: {1}", name, e.GetType().Name); }
        catch (OverflowException e) { Console.WriteLine("{0}: {1}", name, e.GetType().Name); }
        catch (ArgumentOutOfRangeException e) { Console.WriteLine("{0}: {1}", name, e.GetType().Name); }
    }

    static void Sizes()
    {
        Try("byte[max]", () => new byte[Max]);
        Try("long[max]", () => new long[Max]);
        Try("Wide[max]", () => new Wide[Max]);
        Try("object[max]", () => new object[Max]);
        Try("byte[-1]", () => new byte[Minus]);
        Try("byte[long -1]", () => new byte[(long)Minus]);
        Try("byte[1 << 40]", () => new byte[(long)Max << 10]);
        Try("long[max, max]", () => new long[Max, Max]);
        Try("byte[max, max, max]", () => new byte[Max, Max, Max]);
        Try("byte[-1, 1]", () => new byte[Minus, 1]);
        Try("byte[0, max]", () => new byte[0, Max]);
        Try("Array.CreateInstance", () => Array.CreateInstance(typeof(long), Max));
        Try("string", () => new string('x', Max));
        Try("string 128 MB", () => new string('x', 1 << 26));
        Try("concat", () => { var s = new string('x', 6 << 20); return string.Concat(s, s, s, s, s, s); });
        Try("StringBuilder", () => { var b = new StringBuilder(); while (true) b.Append('x', 1 << 20); });
        Try("List", () => { var l = new List<long>(); while (true) l.Add(1); });
        Try("clone", () => { var a = new byte[40 << 20]; return a.Clone(); });
        Try("resize", () => { var a = new byte[40 << 20]; Array.Resize(ref a, 60 << 20); return a; });
        Try("small", () => new byte[1000]);
    }

    // On a thread of its own: what is left in frames here must not keep the memory in use.
    static int Elsewhere(Func<int> work)
    {
        int result = 0;
        var t = new Thread(() => result = work());
        t.Start();
        t.Join();
        return result;
    }

    static int Fill(Func<object> make)
    {
        int n = 0;
        try
        {
            var list = new List<object>(1 << 14);
            while (true) { list.Add(make()); n++; }
        }
        catch (OutOfMemoryException) { return n; }
    }

    static int Chain()
    {
        Node head = null;
        int n = 0;
        try { while (true) { head = new Node { Next = head, A = n }; n++; } }
        catch (OutOfMemoryException) { }
        long next = n;
        for (var at = head; at != null; at = at.Next) if (at.A != --next) return -1;
        return n;
    }

    static void Full()
    {
        for (int round = 0; round < 3; round++)
        {
            int n = Elsewhere(() => Fill(() => new byte[1 << 20]));
            Console.WriteLine("megabytes {0}", n > 20 && n < 64);
            n = Elsewhere(() => Fill(() => new byte[10000]));
            Console.WriteLine("ten thousands {0}", n > 2000 && n < 6500);
            n = Elsewhere(Chain);
            Console.WriteLine("chain {0}", n > 1500000 && n < 2100000);
        }
    }

    static void Threads()
    {
        int failed = 0;
        var all = new Thread[4];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = new Thread(() =>
            {
                Fill(() => new byte[100000]);
                Interlocked.Increment(ref failed);
            });
        }
        foreach (var t in all) t.Start();
        foreach (var t in all) t.Join();
        Console.WriteLine("threads {0}", failed);
    }

    class Failing { public static readonly byte[] Much = new byte[Max]; }

    static void Initializer()
    {
        try { Console.WriteLine(Failing.Much.Length); }
        catch (TypeInitializationException e) { Console.WriteLine("{0} {1}", e.TypeName, e.InnerException.GetType().Name); }
    }

    static void Exceptions()
    {
        OutOfMemoryException first = null, second = null;
        try { new byte[Max].ToString(); } catch (OutOfMemoryException e) { first = e; }
        try { new byte[Max].ToString(); } catch (OutOfMemoryException e) { second = e; }
        Console.WriteLine("{0} {1}", first != second, first.StackTrace != null);
        try { try { new byte[Max].ToString(); } finally { Console.WriteLine("finally"); } }
        catch (Exception e) when (e is OutOfMemoryException) { Console.WriteLine("filter"); }
    }

    static void Main()
    {
        Sizes();
        Full();
        Threads();
        Initializer();
        Exceptions();
        GC.Collect();
        Console.WriteLine("end {0}", new byte[30 << 20].Length);
    }
}
