// Calls functions of every shape in the library made from interop.c. The exit status is the number of failures.
using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

#pragma warning disable 649

struct I1 { public int a; }
struct I2 { public int a, b; }
struct I3 { public int a, b, c; }
struct L2 { public long a, b; }
struct L3 { public long a, b, c; }
struct F1 { public float a; }
struct F2 { public float a, b; }
struct F3 { public float a, b, c; }
struct F4 { public float a, b, c, d; }
struct D1 { public double a; }
struct D2 { public double a, b; }
struct D3 { public double a, b, c; }
struct ID { public int a; public double b; }
struct DI { public double a; public int b; }
struct FI { public float a; public int b; }
struct FID { public float a; public int b; public double c; }
struct C3 { public sbyte a, b, c; }
unsafe struct C9 { public fixed sbyte a[9]; }
struct SC { public short a; public sbyte b; }
struct Nested { public F2 a; public I2 b; }
[StructLayout(LayoutKind.Sequential, Pack = 1)] struct Packed { public sbyte a; public int b; }
unsafe struct FixedF { public fixed float v[4]; }
[StructLayout(LayoutKind.Explicit)] struct U { [FieldOffset(0)] public double d; [FieldOffset(0)] public long l; }
struct LF { public long a; public float b; }

[StructLayout(LayoutKind.Sequential)]
class Person
{
    public string name;
    public int age;
    [MarshalAs(UnmanagedType.U1)] public bool isOld;
    public bool isKnown;
    [MarshalAs(UnmanagedType.U2)] public char initial;
}
struct PersonStruct
{
    public string name;
    public int age;
    [MarshalAs(UnmanagedType.I1)] public bool isOld;
    public bool isKnown;
    [MarshalAs(UnmanagedType.I2)] public char initial;
}
[StructLayout(LayoutKind.Sequential, CharSet = CharSet.Ansi)]
struct Record
{
    public int id;
    [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 8)] public string tag;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 3)] public short[] values;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 4, ArraySubType = UnmanagedType.U2)] public char[] wide;
}
struct BW { public bool flag; }
struct WithFunction { public int n; public IntCallback f; }
[StructLayout(LayoutKind.Sequential)] class Pair { public int a; public short b; }
struct PairStruct { public int a; public short b; }

delegate D2 D2Callback(D2 a, ID b, int c);
delegate L3 L3Callback(L3 a, int b);
delegate ID IDCallback(DI a);
delegate long ManyCallback(long a, long b, long c, long d, long e, long f, long g, double i, double j, double k, double l,
    double m, double n, double o, double p, double q, float r);
delegate int TextCallback(string a, [MarshalAs(UnmanagedType.LPWStr)] string b);
delegate string TextResult(int n);
delegate void RefCallback(ref int a, ref I3 b, [MarshalAs(UnmanagedType.U1)] out bool c, ref string d);
delegate int ArrayCallback(int n, [In, Out, MarshalAs(UnmanagedType.LPArray, SizeParamIndex = 0)] int[] v,
    [MarshalAs(UnmanagedType.LPArray, SizeParamIndex = 0, ArraySubType = UnmanagedType.LPStr)] string[] t);
delegate int IntCallback(int n);
delegate PersonStruct PersonCallback([In, Out] Person p, PersonStruct s);
delegate D2 Scaled(D2 a, double by);
delegate string Joined(string a, string b);
[UnmanagedFunctionPointer(CallingConvention.Cdecl, CharSet = CharSet.Unicode)] delegate int WideText(string s);
delegate void BadCallback(object o);

class Handle : SafeHandle
{
    public Handle() : base((IntPtr)(-1), true) { }
    public override bool IsInvalid { get { return handle == (IntPtr)(-1); } }
    protected override bool ReleaseHandle() { return Native.close_handle(handle) == 1; }
}
class Critical : CriticalHandle
{
    public Critical() : base((IntPtr)(-1)) { }
    public override bool IsInvalid { get { return handle == (IntPtr)(-1); } }
    protected override bool ReleaseHandle() { return Native.close_handle(handle) == 1; }
}

class Numbers
{
    public int[] Values;
}
class NumbersMarshaler : ICustomMarshaler
{
    public static int Made, Cleaned;
    public string Cookie;
    public static ICustomMarshaler GetInstance(string cookie) { Made++; return new NumbersMarshaler { Cookie = cookie }; }
    public void CleanUpManagedData(object o) { }
    public void CleanUpNativeData(IntPtr p) { Cleaned++; if (Cookie != "static") Marshal.FreeHGlobal(p); }
    public int GetNativeDataSize() { return -1; }
    public IntPtr MarshalManagedToNative(object o)
    {
        var v = ((Numbers)o).Values;
        var p = Marshal.AllocHGlobal(4 * v.Length + 4);
        Marshal.WriteInt32(p, v.Length);
        Marshal.Copy(v, 0, p + 4, v.Length);
        return p;
    }
    public object MarshalNativeToManaged(IntPtr p)
    {
        var v = new int[Marshal.ReadInt32(p)];
        Marshal.Copy(p + 4, v, 0, v.Length);
        return new Numbers { Values = v };
    }
}

