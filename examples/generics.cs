// Generics over value and reference types: sharing, constraints, static state, recursion, virtual methods.
using System;
using System.Collections.Generic;

interface IShow { string Show(); }

struct Money : IShow, IComparable<Money>
{
    public decimal Amount;
    public string Show() => Amount.ToString("F2");
    public int CompareTo(Money other) => Amount.CompareTo(other.Amount);
}

class Person : IShow
{
    public string Name;
    public string Show() => Name;
}

class Counter<T>
{
    static int created;
    public readonly int Number = ++created;
    public static int Created => created;
    public static string TypeName => typeof(T).Name;
}

class Stack2<T>
{
    T[] items = new T[2];
    int count;
    public void Push(T item)
    {
        if (count == items.Length) Array.Resize(ref items, count * 2);
        items[count++] = item;
    }
    public T Pop() => items[--count];
    public int Count => count;
    public U[] Map<U>(Func<T, U> f)
    {
        var result = new U[count];
        for (int i = 0; i < count; i++) result[i] = f(items[i]);
        return result;
    }
}

class Node<K, V> where K : IComparable<K>
{
    public K Key; public V Value; public Node<K, V> Left, Right;
    public Node(K key, V value) { Key = key; Value = value; }
    public void Insert(K key, V value)
    {
        int c = key.CompareTo(Key);
        if (c == 0) Value = value;
        else if (c < 0) { if (Left == null) Left = new Node<K, V>(key, value); else Left.Insert(key, value); }
        else { if (Right == null) Right = new Node<K, V>(key, value); else Right.Insert(key, value); }
    }
    public IEnumerable<KeyValuePair<K, V>> InOrder()
    {
        if (Left != null) foreach (var kv in Left.InOrder()) yield return kv;
        yield return new KeyValuePair<K, V>(Key, Value);
        if (Right != null) foreach (var kv in Right.InOrder()) yield return kv;
    }
}

abstract class Visitor { public abstract string Visit<T>(T item); }
class TypeVisitor : Visitor { public override string Visit<T>(T item) => typeof(T).Name + ":" + item; }

static class Generics
{
    static T Max<T>(T a, T b) where T : IComparable<T> => a.CompareTo(b) >= 0 ? a : b;
    static string ShowAll<T>(IEnumerable<T> items) where T : IShow
    {
        var parts = new List<string>();
        foreach (T item in items) parts.Add(item.Show());
        return string.Join(" ", parts.ToArray());
    }
    static T Make<T>() where T : new() => new T();
    static bool IsDefault<T>(T value) => EqualityComparer<T>.Default.Equals(value, default(T));
    static int Depth<T>(int n, T seed) => n == 0 ? typeof(T).GetGenericArguments().Length : Depth(n - 1, new List<T>());

    static void Main()
    {
        Console.WriteLine(Max(3, 7) + " " + Max("pear", "apple") + " " + Max(2.5, -1.0) + " " + Max(new Money { Amount = 5 }, new Money { Amount = 4 }).Show());
        Console.WriteLine(ShowAll(new[] { new Money { Amount = 1.5m }, new Money { Amount = 2 } }));
        Console.WriteLine(ShowAll(new[] { new Person { Name = "Ada" }, new Person { Name = "Alan" } }));

        new Counter<int>(); new Counter<int>(); new Counter<string>(); new Counter<object>();
        Console.WriteLine($"{Counter<int>.Created} {Counter<string>.Created} {Counter<object>.Created} {Counter<long>.Created}");
        Console.WriteLine(Counter<int>.TypeName + " " + Counter<string>.TypeName + " " + Counter<List<int>>.TypeName);

        var ints = new Stack2<int>(); var names = new Stack2<string>(); var points = new Stack2<(int, string)>();
        for (int i = 0; i < 5; i++) { ints.Push(i * i); names.Push("n" + i); points.Push((i, "p" + i)); }
        Console.WriteLine(ints.Pop() + names.Pop() + points.Pop().Item2 + " " + ints.Count);
        Console.WriteLine(string.Join(",", ints.Map(n => n / 2.0)) + " " + string.Join(",", names.Map(s => s.Length)) + " " + string.Join(",", points.Map(p => p.Item1)));

        var tree = new Node<string, int>("m", 0);
        foreach (string word in "the quick brown fox jumps over the lazy dog".Split(' ')) tree.Insert(word, word.Length);
        foreach (var kv in tree.InOrder()) Console.Write(kv.Key + "=" + kv.Value + " ");
        Console.WriteLine();
        var numbers = new Node<int, string>(50, "root");
        foreach (int n in new[] { 30, 70, 10, 90 }) numbers.Insert(n, n.ToString());
        foreach (var kv in numbers.InOrder()) Console.Write(kv.Key + " ");
        Console.WriteLine();

        Visitor v = new TypeVisitor();
        Console.WriteLine(v.Visit(1) + " " + v.Visit("s") + " " + v.Visit(new Person()) + " " + v.Visit('c') + " " + v.Visit<object>(5));
        Console.WriteLine(Make<Person>().GetType() + " " + Make<int>() + " " + Make<Money>().Show());
        Console.WriteLine(IsDefault(0) + " " + IsDefault("x") + " " + IsDefault<string>(null) + " " + IsDefault(new Money()));
        Console.WriteLine(typeof(Dictionary<string, List<int>>) + " " + typeof(Node<,>) + " " + typeof(Stack2<int[]>));
        Console.WriteLine(Depth(5, 0));

        var byKey = new Dictionary<(int, string), List<Person>>();
        byKey[(1, "a")] = new List<Person> { new Person { Name = "Grace" } };
        Console.WriteLine(byKey[(1, "a")][0].Show() + " " + byKey.ContainsKey((1, "b")));
    }
}
