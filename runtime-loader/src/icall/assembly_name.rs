//! `Mono.MonoAssemblyName`: names of assemblies in native memory.

use super::reflection::module_of_handle;
use super::reflection::native::utf8;
use super::{Result, Thrown, assembly, icalls, managed};
use crate::interop::native_string;
use crate::object::{Obj, string};
use crate::runtime;
use sha1::{Digest, Sha1};
use shared_codegen::metadata::{AssemblyRefRow, AssemblyRow, Module};
use shared_codegen::types::Error;
use shared_codegen::types::binding::AssemblyName;

icalls! {
    "System.Reflection.AssemblyName" {
        "GetNativeName" => native_name(usize) -> *const NativeName;
        "ParseAssemblyName" => parse(*const u8, *mut NativeName, *mut bool, *mut bool) -> bool;
        "get_public_token" => public_token(*mut u8, *const u8, i32);
    }
    "System.Reflection.Assembly" {
        "InternalGetAssemblyName" => name_of_file(Obj, *mut NativeName, *mut Obj);
    }
    "Mono.RuntimeMarshal" {
        "FreeAssemblyName" => free(*mut NativeName, bool);
    }
}

/// `Mono.MonoAssemblyName`
#[repr(C)]
pub struct NativeName {
    name: *mut u8,
    culture: *mut u8,
    hash_value: *mut u8,
    public_key: *mut u8,
    public_key_token: [u8; 17],
    hash_alg: u32,
    hash_len: u32,
    flags: u32,
    major: u16,
    minor: u16,
    build: u16,
    revision: u16,
    arch: u16,
}

const _: () = {
    assert!(size_of::<NativeName>() == 80);
    assert!(core::mem::offset_of!(NativeName, hash_alg) == 52);
    assert!(core::mem::offset_of!(NativeName, major) == 64);
};

/// What a name consists of.
struct Parts<'a> {
    name: &'a str,
    culture: &'a str,
    version: [u16; 4],
    public_key: &'a [u8],
    token: Option<[u8; 8]>,
    flags: u32,
    hash_alg: u32,
}

fn hex_token(token: Option<[u8; 8]>) -> [u8; 17] {
    let mut out = [0; 17];
    for (n, byte) in token.into_iter().flatten().enumerate() {
        for (i, digit) in [byte >> 4, byte & 15].into_iter().enumerate() {
            out[2 * n + i] = b"0123456789abcdef"[digit as usize];
        }
    }
    out
}

/// A blob with its length in front, allocated by C; null if empty.
fn native_blob(bytes: &[u8]) -> *mut u8 {
    if bytes.is_empty() {
        return core::ptr::null_mut();
    }
    let prefix: Vec<u8> = match bytes.len() {
        n @ 0..=0x7f => vec![n as u8],
        n => vec![0x80 | (n >> 8) as u8, n as u8],
    };
    let all = [prefix.as_slice(), bytes].concat();
    // SAFETY: copies into a fresh block of the same size.
    unsafe {
        let to = libc::malloc(all.len()).cast::<u8>();
        if !to.is_null() {
            core::ptr::copy_nonoverlapping(all.as_ptr(), to, all.len());
        }
        to
    }
}

impl NativeName {
    fn new(parts: &Parts) -> NativeName {
        let [major, minor, build, revision] = parts.version;
        NativeName {
            name: native_string(parts.name),
            culture: native_string(parts.culture),
            hash_value: core::ptr::null_mut(),
            public_key: native_blob(parts.public_key),
            public_key_token: hex_token(parts.token),
            hash_alg: parts.hash_alg,
            hash_len: 0,
            flags: parts.flags,
            major,
            minor,
            build,
            revision,
            arch: 0,
        }
    }
}

/// Name of the assembly a file holds.
fn of_manifest(module: &Module) -> Result<NativeName> {
    let row = module.assembly(AssemblyRow(1)).map_err(Error::from)?;
    let token = (!row.public_key.is_empty()).then(|| token_of_key(row.public_key));
    let mut name = NativeName::new(&Parts {
        name: row.name,
        culture: row.culture,
        version: [row.major, row.minor, row.build, row.revision],
        public_key: row.public_key,
        token,
        flags: row.flags,
        hash_alg: row.hash_alg,
    });
    name.arch = architecture(module);
    Ok(name)
}

/// `ProcessorArchitecture`
fn architecture(module: &Module) -> u16 {
    /// `COMIMAGE_FLAGS_32BITREQUIRED`
    const NEEDS_32_BITS: u32 = 2;
    let pe = module.pe();
    match (pe.is_pe32_plus, pe.machine) {
        (true, 0x200) => 3,
        (true, _) => 4,
        (false, _) if pe.cor_flags & NEEDS_32_BITS != 0 => 2,
        _ => 1,
    }
}

