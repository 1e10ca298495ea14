using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

// What CIL does, seen through C#. Each test returns what its name says: test_<expected>_<name> (m is a minus sign).
struct P { public int X; public long Y; public string S; public P(int x) { X = x; Y = x * 2L; S = null; }
  public int Sum() { return X + (int)Y; } public override string ToString() { return "P"; } public void Inc() { X++; } }
struct Big { public long A, B, C, D; }
unsafe struct Fixed { public float A; public int B; public fixed uint V[4]; }
struct Small { public byte B; public sbyte SB; public short S; public ushort U; public bool F; }
interface IArea { int Area(); }
interface IGen<T> { T Echo(T t); int Count<U>(U u); }
struct Sq : IArea { public int Side; public int Area() { Side++; return Side * Side; } }
class Rect : IArea { public int W, H; public virtual int Area() { return W * H; } }
class Cube : Rect, IGen<string>, IGen<int> { public override int Area() { return base.Area() * 6; }
  public string Echo(string s) { return s; } public int Echo(int i) { return i + 1; } public int Count<U>(U u) { return typeof(U) == typeof(int) ? 1 : 2; } }
class G<T> { public static int Counter; public T Value; public static T[] Make(int n) { return new T[n]; }
  public bool IsT(object o) { return o is T; } public virtual Type TypeOf() { return typeof(T); } public T Cast(object o) { return (T)o; } 
  public static Type Static() { return typeof(G<T>); } public List<T> L() { return new List<T>(); } }
