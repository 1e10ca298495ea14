//! What programs in wide use rely on, culture by culture.

use super::*;

fn culture(name: &str) -> Culture {
    Culture::from_name(name).unwrap_or_else(|| panic!("{name} is a culture"))
}

#[test]
fn names_lead_to_cultures_in_any_case() {
    for (asked, name, lcid) in [
        ("de-DE", "de-DE", 0x407),
        ("DE-de", "de-DE", 0x407),
        ("en-us", "en-US", 0x409),
        ("ja", "ja", 0x11),
        ("zh-CHS", "zh-Hans", 4),
        ("sr-Latn-RS", "sr-Latn-RS", 0x241a),
    ] {
        let found = culture(asked);
        assert_eq!((found.name(), found.lcid()), (name, lcid), "{asked}");
        assert_eq!(Culture::from_lcid(lcid).map(|c| c.name()), Some(name));
    }
    for unknown in [
        "qq",
        "xx-YY",
        "no such culture",
        "d\u{e9}",
        "-",
        "de-",
        "x-private",
    ] {
        assert!(Culture::from_name(unknown).is_none(), "{unknown}");
    }
    assert!(Culture::from_lcid(0).is_none() && Culture::from_lcid(u32::MAX).is_none());
}

#[test]
fn parents_name_the_script_where_there_is_a_choice() {
    let parents = |name| culture(name).parent().map(|p| p.name());
    assert_eq!(parents("de-AT"), Some("de"));
    assert_eq!(parents("de"), None);
    assert_eq!(parents("zh-CN"), Some("zh-Hans"));
    assert_eq!(parents("zh-TW"), Some("zh-Hant"));
}

#[test]
fn names_in_the_language_itself() {
    assert_eq!(culture("de-DE").native_name(), "Deutsch (Deutschland)");
    assert_eq!(culture("fr").native_name(), "fran\u{e7}ais");
    assert_eq!(
        culture("ru-RU").native_name(),
        "\u{440}\u{443}\u{441}\u{441}\u{43a}\u{438}\u{439} (\u{420}\u{43e}\u{441}\u{441}\u{438}\u{44f})"
    );
    assert!(culture("ar-EG").is_right_to_left() && culture("he").is_right_to_left());
    assert!(!culture("en-US").is_right_to_left());
}

#[test]
fn dates() {
    let us = date_data(&culture("en-US"));
    assert_eq!(us.short_dates[0], "M/d/yyyy");
    assert_eq!(us.long_dates[0], "dddd, MMMM d, yyyy");
    assert_eq!(
        (us.short_times[0].as_str(), us.long_times[0].as_str()),
        ("h:mm tt", "h:mm:ss tt")
    );
    assert_eq!(
        (us.month_day.as_str(), us.year_months[0].as_str()),
        ("MMMM d", "MMMM yyyy")
    );
    assert_eq!(
        (us.am.as_str(), us.pm.as_str(), us.first_day, us.week_rule),
        ("AM", "PM", 0, 0)
    );
    assert_eq!(us.days[1], "Monday");
    assert_eq!(
        (
            us.months.len(),
            us.months[11].as_str(),
            us.months[12].as_str()
        ),
        (13, "December", "")
    );
    let german = date_data(&culture("de-DE"));
    assert_eq!(german.short_dates[0], "dd.MM.yyyy");
    assert_eq!(german.long_dates[0], "dddd, d. MMMM yyyy");
    assert_eq!(
        (
            german.short_times[0].as_str(),
            german.first_day,
            german.week_rule
        ),
        ("HH:mm", 1, 2)
    );
    // The month has another form beside a day.
    let russian = date_data(&culture("ru-RU"));
    assert_eq!(russian.months[2], "\u{43c}\u{430}\u{440}\u{442}");
    assert_eq!(
        russian.genitive_months[2],
        "\u{43c}\u{430}\u{440}\u{442}\u{430}"
    );
    let japanese = date_data(&culture("ja-JP"));
    assert_eq!(japanese.short_dates[0], "yyyy/MM/dd");
    assert_eq!(
        japanese.long_dates[0],
        "yyyy'\u{5e74}'M'\u{6708}'d'\u{65e5}'"
    );
    assert_eq!(culture("th-TH").calendar(), Calendar::ThaiBuddhist);
}

#[test]
fn numbers() {
    let of = |name| number_data(&culture(name));
    let us = of("en-US");
    assert_eq!(
        (us.decimal_separator.as_str(), us.group_separator.as_str()),
        (".", ",")
    );
    assert_eq!(
        (
            us.currency_symbol.as_str(),
            us.currency_positive,
            us.currency_digits
        ),
        ("$", 0, 2)
    );
    let german = of("de-DE");
    assert_eq!(
        (
            german.decimal_separator.as_str(),
            german.group_separator.as_str()
        ),
        (",", ".")
    );
    assert_eq!(
        (
            german.currency_symbol.as_str(),
            german.currency_positive,
            german.currency_negative
        ),
        ("\u{20ac}", 3, 8)
    );
    // Groups after the first are of two digits.
    assert_eq!((us.group_sizes, of("hi-IN").group_sizes), ([3, -1], [3, 2]));
    // Yen have no fraction.
    assert_eq!(of("ja-JP").currency_digits, 0);
    // No separator of a culture is empty, or numbers could not be read back.
    for c in all() {
        let n = number_data(&c);
        let name = c.name();
        assert!(
            !n.decimal_separator.is_empty() && !n.group_separator.is_empty(),
            "{name}"
        );
        assert!(
            (0..=15).contains(&n.currency_negative) && (0..=3).contains(&n.currency_positive),
            "{name}"
        );
        assert!(
            (0..=11).contains(&n.percent_negative) && (0..=3).contains(&n.percent_positive),
            "{name}"
        );
    }
}

#[test]
fn every_culture_has_dates() {
    let all = all();
    assert!(all.len() > 300, "{}", all.len());
    for c in all {
        let d = date_data(&c);
        let name = c.name();
        let full = |texts: &[String], n| texts.iter().take(n).all(|t| !t.is_empty());
        assert!(
            full(&d.months, 12) && full(&d.days, 7) && full(&d.short_days, 7),
            "{name}"
        );
        let patterns = [
            &d.short_dates,
            &d.long_dates,
            &d.short_times,
            &d.long_times,
            &d.year_months,
        ];
        assert!(
            patterns.iter().all(|p| full(p, p.len())),
            "{name}: {patterns:?}"
        );
        assert!(
            d.short_dates[0].contains("yy") && d.short_dates[0].contains('d'),
            "{name}"
        );
        assert!(
            d.long_dates[0].contains("MMM") || d.long_dates[0].contains('M'),
            "{name}"
        );
    }
}

#[test]
fn regions() {
    let us = region_data("us").expect("a region");
    assert_eq!(
        (
            us.two_letters.as_str(),
            us.three_letters.as_str(),
            us.currency_code.as_str()
        ),
        ("US", "USA", "USD")
    );
    let austria = region_data("AT").expect("a region");
    assert_eq!(austria.native_name, "\u{d6}sterreich");
    assert_eq!(
        (austria.number, austria.currency_symbol.as_str()),
        (40, "\u{20ac}")
    );
    assert!(region_data("de").is_some_and(|r| r.two_letters == "DE"));
    assert!(region_data("QQ").is_none() && region_data("nothing").is_none());
}
