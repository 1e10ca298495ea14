//! The table of library names in `/etc/mono/config`.

use std::sync::OnceLock;

/// One `<dllmap>` element.
struct Entry {
    dll: String,
    ignore_case: bool,
    target: String,
}

/// What native library a name in an assembly stands for.
#[derive(Default)]
pub(super) struct DllMap {
    entries: Vec<Entry>,
}

/// The system's table, read at first use.
pub(super) fn get() -> &'static DllMap {
    static MAP: OnceLock<DllMap> = OnceLock::new();
    MAP.get_or_init(|| {
        let file = std::env::var_os("MONO_CONFIG").map_or_else(
            || {
                let root = std::env::var_os("MONO_CFG_DIR").unwrap_or_else(|| "/etc".into());
                std::path::Path::new(&root).join("mono/config")
            },
            Into::into,
        );
        let text = std::fs::read_to_string(file).unwrap_or_default();
        DllMap::parse(&text)
    })
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

impl DllMap {
    fn parse(text: &str) -> DllMap {
        let Ok(document) = roxmltree::Document::parse(text) else {
            return DllMap::default();
        };
        let maps = document
            .descendants()
            .filter(|n| n.has_tag_name("dllmap"))
            .filter(|n| admits(n.attribute("os"), "linux"))
            .filter(|n| admits(n.attribute("cpu"), "x86-64"))
            .filter(|n| admits(n.attribute("wordsize"), "64"));
        let entries = maps.filter_map(|n| {
            let dll = n.attribute("dll")?;
            let target = n.attribute("target")?;
            let folded = dll.strip_prefix("i:");
            Some(Entry {
                dll: folded.unwrap_or(dll).to_owned(),
                ignore_case: folded.is_some(),
                target: target.replace("$mono_libdir", "/usr/lib"),
            })
        });
        DllMap {
            entries: entries.collect(),
        }
    }

    /// The library to look for.
    pub(super) fn apply<'a>(&'a self, dll: &'a str) -> &'a str {
        let matches = |e: &&Entry| match e.ignore_case {
            true => e.dll.eq_ignore_ascii_case(dll),
            false => e.dll == dll,
        };
        let entry = self.entries.iter().rev().find(matches);
        entry.map_or(dll, |e| &e.target)
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
               </configuration>"#,
        );
        let library = |dll| map.apply(dll);
        assert_eq!(library("CygWin1.dll"), "libc.so.6");
        assert_eq!(library("libc"), "libc");
        assert_eq!(library("System.Native"), "/usr/lib/libmono-native.so");
        assert_eq!(DllMap::parse("<oops").apply("a"), "a");
    }
}
