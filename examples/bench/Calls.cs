// Calls of every kind: static, virtual, by interface, delegates, closures, iterators, exceptions.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

static class Calls
{
    static int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);

    public static long bench_fib() => Fib(30);

    static int Tak(int x, int y, int z) => y >= x ? z : Tak(Tak(x - 1, y, z), Tak(y - 1, z, x), Tak(z - 1, x, y));

    public static long bench_tak() => Tak(18, 12, 6) + Tak(16, 11, 5);

    static int Clamp(int v, int low, int high) => v < low ? low : v > high ? high : v;

    static int Square(int v) => v * v;

    public static long bench_small_calls()
    {
        long sum = 0;
        for (int i = 0; i < 5000000; i++) sum += Clamp(Square(i & 1023), 100, 500000);
        return sum;
    }

    abstract class Shape { public abstract double Area(); public virtual int Sides => 0; }
    sealed class Circle : Shape { readonly double r; public Circle(double r) { this.r = r; } public override double Area() => r * r * 3; }
    class Rectangle : Shape { readonly double w, h; public Rectangle(double w, double h) { this.w = w; this.h = h; } public override double Area() => w * h; public override int Sides => 4; }
    class Triangle : Shape { readonly double b, h; public Triangle(double b, double h) { this.b = b; this.h = h; } public override double Area() => b * h / 2; public override int Sides => 3; }

    public static long bench_virtual_calls()
    {
        var shapes = new Shape[999];
        for (int i = 0; i < shapes.Length; i++) shapes[i] = i % 3 == 0 ? new Circle(i) : i % 3 == 1 ? (Shape)new Rectangle(i, 2) : new Triangle(i, 4);
        double sum = 0;
        for (int pass = 0; pass < 1500; pass++)
            foreach (var s in shapes) sum += s.Area() + s.Sides;
        return (long)sum;
    }

    interface ICounter { int Next(int x); }
    sealed class Up : ICounter { public int Next(int x) => x + 1; }
    sealed class Down : ICounter { public int Next(int x) => x - 2; }
    struct Twice : ICounter { public int Next(int x) => x * 2 & 0xFFFF; }

    public static long bench_interface_calls()
    {
        var all = new ICounter[] { new Up(), new Down(), new Twice(), new Up() };
        int x = 0;
        for (int i = 0; i < 4000000; i++) x = all[i & 3].Next(x);
        return x;
    }

    static int Apply<T>(T counter, int n) where T : ICounter
    {
        int x = 1;
        for (int i = 0; i < n; i++) x = counter.Next(x);
        return x;
    }

    public static long bench_constrained_calls() => Apply(new Twice(), 4000000) + Apply(new Up(), 4000000);

    static int Increment(int x) => x + 3;

    public static long bench_delegate_calls()
    {
        Func<int, int> f = Increment;
        int x = 0;
        for (int i = 0; i < 5000000; i++) x = f(x);
        return x;
    }

    public static long bench_closures()
    {
        long sum = 0;
        for (int i = 0; i < 400000; i++)
        {
            int k = i;
            Func<int, int> add = x => x + k;
            sum += add(i) + add(2);
        }
        return sum;
    }

    static IEnumerable<int> Range(int from, int to)
    {
        for (int i = from; i < to; i++)
            if (i % 3 != 0) yield return i;
    }

    public static long bench_iterators()
    {
        long sum = 0;
        for (int i = 0; i < 20; i++)
            foreach (int x in Range(i, 60000)) sum += x;
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Fail(int i) { if (i % 2 == 0) throw new InvalidOperationException(); return i; }

    public static long bench_exceptions()
    {
        long sum = 0;
        for (int i = 0; i < 2000; i++)
        {
            try { sum += Fail(i); }
            catch (InvalidOperationException) { sum += 1000; }
            finally { sum++; }
        }
        return sum;
    }

    public static long bench_try_finally()
    {
        long sum = 0;
        for (int i = 0; i < 5000000; i++)
        {
            try { sum += i & 7; }
            finally { sum ^= 1; }
        }
        return sum;
    }

    static int State(int state, int input)
    {
        switch (state)
        {
            case 0: return input == 1 ? 1 : 0;
            case 1: return input == 2 ? 2 : input == 1 ? 1 : 0;
            case 2: return input == 3 ? 3 : 4;
            case 3: return 5;
            case 4: return input > 2 ? 6 : 0;
            case 5: return 0;
            default: return input & 3;
        }
    }

    public static long bench_switch()
    {
        int state = 0;
        long sum = 0;
        for (int i = 0; i < 5000000; i++) { state = State(state, i * 7 >> 2 & 3); sum += state; }
        return sum;
    }
}
