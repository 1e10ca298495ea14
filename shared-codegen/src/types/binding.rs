//! Assembly names and the standard search for assembly files.
//!
//! The search order is the one the class libraries expect: the application's folder, its private
//! paths, `MONO_PATH`, the global assembly cache, the folder of the requester, the framework's root and
//! its `Facades`. The framework folder itself is not searched, except for mscorlib.

use super::assembly::{AssemblyInfo, AssemblyResolver, LoadedFile};
use super::binding_names::{FACADES, FRAMEWORK, RENAMED, TOKENS};
use super::{Error, Result};
use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Name of an assembly as written in references and display names.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AssemblyName {
    /// Simple name.
    pub name: Box<str>,
    /// Major, minor, build, revision.
    pub version: [u16; 4],
    /// Culture, empty for neutral.
    pub culture: Box<str>,
    /// Public key token; `None` for assemblies without strong name.
    pub token: Option<[u8; 8]>,
}

impl AssemblyName {
    /// A name without version, culture and key.
    pub fn simple(name: &str) -> AssemblyName {
        AssemblyName {
            name: name.into(),
            ..AssemblyName::default()
        }
    }

    /// Reads a display name (`Name, Version=1.2.3.4, Culture=neutral, PublicKeyToken=…`). Parts that
    /// are missing or malformed are left at their defaults.
    pub fn parse(text: &str) -> AssemblyName {
        let mut parts = text.split(',').map(str::trim);
        let mut name = AssemblyName::simple(parts.next().unwrap_or(""));
        for (key, value) in parts.filter_map(|p| p.split_once('=')) {
            match key.trim().to_ascii_lowercase().as_str() {
                "version" => name.version = parse_version(value),
                "culture" if !value.trim().eq_ignore_ascii_case("neutral") => {
                    name.culture = value.trim().into();
                }
                "publickeytoken" => name.token = parse_token(value.trim()),
                _ => {}
            }
        }
        name
    }

    /// True if a file with identity `found` may serve a request for `self`: the simple names are
    /// equal and, for a strong-named request, key and culture too and the version is not lower.
    pub fn accepts(&self, found: &AssemblyName) -> bool {
        self.name.eq_ignore_ascii_case(&found.name)
            && self.culture.eq_ignore_ascii_case(&found.culture)
            && self
                .token
                .is_none_or(|t| found.token == Some(t) && found.version >= self.version)
    }

    /// The request after the framework's version table: new name and installed version.
    pub fn remapped(&self) -> AssemblyName {
        let mut name = self.clone();
        if let Ok(i) = RENAMED.binary_search_by_key(&&*self.name, |r| r.0) {
            name.name = RENAMED[i].1.into();
        }
        if let Ok(i) = FRAMEWORK.binary_search_by_key(&&*name.name, |f| f.0) {
            name.version = FRAMEWORK[i].1;
        }
        name
    }

    /// Belongs to the framework (any version is served by the installed one).
    pub fn is_framework(&self) -> bool {
        FRAMEWORK
            .binary_search_by_key(&&*self.name, |f| f.0)
            .is_ok()
    }
}

impl fmt::Display for AssemblyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.version;
        let culture = if self.culture.is_empty() {
            "neutral"
        } else {
            &self.culture
        };
        write!(
            f,
            "{}, Version={a}.{b}.{c}.{d}, Culture={culture}, PublicKeyToken=",
            self.name
        )?;
        match self.token {
            None => f.write_str("null"),
            Some(t) => t.iter().try_for_each(|b| write!(f, "{b:02x}")),
        }
    }
}

fn parse_version(text: &str) -> [u16; 4] {
    let mut version = [0; 4];
    for (slot, part) in version.iter_mut().zip(text.trim().split('.')) {
        *slot = part.parse().unwrap_or(0);
    }
    version
}

fn parse_token(text: &str) -> Option<[u8; 8]> {
    let mut token = [0; 8];
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in token.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(token)
}

/// Gives the bytes of a file for the rest of the process, `NotFound` if there is none.
pub type ReadFile = dyn Fn(&Path) -> io::Result<&'static [u8]> + Send + Sync;

/// Reads a file into memory that is never freed.
pub fn read_and_leak(path: &Path) -> io::Result<&'static [u8]> {
    Ok(Box::leak(std::fs::read(path)?.into_boxed_slice()))
}

