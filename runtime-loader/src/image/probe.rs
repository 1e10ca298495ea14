//! Where images are looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Folder of the system's cache of images.
pub const SYSTEM_CACHE: &str = "/var/cache/aotrun";

/// The user's cache folder: `$XDG_CACHE_HOME/aotrun` or `~/.cache/aotrun`. Relative paths count as unset.
pub fn user_cache() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p: &PathBuf| p.is_absolute())
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|h| h.join(".cache")))?;
    Some(base.join("aotrun"))
}

/// Name of the image of an assembly file: `X.dll.so`.
pub fn image_name(assembly: &Path) -> Option<OsString> {
    let mut name = assembly.file_name()?.to_owned();
    name.push(".so");
    Some(name)
}

/// The places an image can be in, the first found to be usable wins: the folders given by the user, beside the assembly,
/// the user's cache, the system's cache.
pub fn candidates(assembly: &Path, given: &[PathBuf], caches: &[PathBuf]) -> Vec<PathBuf> {
    let Some(name) = image_name(assembly) else {
        return Vec::new();
    };
    let beside = assembly.parent().map(Path::to_path_buf);
    given
        .iter()
        .cloned()
        .chain(beside)
        .chain(caches.iter().cloned())
        .map(|folder| folder.join(&name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_in_order() {
        let places = candidates(
            Path::new("/app/x.exe"),
            &["/given".into()],
            &["/user".into(), SYSTEM_CACHE.into()],
        );
        let shown: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
        assert_eq!(
            shown,
            [
                "/given/x.exe.so",
                "/app/x.exe.so",
                "/user/x.exe.so",
                "/var/cache/aotrun/x.exe.so"
            ]
        );
    }
}