static unsafe class Native
{
    const string Lib = "interop";
    [DllImport(Lib)] public static extern I1 i1_next(I1 s);
    [DllImport(Lib)] public static extern I2 i2_swap(I2 s);
    [DllImport(Lib)] public static extern I3 i3_turn(I3 s);
    [DllImport(Lib)] public static extern L2 l2_swap(L2 s);
    [DllImport(Lib)] public static extern L3 l3_turn(L3 s);
    [DllImport(Lib)] public static extern F1 f1_half(F1 s);
    [DllImport(Lib)] public static extern F2 f2_swap(F2 s);
    [DllImport(Lib)] public static extern F3 f3_turn(F3 s);
    [DllImport(Lib)] public static extern F4 f4_turn(F4 s);
    [DllImport(Lib)] public static extern D1 d1_half(D1 s);
    [DllImport(Lib)] public static extern D2 d2_swap(D2 s);
    [DllImport(Lib)] public static extern D3 d3_turn(D3 s);
    [DllImport(Lib)] public static extern DI id_to_di(ID s);
    [DllImport(Lib)] public static extern ID di_to_id(DI s);
    [DllImport(Lib)] public static extern FI fi_add(FI s);
    [DllImport(Lib)] public static extern FID fid_add(FID s);
    [DllImport(Lib)] public static extern C3 c3_turn(C3 s);
    [DllImport(Lib)] public static extern C9 c9_reverse(C9 s);
    [DllImport(Lib)] public static extern SC sc_add(SC s);
    [DllImport(Lib)] public static extern Nested nested_swap(Nested s);
    [DllImport(Lib)] public static extern Packed packed_add(Packed s);
    [DllImport(Lib)] public static extern FixedF fixedf_turn(FixedF s);
    [DllImport(Lib)] public static extern U u_same(U s);
    [DllImport(Lib)] public static extern LF lf_add(LF s);
    [DllImport(Lib)] public static extern double crowd(int a, L2 b, L2 c, L2 d, int e, D2 f, D2 g, D2 h, double i, D2 j, double k,
        L3 l, int m, float n);
    [DllImport(Lib)] public static extern L3 memory_result(int a, int b, int c, int d, int e, int f, int g);
    [DllImport(Lib)] public static extern long many(long a, long b, long c, long d, long e, long f, long g, long h, double i,
        double j, double k, double l, double m, double n, double o, double p, double q, float r);
    [DllImport(Lib)] public static extern sbyte small_signed(sbyte c, short s, byte u, ushort w);
    [DllImport(Lib)] public static extern int same_bool4(bool b);
    [DllImport(Lib, EntryPoint = "same_bool1")] [return: MarshalAs(UnmanagedType.I1)]
    public static extern bool SameBool1([MarshalAs(UnmanagedType.U1)] bool b);
    [DllImport(Lib, EntryPoint = "same_variant")] public static extern short VariantBits([MarshalAs(UnmanagedType.VariantBool)] bool b);
    [DllImport(Lib, EntryPoint = "same_variant")] [return: MarshalAs(UnmanagedType.VariantBool)]
    public static extern bool SameVariant([MarshalAs(UnmanagedType.VariantBool)] bool b);
    [DllImport(Lib)] public static extern bool bool_garbage();

    [DllImport(Lib)] public static extern D2 call_d2(D2Callback f);
    [DllImport(Lib)] public static extern L3 call_l3(L3Callback f);
    [DllImport(Lib)] public static extern ID call_id(IDCallback f);
    [DllImport(Lib)] public static extern long call_many(ManyCallback f);
    [DllImport(Lib)] public static extern int call_text(TextCallback f);
    [DllImport(Lib)] public static extern int call_text_result(TextResult f);
    [DllImport(Lib)] public static extern int call_ref(RefCallback f);
    [DllImport(Lib)] public static extern int call_array(ArrayCallback f);
    [DllImport(Lib)] public static extern int call_on_thread(IntCallback f, int n);
    [DllImport(Lib)] public static extern IntCallback get_twice();
    [DllImport(Lib, EntryPoint = "get_twice")] public static extern IntPtr TwicePointer();
    [DllImport(Lib)] public static extern IntPtr get_scaled();
    [DllImport(Lib)] public static extern IntPtr get_joined();
    [DllImport(Lib)] public static extern IntCallback choose(IntCallback a, IntCallback b, bool first);

