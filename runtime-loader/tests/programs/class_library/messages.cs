// The texts of exceptions that the runtime itself raises.
using System;

class Messages
{
    class A { public int Field; }
    class B : A { }
    interface I { }
    struct S { }
    delegate void D();

    static A none;
    static int[] numbers;
    static string text;

    static void Try(string what, Action action)
    {
        try { action(); Console.WriteLine("{0}: nothing", what); }
        catch (Exception e) { Console.WriteLine("{0}: {1}: {2}", what, e.GetType().Name, e.Message); }
    }

    static T Cast<T>(object o) { return (T)o; }

    static void Main()
    {
        Try("field", () => { none.Field = 1; });
        Try("element", () => { numbers[0] = 1; });
        Try("call", () => { text.Length.ToString(); });
        Try("delegate", () => { D d = null; d(); });
        Try("throw", () => { throw null; });
        Try("unbox null", () => { object o = null; int i = (int)o; });
        Try("unbox", () => { object o = ""; int i = (int)o; });
        Try("cast", () => { object o = 1; string s = (string)o; });
        Try("downcast", () => { object o = new A(); var b = (B)o; });
        Try("interface", () => { object o = new A(); var i = (I)o; });
        Try("unbox long", () => { object o = 1; var l = (long)o; });
        Try("unbox nullable", () => { object o = 1; var l = (long?)o; });
        Try("struct", () => { object o = new S(); var a = (A)o; });
        Try("generic int", () => { Cast<int>("x"); });
        Try("generic string", () => { Cast<string>(1); });
        Try("generic nullable", () => { Cast<int?>("x"); });
        Try("array", () => { object o = new int[0]; var s = (string[])o; });
        Try("store", () => { object[] o = new string[1]; o[0] = 1; });
        Try("index", () => { int[] a = new int[2]; a[2] = 1; });
        Try("divide", () => { int zero = 0; zero = 1 / zero; });
        Try("overflow", () => { checked { int max = int.MaxValue; max++; } });
        Try("length", () => { var a = new int[-1 + 0 * Environment.TickCount]; });
        Try("substring", () => { "abc".Substring(5); });
        Try("parse", () => { int.Parse("x"); });
        Try("activator", () => { Activator.CreateInstance(typeof(I)); });
    }
}
