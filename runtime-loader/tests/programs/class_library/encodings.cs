// Encodings: those of the core library and the code pages of the I18N assemblies, their names, preambles, fallbacks, decoders
// that keep state, and readers that find out the encoding.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

static class Program
{
    static string Hex(byte[] bytes) => BitConverter.ToString(bytes).ToLowerInvariant();

    static string Codes(string text) => string.Join(" ", text.Select(c => ((int)c).ToString("x4")));

    static void Names()
    {
        foreach (var name in new[] { "utf-8", "utf-16", "utf-16BE", "utf-32", "utf-32BE", "utf-7", "us-ascii", "iso-8859-1",
            "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
            "windows-1255", "windows-1256", "windows-1257", "IBM437", "ibm850", "koi8-r", "koi8-u", "shift_jis", "euc-jp",
            "iso-2022-jp", "gb2312", "gb18030", "big5", "euc-kr", "macintosh", "latin1", "UTF8", "unicode", "ascii" })
            Describe(name, () => Encoding.GetEncoding(name));
        foreach (var page in new[] { 0, 37, 437, 850, 866, 932, 936, 949, 950, 1200, 1201, 1252, 10000, 12000, 12001, 20127, 20866, 28591, 28605, 51932, 65000, 65001 })
            Describe(page.ToString(), () => Encoding.GetEncoding(page));
        Describe("no-such-encoding", () => Encoding.GetEncoding("no-such-encoding"));
        Describe("12345", () => Encoding.GetEncoding(12345));
        Describe("-1", () => Encoding.GetEncoding(-1));
        Describe("null", () => Encoding.GetEncoding(null));
    }

    static void Describe(string asked, Func<Encoding> find)
    {
        try
        {
            var e = find();
            Console.WriteLine("{0}: {1} {2} {3} '{4}' single {5} max {6} {7} preamble {8} browser {9}/{10} mail {11}/{12}", asked, e.CodePage, e.WebName,
                e.HeaderName, e.EncodingName, e.IsSingleByte, e.GetMaxByteCount(10), e.GetMaxCharCount(10), Hex(e.GetPreamble()),
                e.IsBrowserDisplay, e.IsBrowserSave, e.IsMailNewsDisplay, e.IsMailNewsSave);
        }
        catch (Exception e)
        {
            Console.WriteLine("{0}: {1}: {2}", asked, e.GetType(), e.Message);
        }
    }

    static void RoundTrips()
    {
        var texts = new Dictionary<string, string> {
            { "iso-8859-1", "caf\u00e9 \u00ff" }, { "iso-8859-15", "5 \u20ac \u0152" }, { "windows-1252", "\u201cquotes\u201d \u2026 \u20ac" },
            { "windows-1251", "\u041f\u0440\u0438\u0432\u0435\u0442" }, { "koi8-r", "\u041f\u0440\u0438\u0432\u0435\u0442" },
            { "windows-1253", "\u03b1\u03b2\u03b3" }, { "windows-1254", "\u0131\u011f" }, { "windows-1255", "\u05d0\u05d1" }, { "windows-1256", "\u0639\u0631" },
            { "IBM437", "\u2554\u2550\u2557 \u00e9" }, { "IBM037", "EBCDIC 123" },
            { "shift_jis", "\u65e5\u672c\u8a9e \uff76\uff85 abc" }, { "euc-jp", "\u65e5\u672c\u8a9e abc" }, { "iso-2022-jp", "\u65e5\u672c\u8a9e abc" },
            { "gb2312", "\u4e2d\u6587 abc" }, { "gb18030", "\u4e2d\u6587 \ud83d\ude00" }, { "big5", "\u4e2d\u6587 abc" }, { "euc-kr", "\ud55c\uae00 abc" },
            { "utf-7", "a+b \u20ac" }, { "utf-16", "a\u20ac\ud83d\ude00" }, { "utf-16BE", "a\u20ac\ud83d\ude00" }, { "utf-32", "a\u20ac\ud83d\ude00" },
            { "utf-32BE", "a\ud83d\ude00" }, { "utf-8", "a\u00e9\u20ac\ud83d\ude00" } };
        foreach (var pair in texts)
        {
            var encoding = Encoding.GetEncoding(pair.Key);
            var bytes = encoding.GetBytes(pair.Value);
            var back = encoding.GetString(bytes);
            Console.WriteLine("{0}: {1} -> {2} ({3}, {4}) {5}", pair.Key, Hex(bytes), back == pair.Value ? "same" : Codes(back),
                encoding.GetByteCount(pair.Value), encoding.GetCharCount(bytes), encoding.GetChars(bytes, 0, bytes.Length).Length);
        }
    }

