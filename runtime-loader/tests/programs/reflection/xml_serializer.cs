// XmlSerializer: attributes, enums, nullables, lists, derived classes, errors.
using System; using System.IO; using System.Collections.Generic; using System.Xml.Serialization;
public enum Kind { A, [XmlEnum("bee")] B }
public class Item { [XmlAttribute] public int Id; public string Name { get; set; } public double? V; public Kind K; public List<string> Tags = new List<string>(); }
[XmlRoot("doc")] public class Doc { [XmlElement("it")] public Item[] Items; public DateTime When; [XmlIgnore] public int Skip; public Base Any; public byte[] Data; }
[XmlInclude(typeof(Derived))] public class Base { public int X; } public class Derived : Base { public string Y; }
class P { static void Main() {
  var d = new Doc { Items = new[] { new Item { Id = 1, Name = "one", V = 1.5, K = Kind.B, Tags = { "x", "y" } }, new Item { Id = 2 } }, When = new DateTime(2020, 1, 2, 3, 4, 5), Any = new Derived { X = 4, Y = "z" }, Data = new byte[] { 1, 2, 3 } };
  var s = new XmlSerializer(typeof(Doc));
  var w = new StringWriter(); s.Serialize(w, d); Console.WriteLine(w);
  var r = (Doc)s.Deserialize(new StringReader(w.ToString()));
  Console.WriteLine(r.Items.Length + " " + r.Items[0].Name + r.Items[0].V + r.Items[0].K + string.Join(",", r.Items[0].Tags) + r.Items[1].V.HasValue + r.When.Ticks + ((Derived)r.Any).Y + r.Data.Length);
  var s2 = new XmlSerializer(typeof(List<int>)); w = new StringWriter(); s2.Serialize(w, new List<int> { 1, 2 }); Console.WriteLine(w);
  try { s.Deserialize(new StringReader("<bad/>")); } catch (InvalidOperationException e) { Console.WriteLine(e.Message + "|" + (e.InnerException == null ? "" : e.InnerException.Message)); }
} }
