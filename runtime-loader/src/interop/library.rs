//! Finding the native function of a P/Invoke: name maps, variants of library names and of function names.

use super::dllmap::{self, DllMap};
use crate::icall::{Result, Thrown};
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use crate::threads;
use ::object::elf::{EM_X86_64, FileHeader64};
use ::object::read::elf::{FileHeader, ProgramHeader};
use ::object::{Endianness, ReadCache};
use core::sync::atomic::Ordering;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::ImplMap;
use shared_codegen::types::{Error, MethodId, ModuleId};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

/// What a library name of an assembly stands for.
#[derive(Clone)]
enum Library {
    Open(usize),
    Missing,
    /// A file that is not for this machine.
    WrongFormat(String),
}

type Libraries = FxHashMap<(ModuleId, String), Library>;

static LIBRARIES: Mutex<Option<Libraries>> = Mutex::new(None);

/// Flags of `ImplMap` rows.
const NO_MANGLE: u16 = 1;
const CHARSET_MASK: u16 = 6;
const CHARSET_UNICODE: u16 = 4;

/// Address of the native function of a P/Invoke.
pub fn resolve(rt: &Runtime, desc: &MethodDesc) -> Result<usize> {
    let known = desc.native.load(Ordering::Acquire);
    if known != 0 {
        return Ok(known);
    }
    let address = find(rt, desc.method)?;
    desc.native.store(address, Ordering::Release);
    Ok(address)
}

/// What stands behind a missing library's or function's name in messages.
const PLACE: &str = "assembly:<unknown assembly> type:<unknown type> member:(null)";

fn find(rt: &Runtime, method: MethodId) -> Result<usize> {
    let id = rt.types.method_module(method);
    let module = rt.types.module(id);
    let map = module
        .impl_map_of(rt.types.method_row(method))
        .ok_or_else(|| Thrown::bare("System", "EntryPointNotFoundException"))?;
    let library = module.module_ref(map.import_scope).map_err(Error::from)?;
    let name = match map.import_name {
        "" => rt.types.method_name(method),
        name => name,
    };
    let assembly = rt.types.assembly(id);
    let maps = dllmap::of_assembly(id, &assembly.path, &assembly.name.name);
    let target = apply(&maps, library.name, name);
    let handle = match open(id, &target.library, assembly.path.parent()) {
        Library::Open(handle) => handle,
        Library::Missing => {
            let text = format!("{} {PLACE}", library.name);
            return Err(Thrown::system("DllNotFoundException", text));
        }
        Library::WrongFormat(file) => {
            let text =
                format!("An attempt was made to load a program with an incorrect format: {file}");
            return Err(Thrown::system("BadImageFormatException", text));
        }
    };
    let missing = || Thrown::system("EntryPointNotFoundException", format!("{name} {PLACE}"));
    entry_point(handle, &target.function, &map).ok_or_else(missing)
}

struct Target<'a> {
    library: Cow<'a, str>,
    function: Cow<'a, str>,
}

/// The first map that knows the library, or the function in it.
fn apply<'a>(maps: &'a [&DllMap], library: &'a str, function: &'a str) -> Target<'a> {
    for map in maps {
        let (mapped, renamed) = map.apply(library, function);
        if mapped.is_some() || renamed.is_some() {
            return Target {
                library: mapped.unwrap_or(library).into(),
                function: renamed.unwrap_or(function).into(),
            };
        }
    }
    Target {
        library: library.into(),
        function: function.into(),
    }
}

/// The function under its name or, unless the declaration forbids it, with the letter of its character set.
fn entry_point(handle: usize, name: &str, map: &ImplMap) -> Option<usize> {
    if map.flags & NO_MANGLE != 0 {
        return symbol(handle, name);
    }
    let wide = map.flags & CHARSET_MASK == CHARSET_UNICODE;
    let with = |letter| symbol(handle, &format!("{name}{letter}"));
    match wide {
        true => with('W').or_else(|| symbol(handle, name)),
        false => symbol(handle, name).or_else(|| with('A')),
    }
}

