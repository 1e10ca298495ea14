//! How numbers, percentages and amounts of money are written.

use super::{Culture, plain_spaces, regions};
use fixed_decimal::Decimal;
use icu_decimal::provider::{Baked, DecimalSymbolsV1};
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::percent::formatter::PercentFormatter;
use icu_locale::Locale;
use icu_provider::prelude::*;
use writeable::Writeable;

/// What `NumberFormatInfo` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberData {
    /// Between whole and fraction.
    pub decimal_separator: String,
    /// Between groups of digits.
    pub group_separator: String,
    /// Sizes of the last group and of those before it; -1 if they are the same.
    pub group_sizes: [i32; 2],
    /// `-`
    pub negative_sign: String,
    /// `+`
    pub positive_sign: String,
    /// `double.PositiveInfinity`
    pub infinity: String,
    /// `%`
    pub percent_symbol: String,
    /// `NumberFormatInfo.PercentPositivePattern`
    pub percent_positive: i32,
    /// `NumberFormatInfo.PercentNegativePattern`
    pub percent_negative: i32,
    /// `$`
    pub currency_symbol: String,
    /// Digits of the fraction of an amount.
    pub currency_digits: i32,
    /// `NumberFormatInfo.CurrencyPositivePattern`
    pub currency_positive: i32,
    /// `NumberFormatInfo.CurrencyNegativePattern`
    pub currency_negative: i32,
}

/// Patterns in the order of their numbers in `NumberFormatInfo`: `n` is the number, `$` the symbol.
const CURRENCY_POSITIVE: [&str; 4] = ["$n", "n$", "$ n", "n $"];
const CURRENCY_NEGATIVE: [&str; 16] = [
    "($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-", "-n $", "-$ n", "n $-", "$ n-",
    "$ -n", "n- $", "($ n)", "(n $)",
];
const PERCENT_POSITIVE: [&str; 4] = ["n $", "n$", "$n", "$ n"];
const PERCENT_NEGATIVE: [&str; 12] = [
    "-n $", "-n$", "-$n", "$-n", "$n-", "n-$", "n$-", "-$ n", "n $-", "$ n-", "$ -n", "n- $",
];

/// The data of a culture, for the digits 0 to 9.
pub fn number_data(culture: &Culture) -> NumberData {
    let locale = with_latin_digits(&culture.locale);
    let mut data = NumberData {
        decimal_separator: ".".into(),
        group_separator: ",".into(),
        group_sizes: [3, -1],
        negative_sign: "-".into(),
        positive_sign: "+".into(),
        infinity: "\u{221e}".into(),
        percent_symbol: "%".into(),
        percent_positive: 0,
        percent_negative: 0,
        currency_symbol: "\u{a4}".into(),
        currency_digits: 2,
        currency_positive: 0,
        currency_negative: 0,
    };
    symbols(&locale, &mut data);
    percent(&locale, &mut data);
    currency(culture, &locale, &mut data);
    // As in every version of .NET before it used CLDR; programs compare with it.
    if culture.two_letters() == "en" {
        data.infinity = "Infinity".into();
    }
    if matches!(culture.name(), "en" | "en-US") {
        data.percent_positive = 0;
        data.percent_negative = 0;
        data.currency_negative = 0;
    }
    data
}

fn with_latin_digits(locale: &Locale) -> Locale {
    Locale::try_from_str(&format!("{}-u-nu-latn", locale.id)).unwrap_or_else(|_| locale.clone())
}

fn symbols(locale: &Locale, data: &mut NumberData) {
    let id = DecimalSymbolsV1::make_locale((&locale.id).into());
    let latin = DataMarkerAttributes::from_str_or_panic("latn");
    let own = DataRequest {
        id: DataIdentifierBorrowed::for_marker_attributes_and_locale(latin, &id),
        ..DataRequest::default()
    };
    let default = DataRequest {
        id: DataIdentifierBorrowed::for_locale(&id),
        ..DataRequest::default()
    };
    let load = |request| DataProvider::<DecimalSymbolsV1>::load(&Baked, request).ok();
    // Where those digits are the default, their symbols have no name of their own.
    let Some(loaded) = load(own).or_else(|| load(default)) else {
        return;
    };
    let symbols = loaded.payload.get();
    data.decimal_separator = plain_spaces(symbols.decimal_separator());
    data.group_separator = plain_spaces(symbols.grouping_separator());
    let sizes = symbols.grouping_sizes;
    data.group_sizes = [
        sizes.primary.into(),
        match sizes.secondary {
            s if s == sizes.primary => -1,
            s => s.into(),
        },
    ];
    data.negative_sign = sign(symbols.minus_sign_prefix());
    data.positive_sign = sign(symbols.plus_sign_prefix());
}

