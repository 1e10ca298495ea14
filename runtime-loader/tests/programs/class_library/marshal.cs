using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

[StructLayout(LayoutKind.Sequential)] class Base { public int a; }
[StructLayout(LayoutKind.Sequential)] class Derived : Base { public byte b; public long c; }
[StructLayout(LayoutKind.Explicit, Size = 24)] struct Exp { [FieldOffset(4)] public int x; [FieldOffset(16)] public short y; }
[StructLayout(LayoutKind.Sequential, Pack = 2)] struct Packed { public byte a; public int b; public double c; }
[StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)] struct Wide { public char c; [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 5)] public string t; public string p; }
[StructLayout(LayoutKind.Sequential, CharSet = CharSet.Ansi)] struct Narrow { public char c; [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 5)] public string t; [MarshalAs(UnmanagedType.LPWStr)] public string p; }
struct Bools { public bool a; [MarshalAs(UnmanagedType.I1)] public bool b; [MarshalAs(UnmanagedType.VariantBool)] public bool c; }
struct Outer { public Packed p; public Bools b; public IntPtr i; public DayOfWeek d; }
struct Texts { [MarshalAs(UnmanagedType.LPWStr)] public string b; [MarshalAs(UnmanagedType.LPStr)] public string s; [MarshalAs(UnmanagedType.ByValArray, SizeConst = 2)] public Packed[] a; }
struct Auto { public DateTime d; }
[StructLayout(LayoutKind.Auto)] struct AutoLayout { public int a; }
struct Gen<T> { public T v; }
struct HasObject { public object o; }
struct HasArray { public int[] a; }
class NoLayout { public int a; }
unsafe struct Buf { public fixed byte b[7]; public short s; }

