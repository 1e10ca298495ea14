// Memory goes back to the system after a peak, of small objects, large ones, and where a few survivors lie between.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

static class Program
{
    const int MB = 1 << 20;

    static long Resident()
    {
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * 4096;
    }

    static List<byte[]> Fill(int count, int size)
    {
        var list = new List<byte[]>();
        for (int i = 0; i < count; i++)
        {
            var a = new byte[size];
            for (int k = 0; k < size; k += 4096) a[k] = (byte)i;
            a[size - 1] = (byte)i;
            list.Add(a);
        }
        return list;
    }

    static bool Intact(List<byte[]> list, int step)
    {
        for (int i = 0; i < list.Count; i++)
            if (list[i] != null && (list[i][0] != (byte)(i * step) || list[i][list[i].Length - 1] != (byte)(i * step))) return false;
        return true;
    }

    // On a thread of its own: what is left in frames here must not keep anything.
    static void Peak(string name, int count, int size, int step)
    {
        long before = Resident(), full = 0;
        List<byte[]> kept = null;
        bool intact = false;
        var t = new Thread(() =>
        {
            var all = Fill(count, size);
            full = Resident();
            var some = new List<byte[]>();
            if (step > 0)
                for (int i = 0; i < count; i += step) some.Add(all[i]);
            kept = some;
            intact = Intact(all, 1);
        });
        t.Start();
        t.Join();
        GC.Collect();
        GC.Collect();
        long after = Resident();
        long total = (long)count * size;
        bool grew = full - before > total / 2, fell = full - after > total / 2;
        Console.WriteLine("{0}: grew {1}, fell {2}, intact {3} {4}", name, grew, fell, intact, Intact(kept, step));
        if (!grew || !fell) Console.Error.WriteLine("{0}: {1} {2} {3} MB", name, before / MB, full / MB, after / MB);
    }

    static void Main()
    {
        Peak("small", 50000, 3000, 0);
        Peak("large", 150, MB, 0);
        Peak("survivors", 150, MB, 10);
        Peak("small survivors", 10000, 15000, 50);
        // What was given back can be used again.
        Peak("again", 50000, 3000, 1000);
        var zero = new byte[100 * MB];
        bool clear = true;
        for (int i = 0; i < zero.Length; i += 512) clear &= zero[i] == 0;
        Console.WriteLine("clear {0}", clear);
    }
}
