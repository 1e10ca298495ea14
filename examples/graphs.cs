// Object graphs that keep the collector busy from several threads: trees, lists, dictionaries, weak references, finalizers.
using System;
using System.Collections.Generic;
using System.Threading;

sealed class Tree
{
    public Tree Left, Right; public int Value;
    public static Tree Build(int depth) => depth == 0 ? new Tree { Value = 1 } : new Tree { Left = Build(depth - 1), Right = Build(depth - 1), Value = depth };
    public int Check() => Left == null ? Value : Value + Left.Check() + Right.Check();
}

sealed class Noisy
{
    public static int Finalized;
    ~Noisy() { Interlocked.Increment(ref Finalized); }
}

static class Graphs
{
    static long Churn(int seed)
    {
        var random = new Random(seed);
        var live = new Dictionary<int, string[]>();
        long sum = 0;
        for (int i = 0; i < 20000; i++)
        {
            int key = random.Next(500);
            if (live.TryGetValue(key, out string[] old)) sum += old.Length;
            var fresh = new string[random.Next(1, 20)];
            for (int j = 0; j < fresh.Length; j++) fresh[j] = (key * j).ToString();
            live[key] = fresh;
            if (i % 1000 == 0) sum += Tree.Build(8).Check();
        }
        foreach (var kv in live)
            for (int j = 0; j < kv.Value.Length; j++)
                if (kv.Value[j] != (kv.Key * j).ToString()) throw new Exception("corrupted");
        return sum;
    }

    static void MakeNoise(int n) { for (int i = 0; i < n; i++) new Noisy(); }

    static void Main()
    {
        Tree longLived = Tree.Build(14);
        int total = 0;
        for (int i = 0; i < 20; i++) total += Tree.Build(10).Check();
        Console.WriteLine("trees " + total + " " + longLived.Check());

        var results = new long[4]; var threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++) { int id = t; threads[t] = new Thread(() => results[id] = Churn(id)) { Name = "churn " + t }; threads[t].Start(); }
        foreach (Thread t in threads) t.Join();
        Console.WriteLine("churn " + string.Join(" ", results));

        var shared = new LinkedList<int>(); object gate = new object(); int producers = 3; long consumed = 0;
        var workers = new List<Thread>();
        for (int p = 0; p < 3; p++)
            workers.Add(new Thread(() =>
            {
                for (int i = 1; i <= 2000; i++) lock (gate) { shared.AddLast(i); Monitor.Pulse(gate); }
                lock (gate) { producers--; Monitor.PulseAll(gate); }
            }));
        workers.Add(new Thread(() =>
        {
            lock (gate)
                while (true)
                {
                    while (shared.Count == 0 && producers > 0) Monitor.Wait(gate);
                    if (shared.Count == 0) return;
                    consumed += shared.First.Value; shared.RemoveFirst();
                }
        }));
        foreach (Thread w in workers) w.Start();
        foreach (Thread w in workers) w.Join();
        Console.WriteLine("consumed " + consumed);

        int counter = 0; var adders = new Thread[4];
        for (int t = 0; t < 4; t++) { adders[t] = new Thread(() => { for (int i = 0; i < 50000; i++) Interlocked.Increment(ref counter); }); adders[t].Start(); }
        foreach (Thread t in adders) t.Join();
        Console.WriteLine("counted " + counter);

        var noise = new Thread(() => MakeNoise(1000)); noise.Start(); noise.Join();
        GC.Collect(); GC.WaitForPendingFinalizers();
        Console.WriteLine("finalized " + (Noisy.Finalized > 900 && Noisy.Finalized <= 1000));
        WeakReference weak = null;
        var maker = new Thread(() => weak = new WeakReference(Tree.Build(3))); maker.Start(); maker.Join();
        GC.Collect();
        Console.WriteLine("weak " + (weak.Target == null) + " " + (new WeakReference(longLived).Target != null));
        Console.WriteLine("alive " + longLived.Check());
        GC.KeepAlive(longLived);
    }
}
