//! Assignment compatibility (ECMA-335 I.8.7) as casts see it.

use super::{Known, Prim, TypeContext, TypeId, TypeKind, Variance};

/// Nesting of variance checks after which the answer is "no".
const MAX_VARIANCE_DEPTH: u32 = 32;

impl TypeContext {
    /// An instance whose exact type is `from` (boxed, if a value type) can be cast to `to`. A type
    /// whose hierarchy cannot be loaded is assignable to nothing but itself and `object`.
    ///
    /// `Canon` counts as a class derived from `object`, and accepts every reference type; use
    /// [`TypeContext::cast_outcome`] where an honest "depends" is needed.
    pub fn is_assignable(&self, from: TypeId, to: TypeId) -> bool {
        self.assignable(from, to, 0)
    }

    /// As [`TypeContext::is_assignable`], with `None` if the answer depends on what `Canon`, `Var` or `MVar` stand for.
    pub fn cast_outcome(&self, from: TypeId, to: TypeId) -> Option<bool> {
        let vague = |t| self.contains_canon(t) || self.is_open(t);
        if self.is_known(to, Known::Object) {
            return Some(!self.is_pointer_like(from));
        }
        if from == to && !vague(to) {
            return Some(true);
        }
        if vague(to) {
            return None;
        }
        let yes = self.is_assignable(from, to);
        // What holds of `Canon` holds of every reference type; what does not may still hold of some.
        (yes && !self.is_open(from) || !vague(from)).then_some(yes)
    }

    fn assignable(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        if from == to {
            return true;
        }
        if depth > MAX_VARIANCE_DEPTH {
            return false;
        }
        match self.kind(to) {
            TypeKind::Canon => self.is_reference_type(from),
            TypeKind::SzArray(e) => match self.kind(from) {
                TypeKind::SzArray(f) => self.element_compatible(f, e, depth),
                _ => false,
            },
            TypeKind::Array { elem, rank } => match self.kind(from) {
                TypeKind::Array { elem: f, rank: r } if r == rank => {
                    self.element_compatible(f, elem, depth)
                }
                _ => false,
            },
            TypeKind::Def { .. } | TypeKind::Inst { .. } => {
                self.assignable_to_class(from, to, depth)
            }
            _ => false,
        }
    }

    fn assignable_to_class(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        if self.is_pointer_like(from) {
            return false;
        }
        if self.is_known(to, Known::Object) {
            return true;
        }
        if let Some(inner) = self.nullable_arg(to) {
            return inner == from;
        }
        if self.is_interface(to) {
            return self.implements(from, to, depth);
        }
        if self.variant_match(from, to, depth) {
            return true;
        }
        let mut at = from;
        // Parents are acyclic once loaded; `parent` refuses cycles.
        while let Ok(Some(parent)) = self.parent(at) {
            if parent == to {
                return true;
            }
            at = parent;
        }
        false
    }

    /// `from` implements interface `to`, exactly or by variance.
    fn implements(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        if self.is_interface(from) && self.variant_match(from, to, depth) {
            return true;
        }
        if let (TypeKind::SzArray(elem), TypeKind::Inst { def, args: &[arg] }) =
            (self.kind(from), self.kind(to))
            && self.is_array_interface(def)
        {
            return self.element_compatible(elem, arg, depth);
        }
        let Ok(interfaces) = self.interfaces(from) else {
            return false;
        };
        interfaces.contains(&to)
            || (self.has_variance(to)
                && interfaces.iter().any(|&i| self.variant_match(i, to, depth)))
    }

    /// Both are instances of one variant interface or delegate and each argument fits by its variance.
    pub(crate) fn variant_compatible(&self, from: TypeId, to: TypeId) -> bool {
        self.variant_match(from, to, 0)
    }

    fn variant_match(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        let (
            TypeKind::Inst { def, args },
            TypeKind::Inst {
                def: to_def,
                args: to_args,
            },
        ) = (self.kind(from), self.kind(to))
        else {
            return false;
        };
        if def != to_def {
            return false;
        }
        let variance = self.variance(def);
        args.iter().zip(to_args).enumerate().all(|(n, (&a, &b))| {
            let fits = |x, y| {
                self.is_reference_type(x)
                    && self.is_reference_type(y)
                    && self.assignable(x, y, depth + 1)
            };
            a == b
                || match variance.get(n) {
                    Some(Variance::Covariant) => fits(a, b),
                    Some(Variance::Contravariant) => fits(b, a),
                    _ => false,
                }
        })
    }

    fn element_compatible(&self, from: TypeId, to: TypeId, depth: u32) -> bool {
        if from == to {
            return true;
        }
        match (self.is_reference_type(from), self.is_reference_type(to)) {
            (true, true) => self.assignable(from, to, depth + 1),
            (false, false) => match (self.reduced_prim(from), self.reduced_prim(to)) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
            _ => false,
        }
    }

    /// An element of type `from` may stand in an array of `to` as far as array types are concerned:
    /// references by assignability, integers and enums by equal size (`bool` and `char` only with themselves).
    pub fn array_element_compatible(&self, from: TypeId, to: TypeId) -> bool {
        self.element_compatible(from, to, 0)
    }

    /// Reduced type of a primitive or enum as array casts see it: native integers count as 64-bit.
    fn reduced_prim(&self, t: TypeId) -> Option<Prim> {
        let prim = self.prim(self.underlying(t))?.reduced();
        Some(if prim == Prim::I { Prim::I8 } else { prim })
    }

    /// Managed or unmanaged pointer, or function pointer: not an object.
    pub fn is_pointer_like(&self, t: TypeId) -> bool {
        matches!(
            self.kind(t),
            TypeKind::Ptr(_) | TypeKind::ByRef(_) | TypeKind::FnPtr(_)
        )
    }

    /// Values of the type are object references: classes, interfaces, arrays, `Canon`. Type
    /// parameters are not, whatever their constraints.
    pub fn is_reference_type(&self, t: TypeId) -> bool {
        match self.kind(t) {
            TypeKind::Def { .. } | TypeKind::Inst { .. } => !self.is_value_type(t),
            TypeKind::SzArray(_) | TypeKind::Array { .. } | TypeKind::Canon => true,
            TypeKind::Missing(_) => true,
            TypeKind::Ptr(_) | TypeKind::ByRef(_) | TypeKind::FnPtr(_) => false,
            TypeKind::Var(_) | TypeKind::MVar(_) | TypeKind::Param { .. } => false,
        }
    }

    /// One of the generic interfaces that every vector implements.
    pub fn is_array_interface(&self, def: TypeId) -> bool {
        ARRAY_INTERFACES.iter().any(|&k| self.is_known(def, k))
    }
}

/// The generic interfaces of vectors.
pub(crate) const ARRAY_INTERFACES: [Known; 5] = [
    Known::IListOf,
    Known::ICollectionOf,
    Known::IEnumerableOf,
    Known::IReadOnlyListOf,
    Known::IReadOnlyCollectionOf,
];
