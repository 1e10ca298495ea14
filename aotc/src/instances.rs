//! Instances of generics that an image must hold because no other image surely has them.
//!
//! Instances over references stand in the image of their own assembly (`roots`). All others go into the image of the assembly
//! whose code needs them. What code needs is found from the runtime constants of its compiled form:
//!
//! * methods it names, and lookups of shared code, closed over every generic context the code runs in: its own and those of
//!   the methods inlined into it;
//! * of every type it names, of the types' bases and of the types of the assembly: virtual methods, class initializer and default
//!   constructor, because objects come from elsewhere too (allocation helpers, reflection);
//! * of vectors, the methods behind their generic interfaces;
//! * bodies of generic virtual methods ([`Overrides`]);
//! * classes that the class libraries make by reflection ([`crate::reflected`]).

use crate::generic_virtuals::Overrides;
use crate::reflected;
use crate::roots::{has_body, over_references};
use rustc_hash::{FxHashMap, FxHashSet};
use shared_codegen::abi::fixup::{Fixup, OpenFixup};
use shared_codegen::emit::CodeBlob;
use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::{MethodId, MethodKind, ModuleId, TypeContext, TypeId, TypeKind};

/// Longest encoding of an instance that is followed: others come from instantiations that never end.
const MAX_KEY: usize = 400;

/// Deepest nesting of instances in the arguments of a call of a generic virtual method that is followed.
const MAX_NESTING: u32 = 1;

/// The same for calls in methods that are themselves only reached through such a call. With 1 instead, the parallel queries
/// of System.Core take 25,000 instances more.
const MAX_NESTING_BEHIND: u32 = 0;

/// Finds instances.
pub struct Instances<'c> {
    ctx: &'c TypeContext,
    module: ModuleId,
    types: FxHashSet<TypeId>,
    overrides: Overrides<'c>,
    /// Methods found, with whether they were reached only through a generic virtual method.
    found: FxHashMap<MethodId, bool>,
    /// What is being looked at was.
    behind: bool,
}

