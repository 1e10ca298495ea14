// What the class libraries are used for most: text, collections, LINQ, decimal, big integers, regular expressions.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

static class Library
{
    public static long bench_string_builder()
    {
        var b = new StringBuilder();
        for (int i = 0; i < 40000; i++) b.Append("item ").Append(i).Append(',').Append(' ');
        string s = b.ToString();
        return s.Length + s[s.Length / 2];
    }

    public static long bench_string_concat()
    {
        long length = 0;
        for (int i = 0; i < 300000; i++)
        {
            string s = "a" + (i % 10 == 0 ? "x" : "yy") + "bc";
            length += s.Length;
        }
        return length;
    }

    public static long bench_string_split()
    {
        string line = string.Join(",", Enumerable.Range(0, 200).Select(i => "field" + i));
        long sum = 0;
        for (int i = 0; i < 200; i++)
            foreach (string part in line.Split(',')) sum += part.Length + part[part.Length - 1];
        return sum;
    }

    public static long bench_string_scan()
    {
        string text = string.Concat(Enumerable.Repeat("The quick brown fox jumps over the lazy dog. ", 2000));
        long words = 0;
        for (int pass = 0; pass < 10; pass++)
        {
            bool inside = false;
            for (int i = 0; i < text.Length; i++)
            {
                bool letter = text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z';
                if (letter && !inside) words++;
                inside = letter;
            }
        }
        return words + text.IndexOf("lazy cat", StringComparison.Ordinal);
    }

    public static long bench_string_compare()
    {
        var words = Enumerable.Range(0, 1000).Select(i => "word" + (i * 7919 % 1000).ToString("d4")).ToArray();
        long sum = 0;
        for (int pass = 0; pass < 100; pass++)
            for (int i = 1; i < words.Length; i++)
            {
                if (words[i] == words[i - 1]) sum += 100;
                sum += string.CompareOrdinal(words[i], words[i - 1]) > 0 ? 1 : 0;
            }
        return sum;
    }

    public static long bench_format_parse()
    {
        long sum = 0;
        for (int i = 0; i < 30000; i++)
        {
            string s = (i * 31).ToString(CultureInfo.InvariantCulture);
            sum += int.Parse(s, CultureInfo.InvariantCulture) + string.Format(CultureInfo.InvariantCulture, "{0}:{1:x4}", i, i).Length;
        }
        return sum;
    }

    public static long bench_dictionary_int()
    {
        var map = new Dictionary<int, int>();
        for (int i = 0; i < 100000; i++) { int n; map.TryGetValue(i * 7 % 5003, out n); map[i * 7 % 5003] = n + 1; }
        long sum = 0;
        foreach (var pair in map) sum += pair.Key * (long)pair.Value;
        return sum;
    }

    public static long bench_dictionary_string()
    {
        var keys = Enumerable.Range(0, 500).Select(i => "key number " + i).ToArray();
        var map = new Dictionary<string, int>();
        for (int i = 0; i < 50000; i++) { int n; map.TryGetValue(keys[i % 500], out n); map[keys[i % 500]] = n + i % 3; }
        return map.Values.Sum();
    }

    struct Key : IEquatable<Key>
    {
        public int A, B;
        public bool Equals(Key other) => A == other.A && B == other.B;
        public override int GetHashCode() => A * 31 + B;
    }

    public static long bench_hash_set_struct()
    {
        var set = new HashSet<Key>();
        for (int i = 0; i < 100000; i++) set.Add(new Key { A = i % 300, B = i % 7 });
        return set.Count;
    }

    public static long bench_list_foreach()
    {
        var list = new List<int>();
        for (int i = 0; i < 10000; i++) list.Add(i);
        long sum = 0;
        for (int pass = 0; pass < 200; pass++)
            foreach (int x in list) sum += x;
        return sum;
    }

    public static long bench_list_index()
    {
        var list = new List<long>();
        for (int i = 0; i < 10000; i++) list.Add(i);
        for (int pass = 0; pass < 200; pass++)
            for (int i = 1; i < list.Count; i++) list[i] = list[i - 1] + 1;
        return list[list.Count - 1];
    }

    public static long bench_sorted_dictionary()
    {
        var map = new SortedDictionary<int, int>();
        for (int i = 0; i < 20000; i++) map[i * 7919 % 5003] = i;
        long sum = 0, place = 0;
        foreach (var pair in map) sum += pair.Key * place++ + pair.Value;
        return sum;
    }

    public static long bench_linq()
    {
        var numbers = Enumerable.Range(0, 20000).ToArray();
        long sum = 0;
        for (int pass = 0; pass < 10; pass++)
            sum += numbers.Where(x => x % 3 == 0).Select(x => x * 2L).Skip(5).Sum();
        return sum + numbers.GroupBy(x => x % 100).OrderBy(g => g.Key).Select(g => g.Count()).Max();
    }

    public static long bench_decimal()
    {
        decimal sum = 0, rate = 1.0325m;
        for (int i = 1; i < 60000; i++) sum += Math.Round(i * rate / 12m, 2);
        return (long)sum;
    }

    public static long bench_big_integer()
    {
        System.Numerics.BigInteger a = 0, b = 1;
        for (int i = 0; i < 3000; i++) { var t = a + b; a = b; b = t; }
        var product = a * b % 1000000007;
        return (long)product;
    }

    public static long bench_regex()
    {
        var words = new Regex(@"(\w+)@(\w+)\.com");
        string text = string.Concat(Enumerable.Range(0, 300).Select(i => "user" + i + " <user" + i + "@host" + i % 7 + ".com>; "));
        long sum = 0;
        foreach (Match m in words.Matches(text)) sum += m.Groups[1].Length * 10 + m.Groups[2].Index % 10;
        return sum;
    }

    enum Color { Red, Green, Blue }

    public static long bench_enum_keys()
    {
        var counts = new Dictionary<Color, int> { { Color.Red, 0 }, { Color.Green, 0 }, { Color.Blue, 0 } };
        for (int i = 0; i < 300000; i++) counts[(Color)(i % 3)]++;
        return counts[Color.Red] * 2 + counts[Color.Blue];
    }
}
