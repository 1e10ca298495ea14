// Collections and LINQ basics.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

static class Collections
{
    class Book
    {
        public string Title, Author; public int Year; public double Price;
        public override string ToString() => $"{Title} ({Year})";
    }

    static void Print<T>(string label, IEnumerable<T> items) => Console.WriteLine(label + ": " + string.Join(" ", items));

    static void Main()
    {
        var list = new List<int> { 5, 2, 8, 1, 9, 3 };
        list.Sort(); Print("sorted", list);
        list.Reverse(); Print("reversed", list);
        list.RemoveAll(n => n % 2 == 0); list.Insert(1, 42); Print("edited", list);
        Console.WriteLine(list.IndexOf(42) + " " + list.Contains(7) + " " + list.BinarySearch(100));

        var counts = new Dictionary<string, int>();
        foreach (string w in "a b a c b a".Split(' ')) { counts.TryGetValue(w, out int n); counts[w] = n + 1; }
        foreach (var kv in counts.OrderBy(kv => kv.Key)) Console.Write(kv.Key + kv.Value + " ");
        Console.WriteLine(counts.Count);

        var set = new HashSet<int>(Enumerable.Range(1, 10)); set.IntersectWith(new[] { 2, 3, 5, 7, 11 });
        Print("primes", set.OrderBy(n => n));
        var sorted = new SortedDictionary<string, int> { ["z"] = 26, ["m"] = 13, ["a"] = 1 }; Print("sorted keys", sorted.Keys);
        var queue = new Queue<string>(); queue.Enqueue("first"); queue.Enqueue("second"); Console.WriteLine(queue.Dequeue() + " " + queue.Peek());
        var stack = new Stack<char>("abc"); Print("stack", stack);
        var linked = new LinkedList<int>(); linked.AddLast(2); linked.AddFirst(1); linked.AddLast(3); Print("linked", linked);
        var old = new ArrayList { 1, "two", 3.0 }; foreach (object o in old) Console.Write(o + ";"); Console.WriteLine();
        var table = new Hashtable { ["k"] = "v" }; Console.WriteLine(table["k"] + " " + table.ContainsKey("x"));
        var bits = new BitArray(8); bits[3] = true; Console.WriteLine(bits.Cast<bool>().Count(x => x));
        var sortedSet = new SortedSet<string>(StringComparer.Ordinal) { "b", "A", "a" }; Print("ordinal", sortedSet);

        var books = new[]
        {
            new Book { Title = "Dune", Author = "Herbert", Year = 1965, Price = 9.5 },
            new Book { Title = "Emma", Author = "Austen", Year = 1815, Price = 5 },
            new Book { Title = "Persuasion", Author = "Austen", Year = 1817, Price = 6.25 },
            new Book { Title = "Children of Dune", Author = "Herbert", Year = 1976, Price = 8 },
        };
        Print("by year", books.OrderBy(b => b.Year));
        Print("by author, newest first", from b in books orderby b.Author, b.Year descending select b.Title);
        foreach (var g in books.GroupBy(b => b.Author).OrderBy(g => g.Key))
            Console.WriteLine($"{g.Key}: {g.Count()} books, {g.Sum(b => b.Price)} in all, last {g.Max(b => b.Year)}");
        var join = from b in books join y in new[] { (1815, "Waterloo"), (1965, "spacewalk") } on b.Year equals y.Item1 select b.Title + "/" + y.Item2;
        Print("joined", join);
        Print("zipped", list.Zip("xyz", (n, c) => n + c.ToString()));
        Print("flat", new[] { "ab", "cd" }.SelectMany(s => s).Select(c => (char)(c + 1)));
        Print("paged", Enumerable.Range(1, 20).Where(n => n % 3 == 0).Skip(1).Take(3));
        Console.WriteLine(books.Any(b => b.Price > 9) + " " + books.All(b => b.Price > 9) + " " + books.First(b => b.Year > 1900) + " " + books.Average(b => b.Price));
        Console.WriteLine(Enumerable.Range(1, 5).Aggregate((x, y) => x * y) + " " + Enumerable.Repeat("ab", 3).Aggregate("", (s, t) => s + t));
        var lookup = books.ToLookup(b => b.Year / 100); Console.WriteLine(lookup[18].Count() + " " + lookup[17].Count());
        Print("distinct", new[] { 1, 2, 2, 3, 1 }.Distinct().Union(new[] { 4, 3 }).Except(new[] { 2 }));
        try { new int[0].First(); } catch (InvalidOperationException e) { Console.WriteLine(e.Message); }
        try { foreach (int n in list) list.Add(n); } catch (InvalidOperationException) { Console.WriteLine("modified while enumerating"); }
        try { Console.WriteLine(counts["nope"]); } catch (KeyNotFoundException e) { Console.WriteLine(e.GetType().Name); }
    }
}
