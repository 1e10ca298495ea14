// The four normalization forms: against a file of `text;NFC;NFD;NFKC;NFKD` (UTF-16 code units in hexadecimal) if one is named, and by hand.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

static class Program
{
    static readonly NormalizationForm[] Forms = { NormalizationForm.FormC, NormalizationForm.FormD, NormalizationForm.FormKC, NormalizationForm.FormKD };

    static string Codes(string text) => string.Join(" ", text.Select(c => ((int)c).ToString("x4")));

    static string Text(string codes) => string.Concat(codes.Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries).Select(c => (char)Convert.ToInt32(c, 16)));

    static void Known()
    {
        foreach (var text in new[] { "", "plain ASCII", "\u00e9", "e\u0301", "\u212b", "A\u030a", "\ufb01", "\u1e9b\u0323", "\u0344", "\uac00", "\u1100\u1161\u11a8", "\u0958", "q\u0307\u0323", "\u2126", "\u00bd", "\uff76\uff9e",
            "\u30ab\u3099", "\u0f73", "\u1fee", "\u01c4", "\u2460", "\u3300" })
            Console.WriteLine("{0}: {1}", Codes(text), string.Join("; ", Forms.Select(f => Codes(text.Normalize(f)) + (text.IsNormalized(f) ? " yes" : " no"))));
        Console.WriteLine("{0} {1} {2}", "e\u0301" == "\u00e9", "e\u0301".Normalize() == "\u00e9", "\u00e9".IsNormalized());
        foreach (var wrong in new Func<object>[] { () => "a\ud800b".Normalize(), () => "a".Normalize((NormalizationForm)3), () => "\ufffe".IsNormalized() })
        {
            try { Console.WriteLine(Codes(wrong().ToString())); }
            catch (Exception e) { Console.WriteLine("{0}: {1}", e.GetType(), e.Message.Split('\n')[0]); }
        }
    }

    static int Check(string file)
    {
        int lines = 0, wrong = 0;
        foreach (var line in File.ReadLines(file))
        {
            var columns = line.Split(';').Select(Text).ToArray();
            lines++;
            for (var form = 0; form < Forms.Length; form++)
            {
                var got = columns[0].Normalize(Forms[form]);
                var right = got == columns[1 + form] && columns[0].IsNormalized(Forms[form]) == (columns[0] == columns[1 + form]) && got.IsNormalized(Forms[form]);
                if (!right && wrong++ < 40)
                    Console.WriteLine("{0} {1}: {2}, not {3}; {4}", Codes(columns[0]), Forms[form], Codes(got), Codes(columns[1 + form]), columns[0].IsNormalized(Forms[form]));
            }
        }
        Console.WriteLine("{0} texts, {1} wrong", lines, wrong);
        return wrong;
    }

    static int Main(string[] args)
    {
        if (args.Length == 1)
            return Check(args[0]) == 0 ? 0 : 1;
        Known();
        return 0;
    }
}