    [DllImport(Lib)] public static extern int utf8_length(string s);
    [DllImport(Lib, CharSet = CharSet.Auto, EntryPoint = "utf8_length")] public static extern int AutoLength(string s);
    [DllImport(Lib, EntryPoint = "utf8_length")] public static extern int TLength([MarshalAs(UnmanagedType.LPTStr)] string s);
    [DllImport(Lib, CharSet = CharSet.Unicode)] public static extern int utf16_length(string s);
    [DllImport(Lib, EntryPoint = "utf16_length")] public static extern int WideLength([MarshalAs(UnmanagedType.LPWStr)] string s);
    [DllImport(Lib)] public static extern int bstr_bytes([MarshalAs(UnmanagedType.BStr)] string s);
    [DllImport(Lib)] public static extern int ansi_bstr_bytes([MarshalAs(UnmanagedType.AnsiBStr)] string s);
    [DllImport(Lib)] public static extern string new_utf8(int n);
    [DllImport(Lib)] [return: MarshalAs(UnmanagedType.LPWStr)] public static extern string new_utf16(int n);
    [DllImport(Lib)] public static extern void replace_text(ref string s);
    [DllImport(Lib, CharSet = CharSet.Unicode)] public static extern void out_text(out string s);
    [DllImport(Lib)] public static extern void fill_utf8(StringBuilder s, int n);
    [DllImport(Lib, CharSet = CharSet.Unicode)] public static extern void upper_utf16(StringBuilder s);
    [DllImport(Lib)] public static extern int char_code(char c);
    [DllImport(Lib, CharSet = CharSet.Unicode)] public static extern int wide_code(char c);

    [DllImport(Lib)] public static extern long sum(int[] v, int n);
    [DllImport(Lib, EntryPoint = "sum")] public static extern long SumMatrix(int[,] v, int n);
    [DllImport(Lib)] public static extern void square(int[] v, int n);
    [DllImport(Lib)] public static extern int count_true(bool[] v, int n);
    [DllImport(Lib)] public static extern void flip([In, Out] bool[] v, int n);
    [DllImport(Lib)] public static extern void flip_bytes(
        [In, Out, MarshalAs(UnmanagedType.LPArray, ArraySubType = UnmanagedType.U1)] bool[] v, int n);
    [DllImport(Lib)] public static extern int total_length(string[] v, int n);
    [DllImport(Lib)] public static extern void name_all([In, Out] string[] v, int n);
    [DllImport(Lib)] public static extern void make_array([MarshalAs(UnmanagedType.LPArray, SizeParamIndex = 1)] out int[] v, out int n);

    [DllImport(Lib)] public static extern int person_score(Person p);
    [DllImport(Lib)] public static extern void person_birthday([In, Out] Person p);
    [DllImport(Lib, EntryPoint = "person_birthday")] public static extern void Birthday(ref PersonStruct p);
    [DllImport(Lib)] public static extern int call_person(PersonCallback f);
    [DllImport(Lib)] public static extern void person_fill([Out] Person p, int age);
    [DllImport(Lib, EntryPoint = "person_fill")] public static extern void FillStruct(out PersonStruct p, int age);
    [DllImport(Lib)] public static extern int person_by_value(PersonStruct p);
    [DllImport(Lib)] public static extern PersonStruct person_make(int age);
    [DllImport(Lib)] public static extern int record_sum(ref Record r);
    [DllImport(Lib)] public static extern void record_change(ref Record r);
    [DllImport(Lib)] public static extern BW bw_not(BW s);
    [DllImport(Lib)] public static extern int call_member(ref WithFunction s);
    [DllImport(Lib)] public static extern void set_member(ref WithFunction s);
    [DllImport(Lib)] public static extern int sum_records(Record[] r, int n);
    [DllImport(Lib)] public static extern void pairs_add([In, Out] PairStruct[] p, int n);
    [DllImport(Lib, EntryPoint = "pairs_add")] public static extern void PairAdd(Pair p, int n);

    [DllImport(Lib)] public static extern Handle open_handle(int n);
    [DllImport(Lib, EntryPoint = "open_handle")] public static extern Critical OpenCritical(int n);
    [DllImport(Lib)] public static extern void open_handle_out(int n, out Handle h);
    [DllImport(Lib)] public static extern int close_handle(IntPtr h);
    [DllImport(Lib)] public static extern int use_handle(Handle h);
    [DllImport(Lib, EntryPoint = "use_handle")] public static extern int UseCritical(Critical h);
    [DllImport(Lib, EntryPoint = "use_handle")] public static extern int UseRef(HandleRef h);
    [DllImport(Lib)] public static extern int count_handles();
    [DllImport(Lib, SetLastError = true)] public static extern int fail_with(int code);
    [DllImport(Lib, PreserveSig = false)] public static extern int hresult(int value);
    [DllImport(Lib, PreserveSig = false)] public static extern void hresult_of(Handle h, bool fail);
    [DllImport(Lib, PreserveSig = false)] public static extern void hresult_only(bool fail);
    [DllImport(Lib)] public static extern int custom_total(
        [MarshalAs(UnmanagedType.CustomMarshaler, MarshalTypeRef = typeof(NumbersMarshaler), MarshalCookie = "heap")] Numbers v);
    [DllImport(Lib)] [return: MarshalAs(UnmanagedType.CustomMarshaler, MarshalTypeRef = typeof(NumbersMarshaler), MarshalCookie = "static")]
    public static extern Numbers custom_make(int n);
    [DllImport(Lib)] public static extern int guid_first([MarshalAs(UnmanagedType.LPStruct)] Guid g);
    [DllImport(Lib, EntryPoint = "guid_first")] public static extern int GuidRef(ref Guid g);

