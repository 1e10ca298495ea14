//! The shared context: interners and their entries.

use super::facts::DefFacts;
use super::statics::StaticsLayout;
use super::{
    AssemblyInfo, AssemblyResolver, FieldId, FieldKind, InterfaceMap, Known, Layout, MethodId,
    MethodKind, MethodSignature, ModuleId, Result, SigId, TypeId, TypeKind, TypeList, VTable,
};
use crate::metadata::MethodDef;
use crate::types::assembly::LoadedModule;
use core::hash::Hash;
use parking_lot::RwLock;
use rustc_hash::{FxHashMap, FxHashSet};
use std::any::Any;
use std::sync::OnceLock;

bitflags::bitflags! {
    /// What occurs somewhere inside a type.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Shape: u8 {
        /// `Var`
        const VAR = 1;
        /// `MVar`
        const MVAR = 2;
        /// `Canon`
        const CANON = 4;
        /// `Param`, or a generic type definition without arguments
        const PARAM = 8;
        /// Nested too deeply to be used.
        const TOO_DEEP = 16;
    }
}

/// Types nested deeper than this are refused: they come from instantiations that never end.
pub(crate) const MAX_DEPTH: u8 = 64;

/// Append-only table with a lookup by key.
pub(crate) struct Interner<K, E> {
    map: RwLock<FxHashMap<K, u32>>,
    entries: boxcar::Vec<E>,
}

impl<K: Copy + Eq + Hash, E> Interner<K, E> {
    fn new() -> Self {
        Interner {
            map: RwLock::new(FxHashMap::default()),
            entries: boxcar::Vec::new(),
        }
    }

    /// Number of `key`, with `make` giving its entry if it is new.
    fn intern(&self, key: K, make: impl FnOnce() -> E) -> u32 {
        if let Some(&n) = self.map.read().get(&key) {
            return n;
        }
        let entry = make();
        let mut map = self.map.write();
        *map.entry(key)
            .or_insert_with(|| self.entries.push(entry) as u32)
    }

    fn get(&self, n: u32) -> &E {
        &self.entries[n as usize]
    }
}

/// A type with its facts.
pub(crate) struct TypeEntry {
    pub(crate) kind: TypeKind,
    pub(crate) shape: Shape,
    pub(crate) depth: u8,
    pub(crate) def: OnceLock<Box<DefFacts>>,
    pub(crate) parent: OnceLock<Result<Option<TypeId>>>,
    pub(crate) checked: OnceLock<Result<()>>,
    pub(crate) declared_interfaces: OnceLock<Result<TypeList>>,
    pub(crate) interfaces: OnceLock<Result<TypeList>>,
    pub(crate) canonical: OnceLock<TypeId>,
    pub(crate) layout: OnceLock<Result<Box<Layout>>>,
    pub(crate) statics: OnceLock<Result<Box<StaticsLayout>>>,
    pub(crate) vtable: OnceLock<Result<Box<VTable>>>,
    pub(crate) interface_map: OnceLock<Result<Box<InterfaceMap>>>,
    pub(crate) native_layout: OnceLock<Result<Box<super::NativeLayout>>>,
}

/// A method with its facts.
pub(crate) struct MethodEntry {
    pub(crate) kind: MethodKind,
    pub(crate) def: OnceLock<Option<MethodDef>>,
    pub(crate) signature: OnceLock<Result<MethodSignature>>,
    pub(crate) canonical: OnceLock<MethodId>,
}

/// A field with its facts.
pub(crate) struct FieldEntry {
    pub(crate) kind: FieldKind,
    pub(crate) ty: OnceLock<Result<TypeId>>,
}

/// The type system of one process or compilation: all loaded modules and everything known about
/// them. Shared by reference between threads.
pub struct TypeContext {
    pub(crate) resolver: Box<dyn AssemblyResolver>,
    pub(crate) modules: boxcar::Vec<LoadedModule>,
    pub(crate) loading: parking_lot::Mutex<()>,
    pub(crate) known: Box<[OnceLock<TypeId>]>,
    types: Interner<TypeKind, TypeEntry>,
    methods: Interner<MethodKind, MethodEntry>,
    fields: Interner<FieldKind, FieldEntry>,
    signatures: Interner<MethodSignature, MethodSignature>,
    lists: RwLock<FxHashSet<TypeList>>,
    attached: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl TypeContext {
    /// A context with mscorlib loaded through `resolver`. Fails if mscorlib cannot be had.
    pub fn new(resolver: Box<dyn AssemblyResolver>) -> Result<TypeContext> {
        let ctx = TypeContext {
            resolver,
            modules: boxcar::Vec::new(),
            loading: parking_lot::Mutex::new(()),
            known: Known::ALL.iter().map(|_| OnceLock::new()).collect(),
            types: Interner::new(),
            methods: Interner::new(),
            fields: Interner::new(),
            signatures: Interner::new(),
            lists: RwLock::new(FxHashSet::default()),
            attached: OnceLock::new(),
        };
        ctx.load_corlib()?;
        Ok(ctx)
    }

    /// What somebody else keeps for as long as this context lives, because it is in terms of its ids; made at the first
    /// call. There is room for one type: `None` for others.
    pub fn attached<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        let made = self.attached.get_or_init(|| Box::new(T::default()));
        made.downcast_ref()
    }

