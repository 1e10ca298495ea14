// Ways for a process to end; the argument says which.
using System;
using System.Threading;
using System.Threading.Tasks;

class Loud
{
    readonly string name;
    public Loud(string name) { this.name = name; }
    ~Loud() { Console.WriteLine("finalizer of {0}", name); }
}

class Failing
{
    ~Failing() { throw new InvalidOperationException("in a finalizer"); }
}

class Exiting
{
    ~Exiting() { Console.WriteLine("leaving"); Environment.Exit(23); Console.WriteLine("not reached"); }
}

static class Program
{
    static object kept;

    static void Hooks()
    {
        AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("ProcessExit {0} {1}", Environment.ExitCode, Environment.HasShutdownStarted);
        AppDomain.CurrentDomain.UnhandledException += (s, e) =>
            Console.WriteLine("UnhandledException {0} {1} {2}", ((Exception)e.ExceptionObject).Message, e.IsTerminating, s == AppDomain.CurrentDomain);
        kept = new Loud("kept");
    }

    static void Run(ThreadStart work, bool background = false)
    {
        var t = new Thread(work) { IsBackground = background };
        t.Start();
    }

    static void Garbage(Action make)
    {
        var t = new Thread(() => make());
        t.Start();
        t.Join();
    }

    static int Main(string[] args)
    {
        switch (args[0])
        {
            case "thread":
                Hooks();
                Run(() => { throw new InvalidOperationException("in a thread"); });
                Thread.Sleep(5000);
                Console.WriteLine("not reached");
                return 1;
            case "pool":
                Hooks();
                ThreadPool.QueueUserWorkItem(_ => { throw new InvalidOperationException("in the pool"); });
                Thread.Sleep(5000);
                Console.WriteLine("not reached");
                return 1;
            case "timer":
                Hooks();
                using (new Timer(_ => { throw new InvalidOperationException("in a timer"); }, null, 1, -1)) Thread.Sleep(5000);
                Console.WriteLine("not reached");
                return 1;
            case "finalizer":
                Hooks();
                Garbage(() => new Failing());
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(5000);
                Console.WriteLine("not reached");
                return 1;
            case "main":
                Hooks();
                Run(() => Thread.Sleep(5000));
                throw new InvalidOperationException("in Main");
            case "finally":
                Hooks();
                try { Environment.Exit(5); }
                finally { Console.WriteLine("not reached"); }
                return 1;
            case "exit_finalizer":
                Hooks();
                Garbage(() => new Exiting());
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(5000);
                Console.WriteLine("not reached");
                return 1;
            case "exit_many":
            {
                Hooks();
                var go = new ManualResetEvent(false);
                for (int i = 0; i < 8; i++) Run(() => { go.WaitOne(); Environment.Exit(7); Console.WriteLine("not reached"); });
                go.Set();
                Environment.Exit(7);
                return 1;
            }
            case "exit_thread":
                Hooks();
                Run(() => { Environment.Exit(9); Console.WriteLine("not reached"); });
                Thread.Sleep(Timeout.Infinite);
                return 1;
            case "exit_again":
                AppDomain.CurrentDomain.ProcessExit += (s, e) => { Console.WriteLine("first"); Environment.Exit(4); Console.WriteLine("inside"); };
                AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("second");
                Environment.Exit(3);
                return 1;
            case "exit_throws":
                AppDomain.CurrentDomain.ProcessExit += (s, e) => { throw new InvalidOperationException("in ProcessExit"); };
                AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("second");
                return 6;
            case "handler_throws":
                AppDomain.CurrentDomain.UnhandledException += (s, e) => { Console.WriteLine("handler"); throw new InvalidOperationException("in the handler"); };
                throw new InvalidOperationException("in Main");
            case "handler_exits":
                AppDomain.CurrentDomain.UnhandledException += (s, e) => { Console.WriteLine("handler"); Environment.Exit(11); };
                AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("ProcessExit");
                throw new InvalidOperationException("in Main");
            case "foreground":
                Hooks();
                Run(() => { Thread.Sleep(200); Console.WriteLine("foreground done"); Environment.ExitCode = 40; });
                Console.WriteLine("Main returns");
                return 12;
            case "background":
                Hooks();
                Run(() => { Thread.Sleep(Timeout.Infinite); }, true);
                Run(() => { while (true) { } }, true);
                Run(() => { try { lock (typeof(Loud)) Monitor.Wait(typeof(Loud)); } finally { Console.WriteLine("finally in background"); } }, true);
                ThreadPool.QueueUserWorkItem(_ => Thread.Sleep(Timeout.Infinite));
                Task.Run(() => { while (true) Thread.Sleep(1); });
                Thread.Sleep(50);
                return 13;
            case "becomes_background":
            {
                var t = new Thread(() => Thread.Sleep(Timeout.Infinite));
                t.Start();
                Run(() => { Thread.Sleep(100); Console.WriteLine("now"); t.IsBackground = true; });
                return 14;
            }
            case "exit_code":
                Environment.ExitCode = 15;
                AppDomain.CurrentDomain.ProcessExit += (s, e) => { Console.WriteLine(Environment.ExitCode); Environment.ExitCode = 16; };
                Thread.CurrentThread.IsBackground = true;
                return 17;
            case "finalizers":
                Hooks();
                for (int i = 0; i < 3; i++) new Loud("garbage");
                GC.SuppressFinalize(kept);
                return 0;
            case "starts_at_exit":
                AppDomain.CurrentDomain.ProcessExit += (s, e) =>
                {
                    var t = new Thread(() => Console.WriteLine("late thread"));
                    t.Start();
                    t.Join();
                    Console.WriteLine(Task.Run(() => 5).Result);
                };
                return 0;
            case "task":
                // Nobody looks at the exception: it must not end the process.
                TaskScheduler.UnobservedTaskException += (s, e) => Console.WriteLine("unobserved {0}", e.Exception.InnerException.Message);
                Garbage(() => { Task.Run(() => { throw new InvalidOperationException("in a task"); }); Thread.Sleep(100); });
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return 0;
            case "abort_main":
                Hooks();
                Thread.CurrentThread.Abort();
                return 1;
            case "abort_thread":
                Hooks();
                Run(() => Thread.CurrentThread.Abort());
                Thread.Sleep(100);
                return 18;
            case "fail_fast":
                Hooks();
                Environment.FailFast("no way on");
                return 1;
            case "second_unhandled":
            {
                Hooks();
                for (int i = 0; i < 4; i++) Run(() => { Thread.Sleep(20); throw new InvalidOperationException("several"); });
                Thread.Sleep(5000);
                return 1;
            }
            case "async_void":
                Hooks();
                Async();
                Thread.Sleep(5000);
                return 1;
        }
        return 99;
    }

    static async void Async()
    {
        await Task.Delay(1);
        throw new InvalidOperationException("async void");
    }
}
