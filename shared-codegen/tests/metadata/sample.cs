// A little of everything that metadata can hold.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

[assembly: System.Reflection.AssemblyTitle("sample")]

public enum Color : byte { Red, Green = 200 }

[AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
public sealed class NoteAttribute : Attribute {
    public int Number;
    public Type Kind { get; set; }
    public NoteAttribute(string text, Color color, params object[] more) { }
    public NoteAttribute(Color[] colors) { }
}

[StructLayout(LayoutKind.Explicit, Size = 16, Pack = 4)]
public struct Overlap {
    [FieldOffset(0)] public int A;
    [FieldOffset(4)] public float B;
}

[StructLayout(LayoutKind.Sequential)]
public struct Native {
    [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 32)] public string Name;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 4, ArraySubType = UnmanagedType.I2)] public short[] Values;
}

public interface IShape<T> where T : IComparable<T> { T Area { get; } event EventHandler Changed; }

[Note("outer", Color.Green, 1, "two", typeof(List<>), Color.Red, null, new int[] { 3, 4 }, Number = 7, Kind = typeof(Program.Inner))]
[Note(new[] { Color.Red, Color.Green })]
public class Program : IShape<int> {
    const string Greeting = "hello \u4e16 \ud800";
    const double Half = 0.5;
    static readonly int[] Primes = { 2, 3, 5, 7, 11, 13, 17 };
    volatile int state;

    public class Inner { public class Innermost { } }

    int IShape<int>.Area { get { return state; } }
    public event EventHandler Changed;

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    static extern IntPtr Write(int fd, [MarshalAs(UnmanagedType.LPArray, SizeParamIndex = 2)] byte[] data, IntPtr size);

    static T Largest<T>(T[,] grid, ref T best) where T : struct, IComparable<T> {
        foreach (T item in grid) if (item.CompareTo(best) > 0) best = item;
        return best;
    }

    static unsafe long Sum(int[] items) {
        long sum = 0;
        fixed (int* p = items) for (int i = 0; i < items.Length; i++) sum += p[i];
        return sum;
    }

    static string Name(int n) {
        switch (n) { case 0: return "zero"; case 1: return "one"; case 2: return "two"; case 3: return "three"; default: return n.ToString(); }
    }

    static int Guard(Func<int> f) {
        try {
            try { return checked(f() * 2); } finally { Console.WriteLine(Half); }
        } catch (OverflowException e) when (e.Message != "") {
            return -1;
        } catch (Exception) {
            throw;
        }
    }

    static IEnumerable<int> Count(int n) { for (int i = 0; i < n; i++) yield return i; }

    public static int Main(string[] args) {
        var best = 1.5f;
        Largest(new float[2, 3], ref best);
        if (new Program().Changed != null) Write(1, new byte[0], IntPtr.Zero);
        foreach (int n in Count(3)) Console.WriteLine(Name(n) + Greeting + Sum(Primes));
        return Guard(() => args.Length);
    }
}
