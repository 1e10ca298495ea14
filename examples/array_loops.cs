// Loops over arrays that compilers like to vectorize: each function runs over many lengths and places; a line is a hash of all
// elements it left behind.
using System;

static class ArrayLoops
{
    static uint hash;

    static void Add(long x)
    {
        unchecked
        {
            for (int k = 0; k < 8; k++) { hash ^= (byte)x; hash *= 16777619; x >>= 8; }
        }
    }

    static void Add(double x) { Add(BitConverter.DoubleToInt64Bits(x)); }

    static int[] Ints(int n, int salt)
    {
        var a = new int[n];
        for (int i = 0; i < n; i++) a[i] = unchecked(i * 1103515245 + salt);
        return a;
    }

    static void AddAll(int[] a) { foreach (int x in a) Add(x); }

    // ---- sums

    static int Sum(int[] a) { int s = 0; for (int i = 0; i < a.Length; i++) s += a[i]; return s; }
    static int Less(int[] a, int s) { for (int i = 0; i < a.Length; i++) s -= a[i]; return s; }
    static long SumLong(long[] a) { long s = 0; for (int i = 0; i < a.Length; i++) s += a[i]; return s; }
    static int Dot(int[] a, int[] b) { int s = 0; for (int i = 0; i < a.Length; i++) s += a[i] * b[i]; return s; }
    static double SumDouble(double[] a) { double s = 0; for (int i = 0; i < a.Length; i++) s += a[i]; return s; }
    static long Wide(int[] a) { long s = 0; for (int i = 0; i < a.Length; i++) s += a[i]; return s; }
    static int SumBytes(byte[] a) { int s = 0; for (int i = 0; i < a.Length; i++) s += a[i]; return s; }
    static int SumShorts(short[] a) { int s = 0; for (int i = 0; i < a.Length; i++) s += a[i] * 3; return s; }

    static long Sums(int n)
    {
        int[] a = Ints(n, 5), b = Ints(n + 1, 77);
        var l = new long[n]; var d = new double[n]; var y = new byte[n]; var s = new short[n];
        for (int i = 0; i < n; i++)
        {
            l[i] = i * 0x123456789aL; d[i] = 1.0 / (i + 1); y[i] = unchecked((byte)(i * i)); s[i] = unchecked((short)(i * 7919));
        }
        Add(Sum(a)); Add(Less(b, n)); Add(SumLong(l)); Add(Dot(a, b)); Add(SumDouble(d)); Add(Wide(a));
        Add(SumBytes(y)); Add(SumShorts(s));
        try { Add(Dot(b, a)); } catch (IndexOutOfRangeException) { Add(-1); }
        return 0;
    }

    // ---- fills and copies

    static void Fill(byte[] a, byte v) { for (int i = 0; i < a.Length; i++) a[i] = v; }
    static void Fill(bool[] a) { for (int i = 0; i < a.Length; i++) a[i] = true; }
    static void Fill(double[] a, double v, int n) { for (int i = 0; i < n; i++) a[i] = v; }
    static void Count(long[] a, int k) { for (int i = 0; i < a.Length; i++) a[i] = i + k; }
    static void Count(short[] a) { for (int i = 0; i < a.Length; i++) a[i] = (short)(i << 3); }

    static void Copy(int[] a, int[] b, int from, int to, int n)
    {
        for (int i = 0; i < n; i++) a[to + i] = b[from + i];
    }

    static long Fills(int n)
    {
        var y = new byte[n]; Fill(y, (byte)n); foreach (var x in y) Add(x);
        var o = new bool[n]; Fill(o); foreach (var x in o) Add(x ? 1 : 0);
        var d = new double[n];
        try { Fill(d, 0.25, n + n % 3); } catch (IndexOutOfRangeException) { Add(-1); }
        foreach (var x in d) Add(x);
        var l = new long[n]; Count(l, n - 7); foreach (var x in l) Add(x);
        var s = new short[n]; Count(s); foreach (var x in s) Add(x);
        for (int by = -2; by <= 2; by++)
        {
            int[] a = Ints(n, 9), b = Ints(n + 3, 3);
            try { Copy(a, a, 2, 2 + by, n - 4); } catch (IndexOutOfRangeException) { Add(-2); }
            AddAll(a);
            try { Copy(a, b, 2 + by, 0, n - by); } catch (IndexOutOfRangeException) { Add(-3); }
            AddAll(a);
        }
        return 0;
    }

