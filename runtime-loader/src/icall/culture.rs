//! Cultures, regions and the charset of the environment: what the class libraries ask of `crate::culture`.
#![allow(
    unsafe_code,
    reason = "hands tables to managed code, writes its out parameters"
)]

use super::{Result, icalls, managed};
use crate::culture::{
    Culture, DateData, LCID_INVARIANT, NumberData, date_data, number_data, region_data,
};
use crate::object::{Obj, array, new_object, string};
use crate::runtime::{self, Runtime};
use parking_lot::Mutex;
use std::sync::Arc;

icalls! {
    "System.Globalization.CultureInfo" {
        "get_current_locale_name" => current_locale_name() -> Obj;
        "construct_internal_locale_from_name" => locale_from_name(Obj, Obj) -> bool;
        "construct_internal_locale_from_lcid" => locale_from_lcid(Obj, i32) -> bool;
        "internal_get_cultures" => get_cultures(bool, bool, bool) -> Obj;
    }
    "System.Globalization.CultureData" {
        "fill_culture_data" => fill_culture_data(Obj, i32);
        "fill_number_data" => fill_number_data(i32, *mut NumberEntry) -> *const u8;
    }
    "System.Globalization.CalendarData" {
        "fill_calendar_data" => fill_calendar_data(Obj, Obj, i32) -> bool;
    }
    "System.Globalization.RegionInfo" {
        "construct_internal_region_from_name" => region_from_name(Obj, Obj) -> bool;
    }
    "System.Globalization.CompareInfo" {
        "internal_compare_icall" => compare(*const u16, i32, *const u16, i32, i32) -> i32;
        "internal_index_icall" => index(*const u16, i32, i32, *const u16, i32, bool) -> i32;
    }
    "System.Text.EncodingHelper" {
        "InternalCodePage" => internal_code_page(*mut i32) -> Obj;
    }
}

// ---- the environment's locale

/// The value of the first of these variables that is set.
fn from_environment(variables: &[&str]) -> Option<String> {
    let set = |v: &&str| std::env::var(v).ok().filter(|s| !s.is_empty());
    variables.iter().find_map(set)
}

/// Name of the culture of the environment; null for none in particular.
extern "C" fn current_locale_name() -> Obj {
    managed(|| {
        let locale = from_environment(&["LC_ALL", "LANG"]).unwrap_or_default();
        let name = locale.split(['.', '@']).next().unwrap_or_default();
        match name {
            "" | "C" | "POSIX" => Ok(Obj::NULL),
            name => string::from_rust(&name.replace('_', "-").to_ascii_lowercase()),
        }
    })
}

// ---- cultures

/// Cultures that objects refer to by an index, and what was computed of them.
static KNOWN: Mutex<Table> = Mutex::new(Table {
    cultures: Vec::new(),
});

struct Table {
    cultures: Vec<Entry>,
}

