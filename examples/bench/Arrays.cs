// Arrays of each rank, whole-array loops, copying and sorting.
using System;
using System.Collections.Generic;

static class Arrays
{
    public static long bench_array_sum()
    {
        var a = new int[100000];
        for (int i = 0; i < a.Length; i++) a[i] = i ^ (i >> 3);
        long sum = 0;
        for (int pass = 0; pass < 30; pass++)
        {
            int part = 0;
            for (int i = 0; i < a.Length; i++) part += a[i];
            sum += part;
            a[pass] = pass;
        }
        return sum;
    }

    public static long bench_array_map()
    {
        float[] a = new float[100000], b = new float[100000];
        for (int i = 0; i < a.Length; i++) { a[i] = i % 100; b[i] = i % 7; }
        for (int pass = 0; pass < 30; pass++)
            for (int i = 0; i < a.Length && i < b.Length; i++) b[i] = a[i] * 0.5f + b[i] * 0.25f;
        double sum = 0;
        foreach (float f in b) sum += f;
        return (long)sum;
    }

    static int Dot(int[] a, int[] b)
    {
        int sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    public static long bench_array_dot()
    {
        int[] a = new int[10000], b = new int[10000];
        for (int i = 0; i < a.Length; i++) { a[i] = i & 63; b[i] = i % 9; }
        long sum = 0;
        for (int pass = 0; pass < 300; pass++) { sum += Dot(a, b); b[pass]++; }
        return sum;
    }

    public static long bench_matrix_2d()
    {
        const int N = 110;
        double[,] a = new double[N, N], b = new double[N, N], c = new double[N, N];
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) { a[i, j] = i + j; b[i, j] = i - j; }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
            {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += a[i, k] * b[k, j];
                c[i, j] = sum;
            }
        return (long)c[N / 2, N / 3];
    }

    public static long bench_cube_3d()
    {
        const int N = 60;
        var cells = new int[N, N, N];
        for (int x = 0; x < N; x++)
            for (int y = 0; y < N; y++)
                for (int z = 0; z < N; z++) cells[x, y, z] = x * y ^ z;
        long sum = 0;
        for (int pass = 0; pass < 4; pass++)
            for (int x = 1; x < N - 1; x++)
                for (int y = 1; y < N - 1; y++)
                    for (int z = 1; z < N - 1; z++)
                        sum += cells[x, y, z - 1] + cells[x, y - 1, z] - cells[x + 1, y, z];
        return sum;
    }

    public static long bench_life()
    {
        const int W = 256, H = 128;
        byte[] now = new byte[W * H], next = new byte[W * H];
        for (int i = 0; i < now.Length; i++) now[i] = (byte)((i * 7 + i / 3) % 5 == 0 ? 1 : 0);
        for (int round = 0; round < 12; round++)
        {
            for (int y = 1; y < H - 1; y++)
                for (int x = 1; x < W - 1; x++)
                {
                    int at = y * W + x;
                    int n = now[at - W - 1] + now[at - W] + now[at - W + 1] + now[at - 1] + now[at + 1] + now[at + W - 1] + now[at + W] + now[at + W + 1];
                    next[at] = (byte)(n == 3 || n == 2 && now[at] == 1 ? 1 : 0);
                }
            var t = now; now = next; next = t;
        }
        long alive = 0;
        foreach (byte b in now) alive += b;
        return alive;
    }

    public static long bench_copy()
    {
        var from = new long[4000]; var to = new long[4000];
        for (int i = 0; i < from.Length; i++) from[i] = i;
        for (int i = 0; i < 3000; i++) { Array.Copy(from, 0, to, 1, 3999); Array.Copy(to, i, from, i, 20); }
        return to[3999] + from[17];
    }

    static void Quick(int[] a, int low, int high)
    {
        while (low < high)
        {
            int pivot = a[(low + high) / 2], i = low, j = high;
            while (i <= j)
            {
                while (a[i] < pivot) i++;
                while (a[j] > pivot) j--;
                if (i <= j) { int t = a[i]; a[i] = a[j]; a[j] = t; i++; j--; }
            }
            Quick(a, low, j);
            low = i;
        }
    }

    static int[] Shuffled(int n)
    {
        var a = new int[n];
        uint state = 12345;
        for (int i = 0; i < n; i++) { state = state * 1664525 + 1013904223; a[i] = (int)(state >> 8); }
        return a;
    }

    public static long bench_quicksort()
    {
        var a = Shuffled(100000);
        Quick(a, 0, a.Length - 1);
        return a[1000] + (long)a[50000];
    }

    public static long bench_array_sort()
    {
        var a = Shuffled(60000);
        Array.Sort(a);
        return a[1000] + (long)a[50000];
    }

    public static long bench_list_sort_by()
    {
        var list = new List<int>(Shuffled(20000));
        list.Sort((x, y) => (x & 0xFFFF) != (y & 0xFFFF) ? (x & 0xFFFF).CompareTo(y & 0xFFFF) : x.CompareTo(y));
        return list[100] + (long)list[15000];
    }
}
