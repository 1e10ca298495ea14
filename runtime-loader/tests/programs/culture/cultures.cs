// Everything a culture says of itself, one line `culture<TAB>property<TAB>value` each: for some cultures, or with `all` for every one
// there is, to compare with another runtime.
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

static class Program
{
    static readonly TextWriter Out = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));

    static void Put(string culture, string property, Func<object> value)
    {
        string text;
        try { text = Convert.ToString(value(), CultureInfo.InvariantCulture); }
        catch (Exception e) { text = e.GetType().Name; }
        Out.WriteLine("{0}\t{1}\t{2}", culture, property, text.Replace("\n", "\\n"));
    }

    static string Join(object[] items) => string.Join("|", items);

    static string Join(int[] items) => string.Join("|", items);

    static void Culture(string name)
    {
        CultureInfo c;
        try { c = new CultureInfo(name, false); }
        catch (Exception e) { Out.WriteLine("{0}\tNAME\t{1}", name, e.GetType().Name); return; }
        Put(name, "Name", () => c.Name);
        Put(name, "LCID", () => c.LCID);
        Put(name, "Parent", () => c.Parent.Name);
        Put(name, "EnglishName", () => c.EnglishName);
        Put(name, "DisplayName", () => c.DisplayName);
        Put(name, "NativeName", () => c.NativeName);
        Put(name, "IsNeutralCulture", () => c.IsNeutralCulture);
        Put(name, "TwoLetterISOLanguageName", () => c.TwoLetterISOLanguageName);
        Put(name, "ThreeLetterISOLanguageName", () => c.ThreeLetterISOLanguageName);
        Put(name, "ThreeLetterWindowsLanguageName", () => c.ThreeLetterWindowsLanguageName);
        Put(name, "IetfLanguageTag", () => c.IetfLanguageTag);
        Put(name, "CultureTypes", () => c.CultureTypes);
        Put(name, "Calendar", () => c.Calendar);
        Put(name, "OptionalCalendars", () => Join(c.OptionalCalendars));
        Put(name, "KeyboardLayoutId", () => c.KeyboardLayoutId);
        Put(name, "TextInfo.ANSICodePage", () => c.TextInfo.ANSICodePage);
        Put(name, "TextInfo.OEMCodePage", () => c.TextInfo.OEMCodePage);
        Put(name, "TextInfo.MacCodePage", () => c.TextInfo.MacCodePage);
        Put(name, "TextInfo.EBCDICCodePage", () => c.TextInfo.EBCDICCodePage);
        Put(name, "TextInfo.IsRightToLeft", () => c.TextInfo.IsRightToLeft);
        Put(name, "TextInfo.ListSeparator", () => c.TextInfo.ListSeparator);
        Put(name, "CompareInfo.LCID", () => c.CompareInfo.LCID);
        Dates(name, c.DateTimeFormat);
        Numbers(name, c.NumberFormat);
    }

    static void Dates(string name, DateTimeFormatInfo d)
    {
        Put(name, "ShortDatePattern", () => d.ShortDatePattern);
        Put(name, "LongDatePattern", () => d.LongDatePattern);
        Put(name, "ShortTimePattern", () => d.ShortTimePattern);
        Put(name, "LongTimePattern", () => d.LongTimePattern);
        Put(name, "YearMonthPattern", () => d.YearMonthPattern);
        Put(name, "MonthDayPattern", () => d.MonthDayPattern);
        Put(name, "FullDateTimePattern", () => d.FullDateTimePattern);
        Put(name, "DateSeparator", () => d.DateSeparator);
        Put(name, "TimeSeparator", () => d.TimeSeparator);
        Put(name, "AMDesignator", () => d.AMDesignator);
        Put(name, "PMDesignator", () => d.PMDesignator);
        Put(name, "FirstDayOfWeek", () => d.FirstDayOfWeek);
        Put(name, "CalendarWeekRule", () => d.CalendarWeekRule);
        Put(name, "NativeCalendarName", () => d.NativeCalendarName);
        Put(name, "DayNames", () => Join(d.DayNames));
        Put(name, "AbbreviatedDayNames", () => Join(d.AbbreviatedDayNames));
        Put(name, "ShortestDayNames", () => Join(d.ShortestDayNames));
        Put(name, "MonthNames", () => Join(d.MonthNames));
        Put(name, "AbbreviatedMonthNames", () => Join(d.AbbreviatedMonthNames));
        Put(name, "MonthGenitiveNames", () => Join(d.MonthGenitiveNames));
        Put(name, "AbbreviatedMonthGenitiveNames", () => Join(d.AbbreviatedMonthGenitiveNames));
        Put(name, "GetEraName", () => d.GetEraName(0));
        var time = new DateTime(2019, 3, 7, 15, 4, 9);
        foreach (var format in "dDtTfFgGmyrsu")
            Put(name, "date " + format, () => time.ToString(format.ToString(), d));
        foreach (var format in "dDtTy")
            Put(name, "patterns " + format, () => Join(d.GetAllDateTimePatterns(format)));
        Put(name, "date parsed", () => DateTime.Parse(time.ToString("D", d), d).ToString("s", CultureInfo.InvariantCulture));
    }

    static void Numbers(string name, NumberFormatInfo n)
    {
        Put(name, "CurrencyDecimalDigits", () => n.CurrencyDecimalDigits);
        Put(name, "CurrencyDecimalSeparator", () => n.CurrencyDecimalSeparator);
        Put(name, "CurrencyGroupSeparator", () => n.CurrencyGroupSeparator);
        Put(name, "CurrencyGroupSizes", () => Join(n.CurrencyGroupSizes));
        Put(name, "CurrencyNegativePattern", () => n.CurrencyNegativePattern);
        Put(name, "CurrencyPositivePattern", () => n.CurrencyPositivePattern);
        Put(name, "CurrencySymbol", () => n.CurrencySymbol);
        Put(name, "NaNSymbol", () => n.NaNSymbol);
        Put(name, "NativeDigits", () => Join(n.NativeDigits));
        Put(name, "NegativeInfinitySymbol", () => n.NegativeInfinitySymbol);
        Put(name, "PositiveInfinitySymbol", () => n.PositiveInfinitySymbol);
        Put(name, "NegativeSign", () => n.NegativeSign);
        Put(name, "PositiveSign", () => n.PositiveSign);
        Put(name, "NumberDecimalDigits", () => n.NumberDecimalDigits);
        Put(name, "NumberDecimalSeparator", () => n.NumberDecimalSeparator);
        Put(name, "NumberGroupSeparator", () => n.NumberGroupSeparator);
        Put(name, "NumberGroupSizes", () => Join(n.NumberGroupSizes));
        Put(name, "NumberNegativePattern", () => n.NumberNegativePattern);
        Put(name, "PercentDecimalDigits", () => n.PercentDecimalDigits);
        Put(name, "PercentDecimalSeparator", () => n.PercentDecimalSeparator);
        Put(name, "PercentGroupSeparator", () => n.PercentGroupSeparator);
        Put(name, "PercentNegativePattern", () => n.PercentNegativePattern);
        Put(name, "PercentPositivePattern", () => n.PercentPositivePattern);
        Put(name, "PercentSymbol", () => n.PercentSymbol);
        Put(name, "PerMilleSymbol", () => n.PerMilleSymbol);
        foreach (var format in "NCPFEGR")
            Put(name, "number " + format, () => (-1234567.891).ToString(format.ToString(), n));
        Put(name, "number parsed", () => double.Parse((-1234567.5).ToString("N", n), n));
    }

    static void Region(string name)
    {
        RegionInfo r;
        try { r = new RegionInfo(name); }
        catch (Exception e) { Out.WriteLine("{0}\tREGION\t{1}", name, e.GetType().Name); return; }
        Put(name, "Region.Name", () => r.Name);
        Put(name, "Region.EnglishName", () => r.EnglishName);
        Put(name, "Region.NativeName", () => r.NativeName);
        Put(name, "Region.DisplayName", () => r.DisplayName);
        Put(name, "Region.CurrencySymbol", () => r.CurrencySymbol);
        Put(name, "Region.ISOCurrencySymbol", () => r.ISOCurrencySymbol);
        Put(name, "Region.CurrencyEnglishName", () => r.CurrencyEnglishName);
        Put(name, "Region.CurrencyNativeName", () => r.CurrencyNativeName);
        Put(name, "Region.TwoLetterISORegionName", () => r.TwoLetterISORegionName);
        Put(name, "Region.ThreeLetterISORegionName", () => r.ThreeLetterISORegionName);
        Put(name, "Region.ThreeLetterWindowsRegionName", () => r.ThreeLetterWindowsRegionName);
        Put(name, "Region.IsMetric", () => r.IsMetric);
        Put(name, "Region.GeoId", () => r.GeoId);
    }

    static void Main(string[] args)
    {
        var names = args.Length == 0 ? new[] { "", "en-US", "de-AT", "ja-JP", "ar-EG", "hi-IN", "zh-Hant", "no-such" }
            : CultureInfo.GetCultures(CultureTypes.AllCultures).Select(c => c.Name).OrderBy(n => n, StringComparer.Ordinal).ToArray();
        foreach (var name in names)
            Culture(name);
        foreach (var name in names.Where(n => n.Length > 2 && n.Contains("-")).Concat(names.Where(n => n.Length >= 5).Select(n => n.Substring(n.Length - 2)).Where(n => n.All(char.IsUpper)).Distinct()))
            Region(name);
        Out.Flush();
    }
}
