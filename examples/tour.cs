// A tour of the language: control flow, parameters, tuples, patterns, operators.
using System;
using System.Collections.Generic;

struct Point
{
    public readonly int X, Y;
    public Point(int x, int y) { X = x; Y = y; }
    public static Point operator +(Point a, Point b) => new Point(a.X + b.X, a.Y + b.Y);
    public static implicit operator Point((int x, int y) t) => new Point(t.x, t.y);
    public override string ToString() => $"({X}, {Y})";
    public void Deconstruct(out int x, out int y) { x = X; y = Y; }
}

abstract class Shape
{
    public abstract double Area { get; }
    public virtual string Name => GetType().Name;
}

class Circle : Shape
{
    public double Radius;
    public override double Area => Math.PI * Radius * Radius;
}

class Square : Shape
{
    public double Side;
    public override double Area => Side * Side;
    public override string Name => "Quadrat";
}

class Matrix
{
    readonly int[,] cells = new int[3, 3];
    public int this[int row, int col] { get => cells[row, col]; set => cells[row, col] = value; }
}

static class Tour
{
    static void Swap<T>(ref T a, ref T b) { T t = a; a = b; b = t; }

    static bool TryHalf(int n, out int half)
    {
        half = n / 2;
        return n % 2 == 0;
    }

    static int Sum(params int[] numbers)
    {
        int sum = 0;
        foreach (int n in numbers) sum += n;
        return sum;
    }

    static string Describe(object o)
    {
        if (o == null) return "nothing";
        if (o is int) return (int)o < 0 ? "negative " + o : "number " + o;
        if (o is string text) return "text of length " + text.Length;
        if (o is Shape shape) return $"{shape.Name} of area {shape.Area:F2}";
        switch (Type.GetTypeCode(o.GetType()))
        {
            case TypeCode.Double:
            case TypeCode.Single: return "floating point";
            default: return o.GetType().ToString();
        }
    }

    static (int min, int max) Range(IEnumerable<int> numbers)
    {
        int min = int.MaxValue, max = int.MinValue;
        foreach (int n in numbers) { min = Math.Min(min, n); max = Math.Max(max, n); }
        return (min, max);
    }

    static string Grade(int points)
    {
        if (points >= 90) return "A";
        else if (points >= 75) return "B";
        return "C";
    }

    static int Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);

    static int Collatz(long n)
    {
        int steps = 0;
        while (n != 1) { n = n % 2 == 0 ? n / 2 : 3 * n + 1; steps++; }
        return steps;
    }

    static void Main(string[] args)
    {
        int a = 1, b = 2;
        Swap(ref a, ref b);
        Console.WriteLine("swapped: {0} {1}", a, b);

        if (TryHalf(42, out int half)) Console.WriteLine("half of 42 is " + half);
        Console.WriteLine("sum: " + Sum() + " " + Sum(1) + " " + Sum(1, 2, 3, 4));

        foreach (object o in new object[] { 3, -3, "three", null, new Circle { Radius = 1 }, new Square { Side = 2 }, 2.5 })
            Console.WriteLine(Describe(o));

        var (min, max) = Range(new[] { 5, 3, 9, -2 });
        Console.WriteLine($"range {min}..{max}");

        Point p = (1, 2);
        p += new Point(10, 20);
        int x, y; p.Deconstruct(out x, out y);
        Console.WriteLine($"{p} has x={x} y={y}");

        var m = new Matrix();
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                m[i, j] = i * 3 + j;
        Console.WriteLine("trace " + (m[0, 0] + m[1, 1] + m[2, 2]));

        Console.WriteLine("10! = " + Factorial(10));

        string text = null;
        Console.WriteLine(text?.Length.ToString() ?? "no text");
        text = text ?? "default";
        Console.WriteLine($"{text,10}|{text,-10}|{255:X4}|{1234.5:N1}|{0.25:P0}");

        for (int points = 60; points <= 100; points += 20) Console.Write(Grade(points) + " ");
        Console.WriteLine();
        Console.WriteLine("collatz(27) = " + Collatz(27));

        int shift = 1 << 33;
        uint u = unchecked((uint)-1);
        Console.WriteLine($"{shift} {u} {unchecked((sbyte)200)} {(byte)(-1 & 0xff)} {-7 / 2} {-7 % 2} {-7 >> 1} {u >> 28}");
        try { Console.WriteLine(checked(int.MaxValue + a)); }
        catch (OverflowException) { Console.WriteLine("overflow caught"); }

        outer:
        for (int i = 0; ; i++)
        {
            if (i == 3) { Console.WriteLine("left the loop at " + i); break; }
            if (i > 5) goto outer;
        }
        Console.WriteLine(string.Join(",", args) + "done");
    }
}
