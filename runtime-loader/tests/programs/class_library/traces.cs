// Texts of stack traces: statement offsets, native methods, delegates, rethrown exceptions, generics.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

class Traces
{
    [DllImport("libc")] static extern void nosuch_function(string text);

    [MethodImpl(MethodImplOptions.NoInlining)] static int Throw(int x) { if (x > 2) throw new Exception("x"); return x; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Sum(int a, int b, int c) { return a + b + c; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Nested(int q) { int z = q + 1; return Sum(Throw(1), Throw(q), Throw(z)); }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Null(string s) { return 1 + s.Length * 2; }
    [MethodImpl(MethodImplOptions.NoInlining)] static int Index(int[] s, int i) { return Throw(1) + s[i]; }
    [MethodImpl(MethodImplOptions.NoInlining)] static T Cast<T>(object o) { Console.Write(""); return (T)o; }
    [MethodImpl(MethodImplOptions.NoInlining)] static void Raise() { throw new InvalidOperationException("raised"); }

    class Outer<T> { public class Inner<U> { [MethodImpl(MethodImplOptions.NoInlining)] public T Method<V>(T a, U[] b, ref V c) { throw new Exception(); } } }

    [MethodImpl(MethodImplOptions.NoInlining)] static void RaiseCaptured() { try { Raise(); } catch (Exception e) { try { ExceptionDispatchInfo.Capture(e).Throw(); } catch { throw; } } }
    [MethodImpl(MethodImplOptions.NoInlining)] static void RaiseTwice() { try { try { Raise(); } catch { Console.Write(""); throw; } } catch (InvalidOperationException) { throw; } }
    static async Task Fail() { await Task.Yield(); Raise(); }
    static async Task FailAgain() { try { await Fail(); } catch (InvalidOperationException) { throw; } finally { Console.Write(""); } }

    static void Generic() { int i = 0; new Outer<string>.Inner<int>().Method("", null, ref i); }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Try(Action action)
    {
        try { action(); }
        catch (Exception e)
        {
            // The hexadecimal digits name this build of the program or of the class libraries.
            Console.WriteLine("{0}:\n{1}", e.GetType().Name, Regex.Replace(e.StackTrace, "<[0-9a-f]{32}>", "<module>"));
        }
    }

    static void Main()
    {
        Try(() => Nested(3));
        Try(() => Nested(2));
        Try(() => Null(null));
        Try(() => Index(new int[1], 2));
        Try(() => Cast<int>(""));
        Try(Generic);
        Try(() => { try { Nested(3); } catch (Exception) { throw; } });
        Try(() => { try { Nested(3); } catch (Exception e) { throw e; } });
        Try(() => new int[2].GetLength(9));
        Try(() => nosuch_function(""));
        Try(() => { Action both = Raise; both += Raise; both(); });
        Try(() => System.Threading.Thread.Sleep(-5));
        Try(() => typeof(Traces).GetMethod("Raise", (System.Reflection.BindingFlags)(-1)).Invoke(null, null));
        Try(RaiseTwice);
        Try(RaiseCaptured);
        Try(() => Fail().GetAwaiter().GetResult());
        Try(() => FailAgain().GetAwaiter().GetResult());
    }
}
