using System;
using System.Runtime.CompilerServices;

// Catch clauses whose type depends on generic parameters, in code shared by all reference types.
class E1 : Exception {}
class E2 : Exception {}
class Ex<T> : Exception {}

static class Do {
  [MethodImpl(MethodImplOptions.NoInlining)] public static void Throw(Exception e) { throw e; }
}

class Holder<T> where T : Exception {
  // The context comes from `this`.
  public virtual int Catch(Exception e) {
    try { Do.Throw(e); } catch (T) { return 1; } catch (Exception) { return 2; }
    return 0;
  }
  public int CatchMade(Exception e) {
    try { Do.Throw(e); } catch (Ex<T>) { return 1; } catch (Exception) { return 2; }
    return 0;
  }
  // The hidden argument is a method table.
  public static int StaticCatch(Exception e) {
    try { Do.Throw(e); } catch (T) { return 1; } catch { return 2; }
    return 0;
  }
  public int Loop(Exception e, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
      try { try { Do.Throw(e); } catch (T) { sum += i; } finally { sum += 100; } } catch (Exception) { sum += 1000; }
    }
    return sum;
  }
}

class Derived : Holder<E2> {}

static class M {
  // The hidden argument is a method.
  public static int Catch<T>(Exception e) where T : Exception {
    try { Do.Throw(e); } catch (T t) { return t == e ? 1 : 3; } catch (Exception) { return 2; }
    return 0;
  }
  public static int Nested<T, U>(Exception e) where T : Exception where U : Exception {
    try {
      try { Do.Throw(e); } catch (T) { return 1; } finally { GC.Collect(); }
    } catch (U) { return 2; } catch { return 3; }
    return 0;
  }
  public static int InHandler<T>(Exception e) where T : Exception {
    try { Do.Throw(e); } catch (Exception first) {
      try { Do.Throw(first); } catch (T) { return 1; } catch (Exception) { return 2; }
    }
    return 0;
  }
  public static int InFinally<T>(Exception e) where T : Exception {
    int r = 0;
    try { try { Do.Throw(new E2()); } finally { try { Do.Throw(e); } catch (T) { r = 5; } } }
    catch (E2) { r += 1; } catch (Exception) { r = 7; }
    return r;
  }
}

struct S<T> where T : Exception {
  public int Catch(Exception e) {
    try { Do.Throw(e); } catch (T) { return 1; } catch (Exception) { return 2; }
    return 0;
  }
}

static class Tests {
  public static int test_12_method() { return M.Catch<E1>(new E1()) * 10 + M.Catch<E1>(new E2()); }
  public static int test_11_base() { return M.Catch<Exception>(new E1()) * 10 + M.Catch<E2>(new E2()); }
  public static int test_12_this() { return new Holder<E1>().Catch(new E1()) * 10 + new Holder<E1>().Catch(new E2()); }
  public static int test_21_derived() { return new Derived().Catch(new E1()) * 10 + new Derived().Catch(new E2()); }
  public static int test_12_made() { return new Holder<E1>().CatchMade(new Ex<E1>()) * 10 + new Holder<E1>().CatchMade(new Ex<E2>()); }
  public static int test_12_static() { return Holder<E2>.StaticCatch(new E2()) * 10 + Holder<E2>.StaticCatch(new E1()); }
  public static int test_12_struct() { return new S<E1>().Catch(new E1()) * 10 + new S<E1>().Catch(new E2()); }
  public static int test_123_nested() {
    return M.Nested<E1, E2>(new E1()) * 100 + M.Nested<E1, E2>(new E2()) * 10 + M.Nested<E1, E2>(new Exception());
  }
  public static int test_12_inhandler() { return M.InHandler<E1>(new E1()) * 10 + M.InHandler<E2>(new E1()); }
  public static int test_67_infinally() { return M.InFinally<E1>(new E1()) * 10 + M.InFinally<E2>(new E1()); }
  public static int test_4045_loop() { return new Holder<E1>().Loop(new E1(), 10) + new Holder<E1>().Loop(new E2(), 2) + 800; }
  public static int test_3_trap() {
    int r = 0;
    try { r = Null<ArgumentException>(null); } catch (NullReferenceException) { r = 1; }
    return r * 2 + Null<NullReferenceException>(null);
  }
  [MethodImpl(MethodImplOptions.NoInlining)] static int Null<T>(string s) where T : Exception {
    try { return s.Length; } catch (T) { return 1; }
  }
}
