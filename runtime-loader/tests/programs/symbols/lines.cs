// Stack traces with files and lines, from the symbol file that `mcs -debug` writes.
using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

class Lines
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Fail(int n)
    {
        if (n > 1)
        {
            throw new InvalidOperationException("n is " +
                n);
        }
        return n;
    }

    static int Inlined(int n) { return Fail(n) + 1; }

    static void Main()
    {
        try
        {
            int one = Inlined(1);

            Inlined(one);
        }
        catch (Exception e)
        {
            Console.WriteLine(Regex.Replace(e.StackTrace, @"\[0x[0-9a-f]+\] in .*/", "in "));
        }
#line 100 "elsewhere.cs"
        var frame = new StackTrace(true).GetFrame(0);
        Console.WriteLine("{0}:{1}", System.IO.Path.GetFileName(frame.GetFileName()), frame.GetFileLineNumber());
    }
}
