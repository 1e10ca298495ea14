//! Tables of Unicode normalization in the form the class library's `System.Text.Normalization` reads, made from `icu_normalizer`'s
//! data when first asked for.
//!
//! The managed code works on UTF-16 units and looks six tables up:
//!
//! * *properties*: per unit, bits that answer the quick checks of UAX #15;
//! * *characters*: zero-terminated mappings, one after the other. First stand those of primary composites, `first second 0`, ordered by
//!   `first`; then, behind a further zero, all others: canonical mappings as they stand in the character database (the reader applies
//!   them recursively), compatibility mappings in full;
//! * *map index*: where the mapping of a unit starts, 0 for none;
//! * *helper index*: where the mappings begin whose first character is this unit, 0 for none;
//! * *composites*: by the place of a mapping of two, the character it composes to;
//! * *classes*: canonical combining classes.
//!
//! Characters beyond U+FFFF have no entries: the reader sees their surrogates, which are as they are in all forms.

use icu_normalizer::properties::{
    CanonicalCombiningClassMapBorrowed, CanonicalCompositionBorrowed,
    CanonicalDecompositionBorrowed, Decomposed,
};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Number of UTF-16 units, the size of the tables by unit.
pub const UNITS: usize = 0x10000;

/// Bits of the properties, as `System.Text.Normalization` names them.
mod property {
    pub const NO_NFD: u8 = 1;
    pub const NO_NFKD: u8 = 2;
    pub const NO_NFC: u8 = 4;
    pub const MAYBE_NFC: u8 = 8;
    pub const NO_NFKC: u8 = 16;
    pub const MAYBE_NFKC: u8 = 32;
    pub const FULL_COMPOSITION_EXCLUSION: u8 = 64;
}

/// The six tables.
pub struct Tables {
    /// Properties by unit.
    pub properties: Vec<u8>,
    /// Mappings, each ended by zero.
    pub characters: Vec<i32>,
    /// Start of the mapping by unit.
    pub map_index: Vec<i16>,
    /// Start of the mappings with this first character, by unit.
    pub helper_index: Vec<i16>,
    /// Composite by start of the mapping.
    pub composites: Vec<u16>,
    /// Canonical combining class by unit.
    pub classes: Vec<u8>,
}

/// The tables, made at the first call.
pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::make)
}

impl Tables {
    fn make() -> Self {
        let mut tables = Self {
            properties: vec![0; UNITS],
            // Place 0 means "none".
            characters: vec![0],
            map_index: vec![0; UNITS],
            helper_index: vec![0; UNITS],
            composites: vec![0; UNITS],
            classes: vec![0; UNITS],
        };
        let changing = tables.classify();
        let pairs = primary_pairs(&changing);
        for (first, seconds) in pairs {
            tables.helper_index[first as usize] = tables.next_place();
            for (second, composite) in seconds {
                let place = tables.map(composite, &[first, second]);
                tables.composites[place as usize] = composite as u16;
                tables.properties[second as usize] |= property::MAYBE_NFC | property::MAYBE_NFKC;
            }
        }
        tables.characters.push(0);
        for c in changing {
            if tables.map_index[c as usize] == 0 {
                tables.map(c, &mapping(c));
            }
        }
        for jamo in ('\u{1161}'..='\u{1175}').chain('\u{11a8}'..='\u{11c2}') {
            tables.properties[jamo as usize] |= property::MAYBE_NFC | property::MAYBE_NFKC;
        }
        tables
    }

    /// Fills properties and classes. Returns the characters with a mapping but for Hangul syllables, which the reader takes apart
    /// itself.
    fn classify(&mut self) -> Vec<char> {
        let classes = CanonicalCombiningClassMapBorrowed::new();
        let (nfd, nfkd) = (
            DecomposingNormalizerBorrowed::new_nfd(),
            DecomposingNormalizerBorrowed::new_nfkd(),
        );
        let (nfc, nfkc) = (
            ComposingNormalizerBorrowed::new_nfc(),
            ComposingNormalizerBorrowed::new_nfkc(),
        );
        let mut changing = Vec::new();
        let mut buffer = [0; 4];
        for c in '\0'..='\u{ffff}' {
            self.classes[c as usize] = classes.get_u8(c);
            let text = &*c.encode_utf8(&mut buffer);
            // What NFKD leaves alone, all forms leave alone.
            if matches!(c, '\u{ac00}'..='\u{d7a3}') || nfkd.is_normalized(text) {
                continue;
            }
            changing.push(c);
            let mut bits = property::NO_NFKD;
            if !nfd.is_normalized(text) {
                bits |= property::NO_NFD;
            }
            if !nfc.is_normalized(text) {
                bits |= property::NO_NFC | property::FULL_COMPOSITION_EXCLUSION;
            }
            if !nfkc.is_normalized(text) {
                bits |= property::NO_NFKC;
            }
            self.properties[c as usize] = bits;
        }
        changing
    }

