// Pairs of class initializers that need each other, run by two threads at once: nobody waits for ever, each runs once, and each
// sees the other's class initialized or, where they would wait for each other, as it is so far. Arguments: pairs (default 300).
using System;
using System.Threading;

struct Zero { }
struct Next<T> { }
struct Twice<T> { }

static class Counts
{
    public static int Runs, Half, Whole;
    public static int Spin;

    public static void Delay()
    {
        for (int n = Volatile.Read(ref Spin) % 200; n > 0; n--) Thread.SpinWait(5);
    }

    public static void Seen(int other)
    {
        Interlocked.Increment(ref Runs);
        if (other == 0) Interlocked.Increment(ref Half); else Interlocked.Increment(ref Whole);
    }
}

static class A<T>
{
    public static readonly int Value;
    static A() { Counts.Delay(); int other = B<T>.Value; Counts.Seen(other); Value = 1; }
    public static int Touch() { return Value; }
}

static class B<T>
{
    public static readonly int Value;
    static B() { Counts.Delay(); int other = A<T>.Value; Counts.Seen(other); Value = 2; }
    public static int Touch() { return Value; }
}

static class Program
{
    static void Main(string[] args)
    {
        int pairs = args.Length > 0 ? int.Parse(args[0]) : 300;
        var random = new Random(17);
        int wrong = 0;
        Func<int> first = null, second = null;
        var start = new Barrier(3);
        var end = new Barrier(3);
        int results = 0;
        for (int n = 0; n < 2; n++)
        {
            bool isFirst = n == 0;
            new Thread(() =>
            {
                while (true)
                {
                    start.SignalAndWait();
                    var touch = isFirst ? first : second;
                    if (touch == null) return;
                    Interlocked.Add(ref results, touch());
                    end.SignalAndWait();
                }
            }).Start();
        }
        for (int n = 1; n <= pairs; n++)
        {
            // A type argument of its own for each pair: the binary digits of its number.
            Type argument = typeof(Zero);
            for (int bits = n; bits > 0; bits >>= 1)
                argument = (bits & 1) != 0 ? typeof(Next<>).MakeGenericType(typeof(Twice<>).MakeGenericType(argument)) : typeof(Twice<>).MakeGenericType(argument);
            first = Touch(typeof(A<>), argument);
            second = Touch(typeof(B<>), argument);
            Counts.Spin = random.Next();
            results = 0;
            start.SignalAndWait();
            end.SignalAndWait();
            if (first() + second() != 3) wrong++;
        }
        first = second = null;
        start.SignalAndWait();
        Console.WriteLine("{0} initializers ran once, {1} pairs wrong", Counts.Runs == 2 * pairs, wrong);
        Console.WriteLine("one of each pair saw a half-made class: {0}", Counts.Half == pairs);
        if (args.Length > 0) Console.WriteLine("{0} pairs, {1} runs, {2} half, {3} whole", pairs, Counts.Runs, Counts.Half, Counts.Whole);
    }

    static Func<int> Touch(Type open, Type argument)
    {
        return (Func<int>)Delegate.CreateDelegate(typeof(Func<int>), open.MakeGenericType(argument).GetMethod("Touch"));
    }
}
