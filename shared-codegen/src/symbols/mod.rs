//! Source lines for stack traces and reports, from the symbol file beside an assembly: `X.exe.mdb` of the Mono compiler or a
//! portable `X.pdb`. Read when it is first asked for.

mod mdb;

use crate::metadata::Token;
use crate::types::{MethodId, ModuleId, TypeContext};
use mdb::Mdb;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;
use symbolic_ppdb::{PortablePdb, PortablePdbCache, PortablePdbCacheConverter};

/// A place in a source file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Path as the compiler wrote it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

/// The symbol file of a module.
enum SymbolFile {
    Mdb(Mdb),
    /// A table made from a portable PDB, in the form of `PortablePdbCache`.
    Portable(Vec<u8>),
}

/// The symbol files of all modules that were asked for; `None` where there is none.
#[derive(Default)]
pub struct Symbols {
    files: Mutex<FxHashMap<ModuleId, Option<Arc<SymbolFile>>>>,
}

impl Symbols {
    /// The source line of an IL offset, if the method's module has symbols.
    pub fn line(&self, types: &TypeContext, method: MethodId, il: u32) -> Option<Line> {
        types.method_def(method)?;
        let token = Token::from(types.method_row(method));
        let module = types.method_module(method);
        let file = self
            .files
            .lock()
            .entry(module)
            .or_insert_with(|| open(types, module).map(Arc::new))
            .clone()?;
        file.line(token, il)
    }
}

/// Opens the symbol file that belongs to exactly this module.
fn open(types: &TypeContext, module: ModuleId) -> Option<SymbolFile> {
    let module = types.module(module);
    let assembly = module.path();
    let mut mdb = assembly.as_os_str().to_owned();
    mdb.push(".mdb");
    if let Ok(bytes) = std::fs::read(Path::new(&mdb)) {
        return Mdb::open(bytes, module.mvid()).map(SymbolFile::Mdb);
    }
    let bytes = std::fs::read(assembly.with_extension("pdb")).ok()?;
    let pdb = PortablePdb::parse(&bytes).ok()?;
    let mut converter = PortablePdbCacheConverter::new();
    converter.process_portable_pdb(&pdb).ok()?;
    let mut table = Vec::new();
    converter.serialize(&mut table).ok()?;
    Some(SymbolFile::Portable(table))
}

impl SymbolFile {
    fn line(&self, token: Token, il: u32) -> Option<Line> {
        match self {
            SymbolFile::Mdb(mdb) => mdb.line(token.0, il),
            SymbolFile::Portable(table) => {
                let found = PortablePdbCache::parse(table)
                    .ok()?
                    .lookup(token.row(), il)?;
                Some(Line {
                    file: found.file_name.to_owned(),
                    line: found.line,
                })
            }
        }
    }
}
