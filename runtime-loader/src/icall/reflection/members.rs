//! Members of types under binding flags. Order: the type's own in declaration order, then those of its bases.

use super::native::{PointerArray, pointer_array, utf8};
use crate::icall::runtime_type::table;
use crate::icall::{Result, icalls, managed};
use crate::object::Obj;
use crate::runtime;
use shared_codegen::types::{MethodId, TypeId, TypeKind};

icalls! {
    "System.RuntimeType" {
        "GetConstructors_native" => constructors(Obj, i32) -> *mut PointerArray;
        "GetMethodsByName_native" => methods(Obj, *const u8, i32, i32) -> *mut PointerArray;
        "GetFields_native" => fields(Obj, *const u8, i32, i32) -> *mut PointerArray;
        "GetPropertiesByName_native" => properties(Obj, *const u8, i32, i32) -> *mut PointerArray;
        "GetEvents_native" => events(Obj, *const u8, i32) -> *mut PointerArray;
        "GetNestedTypes_native" => nested_types(Obj, *const u8, i32, i32) -> *mut PointerArray;
    }
}

/// `BindingFlags`
mod flags {
    pub(super) const IGNORE_CASE: i32 = 1;
    pub(super) const DECLARED_ONLY: i32 = 2;
    pub(super) const INSTANCE: i32 = 4;
    pub(super) const STATIC: i32 = 8;
    pub(super) const PUBLIC: i32 = 16;
    pub(super) const NON_PUBLIC: i32 = 32;
    pub(super) const FLATTEN_HIERARCHY: i32 = 64;
}

/// `MemberAccess` of methods and fields.
const ACCESS_MASK: u32 = 7;
const ACCESS_PRIVATE: u32 = 1;
const ACCESS_PUBLIC: u32 = 6;

/// What is asked for.
struct Query {
    name: Option<String>,
    ignore_case: bool,
    binding: i32,
}

impl Query {
    /// `list_type`: 0 all, 1 by name, 2 by name ignoring case.
    fn new(name: *const u8, binding: i32, list_type: i32) -> Query {
        Query {
            name: utf8(name).filter(|_| list_type != 0),
            ignore_case: list_type == 2 || binding & flags::IGNORE_CASE != 0,
            binding,
        }
    }

    fn named(&self, name: &str) -> bool {
        match &self.name {
            None => true,
            Some(n) if self.ignore_case => n.eq_ignore_ascii_case(name),
            Some(n) => n == name,
        }
    }

    /// Does a member with this access that `at` declares fit, seen from the type asked (`inherited`: from a derived one)?
    fn fits(&self, access: u32, is_static: bool, inherited: bool) -> bool {
        if inherited && access & ACCESS_MASK <= ACCESS_PRIVATE {
            return false;
        }
        let visible = if access & ACCESS_MASK == ACCESS_PUBLIC {
            flags::PUBLIC
        } else {
            flags::NON_PUBLIC
        };
        let kind_fits = if !is_static {
            self.binding & flags::INSTANCE != 0
        } else {
            self.binding & flags::STATIC != 0
                && (!inherited || self.binding & flags::FLATTEN_HIERARCHY != 0)
        };
        self.binding & visible != 0 && kind_fits
    }

    /// The type, and its bases unless only declared members are wanted. Constructed types show those of their base.
    fn classes(&self, ty: TypeId) -> Result<Vec<TypeId>> {
        let types = &runtime::get().types;
        let mut all = vec![ty];
        let mut at = ty;
        while self.binding & flags::DECLARED_ONLY == 0
            && let Some(parent) = super::shown_parent(at)?
        {
            all.push(parent);
            at = parent;
        }
        all.retain(|t| !matches!(types.kind(*t), TypeKind::Ptr(_) | TypeKind::ByRef(_)));
        Ok(all)
    }
}

fn method_flags(m: MethodId) -> u32 {
    runtime::get()
        .types
        .method_def(m)
        .map_or(ACCESS_PUBLIC, |d| d.flags.into())
}

extern "C" fn constructors(this: Obj, binding: i32) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let ty = table(this)?.type_id();
        let query = Query::new(core::ptr::null(), binding, 0);
        let fitting = |m: &MethodId| {
            matches!(rt.types.method_name(*m), ".ctor" | ".cctor")
                && query.fits(method_flags(*m), rt.types.method_is_static(*m), false)
        };
        let found: Vec<usize> = super::declared_methods(ty)?
            .into_iter()
            .filter(fitting)
            .map(|m| rt.methods.desc(m).handle())
            .collect();
        Ok(pointer_array(&found))
    })
}

/// Same name and same parameter types: the one in the derived class hides the other.
fn hides(derived: MethodId, base: MethodId) -> bool {
    let types = &runtime::get().types;
    if types.method_name(derived) != types.method_name(base) {
        return false;
    }
    match (types.vtable_slot(derived), types.vtable_slot(base)) {
        (Some(a), Some(b)) if a == b => return true,
        _ => {}
    }
    let (Ok(a), Ok(b)) = (
        types.method_signature(derived),
        types.method_signature(base),
    ) else {
        return false;
    };
    a.params == b.params && a.generic_count == b.generic_count
}

