// Files, their attributes and permissions.
using System;
using System.IO;
using System.Runtime.InteropServices;

class Files
{
    [DllImport("libc")]
    static extern int chmod(string path, int mode);

    static void Main()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, "a.txt");
        File.WriteAllText(file, "one\ntwo\n");
        chmod(file, 0x1a0); // 0640
        Console.WriteLine(File.GetAttributes(file));
        File.SetAttributes(file, FileAttributes.ReadOnly);
        Console.WriteLine(File.GetAttributes(file));
        File.SetAttributes(file, FileAttributes.Normal);
        Console.WriteLine(File.GetAttributes(file));
        Console.WriteLine(Mode(file));
        // What the C# compiler does to programs it has written.
        File.SetAttributes(file, (FileAttributes)((int)File.GetAttributes(file) | unchecked((int)0x80000000)));
        Console.WriteLine(Mode(file));
        Console.WriteLine(string.Join(",", File.ReadAllLines(file)));
        foreach (var entry in Directory.GetFileSystemEntries(folder))
            Console.WriteLine(Path.GetFileName(entry));
        Directory.Delete(folder, true);
        Console.WriteLine(Directory.Exists(folder));
    }

    static string Mode(string file)
    {
        var stat = new System.Diagnostics.ProcessStartInfo("stat", "-c %a " + file) { RedirectStandardOutput = true, UseShellExecute = false };
        using (var process = System.Diagnostics.Process.Start(stat))
            return process.StandardOutput.ReadToEnd().Trim();
    }
}