/// Where the standard search looks.
pub struct SearchPath {
    /// Folder of the application; searched first.
    pub app_base: Option<PathBuf>,
    /// Sub-folders of `app_base` to search too.
    pub private_paths: Vec<PathBuf>,
    /// Folders given by the user (`--lib-path`, `MONO_PATH`).
    pub extra: Vec<PathBuf>,
    /// Global assembly caches: folders that contain `<name>/<version>_<culture>_<token>/<name>.dll`.
    pub gacs: Vec<PathBuf>,
    /// The framework's root; holds `4.5/mscorlib.dll` and `4.5/Facades`.
    pub framework: PathBuf,
}

impl SearchPath {
    /// The places of an installed system: `MONO_PATH`, `MONO_GAC_PREFIX` and `/usr/lib/mono`.
    pub fn system(app_base: Option<PathBuf>) -> SearchPath {
        let paths = |name: &str| -> Vec<PathBuf> {
            std::env::var_os(name)
                .map(|v| std::env::split_paths(&v).collect())
                .unwrap_or_default()
        };
        let mut gacs: Vec<PathBuf> = paths("MONO_GAC_PREFIX")
            .into_iter()
            .map(|p| p.join("lib/mono/gac"))
            .collect();
        let framework = PathBuf::from("/usr/lib/mono");
        gacs.push(framework.join("gac"));
        SearchPath {
            app_base,
            private_paths: Vec::new(),
            extra: paths("MONO_PATH"),
            gacs,
            framework,
        }
    }

    fn mscorlib(&self) -> Vec<PathBuf> {
        self.extra
            .iter()
            .flat_map(|d| [d.join("mscorlib.dll"), d.join("mono/4.5/mscorlib.dll")])
            .chain([self.framework.join("4.5/mscorlib.dll")])
            .collect()
    }

    /// Folders searched before the global cache.
    fn private_folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let base = self.app_base.iter();
        base.flat_map(|b| {
            let subs = self.private_paths.iter().map(move |p| b.join(p));
            core::iter::once(b.clone()).chain(subs)
        })
        .chain(self.extra.iter().cloned())
    }

    fn gac_files(&self, name: &AssemblyName) -> Vec<PathBuf> {
        let Some(asked) = name.token else {
            return Vec::new();
        };
        let mut tokens = vec![asked];
        if name.is_framework() {
            tokens.extend(TOKENS.iter().filter(|t| **t != asked));
        }
        let [a, b, c, d] = name.version;
        let simple = &*name.name;
        let folder = |token: &[u8; 8]| {
            let hex: String = token.iter().map(|b| format!("{b:02x}")).collect();
            format!("{simple}/{a}.{b}.{c}.{d}_{}_{hex}", name.culture)
        };
        let mut files = Vec::new();
        for gac in &self.gacs {
            for token in &tokens {
                let folder = gac.join(folder(token));
                files.push(folder.join(format!("{simple}.dll")));
                files.push(folder.join(format!("{simple}.exe")));
            }
        }
        files
    }
}

/// Files in `folder` that may hold the assembly.
fn folder_files(folder: &Path, name: &AssemblyName) -> Vec<PathBuf> {
    let base = match &*name.culture {
        "" => folder.to_owned(),
        culture => folder.join(culture),
    };
    let simple = &*name.name;
    let (dll, exe) = (format!("{simple}.dll"), format!("{simple}.exe"));
    let own = base.join(simple);
    vec![
        base.join(&dll),
        base.join(&exe),
        own.join(&dll),
        own.join(&exe),
    ]
}

/// The standard [`AssemblyResolver`].
pub struct StandardBinder {
    path: SearchPath,
    read: Box<ReadFile>,
}

impl StandardBinder {
    /// A binder over `path`, reading files with `read`.
    pub fn new(path: SearchPath, read: Box<ReadFile>) -> StandardBinder {
        StandardBinder { path, read }
    }

    /// A binder that reads files into leaked memory.
    pub fn reading(path: SearchPath) -> StandardBinder {
        StandardBinder::new(path, Box::new(read_and_leak))
    }

    fn open(&self, path: &Path, wanted: Option<&AssemblyName>) -> Option<LoadedFile> {
        let bytes = (self.read)(path).ok()?;
        let file = LoadedFile {
            bytes,
            path: path.to_owned(),
        };
        match wanted {
            Some(name) if !file.identity().is_some_and(|found| name.accepts(&found)) => None,
            _ => Some(file),
        }
    }
}

