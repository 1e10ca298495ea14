// Time zones from the system's tzdata: offsets, rules, conversions, gaps and overlaps, serialized forms, custom zones.
using System;
using System.Globalization;
using System.Linq;

static class Program
{
    static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    static string Show(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", Invariant) + " " + time.Kind;

    static void Zone(string id)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(id);
        Console.WriteLine("{0}: '{1}' '{2}' '{3}' {4} dst {5}", zone.Id, zone.DisplayName, zone.StandardName, zone.DaylightName, zone.BaseUtcOffset,
            zone.SupportsDaylightSavingTime);
        foreach (var text in new[] { "1950-07-01 12:00:00", "1975-01-15 00:00:00", "1985-07-01 12:00:00", "2000-01-01 00:00:00", "2007-03-20 12:00:00", "2012-03-25 00:59:59",
            "2012-03-25 01:00:00", "2012-07-01 12:00:00", "2012-10-28 00:59:59", "2012-10-28 01:00:00", "2020-12-31 23:59:59" })
        {
            var utc = DateTime.SpecifyKind(DateTime.ParseExact(text, "yyyy-MM-dd HH:mm:ss", Invariant), DateTimeKind.Utc);
            var local = TimeZoneInfo.ConvertTimeFromUtc(utc, zone);
            Console.WriteLine("  {0} -> {1} {2} {3}", text, Show(local), zone.GetUtcOffset(utc), zone.IsDaylightSavingTime(utc));
        }
        var rules = zone.GetAdjustmentRules();
        Console.WriteLine("  rules: {0}", rules.Length > 0);
        foreach (var rule in rules.Where(r => r.DateEnd.Year >= 2005 && r.DateStart.Year <= 2013))
            Console.WriteLine("  {0:yyyy-MM-dd} to {1:yyyy-MM-dd}: {2}, {3} to {4}", rule.DateStart, rule.DateEnd, rule.DaylightDelta,
                Transition(rule.DaylightTransitionStart), Transition(rule.DaylightTransitionEnd));
    }

    static string Transition(TimeZoneInfo.TransitionTime t) => t.IsFixedDateRule
        ? string.Format(Invariant, "{0}-{1} {2:HH:mm}", t.Month, t.Day, t.TimeOfDay)
        : string.Format(Invariant, "week {0} {1} of {2} {3:HH:mm}", t.Week, t.DayOfWeek, t.Month, t.TimeOfDay);

    static void Attempt(string what, Func<object> act)
    {
        try { Console.WriteLine("{0}: {1}", what, act()); }
        catch (Exception e) { Console.WriteLine("{0}: {1}: {2}", what, e.GetType(), e.Message.Split('\n')[0]); }
    }

