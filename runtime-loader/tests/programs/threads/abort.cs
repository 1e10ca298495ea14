// Thread.Abort: finally blocks run, the exception comes again at the end of catch blocks unless it is reset.
using System;
using System.Threading;

static class Program
{
    static readonly ManualResetEvent Ready = new ManualResetEvent(false);

    static void Main()
    {
        Again();
        Reset();
        Other();
        Self();
        Nested();
        Unstarted();
        ResetWithout();
        States();
        Interrupted();
        Names();
        Joins();
    }

    static Thread Started(ThreadStart body)
    {
        Ready.Reset();
        var thread = new Thread(body);
        thread.Start();
        Ready.WaitOne();
        return thread;
    }

    static void Wait()
    {
        Ready.Set();
        Thread.Sleep(Timeout.Infinite);
    }

    static void Again()
    {
        Console.WriteLine("-- again at the end of catch");
        var t = Started(() =>
        {
            try
            {
                try
                {
                    try { Wait(); }
                    catch (ThreadAbortException e) { Console.WriteLine("caught {0} {1}", e.Message, e.ExceptionState); }
                    Console.WriteLine("not reached");
                }
                finally { Console.WriteLine("finally"); }
            }
            catch (Exception e) { Console.WriteLine("outer {0}", e.GetType()); }
            Console.WriteLine("not reached either");
        });
        t.Abort("why");
        t.Join();
        Console.WriteLine(t.ThreadState);
    }

    static void Reset()
    {
        Console.WriteLine("-- reset");
        var t = Started(() =>
        {
            try { Wait(); }
            catch (ThreadAbortException)
            {
                Console.WriteLine("requested {0}", (Thread.CurrentThread.ThreadState & ThreadState.AbortRequested) != 0);
                Thread.ResetAbort();
                Console.WriteLine("requested {0}", (Thread.CurrentThread.ThreadState & ThreadState.AbortRequested) != 0);
            }
            Console.WriteLine("goes on");
        });
        t.Abort();
        t.Join();
        Console.WriteLine(t.ThreadState);
    }

    static void Other()
    {
        Console.WriteLine("-- other exceptions while it is handled");
        var t = Started(() =>
        {
            try { Wait(); }
            catch (ThreadAbortException)
            {
                try { throw new InvalidOperationException("inside"); }
                catch (InvalidOperationException e) { Console.WriteLine(e.Message); }
                Console.WriteLine("still in the handler");
            }
            finally
            {
                try { int.Parse("x"); }
                catch (FormatException) { Console.WriteLine("format"); }
                Console.WriteLine("still in the finally");
            }
            Console.WriteLine("not reached");
        });
        t.Abort();
        t.Join();
    }

    static void Self()
    {
        Console.WriteLine("-- the thread itself, in a loop");
        int rounds = 0;
        var t = new Thread(() =>
        {
            while (true)
            {
                try { rounds++; Thread.CurrentThread.Abort(rounds); }
                catch (ThreadAbortException e)
                {
                    Console.WriteLine("round {0} {1}", rounds, e.ExceptionState);
                    if (rounds < 3)
                        Thread.ResetAbort();
                }
            }
        });
        t.Start();
        t.Join();
        Console.WriteLine(rounds);
    }

    static void Nested()
    {
        Console.WriteLine("-- out of two handlers, by a call, by a filter, generic");
        var t = Started(() =>
        {
            try { CatchesGeneric<ThreadAbortException>(); Console.WriteLine("not reached"); }
            catch (ThreadAbortException e) when (e.ExceptionState == null) { Console.WriteLine("filtered"); }
            Console.WriteLine("not reached");
        });
        t.Abort();
        t.Join();
    }

    static int CatchesGeneric<T>() where T : Exception
    {
        try { return Catches(); }
        catch (T) { Console.WriteLine("generic"); return 4; }
    }

