// Iterators, closures, boxes and small arrays, which optimized code dissolves; also where that must not be seen: in handlers,
// when checks fail, when the object gets out after all.
using System;
using System.Collections.Generic;

static class HiddenObjects
{
    class Node { public int Value; public Node Next; }

    static IEnumerable<int> Range(int from, int count)
    {
        for (int i = 0; i < count; i++) yield return from + i;
    }

    static IEnumerable<int> Two(int to)
    {
        for (int i = 0; i < to; i++)
            if (i % 3 != 0) { yield return i; yield return -i / 2; }
    }

    static IEnumerable<int> Guarded(int[] a, List<string> log)
    {
        try { for (int i = 0; ; i++) yield return a[i]; }
        finally { log.Add("out"); }
    }

    static int test_75_iterator() { int sum = 0; foreach (int x in Range(3, 10)) sum += x; return sum; }

    static int test_0_empty_iterator() { int sum = 0; foreach (int x in Range(3, -1)) sum += x; return sum; }

    static int test_11_two_yields() { int sum = 0; foreach (int x in Two(8)) sum += x; return sum; }

    static int test_18_used_twice()
    {
        var range = Range(1, 3);
        int sum = 0;
        foreach (int x in range) foreach (int y in range) sum += y;
        return sum;
    }

    static int test_7_left_early()
    {
        foreach (int x in Range(5, 100)) if (x == 7) return x;
        return 0;
    }

    static int test_61_failing_iterator()
    {
        var log = new List<string>();
        int sum = 0;
        try { foreach (int x in Guarded(new[] { 10, 20, 30 }, log)) sum += x; }
        catch (IndexOutOfRangeException) { sum += log.Count; }
        return sum;
    }

    static int test_21_iterator_survives_the_body()
    {
        int sum = 0;
        foreach (int x in Range(0, 7))
            try { if (x % 2 == 0) throw new Exception(); sum += x; }
            catch (Exception) { sum += x; }
        return sum;
    }

    static int test_28_closures_of_closures()
    {
        int a = 4;
        Func<int, int> f = x => x + a;
        Func<int, int> g = x => f(x) * 2;
        a = 7;
        return g(7);
    }

    static int test_11_nodes()
    {
        var first = new Node { Value = 5 };
        var second = new Node { Value = 6, Next = first };
        return second.Next.Value + second.Value;
    }

    static int test_6_nodes_in_a_loop()
    {
        Node last = null;
        int sum = 0;
        for (int i = 0; i < 4; i++)
        {
            var n = new Node { Value = i, Next = last };
            if (n.Next != null) sum += n.Next.Value + (i == 3 ? 3 : 0);
            last = n;
        }
        return sum;
    }

    static int Sum(params int[] a) { int sum = 0; for (int i = 0; i < a.Length; i++) sum += a[i]; return sum; }

    static int test_15_params() { return Sum(4, 5, 6); }

    static int test_0_no_params() { return Sum(); }

    static int Digits(int n)
    {
        var count = new int[10];
        for (; n != 0; n /= 10) count[n % 10]++;
        int most = 0;
        for (int i = 1; i < count.Length; i++) if (count[i] > count[most]) most = i;
        return most;
    }

    static int test_3_counted_in_an_array() { return Digits(1353233); }

    static int test_40_new_array_each_round()
    {
        int sum = 0;
        for (int i = 0; i < 10; i++) { var a = new int[4]; a[i & 3] += 4; sum += a[0] + a[1] + a[2] + a[3]; }
        return sum;
    }

    static int At(int index) { var a = new byte[5]; a[2] = 200; return a[index]; }

    static int test_207_index_outside()
    {
        int sum = At(2);
        foreach (int i in new[] { -1, 5, int.MinValue, int.MaxValue, 0, 1, 3 })
            try { At(i); sum++; } catch (IndexOutOfRangeException) { sum++; }
        return sum;
    }

    static int test_1_constant_index_outside()
    {
        var a = new long[2];
        try { a[2] = 1; } catch (IndexOutOfRangeException) { return 1; }
        return (int)a[0];
    }

    struct Point { public short X; public double Y; }

    static int test_9_structs_in_an_array()
    {
        var a = new Point[3];
        for (int i = 0; i < a.Length; i++) { a[i].X = (short)i; a[i].Y = 2 * i; }
        return (int)(a[1].X + a[2].X + a[1].Y + a[2].Y);
    }

    static int[] kept;
    static int test_4_array_gets_out() { var a = new int[2]; a[1] = 4; kept = a; return kept[1]; }

    static int test_4_array_of_two()
    {
        var a = new int[2]; var b = new int[2];
        var c = Environment.TickCount >= int.MinValue ? a : b;
        c[0] = 4;
        return a[0] + b[0];
    }

    static int test_1_array_is_cast()
    {
        object o = new int[3];
        return o is int[] && !(o is string) && o is IEnumerable<int> ? 1 : 0;
    }
}
