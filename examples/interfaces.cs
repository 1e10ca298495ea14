// Interfaces: explicit implementation, variance, re-implementation, default dispatch on structs and arrays.
using System;
using System.Collections;
using System.Collections.Generic;

interface IAnimal { string Sound(); string Name { get; } }
interface IPet : IAnimal { string Owner { get; } }
interface IProducer<out T> { T Produce(); }
interface IConsumer<in T> { string Consume(T item); }
interface ILeft { string Who(); }
interface IRight { string Who(); }

class Animal : IAnimal { public virtual string Sound() => "..."; public string Name => GetType().Name; }
class Dog : Animal, IPet { public override string Sound() => "woof"; public string Owner => "Bob"; }
class Puppy : Dog, IAnimal { string IAnimal.Sound() => "yip"; }
class Both : ILeft, IRight { string ILeft.Who() => "left"; string IRight.Who() => "right"; public string Who() => "both"; }
class Kennel : IProducer<Dog>, IConsumer<IAnimal>
{
    public Dog Produce() => new Puppy();
    public string Consume(IAnimal a) => "took " + a.Name;
}
struct Celsius : IComparable<Celsius>, IFormattable
{
    public double Degrees;
    public int CompareTo(Celsius o) => Degrees.CompareTo(o.Degrees);
    public string ToString(string format, IFormatProvider p) => Degrees.ToString(format, p) + "C";
}
class Range : IEnumerable<int>
{
    readonly int from, to;
    public Range(int from, int to) { this.from = from; this.to = to; }
    public IEnumerator<int> GetEnumerator() { for (int i = from; i < to; i++) yield return i; }
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
class Multi : IProducer<string>, IProducer<int>, IEquatable<Multi>, IDisposable, ICloneable, IComparable, IConvertibleLike
{
    string IProducer<string>.Produce() => "s"; int IProducer<int>.Produce() => 7;
    public bool Equals(Multi other) => true; public void Dispose() { } public object Clone() => new Multi(); public int CompareTo(object o) => 0; public int ToNumber() => 12;
}
interface IConvertibleLike { int ToNumber(); }
abstract class Template { public string Run() => Step() + Hook(); protected abstract string Step(); protected virtual string Hook() => "!"; }
class Concrete : Template { protected override string Step() => "step"; protected override string Hook() => base.Hook() + "?"; }
class Hiding : Concrete { public new string Run() => "hidden"; }

static class Interfaces
{
    static string Call(IAnimal a) => a.Name + ":" + a.Sound();
    static int Total(IEnumerable<int> items) { int t = 0; foreach (int i in items) t += i; return t; }
    static int CountAll(IEnumerable items) { int n = 0; foreach (object o in items) n++; return n; }

    static void Main()
    {
        foreach (IAnimal a in new IAnimal[] { new Animal(), new Dog(), new Puppy() }) Console.Write(Call(a) + " ");
        Console.WriteLine(new Puppy().Sound());
        object o = new Puppy(); Console.WriteLine((o is IPet) + " " + (o as IPet).Owner + " " + (o is ILeft) + " " + ((o as IRight) == null));
        var both = new Both(); Console.WriteLine(((ILeft)both).Who() + ((IRight)both).Who() + both.Who());
        var kennel = new Kennel(); IProducer<IAnimal> producer = kennel; IConsumer<Puppy> consumer = kennel;
        Console.WriteLine(producer.Produce().Sound() + " " + consumer.Consume(new Puppy()) + " " + (kennel is IProducer<object>) + " " + ((object)kennel is IConsumer<object>));
        IEnumerable<object> objects = new List<string> { "x", "y" }; foreach (object s in objects) Console.Write(s); Console.WriteLine();
        Func<Animal> make = () => new Dog(); Func<IAnimal> asInterface = make; Action<object> print = x => Console.Write(x + " "); Action<string> printString = print; printString(asInterface().Name);
        var temps = new List<Celsius> { new Celsius { Degrees = 30 }, new Celsius { Degrees = -5 }, new Celsius { Degrees = 12 } }; temps.Sort(); Console.WriteLine($"{temps[0]:F1} {temps[2]:F0}");
        IComparable<Celsius> boxed = temps[0]; Console.WriteLine(boxed.CompareTo(temps[1]));
        Console.WriteLine(Total(new Range(1, 11)) + " " + Total(new[] { 1, 2, 3 }) + " " + Total(new List<int> { 4, 5 }) + " " + CountAll("hello") + " " + CountAll(new Range(0, 3)));
        IList<string> array = new[] { "p", "q" }; Console.WriteLine(array.Count + array[1] + array.IndexOf("q") + array.Contains("z") + array.IsReadOnly);
        try { array.Add("r"); } catch (NotSupportedException) { Console.WriteLine("fixed size"); }
        ICollection<object> covariant = new string[] { "a" }; Console.WriteLine(covariant.Count + " " + (new int[0] is IList<uint>) + " " + ((object)new int[0] is IEnumerable<object>) + " " + (new string[0] is IEnumerable<object>));
        var multi = new Multi(); Console.WriteLine(((IProducer<string>)multi).Produce() + ((IProducer<int>)multi).Produce() + ((IConvertibleLike)multi).ToNumber() + ((IComparable)multi).CompareTo(null) + (((ICloneable)multi).Clone() is Multi));
        Console.WriteLine(new Concrete().Run() + " " + new Hiding().Run() + " " + ((Template)new Hiding()).Run());
        try { object n = (IPet)(object)new Animal(); } catch (InvalidCastException) { Console.WriteLine("an animal is no pet"); }
        int calls = 0; IAnimal[] zoo = { new Animal(), new Dog(), new Puppy() }; for (int i = 0; i < 30000; i++) calls += zoo[i % 3].Sound().Length; Console.WriteLine(calls);
    }
}