    fn next_place(&self) -> i16 {
        i16::try_from(self.characters.len()).expect("all mappings take less than 32,768 places")
    }

    /// Appends the mapping of `c`; says where.
    fn map(&mut self, c: char, to: &[char]) -> i16 {
        let place = self.next_place();
        let mut units = [0; 2];
        for c in to {
            let units = c.encode_utf16(&mut units);
            self.characters.extend(units.iter().map(|u| i32::from(*u)));
        }
        self.characters.push(0);
        self.map_index[c as usize] = place;
        place
    }
}

/// The canonical pairs that compose again, by their first character: the second, and what they compose to.
fn primary_pairs(changing: &[char]) -> BTreeMap<char, Vec<(char, char)>> {
    let decomposition = CanonicalDecompositionBorrowed::new();
    let composition = CanonicalCompositionBorrowed::new();
    let mut pairs = BTreeMap::<char, Vec<(char, char)>>::new();
    for &c in changing {
        if let Decomposed::Expansion(first, second) = decomposition.decompose(c)
            && composition.compose(first, second) == Some(c)
        {
            pairs.entry(first).or_default().push((second, c));
        }
    }
    pairs
}

/// The mapping of a character: one canonical step if it has any, otherwise its full compatibility mapping.
fn mapping(c: char) -> Vec<char> {
    match CanonicalDecompositionBorrowed::new().decompose(c) {
        Decomposed::Singleton(one) => vec![one],
        Decomposed::Expansion(first, second) => vec![first, second],
        Decomposed::Default => DecomposingNormalizerBorrowed::new_nfkd()
            .normalize_iter(core::iter::once(c))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(tables: &Tables, c: char) -> Vec<i32> {
        let start = tables.map_index[c as usize] as usize;
        let rest = &tables.characters[start..];
        rest.iter().copied().take_while(|u| *u != 0).collect()
    }

    #[test]
    fn mappings_of_each_kind() {
        let t = tables();
        let bits = |c: char| t.properties[c as usize];
        assert_eq!(mapped(t, 'é'), [0x65, 0x301]);
        assert_eq!(bits('é'), property::NO_NFD | property::NO_NFKD);
        assert_eq!(mapped(t, '\u{212b}'), [0xc5]);
        assert_eq!(mapped(t, '\u{fb01}'), [0x66, 0x69]);
        assert_eq!(bits('\u{fb01}'), property::NO_NFKD | property::NO_NFKC);
        // Beyond U+FFFF: as surrogates.
        assert_eq!(mapped(t, '\u{fad0}'), [0xd84a, 0xdc44]);
        // An exclusion: taken apart, never put together.
        assert_eq!(mapped(t, '\u{958}'), [0x915, 0x93c]);
        assert_ne!(bits('\u{958}') & property::FULL_COMPOSITION_EXCLUSION, 0);
        assert_eq!(mapped(t, 'a'), [0; 0]);
        assert_eq!(
            (bits('a'), bits('\u{301}')),
            (0, property::MAYBE_NFC | property::MAYBE_NFKC)
        );
        assert_eq!(
            (t.classes[0x301], t.classes[0x323], t.classes[0x61]),
            (230, 220, 0)
        );
    }

    #[test]
    fn pairs_are_found_by_their_first_character() {
        let t = tables();
        let composition = CanonicalCompositionBorrowed::new();
        let mut found = 0;
        for first in '\0'..='\u{ffff}' {
            let mut place = t.helper_index[first as usize] as usize;
            while place != 0 && t.characters[place] == first as i32 {
                let second = u32::try_from(t.characters[place + 1])
                    .ok()
                    .and_then(char::from_u32);
                let composed = second.and_then(|s| composition.compose(first, s));
                assert_eq!(
                    composed.map(|c| c as u32),
                    Some(u32::from(t.composites[place]))
                );
                assert_eq!(t.characters[place + 2], 0);
                place += 3;
                found += 1;
            }
        }
        // 941 pairs below U+10000 in Unicode 15 and later.
        assert!(found > 900, "{found}");
    }
}