    [DllImport(Lib)] public static extern int pick();
    [DllImport(Lib, CharSet = CharSet.Unicode, EntryPoint = "pick")] public static extern int PickWide();
    [DllImport(Lib, CharSet = CharSet.Unicode, EntryPoint = "pick", ExactSpelling = true)] public static extern int PickExactly();
    [DllImport(Lib)] public static extern int narrow();
    [DllImport("mapped.dll", EntryPoint = "pick")] public static extern int Mapped();
    [DllImport("renamed")] public static extern int OldName();
    [DllImport("bogus", EntryPoint = "pick")] public static extern int Bogus();
    [DllImport("__Internal", EntryPoint = "getpid")] public static extern int InternalPid();
    [DllImport("libc")] public static extern int getpid();
    [DllImport("libc")] public static extern int snprintf(byte[] to, IntPtr room, string format, double x, int n);

    [DllImport(Lib, EntryPoint = "same_bool4")] public static extern int TakesObject(object o);
    [DllImport(Lib, EntryPoint = "same_bool4")] public static extern int TakesMarshaledInt([MarshalAs(UnmanagedType.LPStr)] bool b);
    [DllImport("no_such_library")] public static extern void Nothing();
    [DllImport(Lib)] public static extern void no_such_function();
}

static unsafe class Program
{
    static int failures;

    static void Check<T>(string what, T expected, T found)
    {
        if (Equals(expected, found)) return;
        failures++;
        Console.WriteLine("{0}: expected {1}, found {2}", what, expected, found);
    }

    static void Throws<T>(string what, string text, Action action) where T : Exception
    {
        try { action(); }
        catch (Exception e)
        {
            Check(what, typeof(T), e.GetType());
            if (e.Message.IndexOf(text) < 0) Check(what + " message", text, e.Message);
            return;
        }
        Check(what, "an exception", "none");
    }

    static void Section(string name, Action action)
    {
        try { action(); }
        catch (Exception e) { failures++; Console.WriteLine("{0}: {1}", name, e); }
    }

    static int Main()
    {
        for (int round = 0; round < 2; round++)
        {
            Section("small", SmallStructs);
            Section("mixed", MixedStructs);
            Section("crowd", Crowded);
            Section("scalars", Scalars);
            Section("callbacks", Callbacks);
            Section("pointers", FunctionPointers);
            Section("text", Text);
            Section("arrays", Arrays);
            Section("structs", OtherBytes);
            Section("handles", Handles);
            if (round == 0) Section("many delegates", ManyDelegates);
            Section("errors", Errors);
            Section("names", Names);
            Section("custom", Custom);
            Section("marshal", MarshalClass);
        }
        if (failures == 0) Console.WriteLine("all right");
        return failures;
    }

    static void SmallStructs()
    {
        Check("i1", 6, Native.i1_next(new I1 { a = 5 }).a);
        var i2 = Native.i2_swap(new I2 { a = 1, b = -2 });
        Check("i2", "-2 1", i2.a + " " + i2.b);
        var i3 = Native.i3_turn(new I3 { a = 1, b = 2, c = 3 });
        Check("i3", "2 3 1", i3.a + " " + i3.b + " " + i3.c);
        var l2 = Native.l2_swap(new L2 { a = 1L << 40, b = -2 });
        Check("l2", "-2 1099511627776", l2.a + " " + l2.b);
        var l3 = Native.l3_turn(new L3 { a = 1, b = 2, c = 3 });
        Check("l3", "2 3 1", l3.a + " " + l3.b + " " + l3.c);
        Check("f1", 1.5f, Native.f1_half(new F1 { a = 3 }).a);
        var f2 = Native.f2_swap(new F2 { a = 1.5f, b = 2.5f });
        Check("f2", 2.5f + 1.5f * 10, f2.a + f2.b * 10);
        var f3 = Native.f3_turn(new F3 { a = 1, b = 2, c = 3 });
        Check("f3", 231f, f3.a * 100 + f3.b * 10 + f3.c);
        var f4 = Native.f4_turn(new F4 { a = 1, b = 2, c = 3, d = 4 });
        Check("f4", 2341f, f4.a * 1000 + f4.b * 100 + f4.c * 10 + f4.d);
        Check("d1", 1.5, Native.d1_half(new D1 { a = 3 }).a);
        var d2 = Native.d2_swap(new D2 { a = 1, b = 2 });
        Check("d2", 21.0, d2.a * 10 + d2.b);
        var d3 = Native.d3_turn(new D3 { a = 1, b = 2, c = 3 });
        Check("d3", 231.0, d3.a * 100 + d3.b * 10 + d3.c);
    }

