// Everything threads wait for and share: pool, timers, tasks, monitors, events, locks, thread-local data.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

static class Program
{
    [ThreadStatic] static int perThread;
    static readonly AsyncLocal<string> Flow = new AsyncLocal<string>();

    static void Main()
    {
        Pool(); Timers(); Tasks(); Parallels(); Asynchronous(); Monitors(); Events(); Mutexes(); Counting();
        ReadersWriters(); Atomics(); Locals(); Cancelling(); Contexts(); Lazies();
    }

    static void Pool()
    {
        Console.WriteLine("-- pool");
        int done = 0;
        using (var all = new CountdownEvent(500))
        {
            for (int i = 0; i < 500; i++)
                ThreadPool.QueueUserWorkItem(o => { Interlocked.Add(ref done, (int)o); all.Signal(); }, i);
            all.Wait();
        }
        Console.WriteLine(done);
        bool pool = false, background = false;
        var end = new ManualResetEvent(false);
        ThreadPool.QueueUserWorkItem(_ => { pool = Thread.CurrentThread.IsThreadPoolThread; background = Thread.CurrentThread.IsBackground; end.Set(); });
        end.WaitOne();
        Console.WriteLine("{0} {1}", pool, background);
        // More items that wait for each other than there are processors.
        using (var meet = new Barrier(8))
        using (var over = new CountdownEvent(8))
        {
            for (int i = 0; i < 8; i++)
                ThreadPool.QueueUserWorkItem(_ => { meet.SignalAndWait(); over.Signal(); });
            Console.WriteLine(over.Wait(60000));
        }
        var signal = new AutoResetEvent(false);
        var called = new BlockingCollection<bool>();
        var registered = ThreadPool.RegisterWaitForSingleObject(signal, (_, timedOut) => called.Add(timedOut), null, 30000, true);
        signal.Set();
        Console.WriteLine("timed out {0}", called.Take());
        registered.Unregister(null);
        registered = ThreadPool.RegisterWaitForSingleObject(signal, (_, timedOut) => called.Add(timedOut), null, 10, true);
        Console.WriteLine("timed out {0}", called.Take());
        registered.Unregister(null);
    }

    static void Timers()
    {
        Console.WriteLine("-- timers");
        int ticks = 0;
        using (var enough = new ManualResetEvent(false))
        using (new Timer(_ => { if (Interlocked.Increment(ref ticks) == 3) enough.Set(); }, null, 5, 5))
            Console.WriteLine(enough.WaitOne(60000));
        using (var once = new ManualResetEvent(false))
        using (var timer = new Timer(_ => once.Set(), null, Timeout.Infinite, Timeout.Infinite))
        {
            Console.WriteLine(once.WaitOne(20));
            timer.Change(1, Timeout.Infinite);
            Console.WriteLine(once.WaitOne(60000));
        }
        using (var elapsed = new ManualResetEvent(false))
        using (var timer = new System.Timers.Timer(5) { AutoReset = false })
        {
            timer.Elapsed += (s, e) => elapsed.Set();
            timer.Start();
            Console.WriteLine("{0} {1}", elapsed.WaitOne(60000), timer.Enabled);
        }
        Task.Delay(5).Wait();
    }

