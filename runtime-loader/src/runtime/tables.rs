//! Loading types: from a `TypeId` to the method table that objects and compiled code use.
#![allow(
    unsafe_code,
    reason = "fills memory that ends in a table of its own length"
)]

use super::id_table::IdTable;
use crate::arch::native::thunks::Thunks;
use crate::gc::GcMap;
use crate::icall::Result;
use crate::object::lookup_memo::LookupMemo;
use crate::object::{InitState, MethodTable, TypeDesc};
use core::sync::atomic::{AtomicPtr, AtomicUsize};
use parking_lot::Mutex;
use shared_codegen::abi::layout::{array, method_table as l, object, string};
use shared_codegen::types::{Known, TypeContext, TypeId, TypeKind};
use std::alloc::Layout as Memory;
use std::sync::OnceLock;

/// All method tables.
pub struct TypeTables {
    tables: IdTable<MethodTable>,
    known: [OnceLock<&'static MethodTable>; Known::ALL.len()],
}

impl Default for TypeTables {
    fn default() -> TypeTables {
        TypeTables {
            tables: IdTable::default(),
            known: [const { OnceLock::new() }; Known::ALL.len()],
        }
    }
}

/// What is computed about a type before its method table is allocated.
struct Blueprint {
    ty: TypeId,
    flags: u32,
    base_size: u32,
    component_size: u32,
    rank: u32,
    parent: Option<&'static MethodTable>,
    element: Option<&'static MethodTable>,
    gc_map: Option<GcMap>,
    vtable_len: u32,
}

impl TypeTables {
    /// The method table of a type; loads the type if need be.
    pub fn get(&self, ctx: &TypeContext, ty: TypeId) -> Result<&'static MethodTable> {
        match self.tables.get(ty.0) {
            Some(mt) => Ok(mt),
            None => Ok(self.tables.insert(
                ty.0,
                self.blueprint(ctx, ty)?.build(&super::get().jit.thunks)?,
            )),
        }
    }

    /// The method table of a well-known class.
    ///
    /// # Panics
    /// When the class libraries do not have it.
    pub fn known(&self, ctx: &TypeContext, class: Known) -> &'static MethodTable {
        self.known[class as usize].get_or_init(|| {
            let ty = ctx.known(class);
            self.get(ctx, ty)
                .unwrap_or_else(|e| panic!("{:?} cannot be loaded: {e:?}", class.name()))
        })
    }

    /// Number of loaded types.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// No type is loaded.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    fn blueprint(&self, ctx: &TypeContext, ty: TypeId) -> Result<Blueprint> {
        match ctx.kind(ty) {
            TypeKind::SzArray(elem) | TypeKind::Array { elem, .. }
                if ctx.contains_generic_params(elem) =>
            {
                Ok(Blueprint {
                    element: Some(self.get(ctx, elem)?),
                    parent: Some(self.known(ctx, Known::Array)),
                    flags: l::FLAG_ARRAY | l::FLAG_SLOW_CAST,
                    ..Blueprint::handle_only(ty)
                })
            }
            TypeKind::SzArray(elem) => self.array(ctx, ty, elem, 0),
            TypeKind::Array { elem, rank } => self.array(ctx, ty, elem, rank),
            TypeKind::Ptr(elem) | TypeKind::ByRef(elem) => Ok(Blueprint {
                element: Some(self.get(ctx, elem)?),
                ..Blueprint::handle_only(ty)
            }),
            TypeKind::Def { .. } | TypeKind::Inst { .. } | TypeKind::Canon
                if !ctx.contains_generic_params(ty) =>
            {
                self.class(ctx, ty)
            }
            _ => Ok(Blueprint {
                flags: kind_flags(ctx, ty)?,
                ..Blueprint::handle_only(ty)
            }),
        }
    }

    fn class(&self, ctx: &TypeContext, ty: TypeId) -> Result<Blueprint> {
        ctx.check_class(ty)?;
        let layout = ctx.layout(ty)?;
        let parent = match ctx.parent(ty)? {
            Some(p) => Some(self.get(ctx, p)?),
            None => None,
        };
        let is_value = ctx.is_value_type(ty);
        let mut flags = kind_flags(ctx, ty)?;
        // Offsets of value types are relative to the value; a boxed one stands behind the header.
        let shift = if is_value { object::HEADER } else { 0 };
        let refs: Vec<u32> = layout.refs.iter().map(|o| o + shift).collect();
        if !refs.is_empty() {
            flags |= l::FLAG_HAS_REFS;
        }
        let is_string = ty == ctx.known(Known::String);
        if is_string {
            flags |= l::FLAG_STRING;
        }
        Ok(Blueprint {
            flags,
            base_size: if is_string {
                string::DATA as u32 + 2
            } else {
                (layout.size + shift).next_multiple_of(8)
            },
            component_size: if is_string { 2 } else { 0 },
            parent,
            gc_map: (!refs.is_empty()).then(|| GcMap::object(&refs)),
            vtable_len: if flags & l::FLAG_INTERFACE != 0 {
                0
            } else {
                ctx.vtable_len(ty)?
            },
            ..Blueprint::handle_only(ty)
        })
    }

    fn array(&self, ctx: &TypeContext, ty: TypeId, elem: TypeId, rank: u32) -> Result<Blueprint> {
        let element = self.get(ctx, elem)?;
        let parent = self.known(ctx, Known::Array);
        let class = ctx.value_class(elem)?;
        let (size, gc_map) = array_shape(ctx, elem, class, rank)?;
        let mut flags = l::FLAG_ARRAY | l::FLAG_SLOW_CAST;
        if rank == 0 {
            flags |= l::FLAG_SZARRAY;
        }
        if gc_map
            .as_ref()
            .is_some_and(|m| m.kind != crate::gc::map::MapKind::StructArray || !m.runs.is_empty())
        {
            flags |= l::FLAG_HAS_REFS;
        }
        Ok(Blueprint {
            flags,
            base_size: array::DATA as u32,
            component_size: size,
            rank: rank.max(1),
            parent: Some(parent),
            element: Some(element),
            gc_map,
            vtable_len: parent.desc.vtable_len,
            ..Blueprint::handle_only(ty)
        })
    }
}

