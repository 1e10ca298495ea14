// Eight threads allocate, throw, lock and load types while the collector runs. Argument: rounds of each thread (default 40).
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

struct Zero { }
struct Even<T> { }
struct Odd<T> { }

class Box<T>
{
    public static int Count;
    public readonly object Content;
    public Box(object content) { Content = content; Interlocked.Increment(ref Count); }
    public virtual string Describe() { return typeof(T).Name + Content; }
}

class Finalized
{
    public static int Made, Done;
    public Finalized() { Interlocked.Increment(ref Made); }
    ~Finalized() { Interlocked.Increment(ref Done); }
}

static class Program
{
    static readonly object[] Gates = Enumerable.Range(0, 3).Select(_ => new object()).ToArray();
    static readonly Dictionary<int, string> Shared = new Dictionary<int, string>();
    static int thrown, locked, boxes, wrong, collections;
    static long allocated;
    static volatile bool over;

    static void Main(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0]) : 40;
        var collector = new Thread(() => { while (!over) { GC.Collect(); collections++; Thread.Sleep(1); } });
        collector.Start();
        var threads = Enumerable.Range(0, 8).Select(n => new Thread(() => Work(n, rounds))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        over = true;
        collector.Join();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        int all = 8 * rounds;
        Console.WriteLine("{0} thrown, {1} locked, {2} boxes, {3} wrong", thrown == all, locked == all, boxes == all, wrong);
        Console.WriteLine("collected {0}, finalized {1}", collections > 0, Finalized.Made == all && Finalized.Done > 0);
        if (args.Length > 0)
            Console.WriteLine("{0} thrown, {1} locked, {2} boxes, {3} finalized, {4} collections, {5} KB allocated", thrown, locked, boxes, Finalized.Done, collections, allocated >> 10);
    }

    static void Work(int seed, int rounds)
    {
        var random = new Random(seed);
        for (int i = 0; i < rounds; i++)
        {
            Allocate(random);
            try { Throw(random.Next(4)); }
            catch (Exception) { Interlocked.Increment(ref thrown); }
            lock (Gates[random.Next(Gates.Length)])
            {
                Interlocked.Increment(ref locked);
                lock (Shared) Shared[i % 64] = new string((char)('a' + seed), 1 + i % 9);
            }
            Load(random.Next(400));
            new Finalized();
        }
    }

    static void Allocate(Random random)
    {
        var kept = new List<int[]>();
        for (int n = 0; n < 50; n++)
        {
            int length = random.Next(n % 10 == 0 ? 20000 : 100);
            var array = new int[length];
            for (int k = 0; k < length; k += 7) { if (array[k] != 0) Interlocked.Increment(ref wrong); array[k] = n; }
            Interlocked.Add(ref allocated, length * 4L);
            kept.Add(array);
        }
        for (int n = 0; n < kept.Count; n++)
            for (int k = 0; k < kept[n].Length; k += 7)
                if (kept[n][k] != n) Interlocked.Increment(ref wrong);
    }

    static void Throw(int kind)
    {
        object o = null;
        try
        {
            switch (kind)
            {
                case 0: o.ToString(); break;
                case 1: throw new InvalidOperationException("kind " + kind);
                case 2: Console.WriteLine(new int[kind][kind + 1]); break;
                default: o = kind; Console.WriteLine((string)o); break;
            }
        }
        finally { o = new object(); }
    }

    static void Load(int n)
    {
        Type argument = typeof(Zero);
        for (int bits = n + 1; bits > 0; bits >>= 1)
            argument = ((bits & 1) != 0 ? typeof(Odd<>) : typeof(Even<>)).MakeGenericType(argument);
        Check(Activator.CreateInstance(typeof(Box<>).MakeGenericType(argument), n), argument, n);
    }

    static void Check(object box, Type argument, int n)
    {
        Interlocked.Increment(ref boxes);
        string text = (string)box.GetType().GetMethod("Describe").Invoke(box, null);
        if (text != argument.Name + n) Interlocked.Increment(ref wrong);
    }
}
