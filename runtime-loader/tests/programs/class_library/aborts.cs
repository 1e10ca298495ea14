// Thread.Abort: the exception comes back at the end of each catch handler until it is reset; finally blocks run.
using System;
using System.Threading;

class Aborts
{
    static readonly ManualResetEvent ready = new ManualResetEvent(false);

    static void Run(string name, ThreadStart body)
    {
        ready.Reset();
        var thread = new Thread(body) { IsBackground = true };
        thread.Start();
        ready.WaitOne();
        thread.Abort("why");
        Console.WriteLine("{0}: joined {1} {2}", name, thread.Join(20000), thread.ThreadState);
    }

    static void Wait()
    {
        ready.Set();
        Thread.Sleep(Timeout.Infinite);
    }

    static void Spin()
    {
        ready.Set();
        for (;;) { }
    }

    static void Twice(ThreadStart wait)
    {
        try
        {
            try { wait(); }
            catch (ThreadAbortException e) { Console.WriteLine("inner {0}", e.ExceptionState); }
            finally
            {
                try { throw new InvalidOperationException(); }
                catch (InvalidOperationException) { Console.WriteLine("caught in finally"); }
                Console.WriteLine("finally");
            }
            Console.WriteLine("not reached");
        }
        catch (Exception e) { Console.WriteLine("outer {0}", e.GetType().Name); }
        Console.WriteLine("not reached");
    }

    static void Main()
    {
        Run("sleeping", () => Twice(Wait));
        Run("spinning", () => Twice(Spin));
        Run("reset", () =>
        {
            try { Wait(); }
            catch (ThreadAbortException) { Thread.ResetAbort(); }
            Console.WriteLine("goes on");
        });
        try
        {
            try { Thread.CurrentThread.Abort(1); }
            catch (ThreadAbortException e) { Console.WriteLine("self {0}", e.ExceptionState); Thread.ResetAbort(); }
            Console.WriteLine(Thread.CurrentThread.ThreadState);
        }
        finally { Console.WriteLine("end"); }
    }
}