struct Entry {
    culture: Culture,
    dates: Option<Arc<DateData>>,
    numbers: Option<(NumberEntry, &'static [u8])>,
    text: &'static TextRecord,
}

/// `CultureInfo.Data`
#[repr(C)]
struct TextRecord {
    ansi: i32,
    ebcdic: i32,
    mac: i32,
    oem: i32,
    right_to_left: bool,
    list_separator: u8,
}

impl Table {
    /// The index of a culture, which stays.
    fn index(&mut self, culture: &Culture) -> usize {
        let at = self
            .cultures
            .iter()
            .position(|e| e.culture.name() == culture.name());
        at.unwrap_or_else(|| {
            let pages = culture.code_pages();
            let comma = number_data(culture).decimal_separator == ",";
            // The records are few, and objects point to them for as long as they live.
            let text = Box::leak(Box::new(TextRecord {
                ansi: pages.ansi as i32,
                ebcdic: pages.ebcdic as i32,
                mac: pages.mac as i32,
                oem: pages.oem as i32,
                right_to_left: culture.is_right_to_left(),
                // A comma inside numbers cannot separate them.
                list_separator: if comma { b';' } else { b',' },
            }));
            self.cultures.push(Entry {
                culture: culture.clone(),
                dates: None,
                numbers: None,
                text,
            });
            self.cultures.len() - 1
        })
    }
}

/// Dates and times of a culture by its index.
fn dates_of(index: i32) -> Option<Arc<DateData>> {
    let mut table = KNOWN.lock();
    let entry = table.cultures.get_mut(usize::try_from(index).ok()?)?;
    let culture = &entry.culture;
    let data = entry
        .dates
        .get_or_insert_with(|| Arc::new(date_data(culture)));
    Some(data.clone())
}

extern "C" fn locale_from_name(culture: Obj, name: Obj) -> bool {
    managed(|| fill_culture(culture, Culture::from_name(&string::to_rust(name))))
}

extern "C" fn locale_from_lcid(culture: Obj, lcid: i32) -> bool {
    managed(|| fill_culture(culture, Culture::from_lcid(lcid as u32)))
}

fn fill_culture(object: Obj, culture: Option<Culture>) -> Result<bool> {
    let Some(culture) = culture else {
        return Ok(false);
    };
    let rt = runtime::get();
    let (index, text) = {
        let mut table = KNOWN.lock();
        let index = table.index(&culture);
        (
            index as i32,
            core::ptr::from_ref(table.cultures[index].text),
        )
    };
    let parent = culture.parent().map_or(LCID_INVARIANT, |p| p.lcid());
    rt.set_field(object, "cultureID", culture.lcid() as i32);
    rt.set_field(object, "parent_lcid", parent as i32);
    rt.set_field(object, "datetime_index", index);
    rt.set_field(object, "number_index", index);
    rt.set_field(object, "default_calendar_type", culture.calendar() as i32);
    rt.set_field(object, "textinfo_data", text as usize);
    let native = culture.native_name();
    let texts = [
        ("m_name", culture.name()),
        ("englishname", culture.english_name()),
        ("nativename", &native),
        ("win3lang", culture.windows_letters()),
        ("iso3lang", culture.three_letters()),
        ("iso2lang", culture.two_letters()),
    ];
    for (field, text) in texts {
        rt.set_field(object, field, string::from_rust(text)?);
    }
    if let Some(territory) = culture.territory() {
        rt.set_field(object, "territory", string::from_rust(&territory)?);
    }
    rt.set_field(
        object,
        "native_calendar_names",
        string_array(rt, &[native])?,
    );
    Ok(true)
}

fn string_array(rt: &Runtime, texts: &[String]) -> Result<Obj> {
    runtime::boot::string_array(rt, texts)
}

extern "C" fn get_cultures(neutral: bool, specific: bool, _installed: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let corlib = rt.types.corlib();
        let ty = rt
            .types
            .require_type(corlib, "System.Globalization", "CultureInfo")?;
        let class = rt.method_table(ty)?;
        let all = crate::culture::all();
        let wanted: Vec<_> = all
            .into_iter()
            .filter(|c| match c.territory() {
                Some(_) => specific,
                None => neutral,
            })
            .collect();
        // With neutral cultures asked for, the caller puts the invariant culture into the first element.
        let first = usize::from(neutral);
        let element = rt.types.sz_array(ty);
        let list = array::allocate(rt.method_table(element)?, first + wanted.len())?;
        for (n, culture) in wanted.into_iter().enumerate() {
            let object = new_object(class)?;
            array::set(list, first + n, object);
            fill_culture(object, Some(culture))?;
            rt.set_field(object, "m_isReadOnly", 1u8);
            rt.set_field(object, "constructed", 1u8);
            rt.set_field(object, "m_useUserOverride", 1u8);
        }
        Ok(list)
    })
}

extern "C" fn fill_culture_data(object: Obj, index: i32) {
    managed(|| {
        let rt = runtime::get();
        let Some(data) = dates_of(index) else {
            return Ok(());
        };
        rt.set_field(object, "sAM1159", string::from_rust(&data.am)?);
        rt.set_field(object, "sPM2359", string::from_rust(&data.pm)?);
        let separator = string::from_rust(&data.time_separator)?;
        rt.set_field(object, "sTimeSeparator", separator);
        rt.set_field(object, "saLongTimes", string_array(rt, &data.long_times)?);
        rt.set_field(object, "saShortTimes", string_array(rt, &data.short_times)?);
        rt.set_field(object, "iFirstDayOfWeek", data.first_day);
        rt.set_field(object, "iFirstWeekOfYear", data.week_rule);
        Ok(())
    })
}

