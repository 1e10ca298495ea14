// The smallest program. Even this one takes some 360 methods of the class library.
using System;

static class Hello
{
    static void Main()
    {
        Console.WriteLine("hello, world");
    }
}
