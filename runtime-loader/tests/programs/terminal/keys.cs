// Run in a terminal by tests/terminal.rs, which types what it asks for.
using System;
using System.Threading;

class Keys
{
    static void Main(string[] args)
    {
        var cancelled = new ManualResetEvent(false);
        int cancels = 0;
        Console.CancelKeyPress += (s, e) =>
        {
            e.Cancel = ++cancels == 1;
            Console.WriteLine("cancel {0} {1}", e.SpecialKey, cancels);
            cancelled.Set();
        };
        Console.ForegroundColor = ConsoleColor.Red;
        Console.Write("red");
        Console.ResetColor();
        Console.WriteLine();
        Console.WriteLine("size {0}x{1}", Console.WindowWidth, Console.WindowHeight);
        Console.WriteLine("key?");
        Show(Console.ReadKey(true));
        Console.WriteLine("arrow?");
        Show(Console.ReadKey(true));
        Console.WriteLine("line?");
        Console.WriteLine("got [{0}]", Console.ReadLine());
        Console.WriteLine("resize?");
        for (int n = 0; n < 500 && Console.WindowWidth == 80; n++) Thread.Sleep(10);
        Console.WriteLine("size {0}x{1}", Console.WindowWidth, Console.WindowHeight);
        Console.WriteLine("interrupt?");
        Console.WriteLine(cancelled.WaitOne(10000));
        if (args.Length > 0)
        {
            Console.WriteLine("again?");
            Thread.Sleep(10000);
        }
        Console.WriteLine("end");
    }

    static void Show(ConsoleKeyInfo k)
    {
        Console.WriteLine("{0} {1} {2}", k.Key, (int)k.KeyChar, k.Modifiers);
    }
}