/// Name in an AssemblyRef row, in memory that `FreeAssemblyName` frees.
pub(super) fn allocate_reference(module: &Module, row: AssemblyRefRow) -> Result<usize> {
    let r = module.assembly_ref(row).map_err(Error::from)?;
    let key = r.public_key_or_token;
    let name = NativeName::new(&Parts {
        name: r.name,
        culture: r.culture,
        version: [r.major, r.minor, r.build, r.revision],
        public_key: &[],
        token: match key.len() {
            0 => None,
            8 => key.try_into().ok(),
            _ => Some(token_of_key(key)),
        },
        flags: r.flags,
        hash_alg: 0x8004,
    });
    // SAFETY: a fresh block of the right size.
    unsafe {
        let at = libc::malloc(size_of::<NativeName>()).cast::<NativeName>();
        if at.is_null() {
            return Err(Thrown::out_of_memory());
        }
        at.write(name);
        Ok(at as usize)
    }
}

extern "C" fn native_name(assembly: usize) -> *const NativeName {
    managed(|| {
        let rt = runtime::get();
        let module = module_of_handle(assembly)?;
        let made = rt.reflect.native((assembly, 2), || {
            Ok(
                Box::leak(Box::new(of_manifest(rt.types.module(module))?)) as *mut NativeName
                    as usize,
            )
        })?;
        Ok(made as *const NativeName)
    })
}

extern "C" fn parse(
    text: *const u8,
    out: *mut NativeName,
    has_version: *mut bool,
    has_token: *mut bool,
) -> bool {
    managed(|| {
        let text = utf8(text).unwrap_or_default();
        let name = AssemblyName::parse(&text);
        if name.name.trim().is_empty() {
            return Ok(false);
        }
        let given = |key: &str| text.to_ascii_lowercase().replace(' ', "").contains(key);
        let native = NativeName::new(&Parts {
            name: &name.name,
            culture: &name.culture,
            version: name.version,
            public_key: &[],
            token: name.token,
            flags: 0,
            hash_alg: 0,
        });
        // SAFETY: addresses of the caller's variables.
        unsafe {
            out.write(native);
            has_version.write(given(",version="));
            has_token.write(given(",publickeytoken="));
        }
        Ok(true)
    })
}

/// The last eight bytes of the key's SHA-1, reversed.
fn token_of_key(key: &[u8]) -> [u8; 8] {
    let digest = Sha1::digest(key);
    core::array::from_fn(|n| digest[digest.len() - 1 - n])
}

extern "C" fn public_token(token: *mut u8, key: *const u8, len: i32) {
    // SAFETY: managed code passes a key of `len` bytes and room for eight.
    unsafe {
        let key = core::slice::from_raw_parts(key, len.max(0) as usize);
        core::ptr::copy_nonoverlapping(token_of_key(key).as_ptr(), token, 8);
    }
}

extern "C" fn name_of_file(file: Obj, out: *mut NativeName, code_base: *mut Obj) {
    managed(|| {
        let path = string::to_rust(file);
        let not_found = || Thrown::New {
            namespace: "System.IO",
            name: "FileNotFoundException",
            message: Some(
                format!("Could not load file or assembly '{path}' or one of its dependencies.")
                    .into(),
            ),
            second: Some(path.clone().into()),
        };
        let full = std::fs::canonicalize(&path).map_err(|_| not_found())?;
        let bytes = crate::sys::file::map_forever(&full).map_err(|_| not_found())?;
        let module = Module::parse(bytes, full.clone());
        let module = module.map_err(|e| Error::bad_image(&path, e))?;
        if module.assembly(AssemblyRow(1)).is_err() {
            return Err(Error::bad_image(&path, "the file holds no assembly").into());
        }
        let name = of_manifest(&module)?;
        let address = string::from_rust(&assembly::file_address(&full, true))?;
        // SAFETY: addresses of the caller's variables.
        unsafe {
            out.write(name);
            code_base.write(address);
        }
        Ok(())
    })
}

extern "C" fn free(name: *mut NativeName, free_struct: bool) {
    // SAFETY: the strings were allocated by C when the name was made, and so was a struct that is to be freed; each once.
    unsafe {
        let n = &mut *name;
        for block in [
            &mut n.name,
            &mut n.culture,
            &mut n.hash_value,
            &mut n.public_key,
        ] {
            libc::free(core::mem::replace(block, core::ptr::null_mut()).cast());
        }
        if free_struct {
            libc::free(name.cast());
        }
    }
}
