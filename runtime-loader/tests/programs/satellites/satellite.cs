// The code of a satellite assembly: its culture only.
using System.Reflection;

[assembly: AssemblyVersion("1.2.3.4")]
[assembly: AssemblyCulture(CULTURE)]
