// Delegates, events, closures, iterators.
using System;
using System.Collections.Generic;
using System.Linq;

delegate int Operation(int a, int b);
delegate void Changed(object sender, string what);
delegate T Transform<T>(T value);

class Model
{
    public event Changed Changed;
    string name = "";
    public string Name { get => name; set { name = value; Changed?.Invoke(this, "Name=" + value); } }
}

class Accumulator
{
    int total;
    public int Add(int n) => total += n;
    public virtual string Describe() => "base " + total;
}

class Special : Accumulator
{
    public override string Describe() => "special";
    public Func<string> Base() => base.Describe;
}

static class Extensions
{
    public static IEnumerable<T> Every<T>(this IEnumerable<T> items, int n)
    {
        int i = 0;
        foreach (T item in items) if (i++ % n == 0) yield return item;
    }
    public static int Words(this string s) => s.Split(' ').Length;
}

static class Delegates
{
    static int Add(int a, int b) => a + b;
    static int Multiply(int a, int b) => a * b;

    static Func<int> MakeCounter()
    {
        int count = 0;
        return () => ++count;
    }

    static IEnumerable<long> Fibonacci()
    {
        long a = 0, b = 1;
        while (true) { yield return a; (a, b) = (b, a + b); }
    }

    static IEnumerable<string> Permutations(string s)
    {
        if (s.Length <= 1) { yield return s; yield break; }
        for (int i = 0; i < s.Length; i++)
            foreach (string rest in Permutations(s.Remove(i, 1)))
                yield return s[i] + rest;
    }

    static void Main()
    {
        Operation op = Add;
        Console.WriteLine(op(2, 3) + " " + new Operation(Multiply)(2, 3) + " " + op.Method.Name + " " + (op.Target == null));
        op += Multiply; op += (a, b) => a - b;
        Console.WriteLine(op(7, 5) + " " + op.GetInvocationList().Length + " " + string.Join(",", op.GetInvocationList().Select(d => ((Operation)d)(7, 5))));
        op -= Multiply; Console.WriteLine(op.GetInvocationList().Length + " " + op(1, 2));
        Console.WriteLine(new Operation(Add) == new Operation(Add));

        var model = new Model(); var log = new List<string>();
        Changed handler = (sender, what) => log.Add(what);
        model.Changed += handler; model.Changed += (s, w) => log.Add(w.ToUpperInvariant());
        model.Name = "a"; model.Changed -= handler; model.Name = "b";
        Console.WriteLine(string.Join(" ", log));

        var c1 = MakeCounter(); var c2 = MakeCounter(); c1(); c1();
        Console.WriteLine(c1() + " " + c2());
        var actions = new List<Action>(); var outputs = new List<int>();
        for (int i = 0; i < 3; i++) { int copy = i; actions.Add(() => outputs.Add(copy * 10 + i)); }
        foreach (var action in actions) action();
        Console.WriteLine(string.Join(" ", outputs));
        var acc = new Accumulator(); Func<int, int> add = acc.Add; add(5); add(6);
        Func<string> describe = acc.Describe, special = new Special().Describe, viaBase = new Special().Base();
        Console.WriteLine(describe() + " " + special() + " " + viaBase());
        Func<string, int> words = Extensions.Words; Func<int> closed = "three little words".Words; Console.WriteLine(words("a b") + " " + closed());
        Transform<string> twice = s => s + s; Transform<double> square = x => x * x; Console.WriteLine(twice("ab") + square(1.5));
        Func<int, Func<int, int>> curry = x => y => x * 100 + y; Console.WriteLine(curry(3)(4));
        Func<int, int> fact = null; fact = n => n == 0 ? 1 : n * fact(n - 1); Console.WriteLine(fact(6));
        Comparison<string> byLength = (x, y) => x.Length - y.Length; var names = new List<string> { "ccc", "a", "bb" }; names.Sort(byLength); Console.WriteLine(string.Join(" ", names));
        Predicate<int> even = n => n % 2 == 0; Console.WriteLine(Array.FindAll(new[] { 1, 2, 3, 4 }, even).Length);
        Func<object, string> general = o => "obj " + o; Func<string, object> variant = general; Console.WriteLine(variant("v"));
        Delegate dynamic = (Func<int, int, int>)((x, y) => x - y); Console.WriteLine(dynamic.DynamicInvoke(9, 4));

        Console.WriteLine(string.Join(" ", Fibonacci().Skip(5).Take(8)) + " " + Fibonacci().First(n => n > 1000000));
        Console.WriteLine(string.Join(" ", Permutations("abc")) + " " + Permutations("abcdef").Count());
        Console.WriteLine(string.Join(" ", "the quick brown fox jumps".Split(' ').Every(2)));
        using (var e = Fibonacci().GetEnumerator()) { e.MoveNext(); e.MoveNext(); e.MoveNext(); Console.WriteLine(e.Current); }
    }
}
