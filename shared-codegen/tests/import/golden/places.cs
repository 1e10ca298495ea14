// Memory accessed by address has the alias class of what it is.
using System;

static class Golden
{
    sealed class Box { public int Count; public byte Small; public string Text; public IntPtr Handle; public static long Total; }
    struct One { public double X; }

    static void Elements(int[] a, byte[] b, string[] s, int i)
    {
        a[i] += 3;
        b[i]++;
        s[i] += "x";
    }

    static void Grid(double[,] a, int i) { a[i, 1] *= 2; }

    static int Fields(Box x)
    {
        ref int r = ref x.Count;
        r++;
        ref long t = ref Box.Total;
        t += r;
        ref string s = ref x.Text;
        s = null;
        return r;
    }

    // The field of a struct, not an element.
    static double Structs(One[] a, int i) { ref double r = ref a[i].X; return r; }

    // Another size is other memory.
    static unsafe int Other(double[] a) { fixed (double* p = &a[0]) return *(int*)p; }

    // What `IntPtr` reads of itself is what was stored as an `IntPtr`.
    static long Self(Box x) { x.Handle = (IntPtr)7; return x.Handle.ToInt64(); }
}