    static int Catches()
    {
        try
        {
            try { Wait(); return 1; }
            catch (ThreadAbortException) { Console.WriteLine("inner"); return 2; }
        }
        catch (ThreadAbortException) { Console.WriteLine("outer"); return 3; }
    }

    static void Unstarted()
    {
        Console.WriteLine("-- unstarted");
        var t = new Thread(() => Console.WriteLine("not reached"));
        t.Abort();
        Console.WriteLine("{0} {1}", t.IsAlive, (t.ThreadState & ThreadState.Aborted) != 0);
        t.Start();
        t.Join();
        Console.WriteLine(t.IsAlive);
    }

    static void ResetWithout()
    {
        Console.WriteLine("-- nothing to reset");
        try { Thread.ResetAbort(); }
        catch (ThreadStateException e) { Console.WriteLine(e.GetType()); }
    }

    static void States()
    {
        Console.WriteLine("-- states");
        var t = new Thread(Wait);
        Console.WriteLine("{0} {1}", t.ThreadState, t.IsAlive);
        t.IsBackground = true;
        Console.WriteLine(t.ThreadState);
        Ready.Reset();
        t.Start();
        Ready.WaitOne();
        while ((t.ThreadState & ThreadState.WaitSleepJoin) == 0) Thread.Yield();
        Console.WriteLine("{0} {1}", t.ThreadState, t.IsAlive);
        t.Abort();
        t.Join();
        Console.WriteLine("{0} {1}", t.ThreadState, t.IsAlive);
        try { t.IsBackground = false; Console.WriteLine("not reached"); }
        catch (ThreadStateException e) { Console.WriteLine(e.GetType().Name); }
        try { t.Start(); }
        catch (ThreadStateException e) { Console.WriteLine(e.GetType().Name); }
    }

    static void Interrupted()
    {
        Console.WriteLine("-- interrupt");
        var gate = new object();
        var t = Started(() =>
        {
            for (int i = 0; i < 3; i++)
            {
                try
                {
                    Ready.Set();
                    if (i == 0) Thread.Sleep(Timeout.Infinite);
                    else if (i == 1) lock (gate) Monitor.Wait(gate);
                    else new ManualResetEvent(false).WaitOne();
                }
                catch (ThreadInterruptedException e) { Console.WriteLine("{0} {1}", i, e.Message); }
            }
        });
        while (!t.Join(20)) t.Interrupt();
        Thread.CurrentThread.Interrupt();
        try { Thread.Sleep(0); Thread.Sleep(1); Console.WriteLine("not reached"); }
        catch (ThreadInterruptedException) { Console.WriteLine("itself"); }
        Thread.Sleep(1);
    }

    static void Names()
    {
        Console.WriteLine("-- names and priorities");
        var t = new Thread(() => Console.WriteLine("{0} {1}", Thread.CurrentThread.Name, Thread.CurrentThread.Priority));
        t.Name = "first";
        t.Priority = ThreadPriority.AboveNormal;
        try { t.Name = "second"; }
        catch (InvalidOperationException e) { Console.WriteLine(e.GetType().Name); }
        t.Start();
        t.Join();
        try { t.Priority = ThreadPriority.Lowest; }
        catch (ThreadStateException) { Console.WriteLine("dead threads have no priority"); }
    }

    static void Joins()
    {
        Console.WriteLine("-- joins");
        var release = new ManualResetEvent(false);
        var t = new Thread(() => release.WaitOne());
        try { t.Join(); }
        catch (ThreadStateException) { Console.WriteLine("not started"); }
        t.Start();
        Console.WriteLine("{0} {1} {2}", t.Join(0), t.Join(10), t.Join(TimeSpan.FromMilliseconds(5)));
        release.Set();
        Console.WriteLine("{0} {1}", t.Join(100000), t.Join(0));
        try { t.Join(-2); }
        catch (ArgumentOutOfRangeException) { Console.WriteLine("range"); }
    }
}
