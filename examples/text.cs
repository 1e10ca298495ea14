// Strings, formatting and parsing.
using System;
using System.Globalization;
using System.Text;

static class Text
{
    static void Main()
    {
        string s = "The quick brown fox";
        Console.WriteLine(s.ToUpperInvariant() + "|" + s.Substring(4, 5) + "|" + s.IndexOf("brown") + "|" + s.LastIndexOf('o') + "|" + s.Replace("quick", "slow"));
        Console.WriteLine(s.Split(' ').Length + " " + string.Join("-", s.Split(' ')) + " " + s.StartsWith("The") + " " + s.EndsWith("cat") + " " + s.Contains("fox"));
        Console.WriteLine("[" + "  pad ".Trim() + "][" + "7".PadLeft(3, '0') + "][" + "x".PadRight(3) + "][" + "abc".Insert(1, "--").Remove(0, 1) + "]");
        Console.WriteLine(string.Compare("apple", "banana", StringComparison.Ordinal) < 0);
        Console.WriteLine("Straße".Length + " " + "日本語".Length + " " + "\U0001F600".Length + " " + char.IsSurrogate("\U0001F600"[0]));

        var sb = new StringBuilder();
        for (int i = 0; i < 5; i++) sb.Append(i).Append(',');
        sb.Length--; sb.Insert(0, '<').AppendFormat(" {0:D3}>", 7).Replace("3", "three");
        Console.WriteLine(sb + " " + sb.Length);

        var inv = CultureInfo.InvariantCulture;
        foreach (double d in new[] { 0, 1, -1.5, 1e10, 1.0 / 3, 1e-7, 123456789.125, double.MaxValue, double.Epsilon, double.NaN, double.PositiveInfinity, -0.0 })
            Console.Write(d.ToString(inv) + " " + d.ToString("R", inv) + " " + d.ToString("E3", inv) + "; ");
        Console.WriteLine();
        foreach (float f in new[] { 0.1f, 16777216f, 3.4e38f, 1e-45f }) Console.Write(f.ToString(inv) + " ");
        Console.WriteLine();
        foreach (int n in new[] { 0, 1, -1, int.MaxValue, int.MinValue })
            Console.Write($"{n} {n:D5} {n:X} {n:N0} {n:C} {n:E2}; ");
        Console.WriteLine();
        Console.WriteLine(long.MinValue + " " + ulong.MaxValue + " " + decimal.MaxValue + " " + 1.10m + " " + 10m / 3);
        Console.WriteLine((0.1 + 0.2).ToString("R", inv) + " " + (0.1m + 0.2m) + " " + 2.5.ToString("0.00", inv) + " " + 1234567.891.ToString("#,##0.0", inv));

        Console.WriteLine(int.Parse("-42") + " " + double.Parse("1.5e3", inv) + " " + long.Parse("7fffffffffffffff", NumberStyles.HexNumber) + " " + decimal.Parse("3.14", inv) + " " + bool.Parse("True"));
        foreach (string bad in new[] { "", "12x", "99999999999", " 5 ", "0x10" })
            Console.Write(int.TryParse(bad, out int n) ? $"ok {n}; " : "no; ");
        Console.WriteLine();
        try { int.Parse("abc"); } catch (FormatException e) { Console.WriteLine(e.Message); }
        try { byte.Parse("256"); } catch (OverflowException e) { Console.WriteLine(e.Message); }

        var date = new DateTime(2024, 2, 29, 13, 5, 9, DateTimeKind.Utc);
        Console.WriteLine(date.ToString("yyyy-MM-dd HH:mm:ss", inv) + " " + date.ToString("o") + " " + date.DayOfWeek + " " + date.AddYears(1).ToString("d", inv) + " " + date.DayOfYear);
        Console.WriteLine((date - new DateTime(2000, 1, 1)).TotalDays.ToString(inv) + " " + TimeSpan.FromSeconds(98765.432) + " " + DateTime.Parse("2020-12-24", inv).ToString("D", inv));
        Console.WriteLine(new Guid("00112233-4455-6677-8899-aabbccddeeff").ToString("B") + " " + new Version(1, 2, 3) + " " + new Uri("http://example.org:8080/a/b?q=1").Port);

        byte[] utf8 = Encoding.UTF8.GetBytes("é€😀");
        Console.WriteLine(BitConverter.ToString(utf8) + " " + Encoding.UTF8.GetString(utf8).Length + " " + Encoding.Unicode.GetByteCount("ab") + " " + Convert.ToBase64String(new byte[] { 1, 2, 3, 255 }));
        Console.WriteLine(Convert.ToString(255, 2) + " " + Convert.ToInt32("777", 8) + " " + Convert.ToInt32(2.5) + " " + Convert.ToInt32(3.5) + " " + Math.Round(2.5) + " " + Math.Round(-2.567, 2).ToString(inv));
        Console.WriteLine(string.Format(inv, "{0,8:F3}|{1,-8}|{2:000}|{{}}", Math.E, true, 5) + " " + string.Concat("a", 1, 'c', null, 2.5) + " " + string.IsNullOrWhiteSpace(" \t"));
        char c = 'ß';
        Console.WriteLine(char.IsLetter(c) + " " + char.ToUpperInvariant('é') + " " + char.IsDigit('٣') + " " + (int)char.GetNumericValue('7') + " " + char.GetUnicodeCategory('A'));
        Console.WriteLine(string.Intern(new string(new[] { 'h', 'i' })) == (object)"hi" ? "interned" : "different");
        Console.WriteLine("a,b;c".Split(',', ';').Length + " " + new string('=', 10) + " " + "hello"[1] + " " + "abc".GetHashCode().Equals("abc".GetHashCode()));
    }
}