fn open(module: ModuleId, name: &str, folder: Option<&Path>) -> Library {
    let key = (module, name.to_owned());
    if let Some(known) = LIBRARIES.lock().get_or_insert_default().get(&key) {
        return known.clone();
    }
    let found = threads::blocking(|| open_any(name, folder));
    let mut libraries = LIBRARIES.lock();
    libraries.get_or_insert_default().insert(key, found.clone());
    found
}

/// Tries variants of the name in the folder of the assembly, then where the system looks.
fn open_any(name: &str, folder: Option<&Path>) -> Library {
    if name == "__Internal" {
        // SAFETY: null stands for the program itself.
        let handle = unsafe { libc::dlopen(core::ptr::null(), libc::RTLD_LAZY) };
        return Library::Open(handle as usize);
    }
    let mut wrong = None;
    let mut attempt = |path: PathBuf, must_exist: bool| {
        if must_exist && !path.is_file() {
            return None;
        }
        // The system looks for a name without folder elsewhere. A damaged file is not shown to it: it would map what is
        // not there.
        let named = path.components().count() > 1;
        let handle = if named && path.is_file() && is_foreign(&path) {
            None
        } else {
            load(&path)
        };
        if handle.is_none() && path.is_file() && is_foreign(&path) {
            wrong = Some(path.display().to_string());
        }
        handle
    };
    for variant in variants(name) {
        let beside = folder.map(|f| f.join(&variant));
        let found = beside.and_then(|p| attempt(p, true));
        if let Some(handle) = found.or_else(|| attempt(variant.into(), false)) {
            return Library::Open(handle);
        }
    }
    wrong.map_or(Library::Missing, Library::WrongFormat)
}

/// The name as written, with and without the usual prefix and suffixes.
fn variants(name: &str) -> Vec<String> {
    let (folder, file) = match name.rsplit_once('/') {
        Some((folder, file)) => (format!("{folder}/"), file),
        None => (String::new(), name),
    };
    let stem = file.strip_suffix(".dll").unwrap_or(file);
    let mut all: Vec<String> = Vec::new();
    for prefix in ["", "lib"] {
        for variant in [file, stem, &format!("{stem}.so")] {
            let variant = format!("{folder}{prefix}{variant}");
            if !all.contains(&variant) {
                all.push(variant);
            }
        }
    }
    all
}

/// Not a whole shared library of this machine: no ELF file, one of another class or architecture, or one that is cut off.
fn is_foreign(path: &Path) -> bool {
    !is_whole_library(path).unwrap_or(false)
}

fn is_whole_library(path: &Path) -> Option<bool> {
    let file = std::fs::File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let data = ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(&data).ok()?;
    let endian = header.endian().ok()?;
    if !header.is_little_endian() || header.e_machine(endian) != EM_X86_64 {
        return Some(false);
    }
    let segments = header.program_headers(endian, &data).ok()?;
    let ends = segments.iter().map(|s| {
        let (offset, size) = s.file_range(endian);
        offset.checked_add(size)
    });
    Some(ends.into_iter().all(|end| end.is_some_and(|e| e <= size)))
}

fn load(path: &Path) -> Option<usize> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).ok()?;
    // SAFETY: loading a library runs its initializers, which is what the program asked for.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) };
    (!handle.is_null()).then_some(handle as usize)
}

fn symbol(handle: usize, name: &str) -> Option<usize> {
    let name = CString::new(name).ok()?;
    let name: &CStr = &name;
    // SAFETY: a handle from `load`, which is never closed.
    let address = unsafe { libc::dlsym(handle as *mut _, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_varied() {
        let all = variants("demo.dll");
        let wanted = [
            "demo.dll",
            "demo",
            "demo.so",
            "libdemo.dll",
            "libdemo",
            "libdemo.so",
        ];
        assert_eq!(all, wanted);
        assert_eq!(variants("./x.so")[0], "./x.so");
        assert!(variants("./x").contains(&"./libx.so".to_owned()));
    }

    #[test]
    fn foreign_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libtext.so");
        std::fs::write(&file, "not a library, though longer than a header").unwrap();
        assert!(is_foreign(&file));
        assert!(matches!(
            open_any("text", Some(folder.path())),
            Library::WrongFormat(_)
        ));
        assert!(!is_foreign(&std::env::current_exe().unwrap()));
        assert!(matches!(
            open_any("no-such-library", None),
            Library::Missing
        ));
    }
}
