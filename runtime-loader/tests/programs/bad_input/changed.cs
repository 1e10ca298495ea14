// A program compiled against one library and run with another: what it used is gone or has changed.
using System;
using System.Runtime.InteropServices;
class FromGone : GoneBase { public override string V() { return "d"; } public static int S() { return 1; } }
class Implements : IGone { public void M() { } public static int S() { return 1; } }
class HasField { public GoneStruct S; public static int T() { return 1; } public int U; }
class HasStatic { public static GoneStruct S; public static int T() { return 1; } }
class HasRefField { public GoneBase B; public int U = 5; }
class HasSig { public GoneBase M(GoneStruct s, GoneEnum e) { return null; } public int N() { return 5; } public virtual GoneBase Virt(GoneBase b) { return b; } }
class Concrete : Base { public override void A() { Console.WriteLine("A"); } }
class Face : IFace { public void A() { } }
class Unsealed : NotSealed { public static int T() { return 1; } }
class OverridesFinal : FinalUse { public override void M() { } public static int T() { return 1; } }
class FromInterface : NotInterface { public static int T() { return 1; } }
class ImplClass : IBecomesClass { public static int T() { return 1; } }
class GenericOver { public Gen<string> G; public static int T() { return 1; } }
class FromArity : Arity<int> { public static int T() { return 1; } }
[Gone(3, P = 4)] class Attributed { public static int T() { return 1; } }
class Initializer { public static int X = Same.Gone(); }
class InitializerType { public static GoneBase X = new GoneBase(); public static int Y = 1; }
class Del { public static object D() { GoneDelegate d = x => x; return d(3); } }
class Both { [DllImport("nosuchlib")] public static extern GoneStruct both(GoneStruct s); public static object Do() { return both(default(GoneStruct)); } }
class P {
    static void T(string what, Func<object> f) {
        try { Console.WriteLine(what + ": " + (f() ?? "null")); }
        catch (Exception e) {
            Console.Write(what + ": ");
            for (; e != null; e = e.InnerException) {
                Console.Write(e.GetType().Name + ": " + e.Message);
                if (e is TypeLoadException) Console.Write(" [" + ((TypeLoadException)e).TypeName + "]");
                if (e is System.IO.FileNotFoundException) Console.Write(" [" + ((System.IO.FileNotFoundException)e).FileName + "]");
                if (e.InnerException != null) Console.Write(" <- ");
            }
            Console.WriteLine();
        }
    }
    static object CallGone() { return Same.Gone(); }
    static object Field() { return Same.GoneField; }
    static object SetField() { Same.GoneField = 3; return 0; }
    static object Instance() { return new Same().GoneInstance; }
    static object Method() { new Same().GoneMethod(); return 0; }
    static object Changed() { return Same.Changed(3); }
    static object Generic() { return Same.Generic<int>(3); }
    static object GenericRef() { return Same.Generic<string>("s"); }
    static object Property() { return new Same().GoneProperty; }
    static object Ctor() { return new Same(3); }
    static object WasStatic() { return Same.WasStatic(); }
    static object FieldType() { return Same.FieldType; }
    static object BecameInstance() { return Same.BecameInstance; }
    static object Nested() { return Same.Nested.N(); }
    static object Event() { Same.GoneEvent += null; return 0; }
    static object Ext() { return 3.E(); }
    static object Ldftn() { Func<int> f = Same.Gone; return f; }
    static object LdftnVirt() { Action f = new Same().GoneMethod; return f; }
    static object NewGone() { return new GoneBase(); }
    static object TypeOf() { return typeof(GoneBase); }
    static object IsInst() { object o = "x"; return o is GoneBase; }
    static object Cast() { object o = "x"; return (GoneBase)o; }
    static object Array() { return new GoneStruct[3]; }
    static object Array2() { return new GoneBase[3, 3]; }
    static object Local() { GoneStruct s; s.A = 3; return s.A; }
    static object LocalRef() { GoneBase s = null; return s == null; }
    static object Default() { return default(GoneStruct); }
    static object Enum() { return GoneEnum.X; }
    static object EnumBox(GoneEnum e) { return e; }
    static object EnumArg() { return EnumBox(GoneEnum.Y); }
    static object Delegate() { return Del.D(); }
    static object Catches() { try { throw new InvalidOperationException("mine"); } catch (GoneException) { return 1; } }
    static object CatchesNot() { try { return 5; } catch (GoneException) { return 1; } }
    static object List() { return new System.Collections.Generic.List<GoneBase>().Count; }
    static object ListS() { return new System.Collections.Generic.List<GoneStruct>().Count; }
    static object Nullable() { GoneStruct? s = null; return s.HasValue; }
    static object GenericCall() { return Make<GoneBase>(); }
    static object Make<X>() { return typeof(X).Name; }
    static object FromGone() { return new FromGone(); }
    static object FromGoneStatic() { return global::FromGone.S(); }
    static object Implements() { return new Implements(); }
    static object ImplementsStatic() { return global::Implements.S(); }
    static object HasField() { return new HasField().U; }
    static object HasFieldStatic() { return global::HasField.T(); }
    static object HasStatic() { return global::HasStatic.T(); }
    static object HasRefField() { return new HasRefField().U; }
    static object HasSig() { return new HasSig().N(); }
    static object HasSigCall() { return new HasSig().M(default(GoneStruct), 0); }
    static object HasSigVirt() { return new HasSig().Virt(null); }
    static object Concrete() { return new Concrete(); }
    static object ConcreteCall() { new Concrete().A(); return 0; }
    static object Face() { return new Face(); }
    static object Unsealed() { return new Unsealed(); }
    static object OverridesFinal() { new OverridesFinal().M(); return 1; }
    static object FromInterface() { return global::FromInterface.T(); }
    static object ImplClass() { return global::ImplClass.T(); }
    static object GenericOver() { return new GenericOver().ToString(); }
    static object FromArity() { return global::FromArity.T(); }
    static object Attr() { return typeof(Attributed).GetCustomAttributes(false).Length; }
    static object AttrData() { return typeof(Attributed).GetCustomAttributesData().Count; }
    static object AttrUse() { return Attributed.T(); }
    static object Hidden() { return new Visible().F; }
    static object HiddenStatic() { return Visible.M(); }
    static object HiddenType() { return typeof(Visible); }
    static object BecameClass() { Plain p; p.A = 3; return p.A; }
    static object BecameClassNew() { return new Plain(); }
    static object BecameStruct() { return new Klass().A; }
    static object Init() { return Initializer.X; }
    static object InitAgain() { return Initializer.X; }
    static object InitType() { return InitializerType.Y; }
    static object Thrower() { return global::Thrower.M(); }
    static object ThrowerNew() { return new Thrower(); }
    static object ThrowerField() { return global::Thrower.F; }
    [DllImport("nosuchlib")] static extern int nolib();
    [DllImport("libnosuch.so.3", EntryPoint = "other")] static extern int nolib2();
    [DllImport("/no/such/dir/lib.so")] static extern int nolib3();
    [DllImport("libc")] static extern int no_such_function();
    [DllImport("libc", EntryPoint = "no_such_entry")] static extern int f2();
    [DllImport("libc", EntryPoint = "#1")] static extern int f3();
    [DllImport("__Internal")] static extern int no_such_internal();
    [DllImport("./textfile.so")] static extern int text();
    [DllImport("./foreign.so")] static extern int foreign();
    [DllImport("./emptyfile.so")] static extern int emptyfile();
    [DllImport("./truncated.so")] static extern int truncated();

