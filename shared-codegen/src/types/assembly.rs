//! Loaded assemblies: opening, identity, references between them, and finding types by name.

use super::{AssemblyName, Error, Member, ModuleId, Result, TypeContext, TypeId};
use crate::metadata::{AssemblyRefRow, AssemblyRow, Module, RowId, Token, TypeRefRow};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Bytes of an assembly file, kept for the rest of the process.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// The whole file.
    pub bytes: &'static [u8],
    /// Where it came from.
    pub path: PathBuf,
}

impl LoadedFile {
    /// Identity of the assembly in the file; `None` if it holds none.
    pub fn identity(&self) -> Option<AssemblyName> {
        let module = Module::parse(self.bytes, self.path.clone()).ok()?;
        assembly_identity(&module)
    }
}

/// Finds assembly files.
pub trait AssemblyResolver: Send + Sync {
    /// The file that serves a reference, asked by `requester` (none for the program itself). Called without
    /// locks held, at most once per reference row, and for names asked for directly.
    fn resolve(&self, requester: Option<&AssemblyInfo>, name: &AssemblyName) -> Result<LoadedFile>;

    /// Bytes of the file at a path.
    fn read(&self, path: &Path) -> Result<LoadedFile>;

    /// A loaded assembly that the program supplies for a reference that [`AssemblyResolver::resolve`] failed for. Called without
    /// locks held; may run the program's code.
    fn ask(&self, _requester: Option<&AssemblyInfo>, _name: &AssemblyName) -> Option<ModuleId> {
        None
    }

    /// Identity of the newest installed assembly with a simple name.
    fn newest(&self, _simple_name: &str) -> Option<AssemblyName> {
        None
    }

    /// Told of each assembly after it was loaded. Called without locks held.
    fn loaded(&self, _assembly: &AssemblyInfo) {}
}

/// Identity of a loaded assembly.
#[derive(Clone, Debug)]
pub struct AssemblyInfo {
    /// Its module.
    pub module: ModuleId,
    /// Its name.
    pub name: AssemblyName,
    /// Its file.
    pub path: PathBuf,
}

/// A module with the results of resolving its tokens.
pub(crate) struct LoadedModule {
    pub(crate) module: Module,
    pub(crate) info: AssemblyInfo,
    pub(crate) refs: Box<[OnceLock<Result<ModuleId>>]>,
    pub(crate) type_refs: Box<[OnceLock<Result<TypeId>>]>,
    /// Types, methods and fields behind tokens resolved without generic context.
    pub(crate) members: RwLock<FxHashMap<Token, Result<Member>>>,
    /// Tokens by what they are bound to, in modules made at run time.
    pub(crate) references: super::growing::References,
    /// Classes by their base class; none if that cannot be read.
    pub(crate) derived: OnceLock<Option<super::closed::Derived>>,
    /// Meaning of tokens, in modules made at run time.
    pub(crate) binder: Option<Box<dyn super::TokenBinder>>,
}

impl LoadedModule {
    /// A module of which nothing is resolved.
    pub(crate) fn new(module: Module, info: AssemblyInfo) -> LoadedModule {
        LoadedModule {
            refs: cells(module.row_count(AssemblyRefRow::TABLE)),
            type_refs: cells(module.row_count(TypeRefRow::TABLE)),
            members: RwLock::default(),
            references: RwLock::default(),
            derived: OnceLock::new(),
            binder: None,
            info,
            module,
        }
    }
}

fn assembly_identity(module: &Module) -> Option<AssemblyName> {
    let row = module.assembly(AssemblyRow(1)).ok()?;
    Some(AssemblyName {
        name: row.name.into(),
        version: [row.major, row.minor, row.build, row.revision],
        culture: row.culture.into(),
        token: public_key_token(row.public_key),
    })
}

/// The last eight bytes of the key's SHA-1, reversed.
fn public_key_token(key: &[u8]) -> Option<[u8; 8]> {
    if key.is_empty() {
        return None;
    }
    use sha1::{Digest, Sha1};
    let digest = Sha1::digest(key);
    let mut token = [0; 8];
    for (t, d) in token.iter_mut().zip(digest.iter().rev()) {
        *t = *d;
    }
    Some(token)
}

impl TypeContext {
    pub(crate) fn loaded(&self, module: ModuleId) -> &LoadedModule {
        &self.modules[module.0 as usize]
    }

    /// The metadata of a module.
    pub fn module(&self, module: ModuleId) -> &Module {
        &self.loaded(module).module
    }

    /// Simple name of a module's assembly.
    pub fn module_name(&self, module: ModuleId) -> &str {
        &self.loaded(module).info.name.name
    }