    // ---- maps

    static void Mix(int[] a, int[] b, int[] c) { for (int i = 0; i < a.Length; i++) a[i] = b[i] + c[i] * 3 - (i << 2); }
    static void Bytes(byte[] a, byte[] b, int k) { for (int i = 0; i < a.Length; i++) a[i] = unchecked((byte)(a[i] + b[i] + k)); }
    static void Shift(short[] a, short[] b) { for (int i = 0; i < a.Length; i++) a[i] = (short)(b[i] >> 2); }
    static void Chars(char[] a, char[] b) { for (int i = 0; i < a.Length; i++) a[i] = unchecked((char)((b[i] >> 3) * 5)); }
    static void Floats(float[] a, float[] b) { for (int i = 0; i < a.Length && i < b.Length; i++) a[i] = b[i] * 0.5f + a[i] / 3; }
    static void Doubles(double[] a, double[] b) { for (int i = 0; i < a.Length; i++) a[i] = b[i] * b[i] - Math.Abs(a[i]); }
    static void Roots(double[] a) { for (int i = 0; i < a.Length; i++) a[i] = Math.Sqrt(Math.Abs(a[i])) / 3; }
    static void Running(int[] a) { for (int i = 1; i < a.Length; i++) a[i] += a[i - 1]; }
    static void Ahead(int[] a) { for (int i = 0; i < a.Length - 1; i++) a[i] = a[i + 1] ^ a[i]; }
    static void Limit(int[] a, int low, int high) { for (int i = 0; i < a.Length; i++) a[i] = Math.Max(low, Math.Min(high, a[i])); }

    static long Maps(int n)
    {
        int[] a = Ints(n, 5), b = Ints(n, 77), c = Ints(n + 3, 3);
        Mix(a, b, c); AddAll(a);
        Mix(a, a, c); AddAll(a);
        try { Mix(c, a, b); } catch (IndexOutOfRangeException) { Add(-1); }
        AddAll(c);
        try { Mix(a, null, c); } catch (NullReferenceException) { Add(-2); }
        AddAll(a);
        byte[] y = new byte[n], z = new byte[n + 1];
        for (int i = 0; i <= n; i++) z[i] = unchecked((byte)(i * i));
        Bytes(y, z, n); foreach (var x in y) Add(x);
        try { Bytes(z, y, n); } catch (IndexOutOfRangeException) { Add(-3); }
        foreach (var x in z) Add(x);
        var s = new short[n]; var t = new char[n];
        for (int i = 0; i < n; i++) { s[i] = unchecked((short)(i * 7919)); t[i] = unchecked((char)(i * 7919)); }
        Shift(s, s); foreach (var x in s) Add(x);
        Chars(t, t); foreach (var x in t) Add(x);
        float[] f = new float[n], g = new float[n + n % 5];
        for (int i = 0; i < n; i++) { f[i] = i * 0.37f; g[i] = 1f / (i + 1); }
        Floats(f, g); foreach (var x in f) Add(x);
        double[] d = new double[n], e = new double[n];
        for (int i = 0; i < n; i++) { d[i] = i * -0.37; e[i] = 1.0 / i; }
        Doubles(d, e); foreach (var x in d) Add(x);
        Roots(d); foreach (var x in d) Add(x);
        Running(a); AddAll(a);
        Ahead(a); AddAll(a);
        Limit(a, -1000000, n * 1000); AddAll(a);
        return 0;
    }

    // ---- conversions

    static void Gray(byte[] to, byte[] r, byte[] g, byte[] b)
    {
        for (int i = 0; i < to.Length; i++) to[i] = (byte)((r[i] * 77 + g[i] * 150 + b[i] * 29) >> 8);
    }

    static void ToLong(long[] to, int[] a) { for (int i = 0; i < to.Length; i++) to[i] = a[i] * 3L - i; }
    static void ToInt(int[] to, long[] a) { for (int i = 0; i < to.Length; i++) to[i] = unchecked((int)(a[i] + 5)); }
    static void ToDouble(double[] to, int[] a) { for (int i = 0; i < to.Length; i++) to[i] = a[i] * 0.125; }
    static void ToFloat(float[] to, short[] a) { for (int i = 0; i < to.Length; i++) to[i] = a[i]; }
    static void Scale(float[] a, double by) { for (int i = 0; i < a.Length; i++) a[i] = (float)(a[i] * by); }
    static void Widen(int[] to, sbyte[] a) { for (int i = 0; i < to.Length; i++) to[i] = a[i] << 4; }
    static void Narrow(sbyte[] to, int[] a) { for (int i = 0; i < to.Length; i++) to[i] = unchecked((sbyte)(a[i] >> 16)); }

