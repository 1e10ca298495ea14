[assembly: System.Reflection.AssemblyVersion("1.2.3.4")]
public class Good { public static int M() { return 1; } }