class D1 : G<string> { public override Type TypeOf() { return base.TypeOf(); } }
class Pre { public static int X; static Pre() { X = 5; Trace += 1; } public static int Trace; public static int Get() { return X; } public int inst = 3; }
class Bfi { public static int X = Make(); static int Make() { T.flag++; return 9; } public static void Nothing() {} }
enum ByteE : byte { A = 1, B = 200 }
enum LongE : long { A = 1, B = 1L << 40 }
delegate int IntF(int x);
delegate Big BigF(int x);
delegate void RefF(ref int x);
class T {
  public static int flag;
  [MethodImpl(MethodImplOptions.NoInlining)] static int Id(int x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static long Id(long x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static uint Id(uint x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static ulong Id(ulong x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static double Id(double x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static float Id(float x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static byte Id(byte x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static sbyte Id(sbyte x) { return x; }
  [MethodImpl(MethodImplOptions.NoInlining)] static object Id(object x) { return x; }
  static unsafe Fixed MakeFixed(uint n) { var f = new Fixed(); f.A = n; f.B = 2; f.V[0] = n + 1; f.V[1] = n + 2; f.V[2] = n + 3; f.V[3] = n + 4; return f; }
  static unsafe int SumFixed(Fixed f) { return (int)(f.A + f.B + f.V[0] + f.V[1] + f.V[2] + f.V[3]); }
  public static int test_37_fixedbuffer() { var f = MakeFixed((uint)Id(5)); var g = f; return SumFixed(g); }
  public static int test_10_arith() { int a = Id(7); return a * 3 - 22 / 2 % 12; }
  public static int test_m1_shift() { return Id(-8) >> 3; }
  public static int test_2_shiftmask() { return Id(1) << Id(33); }
  public static int test_1_ushift() { return (int)(Id(0x80000000u) >> 31); }
  public static int test_1_longshift() { return (Id(1L) << Id(65)) == 2 ? 1 : 0; }
  public static int test_0_nancmp() { double n = Id(double.NaN); int r = 0; if (n < 1) r |= 1; if (n > 1) r |= 2; if (n == n) r |= 4; if (n >= 1) r |= 8; if (n <= 1) r |= 16; if (!(n != n)) r |= 32; return r; }
  public static int test_15_nanneg() { double n = Id(double.NaN); int r = 0; if (!(n < 1)) r |= 1; if (!(n > 1)) r |= 2; if (!(n >= 1)) r |= 4; if (!(n <= 1)) r |= 8; return r; }
  public static int test_200_bytewrap() { byte b = Id((byte)100); b += 100; return b; }
  public static int test_44_bytewrap2() { byte b = Id((byte)200); b += 100; return b; }
  public static int test_m56_sbyte() { sbyte b = Id((sbyte)100); b += 100; return b; }
  public static int test_1_convovf() { try { checked { return (byte)Id(300); } } catch (OverflowException) { return 1; } }
  public static int test_1_addovf() { try { checked { return Id(int.MaxValue) + Id(1); } } catch (OverflowException) { return 1; } }
  public static int test_1_mulovf() { try { checked { return (int)(Id(1L << 62) * Id(4L)); } } catch (OverflowException) { return 1; } }
  public static int test_1_div0() { try { return 5 / Id(0); } catch (DivideByZeroException) { return 1; } }
  public static int test_1_divmin() { try { return Id(int.MinValue) / Id(-1); } catch (OverflowException) { return 1; } }
  public static int test_3_uconv() { return (int)(uint)Id(3.99); }
  public static int test_1_bigu() { return (uint)Id(4000000000.0) == 4000000000u ? 1 : 0; }
  public static int test_1_ulongd() { return (ulong)Id(1e19) == 10000000000000000000UL ? 1 : 0; }
  public static int test_1_ulongtod() { return (double)Id(10000000000000000000UL) == 1e19 ? 1 : 0; }
  public static int test_1_f32() { float f = Id(16777216f); f = f + 1f; return f == 16777216f ? 1 : 0; }
  public static int test_1_f32b() { float a = Id(0.1f), b = Id(0.2f); float c = a + b; double d = c; return d == (double)(float)0.3f || d == 0.30000001192092896 ? 1 : 0; }
  public static int test_1_frem() { return Id(5.5) % 2.0 == 1.5 ? 1 : 0; }
  public static int test_30_struct() { P p = new P(10); return p.Sum(); }
  static P Mut(P p) { p.X = 99; return p; }
  public static int test_10_structcopy() { P p = new P(10); P q = Mut(p); return q.X == 99 ? p.X : -1; }
  public static int test_11_structinc() { P p = new P(10); p.Inc(); return p.X; }
  static P[] ps = new P[4];
  public static int test_7_structarr() { ps[2].X = 6; ps[2].Inc(); return ps[2].X; }
  public static int test_1_tostr() { P p = new P(1); object o = p; return o.ToString() == "P" && p.ToString() == "P" ? 1 : 0; }
  static string TS<U>(U u) { return u.ToString(); }
  static int HC<U>(U u) { return u.GetHashCode(); }
  public static int test_1_constr() { return TS(new P(1)) == "P" && TS("x") == "x" && TS(5) == "5" ? 1 : 0; }
  static int AreaOf<U>(ref U u) where U : IArea { return u.Area() + u.Area(); }
  public static int test_13_constr2() { Sq s = new Sq { Side = 1 }; return AreaOf(ref s); }
  public static int test_12_constr3() { Rect r = new Rect { W = 2, H = 3 }; return AreaOf(ref r); }
  public static int test_4_ifacebox() { IArea a = new Sq { Side = 1 }; return a.Area(); }
  public static int test_36_virt() { Rect r = new Cube { W = 2, H = 3 }; return r.Area(); }
  public static int test_36_iface() { IArea r = new Cube { W = 2, H = 3 }; return r.Area(); }
  public static int test_6_igen() { IGen<int> g = new Cube(); IGen<string> h = new Cube(); return g.Echo(4) + (h.Echo("a") == "a" ? 1 : 0); }
  public static int test_5_gvm() { IGen<int> g = new Cube(); return g.Count<int>(1) + g.Count<string>("") + g.Count<object>(null); }
  public static int test_3_genstat() { G<string>.Counter = 1; G<object>.Counter = 2; G<int>.Counter = 4; return G<string>.Counter + G<object>.Counter; }
  public static int test_1_gent() { var g = new G<string>(); return g.IsT("a") && !g.IsT(1) && g.TypeOf() == typeof(string) && G<string>.Static() == typeof(G<string>) ? 1 : 0; }
  public static int test_1_gend() { return new D1().TypeOf() == typeof(string) ? 1 : 0; }
  public static int test_1_genarr() { object a = G<string>.Make(3); return a is string[] && ((string[])a).Length == 3 ? 1 : 0; }
  public static int test_1_gencast() { try { new G<string>().Cast(new object()); } catch (InvalidCastException) { return 1; } return 0; }
  public static int test_1_genlist() { object l = new G<string>().L(); return l is List<string> ? 1 : 0; }
  public static int test_5_cctor() { return Pre.Get(); }
  public static int test_1_bfi() { flag = 0; Bfi.Nothing(); int x = Bfi.X; return flag <= 1 && x == 9 ? 1 : 0; }
  public static int test_1_null() { Rect r = (Rect)Id(null); try { return r.W; } catch (NullReferenceException) { return 1; } }
  public static int test_1_nullcall() { Rect r = (Rect)Id(null); try { return r.Area(); } catch (NullReferenceException) { return 1; } }
  public static int test_1_bounds() { int[] a = new int[Id(3)]; try { return a[Id(3)]; } catch (IndexOutOfRangeException) { return 1; } }
  public static int test_1_boundsneg() { int[] a = new int[Id(3)]; try { return a[Id(-1)]; } catch (IndexOutOfRangeException) { return 1; } }
  public static int test_1_covar() { object[] a = new string[1]; try { a[0] = new object(); return 0; } catch (ArrayTypeMismatchException) { return 1; } }
  public static int test_1_negarr() { try { var a = new int[Id(-1)]; return 0; } catch (OverflowException) { return 1; } }
  public static int test_123_finally() { int r = 0; try { r = 100; try { r += 20; } finally { r += 3; } } finally { } return r; }
  static int order;
  static int Fin(int k) { try { if (k == 1) return 10; if (k == 2) throw new Exception(); order = order * 10 + 1; } catch (Exception) { order = order * 10 + 2; return 20; } finally { order = order * 10 + 3; } return 30; }
  public static int test_10_fin1() { order = 0; int r = Fin(1); return order == 3 ? r : -order; }
  public static int test_20_fin2() { order = 0; int r = Fin(2); return order == 23 ? r : -order; }
  public static int test_30_fin3() { order = 0; int r = Fin(3); return order == 13 ? r : -order; }
  static void Deep(int n) { try { if (n == 0) throw new InvalidOperationException("deep"); Deep(n - 1); } finally { order++; } }
  public static int test_6_deep() { order = 0; try { Deep(5); } catch (InvalidOperationException e) { return e.Message == "deep" ? order : -1; } return -2; }
  public static int test_7_rethrow() { int r = 0; try { try { throw new ArgumentException(); } catch (Exception) { r += 1; throw; } finally { r += 2; } } catch (ArgumentException) { r += 4; } return r; }
  static bool Filt(Exception e, int n) { order = order * 10 + n; return n == 2; }
  public static int test_12_filter() { order = 0; try { try { throw new Exception("x"); } catch (Exception e) when (Filt(e, 1)) { return -1; } } catch (Exception e) when (Filt(e, 2)) { return order; } }
  public static int test_3_filterlocal() { int x = 0; try { throw new Exception("abc"); } catch (Exception e) when ((x = e.Message.Length) == 3) { return x == e.Message.Length ? x : -1; } }
  public static int test_5_looptry() { int n = 0; for (int i = 0; i < 10; i++) { try { if (i == 5) break; if (i % 2 == 0) continue; n++; } finally { n += 0; } n++; } return n + 1; }
  public static int test_8_finallyloop() { int n = 0; for (int i = 0; i < 4; i++) { try { try { if (i == 1) continue; n++; } finally { n++; try { n += 0; } catch { } } } catch { return -1; } } return n + 1; }
  public static int test_45_dele() { IntF f = x => x + 1; f += x => x * 2; int k = 3; IntF g = x => x + k; return f(20) + g(2); }
  public static int test_10_bigdele() { BigF f = x => { Big b = new Big(); b.D = x; return b; }; return (int)f(10).D; }
  static Big BS(int x) { Big b = new Big(); b.C = x; return b; }
  class BI { public int K; public Big Get(int x) { Big b = new Big(); b.C = x + K; return b; } }
  public static int test_15_bigdele2() { BigF f = BS; BigF g = new BI { K = 3 }.Get; f += g; return (int)(BS(2).C + f(10).C); }
  public static int test_3_refdele() { RefF f = (ref int x) => x++; f += (ref int x) => x += 2; int k = 0; f(ref k); return k; }
  class Bs { public virtual int V() { return 1; } } class Dv : Bs { public override int V() { Func<int> f = base.V; return f() + 10; } }
  public static int test_11_basedele() { return new Dv().V(); }
  public static int test_11_virtdele() { Bs b = new Dv(); Func<int> f = b.V; return f(); }
  public static int test_1_nullable() { int? a = 5; int? b = null; object o = a, n = b; int? c = (int?)o; int? d = (int?)n; return o is int && n == null && c == 5 && d == null && a + b == null ? 1 : 0; }
  public static int test_1_nullabletostr() { int? a = 5; int? b = null; return a.ToString() == "5" && b.ToString() == "" && a.GetHashCode() == 5 && TS<int?>(a) == "5" ? 1 : 0; }
  public static int test_1_enum() { ByteE e = ByteE.B; object o = e; return (int)e == 200 && (ByteE)o == ByteE.B && o.Equals(ByteE.B) && (byte)o == 200 ? 1 : 0; }
  public static int test_1_enumdict() { var d = new Dictionary<ByteE, int>(); d[ByteE.B] = 1; var l = new Dictionary<LongE, int>(); l[LongE.B] = 5; return d[ByteE.B] == 1 && l[LongE.B] == 5 && !d.ContainsKey(ByteE.A) ? 1 : 0; }
  public static int test_24_md() { int[,] a = new int[3, 4]; int n = 0; for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) a[i, j] = i * j; foreach (int x in a) n += x; a[1, 1] += 6; return n + a[1, 1] - 1; }
  public static int test_1_mdbounds() { int[,] a = new int[3, 4]; try { a[0, Id(4)] = 1; return 0; } catch (IndexOutOfRangeException) { return 1; } }
  public static int test_5_mdref() { string[,] a = new string[2, 2]; a[1, 1] = "hello"; ref string s = ref a[1, 1]; return s.Length; }
  public static int test_6_jag() { int[][] a = { new[] { 1 }, new[] { 2, 3 } }; int n = 0; foreach (var r in a) foreach (var x in r) n += x; return n; }
  static int Switch(int x) { switch (x) { case 0: return 5; case 1: return 6; case 2: return 7; case 10: return 8; default: return 9; } }
  public static int test_35_switch() { return Switch(0) + Switch(1) + Switch(2) + Switch(10) + Switch(-1); }
  public static int test_3_strswitch() { string s = "ab" + Id(1); switch (s) { case "ab0": return 1; case "ab1": return 3; case "x": return 4; case "y": return 5; case "z": return 6; case "w": return 7; case "v": return 8; default: return 2; } }
  static int Opt(int a, params object[] r) { return a + r.Length; }
  public static int test_4_params() { return Opt(1, "a", 2, 3.0); }
  static void Out(out int a, ref long b, out P p) { a = 3; b += 4; p = new P(5); }
  public static int test_12_out() { int a; long b = 0; P p; Out(out a, ref b, out p); return a + (int)b + p.X; }
  static unsafe int Ptr() { int* p = stackalloc int[10]; for (int i = 0; i < 10; i++) p[i] = i; int n = 0; for (int* q = p; q < p + 10; q++) n += *q; return n; }
  public static int test_45_ptr() { return Ptr(); }
  public static unsafe int test_104_fixed() { string s = "hello"; fixed (char* c = s) return c[0]; }
  public static unsafe int test_6_fixedarr() { byte[] b = { 1, 2, 3 }; int n = 0; fixed (byte* p = b) for (int i = 0; i < b.Length; i++) n += p[i]; return n; }
  public static int test_255_small() { Small s = new Small(); s.B = 255; s.SB = -1; s.S = -2; s.U = 65535; s.F = true; return s.SB + s.S + s.U == 65532 && s.F ? s.B : 0; }
  public static int test_6_iter() { int n = 0; foreach (int x in Gen(3)) n += x; return n; }
  static IEnumerable<int> Gen(int k) { for (int i = 1; i <= k; i++) yield return i; }
  public static int test_10_list() { var l = new List<int> { 1, 2, 3, 4 }; int n = 0; foreach (int x in l) n += x; return n; }
  public static int test_3_dict() { var d = new Dictionary<string, int>(); d["a"] = 1; d["b"] = 2; return d["a"] + d["b"]; }
  public static int test_1_arrlist() { IList<int> l = new int[] { 1, 2, 3 }; IEnumerable<object> e = new string[] { "a" }; int n = 0; foreach (var o in e) n++; return l.Count == 3 && l[1] == 2 && l.Contains(3) && n == 1 ? 1 : 0; }
  public static int test_1_sort() { int[] a = { 3, 1, 2 }; Array.Sort(a); string[] s = { "b", "a" }; Array.Sort(s, string.CompareOrdinal); return a[0] == 1 && a[2] == 3 && s[0] == "a" ? 1 : 0; }
  public static int test_1_str() { string s = new string('x', 3) + new string(new[] { 'a', 'b' }); return s == "xxxab" && s[3] == 'a' && s.Substring(3) == "ab" && string.Format("{0}-{1}", 1, "z") == "1-z" ? 1 : 0; }
  [ThreadStatic] static int ts; 
  public static int test_5_ts() { ts = 5; return ts; }
  static object lk = new object(); 
  [MethodImpl(MethodImplOptions.Synchronized)] static int Sync(int x) { if (x == 0) throw new Exception(); return x; }
  public static int test_4_sync() { int r = Sync(3); try { Sync(0); } catch (Exception) { r++; } lock (lk) { return r; } }
  static T1 New<T1>() where T1 : new() { return new T1(); }
  public static int test_3_new() { return New<Pre>().inst + New<int>() + New<P>().X; }
  public static int test_1_default() { return Def<string>() == null && Def<int>() == 0 && Def<P>().X == 0 ? 1 : 0; }
  static U Def<U>() { return default(U); }
  static bool Same<U>(U a, U b) { return EqualityComparer<U>.Default.Equals(a, b); }
  public static int test_1_eqc() { return Same(1, 1) && Same("a", "a") && !Same(1.0, 2.0) && Same(ByteE.A, ByteE.A) ? 1 : 0; }
  public static int test_7_eval() { int i = 1; int[] a = new int[5]; a[i++] = i + i++; return a[1] + i; }
  public static int test_2_ternary() { object o = Id(1) == 1 ? (object)"a" : 5; return o is string ? 2 : 3; }
  public static int test_9_long() { long x = Id(0x1_0000_0000L); return (int)(x >> 32) + (int)(x / 0x2000_0000L); }
  public static int test_1_ucmp() { return Id(0xffffffffu) > 5u && Id(ulong.MaxValue) > 5UL && !(Id(-1) > 5) ? 1 : 0; }
  enum E8 : byte { A = 200 } enum E8s : sbyte { A = -3 } enum E16 : ushort { A = 60000 } enum E16s : short { A = -300 }
  enum E32 { A = -70000 } enum E32u : uint { A = 4000000000 } enum E64 : long { A = -5000000000 } enum E64u : ulong { A = 0xfedcba9876543210 }
  static bool SameHash<T>(T x) { return x.GetHashCode() == ((object)x).GetHashCode(); }
  // Without a box and with one.
  public static int test_1_hash_of_enums() {
    bool direct = E8.A.GetHashCode() == ((object)E8.A).GetHashCode() && E8s.A.GetHashCode() == ((object)E8s.A).GetHashCode()
      && E16.A.GetHashCode() == ((object)E16.A).GetHashCode() && E16s.A.GetHashCode() == ((object)E16s.A).GetHashCode()
      && E32.A.GetHashCode() == ((object)E32.A).GetHashCode() && E32u.A.GetHashCode() == ((object)E32u.A).GetHashCode()
      && E64.A.GetHashCode() == ((object)E64.A).GetHashCode() && E64u.A.GetHashCode() == ((object)E64u.A).GetHashCode();
    return direct && SameHash(E8.A) && SameHash(E8s.A) && SameHash(E16.A) && SameHash(E16s.A) && SameHash(E32.A) && SameHash(E32u.A) && SameHash(E64.A) && SameHash(E64u.A) ? 1 : 0;
  }
  // Classes whose interface methods share a dispatch slot or have one of their own.
  interface I1 { int M(); } interface I2 { int M(); int N(); } interface I3<T> { T M(T x); }
  class One : I1 { public int M() { return 1; } }
  class Two : I1, I2 { int I1.M() { return 2; } int I2.M() { return 20; } public int N() { return 200; } }
  class Three : I3<int>, I3<string>, I1 { public int M(int x) { return x + 3; } public string M(string x) { return x + "3"; } public int M() { return 3; } }
  struct Four : I1, I3<long> { public int K; public int M() { return K; } public long M(long x) { return x + K; } }
  public static int test_1_interface_slots() {
    int sum = 0;
    foreach (I1 i in new I1[] { new One(), new Two(), new Three(), new Four { K = 4 } }) for (int n = 0; n < 3; n++) sum += i.M();
    var two = new Two(); var three = new Three(); I3<long> four = new Four { K = 5 };
    for (int n = 0; n < 3; n++) sum += ((I2)two).M() + ((I2)two).N() + ((I3<int>)three).M(1) + ((I3<string>)three).M("xy").Length + (int)four.M(10);
    return sum == 3 * (1 + 2 + 3 + 4) + 3 * (20 + 200 + 4 + 3 + 15) ? 1 : sum;
  }
  static long Rem(long x) { return x % 2 * 1000000 + x % 4 * 10000 + x % 64 * 100 + x % (1L << 31) % 7 + x % -8; }
  static int Rem(int x) { return x % 2 * 1000000 + x % 4 * 10000 + x % 64 * 100 + x % (1 << 30) % 7 + x % -8 + x % int.MinValue % 5; }
  static long SlowRem(long x, long m) { long q = x / m; return x - q * m; }
  // Remainders by powers of two take the sign of the left operand; comparisons with 0 need only the low bits.
  public static int test_1_rem_of_powers() {
    foreach (long x in new[] { 0, 1, -1, 2, -2, 3, -3, 7, -7, 8, -8, 63, -63, 64, -64, 65, 1L << 31, -(1L << 31), long.MaxValue, long.MinValue, long.MinValue + 1, int.MaxValue, int.MinValue }) {
      long wide = SlowRem(x, Id(2L)) * 1000000 + SlowRem(x, Id(4L)) * 10000 + SlowRem(x, Id(64L)) * 100 + SlowRem(SlowRem(x, Id(1L << 31)), Id(7L)) + SlowRem(x, Id(-8L));
      if (wide != Rem(x)) return 2;
      int y = (int)x;
      long narrow = SlowRem(y, Id(2L)) * 1000000 + SlowRem(y, Id(4L)) * 10000 + SlowRem(y, Id(64L)) * 100 + SlowRem(SlowRem(y, Id(1L << 30)), Id(7L)) + SlowRem(y, Id(-8L)) + SlowRem(SlowRem(y, Id((long)int.MinValue)), Id(5L));
      if (narrow != Rem(y)) return 3;
      if ((x % 2 == 0) != (SlowRem(x, Id(2L)) == 0) || (y % 16 != 0) != (SlowRem(y, Id(16L)) != 0)) return 4;
    }
    return 1;
  }
  public static int test_1_udiv() { return Id(0xffffffffu) / 2 == 0x7fffffffu && Id(ulong.MaxValue) % 10 == 5 ? 1 : 0; }
  public static int test_3_tref() { int x = 3; TypedReference r = __makeref(x); return __refvalue(r, int); }
  public static int test_1_decimal() { decimal d = 1.5m + 2.25m; return d == 3.75m && d.ToString() == "3.75" ? 1 : 0; }
  public static int test_1_span() { Span<int> s = new int[] { 1, 2, 3 }; s[1] = 9; var t = s.Slice(1); return t[0] == 9 && t.Length == 2 ? 1 : 0; }
  // Memory of a primitive type's own field is also a field or element of that type.
  class Holder { public IntPtr P; public int N; public byte[] Bytes = new byte[4]; }
  static long Own(Holder h, IntPtr[] a, int i) {
    long x = h.P.ToInt64() + a[i].ToInt64();
    h.P = (IntPtr)7;
    a[i] = (IntPtr)30;
    return x + h.P.ToInt64() + a[i].ToInt64();
  }
  public static int test_37_ownfield() { return (int)Own((Holder)Id((object)new Holder()), (IntPtr[])Id((object)new IntPtr[2]), Id(1)); }
  static int Compound(int[] a, double[,] g, Holder h, int i) {
    ref int r = ref a[i];
    ref int n = ref h.N;
    int seen = a[i] + h.N;
    r += 5; a[i] += 2; n += a[i]; g[i, 1] += a[i];
    h.N += r; g[i, 1] *= 2;
    h.Bytes[i] += 250; h.Bytes[i] += 8;
    return seen * 10000 + r + n * 10 + (int)g[i, 1] * 1000 + h.Bytes[i];
  }
  public static int test_14149_compound() { return Compound((int[])Id((object)new int[3]), (double[,])Id((object)new double[3, 3]), (Holder)Id((object)new Holder()), Id(1)); }
  static int Halves(int[] a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) { s += i / 3 + i % 5 + (i - 4) / 3 + (i - 4) % 5 + a[i / 2] + a[i % a.Length]; long w = i; s += (int)(w * 2); }
    return s;
  }
  public static int test_183_halves() { return Halves((int[])Id((object)new[] { 1, 2, 3, 4, 5 }), Id(10)); }
}
