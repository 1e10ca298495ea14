// Resources by culture: what the satellite assemblies beside the program say, what falls back to a parent or to the program itself.
using System;
using System.Collections;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Resources;
using System.Threading;

[assembly: AssemblyVersion("1.2.3.4")]

static class Program
{
    static readonly ResourceManager Words = new ResourceManager("words", typeof(Program).Assembly);

    static void Attempt(string what, Func<object> act)
    {
        try { Console.WriteLine("{0}: {1}", what, act() ?? "null"); }
        catch (Exception e) { Console.WriteLine("{0}: {1}: {2}", what, e.GetType(), e.Message.Split('\n')[0].Replace(AppDomain.CurrentDomain.BaseDirectory, "")); }
    }

    static void Strings(string name)
    {
        var culture = CultureInfo.GetCultureInfo(name);
        Thread.CurrentThread.CurrentUICulture = culture;
        Console.WriteLine("'{0}': {1}, {2}, {3}, {4}", name, Words.GetString("hello"), Words.GetString("color"), Words.GetString("only here"),
            Words.GetString("nothing") ?? "null");
        Console.WriteLine("  asked: {0}", Words.GetString("hello", culture));
    }

    static void Sets()
    {
        foreach (var name in new[] { "", "de", "de-AT", "fr-FR" })
        {
            var culture = CultureInfo.GetCultureInfo(name);
            foreach (var parents in new[] { false, true })
            {
                var set = Words.GetResourceSet(culture, true, parents);
                Console.WriteLine("set '{0}' {1}: {2}", name, parents, set == null ? "null"
                    : string.Join(" ", set.Cast<DictionaryEntry>().Select(e => e.Key + "=" + e.Value).OrderBy(s => s, StringComparer.Ordinal)));
            }
        }
    }

    static void Satellites()
    {
        var assembly = typeof(Program).Assembly;
        foreach (var name in new[] { "de", "de-AT", "fr", "ja" })
            Attempt(name, () =>
            {
                var satellite = assembly.GetSatelliteAssembly(CultureInfo.GetCultureInfo(name));
                return satellite.FullName + " " + satellite.GetName().CultureInfo + " " + Path.GetFileName(Path.GetDirectoryName(satellite.Location)) + " "
                    + string.Join(",", satellite.GetManifestResourceNames()) + " " + satellite.GetCustomAttributes(typeof(AssemblyCultureAttribute), false).Length;
            });
        Attempt("version 9", () => assembly.GetSatelliteAssembly(CultureInfo.GetCultureInfo("de"), new Version(9, 0, 0, 0)));
        Attempt("null", () => assembly.GetSatelliteAssembly(null));
        Attempt("by name", () => Assembly.Load("app.resources, Version=1.2.3.4, Culture=de, PublicKeyToken=null").FullName);
        Attempt("by name, none", () => Assembly.Load("app.resources, Version=1.2.3.4, Culture=it, PublicKeyToken=null").FullName);
        var asked = new AssemblyName("app.resources") { CultureInfo = CultureInfo.GetCultureInfo("de-AT"), Version = new Version(1, 2, 3, 4) };
        Attempt("by AssemblyName", () => Assembly.Load(asked).FullName);
        Console.WriteLine(string.Join(" ", AppDomain.CurrentDomain.GetAssemblies().Select(a => a.GetName()).Where(n => n.Name == "app.resources").Select(n => n.CultureName).OrderBy(n => n)));
    }

    static void Missing()
    {
        var none = new ResourceManager("no.such.words", typeof(Program).Assembly);
        Attempt("no resources", () => none.GetString("hello", CultureInfo.InvariantCulture));
        Attempt("no resources for de", () => none.GetString("hello", CultureInfo.GetCultureInfo("de")));
        Attempt("null name", () => Words.GetString(null));
        Attempt("not a string", () => Words.GetStream("hello"));
        AppDomain.CurrentDomain.AssemblyResolve += (sender, args) =>
        {
            if (args.Name.StartsWith("app.resources"))
                Console.WriteLine("  asked to resolve " + args.Name);
            return null;
        };
        var again = new ResourceManager("words", typeof(Program).Assembly);
        Attempt("es-MX", () => again.GetString("hello", CultureInfo.GetCultureInfo("es-MX")));
    }

    static void Threads()
    {
        Thread.CurrentThread.CurrentUICulture = CultureInfo.GetCultureInfo("de");
        Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo("fr-FR");
        var inherited = new Thread(() => Console.WriteLine("thread: '{0}' '{1}' {2}", CultureInfo.CurrentUICulture, CultureInfo.CurrentCulture, Words.GetString("hello")));
        inherited.Start();
        inherited.Join();
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.GetCultureInfo("de-AT");
        var set = new Thread(() => Console.WriteLine("default: '{0}' '{1}' {2}", CultureInfo.CurrentUICulture, CultureInfo.CurrentCulture, Words.GetString("hello")));
        set.Start();
        set.Join();
    }

    static void Main()
    {
        foreach (var name in new[] { "", "de", "de-AT", "de-CH", "fr-FR", "en-US" })
            Strings(name);
        Sets();
        Satellites();
        Missing();
        Threads();
    }
}
