// Exceptions of every shape: filters, nested finally blocks, rethrow, custom types, faults in static constructors.
using System;
using System.Collections.Generic;
using System.IO;

class AppException : Exception
{
    public int Code;
    public AppException(string message, int code, Exception inner = null) : base(message, inner) { Code = code; }
}

class Broken
{
    public static int Value = int.Parse("not a number");
}

class Resource : IDisposable
{
    readonly string name;
    public Resource(string name) { this.name = name; Console.WriteLine("open " + name); }
    public void Dispose() { Console.WriteLine("close " + name); }
}

static class Exceptions
{
    static int depth;

    static int Order(int how)
    {
        try
        {
            try
            {
                if (how == 1) throw new AppException("one", 1);
                if (how == 2) return 20;
                if (how == 3) throw new ArgumentException("three");
                Console.Write("body ");
            }
            catch (AppException e) when (e.Code == 1) { Console.Write("caught " + e.Message + " "); return 10; }
            finally { Console.Write("inner-finally "); }
        }
        catch (ArgumentException) { Console.Write("outer-catch "); }
        finally { Console.Write("outer-finally "); }
        return 0;
    }

    static bool Filter(string label, bool result) { Console.Write(label + "? "); return result; }

    static void Rethrow()
    {
        try { throw new InvalidOperationException("original"); }
        catch (InvalidOperationException) { Console.Write("rethrowing "); throw; }
    }

    static int Recurse(int n) { depth++; return Recurse(n + 1) + 1; }

    static IEnumerable<int> Numbers()
    {
        try { yield return 1; yield return 2; yield return 3; }
        finally { Console.Write("iterator disposed "); }
    }

    static int FinallyOverrides()
    {
        for (int i = 0; ; i++)
        {
            try { if (i < 3) continue; return i; }
            finally { depth += i; }
        }
    }

    static string Try(Action action)
    {
        try { action(); return "nothing"; }
        catch (Exception e) { return e.GetType().Name + (e.InnerException != null ? "<-" + e.InnerException.GetType().Name : ""); }
    }

    static void Main()
    {
        for (int how = 0; how < 4; how++) Console.WriteLine(Order(how));

        try { try { throw new Exception("x"); } finally { Console.Write("finally-before-filter? "); } }
        catch (Exception) when (Filter("first", false)) { Console.WriteLine("wrong"); }
        catch (Exception) when (Filter("second", true)) { Console.WriteLine("second handler"); }

        try { Rethrow(); } catch (Exception e) { Console.WriteLine(e.Message); }
        try
        {
            try { throw new AppException("inner", 7); }
            catch (AppException e) { throw new AppException("outer", e.Code + 1, e); }
        }
        catch (AppException e) { Console.WriteLine(e.Message + e.Code + " <- " + e.InnerException.Message); }

        object nothing = null; int zero = 0; int[] three = new int[3]; object text = "text"; object[] strings = new string[1];
        Console.WriteLine(Try(() => nothing.ToString()));
        Console.WriteLine(Try(() => Console.WriteLine(1 / zero)));
        Console.WriteLine(Try(() => Console.WriteLine(int.MinValue / (zero - 1))));
        Console.WriteLine(Try(() => three[3] = 1));
        Console.WriteLine(Try(() => Console.WriteLine((int)text)));
        Console.WriteLine(Try(() => strings[0] = new object()));
        Console.WriteLine(Try(() => Console.WriteLine(new int[zero - 1])));
        Console.WriteLine(Try(() => Console.WriteLine(checked((byte)(zero + 256)))));
        Console.WriteLine(Try(() => Console.WriteLine(Broken.Value)));
        Console.WriteLine(Try(() => Console.WriteLine(Broken.Value)));
        Console.WriteLine(Try(() => File.ReadAllText("/no/such/file")));
        Console.WriteLine(Try(() => { throw null; }));
        Console.WriteLine(Try(() => new List<int>(-1)));
        Console.WriteLine(Try(() => Enum.Parse(typeof(DayOfWeek), "Someday")));

        using (new Resource("a"))
        using (new Resource("b"))
            Console.WriteLine("in use");
        try { using (new Resource("c")) throw new Exception("leaving"); }
        catch (Exception e) { Console.WriteLine(e.Message); }

        foreach (int n in Numbers()) { Console.Write(n + " "); if (n == 2) break; }
        Console.WriteLine();
        Console.WriteLine(FinallyOverrides() + " " + depth);

        depth = 0;
        try { Recurse(0); }
        catch (StackOverflowException) { Console.WriteLine("stack overflow caught: " + (depth > 1000)); }

        try { try { throw new Exception("lost"); } finally { throw new Exception("replacement"); } }
        catch (Exception e) { Console.WriteLine(e.Message); }

        int caught = 0;
        for (int i = 0; i < 1000; i++)
            try { if (i % 3 == 0) throw new AppException("loop", i); }
            catch (AppException e) { caught += e.Code % 2; }
        Console.WriteLine(caught);
        string trace = null;
        try { Order(5); Rethrow(); } catch (Exception e) { trace = e.StackTrace; }
        Console.WriteLine(trace.Contains("Exceptions.Rethrow") && trace.Contains("Exceptions.Main"));
        AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("bye");
        Environment.ExitCode = 3;
    }
}
