//! Substitution and generic sharing: which instances have one body, and where that body finds its
//! exact arguments.
//!
//! One body serves all instances that differ only in reference-type arguments. Its identity is the
//! *canonical* form, in which each such argument is `Canon`, at any depth inside value-type
//! arguments; other value-type arguments stay exact.

use super::context::Shape;
use super::{
    GenericContext, MethodId, MethodKind, MethodSignature, TypeContext, TypeId, TypeKind, TypeList,
};

/// Where shared code gets its exact generic arguments from (`docs/architecture.md` §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContextSource {
    /// The code is not shared.
    None,
    /// From the method table of `this`.
    FromThis,
    /// `r10` is the method table of the exact owner.
    OwnerTable,
    /// `r10` is the handle of the exact method.
    MethodHandle,
}

impl TypeContext {
    /// Contains `Var` or `MVar`: has no values until substituted.
    pub fn is_open(&self, t: TypeId) -> bool {
        self.shape(t).intersects(Shape::VAR | Shape::MVAR)
    }

    /// Contains `Canon`.
    pub fn contains_canon(&self, t: TypeId) -> bool {
        self.shape(t).contains(Shape::CANON)
    }

    /// `System.Type.ContainsGenericParameters`: open in any way, or a generic type definition.
    pub fn contains_generic_params(&self, t: TypeId) -> bool {
        let open = Shape::VAR | Shape::MVAR | Shape::PARAM;
        self.shape(t).intersects(open) || self.is_generic_definition(t)
    }

    pub(crate) fn shape(&self, t: TypeId) -> Shape {
        self.entry(t).shape
    }

    /// `t` with `Var` and `MVar` replaced. Parameters the context has no argument for stay.
    pub fn substitute(&self, t: TypeId, generics: GenericContext) -> TypeId {
        let shape = self.shape(t);
        let vars = shape.contains(Shape::VAR) && !generics.type_args.is_empty();
        let mvars = shape.contains(Shape::MVAR) && !generics.method_args.is_empty();
        if !(vars || mvars) {
            return t;
        }
        self.map_parts(t, &mut |part| match self.kind(part) {
            TypeKind::Var(n) => generics.type_args.get(n as usize).copied(),
            TypeKind::MVar(n) => generics.method_args.get(n as usize).copied(),
            _ => None,
        })
    }

    /// Substitution in each type of a list.
    pub fn substitute_list(&self, types: TypeList, generics: GenericContext) -> TypeList {
        if generics.is_empty() || !types.iter().any(|&t| self.is_open(t)) {
            return types;
        }
        let new: Vec<TypeId> = types
            .iter()
            .map(|&t| self.substitute(t, generics))
            .collect();
        self.list(&new)
    }

    /// Substitution in owner and arguments of a method.
    pub fn substitute_method(&self, m: MethodId, generics: GenericContext) -> MethodId {
        if generics.is_empty() {
            return m;
        }
        match self.method_kind(m) {
            MethodKind::Def {
                module,
                row,
                owner,
                args,
            } => self.intern_method(MethodKind::Def {
                module,
                row,
                owner: self.substitute(owner, generics),
                args: self.substitute_list(args, generics),
            }),
            MethodKind::Array { array, op } => self.intern_method(MethodKind::Array {
                array: self.substitute(array, generics),
                op,
            }),
            MethodKind::Synthetic { kind, subject, sig } => {
                let sig = self.substitute_signature(*self.signature(sig), generics);
                self.intern_method(MethodKind::Synthetic {
                    kind,
                    subject: self.substitute_method(subject, generics),
                    sig: self.intern_signature(sig),
                })
            }
        }
    }

    /// Substitution in all types of a signature.
    pub fn substitute_signature(
        &self,
        sig: MethodSignature,
        generics: GenericContext,
    ) -> MethodSignature {
        MethodSignature {
            params: self.substitute_list(sig.params, generics),
            ret: self.substitute(sig.ret, generics),
            ..sig
        }
    }