fn array_shape(
    ctx: &TypeContext,
    elem: TypeId,
    class: shared_codegen::types::ValueClass,
    rank: u32,
) -> Result<(u32, Option<GcMap>)> {
    use shared_codegen::ir::MemType;
    use shared_codegen::types::ValueClass;
    Ok(match class {
        ValueClass::Void => (0, None),
        ValueClass::Scalar(MemType::Ref) => (8, Some(GcMap::ref_array(rank))),
        ValueClass::Scalar(m) => (
            m.bytes(),
            (rank > 0).then(|| GcMap::struct_array(&[], rank)),
        ),
        ValueClass::Struct { size, .. } => {
            let refs = &ctx.layout(elem)?.refs;
            let map = if elem == ctx.known(Known::Ephemeron) {
                Some(GcMap::ephemeron_array())
            } else {
                (rank > 0 || !refs.is_empty()).then(|| GcMap::struct_array(refs, rank))
            };
            (size, map)
        }
    })
}

fn kind_flags(ctx: &TypeContext, ty: TypeId) -> Result<u32> {
    let mut flags = 0;
    let mut set = |yes: bool, flag: u32| {
        if yes {
            flags |= flag;
        }
    };
    if matches!(ctx.kind(ty), TypeKind::Def { .. } | TypeKind::Inst { .. }) {
        let nullable = ctx.is_nullable(ty);
        let interface = ctx.is_interface(ty);
        let delegate = ctx.is_delegate(ty);
        set(ctx.is_value_type(ty), l::FLAG_VALUE_TYPE);
        set(interface, l::FLAG_INTERFACE);
        set(delegate, l::FLAG_DELEGATE);
        set(nullable, l::FLAG_NULLABLE);
        set(ctx.has_finalizer(ty), l::FLAG_FINALIZER);
        set(
            interface || nullable || (delegate && matches!(ctx.kind(ty), TypeKind::Inst { .. })),
            l::FLAG_SLOW_CAST,
        );
    }
    Ok(flags)
}

impl Blueprint {
    /// A type without instances: generic definitions, type parameters, pointers.
    fn handle_only(ty: TypeId) -> Blueprint {
        Blueprint {
            ty,
            flags: 0,
            base_size: object::HEADER,
            component_size: 0,
            rank: 0,
            parent: None,
            element: None,
            gc_map: None,
            vtable_len: 0,
        }
    }

    /// Allocates the method table.
    fn build(self, thunks: &Thunks) -> Result<&'static MethodTable> {
        let resolvers = (0..self.vtable_len)
            .map(|s| thunks.vtable_resolver(s))
            .collect::<core::result::Result<Vec<_>, _>>()?;
        let desc = Box::leak(Box::new(TypeDesc {
            ty: self.ty,
            vtable_len: self.vtable_len,
            rank: self.rank,
            init: Mutex::new(InitState::None),
            thread_statics: AtomicUsize::new(0),
            underlying: OnceLock::new(),
        }));
        let depth = self.parent.map_or(0, |p| p.depth + 1);
        let header = MethodTable {
            component_size: self.component_size,
            base_size: self.base_size,
            flags: self.flags,
            depth,
            parent: self.parent.map_or(core::ptr::null(), core::ptr::from_ref),
            element: self.element.map_or(core::ptr::null(), core::ptr::from_ref),
            supers: core::ptr::null(),
            type_object: AtomicUsize::new(0),
            statics: AtomicPtr::new(core::ptr::null_mut()),
            desc,
            gc_map: self
                .gc_map
                .map_or(core::ptr::null(), |m| Box::leak(Box::new(m))),
            lookups: LookupMemo::new(),
            last_cast: AtomicUsize::new(0),
            imt: core::array::from_fn(|_| AtomicUsize::new(thunks.interface_resolver())),
            vtable: [],
        };
        let size = size_of::<MethodTable>() + 8 * self.vtable_len as usize;
        let memory = Memory::from_size_align(size, 16).expect("vtables are small");
        // SAFETY: the layout is not empty; the allocation is checked, filled completely (header, then every
        // vtable entry) and never freed. The display has `depth + 1` entries, copied from the parent's `depth`.
        unsafe {
            let at = std::alloc::alloc(memory).cast::<MethodTable>();
            if at.is_null() {
                std::alloc::handle_alloc_error(memory);
            }
            at.write(header);
            let mut supers = Vec::with_capacity(depth as usize + 1);
            if let Some(p) = self.parent {
                supers.extend_from_slice(core::slice::from_raw_parts(p.supers, depth as usize));
            }
            supers.push(at.cast_const());
            (*at).supers = supers.leak().as_ptr();
            let slots = (*at).vtable.as_mut_ptr();
            for (slot, resolver) in resolvers.into_iter().enumerate() {
                slots.add(slot).write(AtomicUsize::new(resolver));
            }
            Ok(&*at)
        }
    }
}