/// A sign without marks of direction; the minus sign proper is the hyphen that everybody types and parsers know.
fn sign(text: &str) -> String {
    let plain = text.chars().filter(|c| !is_direction_mark(*c));
    plain
        .map(|c| if c == '\u{2212}' { '-' } else { c })
        .collect()
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

fn percent(locale: &Locale, data: &mut NumberData) {
    let Ok(formatter) = PercentFormatter::try_new(locale.into(), Default::default()) else {
        return;
    };
    let write = |n: i32| {
        formatter
            .format(&Decimal::from(n))
            .write_to_string()
            .into_owned()
    };
    let Some((symbol, positive)) = shape(&write(8), "8") else {
        return;
    };
    data.percent_symbol = symbol;
    data.percent_positive = number_of(&PERCENT_POSITIVE, &positive).unwrap_or(0);
    let negative = shape(&write(-8), "8").map(|(_, shape)| shape);
    let known = negative.and_then(|n| number_of(&PERCENT_NEGATIVE, &n));
    data.percent_negative = known.unwrap_or(data.percent_positive.min(2));
}

fn currency(culture: &Culture, locale: &Locale, data: &mut NumberData) {
    let region = culture
        .territory()
        .or_else(|| regions::likely_region(culture));
    let Some(code) = region.as_deref().and_then(regions::currency_of) else {
        return;
    };
    let Some((symbol, positive)) = amount(locale, code.code(), 8) else {
        return;
    };
    data.currency_symbol = symbol;
    data.currency_digits = code.exponent().unwrap_or(2).into();
    data.currency_positive = number_of(&CURRENCY_POSITIVE, &positive).unwrap_or(0);
    let negative = amount(locale, code.code(), -8).map(|(_, shape)| shape);
    let known = negative.and_then(|n| number_of(&CURRENCY_NEGATIVE, &n));
    data.currency_negative = known.unwrap_or(1);
}

/// The name of a currency in a language.
pub(super) fn currency_name(locale: &Locale, code: &str) -> Option<String> {
    let currency = CurrencyType::try_from_str(&code.to_ascii_lowercase()).ok()?;
    let formatter = CurrencyFormatter::try_new_name(locale.into(), currency).ok()?;
    let text = formatter
        .format_fixed_decimal(&Decimal::from(1))
        .write_to_string()
        .into_owned();
    let name = text.trim_matches(|c: char| !c.is_alphabetic());
    (!name.is_empty()).then(|| name.to_owned())
}

/// Symbol and shape of an amount in a currency.
pub(super) fn amount(locale: &Locale, code: &str, n: i32) -> Option<(String, String)> {
    let currency = CurrencyType::try_from_str(&code.to_ascii_lowercase()).ok()?;
    let short =
        CurrencyFormatter::try_new_symbol_narrow(locale.into(), currency, Default::default());
    let text = short
        .ok()?
        .format_fixed_decimal(&Decimal::from(n))
        .write_to_string()
        .into_owned();
    shape(&text, "8")
}

/// A text with one number in it as symbol and shape: `"-8,00\u{a0}€"` is `€` and `"-n $"`.
fn shape(text: &str, number: &str) -> Option<(String, String)> {
    let text: String = text.chars().filter(|c| !is_direction_mark(*c)).collect();
    let start = text.find(number)?;
    let is_part = |c: char| {
        c.is_ascii_digit() || ((c == '.' || c == ',' || c == '\u{66b}') && text.contains("00"))
    };
    let end = text[start..]
        .find(|c| !is_part(c))
        .map_or(text.len(), |n| start + n);
    let mut symbol = String::new();
    let mut shape = String::new();
    let mut add = |part: &str, shape: &mut String| {
        for c in part.chars() {
            match c {
                '-' | '\u{2212}' => shape.push('-'),
                '(' | ')' => shape.push(c),
                ' ' | '\u{a0}' | '\u{202f}' => shape.push(' '),
                c => {
                    symbol.push(c);
                    if !shape.ends_with('$') {
                        shape.push('$');
                    }
                }
            }
        }
    };
    add(&text[..start], &mut shape);
    shape.push('n');
    add(&text[end..], &mut shape);
    Some((symbol, shape.trim().to_owned()))
}

fn number_of(patterns: &[&str], shape: &str) -> Option<i32> {
    let at = patterns.iter().position(|p| *p == shape)?;
    i32::try_from(at).ok()
}
