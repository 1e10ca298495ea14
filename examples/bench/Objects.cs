// Allocation, boxing, casts, structs, locks.
using System;
using System.Collections.Generic;
using System.Threading;

static class Objects
{
    sealed class Tree
    {
        readonly Tree left, right;
        Tree(Tree left, Tree right) { this.left = left; this.right = right; }
        public static Tree Make(int depth) => depth == 0 ? new Tree(null, null) : new Tree(Make(depth - 1), Make(depth - 1));
        public int Count() => left == null ? 1 : 1 + left.Count() + right.Count();
    }

    public static long bench_binary_trees()
    {
        var kept = Tree.Make(14);
        long sum = 0;
        for (int i = 0; i < 40; i++) sum += Tree.Make(12).Count();
        return sum + kept.Count();
    }

    sealed class Node { public int Value; public Node Next; }

    public static long bench_linked_list()
    {
        Node head = null;
        for (int i = 0; i < 200000; i++) head = new Node { Value = i, Next = head };
        long sum = 0;
        for (int pass = 0; pass < 3; pass++)
            for (Node n = head; n != null; n = n.Next) sum += n.Value;
        return sum;
    }

    public static long bench_short_lived()
    {
        long sum = 0;
        for (int i = 0; i < 2000000; i++)
        {
            var n = new Node { Value = i };
            sum += n.Value + (n.Next == null ? 1 : 0);
        }
        return sum;
    }

    public static long bench_boxing()
    {
        var boxes = new object[1000];
        long sum = 0;
        for (int pass = 0; pass < 800; pass++)
        {
            for (int i = 0; i < boxes.Length; i++) boxes[i] = i + pass;
            foreach (object o in boxes) sum += (int)o;
        }
        return sum;
    }

    class Animal { }
    class Dog : Animal { public int Age = 3; }
    sealed class Puppy : Dog { }
    sealed class Cat : Animal, IComparable { public int CompareTo(object o) => 7; }

    public static long bench_casts()
    {
        var animals = new Animal[] { new Dog(), new Puppy(), new Cat(), new Animal(), new Puppy() };
        long sum = 0;
        for (int i = 0; i < 3000000; i++)
        {
            object a = animals[i % 5];
            if (a is Dog) sum += ((Dog)a).Age;
            else if (a is IComparable) sum += 5;
            if (a is Puppy) sum++;
        }
        return sum;
    }

    struct Matrix4
    {
        public double A, B, C, D, E, F, G, H;
        public static Matrix4 operator *(Matrix4 x, Matrix4 y) => new Matrix4
        {
            A = x.A * y.A + x.B * y.E, B = x.A * y.B + x.B * y.F, C = x.C * y.C - x.D * y.G, D = x.D + y.D,
            E = x.E * y.A + x.F * y.E, F = x.E * y.B + x.F * y.F, G = x.G - y.C, H = x.H * 0.5 + y.H,
        };
    }

    public static long bench_big_structs()
    {
        var m = new Matrix4 { A = 1, B = 0.001, E = 0.002, F = 1, C = 0.5, G = 0.25, H = 1 };
        var acc = m;
        for (int i = 0; i < 500000; i++) { acc = acc * m; if (acc.A > 100) acc = m; }
        return (long)((acc.A + acc.H) * 1e6);
    }

    struct Vector
    {
        public readonly double X, Y, Z;
        public Vector(double x, double y, double z) { X = x; Y = y; Z = z; }
        public static Vector operator +(Vector a, Vector b) => new Vector(a.X + b.X, a.Y + b.Y, a.Z + b.Z);
        public static Vector operator *(Vector a, double f) => new Vector(a.X * f, a.Y * f, a.Z * f);
        public double Dot(Vector b) => X * b.X + Y * b.Y + Z * b.Z;
    }

    public static long bench_vectors()
    {
        var position = new Vector(0, 0, 0);
        var speed = new Vector(1, 0.5, 0.25);
        double total = 0;
        for (int i = 0; i < 1500000; i++)
        {
            position = position + speed * 0.001;
            total += position.Dot(speed);
        }
        return (long)(total * 1000);
    }

    public static long bench_nullables()
    {
        int? last = null;
        long sum = 0;
        for (int i = 0; i < 4000000; i++)
        {
            int? next = i % 5 == 0 ? (int?)null : i;
            sum += next ?? 3;
            if (last < next) sum++;
            last = next;
        }
        return sum;
    }

    static readonly object Gate = new object();
    static int counter;

    public static long bench_locks()
    {
        counter = 0;
        for (int i = 0; i < 1000000; i++)
            lock (Gate) counter++;
        return counter;
    }

    public static long bench_interlocked()
    {
        counter = 0;
        for (int i = 0; i < 2000000; i++) { Interlocked.Increment(ref counter); Interlocked.CompareExchange(ref counter, i, -1); }
        return counter;
    }

    sealed class Grid
    {
        public static readonly int[] Weights = { 1, 2, 3, 4, 5, 6, 7, 8 };
        public static int Scale = 3;
    }

    public static long bench_statics()
    {
        long sum = 0;
        for (int i = 0; i < 4000000; i++) sum += Grid.Weights[i & 7] * Grid.Scale;
        return sum;
    }
}
