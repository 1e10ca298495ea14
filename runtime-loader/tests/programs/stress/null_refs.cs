// Null references by the thousand from four threads; the number for each is the argument (default 2,000).
using System;
using System.Threading;

class Node { public int Value; public Node Next; public virtual int Get() { return Value; } }

static class Program
{
    static int caught, finallies;

    static void Main(string[] args)
    {
        int each = args.Length > 0 ? int.Parse(args[0]) : 2000;
        var threads = new Thread[4];
        for (int n = 0; n < threads.Length; n++)
        {
            int kind = n;
            threads[n] = new Thread(() => Run(kind, each));
            threads[n].Start();
        }
        foreach (var t in threads) t.Join();
        Console.WriteLine("{0} caught, {1} finally blocks", caught == each * 4, finallies == each * 4);
        if (args.Length > 0) Console.WriteLine("{0} exceptions", caught);
    }

    static void Run(int kind, int each)
    {
        var node = new Node { Value = 1, Next = null };
        int[] array = null;
        string text = null;
        for (int i = 0; i < each; i++)
        {
            try
            {
                try
                {
                    switch ((kind + i) % 4)
                    {
                        case 0: i += node.Next.Value; break;
                        case 1: i += node.Next.Get(); break;
                        case 2: i += array[i]; break;
                        default: i += text.Length; break;
                    }
                    Console.WriteLine("not reached");
                }
                finally { Interlocked.Increment(ref finallies); }
            }
            catch (NullReferenceException) { Interlocked.Increment(ref caught); }
        }
    }
}
