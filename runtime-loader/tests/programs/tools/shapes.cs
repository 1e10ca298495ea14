// A library for tools to look at.
using System;
using System.Collections.Generic;
using System.Xml.Serialization;

public class Point { public int X; public string Name { get; set; } [XmlAttribute] public double Weight; public Point[] Near; }

public enum Colour : byte { Red = 1, Green, Blue = 0x80 }

public interface IShape<in T> where T : struct { double Area(T unit); }

public struct Circle : IShape<int>
{
    public double Radius;
    public const string Kind = "circle";
    public double Area(int unit) { checked { return Radius * Radius * 3 * unit; } }
}

[Obsolete("use Circle")]
public abstract class Shape
{
    protected readonly Dictionary<string, List<Colour?>> colours = new Dictionary<string, List<Colour?>>();
    public event EventHandler Changed;
    public int this[int at] { get { try { return colours.Count / at; } catch (DivideByZeroException) { return -1; } finally { OnChanged(); } } }
    protected virtual void OnChanged() { if (Changed != null) Changed(this, EventArgs.Empty); }
    public IEnumerable<int> Numbers(int n) { for (int i = 0; i < n; i++) if (i % 3 != 1) yield return i; }
    public static T Largest<T>(params T[] all) where T : IComparable<T> { T best = all[0]; foreach (T t in all) if (t.CompareTo(best) > 0) best = t; return best; }
}
