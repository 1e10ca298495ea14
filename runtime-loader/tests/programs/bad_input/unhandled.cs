// Nobody catches what happens when the library has changed.
#if BASE
class P : GoneBase { static void Main() { System.Console.WriteLine("not reached"); } }
#else
class X { public static void Go() { System.Console.WriteLine(Same.Gone()); } }
class P {
    static int Main() {
#if THREAD
        var t = new System.Threading.Thread(() => X.Go()); t.Start(); t.Join();
#elif POOL
        System.Threading.ThreadPool.QueueUserWorkItem(_ => X.Go()); System.Threading.Thread.Sleep(10000);
#else
        X.Go();
#endif
        return 3;
    }
}
#endif