    static void Fallbacks()
    {
        foreach (var name in new[] { "us-ascii", "iso-8859-1", "windows-1252", "utf-8", "utf-16", "utf-32" })
        {
            Attempt(name + " replace", () => Hex(Encoding.GetEncoding(name).GetBytes("x\u4e00\ud800y")));
            Attempt(name + " custom", () => Hex(Encoding.GetEncoding(name, new EncoderReplacementFallback("<?>"), DecoderFallback.ReplacementFallback).GetBytes("x\u4e00\ud800y")));
            Attempt(name + " strict", () => Hex(Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback).GetBytes("x\u4e00\ud800y")));
        }
        var wrong = new byte[] { 0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x98, 0x80, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xe2 };
        Attempt("decode utf-8", () => Codes(Encoding.UTF8.GetString(wrong)));
        Attempt("decode ascii", () => Codes(Encoding.ASCII.GetString(wrong)));
        Attempt("decode utf-16", () => Codes(Encoding.Unicode.GetString(new byte[] { 0x00, 0xd8, 0x61, 0x00, 0x01 })));
        Attempt("decode utf-32", () => Codes(Encoding.UTF32.GetString(new byte[] { 0, 0, 0x11, 0, 0x61, 0, 0, 0, 1 })));
        Attempt("decode strict", () => new UTF8Encoding(false, true).GetString(wrong));
        Attempt("decode ascii strict", () => Encoding.GetEncoding("us-ascii", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback).GetString(wrong));
        try { new UTF8Encoding(false, true).GetBytes("ab\ud800"); }
        catch (EncoderFallbackException e) { Console.WriteLine("{0} at {1}, unknown {2:x4}", e.GetType().Name, e.Index, (int)e.CharUnknown); }
        try { new UTF8Encoding(false, true).GetString(wrong); }
        catch (DecoderFallbackException e) { Console.WriteLine("{0} at {1}, unknown {2}", e.GetType().Name, e.Index, Hex(e.BytesUnknown)); }
    }

    static void Attempt(string what, Func<string> act)
    {
        try { Console.WriteLine("{0}: {1}", what, act()); }
        catch (Exception e) { Console.WriteLine("{0}: {1}: {2}", what, e.GetType(), e.Message); }
    }

    static void State()
    {
        foreach (var name in new[] { "utf-8", "utf-16", "utf-32", "shift_jis", "euc-kr", "utf-7" })
        {
            var encoding = Encoding.GetEncoding(name);
            var bytes = encoding.GetBytes("\u65e5\u672c \u8a9e");
            var decoder = encoding.GetDecoder();
            var text = new StringBuilder();
            var chars = new char[8];
            foreach (var b in bytes)
            {
                var n = decoder.GetChars(new[] { b }, 0, 1, chars, 0);
                text.Append(chars, 0, n);
            }
            Console.WriteLine("{0} byte by byte: {1}", name, Codes(text.ToString()));
        }
        var encoder = Encoding.UTF8.GetEncoder();
        var buffer = new byte[16];
        var first = encoder.GetBytes(new[] { 'a', '\ud83d' }, 0, 2, buffer, 0, false);
        var second = encoder.GetBytes(new[] { '\ude00', 'b' }, 0, 2, buffer, first, true);
        Console.WriteLine("{0} + {1}: {2}", first, second, Hex(buffer.Take(first + second).ToArray()));
        int charsUsed, bytesUsed;
        bool completed;
        Encoding.UTF8.GetEncoder().Convert("\u20ac\u20ac\u20ac".ToCharArray(), 0, 3, buffer, 0, 7, true, out charsUsed, out bytesUsed, out completed);
        Console.WriteLine("converted {0} to {1}, {2}", charsUsed, bytesUsed, completed);
        Console.WriteLine(Hex(Encoding.Convert(Encoding.GetEncoding("windows-1251"), Encoding.UTF8, new byte[] { 0xcf, 0xf0, 0xe8 })));
    }

    static void Files()
    {
        foreach (var encoding in new Encoding[] { new UTF8Encoding(true), Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32, new UTF32Encoding(true, true), new UTF8Encoding(false) })
        {
            var stream = new MemoryStream();
            var writer = new StreamWriter(stream, encoding);
            writer.Write("gr\u00fc\u00df \ud83d\ude00\n");
            writer.Flush();
            stream.Position = 0;
            var reader = new StreamReader(stream, Encoding.ASCII, true);
            var text = reader.ReadToEnd();
            Console.WriteLine("{0}: {1} read as {2}: {3}", encoding.WebName, Hex(stream.ToArray()), reader.CurrentEncoding.WebName, Codes(text));
        }
        var latin = new StreamReader(new MemoryStream(new byte[] { 0xe9, 0x0d, 0x0a, 0xe8 }), Encoding.GetEncoding("iso-8859-1"));
        Console.WriteLine(Codes(latin.ReadLine()) + " / " + Codes(latin.ReadLine()));
    }

    static void All()
    {
        var all = Encoding.GetEncodings();
        Console.WriteLine("{0} encodings: {1}", all.Length, string.Join(" ", all.Select(e => e.CodePage + "=" + e.Name)));
        // Every byte of every single-byte encoding.
        foreach (var info in all)
        {
            var encoding = info.GetEncoding();
            if (!encoding.IsSingleByte)
                continue;
            var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
            var text = encoding.GetString(bytes);
            var back = encoding.GetBytes(text);
            var sum = text.Aggregate(17u, (a, c) => a * 31 + c);
            Console.WriteLine("{0}: {1:x8}, {2} of 256 come back", info.Name, sum, back.Zip(bytes, (a, b) => a == b).Count(b => b));
        }
        Console.WriteLine(Encoding.UTF8.Equals(new UTF8Encoding(true)) + " " + Encoding.UTF8.Equals(new UTF8Encoding(false)) + " " + Encoding.UTF8.IsReadOnly);
        var clone = (Encoding)Encoding.UTF8.Clone();
        clone.EncoderFallback = new EncoderReplacementFallback("!");
        Console.WriteLine(clone.IsReadOnly + " " + Hex(clone.GetBytes("\udc00")));
    }

    static void Main()
    {
        Names();
        RoundTrips();
        Fallbacks();
        State();
        Files();
        All();
    }
}
