// Branches, loops and exception clauses.
static class Golden {
    static int Max(int a, int b) { return a > b ? a : b; }
    static bool NotLess(double a, double b) { return !(a < b); }
    static int Sum(int[] a) { int n = 0; for (int i = 0; i < a.Length; i++) n += a[i]; return n; }
    static int Finally(string s) { int n = 1; try { if (s == null) return 2; n = s.Length; } finally { n++; } return n; }
    static int Catch(object o) { try { return (int)o; } catch (System.InvalidCastException) { return -1; } }
    static int Filter(object o) { try { return o.GetHashCode(); } catch (System.Exception e) when (e.Message != null) { return 0; } }
    static uint Small(byte b, short s) { b += (byte)s; return b; }
    static int Checked(int a, int b) { return checked(a * b); }
}
