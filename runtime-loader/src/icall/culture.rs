//! Cultures and encodings. The invariant culture only, so far: the class libraries have that one themselves.

use super::{icalls, managed};
use crate::object::{Obj, array, string};
use crate::runtime;

icalls! {
    "System.Globalization.CultureInfo" {
        "get_current_locale_name" => current_locale_name() -> Obj;
        "construct_internal_locale_from_name" => locale_from_name(Obj, Obj) -> bool;
        "construct_internal_locale_from_lcid" => locale_from_lcid(Obj, i32) -> bool;
        "internal_get_cultures" => get_cultures(bool, bool, bool) -> Obj;
    }
    "System.Globalization.CalendarData" {
        "fill_calendar_data" => fill_calendar_data(Obj, Obj, i32) -> bool;
    }
    "System.Globalization.RegionInfo" {
        "construct_internal_region_from_name" => region_from_name(Obj, Obj) -> bool;
    }
    "System.Globalization.CompareInfo" {
        "internal_compare_icall" => compare(*const u16, i32, *const u16, i32, i32) -> i32;
    }
    "System.Text.EncodingHelper" {
        "InternalCodePage" => internal_code_page(*mut i32) -> Obj;
    }
}

extern "C" fn current_locale_name() -> Obj {
    Obj::NULL
}

extern "C" fn locale_from_name(_culture: Obj, _name: Obj) -> bool {
    false
}

extern "C" fn locale_from_lcid(_culture: Obj, _lcid: i32) -> bool {
    false
}

extern "C" fn get_cultures(neutral: bool, _specific: bool, _installed: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let class =
            rt.types
                .require_type(rt.types.corlib(), "System.Globalization", "CultureInfo")?;
        // With neutral cultures asked for, the caller puts the invariant culture into the first element.
        array::allocate(rt.method_table(rt.types.sz_array(class))?, neutral.into())
    })
}

extern "C" fn fill_calendar_data(_data: Obj, _locale: Obj, _index: i32) -> bool {
    false
}

extern "C" fn region_from_name(_region: Obj, _name: Obj) -> bool {
    false
}

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
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|s| !s.is_empty()))
        .unwrap_or_default();
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