/// Identity that the folder of an assembly in a global cache says: `<version>_<culture>_<token>`.
fn cached_identity(simple: &str, folder: &str) -> Option<AssemblyName> {
    let mut parts = folder.split('_');
    let (version, culture, token) = (parts.next()?, parts.next()?, parts.next()?);
    Some(AssemblyName {
        name: simple.into(),
        version: parse_version(version),
        culture: culture.into(),
        token: Some(parse_token(token)?),
    })
}

impl AssemblyResolver for StandardBinder {
    fn newest(&self, simple_name: &str) -> Option<AssemblyName> {
        if simple_name.is_empty() || simple_name.contains(['/', '\\']) || simple_name == ".." {
            return None;
        }
        let folders = self.path.gacs.iter().map(|gac| gac.join(simple_name));
        let entries = folders.filter_map(|f| std::fs::read_dir(f).ok()).flatten();
        let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
        let found = names.filter_map(|n| cached_identity(simple_name, &n));
        found
            .filter(|n| n.culture.is_empty())
            .max_by_key(|n| n.version)
    }

    fn resolve(&self, requester: Option<&AssemblyInfo>, name: &AssemblyName) -> Result<LoadedFile> {
        let not_found = || Error::FileNotFound {
            assembly: name.to_string().into(),
        };
        if name.name.eq_ignore_ascii_case("mscorlib") {
            let files = self.path.mscorlib();
            let found = files.iter().find_map(|p| self.open(p, None));
            return found.ok_or_else(not_found);
        }
        let name = name.remapped();
        let checked = |path: PathBuf| self.open(&path, Some(&name));
        let private = || {
            let mut folders = self.path.private_folders();
            folders.find_map(|f| folder_files(&f, &name).into_iter().find_map(checked))
        };
        let gac = || {
            let files = self.path.gac_files(&name);
            files.iter().find_map(|p| self.open(p, None))
        };
        let beside = || {
            let folder = requester?.path.parent()?;
            folder_files(folder, &name).into_iter().find_map(checked)
        };
        let root = || {
            let root = self.path.framework.parent()?;
            checked(root.join(format!("{}.dll", name.name)))
        };
        let facade = || {
            FACADES.binary_search(&&*name.name).ok()?;
            let folder = self.path.framework.join("4.5/Facades");
            let path = folder.join(format!("{}.dll", name.name));
            self.open(&path, None)
        };
        let found = private().or_else(gac).or_else(beside).or_else(root);
        found.or_else(facade).ok_or_else(not_found)
    }

    fn read(&self, path: &Path) -> Result<LoadedFile> {
        match (self.read)(path) {
            Ok(bytes) => Ok(LoadedFile {
                bytes,
                path: path.to_owned(),
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::FileNotFound {
                assembly: path.display().to_string().into(),
            }),
            Err(e) => Err(Error::FileLoad {
                assembly: path.display().to_string().into(),
                reason: e.to_string().into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(FRAMEWORK.is_sorted_by_key(|f| f.0));
        assert!(FACADES.is_sorted());
        assert!(RENAMED.is_sorted_by_key(|r| r.0));
    }

    #[test]
    fn display_names_round_trip() {
        let text = "System.Core, Version=3.5.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089";
        let name = AssemblyName::parse(text);
        assert_eq!(name.to_string(), text);
        assert_eq!(name.remapped().version, [4, 0, 0, 0]);
        assert_eq!(
            AssemblyName::parse("a").to_string(),
            "a, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"
        );
    }

    #[test]
    fn strong_names_must_match() {
        let found = AssemblyName::parse("A, Version=2.0.0.0, PublicKeyToken=b77a5c561934e089");
        assert!(AssemblyName::simple("a").accepts(&found));
        assert!(
            AssemblyName::parse("A, Version=1.0.0.0, PublicKeyToken=b77a5c561934e089")
                .accepts(&found)
        );
        assert!(
            !AssemblyName::parse("A, Version=3.0.0.0, PublicKeyToken=b77a5c561934e089")
                .accepts(&found)
        );
        assert!(
            !AssemblyName::parse("A, Version=1.0.0.0, PublicKeyToken=0000000000000000")
                .accepts(&found)
        );
    }
}
