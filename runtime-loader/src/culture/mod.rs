//! What is known about cultures, regions and their texts, from kept sources: CLDR by way of the ICU4X crates, Windows'
//! identifiers from the `lcid` crate, ISO 3166 and ISO 4217 from theirs. `docs/culture.md` says how that becomes what the class
//! libraries ask for, and where it differs from Mono's tables.
//!
//! Nothing is computed before a program asks for a culture other than the invariant one.

mod dates;
pub mod normalization;
mod numbers;
mod pattern;
mod regions;

pub use dates::{DateData, date_data};
pub use numbers::{NumberData, number_data};
pub use regions::region_data;

use icu_experimental::displaynames::multi::{
    LanguageDisplayNames, RegionDisplayNames, ScriptDisplayNames,
};
use icu_locale::{Locale, LocaleDirectionality, LocaleExpander};
use lcid::LanguageId;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The identifier shared by all cultures that Windows gave none of their own.
pub const LCID_UNASSIGNED: u32 = 0x1000;
/// The identifier of the invariant culture.
pub const LCID_INVARIANT: u32 = 0x7f;

/// A culture that is neither the invariant one nor unknown to CLDR.
#[derive(Clone, Debug)]
pub struct Culture {
    id: &'static LanguageId,
    locale: Locale,
}

/// Calendars the class libraries have classes for, as `CultureInfo.default_calendar_type` names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calendar {
    /// `GregorianCalendar`, localized.
    Gregorian = 0x101,
    /// `ThaiBuddhistCalendar`
    ThaiBuddhist = 0x200,
}

/// Code pages of a language, as Windows has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePages {
    /// Windows.
    pub ansi: u32,
    /// DOS.
    pub oem: u32,
    /// Macintosh.
    pub mac: u32,
    /// EBCDIC.
    pub ebcdic: u32,
}

impl Culture {
    /// The culture with a name in any case.
    pub fn from_name(name: &str) -> Option<Culture> {
        let name = match name.to_ascii_lowercase().as_str() {
            // Names of .NET 1.0, which Windows kept.
            "zh-chs" => "zh-Hans".to_owned(),
            "zh-cht" => "zh-Hant".to_owned(),
            lower => match by_name().get(lower) {
                Some(id) => return Culture::of(id),
                None => Locale::try_from_str(name).ok()?.to_string(),
            },
        };
        Culture::of(LanguageId::try_from_name(&name)?)
    }

    /// The culture with an identifier.
    pub fn from_lcid(lcid: u32) -> Option<Culture> {
        Culture::of(LanguageId::try_from_lcid(lcid)?)
    }

    fn of(id: &'static LanguageId) -> Option<Culture> {
        let locale = Locale::try_from_str(id.name).ok()?;
        let culture = Culture { id, locale };
        // What CLDR cannot name in its own language it has no other data of either.
        culture.language_name(&culture.locale).map(|_| culture)
    }

