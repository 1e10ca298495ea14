//! Names and patterns of dates and times.

use super::{Culture, pattern};
use icu_calendar::cal::Gregorian;
use icu_calendar::week::WeekInformation;
use icu_calendar::{Date, types::Weekday};
use icu_datetime::fieldsets::{MD, T, YM, YMD, YMDE, enums::CompositeDateTimeFieldSet};
use icu_datetime::input::{DateTime, Time};
use icu_datetime::pattern::{DateTimePattern, FixedCalendarDateTimeNames};
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use writeable::TryWriteable;

/// What `CalendarData` and `CultureData` hold of dates and times. Patterns: the first is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DateData {
    /// From January, twelve and an empty thirteenth.
    pub months: Vec<String>,
    /// The same, short.
    pub short_months: Vec<String>,
    /// The forms that stand beside a day.
    pub genitive_months: Vec<String>,
    /// From Sunday.
    pub days: Vec<String>,
    /// The same, short.
    pub short_days: Vec<String>,
    /// The same, as short as can be.
    pub shortest_days: Vec<String>,
    /// Designator of the hours before noon.
    pub am: String,
    /// And after it.
    pub pm: String,
    /// Patterns of `d`.
    pub short_dates: Vec<String>,
    /// Patterns of `D`.
    pub long_dates: Vec<String>,
    /// Patterns of `t`.
    pub short_times: Vec<String>,
    /// Patterns of `T`.
    pub long_times: Vec<String>,
    /// Patterns of `y`.
    pub year_months: Vec<String>,
    /// Pattern of `M`.
    pub month_day: String,
    /// Between hours, minutes and seconds.
    pub time_separator: String,
    /// 0 is Sunday.
    pub first_day: i32,
    /// `CalendarWeekRule`: where weeks begin on Monday the first one has four days (ISO 8601), elsewhere one.
    pub week_rule: i32,
}

/// Names in one culture. Thais count years differently but name months as others do.
struct Texts<'c>(&'c Culture);

impl Texts<'_> {
    /// A moment written by a CLDR pattern.
    fn write(&self, month: u8, day: u8, hour: u8, cldr: &str) -> Option<String> {
        let moment = DateTime {
            date: Date::try_new_gregorian(2006, month, day).ok()?,
            time: Time::try_new(hour, 0, 0, 0).ok()?,
        };
        let pattern = DateTimePattern::try_from_pattern_str(cldr).ok()?;
        let prefs = (&self.0.locale).into();
        let mut names =
            FixedCalendarDateTimeNames::<Gregorian, CompositeDateTimeFieldSet>::try_new(prefs);
        let formatter = names.as_mut().ok()?.include_for_pattern(&pattern).ok()?;
        let mut text = String::new();
        formatter
            .format(&moment)
            .try_write_to(&mut text)
            .ok()?
            .ok()?;
        Some(text)
    }

    /// From January, and an empty thirteenth.
    fn months(&self, cldr: &str) -> Vec<String> {
        let twelve = (1..=12).map(|m| self.write(m, 1, 0, cldr).unwrap_or_default());
        twelve.chain([String::new()]).collect()
    }

    /// From Sunday, which the first of January 2006 was.
    fn days(&self, cldr: &str) -> Vec<String> {
        let seven = (1..=7).map(|d| self.write(1, d, 0, cldr).unwrap_or_default());
        seven.collect()
    }

    /// The designator of an hour.
    fn half_of_day(&self, hour: u8) -> String {
        self.write(1, 1, hour, "a").unwrap_or_default()
    }
}

/// The data of a culture.
pub fn date_data(culture: &Culture) -> DateData {
    let texts = Texts(culture);
    let mut data = DateData {
        months: texts.months("LLLL"),
        short_months: texts.months("LLL"),
        genitive_months: texts.months("MMMM"),
        days: texts.days("EEEE"),
        short_days: texts.days("EEE"),
        shortest_days: texts.days("EEEEE"),
        am: texts.half_of_day(1),
        pm: texts.half_of_day(13),
        ..DateData::default()
    };
    patterns(culture, &mut data);
    if let Ok(week) = WeekInformation::try_new((&culture.locale).into()) {
        data.first_day = week.first_weekday as i32 % 7;
        let monday = week.first_weekday == Weekday::Monday;
        data.week_rule = if monday {
            FIRST_FOUR_DAY_WEEK
        } else {
            FIRST_DAY
        };
    }
    data
}

/// `CalendarWeekRule`
const FIRST_DAY: i32 = 0;
const FIRST_FOUR_DAY_WEEK: i32 = 2;

fn patterns(culture: &Culture, data: &mut DateData) {
    let date = Date::try_new_gregorian(2003, 4, 5).ok();
    macro_rules! of_date {
        ($fields:expr) => {{
            let prefs = (&culture.locale).into();
            let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(prefs, $fields);
            let written = formatter.ok().zip(date.as_ref());
            let cldr = written.map(|(f, d)| f.format(d).pattern().to_string());
            pattern::to_net(&cldr.unwrap_or_default())
        }};
    }
    macro_rules! of_time {
        ($fields:expr) => {{
            let formatter = NoCalendarFormatter::try_new((&culture.locale).into(), $fields);
            let written = formatter.ok().zip(Time::try_new(13, 2, 3, 0).ok());
            let cldr = written.map(|(f, t)| f.format(&t).pattern().to_string());
            pattern::to_net(&cldr.unwrap_or_default())
        }};
    }
    data.short_dates = distinct([of_date!(YMD::short()), "yyyy-MM-dd".to_owned()]);
    let (with_day, without) = (of_date!(YMDE::long()), of_date!(YMD::long()));
    data.long_dates = match pattern::sets_off_weekday(&with_day) {
        true => distinct([with_day, without]),
        false => distinct([without, with_day]),
    };
    data.short_times = distinct([of_time!(T::hm()), "HH:mm".to_owned()]);
    data.long_times = distinct([of_time!(T::hms()), "HH:mm:ss".to_owned()]);
    data.year_months = distinct([of_date!(YM::long())]);
    data.month_day = of_date!(MD::long());
    data.time_separator = pattern::time_separator(&data.long_times[0]);
}

/// In the same order without repetitions and empty ones, but not nothing.
fn distinct<const N: usize>(all: [String; N]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all {
        if !one.is_empty() && !kept.contains(&one) {
            kept.push(one);
        }
    }
    if kept.is_empty() {
        kept.push(String::new());
    }
    kept
}
