//! `<dllmap>` elements of configuration files: native libraries and functions under other names.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::types::ModuleId;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A library name to look for.
struct Key {
    dll: String,
    ignore_case: bool,
}

/// One `<dllmap>` or `<dllentry>` element.
struct Entry {
    key: Key,
    /// The function meant; all if there is none.
    function: Option<String>,
    /// The library, if it changes.
    library: Option<String>,
    /// The function's other name.
    renamed: Option<String>,
}

/// What native libraries and functions the names in an assembly stand for.
#[derive(Default)]
pub(super) struct DllMap {
    entries: Vec<Entry>,
}

fn config_folder() -> PathBuf {
    let root = std::env::var_os("MONO_CFG_DIR").unwrap_or_else(|| "/etc".into());
    Path::new(&root).join("mono")
}

fn read(file: &Path) -> DllMap {
    DllMap::parse(&std::fs::read_to_string(file).unwrap_or_default())
}

/// The tables of the machine and the user, read at first use; entries of the second win.
fn global() -> &'static DllMap {
    static MAP: OnceLock<DllMap> = OnceLock::new();
    MAP.get_or_init(|| match std::env::var_os("MONO_CONFIG") {
        Some(file) => read(Path::new(&file)),
        None => {
            let mut map = read(&config_folder().join("config"));
            if let Some(home) = std::env::var_os("HOME") {
                let own = read(&Path::new(&home).join(".mono/config"));
                map.entries.extend(own.entries);
            }
            map
        }
    })
}

/// The tables for an assembly in the order in which they count: its own configuration file, the one the machine has
/// for it, the general ones.
pub(super) fn of_assembly(module: ModuleId, path: &Path, name: &str) -> [&'static DllMap; 3] {
    static OWN: Mutex<Option<FxHashMap<ModuleId, [&'static DllMap; 2]>>> = Mutex::new(None);
    let mut own = OWN.lock();
    let [beside, installed] = *own
        .get_or_insert_default()
        .entry(module)
        .or_insert_with(|| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".config");
            let file = format!("assemblies/{name}/{name}.config");
            let installed = config_folder().join(file);
            [Path::new(&beside), &installed].map(|file| &*Box::leak(Box::new(read(file))))
        });
    [beside, installed, global()]
}

/// Does a filter like `!windows,osx` admit `value`?
fn admits(filter: Option<&str>, value: &str) -> bool {
    let Some(filter) = filter else { return true };
    let (negated, list) = match filter.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, filter),
    };
    list.split(',').any(|v| v.trim() == value) != negated
}

fn meant(n: &roxmltree::Node) -> bool {
    admits(n.attribute("os"), "linux")
        && admits(n.attribute("cpu"), "x86-64")
        && admits(n.attribute("wordsize"), "64")
}

impl DllMap {
    fn parse(text: &str) -> DllMap {
        let Ok(document) = roxmltree::Document::parse(text) else {
            return DllMap::default();
        };
        let mut map = DllMap::default();
        let elements = document.descendants();
        for n in elements.filter(|n| n.has_tag_name("dllmap") && meant(n)) {
            let Some(dll) = n.attribute("dll") else {
                continue;
            };
            if let Some(target) = n.attribute("target") {
                map.add(dll, None, Some(target), None);
            }
            let entries = n.children().filter(|e| e.has_tag_name("dllentry"));
            for e in entries.filter(meant) {
                let (name, target) = (e.attribute("name"), e.attribute("target"));
                if name.is_some() {
                    map.add(dll, name, e.attribute("dll"), target);
                }
            }
        }
        map
    }

    fn add(&mut self, dll: &str, function: Option<&str>, to: Option<&str>, name: Option<&str>) {
        let folded = dll.strip_prefix("i:");
        self.entries.push(Entry {
            key: Key {
                dll: folded.unwrap_or(dll).to_owned(),
                ignore_case: folded.is_some(),
            },
            function: function.map(str::to_owned),
            library: to.map(|t| t.replace("$mono_libdir", "/usr/lib")),
            renamed: name.map(str::to_owned),
        });
    }

    /// The library and the function to look for, each if it has another name. What is said of a function goes before what is
    /// said of its library, later elements before earlier ones.
    pub(super) fn apply(&self, dll: &str, function: &str) -> (Option<&str>, Option<&str>) {
        let of_library = |e: &&Entry| match e.key.ignore_case {
            true => e.key.dll.eq_ignore_ascii_case(dll),
            false => e.key.dll == dll,
        };
        let mut known = self.entries.iter().rev().filter(of_library);
        let exact = known
            .clone()
            .find(|e| e.function.as_deref() == Some(function));
        match exact.or_else(|| known.find(|e| e.function.is_none())) {
            Some(e) => (e.library.as_deref(), e.renamed.as_deref()),
            None => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_names() {
        let map = DllMap::parse(
            r#"<configuration>
                 <dllmap dll="i:cygwin1.dll" target="libc.so.6" os="!windows"/>
                 <dllmap dll="libc" target="libc.dylib" os="osx"/>
                 <dllmap dll="System.Native" target="$mono_libdir/libmono-native.so"/>
                 <dllmap dll="demo">
                   <dllentry dll="__Internal" name="Old" target="new_name"/>
                 </dllmap>
               </configuration>"#,
        );
        let library = |dll| map.apply(dll, "f").0;
        assert_eq!(library("CygWin1.dll"), Some("libc.so.6"));
        assert_eq!(library("libc"), None);
        assert_eq!(library("System.Native"), Some("/usr/lib/libmono-native.so"));
        assert_eq!(
            map.apply("demo", "Old"),
            (Some("__Internal"), Some("new_name"))
        );
        assert_eq!(map.apply("demo", "Other"), (None, None));
        assert_eq!(DllMap::parse("<oops").apply("a", "b"), (None, None));
    }
}