    static long Conversions(int n)
    {
        byte[] r = new byte[n], g = new byte[n], b = new byte[n + 2];
        var s = new short[n];
        for (int i = 0; i < n; i++)
        {
            r[i] = unchecked((byte)(i * 37)); g[i] = unchecked((byte)(i * 91)); b[i] = unchecked((byte)(255 - i));
            s[i] = unchecked((short)(i * 7919));
        }
        Gray(b.Length % 3 == 0 ? r : g, r, g, b); foreach (var x in r) Add(x);
        try { Gray(b, r, g, b); } catch (IndexOutOfRangeException) { Add(-1); }
        foreach (var x in b) Add(x);
        var a = Ints(n, 8);
        var l = new long[n]; ToLong(l, a); foreach (var x in l) Add(x);
        ToInt(a, l); AddAll(a);
        var d = new double[n]; ToDouble(d, a); foreach (var x in d) Add(x);
        var f = new float[n]; ToFloat(f, s); foreach (var x in f) Add(x);
        Scale(f, 1.0 / 3); foreach (var x in f) Add(x);
        var c = new sbyte[n]; Narrow(c, a); foreach (var x in c) Add(x);
        Widen(a, c); AddAll(a);
        return 0;
    }

    // ---- choices

    static int Largest(int[] a, int m) { for (int i = 0; i < a.Length; i++) if (a[i] > m) m = a[i]; return m; }
    static int Smallest(int[] a, int m) { for (int i = 0; i < a.Length; i++) m = Math.Min(m, a[i]); return m; }
    static int Count(int[] a, int x) { int n = 0; for (int i = 0; i < a.Length; i++) if (a[i] == x) n++; return n; }
    static int Count(bool[] a) { int n = 0; for (int i = 0; i < a.Length; i++) if (!a[i]) n++; return n; }
    static int Above(int[] a, int x) { int s = 0; for (int i = 0; i < a.Length; i++) if (a[i] > x) s += a[i] & 255; return s; }
    static long Below(long[] a, long x) { long s = 7; for (int i = 0; i < a.Length; i++) s -= a[i] < x ? a[i] : 1; return s; }
    static void Absolute(int[] a) { for (int i = 0; i < a.Length; i++) a[i] = a[i] < 0 ? -a[i] : a[i]; }
    static void Threshold(byte[] a, byte[] b, int t) { for (int i = 0; i < a.Length; i++) a[i] = b[i] > t ? (byte)255 : (byte)0; }
    static void Equal(bool[] to, uint[] a, uint[] b) { for (int i = 0; i < to.Length; i++) to[i] = a[i] <= b[i]; }

    static long Choices(int n)
    {
        var a = Ints(n, 21); var l = new long[n]; var o = new bool[n]; var u = new uint[n]; var v = new uint[n];
        byte[] y = new byte[n], z = new byte[n];
        for (int i = 0; i < n; i++)
        {
            l[i] = a[i] * 5L; o[i] = i % 3 == 0; u[i] = unchecked((uint)a[i]); v[i] = unchecked((uint)(i << 27)); y[i] = (byte)(i * 2);
        }
        for (int i = 3; i < n; i += 4) { a[i] = n; v[i] = u[i]; }
        Add(Largest(a, -5)); Add(Smallest(a, 99)); Add(Count(a, n)); Add(Count(o)); Add(Above(a, n)); Add(Below(l, 12));
        Absolute(a); AddAll(a);
        Threshold(z, y, n); foreach (var x in z) Add(x);
        Equal(o, u, v); foreach (var x in o) Add(x ? 1 : 0);
        return 0;
    }

    static void Run(string name, Func<int, long> test)
    {
        hash = 2166136261;
        for (int n = 0; n < 100; n += n < 45 ? 1 : 7) test(n);
        Console.WriteLine(name + " " + hash.ToString("x8"));
    }

    static void Main()
    {
        Run("sums", Sums);
        Run("fills and copies", Fills);
        Run("maps", Maps);
        Run("conversions", Conversions);
        Run("choices", Choices);
    }
}
