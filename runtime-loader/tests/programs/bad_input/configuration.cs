using System; using System.Configuration; using System.Runtime.InteropServices;
class Uses { public static string V() { return typeof(Good).Assembly.GetName().Version.ToString(); } }
class P {
  static void T(string what, Func<object> f) {
        try { Console.WriteLine(what + ": " + (f() ?? "null")); }
        catch (Exception e) { Console.Write(what + ": "); for (; e != null; e = e.InnerException) { Console.Write(e.GetType().FullName + ": " + e.Message.Replace(AppDomain.CurrentDomain.BaseDirectory, "")); if (e.InnerException != null) Console.Write(" <- "); } Console.WriteLine(); } }
  [DllImport("mapped")] static extern int getpid();
  [DllImport("renamed", EntryPoint="whatever")] static extern int F();
  static void Main() {
    T("redirect", Uses.V); T("settings", () => ConfigurationManager.AppSettings["x"]); T("again", () => ConfigurationManager.AppSettings["x"]);
    T("section", () => ConfigurationManager.GetSection("mine")); T("conn", () => ConfigurationManager.ConnectionStrings["c"]);
    T("mapped", () => getpid() > 0); T("renamed", () => F() > 0);
    T("trace", () => { System.Diagnostics.Trace.WriteLine("x"); return 1; });
    T("open", () => ConfigurationManager.OpenExeConfiguration(ConfigurationUserLevel.None).AppSettings.Settings.Count);
    T("xml", () => { new System.Xml.Serialization.XmlSerializer(typeof(int)); return 1; });
    T("uri", () => new Uri("http://a/b").Host);
  } }
