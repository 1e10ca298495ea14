// Runs the tests of an assembly with NUnit's engine.
using System;
using System.IO;
using NUnit.Core;

class Listener : EventListener
{
    public void RunStarted(string name, int count) { Console.WriteLine("{0} tests", count); }
    public void RunFinished(TestResult result) { Console.WriteLine("finished: {0}", result.ResultState); }
    public void RunFinished(Exception e) { Console.WriteLine(e); }
    public void TestStarted(TestName name) { Console.WriteLine("{0} ...", name.Name); }
    public void TestFinished(TestResult result) { Console.WriteLine("{0}: {1} {2}", result.Name, result.ResultState, result.Message); }
    public void SuiteStarted(TestName name) { }
    public void SuiteFinished(TestResult result) { Console.WriteLine("suite {0}: {1}", result.Name, result.ResultState); }
    public void UnhandledException(Exception e) { Console.WriteLine(e); }
    public void TestOutput(TestOutput output) { Console.Write(output.Text); }
}

class Unit
{
    static void Main(string[] args)
    {
        CoreExtensions.Host.InitializeService();
        var runner = new SimpleTestRunner();
        Console.WriteLine(runner.Load(new TestPackage(Path.GetFullPath(args[0]))));
        var result = runner.Run(new Listener(), TestFilter.Empty, false, LoggingThreshold.Off);
        Console.WriteLine("{0} {1}", result.ResultState, result.IsFailure);
    }
}
