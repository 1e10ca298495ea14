// Mono.Cecil reads an assembly and writes another.
using System;
using System.Linq;
using Mono.Cecil;
using Mono.Cecil.Cil;

class Cecil
{
    static void Main(string[] args)
    {
        foreach (var type in ModuleDefinition.ReadModule(args[0]).Types)
        {
            Console.WriteLine("{0} {1}", type.FullName, type.Attributes);
            foreach (var attribute in type.CustomAttributes) Console.WriteLine("  [{0}]", attribute.AttributeType);
            foreach (var field in type.Fields) Console.WriteLine("  {0} {1}", field, field.Constant);
            foreach (var method in type.Methods)
            {
                Console.WriteLine("  {0}", method);
                if (method.HasBody) foreach (var instruction in method.Body.Instructions) Console.WriteLine("    {0}", instruction);
            }
        }

        var assembly = AssemblyDefinition.CreateAssembly(new AssemblyNameDefinition("made", new Version(1, 0)), "made", ModuleKind.Console);
        var module = assembly.MainModule;
        var program = new TypeDefinition("", "Program", TypeAttributes.Public | TypeAttributes.Class, module.Import(typeof(object)));
        module.Types.Add(program);
        var main = new MethodDefinition("Main", MethodAttributes.Public | MethodAttributes.Static, module.Import(typeof(void)));
        program.Methods.Add(main);
        var il = main.Body.GetILProcessor();
        il.Append(il.Create(OpCodes.Ldstr, "made by Cecil"));
        il.Append(il.Create(OpCodes.Call, module.Import(typeof(Console).GetMethod("WriteLine", new[] { typeof(string) }))));
        il.Append(il.Create(OpCodes.Ret));
        assembly.EntryPoint = main;
        assembly.Write("made.exe");
        Console.WriteLine(AppDomain.CurrentDomain.ExecuteAssembly("made.exe"));
    }
}
