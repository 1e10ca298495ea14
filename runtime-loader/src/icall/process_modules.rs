//! The modules of a process: the files mapped into it, and for this process the assemblies it has loaded.

use super::process::pid_of;
use super::{Result, file_version, icalls, managed};
use crate::object::{Obj, array, new_object, string};
use crate::runtime;
use indexmap::IndexMap;
use std::path::Path;

icalls! {
    "System.Diagnostics.Process" {
        "GetModules_icall" => modules(Obj, isize) -> Obj;
    }
}

/// Where a file is mapped.
struct Mapping {
    start: usize,
    size: usize,
}

extern "C" fn modules(_process: Obj, handle: isize) -> Obj {
    managed(|| {
        let pid = pid_of(handle).unwrap_or_else(|| std::process::id() as i32);
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let mapped = mapped_files(&maps);
        let rt = runtime::get();
        let process = rt
            .types
            .module_by_simple_name(rt.types.corlib(), "System")?;
        let class = rt
            .types
            .require_type(process, "System.Diagnostics", "ProcessModule")?;
        let list = array::allocate(rt.method_table(rt.types.sz_array(class))?, mapped.len())?;
        for (n, (path, mapping)) in mapped.iter().enumerate() {
            array::set(list, n, module(path, mapping)?);
        }
        Ok(list)
    })
}

/// One `ProcessModule`.
fn module(path: &str, mapping: &Mapping) -> Result<Obj> {
    let rt = runtime::get();
    let process = rt
        .types
        .module_by_simple_name(rt.types.corlib(), "System")?;
    let class = |name| rt.types.require_type(process, "System.Diagnostics", name);
    let module = new_object(rt.method_table(class("ProcessModule")?)?)?;
    let version = new_object(rt.method_table(class("FileVersionInfo")?)?)?;
    file_version::fill(version, path)?;
    let name = Path::new(path).file_name().unwrap_or_default();
    rt.set_field(module, "filename", string::from_rust(path)?);
    rt.set_field(
        module,
        "modulename",
        string::from_rust(&name.to_string_lossy())?,
    );
    rt.set_field(module, "version_info", version);
    rt.set_field(module, "baseaddr", mapping.start);
    rt.set_field(module, "memory_size", mapping.size as i32);
    Ok(module)
}

/// The files of a `/proc/<pid>/maps`, in the order of their first mapping.
fn mapped_files(maps: &str) -> IndexMap<&str, Mapping> {
    let mut files: IndexMap<&str, Mapping> = IndexMap::new();
    for line in maps.lines() {
        let Some((start, end, path)) = parse(line) else {
            continue;
        };
        let entry = files.entry(path).or_insert(Mapping { start, size: 0 });
        entry.size += end.saturating_sub(start);
    }
    files
}

/// `start-end perms offset dev inode path` of a file.
fn parse(line: &str) -> Option<(usize, usize, &str)> {
    let path = &line[line.find('/')?..];
    let (start, rest) = line.split_once('-')?;
    let (end, _) = rest.split_once(' ')?;
    let number = |digits| usize::from_str_radix(digits, 16).ok();
    Some((number(start)?, number(end)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped() {
        let maps = "1000-3000 r-xp 0 08:01 17 /lib/a.so\n3000-4000 rw-p 0 0:0 0 [heap]\n5000-6000 r--p 0 08:01 17 /lib/a.so\n8000-9000 r--p 0 08:01 18 /lib/b c.so\n";
        let files = mapped_files(maps);
        let found: Vec<_> = files.iter().map(|(p, m)| (*p, m.start, m.size)).collect();
        assert_eq!(
            found,
            [
                ("/lib/a.so", 0x1000, 0x3000),
                ("/lib/b c.so", 0x8000, 0x1000)
            ]
        );
    }
}
