// Exists when the library is compiled and is gone when it is used.
public class DepBase { public virtual string V() { return "dep"; } public int F; public static void Gone() { } } public interface IDep { } public struct DepS { public int A; } public class DepAttr : System.Attribute { public DepAttr(int i) { } public int P { get; set; } } public enum DepE { X = 4 }