extern "C" fn methods(
    this: Obj,
    name: *const u8,
    binding: i32,
    list_type: i32,
) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let query = Query::new(name, binding, list_type);
        let mut found: Vec<MethodId> = Vec::new();
        for (depth, class) in query
            .classes(table(this)?.type_id())?
            .into_iter()
            .enumerate()
        {
            let before = found.len();
            for m in super::declared_methods(class)? {
                let name = rt.types.method_name(m);
                if matches!(name, ".ctor" | ".cctor") || !query.named(name) {
                    continue;
                }
                let fits = query.fits(method_flags(m), rt.types.method_is_static(m), depth > 0);
                let overridden = |d: &MethodId| {
                    rt.types.method_is_virtual(m)
                        && rt.types.method_is_virtual(*d)
                        && rt.types.vtable_slot(*d) == rt.types.vtable_slot(m)
                };
                if fits
                    && !found[..before]
                        .iter()
                        .any(|d| overridden(d) && hides(*d, m))
                {
                    found.push(m);
                }
            }
        }
        let handles: Vec<usize> = found.iter().map(|m| rt.methods.desc(*m).handle()).collect();
        Ok(pointer_array(&handles))
    })
}

extern "C" fn fields(
    this: Obj,
    name: *const u8,
    binding: i32,
    list_type: i32,
) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let query = Query::new(name, binding, list_type);
        let mut found = Vec::new();
        for (depth, class) in query
            .classes(table(this)?.type_id())?
            .into_iter()
            .enumerate()
        {
            for f in rt.types.fields(class)? {
                let fits = query.fits(
                    rt.types.field_flags(f),
                    rt.types.field_is_static(f),
                    depth > 0,
                );
                if fits && query.named(rt.types.field_name(f)) {
                    found.push(rt.fields.desc(rt, f)?.handle());
                }
            }
        }
        Ok(pointer_array(&found))
    })
}

/// Access and kind of a property or event: those of its most visible accessor.
fn accessor_fits(query: &Query, accessors: &[Option<MethodId>], inherited: bool) -> bool {
    let types = &runtime::get().types;
    accessors
        .iter()
        .flatten()
        .any(|m| query.fits(method_flags(*m), types.method_is_static(*m), inherited))
}

extern "C" fn properties(
    this: Obj,
    name: *const u8,
    binding: i32,
    list_type: i32,
) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let query = Query::new(name, binding, list_type);
        let mut found: Vec<usize> = Vec::new();
        let mut seen: Vec<(&str, Vec<TypeId>, usize)> = Vec::new();
        for (depth, class) in query
            .classes(table(this)?.type_id())?
            .into_iter()
            .enumerate()
        {
            for p in rt.types.properties(class)? {
                if !query.named(p.name) || !accessor_fits(&query, &[p.getter, p.setter], depth > 0)
                {
                    continue;
                }
                if seen
                    .iter()
                    .any(|s| s.0 == p.name && s.1 == p.params && s.2 < depth)
                {
                    continue;
                }
                seen.push((p.name, p.params, depth));
                found.push(rt.reflect.member(class, p.row.token()).handle());
            }
        }
        Ok(pointer_array(&found))
    })
}

extern "C" fn events(this: Obj, name: *const u8, list_type: i32) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        // Managed code sorts events out by binding flags.
        let everything = flags::INSTANCE
            | flags::STATIC
            | flags::PUBLIC
            | flags::NON_PUBLIC
            | flags::FLATTEN_HIERARCHY;
        let query = Query::new(name, everything, list_type);
        let mut found = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (depth, class) in query
            .classes(table(this)?.type_id())?
            .into_iter()
            .enumerate()
        {
            for e in rt.types.events(class)? {
                let fits = query.named(e.name)
                    && accessor_fits(&query, &[e.add, e.remove, e.raise], depth > 0);
                if fits && !seen.contains(&e.name) {
                    seen.push(e.name);
                    found.push(rt.reflect.member(class, e.row.token()).handle());
                }
            }
        }
        Ok(pointer_array(&found))
    })
}

extern "C" fn nested_types(
    this: Obj,
    name: *const u8,
    binding: i32,
    list_type: i32,
) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let query = Query::new(name, binding, list_type);
        let mut found = Vec::new();
        for t in rt.types.nested_types(table(this)?.type_id()) {
            // NestedPublic is 2, everything above is less visible.
            let wanted = if rt.types.type_flags(t) & 7 == 2 {
                flags::PUBLIC
            } else {
                flags::NON_PUBLIC
            };
            if binding & wanted != 0 && query.named(rt.types.type_name(t).1) {
                found.push(rt.method_table(t)?.handle());
            }
        }
        Ok(pointer_array(&found))
    })
}