    static void GapsAndOverlaps()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var gap = new DateTime(2012, 3, 25, 2, 30, 0);
        var twice = new DateTime(2012, 10, 28, 2, 30, 0);
        Console.WriteLine("{0} {1} {2}", berlin.IsInvalidTime(gap), berlin.IsAmbiguousTime(gap), berlin.IsInvalidTime(gap.AddHours(1)));
        Console.WriteLine("{0} {1} {2}", berlin.IsInvalidTime(twice), berlin.IsAmbiguousTime(twice), berlin.IsAmbiguousTime(twice.AddHours(1)));
        Console.WriteLine(string.Join(" ", berlin.GetAmbiguousTimeOffsets(twice).OrderBy(o => o)));
        Attempt("gap", () => TimeZoneInfo.ConvertTimeToUtc(gap, berlin));
        Attempt("twice", () => Show(TimeZoneInfo.ConvertTimeToUtc(twice, berlin)));
        Attempt("not ambiguous", () => berlin.GetAmbiguousTimeOffsets(gap));
        Attempt("kind", () => TimeZoneInfo.ConvertTimeToUtc(DateTime.SpecifyKind(twice, DateTimeKind.Utc), berlin));
    }

    static void Conversions()
    {
        var tokyo = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");
        var york = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");
        var noon = new DateTime(2019, 7, 1, 12, 0, 0);
        Console.WriteLine(Show(TimeZoneInfo.ConvertTime(noon, tokyo, york)));
        Console.WriteLine(Show(TimeZoneInfo.ConvertTimeBySystemTimeZoneId(noon, "America/New_York", "Asia/Kolkata")));
        Console.WriteLine(TimeZoneInfo.ConvertTime(new DateTimeOffset(2019, 1, 1, 0, 0, 0, TimeSpan.FromHours(9)), york).ToString("o", Invariant));
        Console.WriteLine(tokyo.GetUtcOffset(new DateTimeOffset(1948, 7, 1, 0, 0, 0, TimeSpan.Zero)));
        Console.WriteLine(tokyo.HasSameRules(TimeZoneInfo.FindSystemTimeZoneById("Japan")) + " " + tokyo.HasSameRules(york) + " " + tokyo.Equals(tokyo));
        Attempt("unknown", () => TimeZoneInfo.FindSystemTimeZoneById("Europe/Atlantis"));
        Attempt("empty", () => TimeZoneInfo.FindSystemTimeZoneById(""));
        Attempt("null", () => TimeZoneInfo.FindSystemTimeZoneById(null));
        Attempt("outside", () => TimeZoneInfo.FindSystemTimeZoneById("../../../etc/passwd"));
        Attempt("no zone file", () => TimeZoneInfo.FindSystemTimeZoneById("zone.tab"));
        var zones = TimeZoneInfo.GetSystemTimeZones();
        Console.WriteLine(zones.Count > 300);
        Console.WriteLine(string.Join(" ", new[] { "Europe/Berlin", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe" }.Select(n => zones.Any(z => z.Id == n))));
    }

    static void Local()
    {
        var local = TimeZoneInfo.Local;
        var noon = new DateTime(2012, 7, 1, 12, 0, 0, DateTimeKind.Utc);
        Console.WriteLine("local {0} {1} {2} {3}", local.Id, local.StandardName, local.BaseUtcOffset, Show(noon.ToLocalTime()));
        Console.WriteLine(new DateTime(2012, 7, 1, 12, 0, 0, DateTimeKind.Local).ToString("o") + " " + Show(new DateTime(2012, 1, 1, 0, 0, 0, DateTimeKind.Local).ToUniversalTime()));
        Console.WriteLine(new DateTimeOffset(new DateTime(2012, 1, 1)).ToString("o") + " " + DateTimeOffset.Parse("2012-07-01T00:00:00Z").ToLocalTime().ToString("o"));
        var old = TimeZone.CurrentTimeZone;
        Console.WriteLine("{0} {1} {2} {3}", old.StandardName, old.DaylightName, old.GetUtcOffset(new DateTime(2012, 7, 1)), old.IsDaylightSavingTime(new DateTime(2012, 7, 1)));
        var changes = old.GetDaylightChanges(2012);
        Console.WriteLine("{0} {1} {2}", Show(changes.Start), Show(changes.End), changes.Delta);
        Console.WriteLine(TimeZoneInfo.Utc.Id + " " + TimeZoneInfo.Utc.DisplayName + " " + TimeZoneInfo.Utc.BaseUtcOffset);
        Console.WriteLine(DateTime.Parse("2012-07-01T12:00:00+02:00", Invariant).ToString("o"));
        Console.WriteLine((DateTime.Now - DateTime.UtcNow).TotalMinutes.ToString("0", Invariant) == local.GetUtcOffset(DateTime.UtcNow).TotalMinutes.ToString("0", Invariant));
    }

    static void Custom()
    {
        var start = TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 2, DayOfWeek.Sunday);
        var end = TimeZoneInfo.TransitionTime.CreateFixedDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 31);
        var rule = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(new DateTime(2000, 1, 1), DateTime.MaxValue.Date, TimeSpan.FromMinutes(30), start, end);
        var zone = TimeZoneInfo.CreateCustomTimeZone("Mine", TimeSpan.FromMinutes(330), "My zone; here", "Standard", "Summer", new[] { rule });
        var text = zone.ToSerializedString();
        Console.WriteLine(text);
        var again = TimeZoneInfo.FromSerializedString(text);
        Console.WriteLine("{0} {1} {2}", again.Equals(zone), again.DisplayName, again.GetAdjustmentRules().Length);
        Console.WriteLine(Show(TimeZoneInfo.ConvertTimeFromUtc(new DateTime(2010, 7, 1, 0, 0, 0, DateTimeKind.Utc), zone)));
        Console.WriteLine(Show(TimeZoneInfo.ConvertTimeFromUtc(new DateTime(1990, 7, 1, 0, 0, 0, DateTimeKind.Utc), zone)));
        Attempt("bad", () => TimeZoneInfo.FromSerializedString("nonsense"));
        Attempt("offset", () => TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(15), "x", "x"));
        Attempt("no id", () => TimeZoneInfo.CreateCustomTimeZone("", TimeSpan.Zero, "x", "x"));
    }

    static void Main()
    {
        Environment.SetEnvironmentVariable("TZ", "Europe/Berlin");
        foreach (var id in new[] { "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Auckland", "Etc/GMT+5", "UTC" })
            Zone(id);
        GapsAndOverlaps();
        Conversions();
        Local();
        Custom();
    }
}