    /// Rebuilds `t` with the parts that `replace` gives something for exchanged, outermost first.
    fn map_parts(&self, t: TypeId, replace: &mut dyn FnMut(TypeId) -> Option<TypeId>) -> TypeId {
        if let Some(new) = replace(t) {
            return new;
        }
        let kind = match self.kind(t) {
            TypeKind::Inst { def, args } => {
                let args: Vec<TypeId> = args.iter().map(|&a| self.map_parts(a, replace)).collect();
                return self.instance(def, &args);
            }
            TypeKind::SzArray(e) => TypeKind::SzArray(self.map_parts(e, replace)),
            TypeKind::Array { elem, rank } => TypeKind::Array {
                elem: self.map_parts(elem, replace),
                rank,
            },
            TypeKind::Ptr(e) => TypeKind::Ptr(self.map_parts(e, replace)),
            TypeKind::ByRef(e) => TypeKind::ByRef(self.map_parts(e, replace)),
            TypeKind::FnPtr(s) => {
                let sig = *self.signature(s);
                let params: Vec<TypeId> = sig
                    .params
                    .iter()
                    .map(|&p| self.map_parts(p, replace))
                    .collect();
                TypeKind::FnPtr(self.intern_signature(MethodSignature {
                    params: self.list(&params),
                    ret: self.map_parts(sig.ret, replace),
                    ..sig
                }))
            }
            _ => return t,
        };
        self.intern_type(kind)
    }

    /// The canonical form of a type: `List<string>` gives `List<Canon>`, `string[]` gives `Canon[]`,
    /// `string` stays.
    pub fn canonical_type(&self, t: TypeId) -> TypeId {
        let entry = self.entry(t);
        *entry.canonical.get_or_init(|| match entry.kind {
            TypeKind::Inst { def, args } => {
                let args: Vec<TypeId> = args.iter().map(|&a| self.canonical_arg(a)).collect();
                self.instance(def, &args)
            }
            TypeKind::SzArray(e) => self.sz_array(self.canonical_arg(e)),
            TypeKind::Array { elem, rank } => self.intern_type(TypeKind::Array {
                elem: self.canonical_arg(elem),
                rank,
            }),
            _ => t,
        })
    }

    /// The canonical form of a type used as generic argument or array element: `Canon` for every reference type.
    pub fn canonical_arg(&self, t: TypeId) -> TypeId {
        match self.kind(t) {
            TypeKind::Var(_) | TypeKind::MVar(_) | TypeKind::Param { .. } => t,
            TypeKind::Ptr(_) | TypeKind::ByRef(_) | TypeKind::FnPtr(_) => t,
            _ if self.is_value_type(t) => self.canonical_type(t),
            _ => self.canon(),
        }
    }

    /// The type `Canon`.
    pub fn canon(&self) -> TypeId {
        self.intern_type(TypeKind::Canon)
    }

    /// The method whose body serves `m`.
    pub fn canonical_method(&self, m: MethodId) -> MethodId {
        let entry = self.method_entry(m);
        *entry.canonical.get_or_init(|| match entry.kind {
            MethodKind::Def {
                module,
                row,
                owner,
                args,
            } => {
                let args: Vec<TypeId> = args.iter().map(|&a| self.canonical_arg(a)).collect();
                self.intern_method(MethodKind::Def {
                    module,
                    row,
                    owner: self.canonical_type(owner),
                    args: self.list(&args),
                })
            }
            MethodKind::Array { array, op } => self.intern_method(MethodKind::Array {
                array: self.canonical_type(array),
                op,
            }),
            MethodKind::Synthetic { .. } => m,
        })
    }

    /// The body of `m` is shared: `m` is a canonical form that contains `Canon`.
    pub fn is_shared(&self, m: MethodId) -> bool {
        match self.method_kind(m) {
            MethodKind::Def { owner, args, .. } => {
                self.contains_canon(owner) || args.iter().any(|&a| self.contains_canon(a))
            }
            MethodKind::Array { array, .. } => self.contains_canon(array),
            MethodKind::Synthetic { .. } => false,
        }
    }

    /// How the body that serves `m` gets its generic context.
    pub fn needs_context(&self, m: MethodId) -> ContextSource {
        let shared = self.canonical_method(m);
        let MethodKind::Def { owner, args, .. } = self.method_kind(shared) else {
            return ContextSource::None;
        };
        if !self.is_shared(shared) {
            ContextSource::None
        } else if !args.is_empty() {
            ContextSource::MethodHandle
        } else if self.method_is_static(m) || self.is_value_type(owner) {
            ContextSource::OwnerTable
        } else {
            ContextSource::FromThis
        }
    }

    /// The generic context inside a method: arguments of its owner and its own.
    pub fn generic_context(&self, m: MethodId) -> GenericContext {
        match self.method_kind(m) {
            MethodKind::Def { owner, args, .. } => GenericContext {
                type_args: self.type_args(owner),
                method_args: args,
            },
            MethodKind::Array { .. } => GenericContext::EMPTY,
            MethodKind::Synthetic { subject, .. } => self.generic_context(subject),
        }
    }
}
