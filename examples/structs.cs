// Structs, enums, boxing, nullable values.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

enum Color : byte { Red = 1, Green = 2, Blue = 4 }
[Flags] enum Access : long { None = 0, Read = 1, Write = 2, Execute = 4, All = 7, High = 1L << 40 }

struct Vec3
{
    public double X, Y, Z;
    public Vec3(double x, double y, double z) { X = x; Y = y; Z = z; }
    public static Vec3 operator +(Vec3 a, Vec3 b) => new Vec3(a.X + b.X, a.Y + b.Y, a.Z + b.Z);
    public static Vec3 operator *(Vec3 a, double k) => new Vec3(a.X * k, a.Y * k, a.Z * k);
    public double Dot(Vec3 o) => X * o.X + Y * o.Y + Z * o.Z;
    public override string ToString() => $"<{X} {Y} {Z}>";
}

struct Mutable { public int N; public void Bump() { N++; } public int Next() => ++N; }
struct Nested { public Mutable A; public string Name; public Vec3 Position; public Color Color; }
struct Equal : IEquatable<Equal> { public int A; public bool Equals(Equal o) => A == o.A; public override int GetHashCode() => A; public override bool Equals(object o) => o is Equal && Equals((Equal)o); }
struct Plain { public int A; public string B; }

[StructLayout(LayoutKind.Explicit)]
struct Overlay
{
    [FieldOffset(0)] public int Int;
    [FieldOffset(0)] public float Float;
    [FieldOffset(0)] public byte Low;
    [FieldOffset(2)] public ushort High;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
struct Packed { public byte A; public int B; public short C; }

static unsafe class Structs
{
    static void Change(Nested n) { n.A.N = 99; n.Name = "changed"; }
    static void ChangeRef(ref Nested n) { n.A.N = 99; n.Name = "changed"; }
    static Nested Make(int i) => new Nested { A = { N = i }, Name = "n" + i, Position = new Vec3(i, i, i), Color = Color.Blue };
    static int? Half(int n) => n % 2 == 0 ? n / 2 : (int?)null;
    static string Kind(object o) => o == null ? "null" : o.GetType().Name;

    static void Main()
    {
        var v = new Vec3(1, 2, 3) + new Vec3(1, 1, 1) * 2;
        Console.WriteLine(v + " " + v.Dot(v));

        Nested n = Make(5), copy = n;
        Change(n); Console.WriteLine(n.A.N + n.Name);
        ChangeRef(ref n); Console.WriteLine(n.A.N + n.Name + " " + copy.A.N + copy.Name + copy.Position + copy.Color);

        var m = new Mutable(); m.Bump(); m.Bump();
        object boxed = m; ((Mutable)boxed).Bump(); m.Bump();
        Console.WriteLine(m.N + " " + ((Mutable)boxed).N + " " + m.Next());
        var array = new Mutable[3]; array[1].Bump(); array[1].Bump(); Console.WriteLine(array[0].N + array[1].N);
        var list = new List<Mutable> { new Mutable() }; list[0].Bump(); Console.WriteLine(list[0].N);

        Color c = Color.Green; Access a = Access.Read | Access.Execute;
        Console.WriteLine(c + " " + (int)c + " " + a + " " + (a & Access.Write) + " " + a.HasFlag(Access.Read) + " " + (Color)9 + " " + Access.High + " " + (Access)5);
        Console.WriteLine(string.Join(",", Enum.GetNames(typeof(Color))) + " " + Enum.Parse(typeof(Access), "Read, Write") + " " + Enum.IsDefined(typeof(Color), (byte)4) + " " + Enum.GetUnderlyingType(typeof(Access)).Name);
        Console.WriteLine(c.ToString("X") + " " + a.ToString("D") + " " + c.CompareTo(Color.Blue) + " " + c.Equals(Color.Green) + " " + (c > Color.Red));
        var byColor = new Dictionary<Color, string> { [Color.Red] = "r", [Color.Blue] = "b" }; Console.WriteLine(byColor[Color.Blue] + byColor.ContainsKey(Color.Green));
        switch (c) { case Color.Red: Console.WriteLine("red"); break; case Color.Green: Console.WriteLine("green"); break; }

        int? none = null, six = Half(12);
        Console.WriteLine(none.HasValue + " " + six + " " + (none ?? -1) + " " + (six + none).HasValue + " " + (six > none) + " " + (none == null) + " " + six.GetValueOrDefault() + " [" + none + "]");
        object boxedNull = none, boxedSix = six; Console.WriteLine(Kind(boxedNull) + " " + Kind(boxedSix) + " " + ((int?)boxedSix + 1) + " " + (boxedSix is int?) + " " + ((int?)boxedNull).HasValue);
        try { Console.WriteLine(none.Value); } catch (InvalidOperationException) { Console.WriteLine("no value"); }
        bool? t = true, u = null; Console.WriteLine((t & u).HasValue + " " + (t | u) + " " + (Color?)Color.Red);

        object i = 42, l = 42L, s = (short)42, ch = 'x', d = 1.5, e = Color.Red;
        Console.WriteLine(i.Equals(42) + " " + i.Equals(l) + " " + (int)i + " " + (long)l + " " + Kind(s) + " " + Kind(ch) + " " + Kind(d) + " " + Kind(e) + " " + (e.Equals(Color.Red)) + " " + ((byte)(Color)e));
        try { Console.WriteLine((long)i); } catch (InvalidCastException) { Console.WriteLine("int is not long"); }
        Console.WriteLine(new Equal { A = 3 }.Equals(new Equal { A = 3 }) + " " + new Plain { A = 1, B = "x" }.Equals(new Plain { A = 1, B = "x" }) + " " + new Plain { A = 1 }.Equals(new Plain { A = 2 }) + " " + Equals(default(Vec3), new Vec3()));
        Console.WriteLine((1, "a").Equals((1, "a")) + " " + (1, 2).CompareTo((1, 3)) + " " + new KeyValuePair<int, string>(1, "v"));

        var o = new Overlay { Float = 1.0f }; Console.WriteLine(o.Int.ToString("X") + " " + o.High.ToString("X") + " " + o.Low);
        Console.WriteLine(sizeof(Packed) + " " + sizeof(Overlay) + " " + sizeof(Vec3) + " " + Marshal.SizeOf(typeof(Packed)) + " " + sizeof(Color) + sizeof(Access));
        int* p = stackalloc int[4]; for (int k = 0; k < 4; k++) p[k] = k * k; Console.WriteLine(p[3] + *(p + 2));
        fixed (char* chars = "pointer") Console.WriteLine(chars[2] + " " + *(chars + 6));
        var local = new Vec3(7, 8, 9); double* q = &local.Y; *q = 80; Console.WriteLine(local);
        Console.WriteLine(default(DateTime).Ticks + " " + default(Guid) + " " + new decimal(5, 0, 0, true, 1));
    }
}