extern "C" fn fill_calendar_data(object: Obj, locale: Obj, _calendar: i32) -> bool {
    managed(|| {
        let rt = runtime::get();
        let Some(culture) = Culture::from_name(&string::to_rust(locale)) else {
            return Ok(false);
        };
        let native = culture.native_name();
        let index = KNOWN.lock().index(&culture);
        let Some(data) = dates_of(index as i32) else {
            return Ok(false);
        };
        rt.set_field(object, "sNativeName", string::from_rust(&native)?);
        rt.set_field(object, "sMonthDay", string::from_rust(&data.month_day)?);
        let arrays = [
            ("saShortDates", &data.short_dates),
            ("saYearMonths", &data.year_months),
            ("saLongDates", &data.long_dates),
            ("saDayNames", &data.days),
            ("saAbbrevDayNames", &data.short_days),
            ("saSuperShortDayNames", &data.shortest_days),
            ("saMonthNames", &data.months),
            ("saAbbrevMonthNames", &data.short_months),
            ("saMonthGenitiveNames", &data.genitive_months),
            ("saAbbrevMonthGenitiveNames", &data.short_months),
        ];
        for (field, texts) in arrays {
            rt.set_field(object, field, string_array(rt, texts)?);
        }
        Ok(true)
    })
}

// ---- numbers

/// `CultureData.NumberFormatEntryManaged`: texts are offsets in a table of UTF-8 texts that end with a zero.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct NumberEntry {
    currency_decimal_digits: i32,
    currency_decimal_separator: i32,
    currency_group_separator: i32,
    currency_group_sizes: [i32; 2],
    currency_negative_pattern: i32,
    currency_positive_pattern: i32,
    currency_symbol: i32,
    nan_symbol: i32,
    negative_infinity_symbol: i32,
    negative_sign: i32,
    number_decimal_digits: i32,
    number_decimal_separator: i32,
    number_group_separator: i32,
    number_group_sizes: [i32; 2],
    number_negative_pattern: i32,
    per_mille_symbol: i32,
    percent_negative_pattern: i32,
    percent_positive_pattern: i32,
    percent_symbol: i32,
    positive_infinity_symbol: i32,
    positive_sign: i32,
}

const _: () = assert!(size_of::<NumberEntry>() == 92);

/// Digits of the fraction that `N` shows, in every culture.
const DECIMAL_DIGITS: i32 = 2;
/// `-n`
const NEGATIVE_PATTERN: i32 = 1;

impl NumberEntry {
    fn new(data: &NumberData) -> (NumberEntry, Vec<u8>) {
        let mut texts = Vec::new();
        let mut add = |text: &str| {
            let at = texts.len() as i32;
            texts.extend_from_slice(text.as_bytes());
            texts.push(0);
            at
        };
        let infinity = &data.infinity;
        let entry = NumberEntry {
            currency_decimal_digits: data.currency_digits,
            currency_decimal_separator: add(&data.decimal_separator),
            currency_group_separator: add(&data.group_separator),
            currency_group_sizes: data.group_sizes,
            currency_negative_pattern: data.currency_negative,
            currency_positive_pattern: data.currency_positive,
            currency_symbol: add(&data.currency_symbol),
            nan_symbol: add("NaN"),
            negative_infinity_symbol: add(&format!("{}{infinity}", data.negative_sign)),
            negative_sign: add(&data.negative_sign),
            number_decimal_digits: DECIMAL_DIGITS,
            number_decimal_separator: add(&data.decimal_separator),
            number_group_separator: add(&data.group_separator),
            number_group_sizes: data.group_sizes,
            number_negative_pattern: NEGATIVE_PATTERN,
            per_mille_symbol: add("\u{2030}"),
            percent_negative_pattern: data.percent_negative,
            percent_positive_pattern: data.percent_positive,
            percent_symbol: add(&data.percent_symbol),
            positive_infinity_symbol: add(infinity),
            positive_sign: add(&data.positive_sign),
        };
        (entry, texts)
    }
}

extern "C" fn fill_number_data(index: i32, out: *mut NumberEntry) -> *const u8 {
    let mut table = KNOWN.lock();
    let Some(entry) = table.cultures.get_mut(index as usize) else {
        return core::ptr::null();
    };
    let culture = &entry.culture;
    let (numbers, texts) = entry.numbers.get_or_insert_with(|| {
        let (numbers, texts) = NumberEntry::new(&number_data(culture));
        // One table for each culture in use; managed code reads it whenever it likes.
        (numbers, texts.leak())
    });
    // SAFETY: the address of the caller's local.
    unsafe { out.write(*numbers) };
    texts.as_ptr()
}

