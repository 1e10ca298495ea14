// Version resources of files, the modules of the process, the description of the system.
using System;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;

class Versions
{
    static void Main()
    {
        var system = FileVersionInfo.GetVersionInfo(typeof(Process).Assembly.Location);
        Console.WriteLine("{0}|{1}|{2}|{3}", system.FileVersion, system.CompanyName, system.OriginalFilename, system.Language);
        Console.WriteLine("{0}.{1}.{2}", system.ProductMajorPart, system.FileMinorPart, system.IsDebug);
        var none = FileVersionInfo.GetVersionInfo("/etc/hostname");
        Console.WriteLine("[{0}][{1}]", none.FileVersion, none.Language);
        var modules = Process.GetCurrentProcess().Modules.Cast<ProcessModule>().ToList();
        Console.WriteLine(modules.Any(m => m.ModuleName == "mscorlib.dll" && m.ModuleMemorySize > 1000000));
        Console.WriteLine(RuntimeInformation.OSArchitecture);
        Console.WriteLine(RuntimeInformation.IsOSPlatform(OSPlatform.Linux));
    }
}