impl<'c> Instances<'c> {
    pub fn new(ctx: &'c TypeContext, module: ModuleId) -> Instances<'c> {
        Instances {
            ctx,
            module,
            types: FxHashSet::default(),
            overrides: Overrides::new(ctx),
            found: FxHashMap::default(),
            behind: false,
        }
    }

    /// Appends what the types of the assembly itself need.
    pub fn needed_by_types(&mut self, out: &mut Vec<MethodId>) {
        for row in self.ctx.module(self.module).rows::<TypeDefRow>() {
            let def = self.ctx.type_def(self.module, row);
            if let Some(t) = over_references(self.ctx, def) {
                self.add_type(t, out);
                self.add_readers(t, out);
            }
        }
    }

    /// Appends what the code of a method refers to, in canonical form, possibly more than once.
    pub fn needed_by(&mut self, blob: &CodeBlob, out: &mut Vec<MethodId>) {
        let known = blob.method.and_then(|m| self.found.get(&m));
        self.behind = known.copied().unwrap_or(false);
        for &fixup in &blob.fixups {
            match fixup {
                Fixup::GenericLookup(owner, open) => self.add_lookup(blob, owner, open, out),
                closed => self.add(closed, out),
            }
        }
    }

    /// What a runtime constant refers to.
    fn add(&mut self, fixup: Fixup, out: &mut Vec<MethodId>) {
        match fixup {
            Fixup::MethodEntry(m) | Fixup::MethodCode(m) | Fixup::MethodHandle(m) => {
                self.add_method(m, out);
                self.add_type(self.ctx.method_owner(m), out);
                if matches!(fixup, Fixup::MethodHandle(_)) {
                    self.add_generic_virtual(m, out);
                }
            }
            Fixup::MethodTable(t)
            | Fixup::TypeObject(t)
            | Fixup::StaticsBase(t)
            | Fixup::ThreadStaticsIndex(t) => self.add_type(t, out),
            Fixup::FieldHandle(f) => self.add_type(self.ctx.field_owner(f), out),
            _ => {}
        }
    }

    /// A lookup of shared code, written in the generic parameters of `owner`: the method itself or one inlined into it.
    fn add_lookup(
        &mut self,
        blob: &CodeBlob,
        owner: MethodId,
        open: OpenFixup,
        out: &mut Vec<MethodId>,
    ) {
        let ctx = self.ctx;
        let class = |m| ctx.definition(ctx.method_owner(m));
        let inlined = blob.inline_sites.iter().map(|s| s.method);
        for m in blob.method.into_iter().chain(inlined) {
            // Code of one class is written in the same class parameters.
            let same = ctx.method_definition(m) == ctx.method_definition(owner)
                || (class(m) == class(owner) && ctx.generic_param_count(owner) == 0);
            if same {
                self.add(close(ctx, open, m), out);
            }
        }
    }

    /// What a generic virtual method may run, on the types known so far; later ones are seen to when they come.
    fn add_generic_virtual(&mut self, m: MethodId, out: &mut Vec<MethodId>) {
        let nesting = match self.behind {
            true => MAX_NESTING_BEHIND,
            false => MAX_NESTING,
        };
        let mut bodies = Vec::new();
        self.overrides.add_call(m, nesting, &mut bodies);
        self.add_bodies(bodies, out);
    }

    fn add_bodies(&mut self, bodies: Vec<MethodId>, out: &mut Vec<MethodId>) {
        let before = std::mem::replace(&mut self.behind, true);
        bodies.into_iter().for_each(|b| self.add_method(b, out));
        self.behind = before;
    }

    fn add_method(&mut self, m: MethodId, out: &mut Vec<MethodId>) {
        let m = self.ctx.canonical_method(m);
        if self.belongs_here(m) {
            let behind = self.found.entry(m).or_insert(self.behind);
            *behind &= self.behind;
            out.push(m);
        }
    }

    /// What may be called on objects of a type through its virtual table, and what makes them.
    fn add_type(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        let t = ctx.canonical_type(t);
        if ctx.is_open(t) || !self.types.insert(t) {
            return;
        }
        match ctx.kind(t) {
            TypeKind::Def { module, .. } if module == self.module => self.add_class(t, out),
            TypeKind::Inst { args, .. } => {
                self.add_class(t, out);
                if args.iter().any(|&a| a != ctx.canon()) {
                    self.add_makers(t, out);
                }
                for class in reflected::made_by(ctx, t) {
                    self.add_made(class, out);
                }
                if ctx.is_nullable(t) {
                    let all = ctx.methods(t).unwrap_or_default();
                    all.into_iter().for_each(|m| self.add_method(m, out));
                }
            }
            TypeKind::SzArray(e) if e != ctx.canon() => self.add_array(t, out),
            _ => {}
        }
    }

    /// The virtual table of a class, and its bases.
    fn add_class(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        for slot in 0..ctx.vtable_len(t).unwrap_or(0) {
            if let Ok(m) = ctx.vtable_method(t, slot) {
                self.add_method(m, out);
            }
        }
        let mut bodies = Vec::new();
        self.overrides.add_type(t, &mut bodies);
        self.add_bodies(bodies, out);
        if let Ok(Some(parent)) = ctx.parent(t) {
            self.add_type(parent, out);
        }
    }

    /// Class initializer and default constructor.
    fn add_makers(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        let default = ctx.find_constructor(t, &[]).ok().flatten();
        for m in ctx.class_initializer(t).into_iter().chain(default) {
            self.add_method(m, out);
        }
    }

    /// What reflection reads the properties of a class with.
    fn add_readers(&mut self, class: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        for property in ctx.properties(class).unwrap_or_default() {
            if ctx.nullable_arg(property.ty).is_some() {
                self.add_type(property.ty, out);
            }
            for reader in reflected::readers(ctx, class, &property) {
                self.add_method(reader, out);
                for t in reflected::reader_types(ctx, reader) {
                    self.add_type(t, out);
                }
            }
        }
    }

    /// A class whose objects are made by reflection.
    fn add_made(&mut self, class: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        // Its constructor calls those of its bases.
        let mut at = Some(class);
        while let Some(t) = at.filter(|&c| !ctx.type_args(c).is_empty()) {
            self.add_makers(t, out);
            at = ctx.parent(t).ok().flatten();
        }
        self.add_type(class, out);
    }

    /// The methods behind the generic interfaces of a vector.
    fn add_array(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
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

/// An open constant in the generic context of a method.
fn close(ctx: &TypeContext, open: OpenFixup, method: MethodId) -> Fixup {
    let generics = ctx.generic_context(method);
    let ty = |t| ctx.substitute(t, generics);
    let method = |m| ctx.substitute_method(m, generics);
    match open {
        OpenFixup::MethodTable(t) => Fixup::MethodTable(ty(t)),
        OpenFixup::TypeObject(t) => Fixup::TypeObject(ty(t)),
        OpenFixup::StaticsBase(t) => Fixup::StaticsBase(ty(t)),
        OpenFixup::ThreadStaticsIndex(t) => Fixup::ThreadStaticsIndex(ty(t)),
        OpenFixup::MethodEntry(m) => Fixup::MethodEntry(method(m)),
        OpenFixup::MethodCode(m) => Fixup::MethodCode(method(m)),
        OpenFixup::MethodHandle(m) => Fixup::MethodHandle(method(m)),
        OpenFixup::FieldHandle(f) => Fixup::FieldHandle(ctx.substitute_field(f, generics)),
    }
}