    static void MixedStructs()
    {
        var di = Native.id_to_di(new ID { a = 3, b = 1.25 });
        Check("di", 13.25, di.a + 4 * di.b);
        var id = Native.di_to_id(new DI { a = 1.25, b = 3 });
        Check("id", 13.25, id.b + 4 * id.a);
        var fi = Native.fi_add(new FI { a = 1.5f, b = 7 });
        Check("fi", 11.5, fi.a + (double)fi.b);
        var fid = Native.fid_add(new FID { a = 1.5f, b = 7, c = 100 });
        Check("fid", 114.5, fid.a + fid.b + fid.c);
        var c3 = Native.c3_turn(new C3 { a = 1, b = -2, c = 3 });
        Check("c3", "-2 3 1", c3.a + " " + c3.b + " " + c3.c);
        var c9 = new C9();
        for (int i = 0; i < 9; i++) c9.a[i] = (sbyte)i;
        c9 = Native.c9_reverse(c9);
        Check("c9", "8 4 0", c9.a[0] + " " + c9.a[4] + " " + c9.a[8]);
        var sc = Native.sc_add(new SC { a = -5, b = 3 });
        Check("sc", "-4 5", sc.a + " " + sc.b);
        var n = Native.nested_swap(new Nested { a = new F2 { a = 1, b = 2 }, b = new I2 { a = 3, b = 4 } });
        Check("nested", 2143.0, n.a.a * 1000 + n.a.b * 100 + n.b.a * 10 + n.b.b);
        var p = Native.packed_add(new Packed { a = 1, b = 100000 });
        Check("packed", "2 100002", p.a + " " + p.b);
        var ff = new FixedF();
        for (int i = 0; i < 4; i++) ff.v[i] = i + 1;
        ff = Native.fixedf_turn(ff);
        Check("fixed", 2341f, ff.v[0] * 1000 + ff.v[1] * 100 + ff.v[2] * 10 + ff.v[3]);
        Check("union", 0x123456789L, Native.u_same(new U { l = 0x123456789L }).l);
        var lf = Native.lf_add(new LF { a = 1, b = 2.5f });
        Check("lf", 6.5, lf.a + (double)lf.b);
    }

