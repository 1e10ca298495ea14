//! Countries and their currencies.

use super::{Culture, numbers};
use icu_experimental::displaynames::multi::RegionDisplayNames;
use icu_locale::subtags::Region;
use icu_locale::{Locale, LocaleExpander, locale};
use iso_currency::{Currency, IntoEnumIterator};

/// What `RegionInfo` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionData {
    /// ISO 3166: two letters.
    pub two_letters: String,
    /// ISO 3166: three letters; Windows has the same.
    pub three_letters: String,
    /// ISO 3166: the number. (Windows' geographical identifiers are in no kept source.)
    pub number: i32,
    /// Name in English.
    pub english_name: String,
    /// Name in the language most people there speak.
    pub native_name: String,
    /// Symbol of the currency there.
    pub currency_symbol: String,
    /// ISO 4217: three letters of the currency.
    pub currency_code: String,
    /// Name of the currency in English.
    pub currency_english_name: String,
    /// Name of the currency in the language most people there speak.
    pub currency_native_name: String,
}

/// The region with two letters in any case.
pub fn region_data(name: &str) -> Option<RegionData> {
    let region = Region::try_from_str(name).ok()?;
    let country = rust_iso3166::from_alpha2(region.as_str())?;
    let native = native_locale(region);
    let currency = currency_of(region.as_str());
    let code = currency.map_or("XXX", |c| c.code());
    let symbol = numbers::amount(&native, code, 8).map(|(symbol, _)| symbol);
    Some(RegionData {
        two_letters: region.as_str().to_owned(),
        three_letters: country.alpha3.to_owned(),
        number: country.numeric.into(),
        english_name: name_in(&locale!("en"), region).unwrap_or_else(|| country.name.to_owned()),
        native_name: name_in(&native, region).unwrap_or_else(|| country.name.to_owned()),
        currency_symbol: symbol.unwrap_or_else(|| code.to_owned()),
        currency_code: code.to_owned(),
        currency_english_name: numbers::currency_name(&locale!("en"), code)
            .unwrap_or_else(|| code.to_owned()),
        currency_native_name: numbers::currency_name(&native, code)
            .unwrap_or_else(|| code.to_owned()),
    })
}

fn name_in(language: &Locale, region: Region) -> Option<String> {
    let names = RegionDisplayNames::try_new(language.into(), Default::default()).ok()?;
    names.of(region).map(str::to_owned)
}

/// The locale of the language most people in a region speak.
fn native_locale(region: Region) -> Locale {
    let mut locale: Locale = locale!("und");
    locale.id.region = Some(region);
    LocaleExpander::new_extended().maximize(&mut locale.id);
    locale.id.script = None;
    locale
}

/// The region most speakers of a language alone live in.
pub(super) fn likely_region(culture: &Culture) -> Option<String> {
    let mut id = culture.locale.id.clone();
    LocaleExpander::new_extended().maximize(&mut id);
    id.region.map(|r| r.as_str().to_owned())
}

/// The currency of a region: of those in use the one named after it (`CH` has `CHF` besides units of account), else the first.
pub(super) fn currency_of(region: &str) -> Option<Currency> {
    let used = Currency::iter().filter(|c| {
        let countries = c.used_by();
        !c.is_fund() && !c.is_special() && countries.iter().any(|u| u.to_string() == region)
    });
    let used: Vec<_> = used.collect();
    let own = used.iter().find(|c| c.code().starts_with(region));
    own.or(used.first()).copied()
}
