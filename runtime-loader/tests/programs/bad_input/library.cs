// The library a program was compiled against (GOOD), and the one it meets.
using System;
[assembly: System.Reflection.AssemblyVersion("1.0.0.0")]
public class Same { public static int One() { return 1; } public virtual string V() { return "same"; } 
#if GOOD
    public static int Gone() { return 2; }
    public static int GoneField = 3;
    public int GoneInstance;
    public void GoneMethod() { }
    public static int Changed(int x) { return x; }
    public static T Generic<T>(T x) { return x; }
    public int GoneProperty { get; set; }
    public Same(int x) { }
    public static int WasStatic() { return 1; }
    public static int FieldType;
    public class Nested { public static int N() { return 7; } }
    public static event Action GoneEvent { add { } remove { } }
    public const int Const = 3;
    public readonly static int BecameInstance = 3;
#else
    public static long Changed(long x) { return x; }
    public int WasStatic() { return 1; }
    public static long FieldType;
    public int BecameInstance;
#endif
    public Same() { }
}
public abstract class Base {
    public virtual void A() { }
#if !GOOD
    public abstract void B();
#endif
}
public interface IFace {
    void A();
#if !GOOD
    void B();
#endif
}
#if GOOD
public class GoneBase { public virtual string V() { return "b"; } }
public interface IGone { void M(); }
public struct GoneStruct { public int A; }
public enum GoneEnum { X, Y }
public delegate int GoneDelegate(int x);
public class GoneException : Exception { }
public class GoneAttribute : Attribute { public GoneAttribute(int x) { } public int P { get; set; } }
public class NotSealed { public virtual void M() { } }
public class NotInterface { }
public interface IBecomesClass { }
public class Visible { public int F; public Visible() { } public static int M() { return 1; } }
public class Gen<T> { public T F; }
public struct Plain { public int A; }
public class Klass { public int A; }
public class Arity<T> { }
public class Final { public virtual void M() { } }
public static class Ext { public static int E(this int x) { return x; } }
#else
public sealed class NotSealed { public void M() { } }
public interface NotInterface { }
public class IBecomesClass { }
class Visible { int F = 1; Visible() { } static int M() { return 1; } int G() { return F; } }
public class Gen<T> where T : struct { public T F; }
public class Plain { public int A; }
public struct Klass { public int A; }
public class Arity<T, U> { }
public class Final { public virtual void M() { } }
#endif
public class Thrower { static Thrower() { throw new InvalidOperationException("cctor"); } public static int F = 1; public static int M() { return F; } public Thrower() { } }
public class FinalUse {
#if GOOD
    public virtual void M() { }
#else
    public void M() { }
#endif
}