    static void Crowded()
    {
        double expected = 0;
        for (int i = 1; i <= 23; i++) expected += i * i;
        var found = Native.crowd(1, new L2 { a = 2, b = 3 }, new L2 { a = 4, b = 5 }, new L2 { a = 6, b = 7 }, 8,
            new D2 { a = 9, b = 10 }, new D2 { a = 11, b = 12 }, new D2 { a = 13, b = 14 }, 15, new D2 { a = 16, b = 17 }, 18,
            new L3 { a = 19, b = 20, c = 21 }, 22, 23);
        Check("crowd", expected, found);
        var m = Native.memory_result(1, 2, 3, 4, 5, 6, 7);
        Check("memory", "6 9 67", m.a + " " + m.b + " " + m.c);
        long all = 0;
        for (int i = 1; i <= 18; i++) all += i * i;
        Check("many", all, Native.many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18));
    }

    static void Scalars()
    {
        Check("small", (sbyte)-3, Native.small_signed(-100, -200, 250, 47));
        Check("bool4", 100, Native.same_bool4(true));
        Check("bool4", 0, Native.same_bool4(false));
        Check("bool1", true, Native.SameBool1(true));
        Check("bool1", false, Native.SameBool1(false));
        Check("variant", (short)-1, Native.VariantBits(true));
        Check("variant", true, Native.SameVariant(true));
        Check("variant", false, Native.SameVariant(false));
        Check("bool of 0x100", true, Native.bool_garbage());
        Check("internal", Native.getpid(), Native.InternalPid());
        var text = new byte[32];
        int n = Native.snprintf(text, (IntPtr)32, "%.2f %d", 1.5, 7);
        Check("variadic", "1.50 7", Encoding.ASCII.GetString(text, 0, n));
    }

    static void Callbacks()
    {
        var d2 = Native.call_d2((a, b, c) => { GC.Collect(); return new D2 { a = a.a + b.a, b = a.b + b.b + c }; });
        Check("d2 callback", "4 11", d2.a + " " + d2.b);
        var l3 = Native.call_l3((a, b) => new L3 { a = a.c, b = a.b, c = a.a + b });
        Check("l3 callback", "3 2 5", l3.a + " " + l3.b + " " + l3.c);
        var id = Native.call_id(a => new ID { a = a.b, b = a.a * 2 });
        Check("id callback", "7 5", id.a + " " + id.b);
        long all = 0;
        for (int i = 1; i <= 17; i++) all += i * i;
        Check("many callback", all, Native.call_many((a, b, c, d, e, f, g, i, j, k, l, m, n, o, p, q, r) =>
            (long)(a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * i + 9 * j + 10 * k + 11 * l + 12 * m + 13 * n + 14 * o
                + 15 * p + 16 * q + 17 * r)));
        string texts = null;
        Check("text callback", 42, Native.call_text((a, b) => { texts = a + b; return 42; }));
        Check("text callback", "gr\u00fc\u00df\u4e16\u754c", texts);
        Check("text result", 4, Native.call_text_result(n => new string('\u00e9', n - 1)));
        Check("ref callback", 6 + 20 + 300 + 4000 + 10000 + 500000, Native.call_ref(Change));
        Check("array callback", 1206, Native.call_array((n, v, t) =>
        {
            int r = v[0] + v[1] + v[2] + t[0].Length + t[1].Length + t[2].Length;
            v[0] = 6;
            return r;
        }));
        int thread = Thread.CurrentThread.ManagedThreadId, other = thread;
        Check("other thread", 21, Native.call_on_thread(n =>
        {
            other = Thread.CurrentThread.ManagedThreadId;
            var garbage = new object[1000];
            GC.Collect();
            return n * 3;
        }, 7));
        Check("other thread", false, thread == other);
        int calls = 0;
        var callers = new Thread[4];
        for (int i = 0; i < callers.Length; i++)
        {
            callers[i] = new Thread(() =>
            {
                for (int k = 0; k < 25; k++)
                    Native.call_on_thread(n => { var s = new string('x', n); return Interlocked.Add(ref calls, s.Length - n + 1); }, k);
            });
            callers[i].Start();
        }
        foreach (var t in callers) t.Join();
        Check("calls of many threads", 100, calls);
        GC.KeepAlive(texts);
    }

    static void Change(ref int a, ref I3 b, out bool c, ref string d)
    {
        a++;
        b = new I3 { a = b.b, b = b.c, c = b.a + 3 };
        c = true;
        d = d + "put";
    }

    static void FunctionPointers()
    {
        var twice = Native.get_twice();
        Check("foreign", 42, twice(21));
        Check("foreign pointer", Native.TwicePointer(), Marshal.GetFunctionPointerForDelegate(twice));
        IntCallback both = n => n + 1;
        both += twice;
        Check("multicast", 42, both(21));
        var scaled = (Scaled)Marshal.GetDelegateForFunctionPointer(Native.get_scaled(), typeof(Scaled));
        var d2 = scaled(new D2 { a = 1, b = 2 }, 10);
        Check("scaled", "10 20", d2.a + " " + d2.b);
        var joined = Marshal.GetDelegateForFunctionPointer<Joined>(Native.get_joined());
        Check("joined", "gr\u00fc\u00dfe", joined("gr\u00fc", "\u00dfe"));
        Check("invoke", "ab", joined.DynamicInvoke("a", "b"));
        IntCallback mine = n => -n;
        Check("mine comes back", mine, Native.choose(mine, twice, true));
        Check("foreign goes through", 8, Native.choose(mine, twice, false)(4));
        Check("null", null, Native.choose(null, null, true));
        Check("no mscorlib type", true, Marshal.GetFunctionPointerForDelegate(mine) != IntPtr.Zero);
        GC.KeepAlive(mine);
    }

    // Code for function pointers of delegates that are gone is used again.
    static void ManyDelegates()
    {
        var pointers = new System.Collections.Generic.HashSet<IntPtr>();
        int wrong = 0;
        for (int i = 0; i < 5000; i++)
        {
            int k = i;
            IntCallback f = n => n + k;
            pointers.Add(Marshal.GetFunctionPointerForDelegate(f));
            if (Native.choose(f, null, true) != f) wrong++;
            if (i % 10 == 0 && Native.call_on_thread(f, 1) != i + 1) wrong++;
            if (i % 500 == 0) GC.Collect();
        }
        Check("many delegates", 0, wrong);
        Check("code used again", true, pointers.Count < 4500);
    }

    static void Text()
    {
        Check("utf8", 6, Native.utf8_length("gr\u00fc\u00df"));
        Check("utf8 null", -1, Native.utf8_length(null));
        Check("auto", 6, Native.AutoLength("gr\u00fc\u00df"));
        Check("lptstr", 6, Native.TLength("gr\u00fc\u00df"));
        Check("utf16", 4, Native.utf16_length("gr\u00fc\u00df"));
        Check("lpwstr", 4, Native.WideLength("gr\u00fc\u00df"));
        Check("lpwstr null", -1, Native.WideLength(null));
        Check("bstr", 8, Native.bstr_bytes("gr\u00fc\u00df"));
        Check("ansi bstr", 6, Native.ansi_bstr_bytes("gr\u00fc\u00df"));
        Check("new utf8", "xxxxx", Native.new_utf8(5));
        Check("new null", null, Native.new_utf8(-1));
        Check("new utf16", "\u4e16\u4e16\u4e16", Native.new_utf16(3));
        string s = "hello";
        Native.replace_text(ref s);
        Check("ref", "hello!", s);
        Native.out_text(out s);
        Check("out", "\u4e16\u4e16", s);
        var b = new StringBuilder(16);
        Native.fill_utf8(b, 10);
        Check("builder", "yyyyyyyyyy", b.ToString());
        b = new StringBuilder("abc\u00e9");
        Native.upper_utf16(b);
        Check("wide builder", "ABC\u00e9", b.ToString());
        Check("char", 'x', (char)Native.char_code('x'));
        Check("wide char", 0x4e16, Native.wide_code('\u4e16'));
    }

    static void Arrays()
    {
        var v = new[] { 1, 2, 3, 4 };
        Check("sum", 10L, Native.sum(v, 4));
        Check("null", 0L, Native.sum(null, 0));
        Check("matrix", 21L, Native.SumMatrix(new[,] { { 1, 2, 3 }, { 4, 5, 6 } }, 6));
        Native.square(v, 4);
        Check("square", "1 4 9 16", string.Join(" ", v));
        var flags = new[] { true, false, true };
        Check("bools", 2, Native.count_true(flags, 3));
        Native.flip(flags, 3);
        Check("flip", "False True False", string.Join(" ", flags));
        Native.flip_bytes(flags, 3);
        Check("flip bytes", "True False True", string.Join(" ", flags));
        var texts = new[] { "a", null, "\u00e9" };
        Check("texts", 1003, Native.total_length(texts, 3));
        texts = new[] { "a", "b", "c" };
        Native.name_all(texts, 3);
        Check("names", "n0 n1 n2", string.Join(" ", texts));
        int n;
        Native.make_array(out v, out n);
        Check("made", "0 10 20 30", string.Join(" ", v));
        var pairs = new[] { new PairStruct { a = 1, b = 2 }, new PairStruct { a = 3, b = 4 } };
        Native.pairs_add(pairs, 2);
        Check("pairs", "2 4 4 6", pairs[0].a + " " + pairs[0].b + " " + pairs[1].a + " " + pairs[1].b);
        var records = new[] { NewRecord(1), NewRecord(20) };
        Check("records", 21, Native.sum_records(records, 2));
    }

    static Record NewRecord(int id)
    {
        return new Record { id = id, tag = "tag", values = new short[] { 1, 2, 3 }, wide = new[] { 'a', 'b', 'c', 'd' } };
    }

    static void OtherBytes()
    {
        var p = new Person { name = "Ada", age = 40, isOld = true, isKnown = true, initial = 'A' };
        Check("person", 3150, Native.person_score(p));
        Check("no person", -1, Native.person_score(null));
        Native.person_birthday(p);
        Check("birthday", "renamed 41 True True A", p.name + " " + p.age + " " + p.isOld + " " + p.isKnown + " " + p.initial);
        var s = new PersonStruct { name = "Bob", age = 20, isOld = false, isKnown = false, initial = 'B' };
        Check("by value", 3020, Native.person_by_value(s));
        Native.Birthday(ref s);
        Check("by ref", "renamed 21 False True B", s.name + " " + s.age + " " + s.isOld + " " + s.isKnown + " " + s.initial);
        s = Native.person_make(7);
        Check("returned", "made 7 True False M", s.name + " " + s.age + " " + s.isOld + " " + s.isKnown + " " + s.initial);
        Check("person callback", 30611, Native.call_person((a, b) =>
        {
            Check("person in", "Ada 40 True False A", a.name + " " + a.age + " " + a.isOld + " " + a.isKnown + " " + a.initial);
            GC.Collect();
            a.age++;
            a.name += " Lovelace";
            b.age += a.age;
            b.isKnown = false;
            return b;
        }));
        Native.person_fill(p, 12);
        Check("out", "made 12 True False M", p.name + " " + p.age + " " + p.isOld + " " + p.isKnown + " " + p.initial);
        Native.FillStruct(out s, 13);
        Check("out", "made 13 True False M", s.name + " " + s.age + " " + s.isOld + " " + s.isKnown + " " + s.initial);
        var r = NewRecord(5);
        Check("record", 6305, Native.record_sum(ref r));
        Native.record_change(ref r);
        Check("record", "10 changed 77 abcd", r.id + " " + r.tag + " " + r.values[1] + " " + new string(r.wide));
        Check("bool struct", false, Native.bw_not(new BW { flag = true }).flag);
        Check("bool struct", true, Native.bw_not(new BW { flag = false }).flag);
        var f = new WithFunction { n = 5, f = n => n * 7 };
        Check("member", 35, Native.call_member(ref f));
        Native.set_member(ref f);
        Check("member", 10, f.f(5));
        Check("member", 10, Native.call_member(ref f));
        var pair = new Pair { a = 1, b = 2 };
        Native.PairAdd(pair, 1);
        Check("blittable class", "2 4", pair.a + " " + pair.b);
        var g = new Guid(0x01020304, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
        Check("guid", 0x01020304, Native.guid_first(g));
        Check("guid", 0x01020304, Native.GuidRef(ref g));
    }

    static void Handles()
    {
        int before = Native.count_handles();
        using (var h = Native.open_handle(5))
        {
            Check("use", 5, Native.use_handle(h));
            Check("open", before + 1, Native.count_handles());
        }
        Check("closed", before, Native.count_handles());
        var failing = Native.open_handle(9);
        Throws<NotImplementedException>("fails", "", () => Native.hresult_of(failing, true));
        failing.Dispose();
        Check("closed after failure", before, Native.count_handles());
        Check("invalid", true, Native.open_handle(-1).IsInvalid);
        Handle o;
        Native.open_handle_out(6, out o);
        Check("out", 6, Native.use_handle(o));
        o.Dispose();
        Check("closed", before, Native.count_handles());
        Throws<ObjectDisposedException>("disposed", "", () => Native.use_handle(o));
        Throws<ArgumentNullException>("null handle", "", () => Native.use_handle(null));
        using (var c = Native.OpenCritical(7)) Check("critical", 7, Native.UseCritical(c));
        Check("closed", before, Native.count_handles());
        Check("ref", 8, Native.UseRef(new HandleRef(new object(), (IntPtr)1008)));
    }

    static void Errors()
    {
        Native.fail_with(33);
        Check("errno", 33, Marshal.GetLastWin32Error());
        Native.fail_with(2);
        GC.Collect();
        Check("errno", 2, Marshal.GetLastWin32Error());
        bool stop = false;
        var collecting = new Thread(() => { while (!Volatile.Read(ref stop)) GC.Collect(); });
        collecting.Start();
        int wrong = 0;
        for (int i = 1; i < 3000; i++)
        {
            Native.fail_with(i);
            if (Marshal.GetLastWin32Error() != i) wrong++;
        }
        Volatile.Write(ref stop, true);
        collecting.Join();
        Check("errno of a stopped thread", 0, wrong);
        Check("hresult", 6, Native.hresult(5));
        Throws<ArgumentException>("hresult", "", () => Native.hresult(-1));
        Native.hresult_only(false);
        Throws<NotImplementedException>("hresult", "", () => Native.hresult_only(true));
        Throws<MarshalDirectiveException>("object", "parameter #1", () => Native.TakesObject(1));
        Throws<MarshalDirectiveException>("bad", "parameter #1", () => Native.TakesMarshaledInt(true));
        Throws<MarshalDirectiveException>("bad callback", "System.Object", () => Marshal.GetFunctionPointerForDelegate((BadCallback)(o => { })));
        Throws<DllNotFoundException>("library", "no_such_library", Native.Nothing);
        Throws<EntryPointNotFoundException>("function", "no_such_function", Native.no_such_function);
    }

    static void Names()
    {
        Check("pick", 1, Native.pick());
        Check("pick", 2, Native.PickWide());
        Check("pick", 1, Native.PickExactly());
        Check("narrow", 3, Native.narrow());
        Check("mapped", 1, Native.Mapped());
        Check("renamed", 4, Native.OldName());
        Throws<BadImageFormatException>("bogus", "bogus.so", () => Native.Bogus());
    }

    static void Custom()
    {
        int cleaned = NumbersMarshaler.Cleaned;
        Check("custom", 6, Native.custom_total(new Numbers { Values = new[] { 1, 2, 3 } }));
        Check("cleaned", cleaned + 1, NumbersMarshaler.Cleaned);
        Check("custom result", "5 6 7", string.Join(" ", Native.custom_make(5).Values));
        Check("instances", 2, NumbersMarshaler.Made);
    }

    static void MarshalClass()
    {
        Check("size of record", 28, Marshal.SizeOf(typeof(Record)));
        Check("size of person", 24, Marshal.SizeOf(typeof(Person)));
        Check("size of bool", 4, Marshal.SizeOf(typeof(bool)));
        Check("size of char", 1, Marshal.SizeOf(typeof(char)));
        Check("offset", 8 + 4, (int)Marshal.OffsetOf(typeof(Record), "values"));
        Throws<ArgumentException>("size of string", "System.String", () => Marshal.SizeOf(typeof(string)));
        var p = Marshal.AllocHGlobal(Marshal.SizeOf(typeof(Record)));
        Marshal.StructureToPtr(NewRecord(9), p, false);
        var r = Marshal.PtrToStructure<Record>(p);
        Check("there and back", "9 tag 2 abcd", r.id + " " + r.tag + " " + r.values[1] + " " + new string(r.wide));
        Marshal.DestroyStructure(p, typeof(Record));
        Marshal.FreeHGlobal(p);
        p = Marshal.StringToHGlobalAnsi("gr\u00fc\u00df");
        Check("ansi", "gr\u00fc\u00df", Marshal.PtrToStringAnsi(p));
        Check("bytes", 0xc3, (int)Marshal.ReadByte(p, 2));
        Marshal.FreeHGlobal(p);
        p = Marshal.StringToBSTR("ab");
        Check("bstr", "ab", Marshal.PtrToStringBSTR(p));
        Marshal.FreeBSTR(p);
        Marshal.Prelink(typeof(Native).GetMethod("getpid"));
        Throws<DllNotFoundException>("prelink", "no_such_library", () => Marshal.Prelink(typeof(Native).GetMethod("Nothing")));
    }
}
