//! Instances that compiled code needs and that no other image surely has: those over value types.

use crate::roots::has_body;
use rustc_hash::FxHashSet;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::emit::CodeBlob;
use shared_codegen::types::{MethodId, MethodKind, ModuleId, TypeContext, TypeId, TypeKind};

/// Longest encoding of an instance that is followed: others come from instantiations that never end.
const MAX_KEY: usize = 400;

/// Generic classes of mscorlib that make instances of others over the same arguments by reflection.
const REFLECTED: [(&str, &[&str]); 2] = [
    (
        "EqualityComparer`1",
        &["GenericEqualityComparer`1", "ObjectEqualityComparer`1"],
    ),
    ("Comparer`1", &["GenericComparer`1", "ObjectComparer`1"]),
];

/// Finds instances.
pub struct Instances<'c> {
    ctx: &'c TypeContext,
    module: ModuleId,
    types: FxHashSet<TypeId>,
}

impl<'c> Instances<'c> {
    pub fn new(ctx: &'c TypeContext, module: ModuleId) -> Instances<'c> {
        Instances {
            ctx,
            module,
            types: FxHashSet::default(),
        }
    }

    /// Appends what the code of a method refers to, in canonical form, possibly more than once.
    pub fn needed_by(&mut self, blob: &CodeBlob, out: &mut Vec<MethodId>) {
        for &fixup in &blob.fixups {
            match self.closed(fixup, blob.method) {
                Fixup::MethodEntry(m) | Fixup::MethodCode(m) | Fixup::MethodHandle(m) => {
                    self.add_method(m, out);
                    self.add_type(self.ctx.method_owner(m), out);
                }
                Fixup::MethodTable(t) | Fixup::TypeObject(t) | Fixup::StaticsBase(t) => {
                    self.add_type(t, out);
                }
                _ => {}
            }
        }
    }

    /// A generic lookup written in the generic parameters of the method itself, in canonical form.
    fn closed(&self, fixup: Fixup, method: Option<MethodId>) -> Fixup {
        let Fixup::GenericLookup(owner, open) = fixup else {
            return fixup;
        };
        let ctx = self.ctx;
        // Code inlined from another method of the same class is written in the same class parameters.
        let class = |m| ctx.definition(ctx.method_owner(m));
        let same = |m| {
            ctx.method_definition(m) == ctx.method_definition(owner)
                || (class(m) == class(owner) && ctx.generic_param_count(owner) == 0)
        };
        let Some(method) = method.filter(|&m| same(m)) else {
            return fixup;
        };
        let generics = ctx.generic_context(method);
        match open.into() {
            Fixup::MethodTable(t) => Fixup::MethodTable(ctx.substitute(t, generics)),
            Fixup::StaticsBase(t) => Fixup::StaticsBase(ctx.substitute(t, generics)),
            Fixup::MethodEntry(m) => Fixup::MethodEntry(ctx.substitute_method(m, generics)),
            Fixup::MethodCode(m) => Fixup::MethodCode(ctx.substitute_method(m, generics)),
            Fixup::MethodHandle(m) => Fixup::MethodHandle(ctx.substitute_method(m, generics)),
            other => other,
        }
    }

    fn add_method(&self, m: MethodId, out: &mut Vec<MethodId>) {
        let m = self.ctx.canonical_method(m);
        if self.belongs_here(m) {
            out.push(m);
        }
    }

    /// What may be called on objects of a type through its virtual table.
    fn add_type(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        let t = ctx.canonical_type(t);
        if ctx.is_open(t) || !self.types.insert(t) {
            return;
        }
        match ctx.kind(t) {
            TypeKind::Inst { args, .. } if args.iter().any(|&a| a != ctx.canon()) => {
                for slot in 0..ctx.vtable_len(t).unwrap_or(0) {
                    if let Ok(m) = ctx.vtable_method(t, slot) {
                        self.add_method(m, out);
                    }
                }
                if let Some(m) = ctx.class_initializer(t) {
                    self.add_method(m, out);
                }
                self.add_reflected(t, args, out);
            }
            TypeKind::SzArray(e) if e != ctx.canon() => self.add_array(t, out),
            _ => {}
        }
    }

    /// Comparers that the class libraries make by reflection, so no code refers to them.
    fn add_reflected(&mut self, t: TypeId, args: &[TypeId], out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        let corlib = |name| ctx.find_type_def(ctx.corlib(), "System.Collections.Generic", name);
        let definition = Some(ctx.definition(t));
        for (asked, made) in REFLECTED {
            if definition != corlib(asked) {
                continue;
            }
            for comparer in made.iter().filter_map(|&name| corlib(name)) {
                let mut instance = Some(ctx.instance(comparer, args));
                // Its constructor calls those of its bases.
                while let Some(class) = instance.filter(|&c| !ctx.type_args(c).is_empty()) {
                    self.add_constructors(class, out);
                    self.add_type(class, out);
                    instance = ctx.parent(class).ok().flatten();
                }
            }
        }
    }

    fn add_constructors(&self, class: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        for open in ctx.methods(ctx.definition(class)).unwrap_or_default() {
            if ctx.method_name(open) == ".ctor" {
                self.add_method(ctx.method_on(open, class), out);
            }
        }
    }

    /// The methods behind the generic interfaces of a vector.
    fn add_array(&self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        for &interface in ctx.interfaces(t).unwrap_or_default() {
            if ctx.type_args(interface).is_empty() {
                continue;
            }
            for open in ctx.methods(interface).unwrap_or_default() {
                let m = ctx.method_on(open, interface);
                if let Ok(target) = ctx.resolve_interface(t, m) {
                    self.add_method(target, out);
                }
            }
        }
    }

    fn belongs_here(&self, m: MethodId) -> bool {
        let ctx = self.ctx;
        match ctx.method_kind(m) {
            MethodKind::Def {
                module,
                owner,
                args,
                ..
            } => {
                let owner_args = ctx.type_args(owner);
                let mut all = owner_args.iter().chain(args);
                let open = all.clone().any(|&t| ctx.is_open(t));
                let exact = all.any(|&t| t != ctx.canon());
                let generic = !(owner_args.is_empty() && args.is_empty());
                let complete = ctx.generic_param_count(m) as usize == args.len();
                generic
                    && !open
                    && complete
                    && (exact || module == self.module)
                    && has_body(ctx, m)
                    && self.is_small(m)
            }
            MethodKind::Array { array, .. } => !ctx.is_open(array) && self.is_small(m),
            MethodKind::Synthetic { subject, .. } => {
                ctx.method_module(subject) == self.module && self.is_small(m)
            }
        }
    }

    fn is_small(&self, m: MethodId) -> bool {
        let mut key = Vec::new();
        self.ctx.encode_method(m, &mut key);
        key.len() <= MAX_KEY
    }
}