    /// The module of mscorlib.
    pub fn corlib(&self) -> ModuleId {
        ModuleId(0)
    }

    /// Identity of an assembly by its module.
    pub fn assembly(&self, module: ModuleId) -> &AssemblyInfo {
        &self.loaded(module).info
    }

    /// The structure of a type.
    pub fn kind(&self, t: TypeId) -> TypeKind {
        self.entry(t).kind
    }

    /// The structure of a method.
    pub fn method_kind(&self, m: MethodId) -> MethodKind {
        self.method_entry(m).kind
    }

    /// The structure of a field.
    pub fn field_kind(&self, f: FieldId) -> FieldKind {
        self.field_entry(f).kind
    }

    /// An interned signature.
    pub fn signature(&self, s: SigId) -> &MethodSignature {
        self.signatures.get(s.0)
    }

    /// The id of a type.
    pub fn intern_type(&self, kind: TypeKind) -> TypeId {
        TypeId(self.types.intern(kind, || self.new_type(kind)))
    }

    /// The id of a method. `kind` must keep the rules stated at [`MethodKind`]; prefer the resolving functions.
    pub fn intern_method(&self, kind: MethodKind) -> MethodId {
        MethodId(self.methods.intern(kind, || MethodEntry {
            kind,
            def: OnceLock::new(),
            signature: OnceLock::new(),
            canonical: OnceLock::new(),
        }))
    }

    /// The id of a field.
    pub fn intern_field(&self, kind: FieldKind) -> FieldId {
        FieldId(self.fields.intern(kind, || FieldEntry {
            kind,
            ty: OnceLock::new(),
        }))
    }

    /// The id of a signature.
    pub fn intern_signature(&self, sig: MethodSignature) -> SigId {
        SigId(self.signatures.intern(sig, || sig))
    }

    /// The interned form of a list of types.
    pub fn list(&self, types: &[TypeId]) -> TypeList {
        if types.is_empty() {
            return &[];
        }
        if let Some(&list) = self.lists.read().get(types) {
            return list;
        }
        let mut lists = self.lists.write();
        if let Some(&list) = lists.get(types) {
            return list;
        }
        let list: TypeList = Box::leak(types.into());
        lists.insert(list);
        list
    }

    /// The instance of a generic type definition.
    pub fn instance(&self, def: TypeId, args: &[TypeId]) -> TypeId {
        self.intern_type(TypeKind::Inst {
            def,
            args: self.list(args),
        })
    }

    /// The vector `T[]`.
    pub fn sz_array(&self, elem: TypeId) -> TypeId {
        self.intern_type(TypeKind::SzArray(elem))
    }

    /// `T&`
    pub fn by_ref(&self, to: TypeId) -> TypeId {
        self.intern_type(TypeKind::ByRef(to))
    }

    /// `T*`
    pub fn pointer(&self, to: TypeId) -> TypeId {
        self.intern_type(TypeKind::Ptr(to))
    }

    pub(crate) fn entry(&self, t: TypeId) -> &TypeEntry {
        self.types.get(t.0)
    }

    pub(crate) fn method_entry(&self, m: MethodId) -> &MethodEntry {
        self.methods.get(m.0)
    }

    pub(crate) fn field_entry(&self, f: FieldId) -> &FieldEntry {
        self.fields.get(f.0)
    }

    fn new_type(&self, kind: TypeKind) -> TypeEntry {
        let (shape, depth) = self.shape_of(kind);
        TypeEntry {
            kind,
            shape,
            depth,
            def: OnceLock::new(),
            parent: OnceLock::new(),
            declared_interfaces: OnceLock::new(),
            interfaces: OnceLock::new(),
            canonical: OnceLock::new(),
            layout: OnceLock::new(),
            statics: OnceLock::new(),
            vtable: OnceLock::new(),
            interface_map: OnceLock::new(),
            checked: OnceLock::new(),
            native_layout: OnceLock::new(),
        }
    }

    fn shape_of(&self, kind: TypeKind) -> (Shape, u8) {
        let one = |t: TypeId| (self.entry(t).shape, self.entry(t).depth.saturating_add(1));
        let many = |types: &mut dyn Iterator<Item = TypeId>| {
            types
                .map(one)
                .fold((Shape::empty(), 0), |(s, d), (s2, d2)| (s | s2, d.max(d2)))
        };
        let (mut shape, depth) = match kind {
            TypeKind::Def { .. } | TypeKind::Missing(_) => (Shape::empty(), 0),
            TypeKind::Inst { args, .. } => many(&mut args.iter().copied()),
            TypeKind::SzArray(t)
            | TypeKind::Array { elem: t, .. }
            | TypeKind::Ptr(t)
            | TypeKind::ByRef(t) => one(t),
            TypeKind::FnPtr(s) => {
                let sig = *self.signature(s);
                many(&mut sig.params.iter().copied().chain([sig.ret]))
            }
            TypeKind::Var(_) => (Shape::VAR, 0),
            TypeKind::MVar(_) => (Shape::MVAR, 0),
            TypeKind::Param { .. } => (Shape::PARAM, 0),
            TypeKind::Canon => (Shape::CANON, 0),
        };
        if depth > MAX_DEPTH {
            shape |= Shape::TOO_DEEP;
        }
        (shape, depth)
    }
}
