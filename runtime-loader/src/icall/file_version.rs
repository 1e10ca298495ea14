//! `System.Diagnostics.FileVersionInfo`: the version resource of a PE file.

use super::{Result, icalls, managed};
use crate::object::{Obj, string};
use crate::runtime;
use pelite::resources::version_info::VersionInfo;

icalls! {
    "System.Diagnostics.FileVersionInfo" {
        "GetVersionInfo_icall" => version_info(Obj, *const u16, i32);
    }
}

/// Fields of `FileVersionInfo` that hold strings of the resource.
const STRINGS: &[(&str, &str)] = &[
    ("comments", "Comments"),
    ("companyname", "CompanyName"),
    ("filedescription", "FileDescription"),
    ("fileversion", "FileVersion"),
    ("internalname", "InternalName"),
    ("legalcopyright", "LegalCopyright"),
    ("legaltrademarks", "LegalTrademarks"),
    ("originalfilename", "OriginalFilename"),
    ("privatebuild", "PrivateBuild"),
    ("productname", "ProductName"),
    ("productversion", "ProductVersion"),
    ("specialbuild", "SpecialBuild"),
];

/// Fields that hold bits of the file flags (`VS_FF_…` of `VS_FIXEDFILEINFO`).
const FLAGS: &[(&str, u32)] = &[
    ("isdebug", 0x01),
    ("isprerelease", 0x02),
    ("ispatched", 0x04),
    ("isprivatebuild", 0x08),
    ("isspecialbuild", 0x20),
];

/// The name of the language of a resource without one, as the class libraries spell it.
const NEUTRAL_LANGUAGE: &str = "Invariant Language (Invariant Country)";

extern "C" fn version_info(this: Obj, name: *const u16, len: i32) {
    managed(|| {
        let len = usize::try_from(len).unwrap_or(0);
        // SAFETY: the caller pins a string of this length.
        let units = unsafe { core::slice::from_raw_parts(name, len) };
        fill(this, &String::from_utf16_lossy(units))
    });
}

/// Fills a `FileVersionInfo` from a file; a file without the resource leaves empty strings.
pub fn fill(this: Obj, path: &str) -> Result<()> {
    let rt = runtime::get();
    let set = |field: &'static str, text: &str| -> Result<()> {
        rt.set_field(this, field, string::from_rust(text)?);
        Ok(())
    };
    set("filename", path)?;
    let bytes = std::fs::read(path).unwrap_or_default();
    let resources = pelite::PeFile::from_bytes(&bytes).and_then(|pe| pe.resources());
    let info = resources.ok().and_then(|r| r.version_info().ok());
    for (field, key) in STRINGS {
        let value = info.and_then(|i| text_of(i, key));
        set(field, &value.unwrap_or_default())?;
    }
    set(
        "language",
        if info.is_some() { NEUTRAL_LANGUAGE } else { "" },
    )?;
    let Some(fixed) = info.and_then(VersionInfo::fixed) else {
        return Ok(());
    };
    for (what, version) in [
        ("file", fixed.dwFileVersion),
        ("product", fixed.dwProductVersion),
    ] {
        let parts = [version.Major, version.Minor, version.Patch, version.Build];
        for (part, value) in ["major", "minor", "build", "private"].iter().zip(parts) {
            rt.set_computed_field(this, &format!("{what}{part}part"), i32::from(value));
        }
    }
    for (field, bit) in FLAGS {
        rt.set_field(this, field, u8::from(fixed.dwFileFlags & bit != 0));
    }
    Ok(())
}

/// A string of the resource in its first language.
fn text_of(info: VersionInfo<'_>, key: &str) -> Option<String> {
    let language = *info.translation().first()?;
    info.value(language, key)
}
