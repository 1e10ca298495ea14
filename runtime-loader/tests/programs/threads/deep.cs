// Stack overflows with large frames: of locals, of stackalloc, in small threads, caught and followed by further ones.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

[StructLayout(LayoutKind.Sequential, Size = 5000)] struct Page { public long First; }
[StructLayout(LayoutKind.Sequential, Size = 40000)] struct Pages { public long First; }
[StructLayout(LayoutKind.Sequential, Size = 250000)] struct Quarter { public long First; }
[StructLayout(LayoutKind.Sequential, Size = 700000)] struct Most { public long First; }
[StructLayout(LayoutKind.Sequential, Size = 3000000)] struct All { public long First; }

static class Program
{
    static int finallies;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe void Use(void* p) { *(long*)p = 1; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long WithPage(long n) { Page s; Use(&s); return WithPage(n + 1) + s.First; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long WithPages(long n) { Pages s; Use(&s); return WithPages(n + 1) + s.First; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long WithQuarter(long n) { Quarter s; Use(&s); return WithQuarter(n + 1) + s.First; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long WithMost(long n) { Most s; Use(&s); return WithMost(n + 1) + s.First; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long WithAll(long n) { All s; Use(&s); return WithAll(n + 1) + s.First; }

    // Large frames on top of a small one that takes a little more each time, so that what is left differs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long Below(int bytes, Func<long, long> deep)
    {
        byte* p = stackalloc byte[bytes];
        Use(p);
        try { return deep(*(long*)p) + p[0]; }
        finally { finallies++; }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe long Taking(int bytes)
    {
        byte* p = stackalloc byte[bytes];
        Use(p);
        return Taking(bytes) + p[0];
    }

    static bool Overflows(Func<long> f)
    {
        try { f(); return false; }
        catch (StackOverflowException) { return true; }
    }

    static void InThread(string name, int size, Func<int> body)
    {
        int overflows = 0;
        var thread = new Thread(() => overflows = body(), size);
        thread.Start();
        thread.Join();
        Console.WriteLine("{0}: {1}", name, overflows);
    }

    static int Frames(Func<long, long> deep)
    {
        int overflows = 0;
        for (int bytes = 64; bytes < 300000; bytes += 9000)
            if (Overflows(() => Below(bytes, deep))) overflows++;
        return overflows;
    }

    static int Allocations()
    {
        int overflows = 0;
        for (int bytes = 20000; bytes < 900000; bytes += 20000)
            if (Overflows(() => Taking(bytes))) overflows++;
        return overflows;
    }

    static int Main()
    {
        foreach (int size in new[] { 128 << 10, 512 << 10 })
        {
            InThread("page", size, () => Frames(WithPage));
            InThread("pages", size, () => Frames(WithPages));
            InThread("quarter", size, () => Frames(WithQuarter));
            InThread("most", size, () => Frames(WithMost));
            InThread("all", size, () => Frames(WithAll));
            InThread("stackalloc", size, Allocations);
        }
        Console.WriteLine("finallies: {0}", finallies);
        return 0;
    }
}
