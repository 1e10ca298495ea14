// Objects, structs, generics and calls.
struct Pair { public int X; public object Y; public int Twice() { return X * 2; } }
interface IShape { int Area(); }
delegate int Map(int x);
class Statics { internal static int Value; static Statics() { Value = 5; } }
static class Golden {
    static Pair Copy(Pair p) { p.X++; return p; }
    static int Use(Pair[] a, int i) { return Copy(a[i]).Twice(); }
    static object Box(Pair p) { return p; }
    static int Unbox(object o) { return ((Pair)o).X; }
    static int Shape(IShape s) { return s.Area(); }
    static int Call(Map m) { return m(3); }
    static Map Make(object o) { return o.Equals(null) ? null : new Map(Triple); }
    static int Triple(int x) { return x * 3; }
    static int Static() { return Statics.Value; }
    static void Store(object[] a, object o) { a[0] = o; }
    static T[] Array<T>(int n) { return new T[n]; }
    static string Text<T>(T t) { return t.ToString(); }
    static int Matrix(int[,] a) { return a[1, 2]; }
    static bool Is<T>(object o) { return o is T; }
}