    static void Main() {
        T("one", () => Same.One());
        T("call gone", CallGone); T("call gone again", CallGone); T("field", Field); T("set field", SetField); T("instance field", Instance); T("method", Method);
        T("changed", Changed); T("generic", Generic); T("generic ref", GenericRef); T("property", Property); T("ctor", Ctor); T("was static", WasStatic);
        T("field type", FieldType); T("became instance", BecameInstance); T("nested", Nested); T("event", Event); T("ext", Ext); T("ldftn", Ldftn); T("ldvirtftn", LdftnVirt);
        T("new gone", NewGone); T("typeof", TypeOf); T("isinst", IsInst); T("cast", Cast); T("array", Array); T("array2", Array2); T("local", Local); T("local ref", LocalRef);
        T("default", Default); T("enum", Enum); T("enum arg", EnumArg); T("delegate", Delegate); T("catches", Catches); T("catches not", CatchesNot); T("list", List); T("list s", ListS);
        T("nullable", Nullable); T("generic call", GenericCall); T("from gone", FromGone); T("from gone static", FromGoneStatic); T("implements", Implements);
        T("implements static", ImplementsStatic); T("has field", HasField); T("has field static", HasFieldStatic); T("has static", HasStatic); T("has ref field", HasRefField);
        T("has sig", HasSig); T("has sig call", HasSigCall); T("has sig virt", HasSigVirt); T("concrete", Concrete); T("concrete call", ConcreteCall); T("face", Face);
        T("unsealed", Unsealed); T("overrides final", OverridesFinal); T("from interface", FromInterface); T("impl class", ImplClass); T("generic over", GenericOver);
        T("from arity", FromArity); T("attr", Attr); T("attr data", AttrData); T("attr use", AttrUse); T("hidden", Hidden); T("hidden static", HiddenStatic); T("hidden type", HiddenType);
        T("became class", BecameClass); T("became class new", BecameClassNew); T("became struct", BecameStruct);
        T("init", Init); T("init again", InitAgain); T("init type", InitType); T("init type again", InitType); T("thrower", Thrower); T("thrower new", ThrowerNew); T("thrower field", ThrowerField);
        T("nolib", () => nolib()); T("nolib again", () => nolib()); T("nolib2", () => nolib2()); T("nolib3", () => nolib3()); T("no function", () => no_such_function()); T("no entry", () => f2());
        T("ordinal", () => f3()); T("internal", () => no_such_internal()); T("text", () => text()); T("foreign", () => foreign());
        T("empty file", () => emptyfile()); T("truncated", () => truncated()); T("both", Both.Do);
        T("type gone", () => Type.GetType("GoneBase, library")); T("type gone throw", () => Type.GetType("GoneBase, library", true)); T("type no asm", () => Type.GetType("X, nosuch"));
        T("type no asm throw", () => Type.GetType("X, nosuch", true)); T("type bad name", () => Type.GetType("X[", true)); T("type bad name", () => Type.GetType("List`1[[", false));
        T("type here", () => Type.GetType("NoSuch", true)); T("type from gone", () => Type.GetType("FromGone", false)); T("type from gone throw", () => Type.GetType("FromGone", true));
        T("asm type", () => typeof(Same).Assembly.GetType("GoneBase")); T("asm type throw", () => typeof(Same).Assembly.GetType("GoneBase", true)); T("asm types", () => typeof(P).Assembly.GetTypes().Length);
        T("activator", () => Activator.CreateInstance("nosuch", "X")); T("activator2", () => Activator.CreateInstance("library", "GoneBase")); T("activator3", () => Activator.CreateInstance(typeof(Same), "x", 3));
        T("invoke gone", () => typeof(P).GetMethod("CallGone", (System.Reflection.BindingFlags)(-1)).Invoke(null, null));
    }
}
