// Casing by culture, comparison and search by the collation of the class libraries, sort keys.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

static class Program
{
    static CultureInfo Get(string name) => CultureInfo.GetCultureInfo(name);

    static string Codes(string text) => string.Concat(text.Select(c => c < 0x7f ? c.ToString() : "\\u" + ((int)c).ToString("x4")));

    static void Casing()
    {
        foreach (var name in new[] { "", "en-US", "tr-TR", "az-Latn-AZ", "lt-LT", "el-GR", "de-DE" })
        {
            var info = Get(name).TextInfo;
            Console.WriteLine("'{0}': {1} {2} {3} {4}", name, Codes(info.ToUpper("istanbul \u0131 \u00df \u03c2 \u01c6 \u00e9\ufb01")), Codes(info.ToLower("ISTANBUL \u0130 \u03a3 \u01c4 \u00c9")),
                Codes(info.ToTitleCase("hello wORLD NATO it's iron-i")), Codes(info.ToUpper('i').ToString() + info.ToLower('I')));
        }
        Console.WriteLine("{0} {1} {2}", Codes("title i".ToUpper(Get("tr-TR"))), Codes("TITLE I".ToLower(Get("tr"))), Codes("title i".ToUpperInvariant()));
        Console.WriteLine("{0} {1}", char.ToUpper('i', Get("tr-TR")) == '\u0130', char.ToUpperInvariant('i'));
        CultureInfo.CurrentCulture = Get("tr-TR");
        Console.WriteLine("{0} {1} {2}", Codes("file".ToUpper()), "FILE".Equals("file", StringComparison.CurrentCultureIgnoreCase), "FILE".Equals("file", StringComparison.OrdinalIgnoreCase));
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        // Every character outside the surrogates changes as the tables say.
        foreach (var name in new[] { "", "tr-TR" })
        {
            uint upper = 17, lower = 17;
            for (var c = 0; c < 0x10000; c++)
            {
                upper = upper * 31 + Get(name).TextInfo.ToUpper((char)c);
                lower = lower * 31 + Get(name).TextInfo.ToLower((char)c);
            }
            Console.WriteLine("all characters '{0}': {1:x8} {2:x8}", name, upper, lower);
        }
    }

    static void Sorting()
    {
        var words = new[] { "zebra", "\u00e4pfel", "apfel", "Apfel", "\u00c4pfel", "\u00f6l", "ofen", "\u00e5l", "co-op", "coop", "CO-OP", "cote", "c\u00f4te", "cot\u00e9", "c\u00f4t\u00e9", "a-b", "ab",
            "lla", "luz", "chico", "cz", "\u00f1u", "nz", "i", "\u0131", "I", "\u0130", "\u0153uvre", "oeuvre", "stra\u00dfe", "strasse", "", "1", "10", "9", "_x", "$y", "\u3042", "\u30a2", "\uff71", "\u65e5", "\u4e2d" };
        foreach (var name in new[] { "", "en-US", "de-DE", "sv-SE", "fr-FR", "es-ES", "tr-TR", "cs-CZ", "da-DK", "ja-JP", "zh-CN", "hu-HU" })
        {
            var sorted = words.OrderBy(w => w, StringComparer.Create(Get(name), false)).ToArray();
            Console.WriteLine("'{0}': {1}", name, string.Join(" ", sorted.Select(Codes)));
        }
        Console.WriteLine("ordinal: " + string.Join(" ", words.OrderBy(w => w, StringComparer.Ordinal).Select(Codes)));
    }

    static void Comparing()
    {
        var pairs = new[] { "a A", "a \u00e4", "resume r\u00e9sum\u00e9", "\u3042 \u30a2", "\u30a2 \uff71", "co-op coop", "ss \u00df", "ae \u00e6", "\ufb01 fi", "a\u0301 \u00e1", "A\u030a \u212b", "i I", "\u0131 I", "abc abd",
            "a! a", "1 \u00b9", "x\u00ad xx" };
        var options = new[] { CompareOptions.None, CompareOptions.IgnoreCase, CompareOptions.IgnoreNonSpace, CompareOptions.IgnoreSymbols, CompareOptions.IgnoreKanaType, CompareOptions.IgnoreWidth,
            CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace, CompareOptions.StringSort, CompareOptions.Ordinal, CompareOptions.OrdinalIgnoreCase };
        foreach (var name in new[] { "", "tr-TR", "sv-SE" })
            foreach (var pair in pairs)
            {
                var ab = pair.Split(' ');
                var info = Get(name).CompareInfo;
                Console.WriteLine("'{0}' {1}: {2}", name, Codes(pair), string.Join(" ", options.Select(o => Math.Sign(info.Compare(ab[0], ab[1], o)))));
            }
        Console.WriteLine("{0} {1}", string.Compare("a", null, StringComparison.CurrentCulture), string.Compare("abcdef", 2, "xxcdxx", 2, 2, true, Get("en-US")));
    }

    static void Searching()
    {
        var info = Get("en-US").CompareInfo;
        var text = "The caf\u00e9 at Cafe\u0301 STRASSE Stra\u00dfe";
        foreach (var what in new[] { "CAF\u00c9", "cafe", "cafe\u0301", "strasse", "", "at", "zz", "\u00ad" })
            Console.WriteLine("{0}: {1} {2} {3} {4} {5} {6}", Codes(what), info.IndexOf(text, what), info.IndexOf(text, what, CompareOptions.IgnoreCase),
                info.IndexOf(text, what, CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace), info.LastIndexOf(text, what, CompareOptions.IgnoreCase),
                info.IsPrefix(text, what), info.IsSuffix(text, what, CompareOptions.IgnoreCase));
        Console.WriteLine("{0} {1} {2}", "\u00e9t\u00e9".StartsWith("e\u0301", StringComparison.InvariantCulture), "\u00e9t\u00e9".StartsWith("e", StringComparison.InvariantCulture), "straSSE".EndsWith("\u00dfe", true, Get("de-DE")));
        Console.WriteLine("{0} {1} {2}", "na\u00efve".IndexOf("i\u0308", StringComparison.CurrentCulture), "abc".Contains("B"), "ABC".IndexOf("b", StringComparison.OrdinalIgnoreCase));
    }

    static void Keys()
    {
        foreach (var word in new[] { "abc", "ABC", "\u00e4bc", "a-bc", "\u30a2\u3042", "stra\u00dfe" })
        {
            var key = Get("de-DE").CompareInfo.GetSortKey(word);
            Console.WriteLine("{0}: {1} / {2}", Codes(word), BitConverter.ToString(key.KeyData), BitConverter.ToString(Get("de-DE").CompareInfo.GetSortKey(word, CompareOptions.IgnoreCase).KeyData));
        }
        var info = Get("sv-SE").CompareInfo;
        Console.WriteLine("{0} {1}", Math.Sign(SortKey.Compare(info.GetSortKey("\u00e4"), info.GetSortKey("z"))), Math.Sign(info.Compare("\u00e4", "z")));
        var ignoring = StringComparer.Create(Get("de-DE"), true);
        var set = new HashSet<string>(new[] { "abc", "ABC", "Abc", "\u00e4", "\u00c4" }, ignoring);
        Console.WriteLine(set.Count);
    }

    static void Main()
    {
        Casing();
        Sorting();
        Comparing();
        Searching();
        Keys();
    }
}
