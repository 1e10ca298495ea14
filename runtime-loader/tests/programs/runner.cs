using System;
using System.Reflection;

// Runs every static method `test_<expected>_<name>` (m is a minus sign) of the assemblies named. The exit status is the
// number of failures.
static class Runner {
  static int Main(string[] paths) {
    int bad = 0, ran = 0;
    var all = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    foreach (var path in paths)
      foreach (var type in Assembly.LoadFrom(path).GetTypes())
        foreach (var method in type.GetMethods(all)) {
          var parts = method.Name.Split(new[] { '_' }, 3);
          if (parts.Length < 3 || parts[0] != "test") continue;
          ran++;
          var got = Call(method);
          if (parts[1].Replace('m', '-') == got) continue;
          bad++;
          Console.WriteLine("{0}: {1}", method.Name, got);
        }
    if (ran == 0) { Console.WriteLine("no tests"); bad++; }
    return bad;
  }

  static string Call(MethodInfo method) {
    try {
      return Convert.ToString(method.Invoke(null, null));
    } catch (TargetInvocationException e) {
      return e.InnerException.ToString();
    }
  }
}