    static void Tasks()
    {
        Console.WriteLine("-- tasks");
        Console.WriteLine(Task.Run(() => 6 * 7).Result);
        Console.WriteLine(string.Join(" ", Task.WhenAll(Enumerable.Range(1, 5).Select(n => Task.Run(() => n * n))).Result));
        var failing = Task.Run(() => { throw new InvalidOperationException("failed"); });
        try { failing.Wait(); }
        catch (AggregateException e) { Console.WriteLine("{0} {1}", e.InnerException.Message, failing.Status); }
        Console.WriteLine(failing.ContinueWith(t => t.Exception.InnerExceptions.Count, TaskContinuationOptions.OnlyOnFaulted).Result);
        var parent = Task.Factory.StartNew(() =>
        {
            for (int i = 0; i < 3; i++)
                Task.Factory.StartNew(() => Thread.Sleep(5), TaskCreationOptions.AttachedToParent);
        });
        Console.WriteLine("{0} {1}", parent.Wait(60000), parent.Status);
        Console.WriteLine(Async(5).Result);
        Console.WriteLine(Task.Factory.FromAsync<int>((c, s) => new Func<int>(() => 9).BeginInvoke(c, s), r => ((Func<int>)((System.Runtime.Remoting.Messaging.AsyncResult)r).AsyncDelegate).EndInvoke(r), null).Result);
    }

    static async Task<string> Async(int n)
    {
        int sum = 0;
        for (int i = 0; i < n; i++)
        {
            await Task.Yield();
            await Task.Delay(1);
            sum += await Task.Run(() => i);
        }
        try { await Thrower(); }
        catch (TimeoutException e) { return sum + " " + e.Message; }
        finally { sum = 0; }
        return "not reached";
    }

    static async Task Thrower()
    {
        await Task.Yield();
        throw new TimeoutException("late");
    }

    static void Parallels()
    {
        Console.WriteLine("-- parallel");
        long sum = 0;
        Parallel.For(0, 10000, () => 0L, (i, _, local) => local + i, local => Interlocked.Add(ref sum, local));
        Console.WriteLine(sum);
        int invoked = 0;
        Parallel.Invoke(() => Interlocked.Increment(ref invoked), () => Interlocked.Increment(ref invoked), () => Interlocked.Increment(ref invoked));
        Console.WriteLine(invoked);
        var bag = new ConcurrentBag<int>();
        Parallel.ForEach(Enumerable.Range(0, 100), i => bag.Add(i));
        Console.WriteLine(bag.Sum());
        try { Parallel.For(0, 10, i => { if (i == 3) throw new ArgumentException("three"); }); }
        catch (AggregateException e) { Console.WriteLine(e.InnerException.Message); }
        Console.WriteLine(Enumerable.Range(1, 1000).AsParallel().Where(n => n % 7 == 0).Select(n => (long)n * n).Sum());
        Console.WriteLine(string.Join(",", Enumerable.Range(0, 20).AsParallel().AsOrdered().Where(n => n % 3 == 0)));
    }

    static void Asynchronous()
    {
        Console.WriteLine("-- asynchronous delegates");
        Func<int, int> square = n => n * n;
        var called = new ManualResetEvent(false);
        object state = null;
        var result = square.BeginInvoke(12, r => { state = r.AsyncState; called.Set(); }, "state");
        Console.WriteLine(square.EndInvoke(result));
        called.WaitOne();
        Console.WriteLine("{0} {1}", state, result.IsCompleted);
        try { square.EndInvoke(result); Console.WriteLine("not reached"); }
        catch (InvalidOperationException e) { Console.WriteLine(e.GetType().Name); }
        Action fails = () => { throw new FormatException("asynchronous"); };
        var failed = fails.BeginInvoke(null, null);
        failed.AsyncWaitHandle.WaitOne();
        try { fails.EndInvoke(failed); }
        catch (FormatException e) { Console.WriteLine(e.Message); }
    }

