// Tests for NUnit to run: passing, failing, ignored, erroneous.
using System;
using NUnit.Framework;

[TestFixture]
public class Arithmetic
{
    int one;
    [SetUp] public void SetUp() { one = 1; }
    [Test] public void Adds() { Assert.AreEqual(2, one + 1); }
    [Test] public void Fails() { Assert.That("abc", Is.EqualTo("abd")); }
    [Test, ExpectedException(typeof(InvalidOperationException))] public void Throws() { throw new InvalidOperationException("x"); }
    [TestCase(1, 2, 3)] [TestCase(2, 2, 5)] public void Sum(int a, int b, int sum) { Assert.AreEqual(sum, a + b); }
    [Test, Ignore("later")] public void Ignored() { }
    [Test] public void Error() { object nothing = null; nothing.ToString(); }
    [Test, Combinatorial] public void Products([Values(1, 2)] int a, [Range(1, 3)] int b) { Assert.LessOrEqual(a, a * b); }
}

public class Collections
{
    [Test] public void Contents() { CollectionAssert.AreEquivalent(new[] { 1, 2, 3 }, new[] { 3, 1, 2 }); }
    [Test] public void Order() { Assert.That(new[] { 1, 3, 2 }, Is.Ordered); }
    [Test] public void Close() { Assert.That(1.0 / 3, Is.EqualTo(0.3333).Within(0.001)); Assert.Throws<FormatException>(() => int.Parse("z")); }
}