    /// All loaded modules, in the order of loading.
    pub fn modules(&self) -> impl Iterator<Item = ModuleId> + '_ {
        (0..self.modules.count() as u32).map(ModuleId)
    }

    pub(crate) fn load_corlib(&self) -> Result<()> {
        let file = self
            .resolver
            .resolve(None, &AssemblyName::simple("mscorlib"))?;
        self.add_file(file).map(drop)
    }

    /// Loads the assembly in a file. The same file, or another one with the same identity, is loaded once.
    pub fn load_assembly(&self, path: &Path) -> Result<ModuleId> {
        let known = self.modules().find(|&m| self.loaded(m).info.path == path);
        match known {
            Some(m) => Ok(m),
            None => self.add_file(self.resolver.read(path)?),
        }
    }

    /// Loads an assembly from bytes, as `Assembly.Load(byte[])` does: always a new one.
    pub fn load_bytes(&self, file: LoadedFile) -> Result<ModuleId> {
        self.open_file(file, false)
    }

    /// Loads an assembly by name on behalf of `requester`; asks the program if the search fails.
    pub fn load_by_name(
        &self,
        requester: Option<ModuleId>,
        name: &AssemblyName,
    ) -> Result<ModuleId> {
        let ask = |e| {
            let requester = requester.map(|m| self.assembly(m));
            self.resolver.ask(requester, name).ok_or(e)
        };
        self.search_by_name(requester, name).or_else(ask)
    }

    /// As [`TypeContext::load_by_name`], but the program is not asked.
    pub fn search_by_name(
        &self,
        requester: Option<ModuleId>,
        name: &AssemblyName,
    ) -> Result<ModuleId> {
        if name.name.eq_ignore_ascii_case("mscorlib") {
            return Ok(self.corlib());
        }
        let wanted = name.remapped();
        if let Some(m) = self.find_loaded(&wanted) {
            return Ok(m);
        }
        let requester = requester.map(|m| self.assembly(m));
        self.add_file(self.resolver.resolve(requester, name)?)
    }

    /// Loads the assembly of a name, or the newest installed one that has its simple name.
    pub fn load_by_partial_name(
        &self,
        requester: Option<ModuleId>,
        name: &AssemblyName,
    ) -> Result<ModuleId> {
        let found = self.search_by_name(requester, name);
        found.or_else(|e| match self.resolver.newest(&name.name) {
            Some(full) => self.load_by_name(requester, &full),
            None => Err(e),
        })
    }

    /// A loaded assembly that satisfies the name.
    pub fn find_loaded(&self, name: &AssemblyName) -> Option<ModuleId> {
        let framework = name.is_framework();
        // Assemblies made at run time are not found by name.
        let mut files = self.modules().filter(|&m| self.growth(m).is_none());
        files.find(|&m| {
            let found = &self.loaded(m).info.name;
            name.accepts(found) || (framework && found.name == name.name)
        })
    }

    fn add_file(&self, file: LoadedFile) -> Result<ModuleId> {
        self.open_file(file, true)
    }

    fn open_file(&self, file: LoadedFile, share: bool) -> Result<ModuleId> {
        let shown = file.path.display().to_string();
        let module = Module::parse(file.bytes, file.path.clone())
            .map_err(|e| Error::bad_image(&shown, e))?;
        let name = assembly_identity(&module)
            .ok_or_else(|| Error::bad_image(&shown, "the file holds no assembly"))?;
        let guard = self.loading.lock();
        let same = |m: &ModuleId| {
            let info = &self.loaded(*m).info;
            self.growth(*m).is_none() && (info.path == file.path || info.name == name)
        };
        if let Some(m) = self.modules().find(|m| share && same(m)) {
            return Ok(m);
        }
        let id = ModuleId(self.modules.count() as u32);
        let info = AssemblyInfo {
            module: id,
            name,
            path: file.path,
        };
        self.modules.push(LoadedModule::new(module, info));
        drop(guard);
        self.resolver.loaded(self.assembly(id));
        Ok(id)
    }

    /// The module an AssemblyRef row stands for.
    pub fn assembly_ref(&self, module: ModuleId, row: AssemblyRefRow) -> Result<ModuleId> {
        let loaded = self.loaded(module);
        let Some(cell) = loaded.refs.get((row.0 as usize).wrapping_sub(1)) else {
            return Err(Error::bad_image(
                self.module_name(module),
                "AssemblyRef row",
            ));
        };
        if let Some(done) = cell.get() {
            return done.clone();
        }
        let found = self
            .assembly_ref_name(module, row)
            .and_then(|name| self.load_by_name(Some(module), &name));
        cell.get_or_init(|| found).clone()
    }

    /// The name an AssemblyRef row asks for.
    pub fn assembly_ref_name(&self, module: ModuleId, row: AssemblyRefRow) -> Result<AssemblyName> {
        let row = self.module(module).assembly_ref(row)?;
        let key = row.public_key_or_token;
        let full_key = row.flags & 1 != 0;
        Ok(AssemblyName {
            name: row.name.into(),
            version: [row.major, row.minor, row.build, row.revision],
            culture: row.culture.into(),
            token: if full_key {
                public_key_token(key)
            } else {
                key.try_into().ok()
            },
        })
    }

    /// A top-level TypeDef of a module by name.
    pub fn find_type_def(&self, module: ModuleId, namespace: &str, name: &str) -> Option<TypeId> {
        let row = self.module(module).find_type(namespace, name)?;
        Some(self.type_def(module, row))
    }

    /// A top-level type of a module, following type forwarders. `None` if the module knows no such type.
    pub fn find_type(
        &self,
        module: ModuleId,
        namespace: &str,
        name: &str,
    ) -> Result<Option<TypeId>> {
        let mut module = module;
        for _ in 0..MAX_FORWARDS {
            if let Some(t) = self.find_type_def(module, namespace, name) {
                return Ok(Some(t));
            }
            let md = self.module(module);
            let Some(row) = md.find_exported(namespace, name) else {
                return Ok(None);
            };
            let Some(target) = md.exported_type(row)?.implementation.as_row() else {
                return Ok(None);
            };
            module = self.assembly_ref(module, target)?;
        }
        Ok(None)
    }

    /// As [`TypeContext::find_type`], `TypeLoad` if there is none.
    pub fn require_type(&self, module: ModuleId, namespace: &str, name: &str) -> Result<TypeId> {
        self.find_type(module, namespace, name)?
            .ok_or_else(|| self.no_such_type(module, namespace, name))
    }

    /// A type by its name in reflection form: ``Ns.Outer`1+Inner``, without arguments and assembly.
    pub fn find_type_by_full_name(&self, module: ModuleId, name: &str) -> Result<Option<TypeId>> {
        let mut parts = name.split(['+', '/']);
        let outer = parts.next().unwrap_or("");
        let (namespace, simple) = outer.rsplit_once('.').unwrap_or(("", outer));
        let Some(mut t) = self.find_type(module, namespace, simple)? else {
            return Ok(None);
        };
        for part in parts {
            match self.find_nested(t, part) {
                Some(inner) => t = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(t))
    }

    /// A nested type by its simple name.
    pub fn find_nested(&self, outer: TypeId, name: &str) -> Option<TypeId> {
        let (module, row) = self.def_of(outer)?;
        let nested = self.module(module).find_nested(row, "", name)?;
        Some(self.type_def(module, nested))
    }

    pub(crate) fn no_such_type(&self, module: ModuleId, namespace: &str, name: &str) -> Error {
        let dot = if namespace.is_empty() { "" } else { "." };
        Error::TypeLoad {
            name: format!("{namespace}{dot}{name}").into(),
            assembly: self.assembly(module).name.to_string().into(),
            reason: "".into(),
        }
    }

    /// A row carries a custom attribute whose class has this name. Nothing is resolved.
    pub fn has_attribute(&self, module: ModuleId, owner: Token, class: (&str, &str)) -> bool {
        let md = self.module(module);
        md.custom_attributes_of(owner)
            .filter_map(|a| md.custom_attribute(a).ok())
            .any(|a| self.attribute_class_name(module, a.ty) == class)
    }
}

/// Longest chain of type forwarders followed.
const MAX_FORWARDS: usize = 16;

fn cells<T>(count: u32) -> Box<[OnceLock<T>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}

impl TypeContext {
    /// The module of an assembly by simple name: `requester` itself, a loaded one, one that `requester` references,
    /// or one found by search.
    pub fn module_by_simple_name(&self, requester: ModuleId, name: &str) -> Result<ModuleId> {
        let named = |m: ModuleId| self.module_name(m) == name;
        if named(requester) {
            return Ok(requester);
        }
        if let Some(m) = self.modules().find(|&m| named(m)) {
            return Ok(m);
        }
        let refs = 1..=self.module(requester).row_count(AssemblyRefRow::TABLE);
        for row in refs.map(AssemblyRefRow) {
            if *self.assembly_ref_name(requester, row)?.name == *name {
                return self.assembly_ref(requester, row);
            }
        }
        self.load_by_name(Some(requester), &AssemblyName::simple(name))
    }
}
