// Calls on classes that only this assembly can see, so that the compiler knows all that derives from them.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

static class ClosedClasses
{
    class Base
    {
        public virtual int Kept() { return 1; }
        public virtual int Changed() { return 2; }
        public virtual int Hidden() { return 3; }
        public override string ToString() { return "base"; }
    }
    class Middle : Base { public override int Changed() { return 20; } public new virtual int Hidden() { return 30; } }
    class Leaf : Middle { public override int Hidden() { return 300; } public override string ToString() { return "leaf"; } }

    interface IValue { int Value { get; } }
    class Lone : IValue { public int Value { get { return 7; } } public virtual int Twice() { return 2 * Value; } }
    class Explicit : IValue { int IValue.Value { get { return 8; } } }
    class Again : Explicit, IValue { int IValue.Value { get { return 9; } } }

    class Box<T> { public T Content; public virtual string Name() { return typeof(T).Name; } public virtual T Get() { return Content; } }
    class IntBox : Box<int> { public override int Get() { return Content + 1; } }
    class Pair<T> : Box<List<T>> { public override string Name() { return "pair of " + base.Name(); } }

    abstract class Shape { public abstract int Area(); public virtual int Sides() { return 0; } }
    class Square : Shape { public int Side; public override int Area() { return Side * Side; } public override int Sides() { return 4; } }

    public class Open { public virtual int Get() { return 1; } }
    class Inner : Open { public override int Get() { return 2; } }

    [MethodImpl(MethodImplOptions.NoInlining)] static T Some<T>(T t) { return t; }

    static int test_1_not_overridden() { return Some<Base>(new Leaf()).Kept(); }
    static int test_20_overridden() { return Some<Base>(new Leaf()).Changed(); }
    static int test_3_hidden_by_a_new_slot() { return Some<Base>(new Leaf()).Hidden(); }
    static int test_300_the_new_slot() { return Some<Middle>(new Leaf()).Hidden(); }
    static int test_2_exact_base() { return Some<Base>(new Base()).Changed(); }
    static int test_4_to_string() { return Some<Base>(new Leaf()).ToString().Length; }
    static int test_7_interface_of_a_leaf() { return ((IValue)Some(new Lone())).Value; }
    static int test_14_virtual_of_a_leaf() { return Some(new Lone()).Twice(); }
    static int test_9_interface_implemented_again() { return ((IValue)Some<Explicit>(new Again())).Value; }
    static int test_8_explicit() { return ((IValue)Some(new Explicit())).Value; }
    static int test_5_generic_base() { return Some<Box<int>>(new IntBox { Content = 4 }).Get(); }
    static int test_6_generic_base_of_another() { return Some<Box<long>>(new Box<long> { Content = 6 }).Get() == 6 ? 6 : 0; }
    static int test_12_generic_derived() { return Some<Box<List<string>>>(new Pair<string>()).Name().Length - 2; }
    static int test_9_abstract() { return Some<Shape>(new Square { Side = 3 }).Area(); }
    static int test_4_of_abstract() { return Some<Shape>(new Square()).Sides(); }
    static int test_2_open() { return Some<Open>(new Inner()).Get(); }
    static int test_0_null()
    {
        try { return Some<Lone>(null).Twice(); } catch (NullReferenceException) { return 0; }
    }
    static int test_2_casts()
    {
        object leaf = Some<object>(new Leaf()), lone = Some<object>(new Lone());
        return (leaf is Base && leaf is Middle && leaf is Leaf && !(lone is Base) ? 1 : 0) + (lone is Lone && !(leaf is Lone) ? 1 : 0);
    }
}