// ---- regions

extern "C" fn region_from_name(object: Obj, name: Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        let Some(data) = region_data(&string::to_rust(name)) else {
            return Ok(false);
        };
        rt.set_field(object, "regionId", data.number);
        let texts = [
            ("iso2Name", &data.two_letters),
            ("iso3Name", &data.three_letters),
            ("win3Name", &data.three_letters),
            ("englishName", &data.english_name),
            ("nativeName", &data.native_name),
            ("currencySymbol", &data.currency_symbol),
            ("isoCurrencySymbol", &data.currency_code),
            ("currencyEnglishName", &data.currency_english_name),
            ("currencyNativeName", &data.currency_native_name),
        ];
        for (field, text) in texts {
            rt.set_field(object, field, string::from_rust(text)?);
        }
        Ok(true)
    })
}

// ---- comparison without the managed collation (`MONO_DISABLE_MANAGED_COLLATION`)

/// `CompareOptions.IgnoreCase`
const IGNORE_CASE: i32 = 1;
/// `CompareOptions.OrdinalIgnoreCase`
const ORDINAL_IGNORE_CASE: i32 = 0x1000_0000;

extern "C" fn compare(a: *const u16, a_len: i32, b: *const u16, b_len: i32, options: i32) -> i32 {
    // SAFETY: managed code passes pinned strings and their lengths.
    let (a, b) = unsafe {
        (
            core::slice::from_raw_parts(a, a_len.max(0) as usize),
            core::slice::from_raw_parts(b, b_len.max(0) as usize),
        )
    };
    if options & (IGNORE_CASE | ORDINAL_IGNORE_CASE) != 0 {
        let fold = |s: &[u16]| String::from_utf16_lossy(s).to_uppercase();
        return fold(a).cmp(&fold(b)) as i32;
    }
    a.cmp(b) as i32
}

/// Where `value` is first or last found in the `count` units around `start`; -1 if nowhere.
extern "C" fn index(
    source: *const u16,
    start: i32,
    count: i32,
    value: *const u16,
    value_len: i32,
    first: bool,
) -> i32 {
    let count = count.max(0) as usize;
    let begin = if first {
        start
    } else {
        start + 1 - count as i32
    };
    // SAFETY: managed code passes pinned strings and a range inside the first.
    let (range, value) = unsafe {
        (
            core::slice::from_raw_parts(source.offset(begin as isize), count),
            core::slice::from_raw_parts(value, value_len.max(0) as usize),
        )
    };
    if value.is_empty() {
        return start;
    }
    let mut windows = range.windows(value.len());
    let found = match first {
        true => windows.position(|w| w == value),
        false => windows.rposition(|w| w == value),
    };
    found.map_or(-1, |at| begin + at as i32)
}

/// Charsets by the numbers of `EncodingHelper`.
const CODE_PAGES: &[(&str, i32)] = &[
    ("ANSI_X3.4-1968", 1),
    ("US-ASCII", 1),
    ("UTF-7", 2),
    ("UTF-8", 3),
    ("UTF-16", 4),
    ("UTF-16BE", 5),
    ("ISO-8859-1", 6),
];
const UTF_8: i32 = 3;
/// Set for UTF-8, with which no preamble is wanted.
const UTF_8_FLAG: i32 = 0x1000_0000;

/// The charset of the environment's locale.
fn charset() -> String {
    let locale = from_environment(&["LC_ALL", "LC_CTYPE", "LANG"]).unwrap_or_default();
    let name = locale.split('@').next().unwrap_or_default();
    match name.split_once('.') {
        Some((_, charset)) => charset.to_ascii_uppercase(),
        None => "ANSI_X3.4-1968".to_owned(),
    }
}

extern "C" fn internal_code_page(page: *mut i32) -> Obj {
    managed(|| {
        let name = match charset() {
            c if c == "UTF8" => "UTF-8".to_owned(),
            c => c,
        };
        // SAFETY: the address of the caller's local.
        let page = unsafe { &mut *page };
        let wants_name = *page == 1;
        match CODE_PAGES.iter().find(|(n, _)| *n == name) {
            Some((_, UTF_8)) => *page = UTF_8 | UTF_8_FLAG,
            Some((_, number)) => *page = *number,
            None => *page = -1,
        }
        if *page == -1 && wants_name {
            return string::from_rust(&name.to_lowercase());
        }
        Ok(Obj::NULL)
    })
}
