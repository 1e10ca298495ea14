//! Which bodies a call of a generic virtual method may run.
//!
//! Such a call names a declaration and exact arguments; the body depends on the receiver. Every class that may be a receiver
//! is paired with every call: classes of all loaded assemblies (generic ones over references) and the instances met on the way.
//! That is more than will ever happen, and it feeds itself: bodies call on with arguments made from theirs. So calls with
//! deeply nested arguments are not followed.

use crate::roots::over_references;
use rustc_hash::{FxHashMap, FxHashSet};
use shared_codegen::metadata::{AssemblyRefRow, TypeDefRow};
use shared_codegen::types::{MethodId, ModuleId, TypeContext, TypeId};

/// Calls and receivers seen so far.
pub struct Overrides<'c> {
    ctx: &'c TypeContext,
    /// Canonical declarations with arguments.
    calls: Vec<MethodId>,
    seen: FxHashSet<MethodId>,
    /// Receivers that are not in `classes`.
    instances: Vec<TypeId>,
    /// By definition of the class or interface that declares called methods: the classes that have it.
    classes: FxHashMap<TypeId, Vec<TypeId>>,
}

impl<'c> Overrides<'c> {
    pub fn new(ctx: &'c TypeContext) -> Overrides<'c> {
        Overrides {
            ctx,
            calls: Vec::new(),
            seen: FxHashSet::default(),
            instances: Vec::new(),
            classes: FxHashMap::default(),
        }
    }

    /// A method is called virtually; nothing if it is not generic or not virtual, or if instances are nested deeper than
    /// `max_nesting` in its arguments (1 allows `Pair<int, long>`).
    pub fn add_call(&mut self, m: MethodId, max_nesting: u32, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        let m = ctx.canonical_method(m);
        let args = ctx.method_args(m);
        let owner = ctx.method_owner(m);
        let closed = !args.iter().any(|&a| ctx.is_open(a)) && !ctx.is_open(owner);
        // Bodies over references stand in the images of their own assemblies.
        let exact = ctx.type_args(owner).iter().chain(args);
        let exact = exact.clone().any(|&a| a != ctx.canon());
        let shallow = args.iter().all(|&a| nesting(ctx, a) <= max_nesting);
        let relevant = closed && exact && !args.is_empty() && ctx.method_is_virtual(m);
        if !relevant || !shallow || !self.seen.insert(m) {
            return;
        }
        self.calls.push(m);
        let declared_by = ctx.definition(owner);
        let classes = self.classes.entry(declared_by).or_insert_with(|| {
            let all = classes_near(ctx, ctx.type_module(declared_by));
            all.filter(|&t| has_ancestor(ctx, t, declared_by)).collect()
        });
        for &t in classes.iter().chain(&self.instances) {
            out.extend(bodies(ctx, t, m));
        }
    }

    /// Objects of a type may be receivers.
    pub fn add_type(&mut self, t: TypeId, out: &mut Vec<MethodId>) {
        let ctx = self.ctx;
        // The others are in `classes`.
        if ctx.type_args(t).iter().all(|&a| a == ctx.canon()) || ctx.is_interface(t) {
            return;
        }
        self.instances.push(t);
        for &m in &self.calls {
            out.extend(bodies(ctx, t, m));
        }
    }
}

/// The classes of a module and of all that refer to it, generic ones over references.
fn classes_near(ctx: &TypeContext, module: ModuleId) -> impl Iterator<Item = TypeId> {
    let name = ctx.module_name(module);
    let refers = move |m: ModuleId| {
        let mut refs = ctx.module(m).rows::<AssemblyRefRow>();
        refs.any(|row| {
            ctx.assembly_ref_name(m, row)
                .is_ok_and(|n| *n.name == *name)
        })
    };
    // Looking at classes may load further modules; those would not be met in a fixed order.
    let near: Vec<ModuleId> = ctx
        .modules()
        .filter(|&m| m == module || refers(m))
        .collect();
    near.into_iter().flat_map(move |module| {
        let rows = ctx.module(module).rows::<TypeDefRow>();
        rows.map(move |row| ctx.type_def(module, row))
            .filter(|&def| !ctx.is_interface(def))
            .filter_map(|def| over_references(ctx, def))
    })
}

/// How deep instances are nested in a type.
fn nesting(ctx: &TypeContext, t: TypeId) -> u32 {
    match ctx.type_args(t) {
        [] => 0,
        args => 1 + args.iter().map(|&a| nesting(ctx, a)).max().unwrap_or(0),
    }
}

fn has_ancestor(ctx: &TypeContext, t: TypeId, def: TypeId) -> bool {
    if ctx.is_interface(def) {
        let all = ctx.interfaces(t).unwrap_or_default();
        return all.iter().any(|&i| ctx.definition(i) == def);
    }
    ctx.ancestor_of_definition(t, def).is_some()
}

/// What a call runs on objects of a type; several if it implements several instances of an interface that look the same in
/// shared code.
fn bodies(ctx: &TypeContext, t: TypeId, call: MethodId) -> Vec<MethodId> {
    let owner = ctx.method_owner(call);
    let def = ctx.definition(owner);
    let declared = |ancestor: TypeId| {
        let m = ctx.method_on(ctx.method_definition(call), ancestor);
        ctx.with_method_args(m, ctx.method_args(call))
    };
    let alike = |a: TypeId| ctx.definition(a) == def && ctx.canonical_type(a) == owner;
    if ctx.is_interface(def) {
        let all = ctx.interfaces(t).unwrap_or_default();
        let alike = all.iter().filter(|&&i| alike(i));
        return alike
            .filter_map(|&i| ctx.resolve_interface(t, declared(i)).ok())
            .collect();
    }
    let ancestor = ctx.ancestor_of_definition(t, def).filter(|&a| alike(a));
    ancestor
        .and_then(|a| ctx.resolve_virtual(t, declared(a)).ok())
        .into_iter()
        .collect()
}
