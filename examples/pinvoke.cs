// P/Invoke into libc: numbers, strings, buffers, structs by reference, errno.
using System;
using System.Runtime.InteropServices;
using System.Text;

static class PInvoke
{
    [StructLayout(LayoutKind.Sequential)]
    struct DivResult { public int Quotient, Remainder; }

    [StructLayout(LayoutKind.Sequential)]
    struct TimeSpec { public long Seconds, Nanoseconds; }

    [DllImport("libc")] static extern int abs(int n);
    [DllImport("libc")] static extern long labs(long n);
    [DllImport("libc")] static extern UIntPtr strlen(string s);
    [DllImport("libc")] static extern int atoi(string s);
    [DllImport("libc")] static extern int toupper(int c);
    [DllImport("libm.so.6")] static extern double cbrt(double x);
    [DllImport("libm.so.6")] static extern float fmaf(float a, float b, float c);
    [DllImport("libc", EntryPoint = "getenv")] static extern IntPtr GetEnv(string name);
    [DllImport("libc")] static extern int setenv(string name, string value, int overwrite);
    [DllImport("libc", SetLastError = true)] static extern int chdir(string path);
    [DllImport("libc")] static extern unsafe void* memset(void* p, int c, UIntPtr n);
    [DllImport("libc")] static extern int memcmp(byte[] a, byte[] b, UIntPtr n);
    [DllImport("libc")] static extern int clock_gettime(int clock, out TimeSpec time);
    [DllImport("libc")] static extern int getpid();
    [DllImport("libc")] static extern IntPtr malloc(UIntPtr n);
    [DllImport("libc")] static extern void free(IntPtr p);
    [DllImport("no_such_library")] static extern void nothing();
    [DllImport("libc")] static extern void no_such_function();

    static unsafe void Main()
    {
        Console.WriteLine(abs(-5) + " " + labs(-5000000000) + " " + strlen("héllo") + " " + atoi("123abc") + " " + (char)toupper('x'));
        Console.WriteLine(cbrt(27) + " " + fmaf(2, 3, 4));
        setenv("AOTC_EXAMPLE", "value from C#", 1);
        Console.WriteLine(Marshal.PtrToStringAnsi(GetEnv("AOTC_EXAMPLE")) + " " + (GetEnv("AOTC_NOT_SET") == IntPtr.Zero));
        Console.WriteLine(chdir("/no/such/folder") + " " + Marshal.GetLastWin32Error());
        byte* buffer = stackalloc byte[16]; memset(buffer, 0x41, (UIntPtr)15); buffer[15] = 0;
        Console.WriteLine(Marshal.PtrToStringAnsi((IntPtr)buffer));
        Console.WriteLine(Math.Sign(memcmp(new byte[] { 1, 2 }, new byte[] { 1, 3 }, (UIntPtr)2)));
        Console.WriteLine(clock_gettime(0, out TimeSpec now) + " " + (now.Seconds > 1500000000) + " " + (getpid() > 1));
        IntPtr block = malloc((UIntPtr)64); Marshal.WriteInt32(block, 8, 77); Console.WriteLine(Marshal.ReadInt32(block, 8)); free(block);
        var handle = GCHandle.Alloc(new[] { 1, 2, 3 }, GCHandleType.Pinned); Console.WriteLine(((int*)handle.AddrOfPinnedObject())[2]); handle.Free();
        try { nothing(); } catch (DllNotFoundException e) { Console.WriteLine("no library: " + e.Message.StartsWith("no_such_library")); }
        try { no_such_function(); } catch (EntryPointNotFoundException e) { Console.WriteLine("no function: " + e.Message.StartsWith("no_such_function")); }
    }
}
