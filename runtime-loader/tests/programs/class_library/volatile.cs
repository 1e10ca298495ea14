// Volatile accesses by call and through reflection, and methods that share a name with an intrinsic.
using System;
using System.Threading;

class VolatileAccess
{
    static int number = 5;
    static object reference = "r";
    static double real = 1.5;
    static byte small = 200;

    static void Main()
    {
        Thread.VolatileWrite(ref number, 6);
        Thread.VolatileWrite(ref reference, "s");
        Thread.VolatileWrite(ref real, 2.5);
        Thread.VolatileWrite(ref small, 201);
        Console.WriteLine("{0} {1} {2} {3}", Thread.VolatileRead(ref number), Thread.VolatileRead(ref reference),
            Thread.VolatileRead(ref real), Thread.VolatileRead(ref small));
        var read = typeof(Thread).GetMethod("VolatileRead", new[] { typeof(int).MakeByRefType() });
        Console.WriteLine(read.Invoke(null, new object[] { 7 }));
        Console.WriteLine(Math.Abs(-2m) + Math.Abs(-1) + (decimal)Math.Abs(-1.5f) + (decimal)Math.Abs(-2.5));
        object boxed = 42;
        TypedReference typed = __makeref(boxed);
        Console.WriteLine(TypedReference.ToObject(typed));
        int local = 8;
        Console.WriteLine(TypedReference.ToObject(__makeref(local)));
    }
}
