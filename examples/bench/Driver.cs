// Runs benchmarks: every static method `bench_<name>` without parameters that returns a checksum. Prints one line
// `name nanoseconds checksum` each: the median of several runs after the runtime had time to warm up.
// Arguments: parts of the names wanted; `--once` runs each just once.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Reflection;

static class Driver
{
    const int Samples = 9;
    const int WarmMilliseconds = 300;

    static IEnumerable<MethodInfo> Benchmarks() =>
        from type in typeof(Driver).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where method.Name.StartsWith("bench_") && method.ReturnType == typeof(long) && method.GetParameters().Length == 0
        orderby type.Name, method.MetadataToken
        select method;

    static long Measure(Func<long> run, out long checksum)
    {
        var clock = Stopwatch.StartNew();
        int warm = 0;
        do { checksum = run(); warm++; } while (warm < 5 || clock.ElapsedMilliseconds < WarmMilliseconds);
        var times = new List<long>();
        for (int i = 0; i < Samples; i++)
        {
            GC.Collect();
            clock.Restart();
            if (run() != checksum) throw new InvalidOperationException("another checksum");
            times.Add(clock.ElapsedTicks);
        }
        times.Sort();
        return (long)(times[Samples / 2] * (1e9 / Stopwatch.Frequency));
    }

    static int Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        bool once = args.Contains("--once");
        var parts = args.Where(a => !a.StartsWith("--")).ToArray();
        foreach (var method in Benchmarks())
        {
            var name = method.Name.Substring("bench_".Length);
            if (parts.Length > 0 && !parts.Any(name.Contains)) continue;
            var run = (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), method);
            long checksum;
            if (once) Console.WriteLine("{0} {1}", name, run());
            else Console.WriteLine("{0} {1} {2}", name, Measure(run, out checksum), checksum);
        }
        return 0;
    }
}