    static void Monitors()
    {
        Console.WriteLine("-- monitors");
        var gate = new object();
        var queue = new Queue<int>();
        long total = 0;
        var consumers = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            while (true)
                lock (gate)
                {
                    while (queue.Count == 0) Monitor.Wait(gate);
                    int item = queue.Dequeue();
                    if (item < 0) return;
                    total += item;
                }
        })).ToList();
        consumers.ForEach(t => t.Start());
        for (int i = 1; i <= 1000; i++)
            lock (gate) { queue.Enqueue(i); Monitor.Pulse(gate); }
        lock (gate) { for (int i = 0; i < 3; i++) queue.Enqueue(-1); Monitor.PulseAll(gate); }
        consumers.ForEach(t => t.Join());
        Console.WriteLine(total);
        lock (gate)
        {
            Console.WriteLine("{0} {1}", Monitor.Wait(gate, 5), Monitor.IsEntered(gate));
            bool other = true;
            var t = new Thread(() => other = Monitor.TryEnter(gate, 5));
            t.Start(); t.Join();
            Console.WriteLine(other);
            Monitor.Enter(gate); Monitor.Exit(gate);
        }
        Console.WriteLine(Monitor.IsEntered(gate));
        foreach (Action wrong in new Action[] { () => Monitor.Exit(gate), () => Monitor.Pulse(gate), () => Monitor.Wait(gate, 1) })
            try { wrong(); Console.WriteLine("not reached"); }
            catch (SynchronizationLockException e) { Console.WriteLine(e.GetType().Name); }
    }

    static void Events()
    {
        Console.WriteLine("-- events");
        var manual = new ManualResetEvent(false);
        var auto = new AutoResetEvent(true);
        Console.WriteLine("{0} {1} {2}", auto.WaitOne(0), auto.WaitOne(0), WaitHandle.WaitAny(new WaitHandle[] { auto, manual }, 5) == WaitHandle.WaitTimeout);
        manual.Set();
        Console.WriteLine("{0} {1}", WaitHandle.WaitAny(new WaitHandle[] { auto, manual }), WaitHandle.WaitAll(new WaitHandle[] { auto, manual }, 5));
        auto.Set();
        Console.WriteLine("{0} {1}", WaitHandle.WaitAll(new WaitHandle[] { auto, manual }), auto.WaitOne(0));
        Console.WriteLine(WaitHandle.SignalAndWait(auto, manual));
        var slim = new ManualResetEventSlim();
        new Thread(() => { Thread.Sleep(5); slim.Set(); }).Start();
        slim.Wait();
        Console.WriteLine("{0} {1}", slim.IsSet, slim.Wait(0));
        auto.Close();
        try { auto.Set(); }
        catch (ObjectDisposedException) { Console.WriteLine("closed"); }
    }

    static void Mutexes()
    {
        Console.WriteLine("-- mutexes");
        bool created;
        var first = new Mutex(true, "threads.sync.test", out created);
        Console.Write("{0} ", created);
        var second = new Mutex(false, "threads.sync.test", out created);
        Console.WriteLine(created);
        bool got = true;
        var t = new Thread(() => got = second.WaitOne(5));
        t.Start(); t.Join();
        Console.WriteLine("{0} {1}", got, second.WaitOne(0));
        first.ReleaseMutex(); second.ReleaseMutex();
        try { first.ReleaseMutex(); }
        catch (ApplicationException e) { Console.WriteLine(e.GetType().Name); }
        t = new Thread(() => first.WaitOne());
        t.Start(); t.Join();
        try { second.WaitOne(); Console.WriteLine("not abandoned"); }
        catch (AbandonedMutexException) { Console.WriteLine("abandoned"); }
        second.ReleaseMutex();
    }

    static void Counting()
    {
        Console.WriteLine("-- semaphores, barriers, countdowns");
        var semaphore = new Semaphore(1, 2);
        Console.WriteLine("{0} {1} {2}", semaphore.WaitOne(0), semaphore.WaitOne(0), semaphore.Release(2));
        try { semaphore.Release(); }
        catch (SemaphoreFullException e) { Console.WriteLine(e.GetType().Name); }
        var slim = new SemaphoreSlim(0, 3);
        var waits = Enumerable.Range(0, 3).Select(_ => slim.WaitAsync()).ToArray();
        slim.Release(3);
        Task.WaitAll(waits);
        Console.WriteLine("{0} {1}", slim.CurrentCount, slim.Wait(1));
        var phases = new List<long>();
        using (var barrier = new Barrier(3, b => phases.Add(b.CurrentPhaseNumber)))
        {
            var threads = Enumerable.Range(0, 3).Select(_ => new Thread(() => { for (int i = 0; i < 4; i++) barrier.SignalAndWait(); })).ToList();
            threads.ForEach(x => x.Start());
            threads.ForEach(x => x.Join());
        }
        Console.WriteLine(string.Join(" ", phases));
        using (var countdown = new CountdownEvent(2))
        {
            countdown.AddCount();
            Console.WriteLine("{0} {1} {2}", countdown.Signal(2), countdown.Wait(1), countdown.Signal());
        }
    }

    static void ReadersWriters()
    {
        Console.WriteLine("-- readers and writers");
        using (var slim = new ReaderWriterLockSlim())
        {
            int value = 0;
            var threads = Enumerable.Range(0, 4).Select(n => new Thread(() =>
            {
                for (int i = 0; i < 200; i++)
                    if (n < 2) { slim.EnterWriteLock(); value++; slim.ExitWriteLock(); }
                    else { slim.EnterReadLock(); if (value < 0) Console.WriteLine(value); slim.ExitReadLock(); }
            })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            slim.EnterUpgradeableReadLock(); slim.EnterWriteLock();
            Console.WriteLine("{0} {1} {2}", value, slim.IsWriteLockHeld, slim.IsUpgradeableReadLockHeld);
            slim.ExitWriteLock(); slim.ExitUpgradeableReadLock();
            try { slim.ExitReadLock(); }
            catch (SynchronizationLockException e) { Console.WriteLine(e.GetType().Name); }
        }
        var old = new ReaderWriterLock();
        old.AcquireReaderLock(100);
        var cookie = old.UpgradeToWriterLock(100);
        Console.WriteLine("{0} {1}", old.IsWriterLockHeld, old.IsReaderLockHeld);
        old.DowngradeFromWriterLock(ref cookie);
        old.ReleaseReaderLock();
        var spin = new SpinLock(true);
        bool taken = false;
        spin.Enter(ref taken);
        Console.WriteLine("{0} {1}", taken, spin.IsHeldByCurrentThread);
        spin.Exit();
    }

    static void Atomics()
    {
        Console.WriteLine("-- interlocked");
        int i = 5; long l = 1L << 40; object o = "a"; double d = 1.5; float f = 2; IntPtr p = (IntPtr)7; string s = "x";
        Console.WriteLine("{0} {1} {2} {3}", Interlocked.Increment(ref i), Interlocked.Decrement(ref l), Interlocked.Add(ref i, 10), Interlocked.Add(ref l, 2));
        Console.WriteLine("{0} {1} {2} {3} {4} {5} {6}", Interlocked.Exchange(ref i, 1), Interlocked.Exchange(ref l, 2), Interlocked.Exchange(ref o, null),
            Interlocked.Exchange(ref d, 3), Interlocked.Exchange(ref f, 4), Interlocked.Exchange(ref p, IntPtr.Zero), Interlocked.Exchange(ref s, "y"));
        Console.WriteLine("{0} {1} {2} {3} {4}", Interlocked.CompareExchange(ref i, 9, 1), Interlocked.CompareExchange(ref l, 9, 1), Interlocked.CompareExchange(ref d, 9, 3),
            Interlocked.CompareExchange(ref s, "z", "q"), Interlocked.Read(ref l));
        Console.WriteLine("{0} {1} {2} {3} {4} {5}", i, l, o, d, f, s);
        long count = 0;
        int narrow = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() => { for (int n = 0; n < 5000; n++) { Interlocked.Increment(ref count); Interlocked.Add(ref narrow, 2); } })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Console.WriteLine("{0} {1}", Volatile.Read(ref count), Volatile.Read(ref narrow));
    }

    static void Locals()
    {
        Console.WriteLine("-- thread-local");
        perThread = 1;
        var local = new ThreadLocal<int>(() => 42, true);
        var slot = Thread.AllocateNamedDataSlot("slot");
        Thread.SetData(slot, "main");
        local.Value++;
        var t = new Thread(() => { Console.WriteLine("{0} {1} {2}", perThread, local.Value, Thread.GetData(Thread.GetNamedDataSlot("slot")) ?? "null"); perThread = 2; });
        t.Start(); t.Join();
        Console.WriteLine("{0} {1} {2} {3}", perThread, local.Value, Thread.GetData(slot), local.Values.Count);
        Thread.FreeNamedDataSlot("slot");
    }

    static void Cancelling()
    {
        Console.WriteLine("-- cancellation");
        var source = new CancellationTokenSource();
        using (source.Token.Register(() => Console.WriteLine("told")))
        {
            var task = Task.Run(() => { while (true) { source.Token.ThrowIfCancellationRequested(); Thread.Yield(); } }, source.Token);
            source.Cancel();
            try { task.Wait(); }
            catch (AggregateException e) { Console.WriteLine("{0} {1}", e.InnerException.GetType().Name, task.Status); }
        }
        var timed = new CancellationTokenSource(5);
        Console.WriteLine(timed.Token.WaitHandle.WaitOne(60000));
        var linked = CancellationTokenSource.CreateLinkedTokenSource(timed.Token, CancellationToken.None);
        Console.WriteLine(linked.IsCancellationRequested);
        try { new SemaphoreSlim(0).Wait(linked.Token); }
        catch (OperationCanceledException e) { Console.WriteLine(e.CancellationToken == linked.Token); }
    }

    static void Contexts()
    {
        Console.WriteLine("-- contexts");
        Flow.Value = "outer";
        string seen = null, suppressed = "?";
        var t = new Thread(() => { seen = Flow.Value; Flow.Value = "inner"; });
        t.Start(); t.Join();
        using (ExecutionContext.SuppressFlow())
        {
            t = new Thread(() => suppressed = Flow.Value ?? "null");
            t.Start(); t.Join();
        }
        Console.WriteLine("{0} {1} {2}", seen, suppressed, Flow.Value);
        var context = new Direct();
        SynchronizationContext.SetSynchronizationContext(context);
        var task = Resumes();
        while (!task.IsCompleted) context.RunOne();
        SynchronizationContext.SetSynchronizationContext(null);
        Console.WriteLine("{0} {1}", task.Result, context.Posts);
    }

    static async Task<bool> Resumes()
    {
        int before = Thread.CurrentThread.ManagedThreadId;
        await Task.Delay(1);
        bool same = before == Thread.CurrentThread.ManagedThreadId;
        await Task.Run(() => { });
        return same && before == Thread.CurrentThread.ManagedThreadId;
    }

    class Direct : SynchronizationContext
    {
        readonly BlockingCollection<Action> work = new BlockingCollection<Action>();
        public int Posts;
        public override void Post(SendOrPostCallback d, object state) { Interlocked.Increment(ref Posts); work.Add(() => d(state)); }
        public void RunOne() { Action a; if (work.TryTake(out a, 10)) a(); }
    }

    static void Lazies()
    {
        Console.WriteLine("-- lazy");
        int made = 0;
        var lazy = new Lazy<int>(() => { Thread.Sleep(2); return Interlocked.Increment(ref made); });
        var values = Enumerable.Range(0, 4).Select(_ => Task.Run(() => lazy.Value)).ToArray();
        Task.WaitAll(values);
        Console.WriteLine("{0} {1}", made, values.Sum(v => v.Result));
        var dictionary = new ConcurrentDictionary<int, int>();
        Parallel.For(0, 1000, n => dictionary.AddOrUpdate(n % 10, 1, (_, old) => old + 1));
        Console.WriteLine(dictionary.Values.All(v => v == 100));
    }
}