class P {
  static void Try(string what, Func<object> f) {
    try { Console.WriteLine("{0}: {1}", what, f()); }
    catch (Exception e) { if (e is TargetInvocationException) e = e.InnerException; Console.WriteLine("{0}: {1}: {2}", what, e.GetType().Name, e.Message.Split('\n')[0]); }
  }
  static string Hex(IntPtr p, int n) { var s = ""; for (int i = 0; i < n; i++) s += Marshal.ReadByte(p, i).ToString("x2"); return s; }
  static void Main() {
    foreach (var t in new[] { typeof(Base), typeof(Derived), typeof(Exp), typeof(Packed), typeof(Wide), typeof(Narrow), typeof(Bools), typeof(Outer), typeof(Texts),
        typeof(AutoLayout), typeof(Gen<int>), typeof(HasObject), typeof(HasArray), typeof(NoLayout), typeof(Buf), typeof(int), typeof(byte), typeof(bool), typeof(char),
        typeof(IntPtr), typeof(decimal), typeof(Guid), typeof(DayOfWeek), typeof(string), typeof(object), typeof(int[]), typeof(int*), typeof(float), typeof(Action), typeof(IDisposable), null })
      Try("sizeof " + t, () => Marshal.SizeOf(t));
    Try("sizeof object", () => Marshal.SizeOf(new Derived()));
    Try("sizeof boxed", () => Marshal.SizeOf((object)1.5));
    Try("sizeof<>", () => Marshal.SizeOf<Packed>());
    foreach (var f in new[] { "p", "b", "i", "d", "zz" }) Try("offset " + f, () => Marshal.OffsetOf(typeof(Outer), f));
    Try("offset derived", () => Marshal.OffsetOf(typeof(Derived), "c"));
    Try("offset null", () => Marshal.OffsetOf(typeof(Derived), null));
    var m = Marshal.AllocHGlobal(256);
    for (int i = 0; i < 256; i++) Marshal.WriteByte(m, i, 0xcc);
    Marshal.StructureToPtr(new Derived { a = 1, b = 2, c = 3 }, m, false);
    Console.WriteLine(Marshal.ReadInt32(m) + " " + Marshal.ReadByte(m, 4) + " " + Marshal.ReadInt64(m, 8));
    var d = new Derived(); Marshal.PtrToStructure(m, d); Console.WriteLine(d.a + " " + d.b + " " + d.c);
    d = (Derived)Marshal.PtrToStructure(m, typeof(Derived)); Console.WriteLine(d.a + " " + d.b + " " + d.c);
    Marshal.StructureToPtr(new Exp { x = 5, y = 6 }, m, false); Console.WriteLine(Marshal.ReadInt32(m, 4) + " " + Marshal.ReadInt16(m, 16));
    Marshal.StructureToPtr(new Packed { a = 1, b = 0x01020304, c = 1 }, m, false); Console.WriteLine(Hex(m, 14));
    Marshal.StructureToPtr(new Wide { c = 'x', t = "toolong", p = "ptr" }, m, false); Console.WriteLine(Hex(m, 12) + Marshal.PtrToStringUni(Marshal.ReadIntPtr(m, 16)));
    var w = Marshal.PtrToStructure<Wide>(m); Console.WriteLine(w.c + w.t + w.p); Marshal.DestroyStructure<Wide>(m); Console.WriteLine(Marshal.ReadIntPtr(m, 16));
    Marshal.StructureToPtr(new Narrow { c = 'x', t = "toolong", p = "ptr" }, m, false); Console.WriteLine(Hex(m, 6));
    var n = Marshal.PtrToStructure<Narrow>(m); Console.WriteLine(n.c + n.t + n.p);
    Marshal.StructureToPtr(new Narrow(), m, true); n = Marshal.PtrToStructure<Narrow>(m); Console.WriteLine((n.t == null) + " " + (n.p == null));
    Marshal.StructureToPtr(new Bools { a = true, b = true, c = true }, m, false); Console.WriteLine(Hex(m, 8));
    var b = Marshal.PtrToStructure<Bools>(m); Console.WriteLine(b.a + " " + b.b + " " + b.c);
    Marshal.StructureToPtr(new Texts { b = "bs", s = "as", a = new[] { new Packed { b = 7 }, new Packed { b = 8 } } }, m, false);
    var t2 = Marshal.PtrToStructure<Texts>(m); Console.WriteLine(t2.b + t2.s + t2.a.Length + t2.a[1].b);
    Try("short array", () => { Marshal.StructureToPtr(new Texts { a = new Packed[1] }, m, false); return "ok"; });
    Try("boxed int", () => { Marshal.StructureToPtr(42, m, false); return Marshal.PtrToStructure(m, typeof(int)); });
    Try("to struct object", () => { object o = new Packed(); Marshal.PtrToStructure(m, o); return "ok"; });
    Try("null ptr", () => { Marshal.StructureToPtr(42, IntPtr.Zero, false); return 0; });
    Try("null struct", () => { Marshal.StructureToPtr((object)null, m, false); return 0; });
    Try("from null", () => Marshal.PtrToStructure(IntPtr.Zero, typeof(int)) ?? "null");
    Try("from null object", () => { Marshal.PtrToStructure(IntPtr.Zero, d); return 0; });
    Try("null type", () => Marshal.PtrToStructure(m, (Type)null));
    Try("no layout", () => { Marshal.StructureToPtr(new NoLayout(), m, false); return 0; });
    Try("ptr to string type", () => Marshal.PtrToStructure(m, typeof(string)));
    Try("ptr to generic", () => Marshal.PtrToStructure(m, typeof(Gen<int>)));
    // text
    foreach (var s in new[] { "", "abc", "gr\u00fc\u00df", "\U0001F600" }) {
      var p = Marshal.StringToHGlobalAnsi(s); Console.WriteLine(Marshal.PtrToStringAnsi(p) ?? "null"); Marshal.FreeHGlobal(p);
      p = Marshal.StringToHGlobalUni(s); Console.WriteLine(Marshal.PtrToStringUni(p) ?? "null"); Marshal.FreeHGlobal(p);
      p = Marshal.StringToHGlobalAuto(s); Console.WriteLine(Marshal.PtrToStringAuto(p) ?? "null"); Marshal.FreeHGlobal(p);
      p = Marshal.StringToCoTaskMemAnsi(s); Console.WriteLine(Marshal.PtrToStringAnsi(p) ?? "null"); Marshal.FreeCoTaskMem(p);
      p = Marshal.StringToCoTaskMemUni(s); Console.WriteLine(Marshal.PtrToStringUni(p) ?? "null"); Marshal.FreeCoTaskMem(p);
      p = Marshal.StringToCoTaskMemAuto(s); Console.WriteLine(Marshal.PtrToStringAuto(p) ?? "null"); Marshal.FreeCoTaskMem(p);
      p = Marshal.StringToBSTR(s); if (p != IntPtr.Zero) { Console.WriteLine(Marshal.PtrToStringBSTR(p) + Marshal.ReadInt32(p, -4)); Marshal.FreeBSTR(p); } else Console.WriteLine("no bstr");
    }
    var q = Marshal.StringToHGlobalAnsi("h\u00e9llo");
    Console.WriteLine(Marshal.PtrToStringAnsi(q, 3)); 
    Try("partial", () => Marshal.PtrToStringAnsi(q, 2));
    Try("negative", () => Marshal.PtrToStringAnsi(q, -1));
    Try("null len", () => Marshal.PtrToStringAnsi(IntPtr.Zero, 1));
    Try("null uni len", () => Marshal.PtrToStringUni(IntPtr.Zero, 1));
    Try("null bstr", () => Marshal.PtrToStringBSTR(IntPtr.Zero));
    Console.WriteLine(Marshal.PtrToStringAnsi(IntPtr.Zero) == null);
    // copy
    Marshal.Copy(new byte[] { 1, 2, 3, 4 }, 1, m, 3); Console.WriteLine(Hex(m, 3));
    var bytes = new byte[4]; Marshal.Copy(m, bytes, 1, 3); Console.WriteLine(string.Join(",", bytes));
    var dd = new double[2]; Marshal.Copy(new[] { 1.5, 2.5 }, 0, m, 2); Marshal.Copy(m, dd, 0, 2); Console.WriteLine(dd[0] + dd[1]);
    var ip = new IntPtr[1]; Marshal.Copy(m, ip, 0, 1); Console.WriteLine(ip[0].ToString("x"));
    var cc = new char[2]; Marshal.Copy(new[] { 'a', 'b' }, 0, m, 2); Marshal.Copy(m, cc, 0, 2); Console.WriteLine(new string(cc));
    Try("copy null", () => { Marshal.Copy((byte[])null, 0, m, 1); return 0; });
    Try("copy null ptr", () => { Marshal.Copy(bytes, 0, IntPtr.Zero, 1); return 0; });
    Try("copy range", () => { Marshal.Copy(bytes, 2, m, 3); return 0; });
    Try("copy range 2", () => { Marshal.Copy(m, bytes, 2, 3); return 0; });
    // read/write
    Marshal.WriteInt16(m, 1, -2); Console.WriteLine(Marshal.ReadInt16(m, 1)); Marshal.WriteInt16(m, 'x'); Console.WriteLine(Marshal.ReadInt16(m));
    Marshal.WriteInt32(m, 3, int.MinValue); Console.WriteLine(Marshal.ReadInt32(m, 3)); Marshal.WriteInt64(m, 5, long.MinValue); Console.WriteLine(Marshal.ReadInt64(m, 5));
    Marshal.WriteIntPtr(m, 7, (IntPtr)77); Console.WriteLine(Marshal.ReadIntPtr(m, 7));
    object bp = new Packed { a = 9, b = 10 };
    Try("unsafe addr", () => { var a = new[] { 10, 20, 30 }; var h = GCHandle.Alloc(a, GCHandleType.Pinned); var r = Marshal.ReadInt32(Marshal.UnsafeAddrOfPinnedArrayElement(a, 2)); h.Free(); return r; });
    Try("pinned text", () => { var h = GCHandle.Alloc("hi", GCHandleType.Pinned); var r = Marshal.PtrToStringUni(h.AddrOfPinnedObject()); h.Free(); return r; });
    Try("pinned bad", () => GCHandle.Alloc(new Wide[1], GCHandleType.Pinned));
    Try("not pinned", () => { var h = GCHandle.Alloc(new int[1]); return h.AddrOfPinnedObject(); });
    // secure
    var ss = new SecureString(); foreach (var c in "geheim") ss.AppendChar(c);
    var sp = Marshal.SecureStringToBSTR(ss); Console.WriteLine(Marshal.PtrToStringBSTR(sp)); Marshal.ZeroFreeBSTR(sp);
    sp = Marshal.SecureStringToGlobalAllocUnicode(ss); Console.WriteLine(Marshal.PtrToStringUni(sp)); Marshal.ZeroFreeGlobalAllocUnicode(sp);
    sp = Marshal.SecureStringToGlobalAllocAnsi(ss); Console.WriteLine(Marshal.PtrToStringAnsi(sp)); Marshal.ZeroFreeGlobalAllocAnsi(sp);
    sp = Marshal.SecureStringToCoTaskMemUnicode(ss); Console.WriteLine(Marshal.PtrToStringUni(sp)); Marshal.ZeroFreeCoTaskMemUnicode(sp);
    sp = Marshal.SecureStringToCoTaskMemAnsi(ss); Console.WriteLine(Marshal.PtrToStringAnsi(sp)); Marshal.ZeroFreeCoTaskMemAnsi(sp);
    // HR
    foreach (var hr in new[] { 0, 1, unchecked((int)0x80004001), unchecked((int)0x80070057), unchecked((int)0x8007000E), unchecked((int)0x80004003), unchecked((int)0x80131509), unchecked((int)0x80070002), unchecked((int)0x80004005), unchecked((int)0x81234567) })
      Try("hr " + hr.ToString("x"), () => { var e = Marshal.GetExceptionForHR(hr); return e == null ? "none" : e.GetType() + " " + e.HResult.ToString("x"); });
    Try("hr of", () => Marshal.GetHRForException(new ArgumentException()).ToString("x"));
    Try("hr last", () => Marshal.GetHRForLastWin32Error().ToString("x"));
    Try("throw hr", () => { Marshal.ThrowExceptionForHR(unchecked((int)0x80004001)); return 0; });
    Try("IsComObject", () => Marshal.IsComObject(new object()));
    Try("realloc", () => { var r = Marshal.ReAllocHGlobal(Marshal.AllocHGlobal(4), (IntPtr)400); Marshal.WriteByte(r, 399, 7); var v = Marshal.ReadByte(r, 399); Marshal.FreeHGlobal(r); return v; });
    Try("realloc co", () => { var r = Marshal.ReAllocCoTaskMem(Marshal.AllocCoTaskMem(4), 400); Marshal.WriteByte(r, 399, 7); var v = Marshal.ReadByte(r, 399); Marshal.FreeCoTaskMem(r); return v; });
    Try("too much", () => Marshal.AllocHGlobal(new IntPtr(long.MaxValue)));
    Try("fp null", () => Marshal.GetFunctionPointerForDelegate((Delegate)null));
    Try("del null", () => Marshal.GetDelegateForFunctionPointer(IntPtr.Zero, typeof(Action)));
    Try("del bad", () => Marshal.GetDelegateForFunctionPointer(m, typeof(string)));
    Try("del generic", () => Marshal.GetDelegateForFunctionPointer(m, typeof(Func<int>)).GetType());
    Try("iunknown", () => Marshal.GetIUnknownForObject(new object()));
    var mas = (MarshalAsAttribute)Attribute.GetCustomAttribute(typeof(Texts).GetField("a"), typeof(MarshalAsAttribute));
    Console.WriteLine(mas.Value + " " + mas.SizeConst + " " + mas.ArraySubType);
    var sla = typeof(Packed).StructLayoutAttribute; Console.WriteLine(sla.Value + " " + sla.Pack + " " + sla.Size + " " + sla.CharSet);
    Marshal.FreeHGlobal(m);
  }
}
