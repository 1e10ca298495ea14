// Files that are no assemblies, versions that are not there, resources and configuration that are damaged.
using System; using System.IO; using System.Reflection; using System.Resources; using System.Configuration; using System.Globalization;
class P {
    static void T(string what, Func<object> f) {
        try { Console.WriteLine(what + ": " + (f() ?? "null")); }
        catch (Exception e) {
            Console.Write(what + ": ");
            for (; e != null; e = e.InnerException) {
                Console.Write(e.GetType().FullName + ": " + Clean(e.Message));
                if (e is FileNotFoundException) Console.Write(" [" + Clean(((FileNotFoundException)e).FileName) + "]");
                if (e is BadImageFormatException) Console.Write(" [" + Clean(((BadImageFormatException)e).FileName) + "]");
                if (e is FileLoadException) Console.Write(" [" + Clean(((FileLoadException)e).FileName) + "]");
                if (e.InnerException != null) Console.Write(" <- ");
            }
            Console.WriteLine();
        }
    }
    static string Clean(string s) { return s == null ? "null" : s.Replace(AppDomain.CurrentDomain.BaseDirectory, "").Replace(Directory.GetCurrentDirectory(), "."); }
    static byte[] Good() { return File.ReadAllBytes("good.dll"); }
    static void Write(string name, Action<byte[]> change) { var b = Good(); change(b); File.WriteAllBytes(name, b); }
    static int Pe(byte[] b) { return BitConverter.ToInt32(b, 0x3c); }
    static int Find(byte[] b, string s) { for (int i = 0; i + s.Length <= b.Length; i++) { int j = 0; while (j < s.Length && b[i + j] == s[j]) j++; if (j == s.Length) return i; } return -1; }
    static object Types(Assembly a) { return a.GetName().Name + " " + a.GetTypes().Length; }
    static void Main() {
        File.WriteAllText("text.dll", "not an assembly at all, only text that is a little longer than a header");
        File.WriteAllText("empty.dll", "");
        File.WriteAllBytes("short.dll", new byte[] { 0x4d, 0x5a });
        Write("x64.dll", b => { b[Pe(b) + 4] = 0x64; b[Pe(b) + 5] = 0x86; });
        Write("arm.dll", b => { b[Pe(b) + 4] = 0xc4; b[Pe(b) + 5] = 0x01; });
        Write("nocli.dll", b => { for (int i = 0; i < 8; i++) b[Pe(b) + 24 + 96 + 14 * 8 + i] = 0; });
        Write("badsig.dll", b => { b[Find(b, "BSJB")] = 0x43; });
        Write("badstream.dll", b => { b[Find(b, "#~")] = (byte)'$'; });
        Write("mixed.dll", b => { int cli = FindCli(b); b[cli + 16] = 0; });
        Write("x86only.dll", b => { int cli = FindCli(b); b[cli + 16] |= 2; });
        Write("netver.dll", b => { b[Find(b, "v4.0.30319")] = (byte)'v'; b[Find(b, "v4.0.30319") + 1] = (byte)'9'; });
        var half = Good(); Array.Resize(ref half, half.Length / 2); File.WriteAllBytes("half.dll", half);
        foreach (var name in new[] { "text", "empty", "short", "x64", "arm", "nocli", "badsig", "badstream", "mixed", "x86only", "netver", "half", "module.netmodule", "nosuch", "good" }) {
            var n = name; var file = n.Contains(".") ? n : n + ".dll";
            T("from " + n, () => Types(Assembly.LoadFrom(file)));
            if (n != "good") T("load " + n, () => Types(Assembly.Load(n)));
            T("file " + n, () => Types(Assembly.LoadFile(Path.GetFullPath(file))));
            T("bytes " + n, () => Types(Assembly.Load(File.ReadAllBytes(file))));
            T("name " + n, () => AssemblyName.GetAssemblyName(file));
            T("unsafe " + n, () => Types(Assembly.UnsafeLoadFrom(file)));
            T("create " + n, () => AppDomain.CurrentDomain.ExecuteAssembly(file));
        }
        T("version", () => Assembly.Load("good, Version=9.0.0.0, Culture=neutral, PublicKeyToken=null"));
        T("token", () => Assembly.Load("good, Version=1.2.3.4, Culture=neutral, PublicKeyToken=b77a5c561934e089"));
        T("culture", () => Assembly.Load("good, Version=1.2.3.4, Culture=de, PublicKeyToken=null"));
        T("system version", () => Assembly.Load("System, Version=9.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089").GetName().Name);
        T("system token", () => Assembly.Load("System.Xml, Version=4.0.0.0, Culture=neutral, PublicKeyToken=0123456789abcdef"));
        T("empty name", () => Assembly.Load("")); T("null name", () => Assembly.Load((string)null)); T("bad name", () => Assembly.Load("a, Version=x.y")); T("bad name 2", () => Assembly.Load("a,b,c"));
        T("bad token", () => Assembly.Load("a, PublicKeyToken=zz")); T("bad culture", () => Assembly.Load("a, Culture=no-such-culture-x")); T("null bytes", () => Assembly.Load((byte[])null));
        T("from null", () => Assembly.LoadFrom(null)); T("from empty", () => Assembly.LoadFrom("")); T("file relative", () => Assembly.LoadFile("good.dll")); T("from dir", () => Assembly.LoadFrom("."));
        T("from missing dir", () => Assembly.LoadFrom("no/such/dir/x.dll"));
        // Resources
        var here = typeof(P).Assembly;
        T("stream", () => here.GetManifestResourceStream("nosuch")); T("stream null", () => here.GetManifestResourceStream(null)); T("info", () => here.GetManifestResourceInfo("nosuch")); T("info ok", () => here.GetManifestResourceInfo("text.txt").ResourceLocation);
        T("names", () => string.Join(",", here.GetManifestResourceNames()));
        T("manager", () => new ResourceManager("nosuch", here).GetString("x")); T("bad resources", () => new ResourceManager("broken", here).GetString("x"));
        T("bad type", () => new ResourceManager(typeof(P)).GetString("x"));
        T("reader", () => new ResourceReader(here.GetManifestResourceStream("broken.resources")));
        T("reader text", () => new ResourceReader(new MemoryStream(System.Text.Encoding.ASCII.GetBytes("this is no resource file")))); T("reader empty", () => new ResourceReader(new MemoryStream())); T("reader file", () => new ResourceReader("nosuch.resources"));
        T("reader cut", () => { var m = new MemoryStream(); var w = new ResourceWriter(m); w.AddResource("a", "b"); w.AddResource("n", 5); w.Generate(); var a = m.ToArray(); Array.Resize(ref a, a.Length - 4); var r = new ResourceReader(new MemoryStream(a)); string s = ""; foreach (System.Collections.DictionaryEntry e in r) s += e.Key + "=" + e.Value + ";"; return s; });
        T("file based", () => ResourceManager.CreateFileBasedResourceManager("nosuch", ".", null).GetString("x"));
        T("cctor of config", () => ConfigurationManager.AppSettings["x"]); T("config again", () => ConfigurationManager.AppSettings["x"]); T("connection", () => ConfigurationManager.ConnectionStrings.Count > 0); T("section", () => ConfigurationManager.GetSection("nosuch"));
        T("exe config", () => ConfigurationManager.OpenExeConfiguration("nosuch.exe").HasFile);
        T("open", () => ConfigurationManager.OpenExeConfiguration(ConfigurationUserLevel.None).AppSettings.Settings.Count);
        Console.WriteLine("done");
    }
    static int FindCli(byte[] b) { int pe = Pe(b), opt = pe + 24, sections = opt + BitConverter.ToUInt16(b, pe + 20); int rva = BitConverter.ToInt32(b, opt + 96 + 14 * 8);
        for (int s = sections; ; s += 40) { int va = BitConverter.ToInt32(b, s + 12), size = BitConverter.ToInt32(b, s + 16), raw = BitConverter.ToInt32(b, s + 20); if (rva >= va && rva < va + size) return rva - va + raw; } }
}
