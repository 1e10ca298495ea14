// Marshalling stubs.
using System;
using System.Runtime.InteropServices;

public struct Two { public long a; public double b; }
public struct Three { public long a, b, c; }

public static class Golden
{
    [DllImport("x")] static extern int Plain(int a, byte[] b);
    [DllImport("x", SetLastError = true)] static extern bool Text(string s, [MarshalAs(UnmanagedType.LPWStr)] string w);
    [DllImport("x")] static extern Two Registers(Two t, int n);
    [DllImport("x")] static extern Three Memory(Three t, int n);
    [DllImport("x")] static extern void ByRef(out bool b);
    [DllImport("x")] static extern void Refused(object o);
}