    /// The name, as `de-DE`.
    pub fn name(&self) -> &'static str {
        self.id.name
    }

    /// Windows' identifier.
    pub fn lcid(&self) -> u32 {
        self.id.lcid
    }

    /// ISO 639-1 (or the shortest code there is).
    pub fn two_letters(&self) -> &'static str {
        self.id.iso639_two_letter
    }

    /// ISO 639-2/T.
    pub fn three_letters(&self) -> &'static str {
        self.id.iso639_three_letter
    }

    /// Windows' three letters.
    pub fn windows_letters(&self) -> &'static str {
        self.id.windows_three_letter
    }

    /// The region's two letters; none for cultures of a language alone.
    pub fn territory(&self) -> Option<String> {
        self.locale.id.region.map(|r| r.as_str().to_owned())
    }

    /// The name in English.
    pub fn english_name(&self) -> &'static str {
        self.id.english_name
    }

    /// The name in the culture's own language.
    pub fn native_name(&self) -> String {
        let language = self.language_name(&self.locale).unwrap_or_default();
        let prefs = || (&self.locale).into();
        let script = self.locale.id.script.and_then(|s| {
            let names = ScriptDisplayNames::try_new(prefs(), Default::default()).ok()?;
            names.of(s).map(str::to_owned)
        });
        let region = self.locale.id.region.and_then(|r| {
            let names = RegionDisplayNames::try_new(prefs(), Default::default()).ok()?;
            names.of(r).map(str::to_owned)
        });
        let rest: Vec<String> = script.into_iter().chain(region).collect();
        match rest.is_empty() {
            true => language,
            false => format!("{language} ({})", rest.join(", ")),
        }
    }

    fn language_name(&self, in_language: &Locale) -> Option<String> {
        let names = LanguageDisplayNames::try_new(in_language.into(), Default::default()).ok()?;
        names.of(self.locale.id.language).map(str::to_owned)
    }

    /// The culture it inherits from; none below the invariant one.
    pub fn parent(&self) -> Option<Culture> {
        let (shorter, _) = self.name().rsplit_once('-')?;
        // The script a region writes in stands between it and the language, where Windows knows such a culture.
        let mut full = self.locale.id.clone();
        if full.script.is_none() {
            LocaleExpander::new_extended().maximize(&mut full);
        }
        let by_script = full
            .script
            .filter(|_| self.locale.id.script.is_none())
            .and_then(|script| by_name().get(format!("{shorter}-{script}").to_lowercase().as_str()))
            .and_then(|id| Culture::of(id));
        by_script.or_else(|| Culture::from_name(shorter))
    }

    /// Written from right to left?
    pub fn is_right_to_left(&self) -> bool {
        LocaleDirectionality::new_extended().is_right_to_left(&self.locale.id)
    }

    /// The calendar dates are in unless asked otherwise.
    pub fn calendar(&self) -> Calendar {
        use icu_calendar::AnyCalendarKind as Kind;
        match Kind::try_new((&self.locale).into()).unwrap_or(Kind::Gregorian) {
            Kind::Buddhist => Calendar::ThaiBuddhist,
            // The others have no class that could be a culture's default.
            _ => Calendar::Gregorian,
        }
    }

    /// Code pages: the one of Windows from the language, the others as Windows pairs them with it.
    pub fn code_pages(&self) -> CodePages {
        let ansi = self.id.ansi_code_page.map_or(0, u32::from);
        CodePages {
            ansi,
            oem: oem_code_page(
                ansi,
                self.locale.id.region.is_some_and(|r| r.as_str() == "US"),
            ),
            mac: 10000,
            ebcdic: 500,
        }
    }
}

/// DOS and Windows share the code pages of the scripts that need more than a byte, and of Thai and Vietnamese.
fn oem_code_page(ansi: u32, united_states: bool) -> u32 {
    const PAIRS: [(u32, u32); 8] = [
        (1250, 852),
        (1251, 866),
        (1252, 850),
        (1253, 737),
        (1254, 857),
        (1255, 862),
        (1256, 720),
        (1257, 775),
    ];
    if united_states && ansi == 1252 {
        return 437;
    }
    match PAIRS.iter().find(|(a, _)| *a == ansi) {
        Some((_, oem)) => *oem,
        None if ansi == 0 => 1,
        None => ansi,
    }
}

/// Cultures with an identifier of their own, by name in lower case.
fn by_name() -> &'static FxHashMap<String, &'static LanguageId> {
    static NAMES: OnceLock<FxHashMap<String, &'static LanguageId>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let ids = (1..LCID_UNASSIGNED * 16).filter_map(LanguageId::try_from_lcid);
        let ids = ids.filter(|id| id.lcid != LCID_UNASSIGNED && !id.name.contains('_'));
        ids.map(|id| (id.name.to_lowercase(), id)).collect()
    })
}

/// All cultures with an identifier of their own, by identifier.
pub fn all() -> Vec<Culture> {
    let mut all: Vec<_> = by_name()
        .values()
        .filter_map(|id| Culture::of(id))
        .collect();
    all.sort_by_key(Culture::lcid);
    all
}

/// Lookups of the `lcid` crate without its errors.
trait Lookup: Sized {
    fn try_from_name(name: &str) -> Option<&'static Self>;
    fn try_from_lcid(lcid: u32) -> Option<&'static Self>;
}

impl Lookup for LanguageId {
    fn try_from_name(name: &str) -> Option<&'static LanguageId> {
        <&LanguageId>::try_from(name).ok()
    }

    fn try_from_lcid(lcid: u32) -> Option<&'static LanguageId> {
        <&LanguageId>::try_from(lcid).ok()
    }
}

/// Text as the class libraries' parsers and formatters know it: narrow no-break spaces are plain ones of that kind.
fn plain_spaces(text: &str) -> String {
    text.replace('\u{202f}', "\u{a0}")
}

#[cfg(test)]
mod tests;
